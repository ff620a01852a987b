// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* map-outside: the IOMMU's reach, and reserved ranges of each type for each kind of user. */
#include "story.h"

#define GROUP 5

static void device_in(struct story *s, uint64_t dev, const char *name, uint32_t kind)
{
	struct ev_device r = { .dev = dev, .driver_kind = kind, .group = GROUP };

	strncpy(r.name, name, sizeof(r.name) - 1);
	SEND(s, EV_DEVICE, r);
}

static void resv(struct story *s, uint64_t first, uint64_t last, uint32_t type)
{
	struct ev_resv r = { .first = first, .last = last, .group = GROUP, .type = type,
			     .count = type != EV_RESV_NONE };

	SEND(s, EV_RESV, r);
}

static void domain_as(struct story *s, uint32_t type, uint64_t start, uint64_t end, uint32_t width)
{
	struct ev_domain r = { .domain = DOM, .type = type, .pgsize_bitmap = 0x1000,
			       .aperture_start = start, .aperture_end = end, .flags = width };

	SEND(s, EV_DOMAIN, r);
}

static void moved(struct story *s, uint64_t dev, uint64_t domain, uint32_t number)
{
	struct ev_attach r = { .dev = dev, .domain = domain, .pasid = EV_TAG_NO_PASID,
			       .group = GROUP, .hook = number };

	op_fill(s, &r.op);
	SEND(s, EV_ATTACH, r);
}

/* ---- reach ---- */

struct reach {
	const char *name;
	uint64_t start, end;
	uint32_t width;
	uint64_t iova, size;
	uint64_t findings;
};

static const struct reach reaches[] = {
	{ "the last page", 0, 0xffffffff, 0, 0xfffff000, PAGE, 0 },
	{ "one byte more", 0, 0xffffffff, 0, 0xfffff000, PAGE + 1, 1 },
	{ "behind", 0, 0xffffffff, 0, 0x100000000, PAGE, 1 },
	{ "the first page", 0x10000, 0xffffffff, 0, 0x10000, PAGE, 0 },
	{ "before", 0x10000, 0xffffffff, 0, 0xf000, PAGE, 1 },
	{ "one page of two before", 0x10000, 0xffffffff, 0, 0xf000, 2 * PAGE, 1 },
	{ "the driver is narrower: last page", 0, (1ULL << 57) - 1, 39, (1ULL << 39) - PAGE, PAGE, 0 },
	{ "the driver is narrower: behind", 0, (1ULL << 57) - 1, 39, 1ULL << 39, PAGE, 1 },
	{ "the driver is wider", 0, 0xffffffff, 48, 0x100000000, PAGE, 1 },
	{ "all 64 bits", 0, TOP, 64, -PAGE, PAGE, 0 },
	{ "not told", 0, 0, 0, -PAGE, PAGE, 0 },
};

static void the_reach_of_a_domain(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(reaches) / sizeof(reaches[0]); i++) {
		struct story s;

		story_begin(&s);
		domain_as(&s, DOMAIN_PAGING, reaches[i].start, reaches[i].end, reaches[i].width);
		map(&s, reaches[i].iova, reaches[i].size);
		if (found(&s, "map-outside", GRADE_VIOLATION) != reaches[i].findings)
			fail_msg("%s", reaches[i].name);
		story_end(&s);
	}
}

static void a_map_that_was_refused(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	domain_as(&s, DOMAIN_PAGING, 0, 0xffffffff, 0);
	s.next.ret = -22;
	map(&s, 0x100000000, PAGE);
	expect_clean(&s);
	story_end(&s);
}

/* The domain was told while the map ran: it may have been another one before. */
static void a_map_that_began_before(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	s.now += 100;
	domain_as(&s, DOMAIN_PAGING, 0, 0xffffffff, 0);
	s.next = (struct next){ .begin = s.now - 50, .end = s.now + 10 };
	map(&s, 0x100000000, PAGE);
	expect_clean(&s);
	assert_int_equal(unknowns(&s), 1);
	story_end(&s);
}

/* ---- reserved ranges ---- */

#define FIRST 0xfee00000ULL
#define LAST  0xfeefffffULL
#define DMA   (DOMAIN_PAGING | DOMAIN_DMA_API)

struct reserve {
	const char *name;
	uint32_t domain, type, driver;
	uint64_t iova, paddr, findings;
};

