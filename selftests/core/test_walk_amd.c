// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* AMD v1: pages of all sizes and their equal entries, levels that are left out, all 64 bits. */
#include "walk_fix.h"

static void begin(struct fix *f, uint32_t levels)
{
	fix_begin(f);
	f->t = walk_amd_v1(image_pages(&f->m, 1), levels);
}

static uint64_t table_word(uint32_t next_level, uint64_t paddr)
{
	return plant_table_word(WALK_AMD_V1, next_level, paddr);
}

static uint64_t leaf_word(uint32_t level, uint64_t paddr, uint32_t lg2)
{
	return plant_leaf_word(WALK_AMD_V1, level, paddr, lg2, RW);
}

/* The first and the last place, of each size, under each number of levels. */
static void sizes(void **state)
{
	struct fix f;
	uint32_t levels, lg2;

	(void)state;
	for (levels = 1; levels <= 6; levels++)
		for (lg2 = 12; lg2 < 52 && lg2 < 12 + 9 * levels; lg2++) {
			uint32_t width = 12 + 9 * levels;
			uint64_t top = width >= 64 ? ~0ULL : (1ULL << width) - 1;
			uint64_t bytes = 1ULL << lg2;

			begin(&f, levels);
			plant(&f.m, &f.t, 0, 0, lg2, RW);
			if (top != bytes - 1)
				plant(&f.m, &f.t, top - bytes + 1, lg2 < 51 ? bytes : 0, lg2,
				      WALK_READ);
			walk_agrees(&f, 0, ~0ULL);
			assert_int_equal(f.told.n, 2);
			told_is(&f.told, 0, 0, bytes - 1, 0, RW);
			told_is(&f.told, 1, top - bytes + 1, top, lg2 < 51 ? bytes : 0,
				WALK_READ);
			assert_int_equal(f.told.runs[0].page_lg2, lg2);
			assert_int_equal(f.told.runs[0].level, (lg2 - 12) / 9 + 1);
			assert_int_equal(f.told.count.leaves, 2 << (lg2 - 12) % 9);
			end(&f);
		}
}

/* 64 KiB in 16 entries: one is missing, one leads elsewhere, one allows less. */
static void copies_that_differ(void **state)
{
	struct fix f;
	uint64_t entry;

	(void)state;
	begin(&f, 3);
	entry = plant(&f.m, &f.t, MB, 0x70000, 16, RW);
	walk_agrees(&f, 0, ~0ULL);
	assert_int_equal(f.told.n, 1);
	told_is(&f.told, 0, MB, MB + 0xffff, 0x70000, RW);

	image_set(&f.m, entry, 0);
	image_set(&f.m, entry + 5 * 8, leaf_word(1, 0x90000, 16));
	image_set(&f.m, entry + 9 * 8, plant_leaf_word(WALK_AMD_V1, 1, 0x70000, 16, WALK_READ));
	walk_agrees(&f, 0, ~0ULL);
	assert_int_equal(f.told.n, 5);
	told_is(&f.told, 0, MB + 0x1000, MB + 0x4fff, 0x71000, RW);
	told_is(&f.told, 1, MB + 0x5000, MB + 0x5fff, 0x95000, RW);
	told_is(&f.told, 2, MB + 0x6000, MB + 0x8fff, 0x76000, RW);
	told_is(&f.told, 3, MB + 0x9000, MB + 0x9fff, 0x79000, WALK_READ);
	told_is(&f.told, 4, MB + 0xa000, MB + 0xffff, 0x7a000, RW);
	assert_int_equal(f.told.count.leaves, 15);
	walk_agrees(&f, MB + 0x4800, MB + 0x57ff);
	assert_int_equal(f.told.n, 2);
	told_is(&f.told, 0, MB + 0x4800, MB + 0x4fff, 0x74800, RW);
	told_is(&f.told, 1, MB + 0x5000, MB + 0x57ff, 0x95000, RW);
	end(&f);
}

