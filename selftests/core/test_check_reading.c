// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tables that were read, as records: each of the four findings with its near misses, records that nobody of
 * us wrote, and what verify prints.
 */
#include "core/root.h"
#include "out/out.h"
#include "story.h"

#define ROOT 0x104562000ULL
#define ENTRY 0x1045c7000ULL
#define VFIO (1U << BOOK_VFIO)
#define IOVAS (1U << BOOK_IOVA)

/* ---- records ---- */

static void read_is(struct story *s, uint64_t domain, uint32_t phase, uint32_t books, uint32_t flags)
{
	struct ev_read r = { .domain = domain, .root = ROOT, .phase = phase, .levels = 3,
			     .format = WALK_VTD_SECOND, .books = books, .flags = flags,
			     .tables = 3, .leaves = 4 };

	SEND(s, EV_READ, r);
}

static void begins(struct story *s, uint32_t books)
{
	read_is(s, DOM, EV_READ_BEGIN, books, 0);
}

static void ends(struct story *s)
{
	read_is(s, DOM, EV_READ_END, 0, 0);
}

/* @pages pages from @iova on lead to @paddr. */
static void run_is(struct story *s, uint64_t domain, uint64_t iova, uint64_t pages, uint64_t paddr,
		   uint32_t prot, uint32_t kind)
{
	struct ev_run r = { .domain = domain, .iova = iova, .last = iova + pages * PAGE - 1,
			    .paddr = paddr, .raw = paddr | prot, .entry_paddr = ENTRY, .level = 1,
			    .page_lg2 = 12, .prot = prot, .kind = kind };

	SEND(s, EV_RUN, r);
}

static void run(struct story *s, uint64_t iova, uint64_t pages)
{
	run_is(s, DOM, iova, pages, 0x800000 + iova, 3, WALK_LEAF);
}

static void area_is(struct story *s, uint64_t domain, uint32_t book, uint64_t iova, uint64_t pages,
		    uint64_t paddr, uint32_t prot)
{
	struct ev_book r = { .domain = domain, .first = iova, .last = iova + pages * PAGE - 1,
			     .paddr = paddr, .vaddr = 0x7f0000000000 + iova, .book = book,
			     .prot = prot, .tgid = 100 };

	SEND(s, EV_BOOK, r);
}

static void area(struct story *s, uint64_t iova, uint64_t pages)
{
	area_is(s, DOM, BOOK_VFIO, iova, pages, AREA_PADDR_UNKNOWN, 3);
}

static void span(struct story *s, uint64_t iova, uint64_t pages, uint32_t kind)
{
	struct ev_span r = { .domain = DOM, .first = iova, .last = iova + pages * PAGE - 1,
			     .kind = kind };

	SEND(s, EV_SPAN, r);
}

static void begin(struct story *s)
{
	story_begin(s);
	describe_device(s, DEV, EV_DRIVER_VTD);
	describe_domain(s, DOM, DOMAIN_PAGING);
	attach(s, DEV, DOM);
}

static void begin_reading(struct story *s)
{
	begin(s);
	begins(s, VFIO);
}

static const struct finding *only(struct story *s, const char *name, uint64_t iova, uint64_t last)
{
	const struct finding *f;

	expect(s, name, 1);
	f = first(s);
	assert_int_equal(f->iova, iova);
	assert_int_equal(f->last, last);
	assert_int_equal(f->domain, DOM);
	assert_int_equal(f->device, DEV);
	return f;
}

static uint64_t detail(const struct finding *f, const char *key)
{
	unsigned int i;

	for (i = 0; i < f->ndetails; i++)
		if (!strcmp(f->details[i].key, key))
			return f->details[i].value;
	fail_msg("no %s", key);
	return 0;
}

/* ---- the table against a book ---- */

