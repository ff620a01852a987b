// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The page tables of refiommu.ko in a process: parameters, bits as in the specifications, hostile
 * tables, memory, threads. test_table_random.c compares them with a model, test_table_bugs.c
 * plants bugs.
 */
#include "table_test.h"

/* ---- parameters ---- */

static void what_a_format_cannot_be(void **state)
{
	struct ref_geometry geo;
	unsigned int width;

	(void)state;
	assert_null(ref_format_find(0));
	assert_null(ref_format_find(~0U));
	assert_ptr_equal(ref_format_find(REFIOMMU_FORMAT_TCE), &ref_format_tce);
	for (width = 1; width < 130; width++) {
		bool amd = width == 64 || (width >= 21 && width <= 57 && (width - 12) % 9 == 0);
		bool vtd = width == 39 || width == 48 || width == 57;

		assert_int_equal(ref_format_vtd.geometry(&geo, width, 0), vtd ? 0 : -EINVAL);
		assert_int_equal(ref_format_amdv1.geometry(&geo, width, 0), amd ? 0 : -EINVAL);
		assert_int_equal(ref_format_tce.geometry(&geo, width, 0), -EINVAL);
	}
	assert_int_equal(ref_format_vtd.geometry(&geo, 0, 0x200000), -EINVAL);
	assert_int_equal(ref_format_vtd.geometry(&geo, 0, 0x3000), -EINVAL);
	assert_int_equal(ref_format_amdv1.geometry(&geo, 21, 0x201000), -EINVAL);
	assert_int_equal(ref_format_amdv1.geometry(&geo, 0, 0x1001), -EINVAL);
	assert_int_equal(ref_format_tce.geometry(&geo, 0, 0x201000), -EINVAL);
}

static void what_a_map_cannot_be(void **state)
{
	struct ref_table t;
	size_t mapped = 0;

	(void)state;
	assert_int_equal(ref_table_init(&t, &ref_format_vtd, 48, 0), 0);
	assert_int_equal(ref_table_map(&t, 0x1800, 0, PAGE, 1, RW, 0, &mapped), -EINVAL);
	assert_int_equal(ref_table_map(&t, 0, 0x800, PAGE, 1, RW, 0, &mapped), -EINVAL);
	assert_int_equal(ref_table_map(&t, 0, 0, 2 * PAGE, 1, RW, 0, &mapped), -EINVAL);
	assert_int_equal(ref_table_map(&t, 0, 0, 0, 1, RW, 0, &mapped), -EINVAL);
	assert_int_equal(ref_table_map(&t, 0, 0, PAGE, 0, RW, 0, &mapped), -EINVAL);
	assert_int_equal(ref_table_map(&t, 0, 0, PAGE, 1, 0, 0, &mapped), -EINVAL);
	assert_int_equal(ref_table_map(&t, 0, 0, PAGE, 1, 4 | RW, 0, &mapped), -EINVAL);
	assert_int_equal(ref_table_map(&t, 0, 0, PAGE, ~0UL, RW, 0, &mapped), -ERANGE);
	assert_int_equal(ref_table_map(&t, TOP, 0, PAGE, 1, RW, 0, &mapped), -ERANGE);
	assert_int_equal(ref_table_map(&t, (1ULL << 48) - PAGE, 0, PAGE, 2, RW, 0, &mapped),
			 -ERANGE);
	assert_int_equal(ref_table_map(&t, 0, 1ULL << 52, PAGE, 1, RW, 0, &mapped), -ERANGE);
	assert_int_equal(ref_table_map(&t, 0, TOP, PAGE, 2, RW, 0, &mapped), -ERANGE);
	assert_int_equal(mapped, 0);
	ref_table_destroy(&t);
}

/* ---- bits as in the specifications ---- */

static void expect_leaf(const struct ref_format *format, u64 iova, u64 paddr, u64 size, u32 prot,
			u64 raw)
{
	struct ref_table t;
	struct ref_walk walk;

	assert_int_equal(ref_table_init(&t, format, 0, 0), 0);
	assert_int_equal(map(&t, iova, paddr, size, 1, prot), size);
	ref_table_walk(&t, iova + size - 1, &walk);
	assert_int_equal(walk.levels[walk.nr_levels - 1].entry, raw);
	assert_int_equal(walk.fault, 0);
	assert_int_equal(walk.paddr, paddr + size - 1);
	ref_table_destroy(&t);
}

