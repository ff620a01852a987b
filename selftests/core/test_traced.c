// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Tables that are read beside a recording: what it heard is a book. */
#include "story_traced.h"

/* The entry of 0x5000 leads elsewhere. */
static void look_flipped(struct story *s)
{
	look_begins(s, 0);
	entries(s, 0x4000, 1);
	run_is(s, DOM, 0x5000, 1, PADDR + 0x45000, 3, WALK_LEAF);
	entries(s, 0x6000, 1);
	look_ends(s);
}

/* ---- against the trace ---- */

static void the_same_is_clean(void **state)
{
	struct story s;

	(void)state;
	born_domain(&s);
	map(&s, 0x4000, 3 * PAGE);
	look(&s, 0x4000, 3);
	look(&s, 0x4000, 3);
	unmap_fast(&s, 0x5000, PAGE);
	look_begins(&s, 0);
	entries(&s, 0x4000, 1);
	entries(&s, 0x6000, 1);
	look_ends(&s);
	expect_clean(&s);
	assert_int_equal(result(&s)->pages[BOOK_MODEL], 2);
	assert_int_equal(result(&s)->healed, 0);
	story_end(&s);
}

static void a_flipped_bit(void **state)
{
	const struct finding *f;
	struct story s;

	(void)state;
	found_domain(&s);
	map(&s, 0x4000, 3 * PAGE);
	look_flipped(&s);
	expect_clean(&s);	/* a suspect */
	look_flipped(&s);
	f = only(&s, "table-differs", 0x5000, 0x5fff);
	assert_true(says(f, "leads elsewhere") && says(f, "the trace"));
	assert_int_equal(detail(f, "book_paddr"), PADDR + 0x5000);
	assert_int_equal(detail(f, "table_paddr"), PADDR + 0x45000);
	assert_int_equal(detail(f, "entry_paddr"), ENTRY);
	assert_int_equal(f->nrefs, 1);
	assert_int_equal(f->refs[0].kind, EV_MAP);
	look_flipped(&s);
	only(&s, "table-differs", 0x5000, 0x5fff);	/* once */
	assert_int_equal(first(&s)->count, 2);
	story_end(&s);
}

static void a_page_less(void **state)
{
	struct story s;

	(void)state;
	found_domain(&s);
	map(&s, 0x4000, 3 * PAGE);
	look(&s, 0x4000, 2);
	look(&s, 0x4000, 2);
	assert_true(says(only(&s, "table-missing", 0x6000, 0x6fff), "the trace"));
	story_end(&s);
}

/* In a domain that was heard from its birth, all else is empty. */
static void a_page_more(void **state)
{
	struct story s;

	(void)state;
	born_domain(&s);
	map(&s, 0x4000, PAGE);
	look(&s, 0x4000, 2);
	look(&s, 0x4000, 2);
	only(&s, "table-extra", 0x5000, 0x5fff);
	story_end(&s);

	found_domain(&s);	/* there it is news */
	map(&s, 0x4000, PAGE);
	look(&s, 0x4000, 2);
	look(&s, 0x4000, 2);
	expect_clean(&s);
	assert_int_equal(result(&s)->healed, 1);
	assert_int_equal(result(&s)->healed_pages, 1);
	look(&s, 0x4000, 3);	/* and from then on known */
	look(&s, 0x4000, 3);
	only(&s, "table-extra", 0x6000, 0x6fff);
	story_end(&s);
}

static void less_permission(void **state)
{
	struct story s;
	int i;

	(void)state;
	found_domain(&s);
	map(&s, 0x4000, PAGE);
	for (i = 0; i < 2; i++) {
		look_begins(&s, 0);
		run_is(&s, DOM, 0x4000, 1, PADDR + 0x4000, 1, WALK_LEAF);
		look_ends(&s);
	}
	assert_true(says(only(&s, "table-differs", 0x4000, 0x4fff), "less permission"));
	story_end(&s);
}

