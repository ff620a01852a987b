// SPDX-License-Identifier: GPL-2.0-only
/*
 * VT-d second-stage page tables.
 *
 * Intel Virtualization Technology for Directed I/O, architecture specification, revision 4.1: 3.7
 * (second-stage translation: how an address is cut, which pages there are), 9.8 (second-stage
 * paging entries). 3, 4 or 5 levels of 512 entries translate 39, 48 or 57 bits.
 *
 * What hardware reserves depends on its capabilities. Ours has neither execute requests (bit 2 is
 * ignored) nor a narrower host address width than 52 bits; snoop control (bit 11 of leaves) is
 * accepted and never set.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include "table.h"

#define VTD_READ BIT_ULL(0)
#define VTD_WRITE BIT_ULL(1)
#define VTD_PAGE_SIZE BIT_ULL(7) /* levels 2 and 3: a leaf; above reserved, below ignored */
#define VTD_SNOOP BIT_ULL(11) /* leaves; reserved elsewhere */
#define VTD_ADDR GENMASK_ULL(51, 12)
#define VTD_RESERVED BIT_ULL(62)

#define VTD_INDEX_LG2 9
#define VTD_PGSIZES (BIT_ULL(12) | BIT_ULL(21) | BIT_ULL(30))

static unsigned int vtd_entry_lg2(unsigned int level)
{
	return 12 + VTD_INDEX_LG2 * (level - 1);
}

static int vtd_geometry(struct ref_geometry *geo, unsigned int width, u64 pgsizes)
{
	if (!width)
		width = 48;
	if (width != 39 && width != 48 && width != 57)
		return -EINVAL;
	if (!ref_pgsizes_valid(pgsizes, VTD_PGSIZES))
		return -EINVAL;

	*geo = (struct ref_geometry) {
		.windows[0] = {
			.last = GENMASK_ULL(width - 1, 0),
			.levels = (width - 12) / VTD_INDEX_LG2,
			.index_lg2 = VTD_INDEX_LG2,
		},
		.nr_windows = 1,
		.pgsizes = pgsizes ?: VTD_PGSIZES,
		.paddr_mask = VTD_ADDR,
	};
	return 0;
}

static u64 vtd_make_table(u64 paddr, unsigned int level)
{
	return paddr | VTD_READ | VTD_WRITE;
}

static u64 vtd_make_leaf(u64 paddr, unsigned int level, unsigned int size_lg2, u32 prot)
{
	return paddr | (level > 1 ? VTD_PAGE_SIZE : 0) |
	       (prot & REFIOMMU_PROT_READ ? VTD_READ : 0) |
	       (prot & REFIOMMU_PROT_WRITE ? VTD_WRITE : 0);
}

/* 9.8: what must be zero in a present entry. A large page's address has no bits below its size. */
static u64 vtd_reserved(unsigned int level, bool is_leaf)
{
	if (!is_leaf)
		return VTD_RESERVED | VTD_SNOOP | (level > 3 ? VTD_PAGE_SIZE : 0);
	return VTD_RESERVED | (VTD_ADDR & (BIT_ULL(vtd_entry_lg2(level)) - 1));
}

static void vtd_decode(u64 raw, unsigned int level, struct ref_entry *entry)
{
	bool is_leaf = level == 1 || (level <= 3 && (raw & VTD_PAGE_SIZE));

	*entry = (struct ref_entry) { .kind = REF_ENTRY_NONE };
	if (!(raw & (VTD_READ | VTD_WRITE)))
		return;

	if (raw & vtd_reserved(level, is_leaf)) {
		entry->kind = REF_ENTRY_BAD;
		return;
	}

	entry->kind = is_leaf ? REF_ENTRY_LEAF : REF_ENTRY_TABLE;
	entry->next_level = level - 1;
	entry->size_lg2 = vtd_entry_lg2(level);
	entry->prot = (raw & VTD_READ ? REFIOMMU_PROT_READ : 0) |
		      (raw & VTD_WRITE ? REFIOMMU_PROT_WRITE : 0);
	entry->paddr = raw & VTD_ADDR;
}

const struct ref_format ref_format_vtd = {
	.name = "vtd",
	.id = REFIOMMU_FORMAT_VTD,
	.geometry = vtd_geometry,
	.make_table = vtd_make_table,
	.make_leaf = vtd_make_leaf,
	.decode = vtd_decode,
};