static void leaves_have_the_bits_of_the_specification(void **state)
{
	(void)state;
	expect_leaf(&ref_format_vtd, 0x1000, 0x12345000, PAGE, RW, 0x12345003);
	expect_leaf(&ref_format_vtd, 0x1000, 0x12345000, PAGE, REFIOMMU_PROT_READ, 0x12345001);
	expect_leaf(&ref_format_vtd, 0x200000, 0x600000, 0x200000, RW, 0x600083);
	expect_leaf(&ref_format_vtd, 0, 0x40000000, 0x40000000, REFIOMMU_PROT_WRITE, 0x40000082);

	expect_leaf(&ref_format_amdv1, TOP, 0x12345000, PAGE, RW, 0x6000000012345001);
	expect_leaf(&ref_format_amdv1, 0, 0x12345000, PAGE, REFIOMMU_PROT_READ, 0x2000000012345001);
	expect_leaf(&ref_format_amdv1, 0, 0x600000, 0x200000, RW, 0x6000000000600001);
	/* 8 KiB: bit 12 is zero; 64 KiB: bits 14:12 are ones; 4 MiB: bits 20:12. */
	expect_leaf(&ref_format_amdv1, 0x2000, 0x4000, 0x2000, RW, 0x6000000000004e01);
	expect_leaf(&ref_format_amdv1, 0x10000, 0x20000, 0x10000, RW, 0x6000000000027e01);
	expect_leaf(&ref_format_amdv1, 0, 0x800000, 0x400000, RW, 0x60000000009ffe01);

	/* As bytes: 00 00 00 00 12 34 50 03. */
	expect_leaf(&ref_format_tce, 0x1000, 0x12345000, PAGE, RW, 0x0350341200000000);
	expect_leaf(&ref_format_tce, (1ULL << 59) + (1ULL << 45) - PAGE, 0x12345000, PAGE,
		    REFIOMMU_PROT_WRITE, 0x0250341200000000);
}

static void tables_have_the_bits_of_the_specification(void **state)
{
	(void)state;
	assert_int_equal(ref_format_vtd.make_table(0x5000, 3), 0x5003);
	assert_int_equal(ref_format_amdv1.make_table(0x5000, 6), 0x6000000000005a01);
	assert_int_equal(ref_format_amdv1.make_table(0x5000, 2), 0x6000000000005201);
	assert_int_equal(ref_format_tce.make_table(0x5000, 3), 0x0350000000000000);
}

static void tables_have_the_size_of_the_window(void **state)
{
	struct ref_table t;

	(void)state;
	assert_int_equal(ref_table_init(&t, &ref_format_tce, 0, 0), 0);
	assert_int_equal(ref_table_pages(), 512 + 4);
	map(&t, 1ULL << 59, 0, PAGE, 1, RW);
	assert_int_equal(ref_table_pages(), 512 + 4 + 8);
	ref_table_destroy(&t);
	assert_int_equal(ref_table_init(&t, &ref_format_amdv1, 64, 0), 0);
	assert_int_equal(ref_table_pages(), 1);
	map(&t, TOP, 0, PAGE, 1, RW);
	assert_int_equal(ref_table_pages(), 6);
	ref_table_destroy(&t);
	assert_int_equal(ref_table_pages(), 0);
}

struct reading {
	const struct ref_format *format;
	unsigned int level;
	u64 raw;
	enum ref_entry_kind kind;
	unsigned int size_lg2_or_next;
};

