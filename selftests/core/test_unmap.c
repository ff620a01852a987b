// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* unmap-short and unmap-wide, at the action and at the intent. */
#include "story.h"

/* ---- the driver says it did less ---- */

struct short_case {
	const char *name;
	uint64_t iova, size, done;
	uint64_t findings;
};

/* [0x2000, 0x3fff] and [0x4000, 0x4fff] are live, nothing else. */
static const struct short_case shorts[] = {
	{ "all of it", 0x2000, 0x3000, 0x3000, 0 },
	{ "one page less", 0x2000, 0x3000, 0x2000, 1 },
	{ "one byte less", 0x2000, 0x3000, 0x2fff, 1 },
	{ "nothing", 0x2000, 0x3000, 0, 1 },
	{ "one range", 0x4000, 0x1000, 0, 1 },
	{ "cut at the end", 0x2000, 0x2fff, 0, 0 },
	{ "cut at the start", 0x2001, 0x2fff, 0, 0 },
	{ "a hole behind", 0x2000, 0x3001, 0x3000, 0 },
	{ "a hole before", 0x1fff, 0x3001, 0, 0 },
	{ "only a hole", 0x8000, 0x1000, 0, 0 },
	{ "no bytes", 0x2000, 0, 0, 0 },
};

static void the_driver_did_less(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(shorts) / sizeof(shorts[0]); i++) {
		struct story s;

		story_begin(&s);
		map(&s, 0x2000, 2 * PAGE);
		map(&s, 0x4000, PAGE);
		unmap_got(&s, shorts[i].iova, shorts[i].size, shorts[i].done);
		expect(&s, "unmap-short", shorts[i].findings);
		story_end(&s);
	}
}

static void at_the_top(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	map(&s, -2 * PAGE, 2 * PAGE);
	unmap_got(&s, -2 * PAGE, 2 * PAGE, PAGE);
	expect(&s, "unmap-short", 1);
	assert_int_equal(first(&s)->iova, -PAGE);
	assert_int_equal(first(&s)->last, TOP);
	story_end(&s);
}

static void a_map_beside_it_excuses(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin(&s);
	at = s.now;
	s.next = (struct next){ .begin = at, .end = at + 30 };
	map(&s, 0x2000, PAGE);
	s.next = (struct next){ .begin = at + 10, .end = at + 40 };
	unmap_got(&s, 0x2000, PAGE, 0);
	expect_clean(&s);
	story_end(&s);
}

/* A superpage went as a whole: its neighbours are a question for the table. */
static void more_than_asked_needs_the_table(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	map(&s, 0x200000, PAGE);
	map(&s, 0x201000, PAGE);
	map(&s, 0x202000, PAGE);
	map(&s, 0x600000, PAGE);
	unmap_got(&s, 0x201000, PAGE, 0x200000);
	assert_int_equal(report_tally(engine_report(s.e))->needs_table, 1);
	map(&s, 0x200000, PAGE);
	map(&s, 0x202000, PAGE);
	expect_clean(&s);
	map(&s, 0x600000, PAGE);
	expect(&s, "map-overlap", 1);
	story_end(&s);
}

/* ---- VFIO ---- */

/* 6.12: success, nothing done, no iommu_unmap() at all. */
static void vfio_leaves_the_top_of_the_space(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	slot(&s, -2 * PAGE, 2 * PAGE, 51);
	s.next.id = 52;
	vfio(&s, EV_VFIO_UNMAP, -2 * PAGE, 2 * PAGE, 0);
	expect(&s, "unmap-short", 1);
	assert_int_equal(first(&s)->container, BOX);
	assert_int_equal(first(&s)->last, TOP);
	story_end(&s);
}

/* A container of two domains: what is left in one of them is named there. */
static void vfio_forgets_the_second_domain(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	s.next.cause = 51;
	map_prot(&s, DOM2, 0x2000, PAGE, 3);
	slot(&s, 0x2000, PAGE, 51);
	s.next.cause = 52;
	unmap_fast(&s, 0x2000, PAGE);
	s.next.id = 52;
	vfio(&s, EV_VFIO_UNMAP, 0x2000, PAGE, 0);
	expect(&s, "unmap-short", 1);
	assert_int_equal(first(&s)->domain, DOM2);
	story_end(&s);
}

