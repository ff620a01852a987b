// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Address spaces of refiommu: replays against what is meant, unmaps that leave something. */
#include "story.h"

static void space_begins(struct story *s)
{
	story_begin(s);
	s->next.id = 1;
	ref_intent(s, EV_REF_ALLOC, 0, TOP, 0);
	alloc_domain(s, DOM);
	describe_domain(s, DOM, DOMAIN_PAGING);
}

/* A map, @id, and what it made, if the domain was there. */
static void area(struct story *s, uint64_t iova, uint64_t size, uint64_t id, bool made)
{
	if (made) {
		s->next.cause = id;
		map(s, iova, size);
	}
	s->next.id = id;
	ref_intent(s, EV_REF_MAP, iova, iova + size - 1, 3);
}

/* Sent later: it began before anything was mapped. */
static void replay_ends(struct story *s, uint64_t begin, int32_t ret)
{
	struct ev_ref_replay r = { .domain = DOM, .ioas = 1, .step = EV_REPLAY_END, .ret = ret };

	s->next = (struct next){ .id = 70, .begin = begin, .end = s->now + 10 };
	op_fill(s, &r.op);
	SEND(s, EV_REF_REPLAY, r);
}

static void refill(struct story *s, uint64_t iova, uint64_t size)
{
	s->next.cause = 70;
	map(s, iova, size);
}

struct filled {
	const char *name;
	uint64_t iova, size;
	const char *finding;
	uint64_t at, last;
};

/* The area is [0x2000, 0x3fff]. */
static const struct filled fills[] = {
	{ "the area", 0x2000, 2 * PAGE, NULL, 0, 0 },
	{ "nothing", 0, 0, "replay-missing", 0x2000, 0x3fff },
	{ "its first page", 0x2000, PAGE, "replay-missing", 0x3000, 0x3fff },
	{ "its last page", 0x3000, PAGE, "replay-missing", 0x2000, 0x2fff },
	{ "one page behind", 0x2000, 3 * PAGE, "union-after-replay", 0x4000, 0x4fff },
	{ "one page before", 0x1000, 3 * PAGE, "union-after-replay", 0x1000, 0x1fff },
};

static void a_replay_is_compared(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(fills) / sizeof(fills[0]); i++) {
		const struct filled *f = &fills[i];
		uint64_t begin;
		struct story s;

		space_begins(&s);
		area(&s, 0x2000, 2 * PAGE, 51, false);
		begin = s.now;
		ref_replay(&s, EV_REPLAY_BEGIN, 0, 0);
		if (f->size)
			refill(&s, f->iova, f->size);
		replay_ends(&s, begin, 0);
		if (found(&s, NULL, GRADE_NOTE) != (f->finding ? 1 : 0))
			fail_msg("%s", f->name);
		if (f->finding) {
			assert_string_equal(finding_name(first(&s)->id), f->finding);
			assert_int_equal(first(&s)->iova, f->at);
			assert_int_equal(first(&s)->last, f->last);
		}
		story_end(&s);
	}
}

