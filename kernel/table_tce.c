// SPDX-License-Identifier: GPL-2.0-only
/*
 * POWER translation control entries.
 *
 * Power Architecture Platform Reference, chapter on I/O: a TCE is 64 bits, big-endian, the real
 * page number in front (bits 63:12 of the value for 4 KiB pages), the permissions at the end (1
 * write, 0 read); with neither it is invalid. The same as in arch/powerpc/include/asm/tce.h.
 *
 * Two windows, as of a PowerNV partitionable endpoint: 1 GiB at 0 for devices with 32 bits, and
 * 2^45 bytes at 2^59. The first is what TCE tables always were: one level, an array of 2^18
 * entries, contiguous (2 MiB). For the second this array would take 64 GiB; so it has indirect
 * levels, as PowerNV makes them (arch/powerpc/platforms/powernv/pci-ioda-tce.c): three of 2^11
 * entries (16 KiB). There an indirect entry is the address of a table with both permissions; only
 * the level tells it from a leaf.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <asm/byteorder.h>
#include "table.h"

#define TCE_READ BIT_ULL(0)
#define TCE_WRITE BIT_ULL(1)
#define TCE_RESERVED GENMASK_ULL(11, 2)
#define TCE_ADDR GENMASK_ULL(63, 12)

#define TCE_PGSIZES BIT_ULL(12)

static u64 tce_to_raw(u64 value)
{
	return (__force u64)cpu_to_be64(value);
}

static u64 tce_of_raw(u64 raw)
{
	return be64_to_cpu((__force __be64)raw);
}

static int tce_geometry(struct ref_geometry *geo, unsigned int width, u64 pgsizes)
{
	if (width || !ref_pgsizes_valid(pgsizes, TCE_PGSIZES))
		return -EINVAL;

	*geo = (struct ref_geometry) {
		.windows[0] = {
			.first = 0,
			.last = BIT_ULL(30) - 1,
			.levels = 1,
			.index_lg2 = 18,
		},
		.windows[1] = {
			.first = BIT_ULL(59),
			.last = BIT_ULL(59) + BIT_ULL(45) - 1,
			.levels = 3,
			.index_lg2 = 11,
		},
		.nr_windows = 2,
		.pgsizes = TCE_PGSIZES,
		.paddr_mask = TCE_ADDR,
	};
	return 0;
}

static u64 tce_make_table(u64 paddr, unsigned int level)
{
	return tce_to_raw(paddr | TCE_READ | TCE_WRITE);
}

static u64 tce_make_leaf(u64 paddr, unsigned int level, unsigned int size_lg2, u32 prot)
{
	return tce_to_raw(paddr | (prot & REFIOMMU_PROT_READ ? TCE_READ : 0) |
			  (prot & REFIOMMU_PROT_WRITE ? TCE_WRITE : 0));
}

static void tce_decode(u64 raw, unsigned int level, struct ref_entry *entry)
{
	u64 value = tce_of_raw(raw);

	*entry = (struct ref_entry) { .kind = REF_ENTRY_NONE };
	if (!(value & (TCE_READ | TCE_WRITE)))
		return;

	if (value & TCE_RESERVED) {
		entry->kind = REF_ENTRY_BAD;
		return;
	}

	entry->kind = level == 1 ? REF_ENTRY_LEAF : REF_ENTRY_TABLE;
	entry->next_level = level - 1;
	entry->size_lg2 = 12;
	entry->prot = (value & TCE_READ ? REFIOMMU_PROT_READ : 0) |
		      (value & TCE_WRITE ? REFIOMMU_PROT_WRITE : 0);
	entry->paddr = value & TCE_ADDR;
}

const struct ref_format ref_format_tce = {
	.name = "tce",
	.id = REFIOMMU_FORMAT_TCE,
	.geometry = tce_geometry,
	.make_table = tce_make_table,
	.make_leaf = tce_make_leaf,
	.decode = tce_decode,
};
