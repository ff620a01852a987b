// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* lazy-exposure: a page is freed before the flush queue of its domain has run. */
#include "pages.h"

#define IOVA 0x40000000ULL
#define LAZY "lazy-exposure"
#define SECOND 1000000000ULL

/* A page is freed that its unmap, still queued, has left in the cache. */
static void expose(struct story *s)
{
	map(s, IOVA, PAGE);
	unmap_queued(s, IOVA, PAGE);
	page_free(s, PADDR(IOVA), PAGE);
}

static void lazy_is_counted(void **state)
{
	const struct finding *f;
	struct story s;
	int i;

	(void)state;
	begin_pages(&s);
	for (i = 0; i < 3; i++) {
		map(&s, IOVA + i * PAGE, PAGE);
		unmap_queued(&s, IOVA + i * PAGE, PAGE);
		page_free(&s, PADDR(IOVA) + i * PAGE, PAGE);
		s.now += 1000;
	}
	s.now += 1000000;
	qi(&s, QI_DOMAIN(DID), 0);
	assert_int_equal(engine_finish(s.e), 0);
	expect(&s, LAZY, 0);
	assert_int_equal(found(&s, LAZY, GRADE_EXPOSURE), 1);
	f = first(&s);
	assert_int_equal(f->grade, GRADE_EXPOSURE);
	assert_int_equal(f->device, DEV);
	assert_int_equal(detail(f, "count"), 3);
	assert_int_equal(detail(f, "bytes"), 3 * PAGE);
	assert_in_range(detail(f, "longest_ns"), 1003000, 1004000);
	assert_in_range(detail(f, "p99_ns"), 1003000, 1004000);
	assert_int_equal(detail(f, "longest_iova"), IOVA);
	story_end(&s);
}

static void lazy_freed_after_the_flush(void **state)
{
	struct story s;

	(void)state;
	begin_pages(&s);
	map(&s, IOVA, PAGE);
	unmap_queued(&s, IOVA, PAGE);
	qi(&s, QI_DOMAIN(DID), 0);
	page_free(&s, PADDR(IOVA), PAGE);
	assert_int_equal(engine_finish(s.e), 0);
	expect_clean(&s);
	story_end(&s);
}

/* A queue dies with its domain, unflushed, legally. */
static void lazy_domain_died(void **state)
{
	struct story s;

	(void)state;
	begin_pages(&s);
	expose(&s);
	move(&s, DEV, DOM2);
	free_domain(&s, DOM);
	qi(&s, QI_DOMAIN(DID), 0);
	assert_int_equal(engine_finish(s.e), 0);
	assert_int_equal(found(&s, NULL, GRADE_VIOLATION), 0);
	story_end(&s);
}

static void lazy_untrusted(void **state)
{
	struct story s;
	struct ev_device r = { .dev = DEV, .driver_kind = EV_DRIVER_VTD, .sid = SID,
			       .flags = EV_DEV_UNTRUSTED, .name = "0000:00:02.0" };

	(void)state;
	begin_pages(&s);
	SEND(&s, EV_DEVICE, r);
	expose(&s);
	expect(&s, LAZY, 1);
	story_end(&s);
}

static void ticks(struct story *s, int n, uint64_t apart_ns)
{
	while (n--) {
		s->now += apart_ns;
		mark(s, EV_MARK_TICK, s->now);
	}
}

static void lazy_never_flushed(void **state)
{
	struct story s;

	(void)state;
	begin_pages(&s);
	expose(&s);
	ticks(&s, 3, SECOND);
	expect_clean(&s);
	ticks(&s, 2, SECOND);
	expect(&s, LAZY, 1);
	story_end(&s);
}

/* The machine stood still: one tick is no proof, nor are many in a short time. */
static void lazy_time_jumped(void **state)
{
	struct story s;

	(void)state;
	begin_pages(&s);
	expose(&s);
	ticks(&s, 8, SECOND / 5);
	expect_clean(&s);
	qi(&s, QI_DOMAIN(DID), 0);
	expose(&s);
	ticks(&s, 1, 3600 * SECOND);
	expect_clean(&s);
	story_end(&s);
}

static void fault(struct story *s, uint64_t iova)
{
	struct ev_fault r = { .dev = DEV, .domain = DOM, .iova = iova, .prot = 1 };

	SEND(s, EV_FAULT, r);
}

static void lazy_refused(void **state)
{
	struct story s;

	(void)state;
	begin_pages(&s);
	expose(&s);
	fault(&s, IOVA - 1);
	fault(&s, IOVA + PAGE);
	expect_clean(&s);
	fault(&s, IOVA + PAGE - 1);
	/* It was refused: the cache did not serve it. */
	assert_int_equal(found(&s, LAZY, GRADE_VIOLATION), 0);
	assert_int_equal(found(&s, "fault-after-unmap", GRADE_VIOLATION), 1);
	story_end(&s);
}

/* What was owed is forgotten in a loss: how long it lasted is not known. */
static void lazy_lost(void **state)
{
	struct story s;

	(void)state;
	begin_pages(&s);
	expose(&s);
	gap(&s, s.now, s.now + 5);
	s.now += 100;
	qi(&s, QI_DOMAIN(DID), 0);
	assert_int_equal(engine_finish(s.e), 0);
	expect_clean(&s);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lazy_is_counted),
		cmocka_unit_test(lazy_freed_after_the_flush),
		cmocka_unit_test(lazy_domain_died),
		cmocka_unit_test(lazy_untrusted),
		cmocka_unit_test(lazy_never_flushed),
		cmocka_unit_test(lazy_time_jumped),
		cmocka_unit_test(lazy_refused),
		cmocka_unit_test(lazy_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
