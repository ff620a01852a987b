// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* A table against a book: each kind of difference, and what is just not one. */
#include <errno.h>

#include "told_diffs.h"

#define TOP UINT64_MAX
#define GB (1ULL << 30)
#define MB (1ULL << 20)
#define AT 0x40000000ULL	/* where runs lead; not one to one */

/* ---- both sides agree, or there is nothing ---- */

static void nothing_at_all(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_compare(&l, BOOK_FILE);
	look_clean(&l, 0);
	look_end(&l);
}

static void alike(void **state)
{
	static const struct read_span at[] = {
		{ 0, 0xfff }, { 0x1000, 0x1fff }, { GB, 3 * GB - 1 }, { TOP - 0xfff, TOP }, { 0, TOP },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		struct look l;

		look_begin(&l);
		look_run(&l, at[i].first, at[i].last, AT, RW);
		look_area(&l, BOOK_VFIO, at[i].first, at[i].last, AT, RW);
		look_compare(&l, BOOK_VFIO);
		look_clean(&l, ((at[i].last - at[i].first) >> 12) + 1);
		look_end(&l);
	}
}

/* Each book is compared for itself. */
static void other_books(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_run(&l, 0x1000, 0x1fff, AT, RW);
	look_area(&l, BOOK_VFIO, 0x1000, 0x1fff, AT, RW);
	look_area(&l, BOOK_MODEL, 0x2000, 0x2fff, AT, RW);
	look_compare(&l, BOOK_VFIO);
	look_clean(&l, 1);
	look_compare(&l, BOOK_MODEL);
	look_has(&l, 0, DIFF_EXTRA, 0x1000, 0x1fff);
	look_has(&l, 1, DIFF_MISSING, 0x2000, 0x2fff);
	look_ends(&l, 2);
	look_end(&l);
}

/* A book that nobody read says nothing; one that was read and is empty says that all is extra. */
static void unread_book(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	l.r.books = 0;
	look_run(&l, 0x1000, 0x1fff, AT, RW);
	l.count.diffs = 99;
	assert_int_equal(reading_compare(&l.r, BOOK_VFIO, NULL, NULL, &l.count), -ENOENT);
	assert_int_equal(l.count.diffs, 0);
	l.r.books = 1U << BOOK_VFIO;
	look_compare(&l, BOOK_VFIO);
	look_has(&l, 0, DIFF_EXTRA, 0x1000, 0x1fff);
	look_ends(&l, 1);
	look_end(&l);
}

/* ---- missing and extra: the same ranges, each side in turn ---- */

static void one_side(uint64_t first, uint64_t last)
{
	struct look l;

	look_begin(&l);
	look_area(&l, BOOK_VFIO, first, last, AT, RW);
	look_compare(&l, BOOK_VFIO);
	look_has(&l, 0, DIFF_MISSING, first, last);
	assert_ptr_equal(l.diffs[0].area, &l.r.areas[BOOK_VFIO][0]);
	assert_null(l.diffs[0].run);
	look_ends(&l, 1);
	look_end(&l);

	look_begin(&l);
	look_run(&l, first, last, AT, RW);
	look_compare(&l, BOOK_VFIO);
	look_has(&l, 0, DIFF_EXTRA, first, last);
	assert_ptr_equal(l.diffs[0].run, &l.r.runs[0]);
	assert_null(l.diffs[0].area);
	look_ends(&l, 1);
	look_end(&l);
}

static void only_one_side(void **state)
{
	(void)state;
	one_side(0, 0);
	one_side(0, 0xfff);
	one_side(0x1000, 0x1fff);
	one_side(TOP - 0xfff, TOP);
	one_side(TOP, TOP);
	one_side(0, TOP);
}

/* [wide] holds [narrow]: what is left of it on both sides has @kind. */
static void inside(struct read_span wide, struct read_span narrow, bool table_is_wide)
{
	enum diff_kind kind = table_is_wide ? DIFF_EXTRA : DIFF_MISSING;
	uint64_t offset = narrow.first - wide.first;
	struct look l;
	size_t n = 0;

	look_begin(&l);
	if (table_is_wide) {
		look_run(&l, wide.first, wide.last, AT, RW);
		look_area(&l, BOOK_VFIO, narrow.first, narrow.last, AT + offset, RW);
	} else {
		look_run(&l, narrow.first, narrow.last, AT + offset, RW);
		look_area(&l, BOOK_VFIO, wide.first, wide.last, AT, RW);
	}
	look_compare(&l, BOOK_VFIO);
	if (offset)
		look_has(&l, n++, kind, wide.first, narrow.first - 1);
	if (narrow.last < wide.last)
		look_has(&l, n++, kind, narrow.last + 1, wide.last);
	look_ends(&l, n);
	assert_true(l.count.pages > 0);
	look_end(&l);
}