static const struct reading readings[] = {
	{ &ref_format_vtd, 1, 0x5004, REF_ENTRY_NONE, 0 }, /* execute only */
	{ &ref_format_vtd, 1, 0x5083, REF_ENTRY_LEAF, 12 }, /* bit 7 is ignored */
	{ &ref_format_vtd, 1, 0x5803, REF_ENTRY_LEAF, 12 }, /* snoop */
	{ &ref_format_vtd, 1, 1ULL << 62 | 0x5003, REF_ENTRY_BAD, 0 },
	{ &ref_format_vtd, 2, 0x5003, REF_ENTRY_TABLE, 1 },
	{ &ref_format_vtd, 2, 0x5803, REF_ENTRY_BAD, 0 }, /* snoop */
	{ &ref_format_vtd, 2, 0x200083, REF_ENTRY_LEAF, 21 },
	{ &ref_format_vtd, 2, 0x201083, REF_ENTRY_BAD, 0 }, /* unaligned */
	{ &ref_format_vtd, 3, 0x40000083, REF_ENTRY_LEAF, 30 },
	{ &ref_format_vtd, 3, 0x40200083, REF_ENTRY_BAD, 0 },
	{ &ref_format_vtd, 4, 0x5083, REF_ENTRY_BAD, 0 }, /* no pages of 512 GiB */
	{ &ref_format_vtd, 5, 0x5083, REF_ENTRY_BAD, 0 },
	{ &ref_format_amdv1, 1, 0x5000, REF_ENTRY_NONE, 0 },
	{ &ref_format_amdv1, 1, 0x5001, REF_ENTRY_LEAF, 12 },
	{ &ref_format_amdv1, 1, 0x5201, REF_ENTRY_BAD, 0 }, /* its own level */
	{ &ref_format_amdv1, 1, 0x0e01, REF_ENTRY_LEAF, 13 },
	{ &ref_format_amdv1, 1, 0x7fe01, REF_ENTRY_LEAF, 20 },
	{ &ref_format_amdv1, 1, 0xffe01, REF_ENTRY_BAD, 0 }, /* 2 MiB are level 2's */
	{ &ref_format_amdv1, 2, 0xffe01, REF_ENTRY_BAD, 0 }, /* and its default */
	{ &ref_format_amdv1, 2, 0x1ffe01, REF_ENTRY_LEAF, 22 },
	{ &ref_format_amdv1, 5, 0xffffffffffe01, REF_ENTRY_BAD, 0 }, /* no zero */
	{ &ref_format_amdv1, 5, 0x7fffffffffe01, REF_ENTRY_LEAF, 52 },
	{ &ref_format_amdv1, 6, 0x1, REF_ENTRY_BAD, 0 }, /* no pages */
	{ &ref_format_amdv1, 6, 0x201, REF_ENTRY_TABLE, 1 },
	{ &ref_format_amdv1, 6, 0xc01, REF_ENTRY_BAD, 0 }, /* 6 below 6 */
	{ &ref_format_amdv1, 6, 1ULL << 52 | 0x201, REF_ENTRY_BAD, 0 },
	{ &ref_format_amdv1, 1, 1ULL << 60 | 0x5001, REF_ENTRY_LEAF, 12 }, /* FC */
	{ &ref_format_amdv1, 1, 1ULL << 58 | 0x5001, REF_ENTRY_BAD, 0 },
	{ &ref_format_tce, 1, 0x0150000000000000, REF_ENTRY_LEAF, 12 },
	{ &ref_format_tce, 1, 0x0050000000000000, REF_ENTRY_NONE, 0 },
	{ &ref_format_tce, 1, 0x0550000000000000, REF_ENTRY_BAD, 0 },
	{ &ref_format_tce, 3, 0x0350000000000000, REF_ENTRY_TABLE, 2 },
};

static void entries_read_as_the_specification_says(void **state)
{
	struct ref_entry entry;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(readings); i++) {
		const struct reading *r = &readings[i];

		r->format->decode(r->raw, r->level, &entry);
		if (entry.kind != r->kind ||
		    (r->kind == REF_ENTRY_LEAF && entry.size_lg2 != r->size_lg2_or_next) ||
		    (r->kind == REF_ENTRY_TABLE && entry.next_level != r->size_lg2_or_next))
			fail_msg("%s level %u raw %#llx: kind %d", r->format->name, r->level,
				 r->raw, entry.kind);
	}
}

/* ---- tables of guests ---- */

struct guest {
	u64 addr[4], raw[4];
};

