// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The engine of walks, with VT-d's second stage: clipping, merging, bad tables, budgets. */
#include <errno.h>

#include "image.h"

#define TOP48 ((1ULL << 48) - 1)
#define ATTR (1ULL << 52)	/* ignored by hardware, but not the same */
#define AD (3ULL << 8)

struct fix {
	struct image m;
	struct walk_table t;
	struct told told;
};

static void begin_levels(struct fix *f, uint32_t levels)
{
	memset(f, 0, sizeof(*f));
	image_begin(&f->m);
	f->t = walk_vtd_second(image_pages(&f->m, 1), levels);
}

static void begin(struct fix *f)
{
	begin_levels(f, 4);
}

static void end(struct fix *f)
{
	told_free(&f->told);
	image_end(&f->m);
}

static void walk(struct fix *f, uint64_t first, uint64_t last)
{
	told_free(&f->told);
	told_walk(&f->told, &f->m, &f->t, first, last);
}

static void walk_all(struct fix *f)
{
	walk(f, 0, ~0ULL);
}

static int walk_max(struct fix *f, uint64_t tables_max)
{
	struct walk_memory mem = image_memory(&f->m);

	told_free(&f->told);
	return walk_range(&f->t, &mem, 0, ~0ULL, tables_max, told_add, &f->told, &f->told.count);
}

static void map(struct fix *f, uint64_t iova, uint64_t paddr, uint32_t lg2)
{
	plant(&f->m, &f->t, iova, paddr, lg2, RW);
}

static void or_word(struct fix *f, uint64_t paddr, uint64_t bits)
{
	image_set(&f->m, paddr, image_get(&f->m, paddr) | bits);
}

/* ---- where IOVAs are ---- */

static void empty(void **state)
{
	struct fix f;

	(void)state;
	begin(&f);
	walk_all(&f);
	assert_int_equal(f.told.n, 0);
	assert_int_equal(f.told.count.tables, 1);
	told_agrees(&f.told, &f.m, &f.t, 0, ~0ULL);
	end(&f);
}

static void ends_of_the_space(void **state)
{
	struct fix f;

	(void)state;
	begin(&f);
	map(&f, 0, 0x5000, 12);
	map(&f, TOP48 - 0xfff, 0x9000, 12);
	walk_all(&f);
	assert_int_equal(f.told.n, 2);
	told_is(&f.told, 0, 0, 0xfff, 0x5000, RW);
	told_is(&f.told, 1, TOP48 - 0xfff, TOP48, 0x9000, RW);
	assert_int_equal(f.told.count.tables, 7);
	told_agrees(&f.told, &f.m, &f.t, 0, ~0ULL);

	/* One byte each. */
	walk(&f, 0, 0);
	told_is(&f.told, 0, 0, 0, 0x5000, RW);
	walk(&f, TOP48, TOP48);
	told_is(&f.told, 0, TOP48, TOP48, 0x9fff, RW);
	walk(&f, TOP48 + 1, ~0ULL);
	assert_int_equal(f.told.n, 0);
	assert_int_equal(f.told.count.tables, 0);
	end(&f);
}

/* The last entry of a table and the first of the next are neighbours. */
static void over_the_end_of_a_table(void **state)
{
	struct fix f;

	(void)state;
	begin(&f);
	map(&f, 2 * MB - 0x1000, 0x7000, 12);
	map(&f, 2 * MB, 0x8000, 12);
	map(&f, GB - 0x1000, 0x20000, 12);
	map(&f, GB, 0x22000, 12);
	walk_all(&f);
	assert_int_equal(f.told.n, 3);
	told_is(&f.told, 0, 2 * MB - 0x1000, 2 * MB + 0xfff, 0x7000, RW);
	told_is(&f.told, 1, GB - 0x1000, GB - 1, 0x20000, RW);
	told_is(&f.told, 2, GB, GB + 0xfff, 0x22000, RW);
	assert_int_equal(f.told.count.leaves, 4);
	told_agrees(&f.told, &f.m, &f.t, 0, TOP48);
	end(&f);
}

