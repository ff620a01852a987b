// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Calls that were skipped, starts, stops, filters and hooks that do not hear. */
#include "plots.h"

/* ---- calls that were skipped ---- */

static void missed_exits_take_it_back(void **state)
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
		missed(&s, HOOK_UNMAP, 0, 1, from);
		expect_clean(&s);
		story_end(&s);
	}
}

static void missed_exits_make_unsure(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NPLOTS; i++) {
		struct story s;

		story_begin(&s);
		plots[i].first(&s);
		missed(&s, HOOK_FLUSH_VTD, 0, 1, 0);
		plots[i].second(&s);
		expect_clean(&s);
		story_end(&s);
	}
}

static void missed_exits_after_the_finding_do_not(void **state)
{
	struct story s;
	uint64_t from;

	(void)state;
	story_begin(&s);
	map(&s, 0x2000, PAGE);
	map(&s, 0x2000, PAGE);
	from = s.now;
	missed(&s, HOOK_UNMAP, 0, 1, from);
	expect(&s, "map-overlap", 1);
	story_end(&s);
}

static void missed_entries_cost_only_the_begin(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	map(&s, 0x2000, PAGE);
	missed(&s, HOOK_UNMAP, 1, 3, 0);
	map(&s, 0x2000, PAGE);
	expect(&s, "map-overlap", 1);
	assert_int_equal(report_tally(engine_report(s.e))->missed_entry, 3);
	story_end(&s);
}

static void a_skip_explains_a_miss(void **state)
{
	struct story s;
	uint64_t from;

	(void)state;
	story_begin(&s);
	map(&s, 0x2000, PAGE);
	map(&s, 0x8000, PAGE);
	from = s.now;
	skipped(&s, HOOK_UNMAP, DOM, 0x2000, PAGE, s.now);
	missed(&s, HOOK_UNMAP, 0, 1, from);
	map(&s, 0x2000, PAGE);
	expect_clean(&s);
	map(&s, 0x8000, PAGE);
	expect(&s, "map-overlap", 1);
	story_end(&s);
}

static void one_skip_does_not_explain_two(void **state)
{
	struct story s;
	uint64_t from;

	(void)state;
	story_begin(&s);
	map(&s, 0x8000, PAGE);
	from = s.now;
	skipped(&s, HOOK_UNMAP, DOM, 0x2000, PAGE, s.now);
	missed(&s, HOOK_UNMAP, 0, 2, from);
	map(&s, 0x8000, PAGE);
	expect_clean(&s);
	story_end(&s);
}

struct skipping {
	const char *name;
	uint64_t object, iova, size;
	bool late;
	uint64_t left;
};

/* A finding about [0x2000, 0x2fff] of DOM stands. */
static const struct skipping skippings[] = {
	{ "its range", DOM, 0x2000, PAGE, false, 0 },
	{ "its last byte", DOM, 0x2fff, PAGE, false, 0 },
	{ "below", DOM, 0x1000, PAGE, false, 1 },
	{ "above", DOM, 0x3000, PAGE, false, 1 },
	{ "all of it", DOM, 0, 0, false, 0 },
	{ "beyond the top", DOM, 0x2000, -PAGE, false, 0 },
	{ "another domain", DOM2, 0x2000, PAGE, false, 1 },
	{ "begun afterwards", DOM, 0x2000, PAGE, true, 1 },
};

static void a_skip_takes_back_what_it_touches(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(skippings) / sizeof(skippings[0]); i++) {
		const struct skipping *k = &skippings[i];
		struct story s;
		uint64_t begin;

		story_begin(&s);
		map(&s, 0x2000, PAGE);
		begin = s.now;
		map(&s, 0x2000, PAGE);
		expect(&s, "map-overlap", 1);
		skipped(&s, HOOK_UNMAP, k->object, k->iova, k->size, k->late ? s.now : begin);
		expect(&s, "map-overlap", k->left);
		story_end(&s);
	}
}

static void a_skipped_flush_may_have_paid(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	owe(&s);
	skipped(&s, HOOK_FLUSH_VTD, MMU, 0, 0, s.now);
	map(&s, 0x2000, PAGE);
	expect_clean(&s);
	story_end(&s);
}

static void strict_unmap_without_a_flush(struct story *s)
{
	map(s, 0x2000, PAGE);
	unmap(s, 0x2000, PAGE);
}

/* A skipped call of the DMA API says nothing about who is attached where. */
static void skips_of_mappings_leave_caches_alone(void **state)
{
	static const struct {
		uint32_t number;
		uint64_t object;
	} skips[] = {
		{ HOOK_DMA_MAP_PAGE, DEV },
		{ HOOK_DMA_UNMAP_SG, DEV },
		{ HOOK_MAP, DOM },
		{ HOOK_UNMAP_FAST, DOM },
	};
	struct story s;
	uint64_t begin;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(skips) / sizeof(skips[0]); i++) {
		story_begin_attached(&s);
		skipped(&s, skips[i].number, skips[i].object, 0, 0, s.now);
		begin = s.now;
		strict_unmap_without_a_flush(&s);
		expect(&s, "stale-iotlb", 1);
		/* One that is told late spoils findings about mappings, not about caches. */
		skipped(&s, HOOK_DMA_MAP_PAGE, DEV, 0, 0, begin);
		expect(&s, "stale-iotlb", 1);
		story_end(&s);
	}
}