static int guest_read(void *ctx, u64 addr, u64 *raw)
{
	struct guest *guest = ctx;
	int i;

	for (i = 0; i < 4; i++)
		if (guest->raw[i] && guest->addr[i] == addr) {
			*raw = guest->raw[i];
			return 0;
		}
	return REFIOMMU_FAULT_STAGE2;
}

static void walk_guest(unsigned int width, struct guest *guest, u64 iova, struct ref_walk *walk)
{
	struct ref_layout layout = { .format = &ref_format_amdv1, .roots = { 0x10000 } };

	assert_int_equal(layout.format->geometry(&layout.geo, width, 0), 0);
	ref_walk(&layout, iova, guest_read, guest, walk);
}

static void levels_may_be_skipped(void **state)
{
	/* Level 3, read-write, to level 1, read only. */
	struct guest guest = {
		.addr = { 0x10000 + 8, 0x20000 + 5 * 8 },
		.raw = { 0x6000000000020201, 0x6000000000777001 & ~(1ULL << 62) },
	};
	struct ref_walk walk;

	(void)state;
	walk_guest(39, &guest, 0x40005123, &walk);
	assert_int_equal(walk.fault, 0);
	assert_int_equal(walk.nr_levels, 2);
	assert_int_equal(walk.levels[1].level, 1);
	assert_int_equal(walk.levels[1].entry_addr, 0x20028);
	assert_int_equal(walk.paddr, 0x777123);
	assert_int_equal(walk.prot, REFIOMMU_PROT_READ);
	/* The bits of level 2 are not zero. */
	walk_guest(39, &guest, 0x40205123, &walk);
	assert_int_equal(walk.fault, REFIOMMU_FAULT_NOT_PRESENT);
	assert_int_equal(walk.nr_levels, 1);
	walk_guest(39, &guest, 1ULL << 39, &walk);
	assert_int_equal(walk.fault, REFIOMMU_FAULT_WIDTH);
	/* What cannot be read ends the walk with its reason. */
	walk_guest(39, &guest, 0x40006000, &walk);
	assert_int_equal(walk.fault, REFIOMMU_FAULT_STAGE2);
	assert_int_equal(walk.nr_levels, 1);
}

static void permissions_are_what_all_levels_allow(void **state)
{
	struct guest guest = {
		.addr = { 0x10000, 0x20000 },
		.raw = { 0x2000000000020201, 0x6000000000777001 },
	};
	struct ref_walk walk;

	(void)state;
	walk_guest(30, &guest, 0, &walk);
	assert_int_equal(walk.fault, 0);
	assert_int_equal(walk.prot, REFIOMMU_PROT_READ);
	guest.raw[0] = 0x6000000000020401; /* itself */
	walk_guest(30, &guest, 0, &walk);
	assert_int_equal(walk.fault, REFIOMMU_FAULT_RESERVED_BITS);
}

static int random_read(void *ctx, u64 addr, u64 *raw)
{
	u64 mostly = below(8) ? 0 : ~0ULL;

	(void)ctx;
	(void)addr;
	if (!below(100))
		return REFIOMMU_FAULT_STAGE2;
	*raw = (random64() & (GENMASK_ULL(62, 61) | GENMASK_ULL(51, 12) | mostly)) |
	       (random64() & (below(2) ? 0xe03 : 0xfff)) | 1;
	if (below(2))
		*raw = htobe64(*raw);
	return 0;
}

static void hostile_tables_end(void **state)
{
	static const unsigned int widths[] = { 0, 21, 30, 39, 48, 57 };
	struct ref_walk walk;
	int i;

	(void)state;
	for (i = 0; i < 300000; i++) {
		struct ref_layout layout = { .roots = { random64(), random64() } };

		layout.format = ref_format_find(1 + below(3));
		if (layout.format->geometry(&layout.geo, widths[below(6)], 0))
			continue;
		ref_walk(&layout, random64() >> below(64), random_read, NULL, &walk);
		assert_true(walk.nr_levels <= REFIOMMU_MAX_LEVELS);
		assert_true(walk.fault || walk.nr_levels);
	}
}

