// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* VT-d's second stage: sizes, widths, and each bit that is or is not reserved. */
#include "walk_fix.h"

static void set(struct fix *f, uint64_t iova, uint32_t level, uint64_t word)
{
	image_set(&f->m, plant_at(&f->m, &f->t, iova, level), word);
}

/* The first and the last place of each size, on tables of 39, 48 and 57 bits. */
static void sizes(void **state)
{
	static const uint32_t lg2s[] = { 12, 21, 30 };
	struct fix f;
	uint32_t levels, i;

	(void)state;
	for (levels = 3; levels <= 5; levels++)
		for (i = 0; i < 3; i++) {
			uint64_t bytes = 1ULL << lg2s[i];
			uint64_t top = (1ULL << (12 + 9 * levels)) - 1;

			begin_second(&f, levels);
			plant(&f.m, &f.t, 0, 0x40000000, lg2s[i], RW);
			plant(&f.m, &f.t, top - bytes + 1, 0xc0000000, lg2s[i], WALK_READ);
			walk_agrees(&f, 0, ~0ULL);
			assert_int_equal(f.told.n, 2);
			told_is(&f.told, 0, 0, bytes - 1, 0x40000000, RW);
			told_is(&f.told, 1, top - bytes + 1, top, 0xc0000000, WALK_READ);
			assert_int_equal(f.told.runs[0].page_lg2, lg2s[i]);
			assert_int_equal(f.told.runs[0].level, i + 1);
			end(&f);
		}
}

/* Execute alone, snoop alone, an address alone: nothing is there. */
static void not_present(void **state)
{
	struct fix f;
	uint32_t level;

	(void)state;
	for (level = 1; level <= 4; level++) {
		begin_second(&f, 4);
		set(&f, 0, level, ~3ULL);
		set(&f, 0x1ULL << (12 + 9 * (level - 1)), level, 4);
		walk_agrees(&f, 0, ~0ULL);
		assert_int_equal(f.told.n, 0);
		end(&f);
	}
}

/* Is this bit of a leaf reserved? Else it stays a leaf. */
static bool leaf_reserved(uint32_t level, uint32_t bit)
{
	return bit == 62 || (bit >= 12 && bit < 12 + 9 * (level - 1));
}

static void each_bit_of_a_leaf(void **state)
{
	struct fix f;
	uint32_t level, bit;

	(void)state;
	for (level = 1; level <= 3; level++)
		for (bit = 2; bit < 64; bit++) {
			if (level > 1 && bit == 7)
				continue;
			begin_second(&f, 4);
			set(&f, 0, level,
			    plant_leaf_word(WALK_VTD_SECOND, level, 0, 12, RW) | 1ULL << bit);
			walk_agrees(&f, 0, ~0ULL);
			assert_int_equal(f.told.n, 1);
			assert_int_equal(f.told.runs[0].kind, leaf_reserved(level, bit) ?
					 WALK_BAD_RESERVED : WALK_LEAF);
			assert_int_equal(f.told.runs[0].last,
					 (1ULL << (12 + 9 * (level - 1))) - 1);
			end(&f);
		}
}

static void each_bit_of_a_table(void **state)
{
	struct fix f;
	uint32_t level, bit;

	(void)state;
	for (level = 2; level <= 5; level++)
		for (bit = 2; bit < 64; bit++) {
			bool reserved = bit == 62 || bit == 11 || (bit == 7 && level > 3);
			uint64_t entry;

			if ((bit >= 12 && bit < 52) || (bit == 7 && level <= 3))
				continue;
			begin_second(&f, 5);
			plant(&f.m, &f.t, 0, 0x5000, 12, RW);
			entry = plant_at(&f.m, &f.t, 0, level);
			image_set(&f.m, entry, image_get(&f.m, entry) | 1ULL << bit);
			walk_agrees(&f, 0, ~0ULL);
			assert_int_equal(f.told.n, 1);
			assert_int_equal(f.told.runs[0].kind, reserved ?
					 WALK_BAD_RESERVED : WALK_LEAF);
			if (reserved) {
				assert_int_equal(f.told.runs[0].entry_paddr, entry);
				assert_int_equal(f.told.runs[0].level, level);
			}
			end(&f);
		}
}

/* What is bad is told entry by entry. */
static void bad_neighbours(void **state)
{
	struct fix f;

	(void)state;
	begin_second(&f, 3);
	set(&f, 0, 1, 0x5000 | RW | 1ULL << 62);
	set(&f, 0x1000, 1, 0x6000 | RW | 1ULL << 62);
	set(&f, 0x2000, 1, 0x7000 | RW);
	walk_agrees(&f, 0, ~0ULL);
	assert_int_equal(f.told.n, 3);
	told_is_bad(&f.told, 0, 0, 0xfff, WALK_BAD_RESERVED);
	told_is_bad(&f.told, 1, 0x1000, 0x1fff, WALK_BAD_RESERVED);
	told_is(&f.told, 2, 0x2000, 0x2fff, 0x7000, RW);
	assert_int_equal(f.told.runs[1].raw, 0x6000 | RW | 1ULL << 62);
	assert_int_equal(f.told.count.leaves, 1);
	end(&f);
}

/* Bits of no address: neither in the table's nor in the page's. */
static void ignored_address_bits(void **state)
{
	const uint64_t c = 1ULL << 47;
	struct fix f;
	uint64_t leaf, table;

	(void)state;
	begin_second(&f, 4);
	leaf = plant(&f.m, &f.t, 0, 0x5000, 12, RW);
	plant(&f.m, &f.t, 0x1000, 0x6000, 12, RW);
	image_set(&f.m, leaf, image_get(&f.m, leaf) | c);
	table = plant_at(&f.m, &f.t, 0, 2);
	image_set(&f.m, table, image_get(&f.m, table) | c);
	told_walk(&f.told, &f.m, &f.t, 0, ~0ULL);
	told_is_bad(&f.told, 0, 0, 2 * MB - 1, WALK_BAD_MEMORY);
	told_free(&f.told);

	/* A page with the bit and one without are not one run. */
	f.t.paddr_ignore = c;
	told_walk(&f.told, &f.m, &f.t, 0, ~0ULL);
	assert_int_equal(f.told.n, 2);
	told_is(&f.told, 0, 0, 0xfff, 0x5000, RW);
	told_is(&f.told, 1, 0x1000, 0x1fff, 0x6000, RW);
	assert_int_equal(f.told.runs[0].raw, 0x5000 | RW | c);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(not_present),
		cmocka_unit_test(each_bit_of_a_leaf),
		cmocka_unit_test(each_bit_of_a_table),
		cmocka_unit_test(bad_neighbours),
		cmocka_unit_test(ignored_address_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
