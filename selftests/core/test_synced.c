// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* map-not-synced: what an IOMMU in caching mode must be told of a map, and until when. */
#include "story.h"

#define BUF 0x10000ULL		/* four pages */
#define BUF_SIZE (4 * PAGE)

static void begin_caching(struct story *s, uint32_t flags, uint32_t scalable)
{
	struct ev_tag r = { .domain = DOM, .dev = DEV, .iommu = MMU, .driver_kind = EV_DRIVER_VTD,
			    .did = DID, .pasid = EV_TAG_NO_PASID, .sid = SID,
			    .scalable = scalable };

	story_begin(s);
	maps_heard_as(s, "iommu_map");
	alloc_domain(s, DOM);
	describe_domain(s, DOM, DOMAIN_PAGING);
	describe_device(s, DEV, EV_DRIVER_VTD);
	iommu(s, flags);
	SEND(s, EV_TAG, r);
	attach(s, DEV, DOM);
}

/* A map that runs from now for 40 ns; one flush, or none, comes inside. */
static void map_with(struct story *s, uint64_t qw0, uint64_t qw1)
{
	uint64_t at = s->now;

	if (qw0) {
		s->next = (struct next){ .begin = at + 20, .end = at + 30 };
		qi(s, qw0, qw1);
	}
	s->next = (struct next){ .begin = at, .end = at + 40 };
	map(s, BUF, BUF_SIZE);
}

struct syncing {
	const char *name;
	uint64_t qw0, qw1;
	const char *flush;	/* NULL: no finding */
	uint64_t iova, last;
};

static const struct syncing tolds[] = {
	{ "nothing", 0, 0, "none", BUF, BUF + 0x3fff },
	{ "exact", QI_PAGES(DID), BUF | 2, NULL, 0, 0 },
	{ "exact, leaves only", QI_PAGES(DID), BUF | 0x40 | 2, NULL, 0, 0 },
	{ "domain", QI_DOMAIN(DID), 0, NULL, 0, 0 },
	{ "global", QI_GLOBAL, 0, NULL, 0, 0 },
	{ "first half", QI_PAGES(DID), BUF | 1, "short", BUF + 0x2000, BUF + 0x3fff },
	{ "all but the last", QI_PAGES(DID), BUF, "short", BUF + 0x1000, BUF + 0x3fff },
	{ "below", QI_PAGES(DID), BUF - PAGE, "none", BUF, BUF + 0x3fff },
	{ "other domain", QI_DOMAIN(DID + 1), 0, "none", BUF, BUF + 0x3fff },
	{ "device TLB", QI_DEVTLB(SID), 0, "none", BUF, BUF + 0x3fff },
	{ "unheard of", 0xf, 0, NULL, 0, 0 },
};

static void each_map_is_told(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tolds) / sizeof(tolds[0]); i++) {
		const struct syncing *t = &tolds[i];
		struct story s;

		begin_caching(&s, EV_IOMMU_CACHING, 0);
		map_with(&s, t->qw0, t->qw1);
		expect(&s, "map-not-synced", !!t->flush);
		if (t->flush) {
			assert_int_equal(first(&s)->iova, t->iova);
			assert_int_equal(first(&s)->last, t->last);
			assert_string_equal(first(&s)->details[1].text, t->flush);
		}
		story_end(&s);
	}
}

/* Neither who caches nothing, nor first-stage tables, nor write buffers, which nobody hears. */
static void who_owes_nothing(void **state)
{
	struct story s;

	(void)state;
	begin_caching(&s, 0, 0);
	map_with(&s, 0, 0);
	expect_clean(&s);
	story_end(&s);
	begin_caching(&s, EV_IOMMU_CACHING, EV_TAG_SCALABLE | EV_TAG_FIRST_STAGE);
	map_with(&s, 0, 0);
	expect_clean(&s);
	story_end(&s);
	begin_caching(&s, EV_IOMMU_RWBF, 0);
	map_with(&s, 0, 0);
	expect_clean(&s);
	story_end(&s);
}

static void a_flush_before_the_map_is_none(void **state)
{
	struct story s;

	(void)state;
	begin_caching(&s, EV_IOMMU_CACHING, 0);
	flush_pages(&s, BUF, 2);
	map_with(&s, 0, 0);
	expect(&s, "map-not-synced", 1);
	story_end(&s);
}