/* Large pages one after the other are one run if they are of one size. */
static void merging(void **state)
{
	struct fix f;

	(void)state;
	begin(&f, 3);
	plant(&f.m, &f.t, 0, 0x100000, 15, RW);
	plant(&f.m, &f.t, 0x8000, 0x108000, 15, RW);
	plant(&f.m, &f.t, 0x10000, 0x110000, 16, RW);
	plant(&f.m, &f.t, 0x20000, 0x120000, 12, RW);
	plant(&f.m, &f.t, 0x21000, 0x121000, 12, RW);
	walk_agrees(&f, 0, ~0ULL);
	assert_int_equal(f.told.n, 3);
	told_is(&f.told, 0, 0, 0xffff, 0x100000, RW);
	told_is(&f.told, 1, 0x10000, 0x1ffff, 0x110000, RW);
	told_is(&f.told, 2, 0x20000, 0x21fff, 0x120000, RW);
	end(&f);
}

/* From level 4 down to 2 or 1: only where the index of what is left out is 0. */
static void levels_left_out(void **state)
{
	struct walk_memory mem;
	struct walk_path path;
	struct fix f;
	uint64_t table, at = 2 * 512 * GB;

	(void)state;
	begin(&f, 4);
	plant(&f.m, &f.t, 0, 0x5000, 12, RW);
	table = image_pages(&f.m, 1);
	image_set(&f.m, plant_at(&f.m, &f.t, at, 4), table_word(1, table));
	image_set(&f.m, table, leaf_word(1, 0x7000, 12));
	image_set(&f.m, table + 511 * 8, leaf_word(1, 0x9000, 12));
	table = image_pages(&f.m, 1);
	image_set(&f.m, plant_at(&f.m, &f.t, 2 * at, 4), table_word(2, table));
	image_set(&f.m, table + 511 * 8, leaf_word(2, 2 * MB, 21));
	walk_agrees(&f, 0, ~0ULL);
	assert_int_equal(f.told.n, 4);
	told_is(&f.told, 1, at, at + 0xfff, 0x7000, RW);
	told_is(&f.told, 2, at + 2 * MB - 0x1000, at + 2 * MB - 1, 0x9000, RW);
	told_is(&f.told, 3, 2 * at + GB - 2 * MB, 2 * at + GB - 1, 2 * MB, RW);

	/* Beyond is nothing, though the same index would be found. */
	walk_agrees(&f, at + 2 * MB, at + 512 * GB - 1);
	assert_int_equal(f.told.n, 0);
	assert_int_equal(f.told.count.tables, 1);
	mem = image_memory(&f.m);
	assert_int_equal(walk_lookup(&f.t, &mem, at + 2 * MB, &path), 0);
	assert_false(path.present || path.bad);
	assert_int_equal(walk_lookup(&f.t, &mem, at + 2 * MB - 1, &path), 0);
	assert_true(path.present);
	assert_int_equal(path.nsteps, 2);
	end(&f);
}

/* Next levels that are not below, pages at level 6, sizes that another level holds. */
static void bad_levels_and_sizes(void **state)
{
	struct fix f;
	uint32_t level, next, lg2;

	(void)state;
	for (level = 1; level <= 6; level++) {
		uint64_t span = 1ULL << (12 + 9 * (level - 1));

		for (next = level; next <= 6; next++) {
			begin(&f, 6);
			image_set(&f.m, plant_at(&f.m, &f.t, 0, level), table_word(next, 0x5000));
			walk_agrees(&f, 0, ~0ULL);
			assert_int_equal(f.told.n, 1);
			told_is_bad(&f.told, 0, 0, span - 1, WALK_BAD_RESERVED);
			end(&f);
		}
		for (lg2 = 13; lg2 <= 53; lg2++) {
			/* All ones is no size. */
			uint64_t ones = ((1ULL << (lg2 - 1)) - 1) & ~0xfffULL;
			bool good = level < 6 && lg2 > 12 + 9 * (level - 1) &&
				    lg2 < 12 + 9 * level && lg2 < 53;

			begin(&f, 6);
			image_set(&f.m, plant_at(&f.m, &f.t, 0, level), ones | 7 << 9 | 1);
			walk_agrees(&f, 0, ~0ULL);
			assert_int_equal(f.told.runs[0].kind,
					 good ? WALK_LEAF : WALK_BAD_RESERVED);
			end(&f);
		}
	}
	begin(&f, 6);
	image_set(&f.m, plant_at(&f.m, &f.t, 0, 6), leaf_word(6, 0, 57));
	walk_agrees(&f, 0, ~0ULL);
	told_is_bad(&f.told, 0, 0, (1ULL << 57) - 1, WALK_BAD_RESERVED);
	end(&f);
}

