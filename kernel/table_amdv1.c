// SPDX-License-Identifier: GPL-2.0-only
/*
 * AMD v1 (host) page tables.
 *
 * AMD I/O Virtualization Technology (IOMMU) specification, 48882, 2.2.3 (I/O page tables for host
 * translations). Up to 6 levels of 512 entries, the sixth with 128: 64 bits. Each entry says the
 * level of what it points at: 1 … 6 a table, which may skip levels; 0 a page of its level's
 * default size; 7 a page whose size is in the address: the first zero bit from bit 12 up is half
 * of it. Such a page is larger than the default of its level and smaller than that of the next,
 * and its entry is repeated in all the places that it spans.
 *
 * Level 6 holds no pages. Pages of 512 GiB are in the specification; real hardware has an erratum
 * there, ours has not.
 */
#include <linux/bits.h>
#include <linux/bitfield.h>
#include <linux/bitops.h>
#include <linux/errno.h>
#include "table.h"

#define AMD_PRESENT BIT_ULL(0)
#define AMD_NEXT_LEVEL GENMASK_ULL(11, 9)
#define AMD_ADDR GENMASK_ULL(51, 12)
#define AMD_LEAF_RESERVED GENMASK_ULL(58, 52) /* above: 59 U, 60 FC, which say nothing here */
#define AMD_TABLE_RESERVED GENMASK_ULL(60, 52)
#define AMD_READ BIT_ULL(61)
#define AMD_WRITE BIT_ULL(62)

#define AMD_NEXT_DEFAULT 0
#define AMD_NEXT_SIZE 7

#define AMD_INDEX_LG2 9
#define AMD_MAX_LEVELS 6
#define AMD_MAX_SIZE_LG2 51

static unsigned int amd_entry_lg2(unsigned int level)
{
	return 12 + AMD_INDEX_LG2 * (level - 1);
}

static int amd_geometry(struct ref_geometry *geo, unsigned int width, u64 pgsizes)
{
	unsigned int levels;
	u64 possible;

	if (!width)
		width = 64;
	if (width != 64 && (width < amd_entry_lg2(2) || width > amd_entry_lg2(AMD_MAX_LEVELS) ||
			    (width - 12) % AMD_INDEX_LG2))
		return -EINVAL;

	levels = DIV_ROUND_UP(width - 12, AMD_INDEX_LG2);
	possible = GENMASK_ULL(min(width - 1, AMD_MAX_SIZE_LG2), 12);
	if (!ref_pgsizes_valid(pgsizes, possible))
		return -EINVAL;

	*geo = (struct ref_geometry) {
		.windows[0] = {
			.last = GENMASK_ULL(width - 1, 0),
			.levels = levels,
			.index_lg2 = AMD_INDEX_LG2,
		},
		.nr_windows = 1,
		.pgsizes = pgsizes ?: possible,
		.paddr_mask = AMD_ADDR,
	};
	return 0;
}

static u64 amd_make_table(u64 paddr, unsigned int level)
{
	return AMD_PRESENT | AMD_READ | AMD_WRITE | FIELD_PREP(AMD_NEXT_LEVEL, level - 1) | paddr;
}

static u64 amd_make_leaf(u64 paddr, unsigned int level, unsigned int size_lg2, u32 prot)
{
	u64 raw = AMD_PRESENT | paddr | (prot & REFIOMMU_PROT_READ ? AMD_READ : 0) |
		  (prot & REFIOMMU_PROT_WRITE ? AMD_WRITE : 0);

	if (size_lg2 == amd_entry_lg2(level))
		return raw | FIELD_PREP(AMD_NEXT_LEVEL, AMD_NEXT_DEFAULT);
	/* Ones from bit 12 up to, but not including, half the size. */
	return raw | FIELD_PREP(AMD_NEXT_LEVEL, AMD_NEXT_SIZE) |
	       (AMD_ADDR & (BIT_ULL(size_lg2 - 1) - 1));
}

/* 0 if an entry of @level cannot be a leaf of the size it says. */
static unsigned int amd_leaf_lg2(u64 raw, unsigned int level)
{
	u64 zeroes = ~raw & AMD_ADDR;
	unsigned int lg2;

	if (level >= AMD_MAX_LEVELS)
		return 0;
	if (FIELD_GET(AMD_NEXT_LEVEL, raw) == AMD_NEXT_DEFAULT)
		return amd_entry_lg2(level);
	if (!zeroes)
		return 0;

	lg2 = __ffs64(zeroes) + 1;
	return lg2 > amd_entry_lg2(level) && lg2 < amd_entry_lg2(level + 1) ? lg2 : 0;
}

static void amd_decode_leaf(u64 raw, unsigned int level, struct ref_entry *entry)
{
	unsigned int lg2 = amd_leaf_lg2(raw, level);

	if (!lg2 || (raw & AMD_LEAF_RESERVED))
		return;

	entry->kind = REF_ENTRY_LEAF;
	entry->size_lg2 = lg2;
	entry->paddr = raw & AMD_ADDR & ~(BIT_ULL(lg2) - 1);
}

static void amd_decode(u64 raw, unsigned int level, struct ref_entry *entry)
{
	unsigned int next = FIELD_GET(AMD_NEXT_LEVEL, raw);

	*entry = (struct ref_entry) { .kind = REF_ENTRY_NONE };
	if (!(raw & AMD_PRESENT))
		return;

	entry->kind = REF_ENTRY_BAD;
	entry->prot = (raw & AMD_READ ? REFIOMMU_PROT_READ : 0) |
		      (raw & AMD_WRITE ? REFIOMMU_PROT_WRITE : 0);
	if (next == AMD_NEXT_DEFAULT || next == AMD_NEXT_SIZE) {
		amd_decode_leaf(raw, level, entry);
	} else if (next < level && !(raw & AMD_TABLE_RESERVED)) {
		entry->kind = REF_ENTRY_TABLE;
		entry->next_level = next;
		entry->paddr = raw & AMD_ADDR;
	}
}

const struct ref_format ref_format_amdv1 = {
	.name = "amdv1",
	.id = REFIOMMU_FORMAT_AMDV1,
	.geometry = amd_geometry,
	.make_table = amd_make_table,
	.make_leaf = amd_make_leaf,
	.decode = amd_decode,
};
