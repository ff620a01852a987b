// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Tables that were read, as records: three findings, their near misses, and what nobody of us wrote. */
#include "story_reading.h"

#define IOVAS (1U << BOOK_IOVA)

static void agreement_is_clean(void **state)
{
	struct story s;

	(void)state;
	begin_reading(&s);
	area(&s, 0x4000, 4);
	run(&s, 0x4000, 3);	/* of two runs: not contiguous in memory */
	run_is(&s, DOM, 0x7000, 1, 0x1000, 3, WALK_LEAF);
	ends(&s);
	expect_clean(&s);
	assert_int_equal(model_domain(engine_model(s.e), DOM)->look.pages[BOOK_VFIO], 4);
	assert_int_equal(unknowns(&s), 0);
	story_end(&s);
}

static void missing_page(void **state)
{
	const struct finding *f;
	struct story s;

	(void)state;
	begin_reading(&s);
	area(&s, 0x4000, 4);
	run(&s, 0x4000, 1);
	run(&s, 0x6000, 2);
	ends(&s);
	f = only(&s, "table-missing", 0x5000, 0x5fff);
	assert_true(says(f, "missing") && says(f, "VFIO's list") && says(f, "rw"));
	assert_int_equal(detail(f, "vaddr"), 0x7f0000005000);
	assert_int_equal(detail(f, "pid"), 100);
	story_end(&s);
}

/* The allocator gives away what nobody has mapped yet. */
static void allocator_misses_nothing(void **state)
{
	struct story s;

	(void)state;
	begin(&s);
	begins(&s, IOVAS);
	area_is(&s, DOM, BOOK_IOVA, 0x4000, 4, AREA_PADDR_UNKNOWN, 0);
	run(&s, 0x4000, 1);
	ends(&s);
	expect_clean(&s);
	story_end(&s);
}

static void extra_page(void **state)
{
	const struct finding *f;
	struct story s;

	(void)state;
	begin_reading(&s);
	area(&s, 0x4000, 1);
	run(&s, 0x4000, 2);
	ends(&s);
	f = only(&s, "table-extra", 0x5000, 0x5fff);
	assert_int_equal(detail(f, "table_paddr"), 0x805000);
	assert_false(has_detail(f, "entry_paddr"));	/* that of 0x4000 was kept */
	assert_int_equal(detail(f, "run_iova"), 0x4000);
	story_end(&s);

	begin_reading(&s);
	run(&s, 0x4000, 2);
	ends(&s);
	f = only(&s, "table-extra", 0x4000, 0x5fff);
	assert_int_equal(detail(f, "entry_paddr"), ENTRY);
	assert_int_equal(detail(f, "level"), 1);
	story_end(&s);
}

/* A book that was read and is empty says something; one that was not read nothing. */
static void empty_book_is_a_book(void **state)
{
	struct story s;

	(void)state;
	begin_reading(&s);
	run(&s, TOP - PAGE + 1, 1);	/* the last page of the space */
	ends(&s);
	only(&s, "table-extra", TOP - PAGE + 1, TOP);
	story_end(&s);

	begin(&s);
	begins(&s, 0);
	run(&s, 0x4000, 1);
	ends(&s);
	expect_clean(&s);
	story_end(&s);
}

/* Two books, each with its opinion. */
static void books_are_judged_apart(void **state)
{
	struct story s;

	(void)state;
	begin(&s);
	begins(&s, VFIO | 1U << BOOK_MODEL);
	area(&s, 0x4000, 2);
	area_is(&s, DOM, BOOK_MODEL, 0x4000, 1, 0x804000, 3);
	run(&s, 0x4000, 2);
	ends(&s);
	assert_true(says(only(&s, "table-extra", 0x5000, 0x5fff), "the trace"));
	story_end(&s);
}

