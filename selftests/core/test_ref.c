// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Domains of refiommu: its flushes, intents and replays. */
#include "story.h"

#define BUF 0x10000ULL		/* four pages, mapped and unmapped */
#define BUF_SIZE (4 * PAGE)
#define BUF_LAST (BUF + BUF_SIZE - 1)

/* ---- flushes ---- */

struct payment {
	const char *name;
	uint32_t kind, did;
	uint64_t first, last;
	const char *finding;	/* NULL: all paid */
	uint64_t iova, to;	/* what is missing */
};

/* [BUF, BUF_LAST] is owed, then one invalidation comes. */
static const struct payment payments[] = {
	{ "exact", EV_REF_FLUSH_RANGE, DID, BUF, BUF_LAST, NULL, 0, 0 },
	{ "larger", EV_REF_FLUSH_RANGE, DID, 0, TOP, NULL, 0, 0 },
	{ "domain", EV_REF_FLUSH_DOMAIN, DID, 0, 0, NULL, 0, 0 },
	{ "one page short", EV_REF_FLUSH_RANGE, DID, BUF, BUF_LAST - PAGE, "flush-short",
	  BUF_LAST - PAGE + 1, BUF_LAST },
	{ "one byte short", EV_REF_FLUSH_RANGE, DID, BUF, BUF_LAST - 1, "flush-short",
	  BUF_LAST, BUF_LAST },
	{ "late start", EV_REF_FLUSH_RANGE, DID, BUF + 1, BUF_LAST, "flush-short", BUF, BUF },
	{ "below", EV_REF_FLUSH_RANGE, DID, 0, BUF - 1, "stale-iotlb", BUF, BUF_LAST },
	{ "above", EV_REF_FLUSH_RANGE, DID, BUF_LAST + 1, TOP, "stale-iotlb", BUF, BUF_LAST },
	{ "other domain", EV_REF_FLUSH_RANGE, DID + 1, BUF, BUF_LAST, "stale-iotlb", BUF, BUF_LAST },
	{ "all of another", EV_REF_FLUSH_DOMAIN, DID + 1, 0, TOP, "stale-iotlb", BUF, BUF_LAST },
	{ "context", EV_REF_FLUSH_CONTEXT, DID, 0, TOP, "stale-iotlb", BUF, BUF_LAST },
	{ "unheard of", 9, DID, 0, 0, NULL, 0, 0 },
	{ "backwards", EV_REF_FLUSH_RANGE, DID, 5, 4, NULL, 0, 0 },
};

static bool as_expected(const struct story *s, const struct payment *p)
{
	const struct finding *f = report_next(engine_report(s->e), NULL);

	if (!p->finding || !f)
		return !p->finding && !f;

	return !strcmp(finding_name(f->id), p->finding) && f->iova == p->iova && f->last == p->to;
}

static void an_invalidation_pays_what_it_covers(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(payments) / sizeof(payments[0]); i++) {
		const struct payment *p = &payments[i];
		struct story s;

		story_begin_ref(&s);
		map(&s, BUF, BUF_SIZE);
		unmap_fast(&s, BUF, BUF_SIZE);
		ref_flush(&s, p->kind, p->did, p->first, p->last);
		map(&s, BUF, BUF_SIZE);
		if (!as_expected(&s, p))
			fail_msg("%s", p->name);
		story_end(&s);
	}
}

/* A flush of another instance names another cache; that of an AMD or VT-d unit, too. */
static void another_instance_pays_nothing(void **state)
{
	struct ev_ref_flush other = { .kind = EV_REF_FLUSH_DOMAIN, .instance = REF_NR + 1, .did = DID };
	struct story s;

	(void)state;
	story_begin_ref(&s);
	map(&s, BUF, PAGE);
	unmap_fast(&s, BUF, PAGE);
	other.begin_ns = s.now;
	SEND(&s, EV_REF_FLUSH, other);
	qi(&s, QI_DOMAIN(DID), 0);
	map(&s, BUF, PAGE);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
}

static void a_flush_inside_the_unmap_counts(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin_ref(&s);
	map(&s, BUF, BUF_SIZE);
	at = s.now;
	s.next = (struct next){ .begin = at + 2, .end = at + 5 };
	ref_flush(&s, EV_REF_FLUSH_RANGE, DID, BUF, BUF_LAST);
	s.next = (struct next){ .begin = at, .end = at + 10 };
	unmap(&s, BUF, BUF_SIZE);
	expect_clean(&s);
	story_end(&s);
}

/* Sent before the unmap began: it says nothing about what was still mapped. */
static void a_flush_before_the_unmap_does_not(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin_ref(&s);
	map(&s, BUF, BUF_SIZE);
	at = s.now;
	s.next = (struct next){ .begin = at - 5, .end = at + 5 };
	ref_flush(&s, EV_REF_FLUSH_RANGE, DID, BUF, BUF_LAST);
	s.next = (struct next){ .begin = at, .end = at + 10 };
	unmap(&s, BUF, BUF_SIZE);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
}

