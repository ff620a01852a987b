// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* oracle-differs: second readings of a table, which agree, lie, say nothing, or were not asked. */
#include "out/out.h"
#include "story_reading.h"

#define PHYS (1U << BOOK_IOVA_TO_PHYS)
#define DUMP (1U << BOOK_DEBUGFS)
#define PADDR(iova) (0x800000 + (iova))	/* as run() has it */

/* iommu_iova_to_phys() of one byte; 0: nothing. */
static void answer(struct story *s, uint64_t iova, uint64_t paddr)
{
	struct ev_book r = { .domain = DOM, .first = iova, .last = iova,
			     .paddr = paddr ? paddr : AREA_PADDR_UNKNOWN, .book = BOOK_IOVA_TO_PHYS,
			     .flags = paddr ? 0 : EV_BOOK_HOLE };

	SEND(s, EV_BOOK, r);
}

static void dumped(struct story *s, uint64_t iova, uint64_t pages, uint64_t paddr)
{
	struct ev_book r = { .domain = DOM, .first = iova, .last = iova + pages * PAGE - 1,
			     .paddr = paddr, .book = BOOK_DEBUGFS };

	SEND(s, EV_BOOK, r);
}

static void begin_asked(struct story *s, uint32_t books)
{
	begin(s);
	begins(s, books);
}

static void all_agree(void **state)
{
	struct story s;

	(void)state;
	begin_asked(&s, PHYS | DUMP);
	answer(&s, 0x3fff, 0);
	answer(&s, 0x4000, PADDR(0x4000));
	answer(&s, 0x4fff, PADDR(0x4fff));
	answer(&s, 0x5123, PADDR(0x5123));
	answer(&s, 0x6000, 0);
	answer(&s, TOP, 0);
	dumped(&s, 0x4000, 1, PADDR(0x4000));
	dumped(&s, 0x5000, 1, PADDR(0x5000));
	run(&s, 0x4000, 2);
	ends(&s);
	expect_clean(&s);
	assert_int_equal(model_domain(engine_model(s.e), DOM)->look.pages[BOOK_IOVA_TO_PHYS], 6);
	assert_int_equal(model_domain(engine_model(s.e), DOM)->look.pages[BOOK_DEBUGFS], 2);
	story_end(&s);
}

/* Only what was asked is said: nothing of the other bytes. */
static void silence_says_nothing(void **state)
{
	struct story s;

	(void)state;
	begin_asked(&s, PHYS);
	run(&s, 0x4000, 16);
	ends(&s);
	expect_clean(&s);
	story_end(&s);

	/* A dump that was not read, too. */
	begin_asked(&s, VFIO);
	area(&s, 0x4000, 1);
	run(&s, 0x4000, 1);
	ends(&s);
	expect_clean(&s);
	story_end(&s);
}

static void one_byte_elsewhere(void **state)
{
	const struct finding *f;
	struct story s;

	(void)state;
	begin_asked(&s, PHYS);
	answer(&s, 0x4000, PADDR(0x4000));
	answer(&s, 0x5123, PADDR(0x5000));	/* the offset is forgotten */
	answer(&s, 0x6000, PADDR(0x6000));
	run(&s, 0x4000, 3);
	ends(&s);
	f = only(&s, "oracle-differs", 0x5123, 0x5123);
	assert_true(says(f, "leads elsewhere") && says(f, "iommu_iova_to_phys()"));
	assert_int_equal(detail(f, "book_paddr"), PADDR(0x5000));
	assert_int_equal(detail(f, "table_paddr"), PADDR(0x5123));
	assert_int_equal(detail(f, "run_iova"), 0x4000);
	assert_int_equal(detail(f, "entry_paddr"), ENTRY);
	assert_int_equal(detail(f, "addresses"), 1);
	assert_int_equal(f->grade, GRADE_VIOLATION);
	story_end(&s);
}

/* What differs alike in a run is told once, with what lies between; another run is another finding. */
static void a_run_is_one_finding(void **state)
{
	struct story s;

	(void)state;
	begin_asked(&s, PHYS);
	answer(&s, 0x4001, PADDR(0x4000));
	answer(&s, 0x5000, PADDR(0x5000));
	answer(&s, 0x6fff, PADDR(0x6000));
	answer(&s, 0x9001, PADDR(0x9000));
	run(&s, 0x4000, 3);
	run(&s, 0x9000, 1);
	ends(&s);
	expect(&s, "oracle-differs", 2);
	assert_int_equal(first(&s)->iova, 0x4001);
	assert_int_equal(first(&s)->last, 0x6fff);
	assert_int_equal(detail(first(&s), "addresses"), 2);
	assert_int_equal(first(&s)->next->iova, 0x9001);
	story_end(&s);
}

