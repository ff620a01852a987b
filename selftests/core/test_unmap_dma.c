// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* unmap-short of the DMA API: what a map call made is still there when its unmap has returned. */
#include "story.h"

#define MAPPING	61	/* id of the map call */
#define UNMAP	62	/* and of the unmap */

/* One segment after the other, as iommu_map_sg() makes them. */
static void made(struct story *s, uint64_t iova, uint64_t size)
{
	s->next.cause = MAPPING;
	map(s, iova, size);
}

static void mapped(struct story *s, uint64_t addr, uint64_t size, uint32_t kind)
{
	s->next.id = MAPPING;
	dma(s, EV_DMA_MAP, addr, size, kind, 0);
}

static void removed(struct story *s, uint64_t iova, uint64_t size)
{
	s->next.cause = UNMAP;
	s->next.flags = EVF_QUEUED;
	unmap_fast(s, iova, size);
}

static void unmapped(struct story *s, uint64_t addr, uint64_t size, uint32_t kind)
{
	s->next.id = UNMAP;
	dma(s, EV_DMA_UNMAP, addr, size, kind, 0);
}

/* Up to 7.2 on AMD-Vi: no iommu_unmap_fast() at all for a list that ends at 2^64. */
static void a_list_at_the_top(void **state)
{
	struct story s;

	(void)state;
	begin_translated(&s);
	made(&s, -2 * PAGE, PAGE);
	made(&s, -PAGE, PAGE);
	mapped(&s, -2 * PAGE, PAGE, EV_DMA_SG);
	unmapped(&s, -2 * PAGE, 0, EV_DMA_SG);
	expect(&s, "unmap-short", 1);
	assert_int_equal(first(&s)->iova, -2 * PAGE);
	assert_int_equal(first(&s)->last, TOP);
	assert_int_equal(first(&s)->device, DEV);
	assert_int_equal(first(&s)->domain, DOM);
	story_end(&s);
}

struct left_case {
	const char *name;
	uint64_t iova, size;	/* that the unmap removes of [0x2000, 0x4fff] */
	uint64_t left;		/* the lowest that stays; 0 nothing */
};

static const struct left_case lefts[] = {
	{ "all of it", 0x2000, 3 * PAGE, 0 },
	{ "the first segment", 0x2000, PAGE, 0x3000 },
	{ "all but the last", 0x2000, 2 * PAGE, 0x4000 },
	{ "all but the first", 0x3000, 2 * PAGE, 0x2000 },
	{ "all but the middle", 0x2000, PAGE, 0x3000 },
	{ "its neighbour", 0x5000, PAGE, 0x2000 },
};

static void a_part_of_a_list(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lefts) / sizeof(lefts[0]); i++) {
		const struct left_case *c = &lefts[i];
		struct story s;

		begin_translated(&s);
		made(&s, 0x2000, PAGE);
		made(&s, 0x3000, 2 * PAGE);
		mapped(&s, 0x2000, PAGE, EV_DMA_SG);
		removed(&s, c->iova, c->size);
		unmapped(&s, 0x2000, 0, EV_DMA_SG);
		assert_int_equal(found(&s, "unmap-short", GRADE_VIOLATION), !!c->left);
		if (c->left)
			assert_int_equal(first(&s)->iova, c->left);
		story_end(&s);
	}
}

/* Each kind of call; 0x2010 and 0x20 bytes round to a page. */
static void of_each_kind(void **state)
{
	static const uint32_t kinds[] = { EV_DMA_PAGE, EV_DMA_COHERENT, EV_DMA_RESOURCE };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct story s;

		begin_translated(&s);
		made(&s, 0x2000, PAGE);
		mapped(&s, 0x2010, 0x20, kinds[i]);
		unmapped(&s, 0x2010, 0x20, kinds[i]);
		expect(&s, "unmap-short", 1);
		story_end(&s);

		begin_translated(&s);
		made(&s, 0x2000, PAGE);
		mapped(&s, 0x2010, 0x20, kinds[i]);
		removed(&s, 0x2000, PAGE);
		unmapped(&s, 0x2010, 0x20, kinds[i]);
		expect_clean(&s);
		story_end(&s);
	}
}

/* Links of an IOVA are undone by range, perhaps in parts. */
static void links_are_not_judged(void **state)
{
	struct story s;

	(void)state;
	begin_translated(&s);
	made(&s, 0x2000, 2 * PAGE);
	mapped(&s, 0x2000, 2 * PAGE, EV_DMA_IOVA);
	removed(&s, 0x2000, PAGE);
	unmapped(&s, 0x2000, PAGE, EV_DMA_IOVA);
	expect_clean(&s);
	story_end(&s);
}

