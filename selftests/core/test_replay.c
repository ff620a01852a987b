// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* union-after-replay, replay-missing, replay-refused: VFIO's replays and those of refiommu. */
#include "story.h"

#define SET_CONTAINER	0x3b68
#define ENTER		700	/* the ioctl of a group that enters; type1's own call is one more */

static void enter_ioctl(struct story *s, uint64_t id, uint64_t begin, uint32_t cmd, int32_t ret)
{
	struct ev_vfio r = { .container = BOX, .cmd = cmd, .ret = ret };

	s->next = (struct next){ .id = id, .begin = begin };
	s->next.end = s->now + 10;
	op_fill(s, &r.op);
	SEND(s, EV_VFIO_ATTACH, r);
}

/* The container is opened and gets its first group: from here on all of it is known. */
static void container_begins(struct story *s)
{
	uint64_t begin;

	story_begin(s);
	begin = s->now;
	alloc_domain(s, DOM);
	describe_domain(s, DOM, DOMAIN_PAGING);
	s->next.cause = 600;
	attach(s, DEV, DOM);
	enter_ioctl(s, 600, begin, VFIO_SET_IOMMU, 0);
}

static uint64_t group_comes(struct story *s)
{
	uint64_t begin = s->now;

	alloc_domain(s, DOM2);
	describe_domain(s, DOM2, DOMAIN_PAGING);
	s->next.cause = ENTER;
	attach(s, DEV2, DOM2);
	return begin;
}

static void refill(struct story *s, uint64_t iova, uint64_t size)
{
	s->next.cause = ENTER + 1;
	map_prot(s, DOM2, iova, size, 3);
}

static void group_is_in(struct story *s, uint64_t begin, int32_t ret)
{
	struct ev_vfio inner = { .ret = ret };

	s->next = (struct next){ .id = ENTER + 1, .cause = ENTER, .begin = begin + 1 };
	s->next.end = s->now + 10;
	op_fill(s, &inner.op);
	SEND(s, EV_VFIO_ATTACH, inner);
	enter_ioctl(s, ENTER, begin, SET_CONTAINER, ret);
}

/* ---- VFIO ---- */

struct filled {
	const char *name;
	uint64_t iova, size;	/* what the replay made; size 0: nothing */
	const char *finding;	/* NULL: clean */
	uint64_t at, last;
};

/* The slots are [0x2000, 0x3fff] and [0x5000, 0x5fff]; the second is always replayed. */
static const struct filled fills[] = {
	{ "the slot", 0x2000, 2 * PAGE, NULL, 0, 0 },
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

		container_begins(&s);
		slot(&s, 0x2000, 2 * PAGE, 51);
		slot(&s, 0x5000, PAGE, 52);
		begin = group_comes(&s);
		if (f->size)
			refill(&s, f->iova, f->size);
		refill(&s, 0x5000, PAGE);
		group_is_in(&s, begin, 0);
		if (found(&s, NULL, GRADE_NOTE) != (f->finding ? 1 : 0))
			fail_msg("%s", f->name);
		if (f->finding) {
			assert_string_equal(finding_name(first(&s)->id), f->finding);
			assert_int_equal(first(&s)->iova, f->at);
			assert_int_equal(first(&s)->last, f->last);
			assert_int_equal(first(&s)->domain, DOM2);
		}
		story_end(&s);
	}
}

/* The last two pages of all: a loop that ends at 0 replays nothing. */
static void the_top_of_the_space(void **state)
{
	uint64_t begin;
	struct story s;

	(void)state;
	container_begins(&s);
	slot(&s, -2 * PAGE, 2 * PAGE, 51);
	begin = group_comes(&s);
	group_is_in(&s, begin, 0);
	expect(&s, "replay-missing", 1);
	assert_true(first(&s)->last == TOP);
	story_end(&s);
}

