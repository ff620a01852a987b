// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A table against a book: one that only contains, what is in flux, what is mapped one to one; and the contracts
 * of a reading.
 */
#include <errno.h>

#include "told_diffs.h"

#define TOP UINT64_MAX
#define AT 0x40000000ULL
#define GB (1ULL << 30)

/* ---- the DMA API's allocator: it only contains ---- */

static void allocator_contains(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_area(&l, BOOK_IOVA, 0, 0xfff, AREA_PADDR_UNKNOWN, 0);
	look_area(&l, BOOK_IOVA, 0x2000, 0x5fff, AREA_PADDR_UNKNOWN, 0);
	look_run(&l, 0x3000, 0x3fff, AT, WALK_READ);
	look_run(&l, 0x4000, 0x4fff, AT + GB, WALK_WRITE);
	look_area(&l, BOOK_IOVA, TOP, TOP, AREA_PADDR_UNKNOWN, 0);
	look_compare(&l, BOOK_IOVA);
	look_clean(&l, 2);
	look_end(&l);
}

static void allocator_extra(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_run(&l, 0, 0, AT, RW);
	look_run(&l, 0x1fff, 0x3000, AT, RW);
	look_area(&l, BOOK_IOVA, 0x2000, 0x2fff, AREA_PADDR_UNKNOWN, 0);
	look_run(&l, TOP, TOP, AT, RW);
	look_compare(&l, BOOK_IOVA);
	look_has(&l, 0, DIFF_EXTRA, 0, 0);
	look_has(&l, 1, DIFF_EXTRA, 0x1fff, 0x1fff);
	look_has(&l, 2, DIFF_EXTRA, 0x3000, 0x3000);
	look_has(&l, 3, DIFF_EXTRA, TOP, TOP);
	look_ends(&l, 4);
	look_end(&l);
}

/* What was given away and cannot be translated is malformed, but never missing. */
static void allocator_malformed(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_area(&l, BOOK_IOVA, 0x1000, 0x3fff, AREA_PADDR_UNKNOWN, 0);
	look_bad(&l, 0x2000, 0x2fff, WALK_BAD_RESERVED);
	look_compare(&l, BOOK_IOVA);
	look_has(&l, 0, DIFF_BAD, 0x2000, 0x2fff);
	look_ends(&l, 1);
	look_end(&l);
}

/* ---- flux: [0x1000, 0x4fff] is missing, but for what never settled ---- */

static void flux_begin(struct look *l)
{
	look_begin(l);
	look_area(l, BOOK_VFIO, 0x1000, 0x4fff, AT, RW);
}

static void flux_cuts(uint64_t first, uint64_t last, struct read_span left, struct read_span right)
{
	struct look l;
	size_t n = 0;

	flux_begin(&l);
	look_flux(&l, first, last);
	look_compare(&l, BOOK_VFIO);
	if (left.last)
		look_has(&l, n++, DIFF_MISSING, left.first, left.last);
	if (right.last)
		look_has(&l, n++, DIFF_MISSING, right.first, right.last);
	look_ends(&l, n);
	assert_int_equal(l.count.flux, first <= 0x4fff && last >= 0x1000);
	look_end(&l);
}

