// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The engine of walks, with VT-d's second stage: clipping, merging, permission. */
#include "walk_fix.h"

#define TOP48 ((1ULL << 48) - 1)
#define ATTR (1ULL << 52)	/* ignored by hardware, but not the same */
#define AD (3ULL << 8)

static void or_word(struct fix *f, uint64_t paddr, uint64_t bits)
{
	image_set(&f->m, paddr, image_get(&f->m, paddr) | bits);
}

/* ---- where IOVAs are ---- */

static void empty(void **state)
{
	struct fix f;

	(void)state;
	begin_second(&f, 4);
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
	begin_second(&f, 4);
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
	begin_second(&f, 4);
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
	begin_second(&f, 4);
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

	begin_second(f, 4);
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
	begin_second(&f, 4);
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
	begin_second(&f, 4);
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
		begin_second(&f, 4);
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
	begin_second(&f, 4);
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
	begin_second(&f, 4);
	plant(&f.m, &f.t, 0, 0x5000, 12, WALK_WRITE);
	image_set(&f.m, plant_at(&f.m, &f.t, 0, 2),
		  image_get(&f.m, plant_at(&f.m, &f.t, 0, 2)) & ~2ULL);
	walk_all(&f);
	told_is(&f.told, 0, 0, 0xfff, 0x5000, 0);
	told_agrees(&f.told, &f.m, &f.t, 0, TOP48);
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
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