static void one_inside_the_other(void **state)
{
	static const struct read_span pairs[][2] = {
		{ { 0x1000, 0x4fff }, { 0x2000, 0x3fff } },
		{ { 0x1000, 0x4fff }, { 0x1000, 0x3fff } },
		{ { 0x1000, 0x4fff }, { 0x2000, 0x4fff } },
		{ { 0x1000, 0x4fff }, { 0x1001, 0x4fff } },	/* one byte off, each end */
		{ { 0x1000, 0x4fff }, { 0x1000, 0x4ffe } },
		{ { 0x1000, 0x4fff }, { 0x1001, 0x4ffe } },
		{ { 0, 0xfff }, { 1, 0xfff } },
		{ { 0, 0xfff }, { 0, 0 } },
		{ { TOP - 0xfff, TOP }, { TOP - 0xfff, TOP - 1 } },
		{ { TOP - 0xfff, TOP }, { TOP, TOP } },
		{ { 0, TOP }, { 1, TOP - 1 } },
		{ { 0, TOP }, { 0, 0 } },
		{ { 0, TOP }, { TOP, TOP } },
		{ { 0, TOP }, { 0, TOP } },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		inside(pairs[i][0], pairs[i][1], true);
		inside(pairs[i][0], pairs[i][1], false);
	}
}

/* They overlap, each with an end of its own. */
static void shifted(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_run(&l, 0x1000, 0x2fff, AT, RW);
	look_area(&l, BOOK_VFIO, 0x2000, 0x3fff, AT + 0x1000, RW);
	look_compare(&l, BOOK_VFIO);
	look_has(&l, 0, DIFF_EXTRA, 0x1000, 0x1fff);
	look_has(&l, 1, DIFF_MISSING, 0x3000, 0x3fff);
	look_ends(&l, 2);
	assert_int_equal(l.count.pages, 1);
	look_end(&l);
}

/* They meet, but have no byte in common. */
static void neighbours(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_area(&l, BOOK_VFIO, 0, 0xfff, AT, RW);
	look_run(&l, 0x1000, 0x1fff, AT, RW);
	look_area(&l, BOOK_VFIO, 0x2000, 0x2fff, AT, RW);
	look_compare(&l, BOOK_VFIO);
	look_has(&l, 0, DIFF_MISSING, 0, 0xfff);
	look_has(&l, 1, DIFF_EXTRA, 0x1000, 0x1fff);
	look_has(&l, 2, DIFF_MISSING, 0x2000, 0x2fff);
	look_ends(&l, 3);
	assert_int_equal(l.count.pages, 0);
	look_end(&l);
}

/* ---- many to one ---- */

/* A superpage of 2 MiB that three areas share: two meet, one byte is nobody's. */
static void superpage_over_areas(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_run(&l, 0, 2 * MB - 1, AT, RW);
	look_area(&l, BOOK_VFIO, 0, 0xfffff, AT, RW);
	look_area(&l, BOOK_VFIO, 0x100000, 0x17ffff, AT + 0x100000, RW);
	look_area(&l, BOOK_VFIO, 0x180001, 0x1fffff, AT + 0x180001, RW);
	look_compare(&l, BOOK_VFIO);
	look_has(&l, 0, DIFF_EXTRA, 0x180000, 0x180000);
	look_ends(&l, 1);
	look_end(&l);
}

static void runs_in_one_area(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_area(&l, BOOK_VFIO, 0x1000, 0x5fff, AT, RW);
	look_run(&l, 0x1000, 0x1fff, AT, RW);
	look_run(&l, 0x2000, 0x2fff, AT + 0x1000, RW);
	look_run(&l, 0x4000, 0x4fff, AT + 0x3000, RW);
	look_compare(&l, BOOK_VFIO);
	look_has(&l, 0, DIFF_MISSING, 0x3000, 0x3fff);
	look_has(&l, 1, DIFF_MISSING, 0x5000, 0x5fff);
	look_ends(&l, 2);
	assert_int_equal(l.count.pages, 3);
	look_end(&l);
}

