// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* stale-iotlb and flush-short: what caches owe and when it shows. */
#include "story.h"

#define BUF 0x10000ULL		/* four pages, mapped and unmapped */
#define BUF_SIZE (4 * PAGE)

/* ---- when it shows ---- */

static void reused_without_a_flush(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	map(&s, BUF, BUF_SIZE);
	unmap_fast(&s, BUF, BUF_SIZE);
	expect_clean(&s);
	map(&s, BUF + 3 * PAGE, PAGE);
	expect(&s, "stale-iotlb", 1);
	assert_int_equal(first(&s)->iommu, MMU);
	assert_int_equal(first(&s)->cache_id, DID);
	assert_int_equal(first(&s)->nrefs, 3);
	story_end(&s);
}

struct reuse {
	const char *name;
	uint64_t iova, size;
	uint64_t findings;
};

static const struct reuse reuses[] = {
	{ "below", BUF - PAGE, PAGE, 0 },
	{ "above", BUF + BUF_SIZE, PAGE, 0 },
	{ "first byte", BUF - PAGE, PAGE + 1, 1 },
	{ "last byte", BUF + BUF_SIZE - 1, 1, 1 },
	{ "nothing", BUF, 0, 0 },
};

static void only_the_same_bytes_count(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(reuses) / sizeof(reuses[0]); i++) {
		struct story s;

		story_begin_attached(&s);
		map(&s, BUF, BUF_SIZE);
		unmap_fast(&s, BUF, BUF_SIZE);
		map(&s, reuses[i].iova, reuses[i].size);
		expect(&s, "stale-iotlb", reuses[i].findings);
		story_end(&s);
	}
}

static void queued_debts_show_at_reuse(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	map(&s, BUF, BUF_SIZE);
	s.next.cause = 9;
	s.next.flags = EVF_QUEUED;
	unmap_fast(&s, BUF, BUF_SIZE);
	s.next.id = 9;
	dma(&s, EV_DMA_UNMAP, BUF, BUF_SIZE, EV_DMA_PAGE, 0);
	expect_clean(&s);
	map(&s, BUF, PAGE);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
}

static void a_plain_unmap_flushes_before_it_returns(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin_attached(&s);
	map(&s, BUF, BUF_SIZE);
	at = s.now;
	s.next = (struct next){ .begin = at + 20, .end = at + 30 };
	flush_pages(&s, BUF, 2);
	s.next = (struct next){ .begin = at, .end = at + 40 };
	unmap(&s, BUF, BUF_SIZE);
	expect_clean(&s);
	story_end(&s);
}

static void a_plain_unmap_that_does_not(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	map(&s, BUF, BUF_SIZE);
	/* This one ended before the unmap began. */
	flush_pages(&s, BUF, 2);
	unmap(&s, BUF, BUF_SIZE);
	expect(&s, "stale-iotlb", 1);
	/* Told once, not again at reuse. */
	map(&s, BUF, PAGE);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
}

static void the_intent_ends(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	map(&s, BUF, BUF_SIZE);
	s.next.cause = 9;
	unmap_fast(&s, BUF, BUF_SIZE);
	s.next.id = 9;
	vfio(&s, EV_VFIO_UNMAP, BUF, BUF_SIZE, 0);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
}

static void the_intent_ends_after_its_flush(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	map(&s, BUF, BUF_SIZE);
	s.next.cause = 9;
	unmap_fast(&s, BUF, 2 * PAGE);
	s.next.cause = 9;
	unmap_fast(&s, BUF + 2 * PAGE, 2 * PAGE);
	flush_pages(&s, BUF, 2);
	s.next.id = 9;
	dma(&s, EV_DMA_UNMAP, BUF, BUF_SIZE, EV_DMA_PAGE, 0);
	expect_clean(&s);
	story_end(&s);
}

/* A gather that turns to another page size syncs the first part from inside the call. */
/* Slots of a page each, with holes between; one VFIO unmap of all flushes all but the last. */
static void slots_unmapped_in_one(struct story *s, unsigned int slots, bool all_flushed)
{
	unsigned int i;

	story_begin_attached(s);
	for (i = 0; i < slots; i++)
		slot(s, BUF + 2 * i * PAGE, PAGE, 50 + i);
	for (i = 0; i < slots; i++) {
		s->next.cause = 40;
		unmap_fast(s, BUF + 2 * i * PAGE, PAGE);
		if (all_flushed || i + 1 < slots)
			flush_pages(s, BUF + 2 * i * PAGE, 0);
	}
	s->next.id = 40;
	vfio(s, EV_VFIO_UNMAP, BUF, 2 * slots * PAGE, 0);
}

