// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* fault-after-unmap, fault-while-live: faults against the history of their domain. */
#include "core/fault.h"
#include "story.h"

#define SECOND 1000000000ULL

/* A fault record of VT-d: source id, reason, a write or a read. */
static void vtd_fault(struct story *s, uint64_t iova, uint32_t reason, bool read)
{
	struct ev_fault r = { .iova = iova, .driver_kind = EV_DRIVER_VTD, .iommu = MMU,
			      .raw = 1ULL << 63 | (uint64_t)read << 62 | (uint64_t)reason << 32 |
				     SID };

	SEND(s, EV_FAULT, r);
}

static void ref_fault(struct story *s, uint64_t iova, uint32_t prot, uint32_t reason)
{
	struct ev_fault r = { .dev = DEV, .domain = DOM, .iova = iova, .prot = prot,
			      .reason = reason, .driver_kind = EV_DRIVER_REF };

	SEND(s, EV_FAULT, r);
}

static const struct fault *last_fault(const struct story *s)
{
	const struct faults *f = model_faults(engine_model(s->e));

	assert_true(f->nkept > 0);
	return fault_at(f, f->nkept - 1);
}

/* ---- what the records say ---- */

struct decoded {
	const char *name;
	struct ev_fault e;
	struct fault_facts f;
};

#define VTD(hi) { .driver_kind = EV_DRIVER_VTD, .iommu = MMU, .iova = 0x5123, .raw = hi }
#define AMD(lo) { .driver_kind = EV_DRIVER_AMD, .iommu = MMU, .iova = 0x5123, .raw = lo }

static const struct decoded decodeds[] = {
	{ "VT-d: write, no PASID", VTD(0x8000000500000100),
	  { FAULT_ENTRY, 0x5000, 2, 0x5, 0x100, EV_TAG_NO_PASID, FAULT_NO_SID, 0 } },
	{ "VT-d: read", VTD(0xc000000600000100),
	  { FAULT_ENTRY, 0x5000, 1, 0x6, 0x100, EV_TAG_NO_PASID, FAULT_NO_SID, 0 } },
	{ "VT-d: atomic, PASID 0x12345", VTD(0xc123457190000fff),
	  { FAULT_ENTRY, 0x5000, 3, 0x71, 0xfff, 0x12345, FAULT_NO_SID, 0 } },
	{ "VT-d: page request", VTD(0x8000007190000100),
	  { FAULT_ELSE, 0x5000, 0, 0x71, 0x100, 0, FAULT_NO_SID, 0 } },
	{ "VT-d: context entry not present", VTD(0xc000000200000100),
	  { FAULT_ROOT, 0x5000, 1, 0x2, 0x100, EV_TAG_NO_PASID, FAULT_NO_SID, 0 } },
	{ "VT-d: interrupt remapping", VTD(0x8000002200000100),
	  { FAULT_ELSE, 0x5000, 2, 0x22, 0x100, EV_TAG_NO_PASID, FAULT_NO_SID, 0 } },
	{ "AMD: not present", AMD(0x2000000700000028),
	  { FAULT_ENTRY, 0x5123, 0, 0, 0x28, EV_TAG_NO_PASID, 7, 0 } },
	{ "AMD: write without permission", AMD(0x2030000700000028),
	  { FAULT_ENTRY, 0x5123, 2, 0x30, 0x28, EV_TAG_NO_PASID, 7, 0 } },
	{ "AMD: of a PASID", AMD(0x2001002300040028),
	  { FAULT_ENTRY, 0x5123, 0, 0x1, 0x28, 0x40023, FAULT_NO_SID, 0 } },
	{ "AMD: an interrupt", AMD(0x2008000000000028),
	  { FAULT_ELSE, 0x5123, 0, 0x8, 0x28, EV_TAG_NO_PASID, 0, 0 } },
};

static void records_are_decoded(void **state)
{
	struct fault_facts f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(decodeds) / sizeof(decodeds[0]); i++) {
		memset(&f, 0xff, sizeof(f));
		fault_decode(&decodeds[i].e, &f);
		if (f.kind != decodeds[i].f.kind || f.iova != decodeds[i].f.iova ||
		    f.prot != decodeds[i].f.prot || f.reason != decodeds[i].f.reason ||
		    f.sid != decodeds[i].f.sid || f.pasid != decodeds[i].f.pasid ||
		    f.did != decodeds[i].f.did)
			fail_msg("%s: kind %d prot %u reason %u sid %x pasid %x did %x",
				 decodeds[i].name, f.kind, f.prot, f.reason, f.sid, f.pasid,
				 f.did);
	}
}

/* ---- after an unmap ---- */

struct late {
	const char *name;
	uint64_t at;
	uint64_t n;
};

/* Two pages were at 0x4000. */
static const struct late lates[] = {
	{ "below", 0x3fff, 0 },	     { "first byte", 0x4000, 1 },
	{ "last byte", 0x5fff, 1 },  { "above", 0x6000, 0 },
};

