// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The hardware's table against the kernel's books: what differs, and what is not known. */
#include "story_reading.h"

struct rooted {
	const char *what;	/* NULL: no finding */
	uint32_t type;		/* of the domain */
	uint32_t read_flags;
	uint32_t kind;
	uint64_t root;
	uint32_t levels, flags;
};

static const struct rooted rooteds[] = {
	{ NULL, DOMAIN_PAGING, 0, ROOT_TABLE, ROOT, 3, 0 },
	{ "another table", DOMAIN_PAGING, 0, ROOT_TABLE, ROOT + PAGE, 3, 0 },
	{ "the same table, read in another way: levels or format", DOMAIN_PAGING, 0, ROOT_TABLE,
	  ROOT, 4, 0 },
	{ "the domain has a table, the hardware does not translate", DOMAIN_PAGING, 0, ROOT_PASS,
	  0, 0, 0 },
	{ "the domain has a table, the hardware has none", DOMAIN_PAGING, 0, ROOT_ABSENT, 0, 0, 0 },
	{ "the domain has one table, the hardware uses two", DOMAIN_PAGING, 0, ROOT_NESTED, ROOT, 3, 0 },
	{ "the hardware's entry is malformed", DOMAIN_PAGING, 0, ROOT_BAD, 0, 0, 0 },
	{ NULL, DOMAIN_PAGING, 0, ROOT_BAD, 0, 0, EV_ROOT_FLUX },
	{ NULL, DOMAIN_PAGING, 0, ROOT_TABLE, ROOT + PAGE, 3, EV_ROOT_DEFERRED },
	{ NULL, DOMAIN_PAGING, EV_READ_UNKNOWN, ROOT_TABLE, ROOT + PAGE, 3, 0 },
	{ NULL, DOMAIN_PT, EV_READ_NO_TABLE, ROOT_PASS, 0, 0, 0 },
	{ "the domain is an identity, the hardware translates or blocks", DOMAIN_PT,
	  EV_READ_NO_TABLE, ROOT_TABLE, ROOT, 3, 0 },
	{ NULL, DOMAIN_BLOCKED, EV_READ_NO_TABLE, ROOT_ABSENT, 0, 0, 0 },
	{ NULL, DOMAIN_BLOCKED, EV_READ_NO_TABLE, ROOT_BLOCKED, 0, 0, 0 },
	{ "the domain blocks, the hardware does not", DOMAIN_BLOCKED, EV_READ_NO_TABLE, ROOT_PASS,
	  0, 0, 0 },
	{ NULL, DOMAIN_NESTED, EV_READ_NO_TABLE, ROOT_NESTED, ROOT, 3, 0 },
	{ NULL, DOMAIN_SVA, EV_READ_NO_TABLE, ROOT_TABLE, ROOT, 4, 0 },
};

static void send_root(struct story *s, const struct rooted *r)
{
	root_is(s, r->kind, r->root, r->levels, r->flags);
}

static void begin_rooted(struct story *s, const struct rooted *r)
{
	story_begin(s);
	describe_device(s, DEV, EV_DRIVER_VTD);
	describe_domain(s, DOM, r->type);
	attach(s, DEV, DOM);
	read_is(s, DOM, EV_READ_BEGIN, 0, r->read_flags);
	read_is(s, DOM, EV_READ_END, 0, r->read_flags);
}

static void roots(void **state)
{
	const struct rooted *r;
	struct story s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rooteds) / sizeof(rooteds[0]); i++) {
		r = &rooteds[i];
		begin_rooted(&s, r);
		send_root(&s, r);
		if (found(&s, NULL, GRADE_NOTE) != !!r->what)
			fail_msg("%zu: %s", i, r->what ?: "found");
		if (r->what) {
			expect(&s, "root-differs", 1);
			assert_true(says(first(&s), r->what));
			assert_int_equal(first(&s)->device, DEV);
			assert_int_equal(detail(first(&s), "entry_paddr"), ENTRY);
		}
		story_end(&s);
	}
}

/* Without a reading of the domain, or with one from before a loss, nothing is known. */
static void roots_need_a_reading(void **state)
{
	const struct rooted *wrong = &rooteds[1];
	struct story s;

	(void)state;
	begin(&s);
	send_root(&s, wrong);
	expect_clean(&s);
	story_end(&s);

	begin_rooted(&s, wrong);
	gap(&s, s.now, s.now + 1000);
	s.now += 2000;
	send_root(&s, wrong);
	expect_clean(&s);
	story_end(&s);

	story_begin(&s);	/* nobody said what kind of domain it is */
	read_is(&s, DOM, EV_READ_BEGIN, 0, EV_READ_NO_TABLE);
	read_is(&s, DOM, EV_READ_END, 0, EV_READ_NO_TABLE);
	send_root(&s, &(struct rooted){ .kind = ROOT_PASS });
	expect_clean(&s);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots),
		cmocka_unit_test(roots_need_a_reading),
	};

	return cmocka_run_group_tests_name("core.check_root", tests, NULL, NULL);
}