static void agreement_is_clean(void **state)
{
	struct story s;

	(void)state;
	begin_reading(&s);
	area(&s, 0x4000, 4);
	run(&s, 0x4000, 3);	/* of two runs: not contiguous in memory */
	run_is(&s, DOM, 0x7000, 1, 0x1000, 3, WALK_LEAF);
	ends(&s);
	expect_clean(&s);
	assert_int_equal(model_domain(engine_model(s.e), DOM)->look.pages[BOOK_VFIO], 4);
	assert_int_equal(unknowns(&s), 0);
	story_end(&s);
}

static void missing_page(void **state)
{
	const struct finding *f;
	struct story s;

	(void)state;
	begin_reading(&s);
	area(&s, 0x4000, 4);
	run(&s, 0x4000, 1);
	run(&s, 0x6000, 2);
	ends(&s);
	f = only(&s, "table-missing", 0x5000, 0x5fff);
	assert_true(says(f, "missing") && says(f, "VFIO's list") && says(f, "rw"));
	assert_int_equal(detail(f, "vaddr"), 0x7f0000005000);
	assert_int_equal(detail(f, "pid"), 100);
	story_end(&s);
}

/* The allocator gives away what nobody has mapped yet. */
static void allocator_misses_nothing(void **state)
{
	struct story s;

	(void)state;
	begin(&s);
	begins(&s, IOVAS);
	area_is(&s, DOM, BOOK_IOVA, 0x4000, 4, AREA_PADDR_UNKNOWN, 0);
	run(&s, 0x4000, 1);
	ends(&s);
	expect_clean(&s);
	story_end(&s);
}

static void extra_page(void **state)
{
	const struct finding *f;
	struct story s;

	(void)state;
	begin_reading(&s);
	area(&s, 0x4000, 1);
	run(&s, 0x4000, 2);
	ends(&s);
	f = only(&s, "table-extra", 0x5000, 0x5fff);
	assert_int_equal(detail(f, "table_paddr"), 0x805000);
	assert_int_equal(detail(f, "entry_paddr"), ENTRY);
	assert_int_equal(detail(f, "level"), 1);
	story_end(&s);
}

/* A book that was read and is empty says something; one that was not read nothing. */
static void empty_book_is_a_book(void **state)
{
	struct story s;

	(void)state;
	begin_reading(&s);
	run(&s, TOP - PAGE + 1, 1);	/* the last page of the space */
	ends(&s);
	only(&s, "table-extra", TOP - PAGE + 1, TOP);
	story_end(&s);

	begin(&s);
	begins(&s, 0);
	run(&s, 0x4000, 1);
	ends(&s);
	expect_clean(&s);
	story_end(&s);
}

/* Two books, each with its opinion. */
static void books_are_judged_apart(void **state)
{
	struct story s;

	(void)state;
	begin(&s);
	begins(&s, VFIO | 1U << BOOK_MODEL);
	area(&s, 0x4000, 2);
	area_is(&s, DOM, BOOK_MODEL, 0x4000, 1, 0x804000, 3);
	run(&s, 0x4000, 2);
	ends(&s);
	assert_true(says(only(&s, "table-extra", 0x5000, 0x5fff), "the trace"));
	story_end(&s);
}

struct differing {
	const char *what;	/* NULL: no finding */
	uint64_t paddr;
	uint32_t asked, prot, kind;
};

static const struct differing differings[] = {
	{ "leads elsewhere", 0x805000, 3, 3, WALK_LEAF },
	{ "less permission", 0x804000, 3, 1, WALK_LEAF },
	{ "more permission", 0x804000, 1, 3, WALK_LEAF },
	{ NULL, 0x804000, 2, 3, WALK_LEAF },		/* no table of VT-d can say "write only" */
	{ NULL, AREA_PADDR_UNKNOWN, 0, 3, WALK_LEAF },	/* the book knows neither */
	{ "malformed", 0x804000, 3, 0, WALK_BAD_RESERVED },
	{ "malformed", 0x804000, 3, 0, WALK_BAD_MEMORY },
	{ "malformed", 0x804000, 3, 0, 77 },		/* of a newer version */
};