static void a_flush_that_ends_late_is_late(void **state)
{
	struct story s;

	(void)state;
	begin_caching(&s, EV_IOMMU_CACHING, 0);
	map_with(&s, 0, 0);
	flush_pages(&s, BUF, 2);
	expect(&s, "map-not-synced", 1);
	story_end(&s);
}

/* iommu_map_nosync(): its caller flushes, and the intent around it shows whether. */
static void nosync(struct story *s, bool flushed, uint32_t kind)
{
	begin_caching(s, EV_IOMMU_CACHING, 0);
	maps_heard_as(s, "iommu_map_nosync");
	s->next.cause = 7;
	map(s, BUF, BUF_SIZE);
	expect_clean(s);
	if (flushed)
		flush_pages(s, BUF, 2);
	s->next.id = 7;
	dma(s, EV_DMA_MAP, BUF, BUF_SIZE, kind, 0);
}

static void the_caller_flushes(void **state)
{
	struct story s;

	(void)state;
	nosync(&s, true, EV_DMA_PAGE);
	expect_clean(&s);
	story_end(&s);
	nosync(&s, false, EV_DMA_PAGE);
	expect(&s, "map-not-synced", 1);
	story_end(&s);
	nosync(&s, false, EV_DMA_IOVA);
	expect_clean(&s);
	story_end(&s);
}

static void what_was_undone_owes_nothing(void **state)
{
	struct story s;

	(void)state;
	begin_caching(&s, EV_IOMMU_CACHING, 0);
	maps_heard_as(&s, "iommu_map_nosync");
	s.next.cause = 7;
	map(&s, BUF, BUF_SIZE);
	s.next.cause = 7;
	s.next.flags = EVF_ROLLBACK;
	unmap(&s, BUF, BUF_SIZE);
	s.next.id = 7;
	vfio(&s, EV_VFIO_MAP, BUF, BUF_SIZE, 3);
	expect_clean(&s);
	story_end(&s);
}

/* The flush of an unmap is owed by the other cache, the one that remembers what is there. */
static void unmaps_are_another_matter(void **state)
{
	struct story s;

	(void)state;
	begin_caching(&s, EV_IOMMU_CACHING, 0);
	map_with(&s, QI_PAGES(DID), BUF | 2);
	unmap_fast(&s, BUF, BUF_SIZE);
	expect_clean(&s);
	flush_pages(&s, BUF, 2);
	map_with(&s, QI_PAGES(DID), BUF | 2);
	expect_clean(&s);
	story_end(&s);
}

static void unknown_is_no_finding(void **state)
{
	struct story s;

	(void)state;
	begin_caching(&s, EV_IOMMU_CACHING, 0);
	s.next.nobegin = true;
	map(&s, BUF, BUF_SIZE);
	expect_clean(&s);
	assert_true(unknowns(&s));
	story_end(&s);
	begin_caching(&s, EV_IOMMU_CACHING, 0);
	maps_heard_as(&s, "");
	map_with(&s, 0, 0);
	expect_clean(&s);
	story_end(&s);
}

/* AMD-Vi: the wait was queued by another CPU, and its record comes later than our return. */
static void a_wait_of_another(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin(&s);
	maps_heard_as(&s, "iommu_map");
	alloc_domain(&s, DOM);
	iommu(&s, EV_IOMMU_CACHING);
	tag_as(&s, DOM, DEV, (struct tagged){ EV_DRIVER_AMD, DID, EV_TAG_NO_PASID, SID, 0 });
	at = s.now;
	s.next = (struct next){ .begin = at + 10, .end = at + 20 };
	amd(&s, EV_AMD_CMD, 0x3ULL << 60 | (uint64_t)DID << 32, (BUF + 0x1000) | 1 | 2);
	s.next = (struct next){ .begin = at, .end = at + 40 };
	map(&s, BUF, BUF_SIZE);
	expect_clean(&s);
	assert_true(unknowns(&s));
	amd(&s, EV_AMD_WAIT, 0, 0);
	expect_clean(&s);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_map_is_told),
		cmocka_unit_test(who_owes_nothing),
		cmocka_unit_test(a_flush_before_the_map_is_none),
		cmocka_unit_test(a_flush_that_ends_late_is_late),
		cmocka_unit_test(the_caller_flushes),
		cmocka_unit_test(what_was_undone_owes_nothing),
		cmocka_unit_test(unmaps_are_another_matter),
		cmocka_unit_test(unknown_is_no_finding),
		cmocka_unit_test(a_wait_of_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
