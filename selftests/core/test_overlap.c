// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* map-overlap, and the races that only look like it. */
#include "story.h"

struct second {
	const char *name;
	uint64_t iova, size;
	uint64_t findings;
};

/* One page is live at [0x2000, 0x2fff]. */
static const struct second seconds[] = {
	{ "below", 0, 0x2000, 0 },
	{ "first byte", 0x1000, 0x1001, 1 },
	{ "same", 0x2000, 0x1000, 1 },
	{ "inside", 0x2800, 0x10, 1 },
	{ "around", 0, 0x10000, 1 },
	{ "last byte", 0x2fff, 1, 1 },
	{ "above", 0x3000, 0x1000, 0 },
	{ "to the top", 0x3000, -0x3000ULL, 0 },
	{ "over it to the top", 0x2fff, -0x2fffULL, 1 },
	{ "nothing", 0x2000, 0, 0 },
};

static void a_second_map(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		struct story s;

		story_begin(&s);
		map(&s, 0x2000, PAGE);
		map(&s, seconds[i].iova, seconds[i].size);
		expect(&s, "map-overlap", seconds[i].findings);
		story_end(&s);
	}
}

static void at_the_top(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	map(&s, -PAGE, PAGE);
	map(&s, -2 * PAGE, PAGE);
	expect_clean(&s);
	map(&s, TOP, 1);
	expect(&s, "map-overlap", 1);
	assert_int_equal(first(&s)->last, TOP);
	story_end(&s);
}

static void the_story_is_told(void **state)
{
	struct story s;
	const struct finding *f;

	(void)state;
	story_begin(&s);
	map(&s, 0x2000, 2 * PAGE);
	map(&s, 0x3000, 2 * PAGE);
	f = first(&s);
	assert_int_equal(f->iova, 0x3000);
	assert_int_equal(f->last, 0x3fff);
	assert_int_equal(f->domain, DOM);
	assert_int_equal(f->nrefs, 2);
	assert_string_equal(f->refs[0].role, "map");
	assert_int_equal(f->refs[0].seq, 1);
	assert_int_equal(f->refs[1].seq, 2);
	story_end(&s);
}

static void after_an_unmap_all_is_well(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	map(&s, 0x2000, 4 * PAGE);
	unmap(&s, 0x3000, PAGE);
	map(&s, 0x3000, PAGE);
	expect_clean(&s);
	map(&s, 0x5fff, 1);
	expect(&s, "map-overlap", 1);
	story_end(&s);
}

static void a_failed_map_changes_nothing(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	map(&s, 0x2000, PAGE);
	s.next.ret = -17;
	map(&s, 0x2000, PAGE);
	expect_clean(&s);
	/* The old one is still there. */
	map(&s, 0x2000, PAGE);
	expect(&s, "map-overlap", 1);
	story_end(&s);
}

static void an_undo_makes_it_unsure(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	map(&s, 0x2000, PAGE);
	s.next.flags = EVF_ROLLBACK;
	unmap(&s, 0x2000, PAGE);
	s.next.ret = -12;
	map(&s, 0x2000, 2 * PAGE);
	map(&s, 0x2000, PAGE);
	expect_clean(&s);
	story_end(&s);
}

static void pieces_of_one_scatterlist(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin(&s);
	at = s.now;
	s.next = (struct next){ .flags = EVF_SG, .id = 5, .begin = at, .end = at + 50 };
	map(&s, 0x2000, 2 * PAGE);
	s.next = (struct next){ .flags = EVF_SG, .id = 5, .begin = at, .end = at + 51 };
	map(&s, 0x3000, PAGE);
	expect_clean(&s);
	story_end(&s);
}

static void two_maps_at_once_are_a_race(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin(&s);
	at = s.now;
	s.next = (struct next){ .begin = at, .end = at + 50 };
	map(&s, 0x2000, PAGE);
	s.next = (struct next){ .begin = at + 20, .end = at + 60, .cpu = 1 };
	map(&s, 0x2000, PAGE);
	expect(&s, "map-overlap", 0);
	assert_int_equal(found(&s, "caller-race", GRADE_NOTE), 1);
	story_end(&s);
}

/* The unmap was running when the map began; its record comes last. */
static void an_unmap_heard_later_explains_it(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin(&s);
	map(&s, 0x2000, PAGE);
	at = s.now;
	s.next = (struct next){ .begin = at + 20, .end = at + 40, .cpu = 1 };
	map(&s, 0x2000, PAGE);
	expect(&s, "map-overlap", 1);
	s.next = (struct next){ .begin = at, .end = at + 60 };
	unmap(&s, 0x2000, PAGE);
	expect(&s, "map-overlap", 0);
	assert_int_equal(found(&s, "caller-race", GRADE_NOTE), 1);
	story_end(&s);
}

static void an_unmap_begun_after_it_does_not(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	map(&s, 0x2000, PAGE);
	map(&s, 0x2000, PAGE);
	unmap(&s, 0x2000, PAGE);
	expect(&s, "map-overlap", 1);
	story_end(&s);
}

static void another_domain_or_generation_is_none_of_it(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	map_prot(&s, DOM, 0x2000, PAGE, 3);
	map_prot(&s, DOM2, 0x2000, PAGE, 3);
	free_domain(&s, DOM);
	map_prot(&s, DOM, 0x2000, PAGE, 3);
	expect_clean(&s);
	assert_int_equal(model_domain(engine_model(s.e), DOM)->gen, 2);
	alloc_domain(&s, DOM2);
	map_prot(&s, DOM2, 0x2000, PAGE, 3);
	expect_clean(&s);
	story_end(&s);
}

static void repeated_findings_are_counted(void **state)
{
	struct story s;
	int i;

	(void)state;
	story_begin(&s);
	for (i = 0; i < 5; i++) {
		map(&s, 0x2000, PAGE);
		map(&s, 0x2000, PAGE);
		unmap(&s, 0x2000, PAGE);
	}
	expect(&s, "map-overlap", 1);
	assert_int_equal(first(&s)->count, 5);
	story_end(&s);
}

static void an_unknown_begin_accuses_nobody(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	map(&s, 0x2000, PAGE);
	s.next.nobegin = true;
	s.next.flags = EVF_NOENTRY;
	map(&s, 0x2000, PAGE);
	expect_clean(&s);
	assert_int_equal(report_tally(engine_report(s.e))->unknown, 1);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_map),
		cmocka_unit_test(at_the_top),
		cmocka_unit_test(the_story_is_told),
		cmocka_unit_test(after_an_unmap_all_is_well),
		cmocka_unit_test(a_failed_map_changes_nothing),
		cmocka_unit_test(an_undo_makes_it_unsure),
		cmocka_unit_test(pieces_of_one_scatterlist),
		cmocka_unit_test(two_maps_at_once_are_a_race),
		cmocka_unit_test(an_unmap_heard_later_explains_it),
		cmocka_unit_test(an_unmap_begun_after_it_does_not),
		cmocka_unit_test(another_domain_or_generation_is_none_of_it),
		cmocka_unit_test(repeated_findings_are_counted),
		cmocka_unit_test(an_unknown_begin_accuses_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