static void differing_entries(void **state)
{
	const struct differing *d;
	struct story s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(differings) / sizeof(differings[0]); i++) {
		d = &differings[i];
		begin_reading(&s);
		area_is(&s, DOM, BOOK_VFIO, 0x4000, 1, d->paddr, d->asked);
		run_is(&s, DOM, 0x4000, 1, 0x804000, d->prot, d->kind);
		ends(&s);
		if (!d->what)
			expect_clean(&s);
		else
			assert_true(says(only(&s, "table-differs", 0x4000, 0x4fff), d->what));
		if (d->what)
			assert_int_equal(detail(first(&s), "level"), 1);
		story_end(&s);
	}
}

/* Malformed, where no book has anything: it translates nothing. */
static void malformed_over_nothing(void **state)
{
	struct story s;

	(void)state;
	begin_reading(&s);
	run_is(&s, DOM, 0x4000, 1, 0, 0, WALK_BAD_RESERVED);
	ends(&s);
	expect_clean(&s);
	story_end(&s);
}

static void flux_is_unknown(void **state)
{
	struct story s;

	(void)state;
	begin_reading(&s);
	area(&s, 0x4000, 4);
	span(&s, 0x4000, 2, EV_SPAN_FLUX);
	run(&s, 0x6000, 2);
	ends(&s);
	expect_clean(&s);
	assert_int_equal(unknowns(&s), 1);
	story_end(&s);

	begin_reading(&s);	/* one page of three is outside */
	area(&s, 0x4000, 3);
	span(&s, 0x4000, 2, EV_SPAN_FLUX);
	ends(&s);
	only(&s, "table-missing", 0x6000, 0x6fff);
	story_end(&s);
}

static void direct_ranges(void **state)
{
	struct story s;

	(void)state;
	begin_reading(&s);
	span(&s, 0x4000, 2, EV_SPAN_DIRECT);
	run_is(&s, DOM, 0x4000, 2, 0x4000, 3, WALK_LEAF);
	ends(&s);
	expect_clean(&s);
	story_end(&s);

	begin_reading(&s);	/* not one to one */
	span(&s, 0x4000, 1, EV_SPAN_DIRECT);
	run_is(&s, DOM, 0x4000, 1, 0x5000, 3, WALK_LEAF);
	ends(&s);
	only(&s, "table-extra", 0x4000, 0x4fff);
	story_end(&s);
}

/* More spans than are kept: all is in flux, nothing is wrong. */
static void too_much_flux(void **state)
{
	struct story s;
	unsigned int i;

	(void)state;
	begin_reading(&s);
	area(&s, 0x4000, 1);
	for (i = 0; i < 5000; i++)
		span(&s, 0x100000 + i * 2 * PAGE, 1, EV_SPAN_FLUX);
	ends(&s);
	expect_clean(&s);
	story_end(&s);
}

/* ---- readings that are not whole ---- */

struct hole {
	const char *name;
	uint32_t begin_flags, end_flags, end_phase;
	bool gap, odd, other, no_begin;
};

static const struct hole holes[] = {
	{ "cut", .end_flags = EV_READ_CUT },
	{ "cut from the begin", .begin_flags = EV_READ_UNKNOWN },
	{ "unknown driver", .end_flags = EV_READ_UNKNOWN },
	{ "a loss", .gap = true },
	{ "out of order", .odd = true },
	{ "another reading inside", .other = true },
	{ "no begin", .no_begin = true },
	{ "no such phase", .end_phase = 7 },
};