static void clipped(void **state)
{
	struct fix f;

	(void)state;
	begin(&f);
	map(&f, 0, 0x40000000, 30);
	map(&f, GB, 0x80000000, 21);
	walk(&f, 0x1234, GB + 0x777);
	assert_int_equal(f.told.n, 2);
	told_is(&f.told, 0, 0x1234, GB - 1, 0x40001234, RW);
	told_is(&f.told, 1, GB, GB + 0x777, 0x80000000, RW);
	assert_int_equal(f.told.runs[0].page_lg2, 30);
	assert_int_equal(f.told.runs[1].page_lg2, 21);

	/* What lies beside is not read. */
	walk(&f, GB, GB + 2 * MB - 1);
	assert_int_equal(f.told.n, 1);
	walk(&f, GB + 2 * MB, TOP48);
	assert_int_equal(f.told.n, 0);
	walk(&f, 512 * GB, TOP48);
	assert_int_equal(f.told.count.tables, 1);
	end(&f);
}

/* ---- merging ---- */

static void sixteen_pages(struct fix *f)
{
	uint64_t i;

	begin(f);
	for (i = 0; i < 16; i++)
		map(f, MB + i * 0x1000, 0x700000 + i * 0x1000, 12);
}

static void merged(void **state)
{
	struct fix f;

	(void)state;
	sixteen_pages(&f);
	/* What hardware sets does not divide. */
	or_word(&f, plant_at(&f.m, &f.t, MB + 0x3000, 1), AD);
	walk_all(&f);
	assert_int_equal(f.told.n, 1);
	told_is(&f.told, 0, MB, MB + 0xffff, 0x700000, RW);
	assert_int_equal(f.told.count.leaves, 16);
	assert_int_equal(f.told.runs[0].entry_paddr, plant_at(&f.m, &f.t, MB, 1));
	told_agrees(&f.told, &f.m, &f.t, 0, TOP48);
	end(&f);
}

static void divided(void **state)
{
	struct fix f;

	(void)state;
	sixteen_pages(&f);
	image_set(&f.m, plant_at(&f.m, &f.t, MB + 0x1000, 1), 0);	/* a hole */
	or_word(&f, plant_at(&f.m, &f.t, MB + 0x4000, 1), ATTR);
	image_set(&f.m, plant_at(&f.m, &f.t, MB + 0x8000, 1), 0x708000 | WALK_READ);
	image_set(&f.m, plant_at(&f.m, &f.t, MB + 0xc000, 1), 0x70d000 | RW);
	walk_all(&f);
	assert_int_equal(f.told.n, 8);
	told_is(&f.told, 0, MB, MB + 0xfff, 0x700000, RW);
	told_is(&f.told, 1, MB + 0x2000, MB + 0x3fff, 0x702000, RW);
	told_is(&f.told, 2, MB + 0x4000, MB + 0x4fff, 0x704000, RW);
	told_is(&f.told, 3, MB + 0x5000, MB + 0x7fff, 0x705000, RW);
	told_is(&f.told, 4, MB + 0x8000, MB + 0x8fff, 0x708000, WALK_READ);
	told_is(&f.told, 5, MB + 0x9000, MB + 0xbfff, 0x709000, RW);
	told_is(&f.told, 6, MB + 0xc000, MB + 0xcfff, 0x70d000, RW);
	told_is(&f.told, 7, MB + 0xd000, MB + 0xffff, 0x70d000, RW);
	told_agrees(&f.told, &f.m, &f.t, 0, TOP48);
	end(&f);
}

/* Contiguous, but not of one size. */
static void sizes_divide(void **state)
{
	struct fix f;

	(void)state;
	begin(&f);
	map(&f, 2 * MB - 0x1000, 0x40000000 - 0x1000, 12);
	map(&f, 2 * MB, 0x40000000, 21);
	map(&f, 4 * MB, 0x40200000, 21);
	walk_all(&f);
	assert_int_equal(f.told.n, 2);
	told_is(&f.told, 0, 2 * MB - 0x1000, 2 * MB - 1, 0x40000000 - 0x1000, RW);
	told_is(&f.told, 1, 2 * MB, 6 * MB - 1, 0x40000000, RW);
	told_agrees(&f.told, &f.m, &f.t, 0, TOP48);
	end(&f);
}

/* After the last physical address comes bit 52, not address 0. */
static void top_of_memory(void **state)
{
	struct fix f;

	(void)state;
	begin(&f);
	map(&f, 0, 0xffffffffff000ULL, 12);
	image_set(&f.m, plant_at(&f.m, &f.t, 0x1000, 1), RW);
	image_set(&f.m, plant_at(&f.m, &f.t, 0x2000, 1), RW | ATTR);
	walk_all(&f);
	assert_int_equal(f.told.n, 3);
	told_agrees(&f.told, &f.m, &f.t, 0, TOP48);
	end(&f);
}