/* Lazy: the page waits, and the IOVA with it, until the whole domain is flushed. */
static void a_lazy_domain_flushes_later(void **state)
{
	struct story s;

	(void)state;
	story_begin_ref(&s);
	map(&s, BUF, PAGE);
	s.next.flags = EVF_QUEUED;
	unmap_fast(&s, BUF, PAGE);
	map(&s, BUF + PAGE, PAGE);
	ref_flush(&s, EV_REF_FLUSH_DOMAIN, DID, 0, TOP);
	map(&s, BUF, PAGE);
	expect_clean(&s);
	s.next.flags = EVF_QUEUED;
	unmap_fast(&s, BUF, PAGE);
	map(&s, BUF, PAGE);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
}

/* ---- hooks ---- */

static bool stale_is_off(const struct story *s)
{
	struct checker_status st;
	size_t i;

	for (i = 0; !engine_checker(s->e, i, &st); i++)
		if (!strcmp(st.name, "stale-iotlb"))
			return st.off;
	return false;
}

/* Refused: the module is there, and its flushes are not heard. */
static void flushes_that_are_not_heard(void **state)
{
	static const struct {
		uint32_t state;
		bool off;
		uint64_t findings;
	} cases[] = {
		{ EV_HOOK_HEARD, false, 1 },
		{ EV_HOOK_REFUSED, true, 0 },
		{ EV_HOOK_OFF, true, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct story s;

		story_begin_unattached(&s);
		hook(&s, HOOK_REF_FLUSH, cases[i].state);
		mark(&s, EV_MARK_ATTACHED, 0);
		alloc_domain(&s, DOM);
		describe_device(&s, DEV, EV_DRIVER_REF);
		ref_tag(&s, DOM, DEV, 1);
		attach(&s, DEV, DOM);
		map(&s, BUF, PAGE);
		unmap(&s, BUF, PAGE);
		assert_int_equal(stale_is_off(&s), cases[i].off);
		expect(&s, "stale-iotlb", cases[i].findings);
		story_end(&s);
	}
}

/* A flush that the kernel did not let us hear takes the finding back. */
static void a_missed_flush_is_doubt(void **state)
{
	struct story s;
	uint64_t from;

	(void)state;
	story_begin_ref(&s);
	from = s.now;
	map(&s, BUF, PAGE);
	unmap(&s, BUF, PAGE);
	expect(&s, "stale-iotlb", 1);
	missed(&s, HOOK_REF_FLUSH, 0, 1, from);
	expect(&s, "stale-iotlb", 0);
	story_end(&s);
}

/* ---- intents ---- */

static void an_intent_hands_back_what_it_unmapped(void **state)
{
	struct story s;

	(void)state;
	story_begin_ref(&s);
	map(&s, BUF, BUF_SIZE);
	s.next.cause = 52;
	unmap_fast(&s, BUF, BUF_SIZE);
	expect_clean(&s);
	s.next.id = 52;
	ref_intent(&s, EV_REF_UNMAP, BUF, BUF_LAST, 0);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
}

static void an_intent_that_flushed_is_clean(void **state)
{
	struct story s;

	(void)state;
	story_begin_ref(&s);
	map(&s, BUF, BUF_SIZE);
	s.next.cause = 52;
	unmap_fast(&s, BUF, BUF_SIZE);
	ref_flush(&s, EV_REF_FLUSH_RANGE, DID, BUF, BUF_LAST);
	s.next.id = 52;
	ref_intent(&s, EV_REF_UNMAP, BUF, BUF_LAST, 0);
	expect_clean(&s);
	story_end(&s);
}

struct prot_case {
	const char *name;
	uint32_t kind, asked, got;
	bool nobegin;
	uint64_t findings;
};

static const struct prot_case prots[] = {
	{ "as asked", EV_REF_MAP, 1, 1, false, 0 },
	{ "both", EV_REF_MAP, 3, 3, false, 0 },
	{ "less", EV_REF_MAP, 3, 1, false, 0 },
	{ "write too", EV_REF_MAP, 1, 3, false, 1 },
	{ "read instead", EV_REF_MAP, 2, 1, false, 1 },
	{ "cache bits", EV_REF_MAP, 1, 1 | 4, false, 0 },
	{ "an attach asks for nothing", 3, 0, 3, false, 0 },
	{ "what it asked was not heard", EV_REF_MAP, 0, 3, true, 0 },
};

static void more_permission_than_asked(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(prots) / sizeof(prots[0]); i++) {
		struct story s;

		story_begin_ref(&s);
		s.next.cause = 51;
		map_prot(&s, DOM, BUF, BUF_SIZE, prots[i].got);
		s.next.id = 51;
		s.next.nobegin = prots[i].nobegin;
		ref_intent(&s, prots[i].kind, BUF, BUF_LAST, prots[i].asked);
		if (found(&s, "map-wide", GRADE_VIOLATION) != prots[i].findings)
			fail_msg("%s", prots[i].name);
		story_end(&s);
	}
}

struct wide_case {
	const char *name;
	uint32_t kind;
	uint64_t first, last;
	uint64_t findings;
};

