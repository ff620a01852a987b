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

static void strict_unmap_without_a_flush(struct story *s)
{
	map(s, 0x8000, PAGE);
	unmap(s, 0x8000, PAGE);
}

static void lose(struct story *s)
{
	gap(s, s->now, s->now + 100);
	s->now += 200;
}

/* After a loss the recorder reads the state again: what is attached is known anew. */
static void the_state_is_read_again(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	map(&s, 0x2000, PAGE);
	unmap_fast(&s, 0x2000, PAGE);
	lose(&s);
	strict_unmap_without_a_flush(&s);
	expect_clean(&s);
	assert_int_equal(unknowns(&s), 1);
	state_read(&s, DEV, DOM);
	/* What was owed before the loss may have been paid in it. */
	map(&s, 0x2000, PAGE);
	expect_clean(&s);
	strict_unmap_without_a_flush(&s);
	expect(&s, "stale-iotlb", 1);
	free_domain(&s, DOM);
	assert_int_equal(found(&s, "leak-on-free", GRADE_VIOLATION), 1);
	story_end(&s);
}

static void the_state_read_inside_a_gap(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	gap(&s, s.now, s.now + 1000);
	s.now += 100;
	state_read(&s, DEV, DOM);
	s.now += 1000;
	strict_unmap_without_a_flush(&s);
	expect_clean(&s);
	story_end(&s);
}

/* It moved while nobody heard it. */
static void the_state_says_otherwise(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	lose(&s);
	state_read(&s, DEV, DOM2);
	assert_int_equal(bound_to(&s, DEV), DOM2);
	assert_int_equal(model_device(engine_model(s.e), DEV)->n.attaches, 1);
	strict_unmap_without_a_flush(&s);
	free_domain(&s, DOM);
	expect_clean(&s);
	story_end(&s);
}

/* Read again without need: no move, no tag ends, nothing gets younger. */
static void the_state_agrees(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin_attached(&s);
	map(&s, 0x2000, PAGE);
	unmap_fast(&s, 0x2000, PAGE);
	at = s.now;
	s.now += 20000000;
	state_read(&s, DEV, DOM);
	map(&s, 0x2000, PAGE);
	expect(&s, "stale-iotlb", 1);
	assert_int_equal(model_device(engine_model(s.e), DEV)->nmoves, 1);
	assert_true(model_domain(engine_model(s.e), DOM)->caches->since_ns < at);
	story_end(&s);
}

/* Preempted between reading and writing: the move that was heard meanwhile is right. */
static void the_state_is_late(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	move(&s, DEV, DOM2);
	state_read(&s, DEV, DOM);
	assert_int_equal(bound_to(&s, DEV), DOM2);
	strict_unmap_without_a_flush(&s);
	expect_clean(&s);
	s.now += 20000000;
	state_read(&s, DEV, DOM);
	assert_int_equal(bound_to(&s, DEV), DOM);
	strict_unmap_without_a_flush(&s);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
}

/* DEV2 was unplugged in the gap: it must not keep the cache alive when DEV has gone. */
static void who_is_not_read_again_is_gone(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	tag(&s, DOM, DEV2);
	attach(&s, DEV2, DOM);
	lose(&s);
	state_read(&s, DEV, DOM);
	move(&s, DEV, DOM2);
	strict_unmap_without_a_flush(&s);
	expect_clean(&s);
	story_end(&s);
}

/* Longer than the program could walk: what follows is unknown. */
static void a_truncated_scatterlist_is_a_loss(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NPLOTS; i++) {
		struct story s;

		story_begin(&s);
		plots[i].first(&s);
		s.next.flags = EVF_SG | EVF_TRUNC;
		map_prot(&s, DOM2, 0x100000, PAGE, 3);
		plots[i].second(&s);
		expect_clean(&s);
		assert_int_equal(report_tally(engine_report(s.e))->lost, 1);
		story_end(&s);
	}
}

/* ---- skips and misses of nobody ---- */

static void stale(struct story *s)
{
	map(s, 0x2000, PAGE);
	unmap(s, 0x2000, PAGE);
	expect(s, "stale-iotlb", 1);
}

/* An ioctl without a container, a call at /dev/refiommu without a device: object 0. */
static void a_skip_that_names_nothing(void **state)
{
	static const uint32_t hooks[] = { HOOK_VFIO_IOCTL, HOOK_REF_INTENT, HOOK_ATTACH, HOOK_NONE };
	struct story s;
	uint64_t begin;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		story_begin_attached(&s);
		begin = s.now;
		stale(&s);
		skipped(&s, hooks[i], 0, 0, 0, begin);
		expect(&s, "stale-iotlb", 1);
		story_end(&s);
	}
}

/* Frames that found no room are told of no hook: begins and causes, no doubt. */
static void misses_of_no_hook(void **state)
{
	struct story s;
	uint64_t begin;

	(void)state;
	story_begin_attached(&s);
	begin = s.now;
	stale(&s);
	missed(&s, HOOK_NONE, 1, 5, begin);
	expect(&s, "stale-iotlb", 1);
	assert_int_equal(report_tally(engine_report(s.e))->missed_entry, 5);
	missed(&s, HOOK_NONE, 0, 1, begin);
	expect_clean(&s);
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
		cmocka_unit_test(the_state_is_read_again),
		cmocka_unit_test(the_state_read_inside_a_gap),
		cmocka_unit_test(the_state_says_otherwise),
		cmocka_unit_test(the_state_agrees),
		cmocka_unit_test(the_state_is_late),
		cmocka_unit_test(who_is_not_read_again_is_gone),
		cmocka_unit_test(a_truncated_scatterlist_is_a_loss),
		cmocka_unit_test(a_skip_that_names_nothing),
		cmocka_unit_test(misses_of_no_hook),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
