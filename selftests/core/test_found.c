// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What the random machine of test_random.c found in the engine, told short. */
#include "story.h"

#define SWITCH "stale-after-switch"
#define ALIAS 0x200

/* A device in a domain of its own, with a device TLB (@ats) or without. */
static void begin_tagged(struct story *s, uint32_t driver, uint32_t ats)
{
	story_begin(s);
	alloc_domain(s, DOM);
	describe_domain(s, DOM, DOMAIN_PAGING);
	describe_device(s, DEV, driver);
	tag_as(s, DOM, DEV, (struct tagged){ driver, DID, EV_TAG_NO_PASID, SID, ats });
	attach(s, DEV, DOM);
}

/* ---- switches ---- */

/* INVALIDATE_IOMMU_ALL forgets device-table entries as well (AMD-Vi specification 2.4.8). */
static void amd_vi_forgets_everything(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	begin_tagged(&s, EV_DRIVER_AMD, 0);
	at = s.now;
	amd(&s, EV_AMD_CMD, 8ULL << 60, 0);
	amd(&s, EV_AMD_WAIT, 1ULL << 60, 0);
	attach_since(&s, at, DEV, DOM2);
	expect_clean(&s);
	story_end(&s);
}

/* A global flush of VT-d's IOTLB leaves the context cache alone. */
static void vt_d_does_not(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin_attached(&s);
	at = s.now;
	qi(&s, QI_GLOBAL, 0);
	attach_since(&s, at, DEV, DOM2);
	expect(&s, SWITCH, 1);
	assert_true(says(first(&s), "context cache"));
	story_end(&s);
}

