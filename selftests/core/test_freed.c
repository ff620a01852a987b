// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* freed-while-mapped: a page is freed while a device could reach it. */
#include "pages.h"

#define IOVA 0x40000000ULL
#define FREED "freed-while-mapped"

/* ---- mapped ---- */

static void freed_while_live(void **state)
{
	struct story s;

	(void)state;
	begin_pages(&s);
	map(&s, IOVA, 4 * PAGE);
	page_free(&s, PADDR(IOVA) + 2 * PAGE, PAGE);
	expect(&s, FREED, 1);
	assert_int_equal(first(&s)->iova, IOVA);
	assert_int_equal(first(&s)->last, IOVA + 4 * PAGE - 1);
	assert_int_equal(first(&s)->device, DEV);
	assert_int_equal(detail(first(&s), "page_iova"), IOVA + 2 * PAGE);
	/* Its other pages are the same finding. */
	page_free(&s, PADDR(IOVA), PAGE);
	expect(&s, FREED, 1);
	assert_int_equal(first(&s)->count, 2);
	story_end(&s);
}

/* One page is live at [IOVA, IOVA + PAGE). */
static const struct {
	uint64_t paddr, bytes, found;
} borders[] = {
	{ PADDR(IOVA) - PAGE, PAGE, 0 },
	{ PADDR(IOVA) + PAGE, PAGE, 0 },
	{ PADDR(IOVA), PAGE, 1 },
	{ PADDR(IOVA) - PAGE, 2 * PAGE, 1 },
	{ PADDR(IOVA) - 3 * PAGE, 4 * PAGE, 1 },
	{ PADDR(IOVA) + PAGE, 0x400000, 0 },
	{ PADDR(IOVA) - 0x400000, 0x400000, 0 },
	{ PADDR(IOVA) - 0x3ff000, 0x400000, 1 },
	{ 0, 1ULL << 63, 1 },
	{ PADDR(IOVA), 0, 0 },
	{ PADDR(IOVA), TOP, 0 },
};

static void borders_of_a_page(void **state)
{
	struct story s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(borders) / sizeof(borders[0]); i++) {
		begin_pages(&s);
		map(&s, IOVA, PAGE);
		page_free(&s, borders[i].paddr, borders[i].bytes);
		expect(&s, FREED, borders[i].found);
		story_end(&s);
	}
}

static void unmapped_and_flushed_before(void **state)
{
	struct story s;

	(void)state;
	begin_pages(&s);
	map(&s, IOVA, PAGE);
	unmap_fast(&s, IOVA, PAGE);
	flush_pages(&s, IOVA, 0);
	page_free(&s, PADDR(IOVA), PAGE);
	expect_clean(&s);
	story_end(&s);
}

/* What is left of a mapping is still one, with its own frames. */
static void parts_of_a_mapping(void **state)
{
	struct story s;

	(void)state;
	begin_pages(&s);
	map(&s, IOVA, 8 * PAGE);
	unmap_fast(&s, IOVA + 2 * PAGE, 2 * PAGE);
	flush_pages(&s, IOVA + 2 * PAGE, 1);
	page_free(&s, PADDR(IOVA) + 2 * PAGE, 2 * PAGE);
	expect_clean(&s);
	page_free(&s, PADDR(IOVA) + PAGE, PAGE);
	expect(&s, FREED, 1);
	page_free(&s, PADDR(IOVA) + 7 * PAGE, PAGE);
	expect(&s, FREED, 2);
	story_end(&s);
}

/* Two domains hold the page; one let go of it. */
static void two_mappings_of_a_page(void **state)
{
	struct story s;

	(void)state;
	begin_pages(&s);
	map(&s, IOVA, PAGE);
	s.next.cause = 7;
	map(&s, IOVA + PAGE, PAGE);
	unmap_fast(&s, IOVA + PAGE, PAGE);
	flush_pages(&s, IOVA + PAGE, 0);
	page_free(&s, PADDR(IOVA) + PAGE, PAGE);
	expect_clean(&s);
	page_free(&s, PADDR(IOVA), PAGE);
	expect(&s, FREED, 1);
	story_end(&s);
}

static void nobody_is_attached(void **state)
{
	struct story s;

	(void)state;
	begin_pages(&s);
	alloc_domain(&s, DOM2);
	map_prot(&s, DOM2, IOVA, PAGE, 3);
	page_free(&s, PADDR(IOVA), PAGE);
	expect_clean(&s);
	assert_int_equal(unknowns(&s), 0);
	/* Attached: now it counts. */
	move(&s, DEV, DOM2);
	page_free(&s, PADDR(IOVA), PAGE);
	expect(&s, FREED, 1);
	story_end(&s);
}

static void device_has_left(void **state)
{
	struct story s;

	(void)state;
	begin_pages(&s);
	map(&s, IOVA, PAGE);
	move(&s, DEV, DOM2);
	page_free(&s, PADDR(IOVA), PAGE);
	expect_clean(&s);
	story_end(&s);
}

static void unmap_was_running(void **state)
{
	struct story s;
	uint64_t begin;

	(void)state;
	begin_pages(&s);
	map(&s, IOVA, PAGE);
	begin = s.now;
	page_free(&s, PADDR(IOVA), PAGE);
	expect(&s, FREED, 1);
	s.next.begin = begin;
	s.next.end = s.now + 10;
	unmap_fast(&s, IOVA, PAGE);
	expect(&s, FREED, 0);
	assert_int_equal(found(&s, FREED, GRADE_NOTE), 1);
	story_end(&s);
}

