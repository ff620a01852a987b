// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * VT-d second-stage tables: architecture specification, revision 4.1, 3.7 and 9.8.
 *
 * An entry is present if it allows reading or writing; so thinks Linux, too (dma_pte_present(), 6.12). Bit 2
 * (execute) is ignored where there are no execute requests, and Linux never sets it.
 *
 * Reserved for us is what each revision and each machine reserves: bit 62, bit 11 (snoop) where a table is pointed at,
 * bit 7 above level 3, the bits of a large page's address below its size. Address bits above the machine's width are
 * reserved, too, but how wide it is cannot be seen here: they stay address. Bits 52 to 61 and 63 are software's.
 */
#include "walk_scan.h"

#define VTD_READ (1ULL << 0)
#define VTD_WRITE (1ULL << 1)
#define VTD_PAGE_SIZE (1ULL << 7)
#define VTD_ACCESSED (1ULL << 8)
#define VTD_DIRTY (1ULL << 9)
#define VTD_SNOOP (1ULL << 11)
#define VTD_PADDR 0x000ffffffffff000ULL
#define VTD_RESERVED (1ULL << 62)

#define VTD_INDEX_LG2 9
#define VTD_LEAF_LEVEL_MAX 3

_Static_assert(VTD_READ == WALK_READ && VTD_WRITE == WALK_WRITE, "permissions are the same bits");

WALK_INLINE void vtd_decode(uint64_t value, const struct walk_at *at, struct walk_entry *e)
{
	uint64_t below = VTD_PADDR & at->span, reserved;

	e->kind = WALK_ENTRY_NONE;
	e->prot = value & WALK_PROT_ALL;
	if (!e->prot)
		return;

	if (at->level == 1 || (at->level <= VTD_LEAF_LEVEL_MAX && (value & VTD_PAGE_SIZE))) {
		e->kind = WALK_ENTRY_LEAF;
		reserved = VTD_RESERVED | below;
		e->paddr = value & VTD_PADDR & ~at->ignore & ~below;
	} else {
		e->kind = WALK_ENTRY_TABLE;
		reserved = VTD_RESERVED | VTD_SNOOP | VTD_PAGE_SIZE;
		e->paddr = value & VTD_PADDR & ~at->ignore;
	}
	e->size_lg2 = at->entry_lg2;
	e->next_level = at->level - 1;
	if (value & reserved & ~at->ignore)
		e->kind = WALK_ENTRY_BAD;
}

static int vtd_scan(struct walk_out *out, const struct walk_page *p)
{
	return walk_scan(out, p, vtd_decode, (struct walk_bits) {
		VTD_PADDR, VTD_ACCESSED | VTD_DIRTY, false,
	});
}

const struct walk_ops walk_ops_vtd = {
	.name = "VT-d second stage",
	.decode = vtd_decode,
	.scan = vtd_scan,
};

struct walk_table walk_vtd_second(uint64_t root, uint32_t levels)
{
	return (struct walk_table) {
		.format = WALK_VTD_SECOND,
		.nwindows = 1,
		.windows[0] = {
			.last = walk_mask(12 + VTD_INDEX_LG2 * levels),
			.root = root,
			.levels = levels,
			.index_lg2 = VTD_INDEX_LG2,
		},
	};
}
