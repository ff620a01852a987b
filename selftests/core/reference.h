/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A slow checker that is easy to believe: one struct for each page of a small address space, and
 * loops over all of them. It knows the rules of docs/findings.md and nothing of user/core but the
 * records and the names of findings.
 *
 * What it judges: see compared[] of test_random.c. What it demands of the records: all of them are
 * there, from the beginning; operations do not overlap in time (but for pages that are freed
 * inside an unmap); IOVAs are below REFERENCE_PAGES pages; everything is known by an intent.
 */
#ifndef IOMMUSCOPE_REFERENCE_H
#define IOMMUSCOPE_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

#define REFERENCE_PAGES 256
#define NO_PAGE (~0ULL)

/* One page of one finding. */
struct verdict {
	uint32_t id;		/* enum finding_id */
	uint32_t grade;		/* enum grade */
	uint64_t object;	/* domain pointer + generation, or device, container, address space */
	uint64_t page;		/* number of the page; NO_PAGE none */
	uint64_t cache;		/* domain id or source id of the cache it is about, or 0 */
	const char *what;	/* as docs/findings.md puts it, or NULL */
	/* Not compared: when it was said, and all pages that it is about. */
	uint64_t time_ns, first, last;
};

struct verdicts {
	struct verdict *list;
	size_t count, room;
};

void verdicts_add(struct verdicts *v, const struct verdict *x);
/* Sorted, each once. */
void verdicts_settle(struct verdicts *v);
/* Less than, equal to or greater than 0, in the order of verdicts_settle(). */
int verdict_compare(const void *a, const void *b);
void verdicts_free(struct verdicts *v);

struct reference;

struct reference *reference_new(void);
/* A whole record, in order of time. */
void reference_feed(struct reference *r, const void *rec);
/* After the last record. */
const struct verdicts *reference_verdicts(struct reference *r);
void reference_free(struct reference *r);

#endif