static void unmap_came_later(void **state)
{
	struct story s;

	(void)state;
	begin_pages(&s);
	map(&s, IOVA, PAGE);
	page_free(&s, PADDR(IOVA), PAGE);
	unmap_fast(&s, IOVA, PAGE);
	flush_pages(&s, IOVA, 0);
	expect(&s, FREED, 1);
	story_end(&s);
}

static void unmap_with_unknown_begin(void **state)
{
	struct story s;

	(void)state;
	begin_pages(&s);
	map(&s, IOVA, PAGE);
	page_free(&s, PADDR(IOVA), PAGE);
	s.next.nobegin = true;
	unmap_fast(&s, IOVA, PAGE);
	expect_clean(&s);
	story_end(&s);
}

static void device_was_leaving(void **state)
{
	struct story s;
	uint64_t begin;

	(void)state;
	begin_pages(&s);
	map(&s, IOVA, PAGE);
	begin = s.now;
	page_free(&s, PADDR(IOVA), PAGE);
	qi(&s, QI_CONTEXT(SID), 0);
	qi(&s, QI_DOMAIN(DID), 0);
	attach_since(&s, begin, DEV, DOM2);
	expect(&s, FREED, 0);
	assert_int_equal(found(&s, FREED, GRADE_NOTE), 1);
	story_end(&s);
}

/* Direct ranges: the core maps what firmware asked for, and pins nothing. */
static void mapped_one_to_one(void **state)
{
	struct story s;
	struct ev_map r = { .domain = DOM, .iova = IOVA, .size = PAGE, .paddr = IOVA, .prot = 3 };

	(void)state;
	begin_pages(&s);
	op_fill(&s, &r.op);
	SEND(&s, EV_MAP, r);
	page_free(&s, IOVA, PAGE);
	expect_clean(&s);
	story_end(&s);
}

static void unsure_is_unknown(void **state)
{
	struct story s;

	(void)state;
	begin_pages(&s);
	map(&s, IOVA, PAGE);
	gap(&s, s.now, s.now + 5);
	s.now += 100;
	page_free(&s, PADDR(IOVA), PAGE);
	expect_clean(&s);
	assert_true(unknowns(&s) > 0);
	story_end(&s);
}

static void not_heard(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	map(&s, IOVA, PAGE);
	page_free(&s, PADDR(IOVA), PAGE);
	expect_clean(&s);
	story_end(&s);
}

static void domain_died(void **state)
{
	struct story s;

	(void)state;
	begin_pages(&s);
	map(&s, IOVA, PAGE);
	move(&s, DEV, DOM2);
	free_domain(&s, DOM);
	page_free(&s, PADDR(IOVA), PAGE);
	expect_clean(&s);
	story_end(&s);
}

/* ---- unmapped, not flushed ---- */

static void freed_before_the_flush(void **state)
{
	struct story s;

	(void)state;
	begin_pages(&s);
	map(&s, IOVA, 2 * PAGE);
	unmap_fast(&s, IOVA, 2 * PAGE);
	page_free(&s, PADDR(IOVA) + PAGE, PAGE);
	expect(&s, FREED, 1);
	assert_int_equal(first(&s)->iommu, MMU);
	assert_int_equal(first(&s)->cache_id, DID);
	story_end(&s);
}

/* Half of it was flushed: only the other half matters. */
static void flushed_in_part(void **state)
{
	struct story s;

	(void)state;
	begin_pages(&s);
	map(&s, IOVA, 2 * PAGE);
	unmap_fast(&s, IOVA, 2 * PAGE);
	flush_pages(&s, IOVA, 0);
	page_free(&s, PADDR(IOVA), PAGE);
	expect_clean(&s);
	page_free(&s, PADDR(IOVA) + PAGE, PAGE);
	expect(&s, FREED, 1);
	story_end(&s);
}

/* The pages of a recycled IOVA's earlier mapping are nobody's. */
static void iova_used_again(void **state)
{
	struct story s;
	struct ev_map r = { .domain = DOM, .iova = IOVA, .size = PAGE, .paddr = 0x777000,
			    .prot = 3 };

	(void)state;
	begin_pages(&s);
	map(&s, IOVA, PAGE);
	unmap_queued(&s, IOVA, PAGE);
	qi(&s, QI_DOMAIN(DID), 0);
	op_fill(&s, &r.op);
	SEND(&s, EV_MAP, r);
	unmap_fast(&s, IOVA, PAGE);
	page_free(&s, PADDR(IOVA), PAGE);
	expect_clean(&s);
	page_free(&s, 0x777000, PAGE);
	expect(&s, FREED, 1);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(freed_while_live),
		cmocka_unit_test(borders_of_a_page),
		cmocka_unit_test(unmapped_and_flushed_before),
		cmocka_unit_test(parts_of_a_mapping),
		cmocka_unit_test(two_mappings_of_a_page),
		cmocka_unit_test(nobody_is_attached),
		cmocka_unit_test(device_has_left),
		cmocka_unit_test(unmap_was_running),
		cmocka_unit_test(unmap_came_later),
		cmocka_unit_test(unmap_with_unknown_begin),
		cmocka_unit_test(device_was_leaving),
		cmocka_unit_test(mapped_one_to_one),
		cmocka_unit_test(unsure_is_unknown),
		cmocka_unit_test(not_heard),
		cmocka_unit_test(domain_died),
		cmocka_unit_test(freed_before_the_flush),
		cmocka_unit_test(flushed_in_part),
		cmocka_unit_test(iova_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