/* ---- memory ---- */

static void a_table_goes_with_the_flush_of_its_range(void **state)
{
	struct ref_table t;
	u64 pages;

	(void)state;
	assert_int_equal(ref_table_init(&t, &ref_format_vtd, 39, 0), 0);
	map(&t, 0x3ff000, 0, PAGE, 514, RW); /* the second is full, the others have one each */
	pages = ref_table_pages();
	assert_int_equal(pages, 5);
	assert_int_equal(ref_table_unmap(&t, 0x3ff000, 514 * PAGE), 514 * PAGE);
	assert_int_equal(ref_table_pages(), pages);
	assert_true(ref_table_owes_flush(&t, 0x3ff000, 0x600fff));
	flushed(&t, 0x3ff000, 0x5fefff);
	flushed(&t, 0x401000, ~0ULL);
	assert_int_equal(ref_table_pages(), pages);
	flushed(&t, 0x400000, 0x5fffff);
	assert_int_equal(ref_table_pages(), pages - 1);
	assert_false(ref_table_owes_flush(&t, 0, ~0ULL));
	ref_table_destroy(&t);
	assert_int_equal(ref_table_pages(), 0);
}

static void a_large_page_takes_the_place_of_empty_tables_only(void **state)
{
	struct ref_table t;
	size_t mapped = 0;

	(void)state;
	assert_int_equal(ref_table_init(&t, &ref_format_vtd, 39, 0), 0);
	map(&t, 0x400000, 0, PAGE, 1, RW);
	assert_int_equal(ref_table_map(&t, 0, 0, 1 << 30, 1, RW, 0, &mapped), -EEXIST);
	ref_table_unmap(&t, 0x400000, PAGE);
	assert_false(ref_table_owes_flush(&t, 0, ~0ULL));
	map(&t, 0, 0, 1 << 30, 1, RW);
	assert_true(ref_table_owes_flush(&t, 0, (1 << 30) - 1));
	assert_int_equal(ref_table_pages(), 3);
	flushed(&t, 0, (1 << 30) - 1);
	assert_int_equal(ref_table_pages(), 1);
	ref_table_destroy(&t);
	assert_int_equal(ref_table_pages(), 0);
}

static void without_memory_nothing_is_lost(void **state)
{
	struct ref_table t;
	size_t mapped;
	int n, err;

	(void)state;
	for (n = 0; n < 2; n++) {
		shim_allocations = n;
		assert_int_equal(ref_table_init(&t, &ref_format_tce, 0, 0), -ENOMEM);
		assert_int_equal(ref_table_pages(), 0);
	}
	for (n = 1, err = -ENOMEM; err; n++) {
		shim_allocations = n;
		mapped = 0;
		assert_int_equal(ref_table_init(&t, &ref_format_amdv1, 0, 0), 0);
		err = ref_table_map(&t, 0x1fe000, 0, PAGE, 4, RW, 0, &mapped);
		assert_int_equal(mapped, err ? (n == 6 ? 2 * PAGE : 0) : 4 * PAGE);
		assert_int_equal(ref_table_unmap(&t, 0x1fe000, 4 * PAGE), mapped);
		ref_table_destroy(&t);
		assert_int_equal(ref_table_pages(), 0);
	}
	shim_allocations = -1;
	assert_int_equal(n, 8);
}

/* Must not read 2^33 entries: a test that takes for ever fails. */
static void empty_windows_are_cheap(void **state)
{
	struct ref_table t;
	struct ref_walk walk;
	u64 iova;
	int i;

	(void)state;
	assert_int_equal(ref_table_init(&t, &ref_format_tce, 0, 0), 0);
	map(&t, (1ULL << 59) + (1ULL << 45) - PAGE, 0x7000, PAGE, 1, RW);
	for (i = 0; i < 100; i++) {
		assert_true(ref_table_next(&t, 0, ~0ULL, &iova, &walk));
		assert_int_equal(iova, (1ULL << 59) + (1ULL << 45) - PAGE);
		assert_int_equal(walk.paddr, 0x7000);
		assert_false(ref_table_next(&t, 0, iova - 1, &iova, &walk));
	}
	ref_table_destroy(&t);
}

