// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * stale-after-switch: devices that leave their IOMMU, domain ids that are given again, PASIDs.
 */
#include "story.h"

#define NAME "stale-after-switch"

/* ---- devices that leave the IOMMU ---- */

static void released(void **state)
{
	static const struct {
		const char *name, *what;
		bool context, iotlb;
	} cases[] = {
		{ "as it should be", NULL, true, true },
		{ "no context flush", "context cache", false, true },
		{ "no IOTLB flush", "IOTLB", true, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct story s;

		story_begin_attached(&s);
		leave(&s);
		if (cases[i].context)
			qi(&s, QI_CONTEXT(SID), 0);
		if (cases[i].iotlb)
			qi(&s, QI_DOMAIN(DID), 0);
		expect_clean(&s);
		assert_int_equal(judged(&s), 0);
		free_domain(&s, DOM);
		assert_int_equal(judged(&s), 1);
		if (found(&s, NAME, GRADE_VIOLATION) != !!cases[i].what ||
		    (cases[i].what && !says(first(&s), cases[i].what)))
			fail_msg("%s", cases[i].name);
		free_domain(&s, DOM);
		assert_int_equal(judged(&s), 1);
		story_end(&s);
	}
}

/* Its domain stays, for others: judged when it surely has ended. */
static void released_long_ago(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	leave(&s);
	mark(&s, EV_MARK_TICK, s.now);
	assert_int_equal(judged(&s), 0);
	s.now += LEAVE_NS;
	mark(&s, EV_MARK_TICK, s.now);
	expect(&s, NAME, 1);
	mark(&s, EV_MARK_TICK, s.now);
	assert_int_equal(judged(&s), 1);
	story_end(&s);
}

/* ---- domain ids ---- */

#define LEFT "domain id reused"

static void reuse(struct story *s, uint32_t assigned_to)
{
	alloc_domain(s, DOM2);
	ref_tag(s, DOM2, assigned_to ? DEV2 : DEV, 1);
}

static void leave_unflushed(struct story *s)
{
	uint64_t at = s->now;

	ref_context(s, DEV);
	ref_tag(s, DOM, DEV, 0);
	attach_since(s, at, DEV, 0);
}

static void an_id_is_reused(void **state)
{
	struct story s;

	(void)state;
	story_begin_ref(&s);
	leave_unflushed(&s);
	free_domain(&s, DOM);
	reuse(&s, 1);
	expect(&s, NAME, 1);
	assert_true(says(first(&s), LEFT));
	story_end(&s);
}

static void a_flush_before_it_is_reused(void **state)
{
	struct story s;

	(void)state;
	story_begin_ref(&s);
	leave_unflushed(&s);
	free_domain(&s, DOM);
	ref_flush(&s, EV_REF_FLUSH_DOMAIN, DID, 0, TOP);
	reuse(&s, 0);
	expect_clean(&s);
	story_end(&s);

	/* With the move, as the module does it. */
	story_begin_ref(&s);
	ref_move(&s, DEV, 0);
	free_domain(&s, DOM);
	reuse(&s, 0);
	expect_clean(&s);
	story_end(&s);
}

/* A flush of a part, of another id, or of a time when the device was still there. */
static void flushes_that_do_not_help(void **state)
{
	struct story s;

	(void)state;
	story_begin_ref(&s);
	ref_flush(&s, EV_REF_FLUSH_DOMAIN, DID, 0, TOP);
	leave_unflushed(&s);
	ref_flush(&s, EV_REF_FLUSH_DOMAIN, DID + 1, 0, TOP);
	ref_flush(&s, EV_REF_FLUSH_RANGE, DID, 0, 0xffffffff);
	free_domain(&s, DOM);
	reuse(&s, 0);
	expect(&s, NAME, 1);
	story_end(&s);
}

/* The other process has an instance of its own, with a number that was free. */
static void an_id_of_another_instance(void **state)
{
	struct story s;

	(void)state;
	story_begin_ref(&s);
	leave_unflushed(&s);
	free_domain(&s, DOM);
	s.next.tgid = 101;
	reuse(&s, 1);
	expect_clean(&s);
	story_end(&s);
}

static void its_own_id_again(void **state)
{
	struct story s;

	(void)state;
	story_begin_ref(&s);
	leave_unflushed(&s);
	ref_tag(&s, DOM, DEV2, 1);
	expect_clean(&s);
	story_end(&s);
}

static void reuse_after_a_loss(void **state)
{
	struct story s;

	(void)state;
	story_begin_ref(&s);
	leave_unflushed(&s);
	gap(&s, s.now, s.now + 20);
	s.now += 100;
	reuse(&s, 0);
	expect_clean(&s);
	story_end(&s);
}

/* VT-d frees an id inside the attach, and the new domain may get it at once. */
static void vtd_id_within_the_move(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin_attached(&s);
	at = s.now;
	qi(&s, QI_CONTEXT(SID), 0);
	qi(&s, QI_DOMAIN(DID), 0);
	tag(&s, DOM2, DEV);
	attach_since(&s, at, DEV, DOM2);
	expect_clean(&s);
	move(&s, DEV, 0);
	tag(&s, DOM, DEV);
	expect_clean(&s);
	story_end(&s);
}

/* ---- PASIDs ---- */

static void pasid_move(struct story *s, uint64_t begin, uint64_t domain, uint32_t pasid)
{
	struct ev_attach r = { .dev = DEV, .domain = domain, .pasid = pasid };

	s->next.begin = begin;
	op_fill(s, &r.op);
	s->next.begin = begin;
	s->next.end = s->now + 10;
	SEND(s, EV_ATTACH, r);
}

static void begin_scalable(struct story *s)
{
	struct ev_tag t = { .domain = DOM, .dev = DEV, .iommu = MMU, .driver_kind = EV_DRIVER_VTD,
			    .did = DID, .pasid = EV_TAG_NO_PASID, .sid = SID, .scalable = 1 };

	story_begin(s);
	alloc_domain(s, DOM);
	describe_domain(s, DOM, DOMAIN_PAGING);
	SEND(s, EV_TAG, t);
	attach(s, DEV, DOM);
}

static void a_pasid_ends(void **state)
{
	struct ev_device r = { .dev = DEV, .driver_kind = EV_DRIVER_VTD, .sid = SID,
			       .flags = EV_DEV_PASID, .name = "0000:00:02.0" };
	struct story s;
	uint64_t at;

	(void)state;
	begin_scalable(&s);
	SEND(&s, EV_DEVICE, r);
	describe_domain(&s, DOM2, DOMAIN_PAGING);
	pasid_move(&s, s.now, DOM2, 5);
	at = s.now;
	qi(&s, QI_PASID_CACHE(9, 5), 0);
	pasid_move(&s, at, 0, 5);
	expect_clean(&s);
	assert_int_equal(judged(&s), 1);
	pasid_move(&s, s.now, DOM2, 5);
	at = s.now;
	qi(&s, QI_PASID_CACHE(9, 4), 0);
	pasid_move(&s, at, 0, 5);
	expect(&s, NAME, 1);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(released),
		cmocka_unit_test(released_long_ago),
		cmocka_unit_test(an_id_is_reused),
		cmocka_unit_test(a_flush_before_it_is_reused),
		cmocka_unit_test(flushes_that_do_not_help),
		cmocka_unit_test(an_id_of_another_instance),
		cmocka_unit_test(its_own_id_again),
		cmocka_unit_test(reuse_after_a_loss),
		cmocka_unit_test(vtd_id_within_the_move),
		cmocka_unit_test(a_pasid_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
