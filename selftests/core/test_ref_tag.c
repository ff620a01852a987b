// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Tags of refiommu: which caches hold a domain, and what is left of that after a loss. */
#include "story.h"

#define BUF 0x10000ULL		/* four pages, mapped and unmapped */
#define BUF_SIZE (4 * PAGE)
#define BUF_LAST (BUF + BUF_SIZE - 1)

/* ---- begin and end ---- */

static const struct untagged {
	const char *name;
	uint32_t kind, flushes;
	bool attached;
	uint64_t unknown;
} untagged[] = {
	{ "refiommu", EV_DRIVER_REF, EV_HOOK_HEARD, true, 1 },
	{ "VT-d", EV_DRIVER_VTD, EV_HOOK_HEARD, true, 1 },
	{ "AMD-Vi", EV_DRIVER_AMD, EV_HOOK_HEARD, true, 1 },
	{ "no such driver", EV_DRIVER_OTHER, EV_HOOK_HEARD, true, 0 },
	{ "nobody in it", EV_DRIVER_REF, EV_HOOK_HEARD, false, 0 },
	{ "the checker is off", EV_DRIVER_REF, EV_HOOK_REFUSED, true, 0 },
};

/* Attached before its tag could be heard: nothing is owed, and nobody claims that it was judged. */
static void without_a_tag_nothing_is_known(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(untagged) / sizeof(untagged[0]); i++) {
		const struct untagged *u = &untagged[i];
		struct story s;

		story_begin_unattached(&s);
		hook(&s, HOOK_REF_FLUSH, u->flushes);
		mark(&s, EV_MARK_ATTACHED, 0);
		alloc_domain(&s, DOM);
		describe_device(&s, DEV, u->kind);
		attach(&s, DEV, u->attached ? DOM : DOM2);
		map(&s, BUF, PAGE);
		unmap(&s, BUF, PAGE);
		map(&s, BUF, PAGE);
		expect_clean(&s);
		if (unknowns(&s) != u->unknown)
			fail_msg("%s", u->name);
		story_end(&s);
	}
}

static void the_last_device_takes_the_cache_along(void **state)
{
	struct story s;

	(void)state;
	story_begin_ref(&s);
	ref_tag(&s, DOM, DEV2, 1);
	attach(&s, DEV2, DOM);
	map(&s, BUF, 2 * PAGE);
	ref_tag(&s, DOM, DEV, 0);
	unmap(&s, BUF, PAGE);
	expect(&s, "stale-iotlb", 1);
	ref_tag(&s, DOM, DEV2, 0);
	unmap(&s, BUF + PAGE, PAGE);
	expect(&s, "stale-iotlb", 1);
	assert_null(model_domain(engine_model(s.e), DOM)->caches);
	story_end(&s);
}

/* Ends of what never began, of another domain, of another did. */
static void an_end_of_something_else_changes_nothing(void **state)
{
	struct ev_ref_tag other_did = { .domain = DOM, .dev = DEV, .instance = REF_NR, .did = DID + 1 };
	struct ev_ref_tag other_nr = { .domain = DOM, .dev = DEV, .instance = REF_NR + 1, .did = DID };
	struct story s;

	(void)state;
	story_begin_ref(&s);
	ref_tag(&s, DOM, DEV2, 0);
	ref_tag(&s, DOM2, DEV, 0);
	SEND(&s, EV_REF_TAG, other_did);
	SEND(&s, EV_REF_TAG, other_nr);
	assert_null(model_domain(engine_model(s.e), DOM2));
	map(&s, BUF, PAGE);
	unmap(&s, BUF, PAGE);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
}

/* A container is closed: its domain goes with all that is mapped. */
static void teardown_is_no_leak(void **state)
{
	struct story s;

	(void)state;
	story_begin_ref(&s);
	map(&s, BUF, BUF_SIZE);
	ref_move(&s, DEV, DOM2);
	free_domain(&s, DOM);
	expect_clean(&s);
	story_end(&s);
}

static void freed_with_the_device_in_it(void **state)
{
	struct story s;

	(void)state;
	story_begin_ref(&s);
	free_domain(&s, DOM);
	expect(&s, "leak-on-free", 1);
	story_end(&s);
}

/* ---- after a loss ---- */

static void lose(struct story *s)
{
	gap(s, s->now, s->now + 20);
	s->now += 100;
}

static void walk_finds(struct story *s, uint64_t dev, uint64_t domain)
{
	s->next.flags = EVF_STATE;
	attach(s, dev, domain);
}

static void forgetful_unmap(struct story *s)
{
	map(s, BUF, PAGE);
	unmap(s, BUF, PAGE);
}

