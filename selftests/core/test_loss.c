// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* After a loss: no false finding, and nothing said that rested on it. */
#include "story.h"

/* Each makes its finding if nothing is lost between its two halves. */
struct plot {
	const char *finding;
	void (*first)(struct story *s);
	void (*second)(struct story *s);
};

static void map_page(struct story *s)
{
	map(s, 0x2000, PAGE);
}

static void unmap_none(struct story *s)
{
	unmap_got(s, 0x2000, PAGE, 0);
}

static void owe(struct story *s)
{
	tag(s, DOM, DEV);
	map(s, 0x2000, PAGE);
	unmap_fast(s, 0x2000, PAGE);
}

static void dma_in(struct story *s)
{
	dma(s, EV_DMA_MAP, 0x2000, 512, EV_DMA_PAGE, 1);
}

static void driver_gone(struct story *s)
{
	unbind(s, DEV);
}

static void dma_in_a_domain(struct story *s)
{
	describe_domain(s, DOM, DOMAIN_PAGING);
	attach(s, DEV, DOM);
	dma_in(s);
}

static void dma_out_wrong(struct story *s)
{
	dma(s, EV_DMA_UNMAP, 0x2000, 513, EV_DMA_PAGE, 1);
}

static void dma_out_once(struct story *s)
{
	dma_in_a_domain(s);
	dma(s, EV_DMA_UNMAP, 0x2000, 512, EV_DMA_PAGE, 1);
}

static void dma_out(struct story *s)
{
	dma(s, EV_DMA_UNMAP, 0x2000, 512, EV_DMA_PAGE, 1);
}

static void move_in(struct story *s)
{
	attach(s, DEV, DOM);
}

static void end_domain(struct story *s)
{
	free_domain(s, DOM);
}

static void slot_in(struct story *s)
{
	s->next.cause = 51;
	map(s, 0x2000, PAGE);
	s->next.id = 51;
	vfio(s, EV_VFIO_MAP, 0x2000, PAGE, 3);
}

static void slot_out(struct story *s)
{
	s->next.id = 52;
	vfio(s, EV_VFIO_UNMAP, 0x2000, PAGE, 0);
}

static const struct plot plots[] = {
	{ "map-overlap", map_page, map_page },
	{ "unmap-short", map_page, unmap_none },
	{ "unmap-short", slot_in, slot_out },
	{ "stale-iotlb", owe, map_page },
	{ "leak-on-free", dma_in, driver_gone },
	{ "leak-on-free", move_in, end_domain },
	{ "dma-unmap-mismatch", dma_in_a_domain, dma_out_wrong },
	{ "dma-unmap-mismatch", dma_out_once, dma_out },
	{ "dma-unmap-mismatch", driver_gone, dma_out },
};

#define NPLOTS (sizeof(plots) / sizeof(plots[0]))

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
		{ HOOK_UNMAP, EV_HOOK_REFUSED, true, false, true },
		{ HOOK_MAP_ATOMIC, EV_HOOK_MISSING, false, false, false },
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
		story_end(&s);
	}
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
		cmocka_unit_test(without_loss_they_are_found),
		cmocka_unit_test(a_gap_between),
		cmocka_unit_test(a_gap_still_open),
		cmocka_unit_test(a_gap_that_is_over),
		cmocka_unit_test(a_gap_yet_to_come),
		cmocka_unit_test(a_gap_told_late),
		cmocka_unit_test(an_operation_that_began_in_the_gap),
		cmocka_unit_test(several_gaps_overlap),
		cmocka_unit_test(missed_exits_take_it_back),
		cmocka_unit_test(missed_exits_make_unsure),
		cmocka_unit_test(missed_exits_after_the_finding_do_not),
		cmocka_unit_test(missed_entries_cost_only_the_begin),
		cmocka_unit_test(a_skip_explains_a_miss),
		cmocka_unit_test(one_skip_does_not_explain_two),
		cmocka_unit_test(a_skip_takes_back_what_it_touches),
		cmocka_unit_test(a_skipped_flush_may_have_paid),
		cmocka_unit_test(before_the_hooks_are_attached),
		cmocka_unit_test(after_the_stop),
		cmocka_unit_test(with_one_process_only),
		cmocka_unit_test(deaf_hooks_turn_checkers_off),
		cmocka_unit_test(without_the_flush_hook_nobody_owes),
		cmocka_unit_test(a_record_that_cannot_be_read_is_a_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
