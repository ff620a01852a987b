// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* unmap-short at a VFIO unmap: whose slot it is, and what a later attach replayed of it. */
#include "story.h"

/* ---- replays ---- */

/* The ioctl of a group that enters (@id), around type1's own call, which replays [@iova, @size]. */
static void replay_into(struct story *s, uint64_t domain, uint64_t iova, uint64_t size, uint64_t id,
			int32_t ret)
{
	struct ev_vfio inner = { .ret = ret };

	s->next.cause = id + 1;
	map_prot(s, domain, iova, size, 3);
	s->next = (struct next){ .id = id + 1, .cause = id };
	op_fill(s, &inner.op);
	SEND(s, EV_VFIO_ATTACH, inner);
	s->next = (struct next){ .id = id, .ret = ret };
	vfio(s, EV_VFIO_ATTACH, 0, 0, 0);
}

struct replayed {
	const char *name;
	uint64_t iova, size;	/* what the replay made */
	int32_t ret;		/* of the attach */
	uint64_t findings;
};

/* The slot is [0x2000, 0x3fff]; its unmap leaves what was replayed into DOM2. */
static const struct replayed replays[] = {
	{ "the slot", 0x2000, 2 * PAGE, 0, 1 },
	{ "its first page", 0x2000, PAGE, 0, 1 },
	{ "its last page", 0x3000, PAGE, 0, 1 },
	{ "more than the slot", 0x2000, 3 * PAGE, 0, 0 },
	{ "less than its start", 0x1000, 2 * PAGE, 0, 0 },
	{ "behind it", 0x4000, PAGE, 0, 0 },
	{ "an attach that failed", 0x2000, 2 * PAGE, -22, 0 },
};

static void vfio_forgets_what_it_replayed(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(replays) / sizeof(replays[0]); i++) {
		struct story s;

		story_begin(&s);
		slot(&s, 0x2000, 2 * PAGE, 51);
		replay_into(&s, DOM2, replays[i].iova, replays[i].size, 60, replays[i].ret);
		s.next.cause = 52;
		unmap_fast(&s, 0x2000, 2 * PAGE);
		s.next.id = 52;
		vfio(&s, EV_VFIO_UNMAP, 0x2000, 2 * PAGE, 0);
		if (found(&s, "unmap-short", GRADE_VIOLATION) != replays[i].findings)
			fail_msg("%s", replays[i].name);
		story_end(&s);
	}
}

/* The memory of intents is short; what an attach made is remembered with the range. */
static void a_replay_long_ago(void **state)
{
	struct story s;
	uint64_t id;

	(void)state;
	story_begin(&s);
	slot(&s, 0x2000, 2 * PAGE, 51);
	replay_into(&s, DOM2, 0x2000, 2 * PAGE, 60, 0);
	for (id = 1000; id < 1000 + 2 * INTENTS; id++) {
		s.next.id = id;
		dma(&s, EV_DMA_MAP, 0x100000 + id * PAGE, PAGE, EV_DMA_PAGE, 1);
	}
	assert_null(model_intent(engine_model(s.e), 61));
	s.next.cause = 52;
	unmap_fast(&s, 0x2000, 2 * PAGE);
	s.next.id = 52;
	vfio(&s, EV_VFIO_UNMAP, 0x2000, 2 * PAGE, 0);
	expect(&s, "unmap-short", 1);
	story_end(&s);
}

/* What an attach made before the slot was there is the attach's own business. */
static void an_older_attach_replayed_nothing(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	replay_into(&s, DOM2, 0x2000, PAGE, 60, 0);
	slot(&s, 0x2000, PAGE, 51);
	s.next.cause = 52;
	unmap_fast(&s, 0x2000, PAGE);
	s.next.id = 52;
	vfio(&s, EV_VFIO_UNMAP, 0x2000, PAGE, 0);
	expect_clean(&s);
	story_end(&s);
}

/* ---- owners ---- */

static void slot_of(struct story *s, uint64_t iova, uint64_t id, uint32_t tgid)
{
	s->next.cause = id;
	map(s, iova, PAGE);
	s->next = (struct next){ .id = id, .tgid = tgid };
	vfio(s, EV_VFIO_MAP, iova, PAGE, 3);
}

/* Two slots, 0x2000 and 0x4000. 6.1 stops at the first that is not the caller's, and says 0. */
static void a_slot_of_another_process(void **state)
{
	static const struct {
		const char *name;
		uint32_t first, second;
		uint64_t asked, findings;
	} cases[] = {
		{ "both are the caller's", 100, 100, 3 * PAGE, 2 },
		{ "the first is foreign", 77, 100, 3 * PAGE, 0 },
		{ "the second is foreign", 100, 77, 3 * PAGE, 0 },
		{ "a foreign one behind", 100, 77, 2 * PAGE, 1 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct story s;

		story_begin(&s);
		slot_of(&s, 0x2000, 51, cases[i].first);
		slot_of(&s, 0x4000, 52, cases[i].second);
		s.next.id = 53;
		vfio(&s, EV_VFIO_UNMAP, 0x2000, cases[i].asked, 0);
		if (found(&s, "unmap-short", GRADE_VIOLATION) != cases[i].findings)
			fail_msg("%s", cases[i].name);
		story_end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vfio_forgets_what_it_replayed),
		cmocka_unit_test(a_replay_long_ago),
		cmocka_unit_test(an_older_attach_replayed_nothing),
		cmocka_unit_test(a_slot_of_another_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