/* A device that leaves the IOMMU owes what a move owes: its aliases, and the IOTLB at the end. */
static void a_device_leaves(void **state)
{
	static const struct {
		const char *name, *what;
		bool iotlb_first, alias;
	} cases[] = {
		{ "as it should be", NULL, false, true },
		{ "its alias forgotten", "context cache of an alias", false, false },
		{ "wrong order", "IOTLB flushed before the entry, not after it", true, true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ev_alias alias = { .dev = DEV, .sid = ALIAS };
		struct story s;

		story_begin_attached(&s);
		SEND(&s, EV_ALIAS, alias);
		leave(&s);
		if (cases[i].iotlb_first)
			qi(&s, QI_DOMAIN(DID), 0);
		qi(&s, QI_CONTEXT(SID), 0);
		if (cases[i].alias)
			qi(&s, QI_CONTEXT(ALIAS), 0);
		if (!cases[i].iotlb_first)
			qi(&s, QI_DOMAIN(DID), 0);
		free_domain(&s, DOM);
		if (found(&s, SWITCH, GRADE_VIOLATION) != !!cases[i].what ||
		    (cases[i].what && !says(first(&s), cases[i].what)))
			fail_msg("%s", cases[i].name);
		story_end(&s);
	}
}

/* refiommu: a context flush from before the device came does not tell when it left. */
static void an_older_context_flush(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin(&s);
	alloc_domain(&s, DOM);
	describe_domain(&s, DOM, DOMAIN_PAGING);
	describe_device(&s, DEV, EV_DRIVER_REF);
	ref_context(&s, DEV);
	ref_tag(&s, DOM, DEV, 1);
	attach(&s, DEV, DOM);
	ref_flush(&s, EV_REF_FLUSH_DOMAIN, DID, 0, TOP);	/* while it is in there */
	at = s.now;
	ref_tag(&s, DOM, DEV, 0);
	attach_since(&s, at, DEV, 0);
	free_domain(&s, DOM);
	alloc_domain(&s, DOM2);
	ref_tag(&s, DOM2, DEV2, 1);
	assert_int_equal(found(&s, SWITCH, GRADE_VIOLATION), 2);	/* the entry; the id */
	story_end(&s);
}

/* ---- pages ---- */

/* The flush of a part is not the end of what is owed, however many unmaps follow. */
static void a_part_stays_owed(void **state)
{
	struct story s;
	int i;

	(void)state;
	story_begin_attached(&s);
	hook(&s, HOOK_PAGE_FREE, EV_HOOK_HEARD);
	map(&s, 0x10000, 2 * PAGE);
	unmap_fast(&s, 0x10000, 2 * PAGE);
	flush_pages(&s, 0x10000, 0);
	for (i = 0; i < 300; i++) {
		map(&s, 0x100000, PAGE);
		unmap_fast(&s, 0x100000, PAGE);
		flush_pages(&s, 0x100000, 0);
	}
	page_free(&s, 0x100000000ULL + 0x11000, PAGE);
	expect(&s, "freed-while-mapped", 1);
	story_end(&s);
}

/* A device TLB that was not flushed says nothing of the IOTLB, which was: but too late. */
static void a_table_and_another_cache(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	begin_tagged(&s, EV_DRIVER_VTD, 1);
	map(&s, 0x200000, 0x200000);
	at = s.now;
	s.next = (struct next){ .begin = at + 20, .end = at + 20 };
	table(&s, (struct freed){ .first = 0x200000, .last = 0x3fffff, .unlinked = at + 10,
				  .what = EV_TABLE_FREED });
	s.next = (struct next){ .begin = at + 21, .end = at + 22 };
	qi(&s, QI_DOMAIN(DID), 0);
	s.next = (struct next){ .begin = at, .end = at + 30 };
	unmap(&s, 0x200000, 0x200000);
	assert_int_equal(found(&s, "table-freed-early", GRADE_VIOLATION), 1);
	assert_int_equal(found(&s, "stale-iotlb", GRADE_VIOLATION), 1);
	story_end(&s);
}

/* ---- address spaces ---- */

static void group_enters(struct story *s, uint64_t dev, uint64_t domain, uint64_t id, uint32_t cmd)
{
	struct ev_vfio r = { .container = BOX, .cmd = cmd };
	uint64_t begin = s->now;

	alloc_domain(s, domain);
	describe_domain(s, domain, DOMAIN_PAGING);
	s->next.cause = id;
	attach(s, dev, domain);
	s->next = (struct next){ .id = id, .begin = begin };
	s->next.end = s->now + 10;
	op_fill(s, &r.op);
	SEND(s, EV_VFIO_ATTACH, r);
}

/* A container has the domains that its groups are in, whether something is mapped there or not. */
static void a_domain_without_maps(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	group_enters(&s, DEV, DOM, 600, VFIO_SET_IOMMU);
	group_enters(&s, DEV2, DOM2, 601, 0);
	s.next.cause = 601;
	map_prot(&s, DOM2, 0x8000, PAGE, 3);
	attach(&s, DEV2, 0);
	free_domain(&s, DOM2);
	s.next.id = 602;
	vfio(&s, EV_VFIO_UNMAP, 0x4000, PAGE, 0);
	assert_int_equal(found(&s, "unmap-nothing", GRADE_NOTE), 1);
	story_end(&s);
}

/* ---- ranges ---- */

static void device_of(struct story *s, uint64_t domain)
{
	struct ev_attach r = { .dev = DEV, .domain = domain, .group = 1,
			       .pasid = EV_TAG_NO_PASID };

	op_fill(s, &r.op);
	SEND(s, EV_ATTACH, r);
}

/* Of a direct range what is missing is told, and no more. */
static void a_part_of_a_direct_range(void **state)
{
	struct ev_device dev = { .dev = DEV, .group = 1, .driver_kind = EV_DRIVER_OTHER };
	struct ev_resv r = { .first = 0x8000, .last = 0xbfff, .group = 1, .count = 1,
			     .type = EV_RESV_DIRECT };
	struct story s;

	(void)state;
	story_begin(&s);
	alloc_domain(&s, DOM);
	describe_domain(&s, DOM, DOMAIN_PAGING | DOMAIN_DMA_API);
	SEND(&s, EV_DEVICE, dev);
	SEND(&s, EV_RESV, r);
	device_of(&s, DOM);
	map(&s, 0x8000, PAGE);
	map(&s, 0xb000, PAGE);
	device_of(&s, DOM2);
	device_of(&s, DOM);
	expect(&s, "replay-missing", 1);
	assert_int_equal(first(&s)->iova, 0x9000);
	assert_int_equal(first(&s)->last, 0xafff);
	story_end(&s);
}

static void sg_of(struct story *s, uint64_t id, uint64_t addr)
{
	s->next.cause = id;
	map(s, addr, 2 * PAGE);
	s->next.id = id;
	dma(s, EV_DMA_MAP, addr, 2 * PAGE, EV_DMA_SG, 0);
}

/* An unmap of a scatterlist says no size, but it means at least its own first segment. */
static void a_scatterlist_asked_for_its_own(void **state)
{
	struct story s;

	(void)state;
	begin_translated(&s);
	sg_of(&s, 51, 0x4000);
	s.next.cause = 52;
	unmap_fast(&s, 0x4000, 2 * PAGE);	/* nobody knows for whom */
	s.next.cause = 53;
	map(&s, 0x4000, PAGE);
	s.next.cause = 54;
	unmap_fast(&s, 0x4000, 2 * PAGE);
	s.next.id = 54;
	dma(&s, EV_DMA_UNMAP, 0x4000, 0, EV_DMA_SG, 0);
	assert_int_equal(found(&s, "unmap-wide", GRADE_VIOLATION), 0);
	story_end(&s);

	/* What lies behind it is another matter. */
	begin_translated(&s);
	sg_of(&s, 51, 0x4000);
	sg_of(&s, 52, 0x6000);
	s.next.cause = 53;
	unmap_fast(&s, 0x4000, 3 * PAGE);
	s.next.id = 53;
	dma(&s, EV_DMA_UNMAP, 0x4000, 0, EV_DMA_SG, 0);
	expect(&s, "unmap-wide", 1);
	assert_int_equal(first(&s)->iova, 0x6000);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(amd_vi_forgets_everything),
		cmocka_unit_test(vt_d_does_not),
		cmocka_unit_test(a_device_leaves),
		cmocka_unit_test(an_older_context_flush),
		cmocka_unit_test(a_part_stays_owed),
		cmocka_unit_test(a_table_and_another_cache),
		cmocka_unit_test(a_domain_without_maps),
		cmocka_unit_test(a_part_of_a_direct_range),
		cmocka_unit_test(a_scatterlist_asked_for_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