/* Type1 maps and unmaps two pages in each new domain, before it replays. */
static void the_superpage_probe(void **state)
{
	uint64_t begin;
	struct story s;

	(void)state;
	container_begins(&s);
	slot(&s, 0x2000, PAGE, 51);
	begin = group_comes(&s);
	refill(&s, 0, 2 * PAGE);
	s.next.cause = ENTER + 1;
	{
		struct ev_unmap r = { .domain = DOM2, .iova = 0, .size = PAGE, .done = 2 * PAGE };

		op_fill(&s, &r.op);
		SEND(&s, EV_UNMAP, r);
	}
	refill(&s, 0x2000, PAGE);
	group_is_in(&s, begin, 0);
	expect_clean(&s);
	story_end(&s);
}

/* What is not known of the container is never too much, what is not sure never missing. */
static void a_container_from_before(void **state)
{
	uint64_t begin;
	struct story s;

	(void)state;
	story_begin(&s);
	slot(&s, 0x2000, PAGE, 51);
	begin = group_comes(&s);
	refill(&s, 0x2000, PAGE);
	refill(&s, 0x9000, PAGE);
	group_is_in(&s, begin, 0);
	expect_clean(&s);
	story_end(&s);
}

static void a_gap_before_the_replay(void **state)
{
	uint64_t begin;
	struct story s;

	(void)state;
	container_begins(&s);
	slot(&s, 0x2000, PAGE, 51);
	gap(&s, s.now + 1, s.now + 5);
	s.now += 20;
	begin = group_comes(&s);
	group_is_in(&s, begin, 0);
	expect_clean(&s);
	assert_true(unknowns(&s) > 0);
	story_end(&s);
}

/* The page with what was asked was not there: a program read zeroes, the kernel faulted it in. */
static void a_map_that_could_not_be_read(void **state)
{
	uint64_t begin;
	struct story s;

	(void)state;
	container_begins(&s);
	slot(&s, 0x2000, PAGE, 51);
	s.next.cause = 52;
	map(&s, 0x8000, PAGE);
	s.next.id = 52;
	vfio(&s, EV_VFIO_MAP, 0, 0, 0);
	expect(&s, NULL, 0);
	begin = group_comes(&s);
	refill(&s, 0x2000, PAGE);
	refill(&s, 0x8000, PAGE);
	group_is_in(&s, begin, 0);
	expect(&s, NULL, 0);
	assert_int_not_equal(unknowns(&s), 0);
	story_end(&s);
}

static void an_unmap_that_could_not_be_read(void **state)
{
	uint64_t begin;
	struct story s;

	(void)state;
	container_begins(&s);
	slot(&s, 0x2000, PAGE, 51);
	slot(&s, 0x8000, PAGE, 52);
	s.next.cause = 53;
	unmap(&s, 0x8000, PAGE);
	s.next.id = 53;
	vfio(&s, EV_VFIO_UNMAP, 0, 0, 0);
	begin = group_comes(&s);
	refill(&s, 0x2000, PAGE);
	group_is_in(&s, begin, 0);
	expect(&s, NULL, 0);
	assert_int_not_equal(unknowns(&s), 0);
	story_end(&s);
}

/* The kernel refuses what names no bytes: all is as sure as before. */
static void a_call_that_names_no_bytes(void **state)
{
	uint64_t begin;
	struct story s;

	(void)state;
	container_begins(&s);
	slot(&s, 0x2000, PAGE, 51);
	s.next.ret = -22;
	vfio(&s, EV_VFIO_MAP, 0, 0, 3);
	s.next.ret = -22;
	vfio(&s, EV_VFIO_UNMAP, 0, 0, 0);
	begin = group_comes(&s);
	group_is_in(&s, begin, 0);
	expect(&s, "replay-missing", 1);
	story_end(&s);
}