/* Two areas that meet, in nothing; two runs that meet: of each its own difference. */
static void not_merged(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_area(&l, BOOK_VFIO, 0x1000, 0x1fff, AT, RW);
	look_area(&l, BOOK_VFIO, 0x2000, 0x2fff, AT + 0x1000, RW);
	look_run(&l, 0x3000, 0x3fff, AT, RW);
	look_run(&l, 0x4000, 0x4fff, AT + 0x1000, RW);
	look_compare(&l, BOOK_VFIO);
	look_has(&l, 0, DIFF_MISSING, 0x1000, 0x1fff);
	look_has(&l, 1, DIFF_MISSING, 0x2000, 0x2fff);
	look_has(&l, 2, DIFF_EXTRA, 0x3000, 0x3fff);
	look_has(&l, 3, DIFF_EXTRA, 0x4000, 0x4fff);
	look_ends(&l, 4);
	look_end(&l);
}

/* Two areas in one run that leads elsewhere: between which area and run is part of a difference. */
static void not_merged_elsewhere(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_run(&l, 0x1000, 0x2fff, AT, RW);
	look_area(&l, BOOK_VFIO, 0x1000, 0x1fff, AT + 0x7000, RW);
	look_area(&l, BOOK_VFIO, 0x2000, 0x2fff, AT + 0x8000, RW);
	look_compare(&l, BOOK_VFIO);
	look_has(&l, 0, DIFF_PADDR, 0x1000, 0x1fff);
	look_has(&l, 1, DIFF_PADDR, 0x2000, 0x2fff);
	assert_ptr_equal(l.diffs[1].area, &l.r.areas[BOOK_VFIO][1]);
	assert_ptr_equal(l.diffs[1].run, &l.r.runs[0]);
	look_ends(&l, 2);
	look_end(&l);
}

/* ---- where it leads ---- */

static void paddr_case(uint64_t area_first, uint64_t area_paddr, bool differs)
{
	struct look l;

	look_begin(&l);
	look_run(&l, 0x10000, 0x1ffff, AT, RW);
	look_area(&l, BOOK_MODEL, area_first, 0x1ffff, area_paddr, RW);
	look_compare(&l, BOOK_MODEL);
	if (area_first > 0x10000)
		look_has(&l, 0, DIFF_EXTRA, 0x10000, area_first - 1);
	if (differs)
		look_has(&l, area_first > 0x10000, DIFF_PADDR, area_first, 0x1ffff);
	look_ends(&l, (area_first > 0x10000) + differs);
	look_end(&l);
}

static void leads_elsewhere(void **state)
{
	(void)state;
	paddr_case(0x10000, AT, false);
	paddr_case(0x10000, AT + 1, true);
	paddr_case(0x10000, AT - 1, true);
	paddr_case(0x10000, AT + 0x1000, true);
	paddr_case(0x10000, 0, true);
	paddr_case(0x10000, AREA_PADDR_UNKNOWN, false);
	paddr_case(0x10000, AREA_PADDR_UNKNOWN - 1, true);
	/* An area that begins inside the run. */
	paddr_case(0x18000, AT + 0x8000, false);
	paddr_case(0x18000, AT, true);
	paddr_case(0x18000, AREA_PADDR_UNKNOWN, false);
}

/* Of one area the first run leads where it should, the second one page too far, the third again right. */
static void leads_elsewhere_in_the_middle(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_area(&l, BOOK_MODEL, 0x1000, 0x3fff, AT, RW);
	look_run(&l, 0x1000, 0x1fff, AT, RW);
	look_run(&l, 0x2000, 0x2fff, AT + 0x2000, RW);
	look_run(&l, 0x3000, 0x3fff, AT + 0x2000, RW);
	look_compare(&l, BOOK_MODEL);
	look_has(&l, 0, DIFF_PADDR, 0x2000, 0x2fff);
	look_ends(&l, 1);
	assert_int_equal(l.count.pages, 3);
	look_end(&l);
}

/* ---- permission ---- */