/* Mapped again while the unmap ran: nobody knows which came first. */
static void a_map_beside_the_vfio_unmap(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin(&s);
	slot(&s, 0x2000, PAGE, 51);
	at = s.now;
	s.next = (struct next){ .cause = 52, .begin = at + 1, .end = at + 5 };
	unmap_fast(&s, 0x2000, PAGE);
	s.next = (struct next){ .cause = 53, .begin = at + 10, .end = at + 20 };
	map(&s, 0x2000, PAGE);
	s.next = (struct next){ .id = 53, .begin = at + 8, .end = at + 22 };
	vfio(&s, EV_VFIO_MAP, 0x2000, PAGE, 3);
	s.next = (struct next){ .id = 52, .begin = at, .end = at + 30 };
	vfio(&s, EV_VFIO_UNMAP, 0x2000, PAGE, 0);
	expect_clean(&s);
	story_end(&s);
}

static void vfio_unmaps_what_it_says(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	slot(&s, 0x2000, 2 * PAGE, 51);
	s.next.cause = 52;
	unmap_fast(&s, 0x2000, 2 * PAGE);
	s.next.id = 52;
	vfio(&s, EV_VFIO_UNMAP, 0x2000, 2 * PAGE, 0);
	expect_clean(&s);
	story_end(&s);
}

static void vfio_unmap_all_leaves_one(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	slot(&s, 0x2000, PAGE, 51);
	slot(&s, 0x8000, PAGE, 52);
	s.next.cause = 53;
	unmap_fast(&s, 0x2000, PAGE);
	s.next.id = 53;
	vfio(&s, EV_VFIO_UNMAP, 0, 0, VFIO_UNMAP_ALL);
	expect(&s, "unmap-short", 1);
	assert_int_equal(first(&s)->iova, 0x8000);
	story_end(&s);
}

struct excuse {
	const char *name;
	uint64_t iova, size;
	uint32_t flags, tgid;
	int32_t ret;
};

/* The slot is [0x2000, 0x3fff] and stays mapped; nobody is to blame. */
static const struct excuse excuses[] = {
	{ "refused", 0x2000, 0x2000, 0, 0, -22 },
	{ "asked for a part", 0x2000, 0x1000, 0, 0, 0 },
	{ "asked from the middle", 0x3000, 0x4000, 0, 0, 0 },
	{ "asked for a hole", 0x8000, 0x1000, 0, 0, 0 },
	{ "address only", 0x2000, 0x2000, VFIO_UNMAP_VADDR, 0, 0 },
	{ "another process", 0x2000, 0x2000, 0, 77, 0 },
};

static void vfio_excuses(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(excuses) / sizeof(excuses[0]); i++) {
		struct story s;

		story_begin(&s);
		slot(&s, 0x2000, 2 * PAGE, 51);
		s.next = (struct next){ .id = 52, .tgid = excuses[i].tgid, .ret = excuses[i].ret };
		vfio(&s, EV_VFIO_UNMAP, excuses[i].iova, excuses[i].size, excuses[i].flags);
		expect_clean(&s);
		story_end(&s);
	}
}

static void a_dead_domain_keeps_nothing(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	slot(&s, 0x2000, PAGE, 51);
	free_domain(&s, DOM);
	s.next.id = 52;
	vfio(&s, EV_VFIO_UNMAP, 0x2000, PAGE, 0);
	expect_clean(&s);
	story_end(&s);
}

/* ---- more than the intent asked ---- */

static void vfio_takes_a_neighbour(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	slot(&s, 0x2000, PAGE, 51);
	slot(&s, 0x3000, PAGE, 52);
	s.next.cause = 53;
	unmap_fast(&s, 0x2000, 2 * PAGE);
	s.next.id = 53;
	vfio(&s, EV_VFIO_UNMAP, 0x2000, PAGE, 0);
	expect(&s, "unmap-wide", 1);
	assert_int_equal(first(&s)->iova, 0x3000);
	story_end(&s);
}

/* Version 1: the whole slot goes if any of it was asked for. */
static void vfio_takes_the_whole_slot(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	slot(&s, 0x2000, 4 * PAGE, 51);
	s.next.cause = 53;
	unmap_fast(&s, 0x2000, 4 * PAGE);
	s.next.id = 53;
	vfio(&s, EV_VFIO_UNMAP, 0x2000, PAGE, 0);
	expect_clean(&s);
	story_end(&s);
}