/* A map into the new domain was skipped: what is missing may be that. */
static void a_skipped_map(void **state)
{
	uint64_t begin;
	struct story s;

	(void)state;
	container_begins(&s);
	slot(&s, 0x2000, PAGE, 51);
	begin = group_comes(&s);
	skipped(&s, HOOK_MAP, DOM2, 0x2000, PAGE, s.now);
	group_is_in(&s, begin, 0);
	expect_clean(&s);
	story_end(&s);
}

/* Known only later: the finding is taken back. */
static void a_skipped_map_heard_late(void **state)
{
	uint64_t begin;
	struct story s;

	(void)state;
	container_begins(&s);
	slot(&s, 0x2000, PAGE, 51);
	begin = group_comes(&s);
	group_is_in(&s, begin, 0);
	expect(&s, "replay-missing", 1);
	skipped(&s, HOOK_MAP, DOM2, 0x2000, PAGE, begin + 1);
	expect(&s, NULL, 0);
	story_end(&s);
}

/* An unmap that began before the group was in had its turn first. */
static void an_unmap_beside(void **state)
{
	uint64_t begin;
	struct story s;

	(void)state;
	container_begins(&s);
	slot(&s, 0x2000, PAGE, 51);
	begin = group_comes(&s);
	group_is_in(&s, begin, 0);
	expect(&s, "replay-missing", 1);
	s.next = (struct next){ .begin = begin + 3, .cause = 53 };
	unmap_fast(&s, 0x2000, PAGE);
	s.next = (struct next){ .id = 53, .begin = begin + 2, .end = s.now + 10 };
	vfio(&s, EV_VFIO_UNMAP, 0x2000, PAGE, 0);
	expect(&s, "replay-missing", 0);
	story_end(&s);
}

/* The same, after the group was in: no excuse. */
static void an_unmap_after(void **state)
{
	uint64_t begin;
	struct story s;

	(void)state;
	container_begins(&s);
	slot(&s, 0x2000, PAGE, 51);
	begin = group_comes(&s);
	group_is_in(&s, begin, 0);
	s.next.id = 53;
	s.next.cause = 0;
	vfio(&s, EV_VFIO_UNMAP, 0x2000, PAGE, 0);
	assert_int_equal(found(&s, "replay-missing", GRADE_VIOLATION), 1);
	story_end(&s);
}

/* A map whose record comes after the replay that took it in. */
static void a_map_beside(void **state)
{
	uint64_t begin;
	struct story s;

	(void)state;
	container_begins(&s);
	begin = group_comes(&s);
	refill(&s, 0x2000, PAGE);
	group_is_in(&s, begin, 0);
	expect(&s, "union-after-replay", 1);
	s.next = (struct next){ .id = 53, .begin = begin, .end = s.now + 10 };
	vfio(&s, EV_VFIO_MAP, 0x2000, PAGE, 3);
	expect_clean(&s);
	story_end(&s);
}

/* Of slots that the kernel may have kept nothing is too much. */
static void an_unmap_that_did_nothing(void **state)
{
	struct ev_vfio r = { .container = BOX, .iova = 0x2000, .size = PAGE };
	uint64_t begin;
	struct story s;

	(void)state;
	container_begins(&s);
	s.next.id = 51;
	vfio(&s, EV_VFIO_MAP, 0x2000, PAGE, 3);
	s.next.id = 52;
	op_fill(&s, &r.op);
	SEND(&s, EV_VFIO_UNMAP, r);
	begin = group_comes(&s);
	refill(&s, 0x2000, PAGE);
	group_is_in(&s, begin, 0);
	expect_clean(&s);
	story_end(&s);
}

/* The last group left, and the file is used again: what was there is not. */
static void a_container_used_again(void **state)
{
	uint64_t begin;
	struct story s;

	(void)state;
	container_begins(&s);
	slot(&s, 0x2000, PAGE, 51);
	begin = s.now;
	alloc_domain(&s, DOM2);
	describe_domain(&s, DOM2, DOMAIN_PAGING);
	s.next.cause = 800;
	attach(&s, DEV2, DOM2);
	enter_ioctl(&s, 800, begin, VFIO_SET_IOMMU, 0);
	expect_clean(&s);
	story_end(&s);
}

