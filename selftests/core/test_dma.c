// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* dma-unmap-mismatch, and map-wide by DMA direction. */
#include "story.h"

struct unmapping {
	const char *name;
	uint64_t addr, size;
	uint32_t kind, dir;
	uint64_t findings;
};

/* Mapped: 0x2000, 512 bytes, page, to the device. */
static const struct unmapping unmappings[] = {
	{ "right", 0x2000, 512, EV_DMA_PAGE, 1, 0 },
	{ "a byte less", 0x2000, 511, EV_DMA_PAGE, 1, 1 },
	{ "a byte more", 0x2000, 513, EV_DMA_PAGE, 1, 1 },
	{ "both directions", 0x2000, 512, EV_DMA_PAGE, 0, 1 },
	{ "from the device", 0x2000, 512, EV_DMA_PAGE, 2, 1 },
	{ "as coherent", 0x2000, 512, EV_DMA_COHERENT, 1, 1 },
	{ "as scatterlist", 0x2000, 0, EV_DMA_SG, 1, 1 },
};

static void does_not_say_what_the_map_said(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(unmappings) / sizeof(unmappings[0]); i++) {
		const struct unmapping *u = &unmappings[i];
		struct story s;

		begin_translated(&s);
		dma(&s, EV_DMA_MAP, 0x2000, 512, EV_DMA_PAGE, 1);
		dma(&s, EV_DMA_UNMAP, u->addr, u->size, u->kind, u->dir);
		expect(&s, "dma-unmap-mismatch", u->findings);
		story_end(&s);
	}
}

/* Heard by half before everything was attached: its unmap went unheard. */
static void a_mapping_from_before_makes_room(void **state)
{
	struct story s;
	int i;

	(void)state;
	story_begin_unattached(&s);
	describe_domain(&s, DOM, DOMAIN_PAGING | DOMAIN_DMA_API);
	dma(&s, EV_DMA_MAP, 0x2000, 512, EV_DMA_PAGE, 1);
	mark(&s, EV_MARK_ATTACHED, 0);
	describe_domain(&s, DOM, DOMAIN_PAGING | DOMAIN_DMA_API);
	attach(&s, DEV, DOM);
	for (i = 0; i < 3; i++) {
		dma(&s, EV_DMA_MAP, 0x2000, 256, EV_DMA_PAGE, 1);
		dma(&s, EV_DMA_UNMAP, 0x2000, 256, EV_DMA_PAGE, 1);
	}
	unbind(&s, DEV);
	expect(&s, "dma-unmap-mismatch", 0);
	expect(&s, "unmap-wide", 0);
	expect(&s, "leak-on-free", 0);
	story_end(&s);
}

struct optional {
	uint32_t hook_state;	/* of dma_iova_link(), which came with dma_need_unmap() */
	uint32_t kind;
	uint64_t leaks;
};

static const struct optional optionals[] = {
	{ EV_HOOK_MISSING, EV_DMA_PAGE, 1 },
	{ EV_HOOK_COVERED, EV_DMA_PAGE, 1 },	/* 6.1, 6.12: by nothing, there is none */
	{ EV_HOOK_HEARD, EV_DMA_PAGE, 0 },
	{ EV_HOOK_REFUSED, EV_DMA_SG, 0 },
	{ EV_HOOK_HEARD, EV_DMA_COHERENT, 1 },
};

/* Of memory that is not the API's own, with addresses that are the memory's. */
static void new_kernels_let_drivers_leave_out_unmaps(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(optionals) / sizeof(optionals[0]); i++) {
		const struct optional *o = &optionals[i];
		struct story s;

		begin_direct(&s);
		hook(&s, HOOK_DMA_IOVA_LINK, o->hook_state);
		dma(&s, EV_DMA_MAP, 0x2000, 512, o->kind, 1);
		if (!o->leaks)
			dma(&s, EV_DMA_UNMAP, 0x2000, 256, o->kind, 2);
		unbind(&s, DEV);
		expect(&s, "leak-on-free", o->leaks);
		story_end(&s);
	}
}

static void translated_devices_unmap_on_new_kernels(void **state)
{
	struct story s;

	(void)state;
	begin_translated(&s);
	hook(&s, HOOK_DMA_IOVA_LINK, EV_HOOK_HEARD);
	dma(&s, EV_DMA_MAP, 0x2000, 512, EV_DMA_PAGE, 1);
	unbind(&s, DEV);
	expect(&s, "leak-on-free", 1);
	story_end(&s);
}