static void skips_of_moves_make_caches_unsure(void **state)
{
	static const uint32_t moves[] = { HOOK_ATTACH, HOOK_RELEASE, HOOK_PASID_ATTACH,
					  HOOK_PASID_DETACH, HOOK_COUNT, HOOK_NONE };
	struct story s;
	uint64_t begin;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		story_begin_attached(&s);
		begin = s.now;
		strict_unmap_without_a_flush(&s);
		expect(&s, "stale-iotlb", 1);
		skipped(&s, moves[i], DEV, 0, 0, begin);
		expect_clean(&s);
		strict_unmap_without_a_flush(&s);
		expect_clean(&s);
		assert_int_equal(unknowns(&s), 1);
		free_domain(&s, DOM);
		expect_clean(&s);
		story_end(&s);
	}
}

/* The address of a skipped map is not known: the whole book is in doubt. */
static void a_skipped_dma_map(void **state)
{
	struct story s;
	uint64_t begin;

	(void)state;
	story_begin_attached(&s);
	dma(&s, EV_DMA_MAP, 0x2000, PAGE, EV_DMA_PAGE, 1);
	dma(&s, EV_DMA_UNMAP, 0x2000, PAGE, EV_DMA_PAGE, 1);
	dma(&s, EV_DMA_MAP, 0x8000, PAGE, EV_DMA_PAGE, 1);
	begin = s.now;
	s.now += 20;
	dma(&s, EV_DMA_UNMAP, 0x2000, PAGE, EV_DMA_PAGE, 1);
	expect(&s, "dma-unmap-mismatch", 1);
	skipped(&s, HOOK_DMA_MAP_PAGE, DEV, 0, 0, begin);
	expect_clean(&s);
	unbind(&s, DEV);
	expect_clean(&s);
	story_end(&s);
}

/* ---- start, stop, filters, hooks ---- */

static void before_the_hooks_are_attached(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NPLOTS; i++) {
		struct story s = { .now = 1000 };

		assert_int_equal(engine_new(&s.e), 0);
		plots[i].first(&s);
		mark(&s, EV_MARK_ATTACHED, 0);
		plots[i].second(&s);
		expect_clean(&s);
		story_end(&s);
	}
}

static void after_the_stop(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NPLOTS; i++) {
		struct story s;

		story_begin(&s);
		plots[i].first(&s);
		mark(&s, EV_MARK_STOP, 0);
		plots[i].second(&s);
		expect_clean(&s);
		story_end(&s);
	}
}

static void with_one_process_only(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NPLOTS; i++) {
		struct story s;

		story_begin(&s);
		mark(&s, EV_MARK_FILTER, EV_FILTER_PID);
		plots[i].first(&s);
		plots[i].second(&s);
		expect_clean(&s);
		story_end(&s);
	}
}

static bool is_off(const struct story *s, const char *name)
{
	struct checker_status st;
	bool off = false;
	size_t i;

	for (i = 0; !engine_checker(s->e, i, &st); i++)
		off |= !strcmp(st.name, name) && st.off;
	return off;
}

static void deaf_hooks_turn_checkers_off(void **state)
{
	static const struct {
		uint32_t number, state;
		bool flush, dma, overlap;
	} cases[] = {
		{ HOOK_FLUSH_VTD, EV_HOOK_HEARD, false, false, false },
		{ HOOK_FLUSH_VTD, EV_HOOK_REFUSED, true, false, false },
		{ HOOK_FLUSH_AMD, EV_HOOK_MISSING, false, false, false },
		{ HOOK_DMA_UNMAP_SG, EV_HOOK_MISSING, false, true, false },
		{ HOOK_DMA_IOVA_LINK, EV_HOOK_REFUSED, false, true, false },
		{ HOOK_DMA_IOVA_UNLINK, EV_HOOK_MISSING, false, false, false },	/* before 6.16 */
		{ HOOK_DMA_IOVA_DESTROY, EV_HOOK_REFUSED, false, true, false },
		{ HOOK_DMA_IOVA_DESTROY, EV_HOOK_COVERED, false, false, false },
		{ HOOK_PAGING_ALLOC, EV_HOOK_MISSING, false, false, false },
		{ HOOK_UNMAP, EV_HOOK_REFUSED, true, false, true },
		{ HOOK_MAP_ATOMIC, EV_HOOK_COVERED, false, false, false },
		{ HOOK_MAP_ATOMIC, EV_HOOK_REFUSED, true, false, true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct story s;

		story_begin(&s);
		describe_device(&s, DEV, EV_DRIVER_VTD);
		hook(&s, cases[i].number, cases[i].state);
		assert_int_equal(is_off(&s, "stale-iotlb"), cases[i].flush);
		assert_int_equal(is_off(&s, "dma-unmap-mismatch"), cases[i].dma);
		assert_int_equal(is_off(&s, "map-overlap"), cases[i].overlap);
		/* What else the same checkers find. */
		assert_int_equal(is_off(&s, "flush-short"), cases[i].flush);
		assert_int_equal(is_off(&s, "caller-race"), cases[i].overlap);
		assert_int_equal(is_off(&s, "fault-while-live"), cases[i].overlap);
		story_end(&s);
	}
}

static void links_heard_by_half(void **state)
{
	static const uint32_t halves[] = { HOOK_DMA_IOVA_UNLINK, HOOK_DMA_IOVA_DESTROY };
	struct story s;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		story_begin(&s);
		hook(&s, HOOK_DMA_IOVA_LINK, EV_HOOK_HEARD);
		assert_false(is_off(&s, "dma-unmap-mismatch"));
		hook(&s, halves[i], EV_HOOK_COVERED);
		assert_true(is_off(&s, "dma-unmap-mismatch"));
		hook(&s, halves[i], EV_HOOK_HEARD);
		assert_false(is_off(&s, "dma-unmap-mismatch"));
		story_end(&s);
	}
}