/* Pages anywhere in memory, for neighbouring IOVAs: one mistake. */
static void neighbours_are_one(void **state)
{
	struct story s;

	(void)state;
	begin_reading(&s);
	area(&s, 0x4000, 2);
	area_is(&s, DOM, BOOK_VFIO, 0x6000, 1, AREA_PADDR_UNKNOWN, 1);
	ends(&s);
	assert_int_equal(detail(only(&s, "table-missing", 0x4000, 0x6fff), "parts"), 2);
	story_end(&s);

	begin_reading(&s);
	run(&s, 0x4000, 1);
	run_is(&s, DOM, 0x5000, 1, 0x1000, 3, WALK_LEAF);
	run_is(&s, DOM, 0x6000, 1, 0x9000, 1, WALK_LEAF);
	ends(&s);
	assert_int_equal(detail(only(&s, "table-extra", 0x4000, 0x6fff), "parts"), 3);
	assert_int_equal(detail(first(&s), "table_paddr"), 0x804000);
	story_end(&s);
}

static void of_another_kind_are_two(void **state)
{
	struct story s;

	(void)state;
	begin_reading(&s);	/* extra, then missing */
	area(&s, 0x5000, 1);
	run(&s, 0x4000, 1);
	ends(&s);
	assert_int_equal(found(&s, "table-extra", GRADE_VIOLATION), 1);
	assert_int_equal(found(&s, "table-missing", GRADE_VIOLATION), 1);
	story_end(&s);

	begin_reading(&s);	/* with a page between that is right */
	area(&s, 0x5000, 1);
	run(&s, 0x4000, 3);
	ends(&s);
	expect(&s, "table-extra", 2);
	story_end(&s);

	begin_reading(&s);	/* each entry that is malformed counts */
	run_is(&s, DOM, 0x4000, 1, 0, 0, WALK_BAD_RESERVED);
	run_is(&s, DOM, 0x5000, 1, 0, 0, WALK_BAD_MEMORY);
	ends(&s);
	expect(&s, "table-differs", 2);
	story_end(&s);
}

static void extra_of_allocator(uint64_t paddr, enum grade grade)
{
	struct story s;

	begin(&s);
	begins(&s, IOVAS);
	area_is(&s, DOM, BOOK_IOVA, 0x4000, 2, AREA_PADDR_UNKNOWN, 0);
	run_is(&s, DOM, 0x8000, 2, paddr, 3, WALK_LEAF);
	ends(&s);
	assert_int_equal(found(&s, "table-extra", grade), 1);
	assert_int_equal(first(&s)->grade, grade);
	story_end(&s);
}

/* As a direct range of a device that has left its group is. */
static void one_to_one_is_an_exposure(void **state)
{
	(void)state;
	extra_of_allocator(0x8000, GRADE_EXPOSURE);
	extra_of_allocator(0x9000, GRADE_VIOLATION);
}

struct differing {
	const char *what;	/* NULL: no finding */
	uint64_t paddr;
	uint32_t asked, prot, kind;
};

static const struct differing differings[] = {
	{ "leads elsewhere", 0x805000, 3, 3, WALK_LEAF },
	{ "less permission", 0x804000, 3, 1, WALK_LEAF },
	{ "more permission", 0x804000, 1, 3, WALK_LEAF },
	{ NULL, 0x804000, 2, 3, WALK_LEAF },		/* no table of VT-d can say "write only" */
	{ NULL, AREA_PADDR_UNKNOWN, 0, 3, WALK_LEAF },	/* the book knows neither */
	{ "malformed", 0x804000, 3, 0, WALK_BAD_RESERVED },
	{ "malformed", 0x804000, 3, 0, WALK_BAD_MEMORY },
	{ "malformed", 0x804000, 3, 0, 77 },		/* of a newer version */
};