static void flux_one(void **state)
{
	static const struct read_span none, all = { 0x1000, 0x4fff };

	(void)state;
	/* All of it, exactly and more. */
	flux_cuts(0x1000, 0x4fff, none, none);
	flux_cuts(0xfff, 0x5000, none, none);
	flux_cuts(0, TOP, none, none);
	/* One byte is left, at each end. */
	flux_cuts(0x1001, 0x4fff, (struct read_span){ 0x1000, 0x1000 }, none);
	flux_cuts(0x1000, 0x4ffe, none, (struct read_span){ 0x4fff, 0x4fff });
	flux_cuts(0x1001, 0x4ffe, (struct read_span){ 0x1000, 0x1000 }, (struct read_span){ 0x4fff, 0x4fff });
	/* Only one byte is in flux. */
	flux_cuts(0x1000, 0x1000, none, (struct read_span){ 0x1001, 0x4fff });
	flux_cuts(0x4fff, 0x4fff, (struct read_span){ 0x1000, 0x4ffe }, none);
	flux_cuts(0x2000, 0x2000, (struct read_span){ 0x1000, 0x1fff }, (struct read_span){ 0x2001, 0x4fff });
	/* It only begins before, or ends behind. */
	flux_cuts(0, 0x1000, none, (struct read_span){ 0x1001, 0x4fff });
	flux_cuts(0x4fff, TOP, (struct read_span){ 0x1000, 0x4ffe }, none);
	/* One byte too far away. */
	flux_cuts(0, 0xfff, all, none);
	flux_cuts(0x5000, TOP, all, none);
}

/* Several, in any order: apart, meeting, overlapping, one in the other. Of one difference, one is counted. */
static void flux_many(void **state)
{
	struct look l;

	(void)state;
	flux_begin(&l);
	look_flux(&l, 0x4000, 0x4fff);
	look_flux(&l, 0x2800, 0x2fff);
	look_flux(&l, 0x2000, 0x27ff);
	look_flux(&l, 0x2400, 0x2bff);
	look_flux(&l, 0, 0x10ff);
	look_flux(&l, 0x2000, 0x2000);
	look_compare(&l, BOOK_VFIO);
	look_has(&l, 0, DIFF_MISSING, 0x1100, 0x1fff);
	look_has(&l, 1, DIFF_MISSING, 0x3000, 0x3fff);
	look_ends(&l, 2);
	assert_int_equal(l.count.flux, 1);
	look_end(&l);
}

static void flux_at_the_ends_of_the_space(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_run(&l, 0, TOP, AT, RW);
	look_flux(&l, TOP, TOP);
	look_flux(&l, 0, 0);
	look_compare(&l, BOOK_VFIO);
	look_has(&l, 0, DIFF_EXTRA, 1, TOP - 1);
	look_ends(&l, 1);
	look_flux(&l, 1, TOP);
	look_compare(&l, BOOK_VFIO);
	look_ends(&l, 0);
	look_end(&l);
}

#define MANY 4096
#define MANY_STEP 0x10000ULL

static void many_flux(struct look *l, bool jumble)
{
	uint64_t i, at;

	look_begin(l);
	for (i = 0; i < MANY; i++) {
		at = (jumble ? MANY - 1 - i : i) * MANY_STEP + 0x1000;
		look_flux(l, at, at + 0x6fff);
	}
	assert_int_equal(l->r.flux_jumbled, jumble);
	for (i = 0; i < MANY; i++)
		look_area(l, BOOK_VFIO, i * MANY_STEP, i * MANY_STEP + 0x8fff, AREA_PADDR_UNKNOWN, 0);
	reading_compare(&l->r, BOOK_VFIO, NULL, NULL, &l->count);
	/* Of each area the first and the last page are not in flux. */
	assert_int_equal(l->count.diffs, 2 * MANY);
	assert_int_equal(l->count.flux, MANY);
	look_end(l);
}

/* In order or not: the same is said. */
static void flux_in_any_order(void **state)
{
	struct look l;

	(void)state;
	many_flux(&l, false);
	many_flux(&l, true);
}