/* A missed dma_iova_destroy(): what it ended is no leak. */
static void missed_destroys_take_back_leaks(void **state)
{
	struct story s;
	uint64_t from;

	(void)state;
	story_begin(&s);
	from = s.now;
	dma(&s, EV_DMA_MAP, 0x2000, PAGE, EV_DMA_IOVA, 1);
	missed(&s, HOOK_DMA_IOVA_DESTROY, 0, 1, from);
	unbind(&s, DEV);
	expect_clean(&s);
	story_end(&s);
}

static void without_the_flush_hook_nobody_owes(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	hook(&s, HOOK_FLUSH_VTD, EV_HOOK_MISSING);
	owe(&s);
	map(&s, 0x2000, PAGE);
	expect_clean(&s);
	story_end(&s);
}

static void tick(struct story *s)
{
	mark(s, EV_MARK_TICK, 0);
}

/* The recorder was killed: skips since its last tick went untold. */
static void a_recording_that_broke_off(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NPLOTS; i++) {
		struct story s;

		story_begin(&s);
		tick(&s);
		plots[i].first(&s);
		plots[i].second(&s);
		engine_cut(s.e);
		expect_clean(&s);
		assert_int_equal(report_tally(engine_report(s.e))->retracted, 1);
		story_end(&s);
	}
}

static void what_was_found_before_the_last_tick_stands(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NPLOTS; i++) {
		struct story s;

		story_begin(&s);
		plots[i].first(&s);
		plots[i].second(&s);
		tick(&s);
		engine_cut(s.e);
		expect(&s, plots[i].finding, 1);
		story_end(&s);
	}
}

static void without_a_tick_nothing_stands(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	map(&s, 0x2000, PAGE);
	map(&s, 0x2000, PAGE);
	engine_cut(s.e);
	expect_clean(&s);
	story_end(&s);
}

static void a_record_that_cannot_be_read_is_a_loss(void **state)
{
	char junk[64] = { 0 };
	struct story s;

	(void)state;
	story_begin(&s);
	map(&s, 0x2000, PAGE);
	assert_int_equal(engine_feed(s.e, junk, sizeof(junk)), -EBADMSG);
	map(&s, 0x2000, PAGE);
	expect_clean(&s);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missed_exits_take_it_back),
		cmocka_unit_test(missed_exits_make_unsure),
		cmocka_unit_test(missed_exits_after_the_finding_do_not),
		cmocka_unit_test(missed_entries_cost_only_the_begin),
		cmocka_unit_test(a_skip_explains_a_miss),
		cmocka_unit_test(one_skip_does_not_explain_two),
		cmocka_unit_test(a_skip_takes_back_what_it_touches),
		cmocka_unit_test(a_skipped_flush_may_have_paid),
		cmocka_unit_test(skips_of_mappings_leave_caches_alone),
		cmocka_unit_test(skips_of_moves_make_caches_unsure),
		cmocka_unit_test(a_skipped_dma_map),
		cmocka_unit_test(a_recording_that_broke_off),
		cmocka_unit_test(what_was_found_before_the_last_tick_stands),
		cmocka_unit_test(without_a_tick_nothing_stands),
		cmocka_unit_test(links_heard_by_half),
		cmocka_unit_test(missed_destroys_take_back_leaks),
		cmocka_unit_test(before_the_hooks_are_attached),
		cmocka_unit_test(after_the_stop),
		cmocka_unit_test(with_one_process_only),
		cmocka_unit_test(deaf_hooks_turn_checkers_off),
		cmocka_unit_test(without_the_flush_hook_nobody_owes),
		cmocka_unit_test(a_record_that_cannot_be_read_is_a_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