static void an_intent_of_many_parts_ends(void **state)
{
	struct story s;

	(void)state;
	slots_unmapped_in_one(&s, 8, false);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
	slots_unmapped_in_one(&s, 9, false);
	expect(&s, "stale-iotlb", 1);
	assert_int_equal(first(&s)->iova, BUF + 16 * PAGE);
	story_end(&s);
	slots_unmapped_in_one(&s, 9, true);
	expect(&s, NULL, 0);
	story_end(&s);
}

/* What is owed by an unmap of nobody's is not the intent's that ends. */
static void an_intent_of_many_parts_is_not_to_blame(void **state)
{
	struct story s;
	unsigned int i;

	(void)state;
	story_begin_attached(&s);
	map(&s, 0x800000, PAGE);
	for (i = 0; i < 9; i++)
		slot(&s, BUF + 2 * i * PAGE, PAGE, 50 + i);
	unmap_fast(&s, 0x800000, PAGE);
	for (i = 0; i < 9; i++) {
		s.next.cause = 40;
		unmap_fast(&s, BUF + 2 * i * PAGE, PAGE);
		flush_pages(&s, BUF + 2 * i * PAGE, 0);
	}
	s.next.id = 40;
	vfio(&s, EV_VFIO_UNMAP, BUF, 18 * PAGE, 0);
	expect(&s, NULL, 0);
	story_end(&s);
}

static void a_flush_inside_a_fast_unmap_may_have_paid(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin_attached(&s);
	map(&s, BUF, BUF_SIZE);
	at = s.now;
	s.next = (struct next){ .begin = at + 20, .end = at + 30 };
	flush_pages(&s, BUF, 1);
	s.next = (struct next){ .begin = at, .end = at + 40, .cause = 9 };
	unmap_fast(&s, BUF, BUF_SIZE);
	flush_pages(&s, BUF + 2 * PAGE, 1);
	s.next.id = 9;
	dma(&s, EV_DMA_UNMAP, BUF, BUF_SIZE, EV_DMA_PAGE, 0);
	expect_clean(&s);
	story_end(&s);
}

/* ---- nobody owes ---- */

static void a_flush_that_failed_proves_nothing(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	map(&s, BUF, BUF_SIZE);
	unmap_fast(&s, BUF, BUF_SIZE);
	s.next.ret = -110;
	qi(&s, QI_DOMAIN(DID), 0);
	map(&s, BUF, BUF_SIZE);
	expect_clean(&s);
	assert_true(report_tally(engine_report(s.e))->unknown > 0);
	story_end(&s);
}

static void a_flush_with_unknown_begin_may_have_paid(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	map(&s, BUF, BUF_SIZE);
	unmap_fast(&s, BUF, BUF_SIZE);
	s.next.nobegin = true;
	qi(&s, QI_DOMAIN(DID), 0);
	map(&s, BUF, BUF_SIZE);
	expect_clean(&s);
	story_end(&s);
}

static void a_flush_begun_before_the_unmap_pays_nothing(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin_attached(&s);
	map(&s, BUF, BUF_SIZE);
	at = s.now;
	s.next = (struct next){ .begin = at + 10, .end = at + 20 };
	unmap_fast(&s, BUF, BUF_SIZE);
	s.next = (struct next){ .begin = at + 9, .end = at + 50 };
	qi(&s, QI_DOMAIN(DID), 0);
	map(&s, BUF, BUF_SIZE);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
}

/* VFIO's close: detached first, unmapped afterwards, nothing sent. */
static void nobody_is_attached(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	map(&s, BUF, BUF_SIZE);
	move(&s, DEV, 0);
	unmap(&s, BUF, BUF_SIZE);
	map(&s, BUF, BUF_SIZE);
	expect_clean(&s);
	story_end(&s);
}

static void the_device_leaves_with_its_debts(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	map(&s, BUF, BUF_SIZE);
	unmap_fast(&s, BUF, BUF_SIZE);
	move(&s, DEV, DOM2);
	map(&s, BUF, BUF_SIZE);
	expect_clean(&s);
	story_end(&s);
}

static void another_device_still_owes(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin_attached(&s);
	tag(&s, DOM, DEV2);
	map(&s, BUF, BUF_SIZE);
	unmap_fast(&s, BUF, BUF_SIZE);
	at = s.now;
	qi(&s, QI_CONTEXT(SID), 0);
	attach_since(&s, at, DEV, DOM2);
	map(&s, BUF, BUF_SIZE);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
}

static void a_detach_beside_the_unmap_is_a_note(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin_attached(&s);
	map(&s, BUF, BUF_SIZE);
	at = s.now;
	s.next = (struct next){ .begin = at + 10, .end = at + 20 };
	unmap(&s, BUF, BUF_SIZE);
	expect(&s, "stale-iotlb", 1);
	qi(&s, QI_CONTEXT(SID), 0);
	qi(&s, QI_DOMAIN(DID), 0);
	s.next = (struct next){ .begin = at, .end = at + 70, .cpu = 1 };
	attach(&s, DEV, DOM2);
	expect(&s, "stale-iotlb", 0);
	assert_int_equal(found(&s, "stale-iotlb", GRADE_NOTE), 1);
	story_end(&s);
}