/* ---- permission ---- */

static void all_levels_allow(void **state)
{
	struct fix f;
	uint32_t level;

	(void)state;
	for (level = 1; level <= 4; level++) {
		begin(&f);
		map(&f, 0, 0x5000, 12);
		map(&f, 512 * GB, 0x6000, 12);
		image_set(&f.m, plant_at(&f.m, &f.t, 0, level),
			  image_get(&f.m, plant_at(&f.m, &f.t, 0, level)) & ~1ULL);
		walk_all(&f);
		told_is(&f.told, 0, 0, 0xfff, 0x5000, WALK_WRITE);
		told_is(&f.told, 1, 512 * GB, 512 * GB + 0xfff, 0x6000, RW);
		told_agrees(&f.told, &f.m, &f.t, 0, TOP48);
		end(&f);
	}
}

/* Pages and bits go on, but not what the table above allows. */
static void tables_divide(void **state)
{
	struct fix f;
	uint64_t entry;

	(void)state;
	begin(&f);
	map(&f, 2 * MB - 0x1000, 0x7000, 12);
	map(&f, 2 * MB, 0x8000, 12);
	entry = plant_at(&f.m, &f.t, 2 * MB, 2);
	image_set(&f.m, entry, image_get(&f.m, entry) & ~2ULL);
	walk_all(&f);
	assert_int_equal(f.told.n, 2);
	told_is(&f.told, 0, 2 * MB - 0x1000, 2 * MB - 1, 0x7000, RW);
	told_is(&f.told, 1, 2 * MB, 2 * MB + 0xfff, 0x8000, WALK_READ);
	end(&f);
}

/* A table that allows only reading, a leaf that allows only writing: a leaf, and nothing is allowed. */
static void nothing_allowed(void **state)
{
	struct fix f;

	(void)state;
	begin(&f);
	plant(&f.m, &f.t, 0, 0x5000, 12, WALK_WRITE);
	image_set(&f.m, plant_at(&f.m, &f.t, 0, 2),
		  image_get(&f.m, plant_at(&f.m, &f.t, 0, 2)) & ~2ULL);
	walk_all(&f);
	told_is(&f.told, 0, 0, 0xfff, 0x5000, 0);
	told_agrees(&f.told, &f.m, &f.t, 0, TOP48);
	end(&f);
}

/* ---- bad tables ---- */

/* An entry of each level above the leaves that leads to the root. */
static void circles(void **state)
{
	uint64_t span[] = { 0, 0, 2 * MB, GB, 512 * GB };
	struct walk_memory mem;
	struct walk_path path;
	struct fix f;
	uint32_t level;

	(void)state;
	for (level = 2; level <= 4; level++) {
		begin(&f);
		map(&f, 0, 0x5000, 12);
		map(&f, 3 * span[level], 0x6000, 12);
		image_set(&f.m, plant_at(&f.m, &f.t, span[level], level),
			  f.t.windows[0].root | RW);
		walk_all(&f);
		assert_int_equal(f.told.n, 3);
		told_is(&f.told, 0, 0, 0xfff, 0x5000, RW);
		told_is_bad(&f.told, 1, span[level], 2 * span[level] - 1, WALK_BAD_LOOP);
		assert_int_equal(f.told.runs[1].paddr, f.t.windows[0].root);
		assert_int_equal(f.told.runs[1].level, level);
		assert_int_equal(f.told.runs[1].entry_paddr,
				 plant_at(&f.m, &f.t, span[level], level));
		told_is(&f.told, 2, 3 * span[level], 3 * span[level] + 0xfff, 0x6000, RW);

		mem = image_memory(&f.m);
		assert_int_equal(walk_lookup(&f.t, &mem, span[level], &path), 0);
		assert_true(path.bad);
		assert_memory_equal(&path.run, &f.told.runs[1], sizeof(path.run));
		end(&f);
	}
}

static void two_ways(void **state)
{
	struct fix f;

	(void)state;
	begin(&f);
	map(&f, 0, 0x5000, 12);
	image_set(&f.m, plant_at(&f.m, &f.t, 4 * MB, 2),
		  image_get(&f.m, plant_at(&f.m, &f.t, 0, 2)));
	walk_all(&f);
	assert_int_equal(f.told.n, 2);
	told_is_bad(&f.told, 1, 4 * MB, 6 * MB - 1, WALK_BAD_LOOP);
	assert_int_equal(f.told.count.tables, 4);
	end(&f);
}

