// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* stale-iotlb and flush-short: what caches owe, who pays, and when it shows. */
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

/* ---- who pays ---- */

struct payment {
	const char *name;
	uint64_t qw0, qw1;
	const char *finding;	/* NULL: all paid */
	uint64_t iova, last;	/* what is missing */
};

/* [BUF, BUF + 4 pages - 1] is owed, then one VT-d descriptor comes. */
static const struct payment vtd[] = {
	{ "global", QI_GLOBAL, 0, NULL, 0, 0 },
	{ "domain", QI_DOMAIN(DID), 0, NULL, 0, 0 },
	{ "other domain", QI_DOMAIN(DID + 1), 0, "stale-iotlb", BUF, BUF + 0x3fff },
	{ "exact", QI_PAGES(DID), BUF | 2, NULL, 0, 0 },
	{ "leaves only", QI_PAGES(DID), BUF | 0x40 | 2, NULL, 0, 0 },
	{ "larger", QI_PAGES(DID), BUF | 9, NULL, 0, 0 },
	{ "everything by mask", QI_PAGES(DID), 0x3f, NULL, 0, 0 },
	{ "first half", QI_PAGES(DID), BUF | 1, "flush-short", BUF + 0x2000, BUF + 0x3fff },
	{ "second half", QI_PAGES(DID), (BUF + 0x2000) | 1, "flush-short", BUF, BUF + 0x1fff },
	{ "last page", QI_PAGES(DID), BUF + 0x3000, "flush-short", BUF, BUF + 0x2fff },
	{ "middle", QI_PAGES(DID), BUF + 0x1000, "flush-short", BUF, BUF + 0xfff },
	{ "below", QI_PAGES(DID), BUF - 0x1000, "stale-iotlb", BUF, BUF + 0x3fff },
	{ "unaligned start", QI_PAGES(DID), (BUF + 0x1000) | 1, "flush-short",
	  BUF + 0x2000, BUF + 0x3fff },
	{ "pages of another", QI_PAGES(DID + 1), BUF | 2, "stale-iotlb", BUF, BUF + 0x3fff },
	{ "first stage, all", QI_PASID_ALL(DID, 0), 0, NULL, 0, 0 },
	{ "first stage, pages", QI_PASID_PAGES(DID, 0), BUF | 2, NULL, 0, 0 },
	{ "another PASID", QI_PASID_ALL(DID, 5), 0, "stale-iotlb", BUF, BUF + 0x3fff },
	{ "context cache", 0x11 | 0ULL, 0, "stale-iotlb", BUF, BUF + 0x3fff },
	{ "PASID cache", 0x7, 0, "stale-iotlb", BUF, BUF + 0x3fff },
	{ "interrupt entries", 0x4, 0, "stale-iotlb", BUF, BUF + 0x3fff },
	{ "wait", 0x5, 0, "stale-iotlb", BUF, BUF + 0x3fff },
	{ "device TLB", QI_DEVTLB(SID), 0, "stale-iotlb", BUF, BUF + 0x3fff },
	{ "unheard of", 0xf, 0, NULL, 0, 0 },
};

static void pay(const struct payment *p, size_t n, bool is_amd, struct tagged t)
{
	size_t i;

	for (i = 0; i < n; i++, p++) {
		struct story s;

		story_begin(&s);
		alloc_domain(&s, DOM);
		tag_as(&s, DOM, DEV, t);
		map(&s, BUF, BUF_SIZE);
		unmap_fast(&s, BUF, BUF_SIZE);
		if (is_amd) {
			amd(&s, EV_AMD_CMD, p->qw0, p->qw1);
			amd(&s, EV_AMD_WAIT, 0, 0);
		} else {
			qi(&s, p->qw0, p->qw1);
		}
		map(&s, BUF, BUF_SIZE);
		if (!p->finding) {
			if (found(&s, NULL, GRADE_NOTE))
				print_error("%s\n", p->name);
			expect_clean(&s);
		} else {
			const struct finding *f = first(&s);

			if (strcmp(finding_name(f->id), p->finding) || f->iova != p->iova ||
			    f->last != p->last)
				print_error("%s\n", p->name);
			assert_string_equal(finding_name(f->id), p->finding);
			assert_int_equal(f->iova, p->iova);
			assert_int_equal(f->last, p->last);
		}
		story_end(&s);
	}
}

static void vtd_descriptors(void **state)
{
	(void)state;
	pay(vtd, sizeof(vtd) / sizeof(vtd[0]), false,
	    (struct tagged){ EV_DRIVER_VTD, DID, EV_TAG_NO_PASID, SID, 0 });
}

#define AMD_PAGES(did)	(3ULL << 60 | (uint64_t)(did) << 32)
#define AMD_ALL_PAGES	0x7ffffffffffff000ULL

