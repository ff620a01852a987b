/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A slow checker that is easy to believe: one struct for each page of a small address space, and
 * loops over all of them. It knows the rules of docs/findings.md and nothing of user/core but the
 * records and the names of findings.
 *
 * What it judges: map-overlap, map-wide, unmap-short, unmap-wide, stale-iotlb, flush-short,
 * leak-on-free, dma-unmap-mismatch. What it demands of the records: all of them are there, from
 * the beginning; operations do not overlap in time; IOVAs are below REFERENCE_PAGES pages.
 */
#ifndef IOMMUSCOPE_REFERENCE_H
#define IOMMUSCOPE_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

#define REFERENCE_PAGES 256

/* One page of one finding. */
struct verdict {
	uint32_t id;		/* enum finding_id */
	uint64_t object;	/* domain pointer + generation, or device pointer */
	uint64_t page;		/* number of the page; ~0 none */
};

struct verdicts {
	struct verdict *list;
	size_t count, room;
};

void verdicts_add(struct verdicts *v, uint32_t id, uint64_t object, uint64_t page);
/* Sorted, each once. */
void verdicts_settle(struct verdicts *v);
void verdicts_free(struct verdicts *v);

struct reference;

struct reference *reference_new(void);
/* A whole record, in order of time. */
void reference_feed(struct reference *r, const void *rec);
const struct verdicts *reference_verdicts(struct reference *r);
void reference_free(struct reference *r);

#endif