static void holes_are_unknown(void **state)
{
	const struct hole *h;
	struct story s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
		h = &holes[i];
		begin(&s);
		describe_domain(&s, DOM2, DOMAIN_PAGING);
		if (!h->no_begin)
			read_is(&s, DOM, EV_READ_BEGIN, VFIO, h->begin_flags);
		area(&s, 0x4000, 4);
		run(&s, 0x9000, 1);
		if (h->gap)
			gap(&s, s.now, s.now + 1000);
		s.now += 2000 * h->gap;
		if (h->odd)
			run(&s, 0x8000, 2);
		if (h->other)
			read_is(&s, DOM2, EV_READ_BEGIN, 0, 0);
		read_is(&s, DOM, h->end_phase ?: EV_READ_END, 0, h->end_flags);
		if (found(&s, NULL, GRADE_NOTE))
			fail_msg("%s: found", h->name);
		story_end(&s);
	}
}

/* After an odd reading the next one is judged again. */
static void the_next_reading_is_whole(void **state)
{
	struct story s;

	(void)state;
	begin_reading(&s);
	run(&s, 0x9000, 1);
	run(&s, 0x8000, 1);
	ends(&s);
	expect_clean(&s);
	begins(&s, VFIO);
	run(&s, 0x8000, 1);
	ends(&s);
	only(&s, "table-extra", 0x8000, 0x8fff);
	story_end(&s);
}

/* Records of another domain do not belong to this reading; the second reading does not see the first one's. */
static void domains_are_apart(void **state)
{
	struct story s;

	(void)state;
	begin_reading(&s);
	describe_domain(&s, DOM2, DOMAIN_PAGING);
	area_is(&s, DOM2, BOOK_VFIO, 0x4000, 1, AREA_PADDR_UNKNOWN, 3);
	run_is(&s, DOM2, 0x5000, 1, 0, 3, WALK_LEAF);
	ends(&s);
	read_is(&s, DOM2, EV_READ_BEGIN, VFIO, 0);
	read_is(&s, DOM2, EV_READ_END, 0, 0);
	expect_clean(&s);
	story_end(&s);
}

/* Numbers that nobody of us writes. */
static void hostile_numbers(void **state)
{
	struct ev_read r = { .domain = DOM, .format = ~0U, .levels = ~0U, .books = ~0U };
	struct ev_root root = { .dev = DEV, .domain = DOM, .root = ROOT, .kind = ~0U };
	struct story s;

	(void)state;
	begin(&s);
	SEND(&s, EV_READ, r);
	area_is(&s, DOM, BOOK_COUNT, 0x4000, 1, 0, 3);
	area_is(&s, DOM, ~0U, 0x4000, 1, 0, 3);
	run(&s, 0x4000, 1);
	run_is(&s, DOM, 0x9000, 0, 0, 3, WALK_LEAF);	/* last < iova */
	r.phase = EV_READ_END;
	SEND(&s, EV_READ, r);
	SEND(&s, EV_ROOT, root);
	begins(&s, VFIO);
	ends(&s);
	SEND(&s, EV_ROOT, root);			/* kind of a newer version */
	read_is(&s, 0, EV_READ_BEGIN, VFIO, 0);
	run_is(&s, 0, 0x4000, 1, 0, 3, WALK_LEAF);
	read_is(&s, 0, EV_READ_END, 0, 0);
	expect_clean(&s);
	story_end(&s);
}

/* ---- roots ---- */

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
	struct ev_root rec = { .dev = DEV, .domain = DOM, .root = r->root, .kind = r->kind,
			       .levels = r->levels, .format = WALK_VTD_SECOND, .flags = r->flags,
			       .entry_paddr = ENTRY, .raw = { r->root | 1 }, .did = DID };

	SEND(s, EV_ROOT, rec);
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

/* ---- what is printed ---- */

struct printed {
	char *text;
	size_t len;
	struct out_looks sum;
};

static struct printed print(const struct story *s, void (*how)(const struct out *, struct out_looks *))
{
	struct printed p = { 0 };
	struct out o = { .to = open_memstream(&p.text, &p.len), .engine = s->e,
			 .model = engine_model(s->e), .report = engine_report(s->e) };

	assert_non_null(o.to);
	how(&o, &p.sum);
	fclose(o.to);
	return p;
}