/* The address was released inside the call, and another CPU has it already. */
static void mapped_again_before_the_end(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	begin_translated(&s);
	made(&s, 0x2000, PAGE);
	mapped(&s, 0x2000, PAGE, EV_DMA_PAGE);
	at = s.now;
	s.next = (struct next){ .cause = UNMAP, .begin = at + 1, .end = at + 5 };
	unmap(&s, 0x2000, PAGE);
	s.next = (struct next){ .cause = 71, .begin = at + 6, .end = at + 10 };
	map(&s, 0x2000, PAGE);
	s.next = (struct next){ .id = UNMAP, .begin = at, .end = at + 20 };
	dma(&s, EV_DMA_UNMAP, 0x2000, PAGE, EV_DMA_PAGE, 0);
	expect_clean(&s);
	story_end(&s);
}

/* Peer to peer: a segment by its bus address, which is not the domain's. */
static void what_somebody_else_mapped_there(void **state)
{
	struct story s;

	(void)state;
	begin_translated(&s);
	s.next.cause = 71;
	map(&s, 0x2000, PAGE);
	map(&s, 0x3000, PAGE);
	mapped(&s, 0x2000, PAGE, EV_DMA_SG);
	unmapped(&s, 0x2000, 0, EV_DMA_SG);
	mapped(&s, 0x3000, PAGE, EV_DMA_PAGE);
	unmapped(&s, 0x3000, PAGE, EV_DMA_PAGE);
	expect_clean(&s);
	story_end(&s);
}

/* A range of the same call that lies behind what was mapped is not the mapping's. */
static void what_the_call_made_besides(void **state)
{
	struct story s;

	(void)state;
	begin_translated(&s);
	made(&s, 0x2000, PAGE);
	made(&s, 0x9000, PAGE);
	mapped(&s, 0x2000, PAGE, EV_DMA_PAGE);
	removed(&s, 0x2000, PAGE);
	unmapped(&s, 0x2000, PAGE, EV_DMA_PAGE);
	expect_clean(&s);
	assert_int_equal(unknowns(&s), 0);
	story_end(&s);
}

/* Two lists begin with the same peer's memory: whose unmap it is nobody can say. */
static void two_at_one_address(void **state)
{
	struct story s;

	(void)state;
	begin_translated(&s);
	made(&s, 0x3000, PAGE);
	mapped(&s, 0x2000, PAGE, EV_DMA_SG);
	s.next.cause = MAPPING + 10;
	map(&s, 0x5000, PAGE);
	s.next.id = MAPPING + 10;
	dma(&s, EV_DMA_MAP, 0x2000, PAGE, EV_DMA_SG, 0);
	removed(&s, 0x5000, PAGE);
	unmapped(&s, 0x2000, 0, EV_DMA_SG);
	expect_clean(&s);
	assert_int_equal(unknowns(&s), 1);
	story_end(&s);
}

/* That is a mismatch: told as such, and once. */
static void an_unmap_that_says_something_else(void **state)
{
	struct story s;

	(void)state;
	begin_translated(&s);
	made(&s, 0x2000, 2 * PAGE);
	mapped(&s, 0x2000, 2 * PAGE, EV_DMA_PAGE);
	removed(&s, 0x2000, PAGE);
	unmapped(&s, 0x2000, PAGE, EV_DMA_PAGE);
	expect(&s, "dma-unmap-mismatch", 1);
	story_end(&s);
}

/* The driver itself said that it did less: told at the action, and once. */
static void said_by_the_driver(void **state)
{
	struct story s;

	(void)state;
	begin_translated(&s);
	made(&s, 0x2000, 2 * PAGE);
	mapped(&s, 0x2000, 2 * PAGE, EV_DMA_PAGE);
	s.next.cause = UNMAP;
	unmap_got(&s, 0x2000, 2 * PAGE, PAGE);
	unmapped(&s, 0x2000, 2 * PAGE, EV_DMA_PAGE);
	expect(&s, "unmap-short", 1);
	assert_int_equal(first(&s)->iova, 0x3000);
	story_end(&s);
}

/* The device's domain is another by now, or translates nothing: the range is the old one's. */
static void the_device_moved(void **state)
{
	struct story s;

	(void)state;
	begin_translated(&s);
	made(&s, 0x2000, PAGE);
	mapped(&s, 0x2000, PAGE, EV_DMA_PAGE);
	describe_domain(&s, DOM2, DOMAIN_PAGING | DOMAIN_DMA_API);
	attach(&s, DEV, DOM2);
	unmapped(&s, 0x2000, PAGE, EV_DMA_PAGE);
	assert_int_equal(found(&s, "unmap-short", GRADE_NOTE), 0);
	story_end(&s);
}