static void differing_entries(void **state)
{
	const struct differing *d;
	struct story s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(differings) / sizeof(differings[0]); i++) {
		d = &differings[i];
		begin_reading(&s);
		area_is(&s, DOM, BOOK_VFIO, 0x4000, 1, d->paddr, d->asked);
		run_is(&s, DOM, 0x4000, 1, 0x804000, d->prot, d->kind);
		ends(&s);
		if (!d->what)
			expect_clean(&s);
		else
			assert_true(says(only(&s, "table-differs", 0x4000, 0x4fff), d->what));
		if (d->what)
			assert_int_equal(detail(first(&s), "level"), 1);
		story_end(&s);
	}
}

/* No driver writes such an entry, and what the hardware makes of it is not known. */
static void malformed_over_nothing(void **state)
{
	struct story s;

	(void)state;
	begin_reading(&s);
	run_is(&s, DOM, 0x4000, 1, 0, 0, WALK_BAD_RESERVED);
	ends(&s);
	assert_true(says(only(&s, "table-differs", 0x4000, 0x4fff), "malformed"));
	story_end(&s);
}

static void flux_is_unknown(void **state)
{
	struct story s;

	(void)state;
	begin_reading(&s);
	area(&s, 0x4000, 4);
	span(&s, 0x4000, 2, EV_SPAN_FLUX);
	run(&s, 0x6000, 2);
	ends(&s);
	expect_clean(&s);
	assert_int_equal(unknowns(&s), 1);
	story_end(&s);

	begin_reading(&s);	/* one page of three is outside */
	area(&s, 0x4000, 3);
	span(&s, 0x4000, 2, EV_SPAN_FLUX);
	ends(&s);
	only(&s, "table-missing", 0x6000, 0x6fff);
	story_end(&s);
}

static void direct_ranges(void **state)
{
	struct story s;

	(void)state;
	begin_reading(&s);
	span(&s, 0x4000, 2, EV_SPAN_DIRECT);
	run_is(&s, DOM, 0x4000, 2, 0x4000, 3, WALK_LEAF);
	ends(&s);
	expect_clean(&s);
	story_end(&s);

	begin_reading(&s);	/* not one to one */
	span(&s, 0x4000, 1, EV_SPAN_DIRECT);
	run_is(&s, DOM, 0x4000, 1, 0x5000, 3, WALK_LEAF);
	ends(&s);
	only(&s, "table-extra", 0x4000, 0x4fff);
	story_end(&s);
}

/* More spans than are kept: all is in flux, nothing is wrong. */
static void too_much_flux(void **state)
{
	struct story s;
	unsigned int i;

	(void)state;
	begin_reading(&s);
	area(&s, 0x4000, 1);
	for (i = 0; i < 5000; i++)
		span(&s, 0x100000 + i * 2 * PAGE, 1, EV_SPAN_FLUX);
	ends(&s);
	expect_clean(&s);
	story_end(&s);
}

/* ---- readings that are not whole ---- */

struct hole {
	const char *name;
	uint32_t begin_flags, end_flags, end_phase;
	bool gap, odd, other, no_begin;
};

static const struct hole holes[] = {
	{ "cut", .end_flags = EV_READ_CUT },
	{ "cut from the begin", .begin_flags = EV_READ_UNKNOWN },
	{ "unknown driver", .end_flags = EV_READ_UNKNOWN },
	{ "a loss", .gap = true },
	{ "out of order", .odd = true },
	{ "another reading inside", .other = true },
	{ "no begin", .no_begin = true },
	{ "no such phase", .end_phase = 7 },
};

static void holes_are_unknown(void **state)
{
	const struct hole *h;
	struct story s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
		h = &holes[i];
		begin(&s);
		describe_domain(&s, DOM2, DOMAIN_PAGING);
		if (!h->no_begin)
			read_is(&s, DOM, EV_READ_BEGIN, VFIO, h->begin_flags);
		area(&s, 0x4000, 4);
		run(&s, 0x9000, 1);
		if (h->gap)
			gap(&s, s.now, s.now + 1000);
		s.now += 2000 * h->gap;
		if (h->odd)
			run(&s, 0x8000, 2);
		if (h->other)
			read_is(&s, DOM2, EV_READ_BEGIN, 0, 0);
		read_is(&s, DOM, h->end_phase ?: EV_READ_END, 0, h->end_flags);
		if (found(&s, NULL, GRADE_NOTE))
			fail_msg("%s: found", h->name);
		story_end(&s);
	}
}