static const struct payment amd_iotlb[] = {
	{ "all", AMD_PAGES(DID), AMD_ALL_PAGES | 1, NULL, 0, 0 },
	{ "everything", 8ULL << 60, 0, NULL, 0, 0 },
	{ "other domain", AMD_PAGES(DID + 1), AMD_ALL_PAGES | 1, "stale-iotlb", BUF, BUF + 0x3fff },
	{ "four pages", AMD_PAGES(DID), BUF | 0x1000 | 1, NULL, 0, 0 },
	{ "with tables", AMD_PAGES(DID), BUF | 0x1000 | 3, NULL, 0, 0 },
	{ "guest tables", AMD_PAGES(DID), BUF | 0x1000 | 5, NULL, 0, 0 },
	{ "guest tables of another", AMD_PAGES(DID) | 4, BUF | 0x1000 | 5, "stale-iotlb",
	  BUF, BUF + 0x3fff },
	{ "two pages", AMD_PAGES(DID), BUF | 1, "flush-short", BUF + 0x2000, BUF + 0x3fff },
	{ "one page", AMD_PAGES(DID), BUF, "flush-short", BUF + 0x1000, BUF + 0x3fff },
	{ "device table entry", 2ULL << 60 | SID, 0, "stale-iotlb", BUF, BUF + 0x3fff },
	{ "interrupt table", 5ULL << 60 | SID, 0, "stale-iotlb", BUF, BUF + 0x3fff },
};

static void amd_commands(void **state)
{
	(void)state;
	pay(amd_iotlb, sizeof(amd_iotlb) / sizeof(amd_iotlb[0]), true,
	    (struct tagged){ EV_DRIVER_AMD, DID, EV_TAG_NO_PASID, SID, 0 });
}

static void amd_commands_need_a_wait(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	tag_as(&s, DOM, DEV, (struct tagged){ EV_DRIVER_AMD, DID, EV_TAG_NO_PASID, SID, 0 });
	map(&s, BUF, BUF_SIZE);
	unmap_fast(&s, BUF, BUF_SIZE);
	amd(&s, EV_AMD_CMD, AMD_PAGES(DID), AMD_ALL_PAGES | 1);
	map(&s, BUF, PAGE);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
}

static void a_device_tlb_owes_for_itself(void **state)
{
	static const struct {
		uint64_t qw0, qw1;
		uint64_t findings;
	} cases[] = {
		{ QI_DEVTLB(SID), BUF | 0x1001, 0 },
		{ QI_DEVTLB(SID), 0x7ffffffffffff001ULL, 0 },
		{ QI_DEVTLB(SID), BUF, 1 },
		{ QI_DEVTLB(SID), BUF | 1, 1 },
		{ QI_DEVTLB(SID + 1), BUF | 0x1001, 1 },
		{ QI_PASID_DEVTLB(SID, 0), BUF | 0x1800, 0 },
		{ QI_PASID_DEVTLB(SID, 0), BUF, 1 },
		{ QI_GLOBAL, 0, 1 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct story s;

		story_begin(&s);
		tag_as(&s, DOM, DEV, (struct tagged){ EV_DRIVER_VTD, DID, EV_TAG_NO_PASID, SID, 1 });
		map(&s, BUF, BUF_SIZE);
		unmap_fast(&s, BUF, BUF_SIZE);
		qi(&s, QI_DOMAIN(DID), 0);
		qi(&s, cases[i].qw0, cases[i].qw1);
		map(&s, BUF, BUF_SIZE);
		assert_int_equal(found(&s, NULL, GRADE_VIOLATION), cases[i].findings);
		story_end(&s);
	}
}

static void several_flushes_make_one_union(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	map(&s, BUF, BUF_SIZE);
	unmap_fast(&s, BUF, BUF_SIZE);
	flush_pages(&s, BUF + 1 * PAGE, 0);
	flush_pages(&s, BUF + 3 * PAGE, 0);
	flush_pages(&s, BUF + 0 * PAGE, 0);
	map(&s, BUF + 3 * PAGE, PAGE);
	expect_clean(&s);
	map(&s, BUF, 3 * PAGE);
	expect(&s, "flush-short", 1);
	assert_int_equal(first(&s)->iova, BUF + 2 * PAGE);
	story_end(&s);
}

static void the_top_page(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	map(&s, -PAGE, PAGE);
	unmap_fast(&s, -PAGE, PAGE);
	flush_pages(&s, -2 * PAGE, 0);
	map(&s, -PAGE, PAGE);
	expect(&s, "stale-iotlb", 1);
	unmap_fast(&s, -PAGE, PAGE);
	flush_pages(&s, -2 * PAGE, 1);
	map(&s, -PAGE, PAGE);
	expect(&s, "stale-iotlb", 1);
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
	attach(&s, DEV, 0);
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
	attach(&s, DEV, DOM2);
	map(&s, BUF, BUF_SIZE);
	expect_clean(&s);
	story_end(&s);
}

static void another_device_still_owes(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	tag(&s, DOM, DEV2);
	map(&s, BUF, BUF_SIZE);
	unmap_fast(&s, BUF, BUF_SIZE);
	attach(&s, DEV, DOM2);
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
	s.next = (struct next){ .begin = at, .end = at + 60, .cpu = 1 };
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
	expect_clean(&s);
	story_end(&s);
}

static void a_domain_that_died_owes_nothing(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	map(&s, BUF, BUF_SIZE);
	unmap_fast(&s, BUF, BUF_SIZE);
	attach(&s, DEV, 0);
	free_domain(&s, DOM);
	alloc_domain(&s, DOM);
	map(&s, BUF, BUF_SIZE);
	expect_clean(&s);
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
		cmocka_unit_test(a_flush_inside_a_fast_unmap_may_have_paid),
		cmocka_unit_test(vtd_descriptors),
		cmocka_unit_test(amd_commands),
		cmocka_unit_test(amd_commands_need_a_wait),
		cmocka_unit_test(a_device_tlb_owes_for_itself),
		cmocka_unit_test(several_flushes_make_one_union),
		cmocka_unit_test(the_top_page),
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