/* All entries of all tables lead to all tables. */
static void web(void **state)
{
	struct fix f;
	uint64_t tables[8];
	int i, k;

	(void)state;
	begin_levels(&f, 5);
	tables[0] = f.t.windows[0].root;
	for (i = 1; i < 8; i++)
		tables[i] = image_pages(&f.m, 1);
	for (i = 0; i < 8; i++)
		for (k = 0; k < 512; k++)
			image_set(&f.m, tables[i] + 8 * k, tables[(i + k) % 8] | RW);
	walk_all(&f);
	assert_in_range(f.told.count.tables, 5, 8);
	assert_in_range(f.m.reads, 5, 8);
	assert_in_range(f.told.n, 8, 8 * 512);
	end(&f);
}

static void outside_of_memory(void **state)
{
	struct fix f;

	(void)state;
	begin(&f);
	map(&f, 0, 0x5000, 12);
	image_set(&f.m, plant_at(&f.m, &f.t, 2 * MB, 2), 0x7777000 | RW);
	map(&f, 4 * MB, 0x6000, 12);
	walk_all(&f);
	assert_int_equal(f.told.n, 3);
	told_is_bad(&f.told, 1, 2 * MB, 4 * MB - 1, WALK_BAD_MEMORY);
	assert_int_equal(f.told.runs[1].paddr, 0x7777000);
	assert_int_equal(f.told.runs[1].raw, 0x7777000 | RW);
	told_agrees(&f.told, &f.m, &f.t, 0, TOP48);
	walk(&f, 3 * MB, 3 * MB);
	told_is_bad(&f.told, 0, 3 * MB, 3 * MB, WALK_BAD_MEMORY);
	end(&f);
}

static void root_outside_of_memory(void **state)
{
	struct fix f;

	(void)state;
	begin(&f);
	f.t.windows[0].root = 0x7777000;
	walk_all(&f);
	assert_int_equal(f.told.n, 1);
	told_is_bad(&f.told, 0, 0, TOP48, WALK_BAD_MEMORY);
	assert_int_equal(f.told.runs[0].level, 0);
	assert_int_equal(f.told.runs[0].entry_paddr, 0);
	assert_int_equal(f.told.runs[0].paddr, 0x7777000);
	told_agrees(&f.told, &f.m, &f.t, 0, TOP48);
	end(&f);
}

/* ---- limits ---- */

static void budget(void **state)
{
	struct fix f;

	(void)state;
	begin(&f);
	map(&f, 0, 0x5000, 12);		/* four tables */
	map(&f, 2 * MB, 0x6000, 12);	/* one more */
	assert_int_equal(walk_max(&f, 5), 0);
	assert_int_equal(f.told.n, 2);
	assert_false(f.told.count.cut);
	assert_int_equal(walk_max(&f, 4), 0);
	assert_int_equal(f.told.n, 1);
	assert_true(f.told.count.cut);
	assert_int_equal(f.told.count.tables, 4);
	assert_int_equal(walk_max(&f, 1), 0);
	assert_int_equal(f.told.n, 0);
	assert_true(f.told.count.cut);

	/* A page that cannot be read costs, too. */
	image_set(&f.m, plant_at(&f.m, &f.t, 2 * MB, 2), 0x7777000 | RW);
	assert_int_equal(walk_max(&f, 4), 0);
	assert_true(f.told.count.cut);
	end(&f);
}

static void stopped(void **state)
{
	struct fix f;
	struct walk_memory mem;
	uint32_t n;

	(void)state;
	begin(&f);
	map(&f, 0, 0x5000, 12);
	image_set(&f.m, plant_at(&f.m, &f.t, 0x1000, 1), RW | 1ULL << 62);
	map(&f, 2 * MB, 0x6000, 12);
	mem = image_memory(&f.m);
	for (n = 1; n <= 3; n++) {
		told_free(&f.told);
		f.told.stop_after = n;
		assert_int_equal(walk_range(&f.t, &mem, 0, ~0ULL, 0, told_add, &f.told,
					    &f.told.count), -EINTR);
		assert_int_equal(f.told.n, n);
	}
	end(&f);
}