static const struct reserve reserves[] = {
	{ "user, direct", DOMAIN_PAGING, EV_RESV_DIRECT, EV_DRIVER_VTD, FIRST, FIRST, 1 },
	{ "user, relaxable", DOMAIN_PAGING, EV_RESV_RELAXABLE, EV_DRIVER_VTD, FIRST, 0x1000, 0 },
	{ "user, reserved", DOMAIN_PAGING, EV_RESV_RESERVED, EV_DRIVER_VTD, FIRST, 0x1000, 1 },
	{ "user, msi", DOMAIN_PAGING, EV_RESV_MSI, EV_DRIVER_REF, FIRST, 0x1000, 1 },
	{ "user, msi, last page", DOMAIN_PAGING, EV_RESV_MSI, EV_DRIVER_VTD, LAST - 0xfff, 0x1000, 1 },
	{ "user, behind", DOMAIN_PAGING, EV_RESV_MSI, EV_DRIVER_VTD, LAST + 1, 0x1000, 0 },
	{ "user, before", DOMAIN_PAGING, EV_RESV_MSI, EV_DRIVER_VTD, FIRST - PAGE, 0x1000, 0 },
	{ "DMA, direct 1:1", DMA, EV_RESV_DIRECT, EV_DRIVER_VTD, FIRST, FIRST, 0 },
	{ "DMA, direct given away", DMA, EV_RESV_DIRECT, EV_DRIVER_VTD, FIRST, 0x1000, 1 },
	{ "DMA, relaxable given away", DMA, EV_RESV_RELAXABLE, EV_DRIVER_VTD, FIRST, 0x1000, 1 },
	{ "DMA, reserved", DMA, EV_RESV_RESERVED, EV_DRIVER_AMD, FIRST, 0x1000, 1 },
	{ "DMA, msi", DMA, EV_RESV_MSI, EV_DRIVER_AMD, FIRST, 0x1000, 1 },
	{ "DMA, msi in software", DMA, EV_RESV_MSI, EV_DRIVER_REF, FIRST, 0x1000, 0 },
};

static void map_for(struct story *s, uint64_t iova, uint64_t paddr, uint64_t cause)
{
	struct ev_map r = { .domain = DOM, .iova = iova, .size = PAGE, .paddr = paddr, .prot = 3 };

	s->next.cause = cause;
	op_fill(s, &r.op);
	SEND(s, EV_MAP, r);
}

static void begin_reserved(struct story *s, uint32_t domain, uint32_t type, uint32_t driver)
{
	story_begin(s);
	domain_as(s, domain, 0, TOP, 0);
	device_in(s, DEV, "a", driver);
	resv(s, FIRST, LAST, type);
	moved(s, DEV, DOM, HOOK_ATTACH);
}

static void each_type_for_each_user(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(reserves) / sizeof(reserves[0]); i++) {
		const struct reserve *r = &reserves[i];
		struct story s;

		begin_reserved(&s, r->domain, r->type, r->driver);
		map_for(&s, r->iova, r->paddr, 7);
		if (found(&s, "map-outside", GRADE_VIOLATION) != r->findings)
			fail_msg("%s", r->name);
		if (r->findings)
			assert_int_equal(first(&s)->device, DEV);
		story_end(&s);
	}
}

/* The allocator knows those of a group's first device only. */
static void a_dma_domain_of_two_devices(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	domain_as(&s, DMA, 0, TOP, 0);
	device_in(&s, DEV, "a", EV_DRIVER_VTD);
	device_in(&s, DEV2, "b", EV_DRIVER_VTD);
	resv(&s, FIRST, LAST, EV_RESV_RESERVED);
	moved(&s, DEV, DOM, HOOK_ATTACH);
	map_for(&s, FIRST, 0x1000, 7);
	expect_clean(&s);
	story_end(&s);
}

static void who_maps_without_an_intent(void **state)
{
	struct story s;

	(void)state;
	begin_reserved(&s, DOMAIN_PAGING, EV_RESV_MSI, EV_DRIVER_VTD);
	map_for(&s, FIRST, 0x1000, 0);
	expect_clean(&s);
	assert_int_equal(unknowns(&s), 1);
	story_end(&s);
}

static void a_device_that_left(void **state)
{
	uint64_t before;
	struct story s;

	(void)state;
	begin_reserved(&s, DOMAIN_PAGING, EV_RESV_MSI, EV_DRIVER_VTD);
	moved(&s, DEV, DOM2, HOOK_ATTACH);
	before = unknowns(&s);
	map_for(&s, FIRST, 0x1000, 7);
	expect_clean(&s);
	assert_int_equal(unknowns(&s), before);
	story_end(&s);
}

