// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* stale-after-switch: what a device's old domain leaves in the caches of its IOMMU. */
#include "story.h"

#define NAME "stale-after-switch"

/* ---- what has to be sent, and when ---- */

enum when { NEVER, BEFORE, BEGIN, INSIDE };

struct step {
	enum when when;
	uint64_t qw0, qw1;
};

struct flushes {
	const char *name;
	struct step steps[3];
	const char *what;	/* NULL: nothing is found */
};

#define IN(q)	{ INSIDE, q, 0 }
#define CTX(grain, fm, sid, did) \
	((grain) << 4 | 1ULL | (uint64_t)(did) << 16 | (uint64_t)(sid) << 32 | (uint64_t)(fm) << 48)
#define PC(grain, did, pasid) \
	((grain) << 4 | 7ULL | (uint64_t)(did) << 16 | (uint64_t)(pasid) << 32)

static const struct flushes legacy[] = {
	{ "as it should be", { IN(QI_CONTEXT(SID)), IN(QI_DOMAIN(DID)) }, NULL },
	{ "domain id 0", { IN(CTX(3, 0, SID, 0)), IN(QI_DOMAIN(DID)) }, NULL },
	{ "all contexts", { IN(CTX(1, 0, 0, 0)), IN(QI_GLOBAL) }, NULL },
	{ "contexts of the domain", { IN(CTX(2, 0, 0, DID)), IN(QI_DOMAIN(DID)) }, NULL },
	{ "contexts of another", { IN(CTX(2, 0, 0, DID + 1)), IN(QI_DOMAIN(DID)) }, "context cache" },
	{ "another device", { IN(QI_CONTEXT(SID + 8)), IN(QI_DOMAIN(DID)) }, "context cache" },
	{ "mask of one bit", { IN(CTX(3, 1, SID + 4, 0)), IN(QI_DOMAIN(DID)) }, NULL },
	{ "other bit than the mask", { IN(CTX(3, 1, SID + 2, 0)), IN(QI_DOMAIN(DID)) }, "context cache" },
	{ "mask of two bits", { IN(CTX(3, 2, SID + 6, 0)), IN(QI_DOMAIN(DID)) }, NULL },
	{ "below two bits", { IN(CTX(3, 2, SID + 7, 0)), IN(QI_DOMAIN(DID)) }, "context cache" },
	{ "mask of three bits", { IN(CTX(3, 3, SID + 7, 0)), IN(QI_DOMAIN(DID)) }, NULL },
	{ "above three bits", { IN(CTX(3, 3, SID + 8, 0)), IN(QI_DOMAIN(DID)) }, "context cache" },
	{ "PASID cache only", { IN(PC(1, DID, 0)), IN(QI_DOMAIN(DID)) }, "context cache" },
	{ "nothing", { { NEVER, 0, 0 } }, "context cache" },
	{ "context only", { IN(QI_CONTEXT(SID)) }, "IOTLB" },
	{ "another domain id", { IN(QI_CONTEXT(SID)), IN(QI_DOMAIN(DID + 1)) }, "IOTLB" },
	{ "a page", { IN(QI_CONTEXT(SID)), { INSIDE, QI_PAGES(DID), 0x1000 } }, "IOTLB" },
	{ "all pages", { IN(QI_CONTEXT(SID)), { INSIDE, QI_PAGES(DID), 0x3f } }, NULL },
	{ "context flush too early", { { BEFORE, QI_CONTEXT(SID), 0 }, IN(QI_DOMAIN(DID)) },
	  "context cache" },
	{ "context flush at the very begin", { { BEGIN, QI_CONTEXT(SID), 0 }, IN(QI_DOMAIN(DID)) },
	  NULL },
	{ "IOTLB flush too early", { { BEFORE, QI_DOMAIN(DID), 0 }, IN(QI_CONTEXT(SID)) }, "IOTLB" },
	{ "wrong order", { IN(QI_DOMAIN(DID)), IN(QI_CONTEXT(SID)) },
	  "IOTLB flushed before the entry, not after it" },
	{ "the new entry as well (caching mode)", { IN(QI_CONTEXT(SID)), IN(QI_DOMAIN(DID)),
	  IN(CTX(3, 0, SID, 0)) }, NULL },
	{ "of nobody knows what", { IN(0xf) }, NULL },
};