/* After an odd reading the next one is judged again. */
static void the_next_reading_is_whole(void **state)
{
	struct story s;

	(void)state;
	begin_reading(&s);
	run(&s, 0x9000, 1);
	run(&s, 0x8000, 1);
	ends(&s);
	expect_clean(&s);
	begins(&s, VFIO);
	run(&s, 0x8000, 1);
	ends(&s);
	only(&s, "table-extra", 0x8000, 0x8fff);
	story_end(&s);
}

/* Records of another domain do not belong to this reading; the second reading does not see the first one's. */
static void domains_are_apart(void **state)
{
	struct story s;

	(void)state;
	begin_reading(&s);
	describe_domain(&s, DOM2, DOMAIN_PAGING);
	area_is(&s, DOM2, BOOK_VFIO, 0x4000, 1, AREA_PADDR_UNKNOWN, 3);
	run_is(&s, DOM2, 0x5000, 1, 0, 3, WALK_LEAF);
	ends(&s);
	read_is(&s, DOM2, EV_READ_BEGIN, VFIO, 0);
	read_is(&s, DOM2, EV_READ_END, 0, 0);
	expect_clean(&s);
	story_end(&s);
}

/* Numbers that nobody of us writes. */
static void hostile_numbers(void **state)
{
	struct ev_read r = { .domain = DOM, .format = ~0U, .levels = ~0U, .books = ~0U };
	struct ev_root root = { .dev = DEV, .domain = DOM, .root = ROOT, .kind = ~0U };
	struct story s;

	(void)state;
	begin(&s);
	SEND(&s, EV_READ, r);
	area_is(&s, DOM, BOOK_COUNT, 0x4000, 1, 0, 3);
	area_is(&s, DOM, ~0U, 0x4000, 1, 0, 3);
	run(&s, 0x4000, 1);
	run_is(&s, DOM, 0x9000, 0, 0, 3, WALK_LEAF);	/* last < iova */
	r.phase = EV_READ_END;
	SEND(&s, EV_READ, r);
	SEND(&s, EV_ROOT, root);
	begins(&s, VFIO);
	ends(&s);
	SEND(&s, EV_ROOT, root);			/* kind of a newer version */
	read_is(&s, 0, EV_READ_BEGIN, VFIO, 0);
	run_is(&s, 0, 0x4000, 1, 0, 3, WALK_LEAF);
	read_is(&s, 0, EV_READ_END, 0, 0);
	expect_clean(&s);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agreement_is_clean),
		cmocka_unit_test(missing_page),
		cmocka_unit_test(allocator_misses_nothing),
		cmocka_unit_test(extra_page),
		cmocka_unit_test(neighbours_are_one),
		cmocka_unit_test(of_another_kind_are_two),
		cmocka_unit_test(one_to_one_is_an_exposure),
		cmocka_unit_test(empty_book_is_a_book),
		cmocka_unit_test(books_are_judged_apart),
		cmocka_unit_test(differing_entries),
		cmocka_unit_test(malformed_over_nothing),
		cmocka_unit_test(flux_is_unknown),
		cmocka_unit_test(direct_ranges),
		cmocka_unit_test(too_much_flux),
		cmocka_unit_test(holes_are_unknown),
		cmocka_unit_test(the_next_reading_is_whole),
		cmocka_unit_test(domains_are_apart),
		cmocka_unit_test(hostile_numbers),
	};

	return cmocka_run_group_tests_name("core.check_reading", tests, NULL, NULL);
}
