/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What should have happened instead: one text per finding id. Needs no model. */
#ifndef IOMMUSCOPE_EXPLAIN_H
#define IOMMUSCOPE_EXPLAIN_H

#include "core/report.h"

/** explain_expected() - Return: what a correct system does here, a sentence or two. */
const char *explain_expected(enum finding_id id);

/** explain_source() - Return: who says so: specification, kernel document or function. */
const char *explain_source(enum finding_id id);

#endif