/* The entry is left where an unmap was heard: who mapped and who unmapped is told. */
static void an_entry_that_stayed(void **state)
{
	const struct finding *f;
	struct story s;
	int i;

	(void)state;
	found_domain(&s);
	map(&s, 0x4000, 2 * PAGE);
	look(&s, 0x4000, 2);
	unmap(&s, 0x5000, PAGE);
	for (i = 0; i < 2; i++) {
		look_begins(&s, IOVAS);
		area_is(&s, DOM, BOOK_IOVA, 0x4000, 2, AREA_PADDR_UNKNOWN, 0);
		entries(&s, 0x4000, 2);
		look_ends(&s);
	}
	f = only(&s, "table-extra", 0x5000, 0x5fff);
	assert_int_equal(f->nrefs, 2);
	assert_int_equal(f->refs[0].kind, EV_MAP);
	assert_int_equal(f->refs[1].kind, EV_UNMAP);
	story_end(&s);
}

/* ---- near misses: the flipped bit of above, and something between or inside the readings ---- */

static void again_same(struct story *s)
{
	unmap(s, 0x5000, PAGE);
	map(s, 0x5000, PAGE);
}

static void a_failed_map(struct story *s)
{
	s->next.ret = -EINVAL;
	map(s, 0x5000, PAGE);
}

static void a_lazy_unmap(struct story *s)
{
	s->next.flags = EVF_FAST | EVF_QUEUED;
	unmap(s, 0x5000, PAGE);
}

static void an_unmap_skipped(struct story *s)
{
	skipped(s, HOOK_UNMAP, DOM, 0x5000, PAGE, s->now);
}

static void a_short_unmap(struct story *s)
{
	unmap_got(s, 0x5000, PAGE, 0);
}

static void an_undo(struct story *s)
{
	s->next.flags = EVF_ROLLBACK;
	unmap(s, 0x5000, PAGE);
}

static void a_new_domain(struct story *s)
{
	free_domain(s, DOM);
	alloc_domain(s, DOM);
	attach(s, DEV, DOM);
	map(s, 0x4000, 3 * PAGE);
}

struct near {
	const char *name;
	void (*happens)(struct story *s);
};

static const struct near nears[] = {
	{ "unmapped and mapped again", again_same },
	{ "a map that failed", a_failed_map },
	{ "unmapped, flush queued", a_lazy_unmap },
	{ "a loss", a_loss },
	{ "an unmap that was skipped", an_unmap_skipped },
	{ "an unmap that did nothing", a_short_unmap },
	{ "a failed map undone", an_undo },
	{ "a new domain at its place", a_new_domain },
};

static void near_misses(void **state)
{
	struct story s;
	size_t i, where;

	(void)state;
	for (i = 0; i < sizeof(nears) / sizeof(nears[0]); i++) {
		for (where = 0; where < 3; where++) {
			found_domain(&s);
			map(&s, 0x4000, 3 * PAGE);
			look_begins(&s, 0);
			if (where == 0)
				nears[i].happens(&s);
			run_is(&s, DOM, 0x5000, 1, PADDR + 0x45000, 3, WALK_LEAF);
			look_ends(&s);
			if (where == 1)
				nears[i].happens(&s);
			look_begins(&s, 0);
			run_is(&s, DOM, 0x5000, 1, PADDR + 0x45000, 3, WALK_LEAF);
			if (where == 2)
				nears[i].happens(&s);
			look_ends(&s);
			/* 0x4000 and 0x6000 are missing, if they are known at all. */
			if (found(&s, "table-differs", GRADE_NOTE) || found(&s, "table-extra", GRADE_NOTE))
				fail_msg("%s, place %zu", nears[i].name, where);
			story_end(&s);
		}
	}
}

/* Its record comes when it returns: what both readings saw was its work. */
static void a_call_that_was_under_way(void **state)
{
	struct story s;
	uint64_t begin;

	(void)state;
	born_domain(&s);
	begin = s.now;
	look(&s, 0x4000, 1);
	look(&s, 0x4000, 1);
	only(&s, "table-extra", 0x4000, 0x4fff);
	s.next.begin = begin;
	s.next.end = s.now;
	map(&s, 0x4000, PAGE);
	expect_clean(&s);	/* taken back */
	look(&s, 0x4000, 1);
	look(&s, 0x4000, 1);
	expect_clean(&s);
	story_end(&s);

	born_domain(&s);	/* between the readings */
	begin = s.now;
	look(&s, 0x4000, 1);
	s.next.begin = begin;
	s.next.end = s.now;
	map(&s, 0x4000, PAGE);
	look(&s, 0x4000, 1);
	expect_clean(&s);
	story_end(&s);
}