/* Where the device is was in doubt for a moment: its map then is not booked, but was one. */
static void a_moment_of_doubt_on_new_kernels(void **state)
{
	struct story s;
	uint64_t unknown;

	(void)state;
	begin_translated(&s);
	hook(&s, HOOK_DMA_IOVA_LINK, EV_HOOK_HEARD);
	dma(&s, EV_DMA_MAP, 0x2000, 512, EV_DMA_PAGE, 1);
	dma(&s, EV_DMA_UNMAP, 0x2000, 512, EV_DMA_PAGE, 1);
	skipped(&s, HOOK_PASID_ATTACH, DEV, 0, 0, s.now);
	unknown = unknowns(&s);
	dma(&s, EV_DMA_MAP, 0x2000, 512, EV_DMA_PAGE, 1);
	assert_true(unknowns(&s) > unknown);
	state_read(&s, DEV, DOM);
	dma(&s, EV_DMA_UNMAP, 0x2000, 512, EV_DMA_PAGE, 1);
	expect_clean(&s);
	story_end(&s);
}

/* dma_free_coherent(dev, 0, NULL, 0): drivers do that, the DMA API ignores it. */
static void freeing_nothing_is_allowed(void **state)
{
	struct ev_dma r = { .dev = DEV, .kind = EV_DMA_COHERENT };
	struct story s;

	(void)state;
	begin_direct(&s);
	op_fill(&s, &r.op);
	SEND(&s, EV_DMA_UNMAP, r);
	expect(&s, "dma-unmap-mismatch", 0);
	story_end(&s);
}

static void a_scatterlist_has_entries_not_size(void **state)
{
	struct ev_dma r = { .dev = DEV, .addr = 0x2000, .kind = EV_DMA_SG, .dir = 1, .nents = 4 };
	struct story s;

	(void)state;
	begin_translated(&s);
	dma(&s, EV_DMA_MAP, 0x2000, 300, EV_DMA_SG, 1);
	op_fill(&s, &r.op);
	SEND(&s, EV_DMA_UNMAP, r);
	expect_clean(&s);
	dma(&s, EV_DMA_MAP, 0x2000, 300, EV_DMA_SG, 1);
	r.nents = 3;
	op_fill(&s, &r.op);
	SEND(&s, EV_DMA_UNMAP, r);
	expect(&s, "dma-unmap-mismatch", 1);
	story_end(&s);
}

static void unmapped_twice(void **state)
{
	struct story s;

	(void)state;
	begin_translated(&s);
	dma(&s, EV_DMA_MAP, 0x2000, 512, EV_DMA_PAGE, 1);
	dma(&s, EV_DMA_UNMAP, 0x2000, 512, EV_DMA_PAGE, 1);
	expect_clean(&s);
	dma(&s, EV_DMA_UNMAP, 0x2000, 512, EV_DMA_PAGE, 1);
	expect(&s, "dma-unmap-mismatch", 1);
	story_end(&s);
}

static void never_mapped_needs_the_whole_history(void **state)
{
	struct story s;

	(void)state;
	begin_translated(&s);
	dma(&s, EV_DMA_UNMAP, 0x2000, 512, EV_DMA_PAGE, 1);
	expect_clean(&s);
	story_end(&s);

	begin_direct(&s);
	dma(&s, EV_DMA_UNMAP, 0x2000, 512, EV_DMA_PAGE, 1);
	expect(&s, "dma-unmap-mismatch", 1);
	story_end(&s);
}

/* A page pool's page comes back from the network stack after the unbind. */
static void a_device_from_before_has_a_past(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	s.next.flags = EVF_STATE;
	describe_device(&s, DEV, EV_DRIVER_VTD);
	describe_device(&s, DEV, EV_DRIVER_VTD);
	unbind(&s, DEV);
	dma(&s, EV_DMA_UNMAP, 0x2000, PAGE, EV_DMA_PAGE, 2);
	expect_clean(&s);
	assert_int_equal(unknowns(&s), 1);
	story_end(&s);
}

/* The state walk left out its group, which was being changed. */
static void a_device_that_moved_has_a_past(void **state)
{
	struct ev_attach r = { .dev = DEV, .domain = DOM, .old = DOM2,
			       .pasid = EV_TAG_NO_PASID };
	struct story s;

	(void)state;
	story_begin(&s);
	describe_device(&s, DEV, EV_DRIVER_VTD);
	op_fill(&s, &r.op);
	SEND(&s, EV_ATTACH, r);
	unbind(&s, DEV);
	dma(&s, EV_DMA_UNMAP, 0x2000, PAGE, EV_DMA_PAGE, 2);
	expect_clean(&s);
	story_end(&s);
}