static void each_bit(void **state)
{
	struct fix f;
	uint32_t bit, level;

	(void)state;
	for (level = 1; level <= 2; level++)
		for (bit = 1; bit < 64; bit++) {
			bool reserved = (bit >= 52 && bit <= 58) || (level == 2 && bit <= 60 &&
								      bit >= 52);
			uint64_t entry;

			if (bit >= 9 && bit < 52)
				continue;
			begin(&f, 3);
			plant(&f.m, &f.t, 0, 0x5000, 12, RW);
			entry = plant_at(&f.m, &f.t, 0, level);
			image_set(&f.m, entry, image_get(&f.m, entry) | 1ULL << bit);
			walk_agrees(&f, 0, ~0ULL);
			assert_int_equal(f.told.n, 1);
			assert_int_equal(f.told.runs[0].kind, reserved ?
					 WALK_BAD_RESERVED : WALK_LEAF);
			end(&f);
		}
}

/* Present, and neither reading nor writing: a leaf that allows nothing. */
static void permissions(void **state)
{
	struct fix f;
	uint32_t level;

	(void)state;
	for (level = 1; level <= 4; level++) {
		uint64_t entry, word;

		begin(&f, 4);
		plant(&f.m, &f.t, 0, 0x5000, 12, RW);
		entry = plant_at(&f.m, &f.t, 0, level);
		word = image_get(&f.m, entry);
		image_set(&f.m, entry, word & ~(1ULL << 61));
		walk_agrees(&f, 0, ~0ULL);
		told_is(&f.told, 0, 0, 0xfff, 0x5000, WALK_WRITE);
		image_set(&f.m, entry, word & ~(3ULL << 61));
		walk_agrees(&f, 0, ~0ULL);
		told_is(&f.told, 0, 0, 0xfff, 0x5000, 0);
		image_set(&f.m, entry, word & ~1ULL);
		walk_agrees(&f, 0, ~0ULL);
		assert_int_equal(f.told.n, 0);
		end(&f);
	}
}

/* Memory encryption: a bit in all addresses, the size's ones below it. */
static void encrypted(void **state)
{
	const uint64_t c = 1ULL << 47;
	struct fix f;
	uint32_t level, i;

	(void)state;
	begin(&f, 3);
	plant(&f.m, &f.t, 0, 0x100000, 16, RW);
	for (level = 3; level > 1; level--)
		image_set(&f.m, plant_at(&f.m, &f.t, 0, level),
			  image_get(&f.m, plant_at(&f.m, &f.t, 0, level)));
	for (i = 0; i < 16; i++)
		image_set(&f.m, plant_at(&f.m, &f.t, i * 0x1000, 1),
			  leaf_word(1, 0x100000, 16) | c);
	for (level = 2; level <= 3; level++) {
		uint64_t entry = f.t.windows[0].root;

		if (level == 2)
			entry = image_get(&f.m, entry) & 0xffffffffff000ULL;
		image_set(&f.m, entry, image_get(&f.m, entry) | c);
	}
	f.t.paddr_ignore = c;
	told_walk(&f.told, &f.m, &f.t, 0, ~0ULL);
	assert_int_equal(f.told.n, 1);
	told_is(&f.told, 0, 0, 0xffff, 0x100000, RW);
	assert_int_equal(f.told.runs[0].page_lg2, 16);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(copies_that_differ),
		cmocka_unit_test(merging),
		cmocka_unit_test(levels_left_out),
		cmocka_unit_test(bad_levels_and_sizes),
		cmocka_unit_test(each_bit),
		cmocka_unit_test(permissions),
		cmocka_unit_test(encrypted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