/* In a domain that was found, what a map was making is learned, and then its record comes. */
static void a_map_that_was_learned(void **state)
{
	struct story s;
	uint64_t begin;

	(void)state;
	found_domain(&s);
	begin = s.now;
	look(&s, 0x4000, 1);
	assert_non_null(live(&s, 0x4000));
	s.next.begin = begin;
	s.next.end = s.now;
	map(&s, 0x4000, PAGE);
	expect_clean(&s);
	assert_non_null(live(&s, 0x4000));
	assert_false(live(&s, 0x4000)->flags & RANGE_READ);
	map(&s, 0x4000, PAGE);
	expect(&s, "map-overlap", 1);
	story_end(&s);
}

/* One reading is none; and one in which calls were under way all the time is none. */
static void not_twice(void **state)
{
	struct story s;

	(void)state;
	found_domain(&s);
	map(&s, 0x4000, 3 * PAGE);
	look_flipped(&s);
	look(&s, 0x4000, 3);
	look_flipped(&s);
	expect_clean(&s);
	look_begins(&s, 0);
	run_is(&s, DOM, 0x5000, 1, PADDR + 0x45000, 3, WALK_LEAF);
	read_is(&s, DOM, EV_READ_END, 0, EV_READ_TRACED);	/* not calm */
	expect_clean(&s);
	story_end(&s);
}

/* Another difference at the same place is another. */
static void not_the_same(void **state)
{
	struct story s;

	(void)state;
	found_domain(&s);
	map(&s, 0x4000, PAGE);
	look_begins(&s, 0);
	run_is(&s, DOM, 0x4000, 1, PADDR + 0x5000, 3, WALK_LEAF);
	look_ends(&s);
	look_begins(&s, 0);
	run_is(&s, DOM, 0x4000, 1, PADDR + 0x6000, 3, WALK_LEAF);
	look_ends(&s);
	look(&s, 0, 0);
	expect_clean(&s);
	story_end(&s);
}

/* Who settles the reading says what never held still. */
static void flux_of_the_reader(void **state)
{
	struct story s;
	int i;

	(void)state;
	found_domain(&s);
	map(&s, 0x4000, 2 * PAGE);
	for (i = 0; i < 2; i++) {
		look_begins(&s, 0);
		span(&s, 0x4000, 2, EV_SPAN_FLUX);
		look_ends(&s);
	}
	expect_clean(&s);
	assert_int_equal(result(&s)->pages[BOOK_MODEL], 0);
	story_end(&s);
}

/* A reading without a recording beside it, as verify and snapshot make them. */
static void nothing_without_a_trace(void **state)
{
	struct story s;
	int i;

	(void)state;
	born_domain(&s);
	for (i = 0; i < 3; i++) {
		begins(&s, 0);
		entries(&s, 0x4000, 1);
		ends(&s);
	}
	expect_clean(&s);
	assert_int_equal(result(&s)->books, 0);
	assert_int_equal(result(&s)->healed, 0);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_is_clean),
		cmocka_unit_test(a_flipped_bit),
		cmocka_unit_test(a_page_less),
		cmocka_unit_test(a_page_more),
		cmocka_unit_test(less_permission),
		cmocka_unit_test(an_entry_that_stayed),
		cmocka_unit_test(near_misses),
		cmocka_unit_test(a_call_that_was_under_way),
		cmocka_unit_test(a_map_that_was_learned),
		cmocka_unit_test(not_twice),
		cmocka_unit_test(not_the_same),
		cmocka_unit_test(flux_of_the_reader),
		cmocka_unit_test(nothing_without_a_trace),
	};

	return cmocka_run_group_tests_name("core.traced", tests, NULL, NULL);
}