/* It hides every kind of difference, and of each only what is in it. */
static void flux_hides_all_kinds(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_area(&l, BOOK_VFIO, 0x1000, 0x1fff, AT, RW);
	look_run(&l, 0x2000, 0x2fff, AT, RW);
	look_area(&l, BOOK_VFIO, 0x3000, 0x3fff, AT, RW);
	look_run(&l, 0x3000, 0x3fff, AT + 0x1000, RW);
	look_area(&l, BOOK_VFIO, 0x4000, 0x4fff, AT, RW);
	look_run(&l, 0x4000, 0x4fff, AT, WALK_READ);
	look_area(&l, BOOK_VFIO, 0x5000, 0x5fff, AT, WALK_READ);
	look_run(&l, 0x5000, 0x5fff, AT, RW);
	look_area(&l, BOOK_VFIO, 0x6000, 0x6fff, AT, RW);
	look_bad(&l, 0x6000, 0x6fff, WALK_BAD_RESERVED);
	look_compare(&l, BOOK_VFIO);
	look_has(&l, 0, DIFF_MISSING, 0x1000, 0x1fff);
	look_has(&l, 1, DIFF_EXTRA, 0x2000, 0x2fff);
	look_has(&l, 2, DIFF_PADDR, 0x3000, 0x3fff);
	look_has(&l, 3, DIFF_PROT_LESS, 0x4000, 0x4fff);
	look_has(&l, 4, DIFF_PROT_MORE, 0x5000, 0x5fff);
	look_has(&l, 5, DIFF_BAD, 0x6000, 0x6fff);
	look_ends(&l, 6);
	look_flux(&l, 0x1000, 0x6ffe);
	look_compare(&l, BOOK_VFIO);
	look_has(&l, 0, DIFF_BAD, 0x6fff, 0x6fff);
	look_ends(&l, 1);
	assert_int_equal(l.count.flux, 6);
	look_end(&l);
}

/* Pages that never settled were not compared, though both sides have them and agree. */
static void flux_is_not_compared(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_area(&l, BOOK_VFIO, 0x1000, 0x8fff, AT, RW);
	look_run(&l, 0x1000, 0x8fff, AT, RW);
	look_flux(&l, 0x2000, 0x2fff);
	look_flux(&l, 0x7000, 0xffff);
	look_compare(&l, BOOK_VFIO);
	look_ends(&l, 0);
	assert_int_equal(l.count.pages, 5);
	assert_int_equal(l.count.flux, 0);
	look_flux(&l, 0, TOP);
	look_compare(&l, BOOK_VFIO);
	assert_int_equal(l.count.pages, 0);
	look_end(&l);
}

/* ---- mapped one to one for a reserved range ---- */

static void direct_one(struct read_span direct, uint64_t paddr, struct read_span left, struct read_span right)
{
	struct look l;
	size_t n = 0;

	look_begin(&l);
	look_run(&l, 0x10000, 0x1ffff, paddr, RW);
	look_direct(&l, direct.first, direct.last);
	look_compare(&l, BOOK_IOVA);
	if (left.last)
		look_has(&l, n++, DIFF_EXTRA, left.first, left.last);
	if (right.last)
		look_has(&l, n++, DIFF_EXTRA, right.first, right.last);
	look_ends(&l, n);
	look_end(&l);
}

static void direct(void **state)
{
	static const struct read_span none, exact = { 0x10000, 0x1ffff }, all = { 0, TOP };

	(void)state;
	direct_one(exact, 0x10000, none, none);
	direct_one(all, 0x10000, none, none);
	/* Not one to one: nobody asked for that. */
	direct_one(exact, 0x10001, exact, none);
	direct_one(exact, 0x11000, exact, none);
	direct_one(all, 0, exact, none);
	/* The run is one to one, but goes further. */
	direct_one((struct read_span){ 0x10001, 0x1ffff }, 0x10000, (struct read_span){ 0x10000, 0x10000 }, none);
	direct_one((struct read_span){ 0x10000, 0x1fffe }, 0x10000, none, (struct read_span){ 0x1ffff, 0x1ffff });
	direct_one((struct read_span){ 0x14000, 0x14fff }, 0x10000, (struct read_span){ 0x10000, 0x13fff },
		   (struct read_span){ 0x15000, 0x1ffff });
	direct_one((struct read_span){ 0, 0x10000 }, 0x10000, none, (struct read_span){ 0x10001, 0x1ffff });
	direct_one((struct read_span){ 0x1ffff, TOP }, 0x10000, (struct read_span){ 0x10000, 0x1fffe }, none);
	/* One byte away. */
	direct_one((struct read_span){ 0, 0xffff }, 0x10000, exact, none);
	direct_one((struct read_span){ 0x20000, TOP }, 0x10000, exact, none);
}