static void used_after_its_unmap(void **state)
{
	struct story s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lates) / sizeof(lates[0]); i++) {
		story_begin_ref(&s);
		map(&s, 0x4000, 2 * PAGE);
		unmap_fast(&s, 0x4000, 2 * PAGE);
		ref_fault(&s, lates[i].at, 2, 2);
		expect(&s, "fault-after-unmap", lates[i].n);
		story_end(&s);
	}
}

static void vtd_names_a_source_id(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	map(&s, 0x4000, PAGE);
	unmap_fast(&s, 0x4000, PAGE);
	flush_pages(&s, 0x4000, 0);
	vtd_fault(&s, 0x4000, 6, true);
	expect(&s, "fault-after-unmap", 1);
	assert_int_equal(first(&s)->device, DEV);
	assert_int_equal(first(&s)->iova, 0x4000);
	/* Again is the same; elsewhere is another. */
	vtd_fault(&s, 0x4000, 6, true);
	expect(&s, "fault-after-unmap", 1);
	assert_int_equal(first(&s)->count, 2);
	story_end(&s);
}

/* Two segments may use one number; without a cache nobody can tell. */
static void two_devices_with_one_number(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	describe_device(&s, DEV2, EV_DRIVER_VTD);
	map(&s, 0x4000, PAGE);
	unmap_fast(&s, 0x4000, PAGE);
	vtd_fault(&s, 0x4000, 6, true);
	expect(&s, "fault-after-unmap", 1);	/* DEV is behind that IOMMU, DEV2 is not */
	tag(&s, DOM2, DEV2);
	attach(&s, DEV2, DOM2);
	vtd_fault(&s, 0x4000, 5, false);
	expect(&s, "fault-after-unmap", 1);
	assert_int_equal(last_fault(&s)->class, FAULT_UNKNOWN);
	assert_int_equal(unknowns(&s), 1);
	story_end(&s);
}

static void never_mapped_is_no_finding(void **state)
{
	struct story s;

	(void)state;
	story_begin_ref(&s);
	map(&s, 0x2000, PAGE);
	map(&s, 0x8000, PAGE);
	ref_fault(&s, 0x4000, 1, 2);
	expect_clean(&s);
	assert_int_equal(last_fault(&s)->class, FAULT_NEVER);
	assert_int_equal(last_fault(&s)->below.iova, 0x2000);
	assert_int_equal(last_fault(&s)->above.iova, 0x8000);
	story_end(&s);
}

/* The domain was there before us. */
static void an_old_domain_may_have_had_it(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	describe_device(&s, DEV, EV_DRIVER_VTD);
	state_read(&s, DEV, DOM);
	vtd_fault(&s, 0x4000, 6, true);
	expect_clean(&s);
	assert_int_equal(last_fault(&s)->class, FAULT_UNHEARD);
	story_end(&s);
}

static void another_generation_is_another_domain(void **state)
{
	struct story s;

	(void)state;
	story_begin_ref(&s);
	map(&s, 0x4000, PAGE);
	unmap_fast(&s, 0x4000, PAGE);
	ref_move(&s, DEV, DOM2);
	free_domain(&s, DOM);
	alloc_domain(&s, DOM);
	ref_move(&s, DEV, DOM);
	ref_fault(&s, 0x4000, 1, 2);
	expect_clean(&s);
	story_end(&s);
}

static void unmapped_before_the_device_came(void **state)
{
	struct story s;

	(void)state;
	story_begin(&s);
	alloc_domain(&s, DOM);
	describe_device(&s, DEV, EV_DRIVER_REF);
	map(&s, 0x4000, PAGE);
	unmap_fast(&s, 0x4000, PAGE);
	attach(&s, DEV, DOM);
	ref_fault(&s, 0x4000, 1, 2);
	expect_clean(&s);
	assert_int_equal(last_fault(&s)->class, FAULT_UNKNOWN);
	story_end(&s);
}

static void a_loss_since_hides_a_map(void **state)
{
	struct story s;

	(void)state;
	story_begin_ref(&s);
	map(&s, 0x4000, PAGE);
	unmap_fast(&s, 0x4000, PAGE);
	gap(&s, s.now, s.now + 100);
	s.now += 200;
	attach(&s, DEV, DOM);
	ref_fault(&s, 0x4000, 1, 2);
	expect_clean(&s);
	story_end(&s);
}

static void a_blocked_device_is_no_history(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	map(&s, 0x4000, PAGE);
	unmap_fast(&s, 0x4000, PAGE);
	vtd_fault(&s, 0x4000, 2, true);	/* context entry not present: being reset */
	expect_clean(&s);
	move(&s, DEV, 0);
	vtd_fault(&s, 0x4000, 6, true);
	expect_clean(&s);
	assert_int_equal(last_fault(&s)->class, FAULT_NO_TABLE);
	story_end(&s);
}

/* ---- while live ---- */

struct live {
	const char *name;
	uint64_t at;
	uint32_t prot, mapped;
	uint64_t n;
	enum fault_class class;
};