static void hole_on_one_side(void **state)
{
	const struct finding *f;
	struct story s;

	(void)state;
	begin_asked(&s, PHYS);
	answer(&s, 0x4000, 0);
	run(&s, 0x4000, 1);
	ends(&s);
	assert_true(says(only(&s, "oracle-differs", 0x4000, 0x4000), "only the walk has it"));
	story_end(&s);

	begin_asked(&s, PHYS);
	answer(&s, 0x5000, 0x1000);
	run(&s, 0x4000, 1);
	ends(&s);
	f = only(&s, "oracle-differs", 0x5000, 0x5000);
	assert_true(says(f, "only the other reading has it"));
	assert_int_equal(detail(f, "book_paddr"), 0x1000);
	story_end(&s);
}

/* A dump has everything, also what is mapped one to one because of a reserved range. */
static void dump_is_exact(void **state)
{
	const struct finding *f;
	struct story s;

	(void)state;
	begin_asked(&s, DUMP);
	dumped(&s, 0x4000, 1, PADDR(0x4000));
	dumped(&s, 0x7000, 1, 0x7000);
	run(&s, 0x4000, 1);
	run_is(&s, DOM, 0x7000, 2, 0x7000, 3, WALK_LEAF);
	span(&s, 0x7000, 2, EV_SPAN_DIRECT);
	ends(&s);
	f = only(&s, "oracle-differs", 0x8000, 0x8fff);
	assert_true(says(f, "only the walk has it") && says(f, "Intel's debugfs"));
	assert_int_equal(detail(f, "pages"), 1);
	story_end(&s);
}

/* A malformed entry is table-differs; how the kernel reads it is no second opinion. */
static void malformed_is_no_difference(void **state)
{
	struct story s;

	(void)state;
	begin_asked(&s, PHYS | DUMP);
	answer(&s, 0x4000, 0x1000);
	dumped(&s, 0x4000, 1, 0x1000);
	run_is(&s, DOM, 0x4000, 1, 0x1000, 3, WALK_BAD_RESERVED);
	run_is(&s, DOM, 0x5000, 1, 0x1000, 3, WALK_BAD_MEMORY);
	ends(&s);
	expect_clean(&s);
	story_end(&s);
}

/* What never held still, and a reading that is not whole. */
static void no_finding_from_ignorance(void **state)
{
	struct story s;

	(void)state;
	begin_asked(&s, PHYS | DUMP);
	answer(&s, 0x4000, 0x1000);
	dumped(&s, 0x4000, 1, 0x1000);
	run(&s, 0x4000, 1);
	span(&s, 0x4000, 1, EV_SPAN_FLUX);
	ends(&s);
	expect_clean(&s);
	assert_int_equal(unknowns(&s), 2);
	story_end(&s);

	begin_asked(&s, PHYS);
	answer(&s, 0x4000, 0x1000);
	run(&s, 0x4000, 1);
	read_is(&s, DOM, EV_READ_END, 0, EV_READ_CUT);
	expect_clean(&s);
	story_end(&s);
}

/* ---- what is printed ---- */

static void has(char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("'%s' is not in:\n%s", line, text);
	free(text);
}

static char *print(const struct story *s, void (*how)(const struct out *, struct out_looks *))
{
	struct out_looks sum;
	char *text = NULL;
	size_t len = 0;
	struct out o = { .to = open_memstream(&text, &len), .engine = s->e,
			 .model = engine_model(s->e), .report = engine_report(s->e) };

	how(&o, &sum);
	fclose(o.to);
	return text;
}

static void printed(void **state)
{
	struct story s;

	(void)state;
	begin(&s);
	read_is(&s, DOM, EV_READ_BEGIN, PHYS | DUMP, EV_READ_ORACLE);
	answer(&s, 0x4000, PADDR(0x4000));
	dumped(&s, 0x4000, 1, PADDR(0x4000));
	run(&s, 0x4000, 1);
	read_is(&s, DOM, EV_READ_END, 0, EV_READ_ORACLE);
	has(print(&s, text_looks), "iommu_iova_to_phys()     1 addresses compared\n");
	has(print(&s, text_looks), "Intel's debugfs          1 pages of 4 KiB compared\n");
	has(print(&s, text_looks), "\noracles        2, of 1 tables\n");
	has(print(&s, json_looks), "\"books\":{\"iova_to_phys\":1,\"debugfs\":1}");
	has(print(&s, json_looks), "\"pages\":0,\"flux\":0,\"roots\":0,\"oracles\":2,");
	story_end(&s);

	begin(&s);
	read_is(&s, DOM, EV_READ_BEGIN, VFIO, EV_READ_ORACLE);
	read_is(&s, DOM, EV_READ_END, 0, EV_READ_ORACLE);
	has(print(&s, text_looks), "second reading           none: nobody else could be asked");
	has(print(&s, text_looks), "\noracles        0, of 1 tables\n");
	story_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_agree),
		cmocka_unit_test(silence_says_nothing),
		cmocka_unit_test(one_byte_elsewhere),
		cmocka_unit_test(a_run_is_one_finding),
		cmocka_unit_test(hole_on_one_side),
		cmocka_unit_test(dump_is_exact),
		cmocka_unit_test(malformed_is_no_difference),
		cmocka_unit_test(no_finding_from_ignorance),
		cmocka_unit_test(printed),
	};

	return cmocka_run_group_tests_name("oracle", tests, NULL, NULL);
}