static void a_tag_younger_than_the_unmap_owes_nothing(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin(&s);
	map(&s, BUF, BUF_SIZE);
	at = s.now;
	tag(&s, DOM, DEV);
	s.next = (struct next){ .begin = at, .end = at + 60 };
	unmap(&s, BUF, BUF_SIZE);
	expect_clean(&s);
	story_end(&s);
}

static void unknown_content_owes_nothing(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	unmap(&s, BUF, BUF_SIZE);
	map(&s, BUF, BUF_SIZE);
	expect(&s, NULL, 0);
	story_end(&s);
}

static void a_domain_that_died_owes_nothing(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	map(&s, BUF, BUF_SIZE);
	unmap_fast(&s, BUF, BUF_SIZE);
	move(&s, DEV, 0);
	free_domain(&s, DOM);
	alloc_domain(&s, DOM);
	map(&s, BUF, BUF_SIZE);
	expect_clean(&s);
	story_end(&s);
}

#define AMD_PAGES(did) (3ULL << 60 | (uint64_t)(did) << 32)

/*
 * Somebody's flush rides on the completion wait of another CPU, which is told after he has gone on
 * and used the address again. Begun at @wait after that map, it proves nothing.
 */
static void rides_on_a_wait(struct story *s, int64_t wait)
{
	uint64_t at;

	story_begin(s);
	alloc_domain(s, DOM);
	tag_as(s, DOM, DEV, (struct tagged){ EV_DRIVER_AMD, DID, EV_TAG_NO_PASID, SID, 0 });
	map(s, BUF, PAGE);
	unmap_fast(s, BUF, PAGE);
	amd(s, EV_AMD_CMD, AMD_PAGES(DID), BUF);
	at = s->now;
	map(s, BUF, PAGE);
	s->next.begin = at + wait;
	s->next.end = s->now;
	amd(s, EV_AMD_WAIT, 0, 0);
}

static void a_wait_may_be_told_late(void **state)
{
	struct story s;

	(void)state;
	rides_on_a_wait(&s, -1);
	expect_clean(&s);
	story_end(&s);
}

static void a_wait_that_came_too_late(void **state)
{
	struct story s;

	(void)state;
	rides_on_a_wait(&s, 0);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
	rides_on_a_wait(&s, 1);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
}

/* A wait completes what was queued before it: here nothing was. */
static void a_wait_for_nothing(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin(&s);
	alloc_domain(&s, DOM);
	tag_as(&s, DOM, DEV, (struct tagged){ EV_DRIVER_AMD, DID, EV_TAG_NO_PASID, SID, 0 });
	map(&s, BUF, PAGE);
	unmap_fast(&s, BUF, PAGE);
	at = s.now;
	map(&s, BUF, PAGE);
	s.next.begin = at - 1;
	s.next.end = s.now;
	amd(&s, EV_AMD_WAIT, 0, 0);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reused_without_a_flush),
		cmocka_unit_test(only_the_same_bytes_count),
		cmocka_unit_test(queued_debts_show_at_reuse),
		cmocka_unit_test(a_plain_unmap_flushes_before_it_returns),
		cmocka_unit_test(a_plain_unmap_that_does_not),
		cmocka_unit_test(the_intent_ends),
		cmocka_unit_test(the_intent_ends_after_its_flush),
		cmocka_unit_test(an_intent_of_many_parts_ends),
		cmocka_unit_test(an_intent_of_many_parts_is_not_to_blame),
		cmocka_unit_test(a_flush_inside_a_fast_unmap_may_have_paid),
		cmocka_unit_test(a_flush_that_failed_proves_nothing),
		cmocka_unit_test(a_flush_with_unknown_begin_may_have_paid),
		cmocka_unit_test(a_flush_begun_before_the_unmap_pays_nothing),
		cmocka_unit_test(nobody_is_attached),
		cmocka_unit_test(the_device_leaves_with_its_debts),
		cmocka_unit_test(another_device_still_owes),
		cmocka_unit_test(a_detach_beside_the_unmap_is_a_note),
		cmocka_unit_test(a_tag_younger_than_the_unmap_owes_nothing),
		cmocka_unit_test(unknown_content_owes_nothing),
		cmocka_unit_test(a_domain_that_died_owes_nothing),
		cmocka_unit_test(a_wait_may_be_told_late),
		cmocka_unit_test(a_wait_that_came_too_late),
		cmocka_unit_test(a_wait_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
