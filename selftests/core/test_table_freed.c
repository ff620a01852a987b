// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* table-freed-early: pages of page tables, and the flushes that must have named them. */
#include "story.h"

#define HUGE 0x200000ULL
#define AT (2 * HUGE)		/* what the table page translated: HUGE bytes from here on */
#define END (AT + HUGE - 1)

/* All of the table was mapped and is unmapped; one flush comes inside; then the page goes. */
static void unmap_with(struct story *s, uint64_t qw0, uint64_t qw1)
{
	uint64_t at;

	story_begin_attached(s);
	map(s, AT, HUGE);
	at = s->now;
	if (qw0) {
		s->next = (struct next){ .begin = at + 20, .end = at + 30 };
		qi(s, qw0, qw1);
	}
	s->next = (struct next){ .begin = at + 31, .end = at + 31 };
	table(s, (struct freed){ .first = AT, .last = END, .unlinked = at + 10,
				 .what = EV_TABLE_FREED });
	s->next = (struct next){ .begin = at + 32, .end = at + 33 };
	qi(s, QI_DOMAIN(DID), 0);
	s->next = (struct next){ .begin = at, .end = at + 40 };
	unmap(s, AT, HUGE);
}

struct named {
	const char *name;
	uint64_t qw0, qw1;
	uint64_t findings;
};

static const struct named nameds[] = {
	{ "none", 0, 0, 1 },
	{ "exact", QI_PAGES(DID), AT | 9, 0 },
	{ "leaves only", QI_PAGES(DID), AT | 0x40 | 9, 1 },
	{ "domain", QI_DOMAIN(DID), 0, 0 },
	{ "global", QI_GLOBAL, 0, 0 },
	{ "other domain", QI_DOMAIN(DID + 1), 0, 1 },
	{ "first page", QI_PAGES(DID), AT, 0 },
	{ "last page", QI_PAGES(DID), AT + HUGE - PAGE, 0 },
	{ "page below", QI_PAGES(DID), AT - PAGE, 1 },
	{ "page above", QI_PAGES(DID), AT + HUGE, 1 },
	{ "device TLB", QI_DEVTLB(SID), 0, 1 },
	{ "unheard of", 0xf, 0, 0 },
};

static void a_flush_must_have_named_it(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(nameds) / sizeof(nameds[0]); i++) {
		struct story s;

		unmap_with(&s, nameds[i].qw0, nameds[i].qw1);
		expect(&s, "table-freed-early", nameds[i].findings);
		story_end(&s);
	}
}

static void a_flush_from_before_is_none(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	qi(&s, QI_DOMAIN(DID), 0);
	table(&s, (struct freed){ .first = AT, .last = END, .unlinked = s.now - 5,
				  .what = EV_TABLE_FREED });
	expect(&s, "table-freed-early", 1);
	story_end(&s);
}

/* Without any flush it is the unmap that is stale; the table is told with it, not beside it. */
static void no_flush_at_all_is_one_finding(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin_attached(&s);
	map(&s, AT, HUGE);
	at = s.now;
	s.next = (struct next){ .begin = at + 20, .end = at + 20 };
	table(&s, (struct freed){ .first = AT, .last = END, .unlinked = at + 10,
				  .what = EV_TABLE_FREED });
	s.next = (struct next){ .begin = at, .end = at + 40 };
	unmap(&s, AT, HUGE);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
}

struct synced {
	const char *name;
	uint64_t first, last;		/* what the gather held */
	uint64_t call_first, call_last;	/* the unmap that is going on; 0, 0: none */
	uint64_t flushed;		/* a flush of one page there */
	uint64_t findings;
};

/* intel_iommu_unmap() of 6.12: pages of the new range go with the flush of the old one. */
static const struct synced synceds[] = {
	{ "6.12", AT - PAGE, AT - 1, AT - PAGE, AT + HUGE - 1, AT - PAGE, 1 },
	{ "its own range was flushed", AT - PAGE, AT - 1, AT - PAGE, AT + HUGE - 1, AT, 0 },
	{ "old call", AT - PAGE, AT - 1, AT, AT + HUGE - 1, AT - PAGE, 1 },
	{ "a table may be in the gather", AT - HUGE, AT - 1, AT - HUGE, AT + HUGE - 1,
	  AT - PAGE, 0 },
	{ "none fits", AT - HUGE + PAGE, AT - 1, AT - HUGE + PAGE, AT + HUGE - 1, AT - PAGE, 1 },
	{ "all was gathered", AT, END, AT, END, AT, 0 },
	{ "all was gathered, not flushed", AT, END, AT, END, AT + HUGE, 1 },
	{ "no call", AT, END, 0, 0, AT, 0 },
	{ "no call, not flushed", AT, END, 0, 0, AT + HUGE, 1 },
};