static const struct live lives[] = {
	{ "read of what may be read", 0x4000, 1, 1, 1, FAULT_LIVE },
	{ "write of what may be read", 0x4000, 2, 1, 0, FAULT_DENIED },
	{ "both of what may be written", 0x4fff, 3, 2, 0, FAULT_DENIED },
	{ "write of both", 0x4fff, 2, 3, 1, FAULT_LIVE },
	{ "behind it", 0x5000, 2, 3, 0, FAULT_NEVER },
};

static void used_while_it_is_mapped(void **state)
{
	struct story s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		story_begin_ref(&s);
		map_prot(&s, DOM, 0x4000, PAGE, lives[i].mapped);
		ref_fault(&s, lives[i].at, lives[i].prot, 2);
		expect(&s, "fault-while-live", lives[i].n);
		assert_int_equal(last_fault(&s)->class, lives[i].class);
		story_end(&s);
	}
}

struct settled {
	uint64_t wait;
	uint64_t n;
};

/* Hardware's fault may have waited for its interrupt: it may be older than the map. */
static const struct settled settleds[] = { { SECOND - 100, 0 }, { SECOND + 100, 1 } };

static void hardware_may_have_faulted_before_the_map(void **state)
{
	struct story s;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		story_begin_attached(&s);
		map(&s, 0x4000, PAGE);
		s.now += settleds[i].wait;
		vtd_fault(&s, 0x4000, 6, true);
		expect(&s, "fault-while-live", settleds[i].n);
		story_end(&s);
	}
}

/* The record of the unmap comes at its end; the entry was cleared before. */
static void the_unmap_was_running(void **state)
{
	struct story s;
	uint64_t begin;

	(void)state;
	story_begin_ref(&s);
	map(&s, 0x4000, 2 * PAGE);
	begin = s.now;
	s.now += 100;
	ref_fault(&s, 0x4000, 2, 2);
	ref_fault(&s, 0x5000, 2, 2);
	expect(&s, "fault-while-live", 2);
	s.next.begin = begin;
	s.next.end = s.now + 10;
	unmap_fast(&s, 0x4000, 2 * PAGE);
	assert_int_equal(found(&s, "fault-while-live", GRADE_NOTE), 0);
	expect(&s, "fault-after-unmap", 2);
	assert_int_equal(model_faults(engine_model(s.e))->count[FAULT_UNMAPPED], 2);
	story_end(&s);
}

static void an_unmap_long_after_changes_nothing(void **state)
{
	struct story s;

	(void)state;
	story_begin_ref(&s);
	map(&s, 0x4000, PAGE);
	ref_fault(&s, 0x4000, 2, 2);
	unmap_fast(&s, 0x4000, PAGE);
	expect(&s, "fault-while-live", 1);
	story_end(&s);
}

static void what_is_mapped_twice_is_unsure(void **state)
{
	struct story s;

	(void)state;
	story_begin_ref(&s);
	map(&s, 0x4000, PAGE);
	map(&s, 0x4000, PAGE);	/* map-overlap */
	ref_fault(&s, 0x4000, 2, 2);
	assert_int_equal(found(&s, "fault-while-live", GRADE_NOTE), 0);
	assert_int_equal(last_fault(&s)->class, FAULT_UNKNOWN);
	story_end(&s);
}

static void a_record_of_the_first_abi(void **state)
{
	struct ev_fault r = { .dev = DEV, .domain = DOM, .iova = 0x4000, .prot = 2, .reason = 2,
			      .driver_kind = EV_DRIVER_REF };
	struct story s;

	(void)state;
	story_begin_ref(&s);
	map(&s, 0x4000, PAGE);
	unmap_fast(&s, 0x4000, PAGE);
	send(&s, EV_FAULT, &r, offsetof(struct ev_fault, iommu));
	assert_int_equal(s.ret, 0);
	expect(&s, "fault-after-unmap", 1);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_decoded),
		cmocka_unit_test(used_after_its_unmap),
		cmocka_unit_test(vtd_names_a_source_id),
		cmocka_unit_test(two_devices_with_one_number),
		cmocka_unit_test(never_mapped_is_no_finding),
		cmocka_unit_test(an_old_domain_may_have_had_it),
		cmocka_unit_test(another_generation_is_another_domain),
		cmocka_unit_test(unmapped_before_the_device_came),
		cmocka_unit_test(a_loss_since_hides_a_map),
		cmocka_unit_test(a_blocked_device_is_no_history),
		cmocka_unit_test(used_while_it_is_mapped),
		cmocka_unit_test(hardware_may_have_faulted_before_the_map),
		cmocka_unit_test(the_unmap_was_running),
		cmocka_unit_test(an_unmap_long_after_changes_nothing),
		cmocka_unit_test(what_is_mapped_twice_is_unsure),
		cmocka_unit_test(a_record_of_the_first_abi),
	};

	return cmocka_run_group_tests_name("core.fault", tests, NULL, NULL);
}