static int check(const struct walk_table *t, uint64_t first, uint64_t last)
{
	struct walk_table empty = *t;
	struct image m;
	struct walk_memory mem;
	struct told told = { 0 };
	int ret;

	image_begin(&m);
	mem = image_memory(&m);
	ret = walk_range(&empty, &mem, first, last, 0, told_add, &told, NULL);
	told_free(&told);
	image_end(&m);
	return ret;
}

static void refused(void **state)
{
	const struct walk_table good = walk_vtd_second(0x1000, 4);
	struct walk_memory mem = { 0 };
	struct walk_path path;
	struct walk_table t;

	(void)state;
	assert_int_equal(check(&good, 0, 0), 0);
	assert_int_equal(check(&good, 1, 0), -EINVAL);
#define REFUSED(what, value) do { t = good; t.what = value; \
		assert_int_equal(check(&t, 0, 0), -EINVAL); \
		assert_int_equal(walk_lookup(&t, &mem, 0, &path), -EINVAL); } while (0)
	REFUSED(format, WALK_NONE);
	REFUSED(format, WALK_FORMATS);
	REFUSED(nwindows, WALK_WINDOWS_MAX + 1);
	REFUSED(nwindows, 2);	/* the second is all zero */
	REFUSED(windows[0].levels, 0);
	REFUSED(windows[0].levels, WALK_LEVELS_MAX + 1);
	REFUSED(windows[0].levels, 3);	/* does not reach */
	REFUSED(windows[0].index_lg2, 8);
	REFUSED(windows[0].index_lg2, 19);
	REFUSED(windows[0].index_lg2, 18);	/* 12 + 3 * 18 > 63 */
	REFUSED(windows[0].root, 0x1800);
	REFUSED(windows[0].last, 1ULL << 48);
	REFUSED(windows[0].first, 1ULL << 48);
#undef REFUSED
	t = good;
	t.nwindows = 2;
	t.windows[1] = t.windows[0];	/* not disjoint */
	assert_int_equal(check(&t, 0, 0), -EINVAL);
	t.nwindows = 0;
	assert_int_equal(check(&t, 0, ~0ULL), 0);
	assert_int_equal(walk_lookup(&t, &mem, 0, &path), -ERANGE);
}

/* ---- reading ahead ---- */

static void ahead(void **state)
{
	struct fix f;
	uint64_t i;

	(void)state;
	begin(&f);
	for (i = 0; i < 100; i++)
		map(&f, i * 2 * MB, 0x100000 * i, 12);
	walk_all(&f);
	assert_int_equal(f.told.n, 100);
	assert_int_equal(f.m.announced, 100);
	assert_null(omap_ceil(&f.m.coming, 0));	/* all was then read */

	/* Not what will not be read. */
	f.m.announced = 0;
	walk(&f, 20 * MB, 24 * MB);
	assert_int_equal(f.m.announced, 3);
	assert_int_equal(walk_max(&f, 5), 0);
	assert_int_equal(f.m.announced, 3 + 2);

	/* Nobody needs to hear it. */
	told_free(&f.told);
	assert_int_equal(walk_range(&f.t, &(struct walk_memory) {
				.read = image_memory(&f.m).read, .arg = &f.m,
			}, 0, ~0ULL, 0, told_add, &f.told, NULL), 0);
	assert_int_equal(f.told.n, 100);
	end(&f);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(walk_format_name(WALK_VTD_SECOND), "VT-d second stage");
	assert_string_equal(walk_format_name(WALK_NONE), "none");
	assert_string_equal(walk_format_name(WALK_FORMATS), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(ends_of_the_space),
		cmocka_unit_test(over_the_end_of_a_table),
		cmocka_unit_test(clipped),
		cmocka_unit_test(merged),
		cmocka_unit_test(divided),
		cmocka_unit_test(sizes_divide),
		cmocka_unit_test(top_of_memory),
		cmocka_unit_test(all_levels_allow),
		cmocka_unit_test(tables_divide),
		cmocka_unit_test(nothing_allowed),
		cmocka_unit_test(circles),
		cmocka_unit_test(two_ways),
		cmocka_unit_test(web),
		cmocka_unit_test(outside_of_memory),
		cmocka_unit_test(root_outside_of_memory),
		cmocka_unit_test(budget),
		cmocka_unit_test(stopped),
		cmocka_unit_test(refused),
		cmocka_unit_test(ahead),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