static void direct_many(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_run(&l, 0, TOP, 0, RW);
	look_direct(&l, TOP - 0xfff, TOP);
	look_direct(&l, 0x5000, 0x7fff);
	look_direct(&l, 0x4000, 0x5fff);
	look_direct(&l, 0x4000, 0x4000);
	look_direct(&l, 0, 0xfff);
	look_compare(&l, BOOK_IOVA);
	look_has(&l, 0, DIFF_EXTRA, 0x1000, 0x3fff);
	look_has(&l, 1, DIFF_EXTRA, 0x8000, TOP - 0x1000);
	look_ends(&l, 2);
	assert_int_equal(l.count.direct, 1 + 4 + 1);
	look_end(&l);
}

/* What the book has there is compared, one to one or not; and is missing if it is not mapped. */
static void direct_in_the_book(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_direct(&l, 0x1000, 0x4fff);
	look_area(&l, BOOK_MODEL, 0x1000, 0x1fff, 0x1000, RW);
	look_area(&l, BOOK_MODEL, 0x2000, 0x2fff, AT, RW);
	look_run(&l, 0x1000, 0x3fff, 0x1000, RW);
	look_area(&l, BOOK_MODEL, 0x4000, 0x4fff, 0x4000, RW);
	look_compare(&l, BOOK_MODEL);
	look_has(&l, 0, DIFF_PADDR, 0x2000, 0x2fff);
	look_has(&l, 1, DIFF_MISSING, 0x4000, 0x4fff);
	look_ends(&l, 2);
	assert_int_equal(l.count.pages, 2);
	assert_int_equal(l.count.direct, 1);
	look_end(&l);
}

/* The book need not have a reserved range; what is malformed there is told all the same. */
static void direct_need_not_be(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_direct(&l, 0x1000, 0x4fff);
	look_bad(&l, 0x2000, 0x2fff, WALK_BAD_LOOP);
	look_compare(&l, BOOK_VFIO);
	look_has(&l, 0, DIFF_BAD, 0x2000, 0x2fff);
	look_ends(&l, 1);
	look_end(&l);
}

/* ---- contracts ---- */

static void refused_run(struct look *l, uint64_t iova, uint64_t last)
{
	struct walk_run run = { .iova = iova, .last = last };

	assert_int_equal(reading_add_run(&l->r, &run), -EINVAL);
}

static void refused_area(struct look *l, enum book book, uint64_t first, uint64_t last)
{
	struct book_area area = { .first = first, .last = last };

	assert_int_equal(reading_add_area(&l->r, book, &area), -EINVAL);
}

static void unsorted_is_refused(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	l.r.books = 0;
	refused_run(&l, 1, 0);
	refused_area(&l, BOOK_VFIO, TOP, TOP - 1);
	refused_area(&l, BOOK_COUNT, 0, 0);
	assert_int_equal(reading_add_flux(&l.r, 1, 0), -EINVAL);
	assert_int_equal(reading_add_direct(&l.r, TOP, 0), -EINVAL);
	assert_int_equal(l.r.nruns + l.r.nareas[BOOK_VFIO] + l.r.nflux + l.r.ndirect, 0);
	assert_int_equal(l.r.books, 0);
	look_run(&l, 0x1000, 0x1fff, AT, RW);
	refused_run(&l, 0x1fff, 0x2fff);
	refused_run(&l, 0x1000, 0x1fff);
	refused_run(&l, 0, 0xfff);
	look_run(&l, 0x2000, TOP, AT, RW);
	refused_run(&l, TOP, TOP);
	refused_run(&l, 0, 0);
	look_area(&l, BOOK_VFIO, 0x1000, 0x1fff, AT, RW);
	refused_area(&l, BOOK_VFIO, 0x1fff, 0x2fff);
	refused_area(&l, BOOK_VFIO, 0, 0xfff);
	look_area(&l, BOOK_MODEL, 0, 0xfff, AT, RW);	/* each book for itself */
	assert_int_equal(l.r.books, 1U << BOOK_VFIO | 1U << BOOK_MODEL);
	assert_int_equal(l.r.nruns, 2);
	assert_int_equal(l.r.nareas[BOOK_VFIO], 1);
	look_end(&l);
}

