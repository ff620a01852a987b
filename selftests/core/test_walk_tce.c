// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* POWER's entries: two windows, tables of many pages, the other order of bytes. */
#include "walk_fix.h"

#define HIGH (1ULL << 59)
#define HIGH_LAST (HIGH + 32 * TB - 1)

static void begin(struct fix *f)
{
	fix_begin(f);
	f->t = plant_tce(&f->m);
}

static void windows(void **state)
{
	struct fix f;

	(void)state;
	begin(&f);
	plant(&f.m, &f.t, 0, 0x5000, 12, RW);
	plant(&f.m, &f.t, GB - 0x1000, 0x6000, 12, WALK_READ);
	plant(&f.m, &f.t, HIGH, 0x7000, 12, WALK_WRITE);
	plant(&f.m, &f.t, HIGH_LAST - 0xfff, 0xfffffffffffff000ULL, 12, RW);
	walk_agrees(&f, 0, ~0ULL);
	assert_int_equal(f.told.n, 4);
	told_is(&f.told, 0, 0, 0xfff, 0x5000, RW);
	told_is(&f.told, 1, GB - 0x1000, GB - 1, 0x6000, WALK_READ);
	told_is(&f.told, 2, HIGH, HIGH + 0xfff, 0x7000, WALK_WRITE);
	told_is(&f.told, 3, HIGH_LAST - 0xfff, HIGH_LAST, 0xfffffffffffff000ULL, RW);
	walk_agrees(&f, GB, HIGH - 1);
	assert_int_equal(f.told.count.tables, 0);
	end(&f);
}

/* A run goes over the end of a page of a table, and of a table; only pages that are wanted are read. */
static void over_pages(void **state)
{
	struct fix f;
	uint64_t i;

	(void)state;
	begin(&f);
	for (i = 0; i < 4; i++) {
		plant(&f.m, &f.t, 2 * MB - 0x2000 + i * 0x1000, 0x40000000 + i * 0x1000, 12, RW);
		plant(&f.m, &f.t, HIGH + 8 * MB - 0x2000 + i * 0x1000, i * 0x1000, 12, RW);
	}
	walk_agrees(&f, 0, ~0ULL);
	assert_int_equal(f.told.n, 2);
	told_is(&f.told, 0, 2 * MB - 0x2000, 2 * MB + 0x1fff, 0x40000000, RW);
	told_is(&f.told, 1, HIGH + 8 * MB - 0x2000, HIGH + 8 * MB + 0x1fff, 0, RW);
	assert_int_equal(f.told.count.tables, 512 + 4 + 4 + 2 * 4);
	walk_agrees(&f, 2 * MB - 1, 2 * MB);
	told_is(&f.told, 0, 2 * MB - 1, 2 * MB, 0x40001fff, RW);
	assert_int_equal(f.told.count.tables, 2);
	end(&f);
}

/* After the last address there is no run on to the first. */
static void top_of_memory(void **state)
{
	struct fix f;

	(void)state;
	begin(&f);
	plant(&f.m, &f.t, 0, 0xfffffffffffff000ULL, 12, RW);
	plant(&f.m, &f.t, 0x1000, 0, 12, RW);
	plant(&f.m, &f.t, 2 * MB - 0x1000, 0xfffffffffffff000ULL, 12, RW);
	plant(&f.m, &f.t, 2 * MB, 0, 12, RW);
	walk_agrees(&f, 0, ~0ULL);
	assert_int_equal(f.told.n, 4);
	end(&f);
}

static void reserved(void **state)
{
	struct fix f;
	uint32_t bit;

	(void)state;
	for (bit = 2; bit < 12; bit++) {
		begin(&f);
		image_set(&f.m, plant_at(&f.m, &f.t, 0x1000, 1),
			  plant_swap(0x5000 | RW | 1ULL << bit));
		image_set(&f.m, plant_at(&f.m, &f.t, HIGH, 2), plant_swap(RW | 1ULL << bit));
		walk_agrees(&f, 0, ~0ULL);
		assert_int_equal(f.told.n, 2);
		told_is_bad(&f.told, 0, 0x1000, 0x1fff, WALK_BAD_RESERVED);
		told_is_bad(&f.told, 1, HIGH, HIGH + 8 * MB - 1, WALK_BAD_RESERVED);
		end(&f);
	}
}

/* The second page of a table is not there, or was reached before. */
static void page_of_a_table(void **state)
{
	struct fix f;
	uint64_t table, entry;

	(void)state;
	begin(&f);
	plant(&f.m, &f.t, HIGH, 0x5000, 12, RW);
	plant(&f.m, &f.t, HIGH + 8 * MB - 0x1000, 0x6000, 12, RW);
	entry = plant_at(&f.m, &f.t, HIGH + 16 * MB, 2);
	table = image_pages(&f.m, 1);
	f.m.next += WALK_PAGE_BYTES;
	image_pages(&f.m, 2);
	image_set(&f.m, entry, plant_table_word(WALK_TCE, 1, table));
	walk_agrees(&f, 0, ~0ULL);
	assert_int_equal(f.told.n, 3);
	told_is_bad(&f.told, 2, HIGH + 18 * MB, HIGH + 20 * MB - 1, WALK_BAD_MEMORY);
	assert_int_equal(f.told.runs[2].paddr, table + WALK_PAGE_BYTES);

	/* Three pages of this one were another's. */
	image_set(&f.m, plant_at(&f.m, &f.t, HIGH + 24 * MB, 2),
		  plant_table_word(WALK_TCE, 1, table - WALK_PAGE_BYTES));
	told_free(&f.told);
	told_walk(&f.told, &f.m, &f.t, HIGH + 16 * MB, ~0ULL);
	assert_int_equal(f.told.n, 5);
	told_is(&f.told, 1, HIGH + 26 * MB - 0x1000, HIGH + 26 * MB - 1, 0x6000, RW);
	told_is_bad(&f.told, 2, HIGH + 26 * MB, HIGH + 28 * MB - 1, WALK_BAD_LOOP);
	told_is_bad(&f.told, 4, HIGH + 30 * MB, HIGH + 32 * MB - 1, WALK_BAD_LOOP);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows),
		cmocka_unit_test(over_pages),
		cmocka_unit_test(top_of_memory),
		cmocka_unit_test(reserved),
		cmocka_unit_test(page_of_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