/* DOM is checked, with a page too much and one in flux; DOM2 blocks. */
static void tell_two_domains(struct story *s)
{
	begin_reading(s);
	area(s, 0x4000, 2);
	area(s, 0x9000, 1);
	span(s, 0x9000, 1, EV_SPAN_FLUX);
	run(s, 0x4000, 3);
	ends(s);
	send_root(s, &rooteds[0]);
	describe_domain(s, DOM2, DOMAIN_BLOCKED);
	read_is(s, DOM2, EV_READ_BEGIN, 0, EV_READ_NO_TABLE);
	read_is(s, DOM2, EV_READ_END, 0, EV_READ_NO_TABLE);
}

static void assert_has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("'%s' is not in:\n%s", line, text);
}

static void text_of_readings(void **state)
{
	struct printed p;
	struct story s;

	(void)state;
	tell_two_domains(&s);
	p = print(&s, text_looks);
	assert_has(p.text, "domain 0xd000  unmanaged\n");
	assert_has(p.text, "VT-d second stage, 3 levels, at 0x104562000: 4 entries in 3 pages\n");
	assert_has(p.text, "VFIO's list              2 pages of 4 KiB compared\n");
	assert_has(p.text, "0000:00:02.0 (nvme)\n");
	assert_has(p.text, "compared for 1 devices\n");
	assert_has(p.text, "domain 0xd200  blocked\n");
	assert_has(p.text, "unchecked                no table\n");
	assert_has(p.text, "\ndomains        2: 1 checked, 1 without a table, 0 unchecked\n");
	assert_has(p.text, "\nfindings       1\n");
	free(p.text);
	story_end(&s);
}

static void json_of_readings(void **state)
{
	struct printed p;
	struct story s;

	(void)state;
	tell_two_domains(&s);
	p = print(&s, json_looks);
	assert_string_equal(p.text,
		"{\"schema\":\"iommuscope.verify/1\",\"domain\":\"0xd000\",\"type\":\"unmanaged\","
		"\"format\":\"VT-d second stage\",\"levels\":3,\"root\":\"0x104562000\","
		"\"tables\":3,\"entries\":4,\"books\":{\"vfio\":2},\"flux\":1,\"roots\":1,"
		"\"unchecked\":\"\"}\n"
		"{\"schema\":\"iommuscope.verify/1\",\"domain\":\"0xd200\",\"type\":\"blocked\","
		"\"format\":\"VT-d second stage\",\"levels\":3,\"root\":\"0x104562000\","
		"\"tables\":3,\"entries\":4,\"books\":{},\"flux\":0,\"roots\":0,"
		"\"unchecked\":\"no table\"}\n"
		"{\"schema\":\"iommuscope.verify/1\",\"summary\":{\"domains\":2,\"checked\":1,"
		"\"without_table\":1,\"unchecked\":0,\"entries\":8,\"pages\":2,\"flux\":1,"
		"\"roots\":1,\"findings\":1}}\n");
	free(p.text);
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agreement_is_clean),
		cmocka_unit_test(missing_page),
		cmocka_unit_test(allocator_misses_nothing),
		cmocka_unit_test(extra_page),
		cmocka_unit_test(empty_book_is_a_book),
		cmocka_unit_test(books_are_judged_apart),
		cmocka_unit_test(differing_entries),
		cmocka_unit_test(malformed_over_nothing),
		cmocka_unit_test(flux_is_unknown),
		cmocka_unit_test(direct_ranges),
		cmocka_unit_test(too_much_flux),
		cmocka_unit_test(holes_are_unknown),
		cmocka_unit_test(the_next_reading_is_whole),
		cmocka_unit_test(domains_are_apart),
		cmocka_unit_test(hostile_numbers),
		cmocka_unit_test(roots),
		cmocka_unit_test(roots_need_a_reading),
		cmocka_unit_test(text_of_readings),
		cmocka_unit_test(json_of_readings),
	};

	return cmocka_run_group_tests_name("core.check_reading", tests, NULL, NULL);
}
