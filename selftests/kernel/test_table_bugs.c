// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The planted bugs of kernel/table*.c: what each does. test_table.c runs without any of them. */
#include "table_test.h"

static void bug(enum ref_bug n)
{
	memset(ref_bugs, 0, sizeof(ref_bugs));
	if (n < NR_REF_BUGS)
		ref_bugs[n / BITS_PER_LONG] |= BIT(n % BITS_PER_LONG);
}

static void begin(struct ref_table *t, const struct ref_format *format)
{
	assert_int_equal(ref_table_init(t, format, 0, 0), 0);
}

static void end(struct ref_table *t)
{
	bug(NR_REF_BUGS);
	ref_table_destroy(t);
	assert_int_equal(ref_table_pages(), 0);
}

static bool is_mapped(struct ref_table *t, u64 iova)
{
	struct ref_walk walk;

	ref_table_walk(t, iova, &walk);
	return !walk.fault;
}

static void unmap_half(void **state)
{
	struct ref_table t;

	(void)state;
	begin(&t, &ref_format_vtd);
	map(&t, 0x10000, 0, PAGE, 4, RW);
	bug(BUG_UNMAP_HALF);
	assert_int_equal(ref_table_unmap(&t, 0x10000, 4 * PAGE), 4 * PAGE);
	assert_false(is_mapped(&t, 0x10000));
	assert_false(is_mapped(&t, 0x11000));
	assert_true(is_mapped(&t, 0x12000));
	assert_true(is_mapped(&t, 0x13000));
	assert_int_equal(ref_table_unmap(&t, 0x12000, PAGE), PAGE);
	assert_false(is_mapped(&t, 0x12000));
	/* A whole table's range: what stays, stays reachable. */
	bug(NR_REF_BUGS);
	ref_table_unmap(&t, 0x13000, PAGE);
	map(&t, 0x200000, 0, PAGE, 512, RW);
	bug(BUG_UNMAP_HALF);
	assert_int_equal(ref_table_unmap(&t, 0x200000, 512 * PAGE), 512 * PAGE);
	assert_false(is_mapped(&t, 0x2ff000));
	assert_true(is_mapped(&t, 0x300000));
	assert_true(is_mapped(&t, 0x3ff000));
	end(&t);
}

static void unmap_whole_large(void **state)
{
	struct ref_table t;

	(void)state;
	begin(&t, &ref_format_vtd);
	map(&t, 0x200000, 0, 0x200000, 1, RW);
	assert_int_equal(ref_table_unmap(&t, 0x300000, PAGE), 0);
	bug(BUG_UNMAP_WHOLE_LARGE);
	assert_int_equal(ref_table_unmap(&t, 0x300000, PAGE), 0x100000);
	assert_false(is_mapped(&t, 0x200000));
	end(&t);
}

static void large_no_flush(void **state)
{
	struct ref_table t;

	(void)state;
	begin(&t, &ref_format_vtd);
	map(&t, 0x200000, 0, PAGE, 1, RW);
	ref_table_unmap(&t, 0x200000, PAGE);
	bug(BUG_LARGE_NO_FLUSH);
	map(&t, 0x200000, 0, 0x200000, 1, RW);
	assert_false(ref_table_owes_flush(&t, 0, ~0ULL));
	bug(NR_REF_BUGS);
	assert_true(ref_table_owes_flush(&t, 0, ~0ULL));
	end(&t);
}

static void overwrite(void **state)
{
	struct ref_table t;
	struct ref_walk walk;
	int i;

	(void)state;
	begin(&t, &ref_format_amdv1);
	bug(BUG_OVERWRITE);
	/* The same page, a smaller one below a leaf, a larger one over leaves and tables. */
	map(&t, 0x400000, 0x1000, PAGE, 1, RW);
	map(&t, 0x400000, 0x2000, PAGE, 1, RW);
	ref_table_walk(&t, 0x400000, &walk);
	assert_int_equal(walk.paddr, 0x2000);
	map(&t, 0x400000, 0x400000, 0x400000, 1, RW);
	map(&t, 0x500000, 0x5000, PAGE, 2, RW);
	assert_false(is_mapped(&t, 0x400000));
	assert_true(is_mapped(&t, 0x501000));
	for (i = 0; i < 20000; i++) {
		unsigned int lg2 = 12 + below(22);
		u64 iova = below(1 << 20) << 12 >> lg2 << lg2;

		if (below(3))
			map(&t, iova, 0, 1ULL << lg2, 1, RW);
		else
			ref_table_unmap(&t, iova, 1ULL << lg2);
		ref_table_next(&t, iova, ~0ULL, &iova, &walk);
	}
	end(&t);
}