/* A direct range that the replay maps, a window that it sets up; one that it skips is none. */
static void reserved_ranges_are_as_told(void **state)
{
	static const struct { uint32_t action; uint64_t findings; } cases[] = {
		{ 0, 1 }, { 1, 0 }, { 2, 0 }, { 3, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ev_ref_replay r = { .domain = DOM, .ioas = 1, .step = EV_REPLAY_ENTRY,
					   .type = 1, .first = 0x8010, .last = 0x8020,
					   .action = cases[i].action };
		uint64_t begin;
		struct story s;

		space_begins(&s);
		begin = s.now;
		ref_replay(&s, EV_REPLAY_BEGIN, 0, 0);
		refill(&s, 0x8000, PAGE);
		op_fill(&s, &r.op);
		SEND(&s, EV_REF_REPLAY, r);
		replay_ends(&s, begin, 0);
		expect(&s, "union-after-replay", cases[i].findings);
		story_end(&s);
	}
}

/* What the address space before left in the domain. */
static void a_switch_that_keeps_the_old(void **state)
{
	struct ev_ref_replay r = { .domain = DOM, .ioas = 2 };
	struct ev_ref_intent a = { .kind = EV_REF_ALLOC, .ioas = 2 };
	uint64_t begin;
	struct story s;

	(void)state;
	space_begins(&s);
	area(&s, 0x2000, PAGE, 51, true);
	s.next.id = 52;
	op_fill(&s, &a.op);
	SEND(&s, EV_REF_INTENT, a);
	begin = s.now;
	op_fill(&s, &r.op);
	SEND(&s, EV_REF_REPLAY, r);
	r.step = EV_REPLAY_END;
	s.next = (struct next){ .begin = begin, .end = s.now + 10, .id = 70 };
	op_fill(&s, &r.op);
	SEND(&s, EV_REF_REPLAY, r);
	expect(&s, "union-after-replay", 1);
	assert_int_equal(first(&s)->iova, 0x2000);
	/* The domain is the new one's: the old one may unmap what it meant. */
	s.next.id = 53;
	ref_intent(&s, EV_REF_UNMAP, 0x2000, 0x2fff, 0);
	assert_int_equal(found(&s, "unmap-short", GRADE_NOTE), 0);
	story_end(&s);
}

static void an_address_space_from_before(void **state)
{
	uint64_t begin;
	struct story s;

	(void)state;
	story_begin(&s);
	alloc_domain(&s, DOM);
	area(&s, 0x2000, PAGE, 51, false);
	begin = s.now;
	ref_replay(&s, EV_REPLAY_BEGIN, 0, 0);
	refill(&s, 0x8000, PAGE);
	replay_ends(&s, begin, 0);
	expect_clean(&s);
	story_end(&s);
}

static void a_skipped_call_is_no_ground(void **state)
{
	uint64_t begin;
	struct story s;

	(void)state;
	space_begins(&s);
	area(&s, 0x2000, PAGE, 51, false);
	skipped(&s, HOOK_REF_INTENT, 0, 0x8000, PAGE, s.now);
	begin = s.now;
	ref_replay(&s, EV_REPLAY_BEGIN, 0, 0);
	refill(&s, 0x8000, PAGE);
	replay_ends(&s, begin, 0);
	expect_clean(&s);
	story_end(&s);
}

static void a_map_beside(void **state)
{
	uint64_t begin;
	struct story s;

	(void)state;
	space_begins(&s);
	begin = s.now;
	ref_replay(&s, EV_REPLAY_BEGIN, 0, 0);
	refill(&s, 0x2000, PAGE);
	replay_ends(&s, begin, 0);
	expect(&s, "union-after-replay", 1);
	s.next = (struct next){ .id = 53, .begin = begin, .end = s.now + 10 };
	ref_intent(&s, EV_REF_MAP, 0x2000, 0x2fff, 3);
	expect_clean(&s);
	story_end(&s);
}

static void a_replay_that_failed(void **state)
{
	uint64_t begin;
	struct story s;

	(void)state;
	space_begins(&s);
	area(&s, 0x2000, PAGE, 51, false);
	begin = s.now;
	ref_replay(&s, EV_REPLAY_BEGIN, 0, 0);
	replay_ends(&s, begin, -12);
	assert_int_equal(found(&s, "replay-refused", GRADE_EXPOSURE), 1);
	expect(&s, NULL, 0);
	story_end(&s);
}

/* Each kind of replay rests on its own calls. */
static void calls_that_are_not_heard(void **state)
{
	static const struct {
		uint32_t deaf;
		uint64_t n;
	} cases[] = { { HOOK_VFIO_IOCTL, 1 }, { HOOK_REF_REPLAY, 0 }, { HOOK_REF_INTENT, 0 } };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t begin;
		struct story s;

		space_begins(&s);
		hook(&s, cases[i].deaf, EV_HOOK_REFUSED);
		area(&s, 0x2000, PAGE, 51, false);
		begin = s.now;
		ref_replay(&s, EV_REPLAY_BEGIN, 0, 0);
		replay_ends(&s, begin, -12);
		assert_int_equal(found(&s, "replay-refused", GRADE_EXPOSURE), cases[i].n);
		story_end(&s);
	}
}

/* ---- unmaps ---- */

struct left {
	const char *name;
	uint64_t iova, size;	/* what the core unmapped; size 0: nothing */
	int32_t ret;
	uint64_t findings;
};

/* Asked is [0x2000, 0x3fff], all of an area. */
static const struct left lefts[] = {
	{ "all", 0x2000, 2 * PAGE, 0, 0 },
	{ "nothing", 0, 0, 0, 1 },
	{ "one page", 0x2000, PAGE, 0, 1 },
	{ "nothing, and it says so", 0, 0, -22, 0 },
};

static void an_unmap_leaves_something(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lefts) / sizeof(lefts[0]); i++) {
		struct story s;

		space_begins(&s);
		area(&s, 0x2000, 2 * PAGE, 51, true);
		area(&s, 0x8000, PAGE, 52, true);
		if (lefts[i].size) {
			s.next.cause = 53;
			unmap(&s, lefts[i].iova, lefts[i].size);
		}
		s.next = (struct next){ .id = 53, .ret = lefts[i].ret };
		ref_intent(&s, EV_REF_UNMAP, 0x2000, 0x3fff, 0);
		if (found(&s, "unmap-short", GRADE_VIOLATION) != lefts[i].findings)
			fail_msg("%s", lefts[i].name);
		story_end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_replay_is_compared),
		cmocka_unit_test(reserved_ranges_are_as_told),
		cmocka_unit_test(a_switch_that_keeps_the_old),
		cmocka_unit_test(an_address_space_from_before),
		cmocka_unit_test(a_skipped_call_is_no_ground),
		cmocka_unit_test(a_map_beside),
		cmocka_unit_test(a_replay_that_failed),
		cmocka_unit_test(calls_that_are_not_heard),
		cmocka_unit_test(an_unmap_leaves_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
