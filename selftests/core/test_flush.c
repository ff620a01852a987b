// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Invalidation commands, VT-d and AMD-Vi: which of them pay what a cache owes. */
#include "story.h"

#define BUF 0x10000ULL		/* four pages, mapped and unmapped */
#define BUF_SIZE (4 * PAGE)

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

static void one_payment(struct story *s, const struct payment *p, bool is_amd, struct tagged t)
{
	story_begin(s);
	alloc_domain(s, DOM);
	tag_as(s, DOM, DEV, t);
	map(s, BUF, BUF_SIZE);
	unmap_fast(s, BUF, BUF_SIZE);
	if (is_amd) {
		amd(s, EV_AMD_CMD, p->qw0, p->qw1);
		amd(s, EV_AMD_WAIT, 0, 0);
	} else {
		qi(s, p->qw0, p->qw1);
	}
	map(s, BUF, BUF_SIZE);
}

static bool as_expected(const struct story *s, const struct payment *p)
{
	const struct finding *f = report_next(engine_report(s->e), NULL);

	if (!p->finding || !f)
		return !p->finding && !f;

	return !strcmp(finding_name(f->id), p->finding) && f->iova == p->iova &&
	       f->last == p->last;
}

static void pay(const struct payment *p, size_t n, bool is_amd, struct tagged t)
{
	struct story s;

	for (; n--; p++) {
		one_payment(&s, p, is_amd, t);
		if (!as_expected(&s, p))
			fail_msg("%s", p->name);
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
		{ QI_PASID_DEVTLB(SID, 0), BUF | 0x1801, 0 },	/* of all PASIDs */
		{ QI_PASID_DEVTLB(SID, 0), BUF | 0x1800, 1 },	/* of one */
		{ QI_PASID_DEVTLB(SID, 0), BUF | 1, 1 },
		{ QI_GLOBAL, 0, 1 },
	};
	const struct tagged with_ats = { EV_DRIVER_VTD, DID, EV_TAG_NO_PASID, SID, 1 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct story s;

		story_begin(&s);
		tag_as(&s, DOM, DEV, with_ats);
		map(&s, BUF, BUF_SIZE);
		unmap_fast(&s, BUF, BUF_SIZE);
		qi(&s, QI_DOMAIN(DID), 0);
		qi(&s, cases[i].qw0, cases[i].qw1);
		map(&s, BUF, BUF_SIZE);
		assert_int_equal(found(&s, NULL, GRADE_VIOLATION), cases[i].findings);
		story_end(&s);
	}
}

/* A PASID's translations are tagged with it: a flush of another pays nothing, a domain's does. */
static void a_pasid_owes_for_itself(void **state)
{
	static const struct {
		uint64_t qw0, qw1;
		uint64_t findings;
	} cases[] = {
		{ QI_PASID_PAGES(DID, 5), BUF | 2, 0 },
		{ QI_PASID_ALL(DID, 5), 0, 0 },
		{ QI_PASID_ALL(DID, 0), 0, 1 },
		{ QI_PASID_ALL(DID, 6), 0, 1 },
		{ QI_DOMAIN(DID), 0, 0 },
	};
	const struct tagged with_pasid = { EV_DRIVER_VTD, DID, 5, SID, 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct story s;

		story_begin(&s);
		tag_as(&s, DOM, DEV, with_pasid);
		map(&s, BUF, BUF_SIZE);
		unmap_fast(&s, BUF, BUF_SIZE);
		qi(&s, cases[i].qw0, cases[i].qw1);
		map(&s, BUF, BUF_SIZE);
		assert_int_equal(found(&s, NULL, GRADE_VIOLATION), cases[i].findings);
		story_end(&s);
	}
}

/* DEV has DOM behind PASID 5, and goes itself to a domain of @type; then DOM unmaps, and nothing is flushed. */
static void moved_with_a_pasid(struct story *s, uint32_t type)
{
	uint64_t begin;

	story_begin_attached(s);
	tag_as(s, DOM, DEV, (struct tagged){ EV_DRIVER_VTD, DID, 5, SID, 0 });
	map(s, BUF, BUF_SIZE);
	begin = s->now;
	describe_domain(s, DOM2, type);
	qi(s, QI_CONTEXT(SID), 0);
	qi(s, QI_DOMAIN(DID), 0);
	attach_since(s, begin, DEV, DOM2);
	unmap(s, BUF, BUF_SIZE);
}

/* A reset on 7.x takes PASIDs away and gives them back unheard. */
static void who_is_blocked_may_have_no_pasids(void **state)
{
	struct story s;

	(void)state;
	moved_with_a_pasid(&s, DOMAIN_BLOCKED);
	expect(&s, NULL, 0);
	assert_int_not_equal(unknowns(&s), 0);
	/* A tag says that it is there, from now on. */
	tag_as(&s, DOM, DEV, (struct tagged){ EV_DRIVER_VTD, DID, 5, SID, 0 });
	map(&s, BUF, BUF_SIZE);
	unmap(&s, BUF, BUF_SIZE);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
}

static void a_pasid_stays_when_its_device_moves(void **state)
{
	struct story s;

	(void)state;
	moved_with_a_pasid(&s, DOMAIN_PAGING);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
}

/* Nobody can say whether a PASID is still there if its end is not heard. */
static void a_pasid_whose_end_is_not_heard(void **state)
{
	static const struct {
		uint32_t hook, state;
		uint64_t findings;
	} cases[] = {
		{ HOOK_PASID_DETACH, EV_HOOK_HEARD, 1 },
		{ HOOK_PASID_DETACH, EV_HOOK_REFUSED, 0 },
		{ HOOK_PASID_DETACH, EV_HOOK_MISSING, 0 },
		{ HOOK_PASID_REPLACE, EV_HOOK_REFUSED, 0 },
		{ HOOK_PASID_REPLACE, EV_HOOK_MISSING, 1 },	/* older kernels have none */
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct story s;

		story_begin(&s);
		hook(&s, cases[i].hook, cases[i].state);
		tag_as(&s, DOM, DEV, (struct tagged){ EV_DRIVER_VTD, DID, 5, SID, 0 });
		map(&s, BUF, BUF_SIZE);
		unmap(&s, BUF, BUF_SIZE);
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

/* A hostile trace names a new IOMMU with each flush: nothing is kept of them. */
static void an_iommu_that_no_tag_named(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	qi(&s, QI_GLOBAL, 0);
	amd(&s, EV_AMD_CMD, 8ULL << 60, 0);
	amd(&s, EV_AMD_WAIT, 0, 0);
	assert_int_equal(s.ret, 0);
	assert_null(model_iommu(engine_model(s.e), MMU));
	assert_int_equal(report_tally(engine_report(s.e))->records[EV_QI], 1);
	tag(&s, DOM, DEV);
	assert_non_null(model_iommu(engine_model(s.e), MMU));
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vtd_descriptors),
		cmocka_unit_test(amd_commands),
		cmocka_unit_test(amd_commands_need_a_wait),
		cmocka_unit_test(a_device_tlb_owes_for_itself),
		cmocka_unit_test(a_pasid_owes_for_itself),
		cmocka_unit_test(who_is_blocked_may_have_no_pasids),
		cmocka_unit_test(a_pasid_stays_when_its_device_moves),
		cmocka_unit_test(a_pasid_whose_end_is_not_heard),
		cmocka_unit_test(several_flushes_make_one_union),
		cmocka_unit_test(the_top_page),
		cmocka_unit_test(an_iommu_that_no_tag_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
