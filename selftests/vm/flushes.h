/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Was a range flushed from every IOTLB that its domain uses, within a time? */
#ifndef IOMMUSCOPE_FLUSHES_H
#define IOMMUSCOPE_FLUSHES_H

#include "records.h"

struct flush_need {
	uint64_t domain;
	uint64_t first;		/* IOVA */
	uint64_t last;		/* inclusive */
	uint64_t from_ns;	/* the flush must have begun after this */
	uint64_t to_ns;		/* and ended before this */
};

/* Adds the number of commands that helped to *@used, and says what is missing. */
bool flushes_cover(const struct records *r, const struct flush_need *need, size_t *used);

#endif