/* Its move is heard only at its end. */
static void a_device_that_was_leaving(void **state)
{
	uint64_t begin;
	struct story s;

	(void)state;
	begin_reserved(&s, DOMAIN_PAGING, EV_RESV_MSI, EV_DRIVER_VTD);
	begin = s.now;
	map_for(&s, FIRST, 0x1000, 7);
	expect(&s, "map-outside", 1);
	s.next = (struct next){ .begin = begin, .end = s.now + 10 };
	moved(&s, DEV, DOM2, HOOK_ATTACH);
	expect_clean(&s);
	story_end(&s);
}

/* ... and its group, when another device came, or it left the IOMMU: read again, or unknown. */
static void ranges_of_a_group_that_changed(void **state)
{
	struct story s;

	(void)state;
	begin_reserved(&s, DOMAIN_PAGING, EV_RESV_MSI, EV_DRIVER_VTD);
	device_in(&s, DEV2, "b", EV_DRIVER_VTD);
	map_for(&s, FIRST, 0x1000, 7);
	expect_clean(&s);
	resv(&s, FIRST, LAST, EV_RESV_MSI);
	map_for(&s, FIRST + PAGE, 0x1000, 7);
	expect(&s, "map-outside", 1);
	moved(&s, DEV2, 0, HOOK_RELEASE);
	map_for(&s, FIRST + 2 * PAGE, 0x1000, 7);
	expect(&s, "map-outside", 1);
	resv(&s, 0, 0, EV_RESV_NONE);
	map_for(&s, FIRST + 3 * PAGE, 0x1000, 7);
	expect(&s, "map-outside", 1);
	story_end(&s);
}

/* The recorder may read a group that is going; its number, and the device's, are used again. */
static void a_device_that_comes_again(void **state)
{
	struct story s;

	(void)state;
	begin_reserved(&s, DOMAIN_PAGING, EV_RESV_MSI, EV_DRIVER_REF);
	moved(&s, DEV, 0, HOOK_RELEASE);
	resv(&s, FIRST, LAST, EV_RESV_MSI);
	device_in(&s, DEV, "a", EV_DRIVER_REF);
	moved(&s, DEV, DOM, HOOK_ATTACH);
	map_for(&s, FIRST, 0x1000, 7);
	expect_clean(&s);
	story_end(&s);
}

/* Who left is not in the group any more: another one that is given its number is alone there. */
static void a_device_in_the_place_of_another(void **state)
{
	struct story s;
	int gone;

	(void)state;
	for (gone = 0; gone < 2; gone++) {
		begin_reserved(&s, DMA, EV_RESV_RESERVED, EV_DRIVER_VTD);
		if (gone)
			moved(&s, DEV, 0, HOOK_RELEASE);
		device_in(&s, DEV2, "b", EV_DRIVER_VTD);
		moved(&s, DEV2, DOM, HOOK_ATTACH);
		resv(&s, FIRST, LAST, EV_RESV_RESERVED);
		map_for(&s, FIRST, 0x1000, 7);
		expect(&s, "map-outside", gone);
		story_end(&s);
	}
}

/* Two were there, and the domain's allocator knows the ranges of the one that left. */
static void who_is_left_of_two(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	domain_as(&s, DMA, 0, TOP, 0);
	device_in(&s, DEV, "a", EV_DRIVER_VTD);
	device_in(&s, DEV2, "b", EV_DRIVER_VTD);
	moved(&s, DEV, DOM, HOOK_ATTACH);
	moved(&s, DEV2, DOM, HOOK_ATTACH);
	moved(&s, DEV, 0, HOOK_RELEASE);
	resv(&s, FIRST, LAST, EV_RESV_RESERVED);
	map_for(&s, FIRST, 0x1000, 7);
	expect_clean(&s);
	story_end(&s);
}

/* It comes back, to the same number or another one, and counts once. */
static void a_device_counts_once(void **state)
{
	struct story s;

	(void)state;
	begin_reserved(&s, DMA, EV_RESV_RESERVED, EV_DRIVER_VTD);
	moved(&s, DEV, 0, HOOK_RELEASE);
	moved(&s, DEV, 0, HOOK_RELEASE);
	device_in(&s, DEV, "a", EV_DRIVER_VTD);
	device_in(&s, DEV, "a", EV_DRIVER_VTD);
	moved(&s, DEV, DOM, HOOK_ATTACH);
	resv(&s, FIRST, LAST, EV_RESV_RESERVED);
	map_for(&s, FIRST, 0x1000, 7);
	expect(&s, "map-outside", 1);
	device_in(&s, DEV2, "b", EV_DRIVER_VTD);
	resv(&s, FIRST, LAST, EV_RESV_RESERVED);
	map_for(&s, FIRST + PAGE, 0x1000, 7);
	expect(&s, "map-outside", 1);
	story_end(&s);
}

