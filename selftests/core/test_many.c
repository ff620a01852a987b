// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Large machines, honest recordings: hundreds of devices, each in a group of its own, as a few
 * network cards with their virtual functions make. What is known of them must last.
 */
#include "story.h"

#define IDENTITY	0xd800ULL	/* the domain of all that are not translated */
#define MANY		700U
#define UNMAPS		100000U
#define DEV_NR(i)	(0x1000000ULL + (i) * 0x1000ULL)
#define IDENTITY_TYPE	0x4	/* include/linux/iommu.h: __IOMMU_DOMAIN_PT */

static void device_nr(struct story *s, unsigned int i)
{
	struct ev_device r = { .dev = DEV_NR(i), .driver_kind = EV_DRIVER_VTD, .sid = i,
			       .group = i };

	snprintf(r.name, sizeof(r.name), "%04x:00:00.0", i);
	s->next.flags = EVF_STATE;
	SEND(s, EV_DEVICE, r);
}

static void in_domain(struct story *s, unsigned int i, uint64_t domain)
{
	struct ev_attach r = { .dev = DEV_NR(i), .domain = domain, .pasid = EV_TAG_NO_PASID,
			       .group = i };

	s->next.flags = EVF_STATE;
	tag_as(s, domain, DEV_NR(i), (struct tagged){ EV_DRIVER_VTD, 1, EV_TAG_NO_PASID, i, 0 });
	s->next.flags = EVF_STATE;
	op_fill(s, &r.op);
	SEND(s, EV_ATTACH, r);
}

static void resv_of(struct story *s, unsigned int i)
{
	struct ev_resv r = { .first = 0xfee00000, .last = 0xfeefffff, .type = EV_RESV_MSI,
			     .group = i, .count = 1 };

	SEND(s, EV_RESV, r);
}

static void read_machine(struct story *s, uint64_t domain, uint32_t type)
{
	unsigned int i;

	story_begin(s);
	s->next.flags = EVF_STATE;
	describe_domain(s, domain, type);
	for (i = 0; i < MANY; i++) {
		device_nr(s, i);
		in_domain(s, i, domain);
	}
	for (i = 0; i < MANY; i++)
		resv_of(s, i);
}

/* iommu=pt: the state is read, and a device leaves without a flush of its entry. */
static void all_in_one_domain(void **state)
{
	static const uint32_t types[] = { IDENTITY_TYPE, DOMAIN_PAGING };
	struct story s;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		read_machine(&s, IDENTITY, types[i]);
		alloc_domain(&s, DOM);
		attach(&s, DEV_NR(3), DOM);
		expect(&s, "stale-after-switch", 1);
		story_end(&s);
	}
}

/* A VFIO user closes: the device has left, then a large space is unmapped, page by page. */
static void a_large_space_nobody_is_in(void **state)
{
	struct story s;
	unsigned int i;

	(void)state;
	read_machine(&s, IDENTITY, IDENTITY_TYPE);
	alloc_domain(&s, DOM);
	describe_domain(&s, DOM, DOMAIN_PAGING);
	for (i = 0; i < UNMAPS; i++)
		map(&s, i * PAGE, PAGE);
	for (i = 0; i < UNMAPS; i++)
		unmap_fast(&s, i * PAGE, PAGE);
	alloc_domain(&s, DOM2);
	attach(&s, DEV_NR(3), DOM2);
	expect(&s, "stale-after-switch", 1);
	story_end(&s);
}

/* A VFIO user with as many devices, each with a TLB of its own, gives up a large space. */
static void many_device_tlbs(void **state)
{
	struct story s;
	unsigned int i;

	(void)state;
	story_begin_attached(&s);
	for (i = 0; i < 60; i++)
		tag_as(&s, DOM, DEV_NR(i), (struct tagged){ EV_DRIVER_VTD, DID, EV_TAG_NO_PASID,
							    0x200 + i, 1 });
	for (i = 0; i < UNMAPS / 4; i++)
		map(&s, i * PAGE, PAGE);
	for (i = 0; i < UNMAPS / 4; i++)
		unmap_fast(&s, i * PAGE, PAGE);
	attach(&s, DEV, DOM2);
	expect(&s, "stale-after-switch", 1);
	story_end(&s);
}

/* More devices than are asked for one page: the one that matters came last, and nobody knows. */
static void the_last_of_thousands(void **state)
{
	struct ev_attach r = { .domain = DOM, .pasid = EV_TAG_NO_PASID };
	struct story s;
	uint64_t unknown;
	unsigned int i;

	(void)state;
	story_begin(&s);
	hook(&s, HOOK_PAGE_FREE, EV_HOOK_HEARD);
	for (i = 0; i < 5000; i++)
		device_nr(&s, i);
	alloc_domain(&s, DOM);
	r.dev = DEV_NR(4999);
	r.group = 4999;
	op_fill(&s, &r.op);
	SEND(&s, EV_ATTACH, r);
	map(&s, 0x1000, PAGE);
	unknown = unknowns(&s);
	page_free(&s, 0x100001000ULL, PAGE);
	assert_true(unknowns(&s) > unknown || found(&s, "freed-while-mapped", GRADE_VIOLATION));
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_in_one_domain),
		cmocka_unit_test(a_large_space_nobody_is_in),
		cmocka_unit_test(many_device_tlbs),
		cmocka_unit_test(the_last_of_thousands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