struct stop {
	unsigned int told, after;
};

static int stop_told(void *arg, const struct diff *d)
{
	struct stop *s = arg;

	(void)d;
	assert_true(s->told < s->after);
	return ++s->told == s->after ? -ECANCELED : 0;
}

/* Six differences, of which two are cut from one by flux; told are the first so many. */
static void return_ends_it(void **state)
{
	unsigned int after, i;
	struct look l;

	(void)state;
	look_begin(&l);
	for (i = 0; i < 5; i++)
		look_area(&l, BOOK_VFIO, i * 0x10000, i * 0x10000 + 0xffff, AT, RW);
	look_flux(&l, 0x28000, 0x28fff);
	for (after = 1; after <= 6; after++) {
		struct stop s = { .after = after };

		assert_int_equal(reading_compare(&l.r, BOOK_VFIO, stop_told, &s, &l.count),
				 -ECANCELED);
		assert_int_equal(s.told, after);
		assert_int_equal(l.count.diffs, after);
	}
	look_compare(&l, BOOK_VFIO);
	look_ends(&l, 6);
	look_end(&l);
}

static void only_counted(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_area(&l, BOOK_VFIO, 0, 0xfff, AT, RW);
	look_run(&l, 0x1000, 0x1fff, AT, RW);
	assert_int_equal(reading_compare(&l.r, BOOK_VFIO, NULL, NULL, &l.count), 0);
	assert_int_equal(l.count.diffs, 2);
	look_end(&l);
}

/* More than there is room for at first. */
static void many(void **state)
{
	struct look l;
	uint64_t i;

	(void)state;
	look_begin(&l);
	for (i = 0; i < 1000; i++) {
		look_run(&l, i << 13, (i << 13) + 0xfff, AT + (i << 20), RW);
		look_area(&l, BOOK_VFIO, i << 13, (i << 13) + 0xfff, AT + (i << 20), RW);
		look_flux(&l, TOP - i, TOP - i);
		look_direct(&l, TOP - i, TOP);
	}
	look_compare(&l, BOOK_VFIO);
	look_clean(&l, 1000);
	reading_drain(&l.r);
	assert_int_equal(l.r.nruns, 0);
	look_run(&l, 0, 0, AT, RW);	/* may be filled again */
	look_end(&l);
}

static void names(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < BOOK_COUNT; i++)
		assert_true(strlen(book_name(i)) > 2);
	for (i = 0; i < DIFF_KINDS; i++)
		assert_true(strlen(diff_name(i)) > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allocator_contains),
		cmocka_unit_test(allocator_extra),
		cmocka_unit_test(allocator_malformed),
		cmocka_unit_test(flux_one),
		cmocka_unit_test(flux_many),
		cmocka_unit_test(flux_at_the_ends_of_the_space),
		cmocka_unit_test(flux_in_any_order),
		cmocka_unit_test(flux_hides_all_kinds),
		cmocka_unit_test(flux_is_not_compared),
		cmocka_unit_test(direct),
		cmocka_unit_test(direct_many),
		cmocka_unit_test(direct_in_the_book),
		cmocka_unit_test(direct_need_not_be),
		cmocka_unit_test(unsorted_is_refused),
		cmocka_unit_test(return_ends_it),
		cmocka_unit_test(only_counted),
		cmocka_unit_test(many),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
