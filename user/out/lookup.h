/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What 'lookup' prints. */
#ifndef IOMMUSCOPE_OUT_LOOKUP_H
#define IOMMUSCOPE_OUT_LOOKUP_H

#include <stdio.h>

#include "core/lookup.h"

#define LOOKUP_SCHEMA "iommuscope.lookup/1"

/** text_lookup() - For people; the device and its domain only if they are not those of @before, which may be NULL. */
void text_lookup(FILE *to, const struct lookup *l, const struct lookup *before);

/** json_lookup() - One line. */
void json_lookup(FILE *to, const struct lookup *l);

/* ---- shared by the two ---- */

enum lookup_entry { ENTRY_TABLE, ENTRY_PAGE, ENTRY_HOLE, ENTRY_BAD };

/** lookup_entry() - What step @i of @path is. */
enum lookup_entry lookup_entry(const struct walk_path *path, uint32_t i);

/** lookup_prot() - WALK_*: what table and hardware's entry together allow. */
uint32_t lookup_prot(const struct lookup *l);

/** lookup_format() - As 'show' calls the format of @t, or NULL. */
const char *lookup_format(const struct lookup_place *p, const struct walk_table *t);

/** lookup_type() - As 'show' calls the type of a domain. */
const char *lookup_type(uint32_t type);

/** lookup_bad() - What is wrong at the end of @path. */
const char *lookup_bad(const struct walk_path *path);

#endif