/* Memory errors happen: an entry that nobody wrote. */
static void a_bad_entry_is_passed_by(void **state)
{
	struct ref_table t;
	struct ref_walk walk;
	size_t mapped = 0;
	u64 iova;

	(void)state;
	assert_int_equal(ref_table_init(&t, &ref_format_vtd, 0, 0), 0);
	map(&t, 0x1000, 0x1000, PAGE, 3, RW);
	ref_table_walk(&t, 0x2000, &walk);
	*(u64 *)phys_to_virt(walk.levels[3].entry_addr) |= 1ULL << 62;
	ref_table_walk(&t, 0x2000, &walk);
	assert_int_equal(walk.fault, REFIOMMU_FAULT_RESERVED_BITS);
	assert_int_equal(walk.nr_levels, 4);
	assert_true(ref_table_next(&t, 0x2000, ~0ULL, &iova, &walk));
	assert_int_equal(iova, 0x3000);
	assert_int_equal(ref_table_map(&t, 0x2000, 0, PAGE, 1, RW, 0, &mapped), -EEXIST);
	assert_int_equal(ref_table_unmap(&t, 0x1000, 3 * PAGE), PAGE);
	ref_table_destroy(&t);
	assert_int_equal(ref_table_pages(), 0);
}

#define NR_THREADS 4

struct cpu {
	struct ref_table *table;
	u64 first;
};

/* Each its own pages, all in the same tables, which come and go. */
static void *map_and_unmap(void *arg)
{
	struct cpu *cpu = arg;
	LIST_HEAD(pages);
	struct ref_walk walk;
	int i, round;

	for (round = 0; round < 50; round++) {
		for (i = 0; i < 64; i++)
			map(cpu->table, cpu->first + ((u64)i << 19), 0, PAGE, 1, RW);
		for (i = 0; i < 64; i++) {
			u64 iova = cpu->first + ((u64)i << 19);

			ref_table_walk(cpu->table, iova, &walk);
			assert_int_equal(walk.fault, 0);
			assert_int_equal(ref_table_unmap(cpu->table, iova, PAGE), PAGE);
		}
		if (!cpu->first) {
			map(cpu->table, 1ULL << 30, 0, PAGE, 1024, RW);
			ref_table_unmap(cpu->table, 1ULL << 30, 1024 * PAGE);
		}
		ref_table_take_retired(cpu->table, 0, ~0ULL, &pages);
		ref_table_free_retired(cpu->table, &pages);
	}
	return NULL;
}

static void cpus_lose_nothing(void **state)
{
	struct cpu cpus[NR_THREADS];
	pthread_t threads[NR_THREADS];
	struct ref_table t;
	int i;

	(void)state;
	assert_int_equal(ref_table_init(&t, &ref_format_amdv1, 48, 0), 0);
	for (i = 0; i < NR_THREADS; i++) {
		cpus[i] = (struct cpu) { &t, i * PAGE };
		assert_int_equal(pthread_create(&threads[i], NULL, map_and_unmap, &cpus[i]), 0);
	}
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	ref_table_destroy(&t);
	assert_int_equal(ref_table_pages(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_format_cannot_be),
		cmocka_unit_test(what_a_map_cannot_be),
		cmocka_unit_test(leaves_have_the_bits_of_the_specification),
		cmocka_unit_test(tables_have_the_bits_of_the_specification),
		cmocka_unit_test(tables_have_the_size_of_the_window),
		cmocka_unit_test(entries_read_as_the_specification_says),
		cmocka_unit_test(levels_may_be_skipped),
		cmocka_unit_test(permissions_are_what_all_levels_allow),
		cmocka_unit_test(hostile_tables_end),
		cmocka_unit_test(a_table_goes_with_the_flush_of_its_range),
		cmocka_unit_test(a_large_page_takes_the_place_of_empty_tables_only),
		cmocka_unit_test(without_memory_nothing_is_lost),
		cmocka_unit_test(empty_windows_are_cheap),
		cmocka_unit_test(a_bad_entry_is_passed_by),
		cmocka_unit_test(cpus_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