/* The intent's unmaps remove [BUF, BUF_LAST]: four pages, mapped one by one. */
static const struct wide_case wides[] = {
	{ "exact", EV_REF_UNMAP, BUF, BUF_LAST, 0 },
	{ "all", EV_REF_UNMAP, 0, TOP, 0 },
	{ "rounded", EV_REF_UNMAP, BUF + 1, BUF_LAST - 1, 0 },
	{ "one page too many", EV_REF_UNMAP, BUF, BUF_LAST - PAGE, 1 },
	{ "one page before", EV_REF_UNMAP, BUF + PAGE, BUF_LAST, 1 },
	{ "a detach", 4, 0, 0, 0 },
};

static void more_than_asked(void **state)
{
	size_t i, page;

	(void)state;
	for (i = 0; i < sizeof(wides) / sizeof(wides[0]); i++) {
		struct story s;

		story_begin_ref(&s);
		for (page = 0; page < 4; page++) {
			s.next.cause = 60 + page;
			map(&s, BUF + page * PAGE, PAGE);
			s.next.id = 60 + page;
			ref_intent(&s, EV_REF_MAP, BUF + page * PAGE, BUF + page * PAGE + PAGE - 1, 3);
		}
		s.next.cause = 70;
		unmap_fast(&s, BUF, BUF_SIZE);
		ref_flush(&s, EV_REF_FLUSH_DOMAIN, DID, 0, 0);
		s.next.id = 70;
		ref_intent(&s, wides[i].kind, wides[i].first, wides[i].last, 0);
		if (found(&s, NULL, GRADE_NOTE) != wides[i].findings)
			fail_msg("%s", wides[i].name);
		story_end(&s);
	}
}

/* first > last: the kernel refuses such a call, and we do not take it for a broken record. */
static void a_range_that_wraps(void **state)
{
	struct story s;

	(void)state;
	story_begin_ref(&s);
	s.next = (struct next){ .id = 51, .ret = -75 };
	ref_intent(&s, EV_REF_MAP, BUF + 1, BUF, 3);
	assert_int_equal(s.ret, -EOVERFLOW);
	assert_int_equal(report_tally(engine_report(s.e))->overflow, 1);
	assert_int_equal(report_tally(engine_report(s.e))->malformed, 0);
	s.next.id = 52;
	ref_intent(&s, EV_REF_MAP, 0, TOP, 3);
	assert_int_equal(s.ret, 0);
	story_end(&s);
}

/* ---- replays ---- */

static void a_replay_is_a_cause(void **state)
{
	struct story s;

	(void)state;
	story_begin_ref(&s);
	s.next.id = 81;
	s.next.cause = 80;
	ref_replay(&s, EV_REPLAY_BEGIN, 0, 0);
	s.next.cause = 81;
	map(&s, BUF, BUF_SIZE);
	s.next.cause = 81;
	ref_replay(&s, EV_REPLAY_ENTRY, BUF, BUF_LAST);
	assert_non_null(model_cause(engine_model(s.e), 81));
	s.next.id = 81;
	s.next.cause = 80;
	ref_replay(&s, EV_REPLAY_END, 0, 0);
	assert_null(model_cause(engine_model(s.e), 81));
	assert_int_equal(model_intent(engine_model(s.e), 81)->kind, EV_REF_REPLAY);
	s.next.id = 80;
	ref_intent(&s, 3, 0, 0, 0);
	expect_clean(&s);
	story_end(&s);
}

/* What a device did is told, and judged by nobody yet. */
static void faults_and_dma_are_counted(void **state)
{
	struct ev_fault fault = { .dev = DEV, .domain = DOM, .iova = BUF, .prot = 2, .reason = 2,
				  .driver_kind = EV_DRIVER_REF };
	struct ev_ref_dma done = { .dev = DEV, .first = BUF, .last = BUF_LAST, .kind = 3, .result = 1 };
	struct story s;

	(void)state;
	story_begin_ref(&s);
	SEND(&s, EV_FAULT, fault);
	SEND(&s, EV_REF_DMA, done);
	assert_int_equal(report_tally(engine_report(s.e))->records[EV_FAULT], 1);
	assert_int_equal(report_tally(engine_report(s.e))->records[EV_REF_DMA], 1);
	expect_clean(&s);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_invalidation_pays_what_it_covers),
		cmocka_unit_test(another_instance_pays_nothing),
		cmocka_unit_test(a_flush_inside_the_unmap_counts),
		cmocka_unit_test(a_flush_before_the_unmap_does_not),
		cmocka_unit_test(a_lazy_domain_flushes_later),
		cmocka_unit_test(flushes_that_are_not_heard),
		cmocka_unit_test(a_missed_flush_is_doubt),
		cmocka_unit_test(an_intent_hands_back_what_it_unmapped),
		cmocka_unit_test(an_intent_that_flushed_is_clean),
		cmocka_unit_test(more_permission_than_asked),
		cmocka_unit_test(more_than_asked),
		cmocka_unit_test(a_range_that_wraps),
		cmocka_unit_test(a_replay_is_a_cause),
		cmocka_unit_test(faults_and_dma_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
