// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The CPU's tables: both halves, permissions of a user's requests, PAT in large pages. */
#include <errno.h>

#include "walk_fix.h"

static void begin(struct fix *f, uint32_t levels)
{
	fix_begin(f);
	f->t = walk_x86(image_pages(&f->m, 1), levels);
}

/* First and last page of each half, of each size. */
static void halves(void **state)
{
	static const uint32_t lg2s[] = { 12, 21, 30 };
	struct fix f;
	uint32_t levels, i;

	(void)state;
	for (levels = 4; levels <= 5; levels++)
		for (i = 0; i < 3; i++) {
			uint64_t bytes = 1ULL << lg2s[i], top = (1ULL << (11 + 9 * levels)) - 1;

			begin(&f, levels);
			plant(&f.m, &f.t, 0, 1 * TB, lg2s[i], RW);
			plant(&f.m, &f.t, top - bytes + 1, 2 * TB, lg2s[i], WALK_READ);
			plant(&f.m, &f.t, ~top, 3 * TB, lg2s[i], RW);
			plant(&f.m, &f.t, -bytes, 4 * TB, lg2s[i], WALK_READ);
			walk_agrees(&f, 0, ~0ULL);
			assert_int_equal(f.told.n, 4);
			told_is(&f.told, 0, 0, bytes - 1, 1 * TB, RW);
			told_is(&f.told, 1, top - bytes + 1, top, 2 * TB, WALK_READ);
			told_is(&f.told, 2, ~top, ~top + bytes - 1, 3 * TB, RW);
			told_is(&f.told, 3, -bytes, ~0ULL, 4 * TB, WALK_READ);
			end(&f);
		}
}

/* No address is between the halves. */
static void not_canonical(void **state)
{
	struct walk_memory mem;
	struct walk_path path;
	struct fix f;

	(void)state;
	begin(&f, 4);
	mem = image_memory(&f.m);
	assert_int_equal(walk_lookup(&f.t, &mem, (1ULL << 47) - 1, &path), 0);
	assert_int_equal(walk_lookup(&f.t, &mem, 1ULL << 47, &path), -ERANGE);
	assert_int_equal(walk_lookup(&f.t, &mem, ~0ULL << 47, &path), 0);
	assert_int_equal(walk_lookup(&f.t, &mem, (~0ULL << 47) - 1, &path), -ERANGE);
	end(&f);
}

/* The root is there for both halves; what one half leads to is not for the other. */
static void one_table_for_both(void **state)
{
	struct fix f;

	(void)state;
	begin(&f, 4);
	plant(&f.m, &f.t, 0, 0x5000, 12, RW);
	image_set(&f.m, plant_at(&f.m, &f.t, ~0ULL << 47, 4),
		  image_get(&f.m, plant_at(&f.m, &f.t, 0, 4)));
	image_set(&f.m, plant_at(&f.m, &f.t, -4096ULL, 4), f.t.windows[0].root | 7);
	told_walk(&f.told, &f.m, &f.t, 0, ~0ULL);
	assert_int_equal(f.told.n, 3);
	told_is(&f.told, 0, 0, 0xfff, 0x5000, RW);
	told_is_bad(&f.told, 1, ~0ULL << 47, (~0ULL << 47) + 512 * GB - 1, WALK_BAD_LOOP);
	told_is_bad(&f.told, 2, -512 * GB, ~0ULL, WALK_BAD_LOOP);

	/* Also if the walk begins in the upper half. */
	told_free(&f.told);
	told_walk(&f.told, &f.m, &f.t, -512 * GB, ~0ULL);
	assert_int_equal(f.told.n, 1);
	told_is_bad(&f.told, 0, -512 * GB, ~0ULL, WALK_BAD_LOOP);
	end(&f);
}

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
		image_set(&f.m, entry, word & ~2ULL);
		walk_agrees(&f, 0, ~0ULL);
		told_is(&f.told, 0, 0, 0xfff, 0x5000, WALK_READ);
		image_set(&f.m, entry, word & ~4ULL);
		walk_agrees(&f, 0, ~0ULL);
		told_is(&f.told, 0, 0, 0xfff, 0x5000, 0);
		image_set(&f.m, entry, word & ~1ULL);
		walk_agrees(&f, 0, ~0ULL);
		assert_int_equal(f.told.n, 0);
		end(&f);
	}
}

static void each_bit_of_a_leaf(void **state)
{
	struct fix f;
	uint32_t level, bit;

	(void)state;
	for (level = 1; level <= 3; level++)
		for (bit = 3; bit < 64; bit++) {
			if (level > 1 && bit == 7)
				continue;
			begin(&f, 4);
			image_set(&f.m, plant_at(&f.m, &f.t, 0, level),
				  plant_leaf_word(WALK_X86, level, 0, 12, RW) | 1ULL << bit);
			walk_agrees(&f, 0, ~0ULL);
			assert_int_equal(f.told.n, 1);
			assert_int_equal(f.told.runs[0].kind,
					 bit >= 13 && bit < 12 + 9 * (level - 1) ?
					 WALK_BAD_RESERVED : WALK_LEAF);
			assert_int_equal(f.told.runs[0].paddr,
					 f.told.runs[0].kind == WALK_LEAF && bit >= 12 &&
					 bit < 52 && (level == 1 || bit > 12) ? 1ULL << bit : 0);
			end(&f);
		}
}

static void each_bit_of_a_table(void **state)
{
	struct fix f;
	uint32_t level, bit;

	(void)state;
	for (level = 2; level <= 5; level++)
		for (bit = 3; bit < 64; bit++) {
			uint64_t entry;

			if ((bit >= 12 && bit < 52) || (bit == 7 && level <= 3))
				continue;
			begin(&f, 5);
			plant(&f.m, &f.t, 0, 0x5000, 12, RW);
			entry = plant_at(&f.m, &f.t, 0, level);
			image_set(&f.m, entry, image_get(&f.m, entry) | 1ULL << bit);
			walk_agrees(&f, 0, ~0ULL);
			assert_int_equal(f.told.n, 1);
			assert_int_equal(f.told.runs[0].kind, bit == 7 ?
					 WALK_BAD_RESERVED : WALK_LEAF);
			end(&f);
		}
}

/* Two large pages, one with PAT, are two runs; accessed and dirty do not divide. */
static void merging(void **state)
{
	struct fix f;
	uint64_t entry;

	(void)state;
	begin(&f, 4);
	plant(&f.m, &f.t, 0, 0x40000000, 21, RW);
	entry = plant(&f.m, &f.t, 2 * MB, 0x40200000, 21, RW);
	image_set(&f.m, entry, image_get(&f.m, entry) & ~0x60ULL);
	walk_agrees(&f, 0, ~0ULL);
	assert_int_equal(f.told.n, 1);
	image_set(&f.m, entry, image_get(&f.m, entry) | 1ULL << 12);
	walk_agrees(&f, 0, ~0ULL);
	assert_int_equal(f.told.n, 2);
	told_is(&f.told, 1, 2 * MB, 4 * MB - 1, 0x40200000, RW);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(halves),
		cmocka_unit_test(not_canonical),
		cmocka_unit_test(one_table_for_both),
		cmocka_unit_test(permissions),
		cmocka_unit_test(each_bit_of_a_leaf),
		cmocka_unit_test(each_bit_of_a_table),
		cmocka_unit_test(merging),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