static void dma_mapping(struct story *s, uint64_t addr, uint64_t size, uint64_t id)
{
	s->next.cause = id;
	map(s, addr & ~0xfffULL, (size + 0xfff) & ~0xfffULL);
	s->next.id = id;
	dma(s, EV_DMA_MAP, addr, size, EV_DMA_PAGE, 0);
}

static void dma_takes_a_neighbour(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	dma_mapping(&s, 0x2000, PAGE, 61);
	dma_mapping(&s, 0x3000, PAGE, 62);
	s.next.cause = 63;
	unmap(&s, 0x2000, 2 * PAGE);
	s.next.id = 63;
	dma(&s, EV_DMA_UNMAP, 0x2000, PAGE, EV_DMA_PAGE, 0);
	expect(&s, "unmap-wide", 1);
	story_end(&s);
}

/* Peer to peer: two mappings share the address, and nobody can tell which one is meant. */
static void a_shared_address_takes_no_neighbour(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	dma_mapping(&s, 0x2000, PAGE, 61);
	dma_mapping(&s, 0x3000, PAGE, 62);
	s.next.id = 64;
	dma(&s, EV_DMA_MAP, 0x2000, PAGE, EV_DMA_PAGE, 0);
	s.next.cause = 63;
	unmap(&s, 0x2000, 2 * PAGE);
	s.next.id = 63;
	dma(&s, EV_DMA_UNMAP, 0x2000, PAGE, EV_DMA_PAGE, 0);
	expect_clean(&s);
	story_end(&s);
}

/* The container of a detach may be unknown: that is none, not one called 0. */
static void a_container_that_is_unknown(void **state)
{
	static const uint16_t types[] = { EV_VFIO_ATTACH, EV_VFIO_DETACH, EV_VFIO_MAP,
					  EV_VFIO_UNMAP };
	struct ev_vfio r = { .iova = 0x2000, .size = PAGE };
	struct story s;
	size_t i;

	(void)state;
	story_begin(&s);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		s.next.cause = 80 + i;
		map(&s, 0x2000 + i * PAGE, PAGE);
		s.next.id = 80 + i;
		op_fill(&s, &r.op);
		SEND(&s, types[i], r);
		assert_int_equal(s.ret, 0);
		assert_null(model_cause(engine_model(s.e), 80 + i));
	}
	assert_null(engine_model(s.e)->first_container);
	story_end(&s);
}

static void dma_rounds_to_pages(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	dma_mapping(&s, 0x2010, 0x20, 61);
	s.next.cause = 63;
	unmap(&s, 0x2000, PAGE);
	s.next.id = 63;
	dma(&s, EV_DMA_UNMAP, 0x2010, 0x20, EV_DMA_PAGE, 0);
	expect_clean(&s);
	story_end(&s);
}

/* Attaching probes for superpages: asks for one page, may get two. */
static void an_attach_may_do_what_it_likes(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	slot(&s, 0x2000, PAGE, 51);
	s.next.cause = 70;
	unmap(&s, 0x2000, PAGE);
	s.next.id = 70;
	vfio(&s, EV_VFIO_ATTACH, 0, 0, 0);
	expect_clean(&s);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_driver_did_less),
		cmocka_unit_test(at_the_top),
		cmocka_unit_test(a_map_beside_it_excuses),
		cmocka_unit_test(more_than_asked_needs_the_table),
		cmocka_unit_test(vfio_leaves_the_top_of_the_space),
		cmocka_unit_test(vfio_forgets_the_second_domain),
		cmocka_unit_test(a_map_beside_the_vfio_unmap),
		cmocka_unit_test(vfio_unmaps_what_it_says),
		cmocka_unit_test(vfio_unmap_all_leaves_one),
		cmocka_unit_test(vfio_excuses),
		cmocka_unit_test(a_dead_domain_keeps_nothing),
		cmocka_unit_test(vfio_takes_a_neighbour),
		cmocka_unit_test(vfio_takes_the_whole_slot),
		cmocka_unit_test(dma_takes_a_neighbour),
		cmocka_unit_test(a_shared_address_takes_no_neighbour),
		cmocka_unit_test(a_container_that_is_unknown),
		cmocka_unit_test(dma_rounds_to_pages),
		cmocka_unit_test(an_attach_may_do_what_it_likes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