/* No tag is said twice; that the device is still there says enough. */
static void its_place_renews_the_cache(void **state)
{
	static const struct {
		const char *name;
		uint64_t domain;
		uint16_t flags;
		int32_t ret;
		uint64_t findings;
	} cases[] = {
		{ "the walk agrees", DOM, EVF_STATE, 0, 1 },
		{ "an attach agrees", DOM, 0, 0, 1 },
		{ "it is elsewhere", DOM2, EVF_STATE, 0, 0 },
		{ "an attach that failed", DOM, 0, -16, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct story s;

		story_begin_ref(&s);
		lose(&s);
		forgetful_unmap(&s);
		expect_clean(&s);
		assert_int_equal(unknowns(&s), 1);
		s.next.flags = cases[i].flags;
		s.next.ret = cases[i].ret;
		attach(&s, DEV, cases[i].domain);
		forgetful_unmap(&s);
		if (found(&s, "stale-iotlb", GRADE_VIOLATION) != cases[i].findings)
			fail_msg("%s", cases[i].name);
		story_end(&s);
	}
}

/* An unmap that began before the walk: its cache was not known then. */
static void an_unmap_beside_the_walk(void **state)
{
	struct story s;
	uint64_t at;

	(void)state;
	story_begin_ref(&s);
	lose(&s);
	map(&s, BUF, PAGE);
	at = s.now;
	s.next = (struct next){ .flags = EVF_STATE, .begin = at + 1, .end = at + 4 };
	attach(&s, DEV, DOM);
	s.next = (struct next){ .begin = at, .end = at + 10 };
	unmap(&s, BUF, PAGE);
	expect_clean(&s);
	story_end(&s);
}

static void two_devices(struct story *s)
{
	story_begin_ref(s);
	ref_tag(s, DOM, DEV2, 1);
	attach(s, DEV2, DOM);
	lose(s);
}

/* The first that the walk finds renews the cache; the other one is not forgotten. */
static void the_others_stay_behind_it(void **state)
{
	struct story s;

	(void)state;
	two_devices(&s);
	walk_finds(&s, DEV, DOM);
	walk_finds(&s, DEV2, DOM);
	ref_tag(&s, DOM, DEV, 0);
	forgetful_unmap(&s);
	expect(&s, "stale-iotlb", 1);
	ref_tag(&s, DOM, DEV2, 0);
	assert_null(model_domain(engine_model(s.e), DOM)->caches);
	story_end(&s);
}

/* A tag of a third one renews it, too. */
static void a_tag_keeps_the_others(void **state)
{
	struct story s;

	(void)state;
	two_devices(&s);
	ref_tag(&s, DOM, 0xe300, 1);
	assert_int_equal(model_domain(engine_model(s.e), DOM)->caches->nusers, 3);
	forgetful_unmap(&s);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
}

/* DEV2 went during the loss, for good. It must not keep the cache alive when DEV goes, too. */
static void one_that_left_unheard(void **state)
{
	struct story s;

	(void)state;
	two_devices(&s);
	walk_finds(&s, DEV, DOM);
	forgetful_unmap(&s);
	expect(&s, "stale-iotlb", 1);
	ref_move(&s, DEV, DOM2);
	map(&s, BUF + PAGE, PAGE);
	unmap(&s, BUF + PAGE, PAGE);
	expect(&s, "stale-iotlb", 1);
	story_end(&s);
}

/* During the loss a new domain got the old one's address, and another id: its flushes tell. */
static void another_domain_at_the_same_place(void **state)
{
	struct ev_ref_flush other = { .kind = EV_REF_FLUSH_RANGE, .domain = DOM, .first = BUF,
				      .last = BUF_LAST, .instance = REF_NR, .did = DID + 1 };
	struct story s;
	uint64_t at;

	(void)state;
	story_begin_ref(&s);
	lose(&s);
	walk_finds(&s, DEV, DOM);
	map(&s, BUF, PAGE);
	at = s.now;
	other.begin_ns = at + 2;
	s.next = (struct next){ .begin = at + 2, .end = at + 5 };
	SEND(&s, EV_REF_FLUSH, other);
	s.next = (struct next){ .begin = at, .end = at + 10 };
	unmap(&s, BUF, PAGE);
	expect_clean(&s);
	assert_int_equal(unknowns(&s), 1);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_tag_nothing_is_known),
		cmocka_unit_test(the_last_device_takes_the_cache_along),
		cmocka_unit_test(an_end_of_something_else_changes_nothing),
		cmocka_unit_test(teardown_is_no_leak),
		cmocka_unit_test(freed_with_the_device_in_it),
		cmocka_unit_test(its_place_renews_the_cache),
		cmocka_unit_test(an_unmap_beside_the_walk),
		cmocka_unit_test(the_others_stay_behind_it),
		cmocka_unit_test(a_tag_keeps_the_others),
		cmocka_unit_test(one_that_left_unheard),
		cmocka_unit_test(another_domain_at_the_same_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