/* ---- refused ---- */

static void refused_with(struct story *s, int32_t map_ret, int32_t ret)
{
	uint64_t begin;

	container_begins(s);
	slot(s, 0x2000, PAGE, 51);
	begin = group_comes(s);
	if (map_ret) {
		s->next = (struct next){ .cause = ENTER + 1, .ret = map_ret };
		map_prot(s, DOM2, 0x2000, PAGE, 3);
	}
	attach(s, DEV2, 0);
	free_domain(s, DOM2);
	group_is_in(s, begin, ret);
}

static void a_refused_replay_is_told(void **state)
{
	static const struct {
		int32_t map_ret, ret;
		enum grade grade;
		uint64_t n;
	} cases[] = {
		{ -28, -28, GRADE_EXPOSURE, 1 },
		{ -12, -12, GRADE_EXPOSURE, 1 },
		{ 0, -12, GRADE_EXPOSURE, 1 },	/* pages that cannot be pinned */
		{ 0, -22, GRADE_NOTE, 0 },	/* the device does not fit */
		{ -17, -17, GRADE_VIOLATION, 1 },	/* in the way of nothing */
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct story s;

		refused_with(&s, cases[i].map_ret, cases[i].ret);
		assert_int_equal(found(&s, "replay-refused", GRADE_EXPOSURE), cases[i].n);
		if (cases[i].n)
			assert_int_equal(first(&s)->grade, cases[i].grade);
		story_end(&s);
	}
}

/* What the driver says is in the way is there. */
static void something_was_in_the_way(void **state)
{
	uint64_t begin;
	struct story s;

	(void)state;
	container_begins(&s);
	slot(&s, 0x2000, PAGE, 51);
	begin = group_comes(&s);
	refill(&s, 0x2000, PAGE);
	s.next = (struct next){ .cause = ENTER + 1, .ret = -17 };
	map_prot(&s, DOM2, 0x2000, PAGE, 3);
	group_is_in(&s, begin, -17);
	assert_int_equal(found(&s, "replay-refused", GRADE_EXPOSURE), 1);
	expect(&s, NULL, 0);
	story_end(&s);
}

static void a_container_that_is_full(void **state)
{
	struct story s;
	int i;

	(void)state;
	container_begins(&s);
	for (i = 0; i < 3; i++) {
		s.next = (struct next){ .id = 900 + i, .ret = -28 };
		vfio(&s, EV_VFIO_MAP, 0x2000 + i * PAGE, PAGE, 3);
	}
	assert_int_equal(found(&s, "replay-refused", GRADE_EXPOSURE), 1);
	assert_int_equal(first(&s)->count, 3);
	expect(&s, NULL, 0);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_replay_is_compared),
		cmocka_unit_test(the_top_of_the_space),
		cmocka_unit_test(the_superpage_probe),
		cmocka_unit_test(a_container_from_before),
		cmocka_unit_test(a_gap_before_the_replay),
		cmocka_unit_test(a_map_that_could_not_be_read),
		cmocka_unit_test(an_unmap_that_could_not_be_read),
		cmocka_unit_test(a_call_that_names_no_bytes),
		cmocka_unit_test(a_skipped_map),
		cmocka_unit_test(a_skipped_map_heard_late),
		cmocka_unit_test(an_unmap_beside),
		cmocka_unit_test(an_unmap_after),
		cmocka_unit_test(a_map_beside),
		cmocka_unit_test(an_unmap_that_did_nothing),
		cmocka_unit_test(a_container_used_again),
		cmocka_unit_test(a_refused_replay_is_told),
		cmocka_unit_test(something_was_in_the_way),
		cmocka_unit_test(a_container_that_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