static void whose_page_it_was(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(synceds) / sizeof(synceds[0]); i++) {
		const struct synced *t = &synceds[i];
		uint64_t at;
		struct story s;

		story_begin_attached(&s);
		at = s.now;
		s.next = (struct next){ .begin = at + 10, .end = at + 20 };
		flush_pages(&s, t->flushed, 0);
		s.next = (struct next){ .begin = at + 9, .end = at + 30 };
		table(&s, (struct freed){ .first = t->first, .last = t->last,
					  .call_first = t->call_first, .call_last = t->call_last,
					  .unlinked = at + 1, .call_begin = at + 2,
					  .what = EV_TABLE_FREED | EV_TABLE_GATHERED |
						  (t->call_last ? EV_TABLE_IN_UNMAP : 0) });
		expect(&s, "table-freed-early", t->findings);
		story_end(&s);
	}
}

struct pending {
	const char *name;
	uint64_t qw1;
	bool after, waited;
	uint64_t findings, unknown;
};

#define AMD_ALL_TABLES	0x7ffffffffffff003ULL	/* S and PDE */

/* AMD-Vi: a command is complete when its wait is, which may be another CPU's, heard later. */
static const struct pending pendings[] = {
	{ "queued and waited for", AMD_ALL_TABLES, true, true, 0, 0 },
	{ "queued", AMD_ALL_TABLES, true, false, 0, 1 },
	{ "queued before", AMD_ALL_TABLES, false, false, 1, 0 },
	{ "leaves only", AMD_ALL_TABLES & ~2ULL, true, false, 1, 0 },
};

static void a_command_that_is_not_waited_for(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pendings) / sizeof(pendings[0]); i++) {
		const struct pending *p = &pendings[i];
		struct freed t = { .first = AT, .last = END, .what = EV_TABLE_FREED };
		struct story s;

		story_begin(&s);
		alloc_domain(&s, DOM);
		describe_device(&s, DEV, EV_DRIVER_AMD);
		tag_as(&s, DOM, DEV, (struct tagged){ EV_DRIVER_AMD, DID, EV_TAG_NO_PASID, SID, 0 });
		attach(&s, DEV, DOM);
		t.unlinked = s.now;
		s.now += 5;
		if (!p->after)
			t.unlinked = s.now + 15;
		amd(&s, EV_AMD_CMD, 3ULL << 60 | (uint64_t)DID << 32, p->qw1);
		if (p->waited)
			amd(&s, EV_AMD_WAIT, 0, 0);
		table(&s, t);
		expect(&s, "table-freed-early", p->findings);
		assert_int_equal(unknowns(&s), p->unknown);
		story_end(&s);
	}
}

static void when_it_left_is_unknown(void **state)
{
	struct story s;

	(void)state;
	story_begin_attached(&s);
	table(&s, (struct freed){ .first = AT, .last = END, .what = EV_TABLE_FREED });
	expect_clean(&s);
	assert_true(unknowns(&s));
	story_end(&s);
}

/* No cache led there: attached since, another domain, a domain that died. */
static void nobody_can_ask(void **state)
{
	struct freed t = { .first = AT, .last = END, .what = EV_TABLE_FREED };
	struct story s;

	(void)state;
	story_begin(&s);
	alloc_domain(&s, DOM);
	t.unlinked = s.now - 1;
	table(&s, t);
	tag(&s, DOM, DEV);
	table(&s, t);
	expect_clean(&s);
	free_domain(&s, DOM);
	t.unlinked = s.now;
	table(&s, t);
	expect_clean(&s);
	story_end(&s);
}

/* A map of refiommu puts a large page where an empty table was. */
static void replace_with(struct story *s, bool flushed)
{
	uint64_t at;

	story_begin_ref(s);
	at = s->now;
	s->next = (struct next){ .begin = at + 10, .end = at + 10 };
	table(s, (struct freed){ .first = AT, .last = END, .unlinked = at + 5,
				 .what = EV_TABLE_REPLACED });
	if (flushed) {
		s->next = (struct next){ .begin = at + 12, .end = at + 14 };
		ref_flush(s, EV_REF_FLUSH_RANGE, DID, AT, END);
	}
	s->next = (struct next){ .begin = at, .end = at + 40 };
	map(s, AT, HUGE);
}

static void a_replaced_table_must_be_forgotten(void **state)
{
	struct story s;

	(void)state;
	replace_with(&s, true);
	expect_clean(&s);
	story_end(&s);
	replace_with(&s, false);
	expect(&s, "stale-iotlb", 1);
	/* Judged once. */
	map(&s, AT + HUGE, HUGE);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flush_must_have_named_it),
		cmocka_unit_test(a_flush_from_before_is_none),
		cmocka_unit_test(no_flush_at_all_is_one_finding),
		cmocka_unit_test(whose_page_it_was),
		cmocka_unit_test(a_command_that_is_not_waited_for),
		cmocka_unit_test(when_it_left_is_unknown),
		cmocka_unit_test(nobody_can_ask),
		cmocka_unit_test(a_replaced_table_must_be_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
