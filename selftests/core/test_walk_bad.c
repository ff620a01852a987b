// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The engine of walks, with VT-d's second stage: tables that are wrong, and limits. */
#include <errno.h>

#include "walk_fix.h"

#define TOP48 ((1ULL << 48) - 1)

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
		begin_second(&f, 4);
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
	begin_second(&f, 4);
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
	begin_second(&f, 5);
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
	begin_second(&f, 4);
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
	begin_second(&f, 4);
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
	begin_second(&f, 4);
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
	begin_second(&f, 4);
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
	begin_second(&f, 4);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(circles),
		cmocka_unit_test(two_ways),
		cmocka_unit_test(web),
		cmocka_unit_test(outside_of_memory),
		cmocka_unit_test(root_outside_of_memory),
		cmocka_unit_test(budget),
		cmocka_unit_test(stopped),
		cmocka_unit_test(refused),
		cmocka_unit_test(ahead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