static const struct flushes scalable[] = {
	{ "as it should be", { IN(PC(1, DID, 0)), IN(QI_PASID_ALL(DID, 0)) }, NULL },
	{ "second stage", { IN(PC(1, DID, 0)), IN(QI_DOMAIN(DID)) }, NULL },
	{ "all PASIDs of the domain", { IN(PC(0, DID, 0)), IN(QI_DOMAIN(DID)) }, NULL },
	{ "all", { IN(PC(3, 0, 0)), IN(QI_GLOBAL) }, NULL },
	{ "another PASID", { IN(PC(1, DID, 1)), IN(QI_DOMAIN(DID)) }, "PASID cache" },
	{ "another domain", { IN(PC(1, DID + 1, 0)), IN(QI_DOMAIN(DID)) }, "PASID cache" },
	{ "all PASIDs of another", { IN(PC(0, DID + 1, 0)), IN(QI_DOMAIN(DID)) }, "PASID cache" },
	{ "context only", { IN(QI_CONTEXT(SID)), IN(QI_DOMAIN(DID)) }, "PASID cache" },
	{ "IOTLB of another PASID", { IN(PC(1, DID, 0)), IN(QI_PASID_ALL(DID, 1)) }, "IOTLB" },
};

#define DTE(sid)	(0x2ULL << 60 | (sid))
#define AMD_ALL(did)	(0x3ULL << 60 | (uint64_t)(did) << 32)
#define EVERYTHING	0x7ffffffffffff003ULL

static const struct flushes amd_vi[] = {
	{ "as it should be", { IN(DTE(SID)), { INSIDE, AMD_ALL(DID), EVERYTHING } }, NULL },
	{ "everything", { IN(DTE(SID)), IN(0x8ULL << 60) }, NULL },
	{ "another device", { IN(DTE(SID + 1)), { INSIDE, AMD_ALL(DID), EVERYTHING } },
	  "device table entry" },
	{ "no device", { { INSIDE, AMD_ALL(DID), EVERYTHING } }, "device table entry" },
	{ "no domain", { IN(DTE(SID)) }, "IOTLB" },
	{ "another domain", { IN(DTE(SID)), { INSIDE, AMD_ALL(DID + 1), EVERYTHING } }, "IOTLB" },
	{ "two halves", { IN(DTE(SID)), { INSIDE, AMD_ALL(DID), 0x3ffffffffffff003ULL },
	  { INSIDE, AMD_ALL(DID), 0x5ffffffffffff003ULL } }, NULL },
	{ "the lower gigabyte", { IN(DTE(SID)), { INSIDE, AMD_ALL(DID), 0x1ffff003ULL } }, "IOTLB" },
};

static void begin_in(struct story *s, uint32_t kind, bool is_scalable)
{
	struct ev_tag t = { .domain = DOM, .dev = DEV, .iommu = MMU, .driver_kind = kind, .did = DID,
			    .pasid = EV_TAG_NO_PASID, .sid = SID, .scalable = is_scalable };

	story_begin(s);
	alloc_domain(s, DOM);
	describe_domain(s, DOM, DOMAIN_PAGING);
	describe_device(s, DEV, kind);
	SEND(s, EV_TAG, t);
	attach(s, DEV, DOM);
}

static void step(struct story *s, const struct step *p, uint32_t kind)
{
	if (p->when == NEVER)
		return;
	if (kind == EV_DRIVER_AMD)
		amd(s, EV_AMD_CMD, p->qw0, p->qw1);
	else
		qi(s, p->qw0, p->qw1);
}

static void run(const struct flushes *c, uint32_t kind, bool is_scalable)
{
	struct story s;
	uint64_t begin;
	size_t i;

	begin_in(&s, kind, is_scalable);
	begin = s.now;
	for (i = 0; i < 3; i++) {
		if (c->steps[i].when == BEFORE)
			begin = s.now + 1;
		step(&s, &c->steps[i], kind);
	}
	attach_since(&s, begin, DEV, DOM2);
	if (found(&s, NULL, GRADE_NOTE) != !!c->what || (c->what && !says(first(&s), c->what)))
		fail_msg("%s", c->name);
	assert_int_equal(found(&s, NAME, GRADE_VIOLATION), !!c->what);
	assert_int_equal(judged(&s), 1);
	story_end(&s);
}

