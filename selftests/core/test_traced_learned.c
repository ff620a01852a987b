// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Tables that are read beside a recording: what it missed or lost is learned. */
#include "story_traced.h"

/* ---- where the kernel's own books side with the table, it is us who missed something ---- */

struct siding {
	uint32_t book;
	bool in_table, in_trace, in_book;
	const char *finding;	/* NULL: none, the trace is corrected */
};

static const struct siding sidings[] = {
	{ BOOK_VFIO, true, false, true, NULL },
	{ BOOK_VFIO, false, true, false, NULL },
	{ BOOK_VFIO, false, true, true, "table-missing" },
	{ BOOK_VFIO, true, false, false, "table-extra" },
	{ BOOK_IOVA, true, false, true, NULL },
	{ BOOK_IOVA, false, true, false, NULL },
	{ BOOK_IOVA, false, true, true, "table-missing" },
	{ BOOK_IOVA, true, false, false, "table-extra" },
};

static void books_that_side_with_the_table(void **state)
{
	const struct siding *w;
	struct story s;
	size_t i;
	int turn;

	(void)state;
	for (i = 0; i < sizeof(sidings) / sizeof(sidings[0]); i++) {
		w = &sidings[i];
		born_domain(&s);
		if (w->in_trace)
			map(&s, 0x4000, PAGE);
		for (turn = 0; turn < 3; turn++) {
			look_begins(&s, 1U << w->book);
			if (w->in_book)
				area_is(&s, DOM, w->book, 0x4000, 1, AREA_PADDR_UNKNOWN, 3);
			if (w->in_table)
				entries(&s, 0x4000, 1);
			look_ends(&s);
		}
		if (found(&s, w->finding, GRADE_VIOLATION) != !!w->finding ||
		    result(&s)->corrected != !w->finding)
			fail_msg("siding %zu: %d findings, %d corrected", i,
				 (int)found(&s, w->finding, GRADE_VIOLATION), (int)result(&s)->corrected);
		if (!w->finding)
			assert_int_equal(!!live(&s, 0x4000), w->in_table);
		story_end(&s);
	}
}

/* The process has the page that the table has: the trace is old. */
static void a_process_that_sides_with_the_table(void **state)
{
	struct story s;
	int i;

	(void)state;
	born_domain(&s);
	map(&s, 0x4000, PAGE);
	for (i = 0; i < 2; i++) {
		look_begins(&s, 1U << BOOK_VFIO | 1U << BOOK_PROCESS);
		area(&s, 0x4000, 1);
		area_is(&s, DOM, BOOK_PROCESS, 0x4000, 1, 0x800000, 0);
		run_is(&s, DOM, 0x4000, 1, 0x800000, 3, WALK_LEAF);
		look_ends(&s);
	}
	expect_clean(&s);
	assert_int_equal(result(&s)->corrected, 1);
	assert_int_equal(live(&s, 0x4000)->paddr, 0x800000);
	story_end(&s);
}

/* A map and an unmap ran side by side: which came last, the table knows. */
static void calls_side_by_side(void **state)
{
	struct story s;
	uint64_t begin;

	(void)state;
	born_domain(&s);
	begin = s.now;
	map(&s, 0x4000, PAGE);
	s.next.begin = begin;
	s.next.end = s.now;
	unmap_fast(&s, 0x4000, PAGE);
	look(&s, 0x4000, 1);
	look(&s, 0x4000, 1);
	expect_clean(&s);
	assert_non_null(live(&s, 0x4000));
	assert_int_equal(result(&s)->corrected, 0);
	story_end(&s);
}

/* ---- after a loss ---- */

static void a_loss_is_healed(void **state)
{
	const struct model *m;
	const struct range *r;
	struct story s;

	(void)state;
	born_domain(&s);
	map(&s, 0x4000, 4 * PAGE);
	a_loss(&s);
	unmap(&s, 0x4000, PAGE);
	m = engine_model(s.e);
	assert_int_equal(m->known.judged, 0);
	look(&s, 0x5000, 2);	/* 0x7000 went in the loss */
	expect_clean(&s);
	assert_null(live(&s, 0x7000));
	r = live(&s, 0x5000);
	assert_non_null(r);
	assert_true(r->flags & RANGE_READ);
	assert_int_equal(r->pid, 0);
	assert_int_equal(r->cause, 0);
	assert_int_equal(result(&s)->healed, 1);
	assert_int_equal(result(&s)->healed_pages, 2);
	unmap(&s, 0x5000, PAGE);
	assert_int_equal(m->known.judged, 1);
	/* Misuse is found again. */
	map(&s, 0x6000, PAGE);
	expect(&s, "map-overlap", 1);
	assert_int_equal(first(&s)->refs[0].kind, EV_READ);
	story_end(&s);
}