static void moves(struct story *s, uint64_t old, uint64_t domain, uint32_t hook)
{
	struct ev_attach r = { .dev = DEV, .domain = domain, .old = old,
			       .pasid = EV_TAG_NO_PASID, .hook = hook };

	op_fill(s, &r.op);
	SEND(s, EV_ATTACH, r);
}

struct successor {
	uint32_t hook;		/* how the one from before went */
	uint16_t flags;		/* of what describes the next one */
	uint32_t device_flags;
	uint64_t old;		/* where that was before its first move */
	uint64_t findings;
};

static const struct successor successors[] = {
	{ HOOK_RELEASE, 0, 0, 0, 1 },
	{ HOOK_RELEASE, 0, 0, DOM, 1 },			/* as 6.1 says it */
	{ HOOK_RELEASE, 0, EV_DEV_DEFERRED, DOM, 0 },	/* entered for good, late */
	{ HOOK_RELEASE, 0, 0, DOM2, 0 },		/* a move that was not heard */
	{ HOOK_RELEASE, EVF_STATE, 0, 0, 0 },		/* it came unheard */
	{ HOOK_ATTACH, 0, 0, 0, 0 },			/* still the same one */
};

/* A new device's memory is what the allocator was given last: the old one's. */
static void another_device_at_the_same_address(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(successors) / sizeof(successors[0]); i++) {
		const struct successor *n = &successors[i];
		struct ev_device r = { .dev = DEV, .driver_kind = EV_DRIVER_VTD, .sid = SID,
				       .flags = n->device_flags, .name = "0000:00:02.0" };
		struct story s;

		story_begin(&s);
		s.next.flags = EVF_STATE;
		describe_device(&s, DEV, EV_DRIVER_VTD);
		s.next.flags = EVF_STATE;
		attach(&s, DEV, DOM);
		moves(&s, DOM, 0, n->hook);
		s.next.flags = n->flags;
		SEND(&s, EV_DEVICE, r);
		moves(&s, n->old, DOM, HOOK_ATTACH);
		unbind(&s, DEV);
		dma(&s, EV_DMA_UNMAP, 0x2000, PAGE, EV_DMA_PAGE, 2);
		expect(&s, "dma-unmap-mismatch", n->findings);
		story_end(&s);
	}
}

static void shared_addresses_match_the_best(void **state)
{
	struct story s;

	(void)state;
	begin_direct(&s);
	dma(&s, EV_DMA_MAP, 0x2000, 512, EV_DMA_PAGE, 1);
	dma(&s, EV_DMA_MAP, 0x2000, 4096, EV_DMA_PAGE, 2);
	dma(&s, EV_DMA_MAP, 0x2000, 512, EV_DMA_PAGE, 1);
	dma(&s, EV_DMA_UNMAP, 0x2000, 4096, EV_DMA_PAGE, 2);
	dma(&s, EV_DMA_UNMAP, 0x2000, 512, EV_DMA_PAGE, 1);
	dma(&s, EV_DMA_UNMAP, 0x2000, 512, EV_DMA_PAGE, 1);
	expect_clean(&s);
	story_end(&s);
}

/* A mapping from before the recording may stand at the same address. */
static void shared_addresses_with_a_past(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	dma(&s, EV_DMA_MAP, 0x2000, 512, EV_DMA_PAGE, 1);
	dma(&s, EV_DMA_UNMAP, 0x2000, 4096, EV_DMA_PAGE, 2);
	expect_clean(&s);
	story_end(&s);
}

static void a_failed_map_makes_no_entry(void **state)
{
	struct story s;

	(void)state;
	begin_direct(&s);
	dma(&s, EV_DMA_MAP, EV_DMA_ERROR, 512, EV_DMA_PAGE, 1);
	assert_int_equal(s.ret, 0);
	unbind(&s, DEV);
	expect_clean(&s);
	story_end(&s);
}

/* The address was free inside the unmap already: the new map's record comes first. */
static void a_reused_address_heard_in_odd_order(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	begin_translated(&s);
	dma(&s, EV_DMA_MAP, 0x2000, 512, EV_DMA_PAGE, 1);
	at = s.now;
	s.next = (struct next){ .begin = at + 10, .end = at + 20, .cpu = 1 };
	dma(&s, EV_DMA_MAP, 0x2000, 4096, EV_DMA_PAGE, 2);
	s.next = (struct next){ .begin = at, .end = at + 30 };
	dma(&s, EV_DMA_UNMAP, 0x2000, 512, EV_DMA_PAGE, 1);
	dma(&s, EV_DMA_UNMAP, 0x2000, 4096, EV_DMA_PAGE, 2);
	expect_clean(&s);
	story_end(&s);
}