#define RUN(table, kind, is_scalable) do { \
	size_t at; \
	for (at = 0; at < sizeof(table) / sizeof(table[0]); at++) \
		run(&table[at], kind, is_scalable); \
} while (0)

static void vtd_legacy(void **state)
{
	(void)state;
	RUN(legacy, EV_DRIVER_VTD, false);
}

static void vtd_scalable(void **state)
{
	(void)state;
	RUN(scalable, EV_DRIVER_VTD, true);
}

static void amd_vi_moves(void **state)
{
	(void)state;
	RUN(amd_vi, EV_DRIVER_AMD, false);
}

static void refiommu_moves(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin_ref(&s);
	ref_move(&s, DEV, DOM2);
	expect_clean(&s);
	describe_domain(&s, DOM2, DOMAIN_PT);
	at = s.now;
	ref_context(&s, DEV2);
	attach_since(&s, at, DEV, DOM);
	expect(&s, NAME, 1);
	assert_int_equal(judged(&s), 2);
	story_end(&s);
}

/* ---- who owes nothing ---- */

/* Its unmaps still flush what the others have; only the entry counts. */
static void others_stay_in_the_domain(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin_attached(&s);
	tag(&s, DOM, DEV2);
	at = s.now;
	qi(&s, QI_CONTEXT(SID), 0);
	attach_since(&s, at, DEV, DOM2);
	expect_clean(&s);
	assert_int_equal(judged(&s), 1);
	story_end(&s);
}

static void no_switch(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	attach(&s, DEV, DOM);		/* to where it is */
	move(&s, DEV, DOM2);
	describe_domain(&s, DOM2, 0);	/* blocked: it had no entry */
	attach(&s, DEV, DOM);
	expect_clean(&s);
	assert_int_equal(judged(&s), 1);
	story_end(&s);
}

static void identity_is_a_domain(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	move(&s, DEV, DOM2);
	describe_domain(&s, DOM2, DOMAIN_PT);
	attach(&s, DEV, DOM);
	expect(&s, NAME, 1);
	story_end(&s);
}

static void aliases(void **state)
{
	struct ev_alias r = { .dev = DEV, .sid = 0x200 };
	struct story s;
	uint64_t at;

	(void)state;
	story_begin_attached(&s);
	SEND(&s, EV_ALIAS, r);
	SEND(&s, EV_ALIAS, r);
	at = s.now;
	qi(&s, QI_CONTEXT(SID), 0);
	qi(&s, QI_CONTEXT(0x200), 0);
	qi(&s, QI_DOMAIN(DID), 0);
	attach_since(&s, at, DEV, DOM2);
	expect_clean(&s);
	describe_domain(&s, DOM2, DOMAIN_PT);
	at = s.now;
	qi(&s, QI_CONTEXT(SID), 0);
	qi(&s, QI_CONTEXT(SID), 0);	/* CVE-2026-90240: the device's own id again */
	attach_since(&s, at, DEV, DOM);
	expect(&s, NAME, 1);
	assert_true(says(first(&s), "context cache of an alias"));
	assert_int_equal(first(&s)->cache_id, 0x200);
	story_end(&s);
}