enum doubt { BEFORE_US, GAP_BETWEEN, SKIPPED_UNMAP, NO_BEGIN, NO_PLACE, UNDONE };

struct doubted {
	const char *name;
	enum doubt doubt;
	bool unknown;		/* counted as such */
};

static const struct doubted doubts[] = {
	{ "mapped before the recording", BEFORE_US, true },
	{ "a loss in between", GAP_BETWEEN, true },
	{ "its iommu_unmap was skipped", SKIPPED_UNMAP, true },
	{ "the unmap's begin is unknown", NO_BEGIN, true },
	{ "where the device is nobody knows", NO_PLACE, false },
	{ "an undo ran over it", UNDONE, true },
};

static void doubt_it(struct story *s, enum doubt doubt)
{
	switch (doubt) {
	case GAP_BETWEEN:
		gap(s, s->now, s->now + 100);
		s->now += 200;
		break;
	case SKIPPED_UNMAP:
		skipped(s, HOOK_UNMAP_FAST, DOM, 0x2000, PAGE, s->now);
		break;
	case UNDONE:
		s->next.flags = EVF_ROLLBACK;
		unmap(s, 0x2000, PAGE);
		break;
	case NO_BEGIN:
		s->next.nobegin = true;
		break;
	default:
		break;
	}
}

static void what_is_not_known(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(doubts) / sizeof(doubts[0]); i++) {
		const struct doubted *c = &doubts[i];
		struct story s;

		if (c->doubt == NO_PLACE)
			story_begin(&s);
		else if (c->doubt == BEFORE_US)
			story_begin_unattached(&s);
		else
			begin_translated(&s);
		made(&s, 0x2000, PAGE);
		mapped(&s, 0x2000, PAGE, EV_DMA_PAGE);
		if (c->doubt == BEFORE_US) {
			mark(&s, EV_MARK_ATTACHED, 0);
			describe_domain(&s, DOM, DOMAIN_PAGING | DOMAIN_DMA_API);
			attach(&s, DEV, DOM);
		}
		doubt_it(&s, c->doubt);
		unmapped(&s, 0x2000, PAGE, EV_DMA_PAGE);
		expect_clean(&s);
		assert_int_equal(!!unknowns(&s), c->unknown);
		story_end(&s);
	}
}

/* Calls were missed, and only a number tells: what was said meanwhile is taken back. */
static void a_miss_takes_it_back(void **state)
{
	struct story s;
	uint64_t from;

	(void)state;
	begin_translated(&s);
	made(&s, 0x2000, PAGE);
	mapped(&s, 0x2000, PAGE, EV_DMA_PAGE);
	from = s.now;
	unmapped(&s, 0x2000, PAGE, EV_DMA_PAGE);
	expect(&s, "unmap-short", 1);
	missed(&s, HOOK_UNMAP_FAST, 0, 1, from);
	expect_clean(&s);
	story_end(&s);
}

/* Not heard: neither is what it would have removed. */
static void a_deaf_hook(void **state)
{
	static const uint32_t hooks[] = { HOOK_UNMAP, HOOK_UNMAP_FAST, HOOK_DMA_UNMAP_SG };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		struct story s;

		begin_translated(&s);
		hook(&s, hooks[i], EV_HOOK_MISSING);
		made(&s, 0x2000, PAGE);
		mapped(&s, 0x2000, PAGE, EV_DMA_PAGE);
		unmapped(&s, 0x2000, PAGE, EV_DMA_PAGE);
		expect_clean(&s);
		story_end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_at_the_top),
		cmocka_unit_test(a_part_of_a_list),
		cmocka_unit_test(of_each_kind),
		cmocka_unit_test(links_are_not_judged),
		cmocka_unit_test(mapped_again_before_the_end),
		cmocka_unit_test(what_somebody_else_mapped_there),
		cmocka_unit_test(what_the_call_made_besides),
		cmocka_unit_test(two_at_one_address),
		cmocka_unit_test(an_unmap_that_says_something_else),
		cmocka_unit_test(said_by_the_driver),
		cmocka_unit_test(the_device_moved),
		cmocka_unit_test(what_is_not_known),
		cmocka_unit_test(a_miss_takes_it_back),
		cmocka_unit_test(a_deaf_hook),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