static void permission(void **state)
{
	static const int expected[4][4] = {	/* [asked for][allowed]; -1: no difference */
		{ -1, -1, -1, -1 },		/* not known */
		{ DIFF_PROT_LESS, -1, DIFF_PROT_LESS, DIFF_PROT_MORE },		/* r */
		{ DIFF_PROT_LESS, DIFF_PROT_LESS, -1, -1 },			/* w: read is free */
		{ DIFF_PROT_LESS, DIFF_PROT_LESS, DIFF_PROT_LESS, -1 },		/* rw */
	};
	uint32_t asked, allowed;

	(void)state;
	for (asked = 0; asked < 4; asked++) {
		for (allowed = 0; allowed < 4; allowed++) {
			struct look l;
			int kind = expected[asked][allowed];

			look_begin(&l);
			look_run(&l, 0x1000, 0x1fff, AT, allowed);
			look_area(&l, BOOK_VFIO, 0x1000, 0x1fff, AREA_PADDR_UNKNOWN, asked);
			look_compare(&l, BOOK_VFIO);
			if (kind >= 0)
				look_has(&l, 0, kind, 0x1000, 0x1fff);
			look_ends(&l, kind >= 0);
			look_end(&l);
		}
	}
}

/* One place has one difference: where it leads before what it allows. */
static void elsewhere_before_permission(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_run(&l, 0x1000, 0x1fff, AT, WALK_READ);
	look_area(&l, BOOK_MODEL, 0x1000, 0x1fff, AT + 0x1000, RW);
	look_compare(&l, BOOK_MODEL);
	look_has(&l, 0, DIFF_PADDR, 0x1000, 0x1fff);
	look_ends(&l, 1);
	look_end(&l);
}

/* ---- entries that the hardware refuses ---- */

static void malformed(void **state)
{
	uint32_t kind;

	(void)state;
	for (kind = WALK_LEAF + 1; kind < WALK_KINDS; kind++) {
		struct look l;

		look_begin(&l);
		look_bad(&l, 0, GB - 1, kind);
		look_area(&l, BOOK_VFIO, 0x1000, 0x2fff, AT, RW);
		look_area(&l, BOOK_VFIO, GB - 0x1000, GB + 0xfff, AT, RW);
		look_compare(&l, BOOK_VFIO);
		look_has(&l, 0, DIFF_BAD, 0, 0xfff);
		look_has(&l, 1, DIFF_BAD, 0x1000, 0x2fff);
		look_has(&l, 2, DIFF_BAD, 0x3000, GB - 0x1001);
		look_has(&l, 3, DIFF_BAD, GB - 0x1000, GB - 1);
		look_has(&l, 4, DIFF_MISSING, GB, GB + 0xfff);
		look_ends(&l, 5);
		assert_int_equal(l.count.pages, 0);
		look_end(&l);
	}
}

/* Where the book has nothing, too; one byte is enough for the book. */
static void malformed_unwanted(void **state)
{
	struct look l;

	(void)state;
	look_begin(&l);
	look_area(&l, BOOK_VFIO, 0, 0, AT, RW);
	look_bad(&l, 0, 0, WALK_BAD_RESERVED);
	look_bad(&l, 1, TOP - 1, WALK_BAD_MEMORY);
	look_bad(&l, TOP, TOP, WALK_BAD_LOOP);
	look_area(&l, BOOK_VFIO, TOP, TOP, AT, RW);
	look_compare(&l, BOOK_VFIO);
	look_has(&l, 0, DIFF_BAD, 0, 0);
	look_has(&l, 1, DIFF_BAD, 1, TOP - 1);
	look_has(&l, 2, DIFF_BAD, TOP, TOP);
	look_ends(&l, 3);
	look_end(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_at_all),
		cmocka_unit_test(alike),
		cmocka_unit_test(other_books),
		cmocka_unit_test(unread_book),
		cmocka_unit_test(only_one_side),
		cmocka_unit_test(one_inside_the_other),
		cmocka_unit_test(shifted),
		cmocka_unit_test(neighbours),
		cmocka_unit_test(superpage_over_areas),
		cmocka_unit_test(runs_in_one_area),
		cmocka_unit_test(not_merged),
		cmocka_unit_test(not_merged_elsewhere),
		cmocka_unit_test(leads_elsewhere),
		cmocka_unit_test(leads_elsewhere_in_the_middle),
		cmocka_unit_test(permission),
		cmocka_unit_test(elsewhere_before_permission),
		cmocka_unit_test(malformed),
		cmocka_unit_test(malformed_unwanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