static void wrong_paddr_and_extra_write(void **state)
{
	struct ref_table t;
	struct ref_walk walk;

	(void)state;
	begin(&t, &ref_format_vtd);
	bug(BUG_WRONG_PADDR);
	map(&t, 0x1000, 0x10000, PAGE, 3, REFIOMMU_PROT_READ);
	ref_table_walk(&t, 0x1000, &walk);
	assert_int_equal(walk.paddr, 0x10000);
	ref_table_walk(&t, 0x2000, &walk);
	assert_int_equal(walk.paddr, 0x10000);
	ref_table_walk(&t, 0x3000, &walk);
	assert_int_equal(walk.paddr, 0x12000);
	assert_int_equal(walk.prot, REFIOMMU_PROT_READ);
	bug(BUG_EXTRA_WRITE);
	map(&t, 0x8000, 0x10000, PAGE, 1, REFIOMMU_PROT_READ);
	ref_table_walk(&t, 0x8000, &walk);
	assert_int_equal(walk.prot, RW);
	end(&t);
}

static void wrap(void **state)
{
	struct ref_table t;

	(void)state;
	begin(&t, &ref_format_amdv1);
	map(&t, TOP - PAGE, 0, PAGE, 2, RW);
	bug(BUG_WRAP);
	assert_int_equal(ref_table_unmap(&t, TOP - PAGE, 2 * PAGE), 2 * PAGE);
	assert_true(is_mapped(&t, TOP));
	assert_int_equal(ref_table_unmap(&t, TOP - PAGE, PAGE), PAGE);
	bug(NR_REF_BUGS);
	assert_int_equal(ref_table_unmap(&t, TOP, PAGE), PAGE);
	assert_false(is_mapped(&t, TOP));
	end(&t);
}

static void table_freed_early(void **state)
{
	struct ref_table t;
	u64 pages;

	(void)state;
	begin(&t, &ref_format_vtd);
	bug(BUG_TABLE_FREED_EARLY);
	map(&t, 0x200000, 0, PAGE, 512, RW);
	pages = ref_table_pages();
	ref_table_unmap(&t, 0x200000, 512 * PAGE);
	assert_int_equal(ref_table_pages(), pages - 1);
	assert_false(ref_table_owes_flush(&t, 0, ~0ULL));
	end(&t);
}

/* Under a leak checker, too: so the test frees what the engine forgot. */
static void leak_on_free(void **state)
{
	struct ref_table t;
	struct ref_walk walk;
	unsigned int i;

	(void)state;
	begin(&t, &ref_format_vtd);
	map(&t, 0x200000, 0, PAGE, 1, RW);
	ref_table_walk(&t, 0x200000, &walk);
	bug(BUG_LEAK_ON_FREE);
	ref_table_destroy(&t);
	assert_int_equal(ref_table_pages(), 3);
	for (i = 1; i < 4; i++)
		ref_table_free(walk.levels[i].entry_addr & ~0xfffULL);
	assert_int_equal(ref_table_pages(), 0);
}

static void *map_second(void *table)
{
	usleep(5000);
	map(table, 0x1000, 0x1000, PAGE, 1, RW);
	return NULL;
}

static void lost_update(void **state)
{
	struct ref_table t;
	pthread_t thread;

	(void)state;
	begin(&t, &ref_format_vtd);
	bug(BUG_LOST_UPDATE);
	assert_int_equal(pthread_create(&thread, NULL, map_second, &t), 0);
	map(&t, 0, 0, PAGE, 1, RW);
	pthread_join(thread, NULL);
	assert_int_equal(is_mapped(&t, 0) + is_mapped(&t, 0x1000), 1);
	/* Alone, all is well. */
	map(&t, 1ULL << 40, 0, PAGE, 1, RW);
	assert_true(is_mapped(&t, 1ULL << 40));
	end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unmap_half),
		cmocka_unit_test(unmap_whole_large),
		cmocka_unit_test(large_no_flush),
		cmocka_unit_test(overwrite),
		cmocka_unit_test(wrong_paddr_and_extra_write),
		cmocka_unit_test(wrap),
		cmocka_unit_test(table_freed_early),
		cmocka_unit_test(leak_on_free),
		cmocka_unit_test(lost_update),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
