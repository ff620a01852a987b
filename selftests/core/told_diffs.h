/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A reading made by hand, and the differences that were told of it. */
#ifndef IOMMUSCOPE_SELFTESTS_TOLD_DIFFS_H
#define IOMMUSCOPE_SELFTESTS_TOLD_DIFFS_H

#include "story.h"
#include "core/reading.h"

#define RW (WALK_READ | WALK_WRITE)
#define LOOK_DIFFS 8

struct look {
	struct reading r;
	struct compared count;
	struct diff diffs[LOOK_DIFFS];
	size_t n;
};

/* All books were read. */
STORY void look_begin(struct look *l)
{
	memset(l, 0, sizeof(*l));
	reading_init(&l->r);
	l->r.books = (1U << BOOK_COUNT) - 1;
}

STORY void look_end(struct look *l)
{
	reading_drain(&l->r);
}

STORY void look_run(struct look *l, uint64_t iova, uint64_t last, uint64_t paddr, uint32_t prot)
{
	struct walk_run run = { .iova = iova, .last = last, .paddr = paddr, .level = 1,
				.page_lg2 = 12, .prot = prot, .kind = WALK_LEAF };

	assert_int_equal(reading_add_run(&l->r, &run), 0);
}

/* What is bad has nothing to say of permission or place, whatever is in there. */
STORY void look_bad(struct look *l, uint64_t iova, uint64_t last, uint32_t kind)
{
	struct walk_run run = { .iova = iova, .last = last, .paddr = iova, .level = 1,
				.prot = RW, .kind = kind };

	assert_int_equal(reading_add_run(&l->r, &run), 0);
}

STORY void look_area(struct look *l, enum book book, uint64_t first, uint64_t last,
		     uint64_t paddr, uint32_t prot)
{
	struct book_area area = { .first = first, .last = last, .paddr = paddr, .prot = prot };

	assert_int_equal(reading_add_area(&l->r, book, &area), 0);
}

STORY void look_flux(struct look *l, uint64_t first, uint64_t last)
{
	assert_int_equal(reading_add_flux(&l->r, first, last), 0);
}

STORY void look_direct(struct look *l, uint64_t first, uint64_t last)
{
	assert_int_equal(reading_add_direct(&l->r, first, last), 0);
}

STORY int look_told(void *arg, const struct diff *d)
{
	struct look *l = arg;

	assert_true(l->n < LOOK_DIFFS);
	assert_true(d->first <= d->last);
	assert_true(!l->n || d->first > l->diffs[l->n - 1].last);
	l->diffs[l->n++] = *d;
	return 0;
}

STORY void look_compare(struct look *l, enum book book)
{
	size_t i;

	l->n = 0;
	assert_int_equal(reading_compare(&l->r, book, look_told, l, &l->count), 0);
	assert_int_equal(l->count.diffs, l->n);
	for (i = 0; i < l->n; i++)
		assert_int_equal(l->diffs[i].book, book);
}

STORY void look_has(const struct look *l, size_t i, enum diff_kind kind, uint64_t first,
		    uint64_t last)
{
	assert_true(i < l->n);
	assert_int_equal(l->diffs[i].kind, kind);
	assert_int_equal(l->diffs[i].first, first);
	assert_int_equal(l->diffs[i].last, last);
}

/* These were all. */
STORY void look_ends(const struct look *l, size_t n)
{
	assert_int_equal(l->n, n);
}

/* No difference, nothing in flux, and so many pages on both sides. */
STORY void look_clean(const struct look *l, uint64_t pages)
{
	look_ends(l, 0);
	assert_int_equal(l->count.flux, 0);
	assert_int_equal(l->count.direct, 0);
	assert_int_equal(l->count.pages, pages);
}

#endif