/* ATS: flushed, or turned off for a moment; else found, unless the device was being removed. */
static void device_tlbs(void **state)
{
	static const struct {
		const char *name;
		bool flush, part, off, deaf, gone, cold;
		uint64_t violations, notes;
	} cases[] = {
		{ .name = "flushed", .flush = true },
		{ .name = "a part", .flush = true, .part = true, .violations = 1, .notes = 1 },
		{ .name = "not", .violations = 1, .notes = 1 },
		{ .name = "turned off", .off = true },
		{ .name = "nobody would hear that", .deaf = true },
		{ .name = "gone", .gone = true, .notes = 1 },
		{ .name = "without power", .cold = true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ev_device r = { .dev = DEV, .driver_kind = EV_DRIVER_VTD, .sid = SID,
				       .flags = EV_DEV_ATS, .name = "0000:00:02.0" };
		struct ev_attach left = { .dev = DEV, .pasid = EV_TAG_NO_PASID,
					  .hook = HOOK_RELEASE };
		struct story s;
		uint64_t at;

		story_begin(&s);
		hook(&s, HOOK_ATS_OFF, cases[i].deaf ? EV_HOOK_REFUSED : EV_HOOK_HEARD);
		alloc_domain(&s, DOM);
		describe_domain(&s, DOM, DOMAIN_PAGING);
		SEND(&s, EV_DEVICE, r);
		tag_as(&s, DOM, DEV, (struct tagged){ EV_DRIVER_VTD, DID, EV_TAG_NO_PASID, SID, 1 });
		attach(&s, DEV, DOM);
		at = s.now;
		r.flags = 0;
		if (cases[i].off)
			SEND(&s, EV_DEVICE, r);
		qi(&s, QI_CONTEXT(SID), 0);
		qi(&s, QI_DOMAIN(DID), 0);
		if (cases[i].flush)
			qi(&s, QI_DEVTLB(SID), cases[i].part ? 0 : 0x7ffffffffffff001);
		r.flags = EV_DEV_ATS | (cases[i].cold ? EV_DEV_COLD : 0);
		SEND(&s, EV_DEVICE, r);
		attach_since(&s, at, DEV, DOM2);
		if (cases[i].cold != !!unknowns(&s))
			fail_msg("%s: unknown", cases[i].name);
		op_fill(&s, &left.op);
		if (cases[i].gone)
			SEND(&s, EV_ATTACH, left);
		if (found(&s, NAME, GRADE_VIOLATION) != cases[i].violations ||
		    found(&s, NULL, GRADE_NOTE) != cases[i].notes)
			fail_msg("%s", cases[i].name);
		story_end(&s);
	}
}

static void what_is_not_known(void **state)
{
	static const struct {
		const char *name;
		int32_t ret;
		bool nobegin, proxied, deferred, deaf, lossy, quiet;
	} cases[] = {
		{ .name = "it failed", .ret = -16 },
		{ .name = "nobody knows when it began", .nobegin = true },
		{ .name = "another device does its DMA", .proxied = true },
		{ .name = "it had not been attached yet", .deferred = true },
		{ .name = "flushes are not heard", .deaf = true },
		{ .name = "a loss meanwhile", .lossy = true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ev_device r = { .dev = DEV, .driver_kind = EV_DRIVER_VTD, .sid = SID,
				       .name = "0000:00:02.0" };
		struct story s;
		uint64_t at;

		story_begin_attached(&s);
		r.flags = (cases[i].proxied ? EV_DEV_PROXIED : 0) |
			  (cases[i].deferred ? EV_DEV_DEFERRED : 0);
		SEND(&s, EV_DEVICE, r);
		if (cases[i].deferred) {
			r.flags = 0;
			SEND(&s, EV_DEVICE, r);
		}
		if (cases[i].deaf)
			hook(&s, HOOK_FLUSH_VTD, EV_HOOK_REFUSED);
		at = s.now;
		if (cases[i].lossy) {
			gap(&s, s.now, s.now + 20);
			s.now += 100;
		}
		s.next.begin = at;
		s.next.end = s.now + 10;
		s.next.ret = cases[i].ret;
		s.next.nobegin = cases[i].nobegin;
		attach(&s, DEV, DOM2);
		if (found(&s, NULL, GRADE_NOTE) || judged(&s) || !unknowns(&s))
			fail_msg("%s", cases[i].name);
		story_end(&s);
	}
}

/* The exit of a flush call was skipped: it may have been the one. */
static void a_flush_that_was_skipped(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin_attached(&s);
	at = s.now;
	attach(&s, DEV, DOM2);
	expect(&s, NAME, 1);
	skipped(&s, HOOK_FLUSH_VTD, MMU, 0, 0, at);
	expect_clean(&s);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vtd_legacy),
		cmocka_unit_test(vtd_scalable),
		cmocka_unit_test(amd_vi_moves),
		cmocka_unit_test(refiommu_moves),
		cmocka_unit_test(others_stay_in_the_domain),
		cmocka_unit_test(no_switch),
		cmocka_unit_test(identity_is_a_domain),
		cmocka_unit_test(aliases),
		cmocka_unit_test(device_tlbs),
		cmocka_unit_test(what_is_not_known),
		cmocka_unit_test(a_flush_that_was_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