/* What was in flux when it was read stays unknown until the next time. */
static void healed_but_for_flux(void **state)
{
	struct story s;

	(void)state;
	born_domain(&s);
	map(&s, 0x4000, 4 * PAGE);
	a_loss(&s);
	look_begins(&s, 0);
	span(&s, 0x4000, 1, EV_SPAN_FLUX);
	entries(&s, 0x4000, 4);
	unmap(&s, 0x7000, PAGE);
	look_ends(&s);
	assert_null(live(&s, 0x4000));
	assert_non_null(live(&s, 0x5000));
	assert_null(live(&s, 0x7000));
	look(&s, 0x4000, 3);
	assert_non_null(live(&s, 0x4000));
	expect_clean(&s);
	story_end(&s);
}

/* A loss inside of a reading leaves it half: nothing is learned. */
static void not_from_half_a_reading(void **state)
{
	struct story s;

	(void)state;
	found_domain(&s);
	look_begins(&s, 0);
	entries(&s, 0x4000, 4);
	a_loss(&s);
	look_ends(&s);
	assert_null(live(&s, 0x4000));
	read_is(&s, DOM, EV_READ_BEGIN, 0, EV_READ_TRACED);
	entries(&s, 0x4000, 4);
	read_is(&s, DOM, EV_READ_END, 0, EV_READ_TRACED | EV_READ_CALM | EV_READ_CUT);
	assert_null(live(&s, 0x4000));
	expect_clean(&s);
	story_end(&s);
}

/* The whole space, and its ends. */
static void the_ends_of_the_space(void **state)
{
	struct story s;

	(void)state;
	found_domain(&s);
	look_begins(&s, 0);
	run_is(&s, DOM, 0, 1, PADDR, 3, WALK_LEAF);
	run_is(&s, DOM, TOP - PAGE + 1, 1, PADDR, 3, WALK_LEAF);
	look_ends(&s);
	assert_int_equal(result(&s)->healed, 2);
	look(&s, 0, 1);
	look(&s, 0, 1);
	only(&s, "table-missing", TOP - PAGE + 1, TOP);
	story_end(&s);
}

/* Numbers and orders that nobody of us writes. */
static void hostile_orders(void **state)
{
	struct story s;

	(void)state;
	found_domain(&s);
	look_ends(&s);
	read_is(&s, DOM, EV_READ_TABLE, ~0U, ~0U);
	look_begins(&s, ~0U);
	look_begins(&s, 0);
	run_is(&s, DOM, 0x4000, 1, 0, 3, 77);
	run_is(&s, DOM, 0x5000, 1, TOP, 3, WALK_LEAF);
	look_ends(&s);
	look_ends(&s);
	read_is(&s, DOM2, EV_READ_BEGIN, 0, EV_READ_TRACED);
	free_domain(&s, DOM2);
	read_is(&s, DOM2, EV_READ_END, 0, EV_READ_TRACED);
	read_is(&s, DOM, EV_READ_BEGIN, 0, EV_READ_TRACED);
	free_domain(&s, DOM);
	map(&s, 0x4000, PAGE);
	look_ends(&s);
	assert_int_equal(found(&s, "table-differs", GRADE_NOTE), 0);
	story_end(&s);
}

/* An end without its begin says nothing again: what it would say may have been taken back. */
static void an_end_alone(void **state)
{
	struct story s;
	int i;

	(void)state;
	found_domain(&s);
	map(&s, 0x4000, PAGE);
	look(&s, 0, 0);
	look(&s, 0, 0);
	only(&s, "table-missing", 0x4000, 0x4fff);
	for (i = 0; i < 3; i++)
		look_ends(&s);
	begins(&s, 0);	/* nor does a reading that is not beside the recording */
	ends(&s);
	assert_int_equal(first(&s)->count, 1);
	story_end(&s);
}

#define PLACES 60000
#define FLOOD 120

/* Readings of many unknown places that come too often are not judged; what is known stays known. */
static void a_flood_of_readings(void **state)
{
	struct story s;
	uint64_t i;

	(void)state;
	found_domain(&s);
	map(&s, 0x4000, PAGE);
	look_begins(&s, 0);
	for (i = 0; i < PLACES; i++)
		unmap_fast(&s, 0x100000 + i * 2 * PAGE, PAGE);
	entries(&s, 0x4000, 1);
	look_ends(&s);
	for (i = 0; i < FLOOD; i++) {
		look_begins(&s, 0);
		span(&s, 0, 1ULL << 52, EV_SPAN_FLUX);
		entries(&s, 0x4000, 1);
		look_ends(&s);
	}
	assert_true(report_tally(engine_report(s.e))->cut_short > 0);
	assert_non_null(live(&s, 0x4000));
	expect_clean(&s);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(books_that_side_with_the_table),
		cmocka_unit_test(a_process_that_sides_with_the_table),
		cmocka_unit_test(calls_side_by_side),
		cmocka_unit_test(a_loss_is_healed),
		cmocka_unit_test(healed_but_for_flux),
		cmocka_unit_test(not_from_half_a_reading),
		cmocka_unit_test(the_ends_of_the_space),
		cmocka_unit_test(hostile_orders),
		cmocka_unit_test(an_end_alone),
		cmocka_unit_test(a_flood_of_readings),
	};

	return cmocka_run_group_tests_name("core.traced_learned", tests, NULL, NULL);
}