/* dma_iova_link() twice, one dma_iova_destroy() for both. */
static void links_end_by_range(void **state)
{
	struct story s;

	(void)state;
	begin_direct(&s);
	dma(&s, EV_DMA_MAP, 0x2000, PAGE, EV_DMA_IOVA, 1);
	dma(&s, EV_DMA_MAP, 0x3000, PAGE, EV_DMA_IOVA, 1);
	dma(&s, EV_DMA_MAP, 0x4000, PAGE, EV_DMA_IOVA, 1);
	dma(&s, EV_DMA_UNMAP, 0x2000, 2 * PAGE, EV_DMA_IOVA, 1);
	expect_clean(&s);
	unbind(&s, DEV);
	expect(&s, "leak-on-free", 1);
	assert_int_equal(first(&s)->iova, 0x4000);
	story_end(&s);
}

/* ---- map-wide ---- */

struct asking {
	uint16_t type;
	uint32_t kind, dir_or_flags, prot;
	uint64_t findings;
};

static const struct asking askings[] = {
	{ EV_DMA_MAP, EV_DMA_PAGE, 0, 3, 0 },
	{ EV_DMA_MAP, EV_DMA_PAGE, 1, 1, 0 },
	{ EV_DMA_MAP, EV_DMA_PAGE, 1, 3, 1 },
	{ EV_DMA_MAP, EV_DMA_PAGE, 1, 2, 1 },
	{ EV_DMA_MAP, EV_DMA_PAGE, 2, 2, 0 },
	{ EV_DMA_MAP, EV_DMA_PAGE, 2, 3, 1 },
	{ EV_DMA_MAP, EV_DMA_PAGE, 2, 2 | 0x14, 0 },	/* cache, MMIO */
	{ EV_DMA_MAP, EV_DMA_COHERENT, 0, 3, 0 },
	{ EV_VFIO_MAP, 0, VFIO_MAP_READ, 1, 0 },
	{ EV_VFIO_MAP, 0, VFIO_MAP_READ, 3, 1 },
	{ EV_VFIO_MAP, 0, VFIO_MAP_WRITE, 3, 1 },
	{ EV_VFIO_MAP, 0, VFIO_MAP_READ | VFIO_MAP_WRITE, 3, 0 },
};

static void more_permission_than_asked(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(askings) / sizeof(askings[0]); i++) {
		const struct asking *a = &askings[i];
		struct story s;

		story_begin(&s);
		s.next.cause = 9;
		map_prot(&s, DOM, 0x2000, PAGE, a->prot);
		s.next.id = 9;
		if (a->type == EV_DMA_MAP)
			dma(&s, EV_DMA_MAP, 0x2000, PAGE, a->kind, a->dir_or_flags);
		else
			vfio(&s, EV_VFIO_MAP, 0x2000, PAGE, a->dir_or_flags);
		expect(&s, "map-wide", a->findings);
		story_end(&s);
	}
}

static void another_cause_is_none_of_it(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	s.next.cause = 8;
	map_prot(&s, DOM, 0x2000, PAGE, 3);
	s.next.id = 9;
	dma(&s, EV_DMA_MAP, 0x2000, PAGE, EV_DMA_PAGE, 1);
	expect_clean(&s);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(does_not_say_what_the_map_said),
		cmocka_unit_test(a_scatterlist_has_entries_not_size),
		cmocka_unit_test(unmapped_twice),
		cmocka_unit_test(never_mapped_needs_the_whole_history),
		cmocka_unit_test(shared_addresses_match_the_best),
		cmocka_unit_test(shared_addresses_with_a_past),
		cmocka_unit_test(a_failed_map_makes_no_entry),
		cmocka_unit_test(a_reused_address_heard_in_odd_order),
		cmocka_unit_test(links_end_by_range),
		cmocka_unit_test(a_device_from_before_has_a_past),
		cmocka_unit_test(a_device_that_moved_has_a_past),
		cmocka_unit_test(another_device_at_the_same_address),
		cmocka_unit_test(more_permission_than_asked),
		cmocka_unit_test(new_kernels_let_drivers_leave_out_unmaps),
		cmocka_unit_test(translated_devices_unmap_on_new_kernels),
		cmocka_unit_test(a_moment_of_doubt_on_new_kernels),
		cmocka_unit_test(freeing_nothing_is_allowed),
		cmocka_unit_test(a_mapping_from_before_makes_room),
		cmocka_unit_test(another_cause_is_none_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
