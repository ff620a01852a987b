// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Bounded work: what a trace that uses up the credit of walks is told, and that what comes after
 * is judged again. And the memory of the ordered map, against a map without one.
 */
#include "core/omap.h"
#include "pages.h"
#include "rnd.h"

#define IOVA 0x40000000ULL
#define RANGES 20000U
#define DOUBTS 3000U

static void unmap_of(struct story *s, uint64_t domain, uint64_t iova, uint64_t size)
{
	struct ev_unmap r = { .domain = domain, .iova = iova, .size = size, .done = size };

	op_fill(s, &r.op);
	SEND(s, EV_UNMAP, r);
}

/* Each of these doubts all ranges but the first: far more steps than the records bring. */
static void use_up(struct story *s)
{
	unsigned int i;

	for (i = 1; i <= RANGES; i++)
		map(s, IOVA + i * PAGE, PAGE);
	for (i = 0; i < DOUBTS; i++) {
		s->next.flags = EVF_ROLLBACK;
		unmap_fast(s, IOVA + PAGE, RANGES * PAGE);
	}
}

static void nothing_is_sure_afterwards(void **state)
{
	struct story s;
	uint64_t unknown;

	(void)state;
	begin_pages(&s);
	map(&s, IOVA, PAGE);
	use_up(&s);
	unknown = unknowns(&s);
	page_free(&s, PADDR(IOVA), PAGE);
	expect_clean(&s);
	assert_true(unknowns(&s) > unknown);
	assert_true(report_tally(engine_report(s.e))->cut_short > 0);
	story_end(&s);
}

/* The same with a few doubts: the first range is still sure. */
static void a_few_walks_cost_nothing(void **state)
{
	struct story s;
	unsigned int i;

	(void)state;
	begin_pages(&s);
	map(&s, IOVA, PAGE);
	for (i = 1; i <= RANGES; i++)
		map(&s, IOVA + i * PAGE, PAGE);
	for (i = 0; i < 100; i++) {
		s.next.flags = EVF_ROLLBACK;
		unmap_fast(&s, IOVA + PAGE, RANGES * PAGE);
	}
	page_free(&s, PADDR(IOVA), PAGE);
	expect(&s, "freed-while-mapped", 1);
	assert_int_equal(report_tally(engine_report(s.e))->cut_short, 0);
	story_end(&s);
}

#define CACHES 700U

static void lazy_in(struct story *s, unsigned int i)
{
	uint64_t domain = 0x2000000ULL + i * 0x1000;
	struct ev_attach a = { .dev = domain + 0x800, .domain = domain, .pasid = EV_TAG_NO_PASID,
			       .group = i };

	tag_as(s, domain, a.dev, (struct tagged){ EV_DRIVER_VTD, i, EV_TAG_NO_PASID, i, 0 });
	op_fill(s, &a.op);
	SEND(s, EV_ATTACH, a);
}

/* A flush of everything whose walk does not reach all: who was not asked is not overdue. */
static void what_was_not_reached_is_not_overdue(void **state)
{
	struct story s;
	unsigned int i;

	(void)state;
	begin_pages(&s);
	for (i = 100; i < CACHES; i++)
		lazy_in(&s, i);
	use_up(&s);
	s.now += 100;
	alloc_domain(&s, DOM2);
	tag_as(&s, DOM2, DEV2, (struct tagged){ EV_DRIVER_VTD, 5000, EV_TAG_NO_PASID, 2, 0 });
	attach(&s, DEV2, DOM2);
	map_prot(&s, DOM2, IOVA, PAGE, 3);
	s.next.flags = EVF_FAST | EVF_QUEUED;
	unmap_of(&s, DOM2, IOVA, PAGE);
	page_free(&s, PADDR(IOVA), PAGE);
	s.next.flags = EVF_ROLLBACK;
	unmap_fast(&s, IOVA + PAGE, RANGES * PAGE);
	qi(&s, QI_GLOBAL, 0);
	for (i = 0; i < 60; i++) {
		s.now += 100000000;
		page_free(&s, PADDR(TOP / 2), PAGE);
		mark(&s, EV_MARK_TICK, 0);
	}
	expect_clean(&s);
	story_end(&s);
}

#define KEYS 64

static void *slow_floor(void *const *all, uint64_t key)
{
	uint64_t i = key < KEYS ? key : KEYS - 1;

	while (i && !all[i])
		i--;
	return all[i];
}

static void omap_remembers_what_is_true(void **state)
{
	static char value[KEYS];
	void *all[KEYS] = { NULL };
	struct omap m = { 0 };
	uint64_t key;
	int i;

	(void)state;
	for (i = 0; i < 200000; i++) {
		key = rnd(KEYS);
		switch (rnd(4)) {
		case 0:
			all[key] = &value[rnd(KEYS)];
			assert_int_equal(omap_put(&m, key, all[key]), 0);
			break;
		case 1:
			all[key] = NULL;
			omap_del(&m, key);
			break;
		case 2:
			assert_ptr_equal(omap_get(&m, key), all[key]);
			break;
		default:
			key = rnd(8) ? key : UINT64_MAX - key;
			assert_ptr_equal(omap_floor(&m, key), slow_floor(all, key));
			break;
		}
	}
	omap_clear(&m);
	assert_null(omap_floor(&m, UINT64_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_sure_afterwards),
		cmocka_unit_test(a_few_walks_cost_nothing),
		cmocka_unit_test(what_was_not_reached_is_not_overdue),
		cmocka_unit_test(omap_remembers_what_is_true),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