/* Half a list is none. */
static void a_list_that_is_not_complete(void **state)
{
	struct ev_resv r = { .first = FIRST, .last = LAST, .group = GROUP, .type = EV_RESV_MSI,
			     .count = 2 };
	struct story s;

	(void)state;
	story_begin(&s);
	domain_as(&s, DOMAIN_PAGING, 0, TOP, 0);
	device_in(&s, DEV, "a", EV_DRIVER_VTD);
	SEND(&s, EV_RESV, r);
	moved(&s, DEV, DOM, HOOK_ATTACH);
	map_for(&s, FIRST, 0x1000, 7);
	expect_clean(&s);
	r.index = 1;
	r.first = 0x1000;
	r.last = 0x1fff;
	SEND(&s, EV_RESV, r);
	map_for(&s, FIRST + PAGE, 0x1000, 7);
	expect(&s, "map-outside", 1);
	story_end(&s);
}

/* ---- what comes back finds its direct ranges ---- */

struct back {
	const char *name;
	uint64_t first, last;	/* of the direct range */
	uint64_t iova, size;	/* what was taken out meanwhile; size 0: nothing */
	uint64_t findings;
};

/* [0x8000, 0xbfff] is mapped 1:1. */
static const struct back backs[] = {
	{ "all there", 0x8000, 0xbfff, 0, 0, 0 },
	{ "first page gone", 0x8000, 0xbfff, 0x8000, PAGE, 1 },
	{ "last page gone", 0x8000, 0xbfff, 0xb000, PAGE, 1 },
	{ "rounded up at both ends", 0x7010, 0xb001, 0, 0, 0 },
	{ "one byte in the next page", 0x8000, 0xc000, 0, 0, 1 },
};

static void a_device_that_comes_back(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(backs) / sizeof(backs[0]); i++) {
		struct story s;

		story_begin(&s);
		alloc_domain(&s, DOM);
		domain_as(&s, DMA, 0, TOP, 0);
		map_for(&s, 0x8000, 0x8000, 0);
		map_for(&s, 0x9000, 0x9000, 0);
		map_for(&s, 0xa000, 0xa000, 0);
		map_for(&s, 0xb000, 0xb000, 0);
		device_in(&s, DEV, "a", EV_DRIVER_VTD);
		moved(&s, DEV, DOM, HOOK_ATTACH);
		resv(&s, backs[i].first, backs[i].last, EV_RESV_RELAXABLE);
		moved(&s, DEV, DOM2, HOOK_ATTACH);
		if (backs[i].size)
			unmap(&s, backs[i].iova, backs[i].size);
		moved(&s, DEV, DOM, HOOK_ATTACH);
		if (found(&s, "replay-missing", GRADE_VIOLATION) != backs[i].findings)
			fail_msg("%s", backs[i].name);
		story_end(&s);
	}
}

/* Where it was never before, the ranges may come after it (6.1). */
static void a_device_that_comes_first(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	alloc_domain(&s, DOM);
	domain_as(&s, DMA, 0, TOP, 0);
	device_in(&s, DEV, "a", EV_DRIVER_VTD);
	resv(&s, 0x8000, 0x8fff, EV_RESV_DIRECT);
	moved(&s, DEV, DOM, HOOK_ATTACH);
	expect_clean(&s);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reach_of_a_domain),
		cmocka_unit_test(a_map_that_was_refused),
		cmocka_unit_test(a_map_that_began_before),
		cmocka_unit_test(each_type_for_each_user),
		cmocka_unit_test(a_dma_domain_of_two_devices),
		cmocka_unit_test(who_maps_without_an_intent),
		cmocka_unit_test(a_device_that_left),
		cmocka_unit_test(a_device_that_was_leaving),
		cmocka_unit_test(ranges_of_a_group_that_changed),
		cmocka_unit_test(a_device_that_comes_again),
		cmocka_unit_test(a_device_in_the_place_of_another),
		cmocka_unit_test(who_is_left_of_two),
		cmocka_unit_test(a_device_counts_once),
		cmocka_unit_test(a_list_that_is_not_complete),
		cmocka_unit_test(a_device_that_comes_back),
		cmocka_unit_test(a_device_that_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
