// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* After a gap: no false finding, and nothing said that rested on it. */
#include "plots.h"

static void without_loss_they_are_found(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NPLOTS; i++) {
		struct story s;

		story_begin(&s);
		plots[i].first(&s);
		plots[i].second(&s);
		expect(&s, plots[i].finding, 1);
		story_end(&s);
	}
}

static void a_gap_between(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NPLOTS; i++) {
		struct story s;

		story_begin(&s);
		plots[i].first(&s);
		gap(&s, s.now, s.now + 100);
		s.now += 200;
		plots[i].second(&s);
		expect_clean(&s);
		story_end(&s);
	}
}

static void a_gap_still_open(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NPLOTS; i++) {
		struct story s;

		story_begin(&s);
		gap(&s, s.now - 5, UINT64_MAX);
		plots[i].first(&s);
		plots[i].second(&s);
		expect_clean(&s);
		story_end(&s);
	}
}

static void a_gap_that_is_over(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NPLOTS; i++) {
		struct story s;

		story_begin(&s);
		gap(&s, s.now, s.now + 100);
		s.now += 200;
		plots[i].first(&s);
		plots[i].second(&s);
		expect(&s, plots[i].finding, 1);
		story_end(&s);
	}
}

static void a_gap_yet_to_come(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NPLOTS; i++) {
		struct story s;

		story_begin(&s);
		gap(&s, s.now + 100000, s.now + 200000);
		plots[i].first(&s);
		plots[i].second(&s);
		expect(&s, plots[i].finding, 1);
		story_end(&s);
	}
}

/* Told only after a newer record was processed: what was said is taken back. */
static void a_gap_told_late(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NPLOTS; i++) {
		struct story s;
		uint64_t from;

		story_begin(&s);
		plots[i].first(&s);
		from = s.now;
		plots[i].second(&s);
		gap(&s, from, from + 5);
		expect_clean(&s);
		assert_int_equal(report_tally(engine_report(s.e))->retracted, 1);
		story_end(&s);
	}
}

/* The operation ends behind the gap but began inside it. */
static void an_operation_that_began_in_the_gap(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin(&s);
	at = s.now;
	gap(&s, at, at + 100);
	s.next = (struct next){ .begin = at + 50, .end = at + 150 };
	map(&s, 0x2000, PAGE);
	map(&s, 0x2000, PAGE);
	expect_clean(&s);
	story_end(&s);
}

static void several_gaps_overlap(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin(&s);
	at = s.now;
	gap(&s, at + 100, at + 1000);
	gap(&s, at + 50, at + 500);
	gap(&s, at + 600, at + 700);
	s.now = at + 720;
	map(&s, 0x2000, PAGE);
	map(&s, 0x2000, PAGE);
	expect_clean(&s);
	s.now = at + 1010;
	map(&s, 0x2000, PAGE);
	expect_clean(&s);
	map(&s, 0x2000, PAGE);
	expect_clean(&s);		/* the one below it was mapped over an unsure one */
	unmap(&s, 0x2000, PAGE);
	map(&s, 0x2000, PAGE);
	map(&s, 0x2000, PAGE);
	expect(&s, "map-overlap", 1);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_loss_they_are_found),
		cmocka_unit_test(a_gap_between),
		cmocka_unit_test(a_gap_still_open),
		cmocka_unit_test(a_gap_that_is_over),
		cmocka_unit_test(a_gap_yet_to_come),
		cmocka_unit_test(a_gap_told_late),
		cmocka_unit_test(an_operation_that_began_in_the_gap),
		cmocka_unit_test(several_gaps_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
