// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * AMD v1 (host) tables: AMD I/O Virtualization Technology specification, 48882, 2.2.3.
 *
 * Each entry says the level of what it points at: 1 to 6 a table, perhaps with levels left out; 0 a page of its level's
 * default size; 7 a page whose size is in its address: the first zero bit from bit 12 up is half of it. Such a page
 * is larger than the default of its level and smaller than that of the next, and its entry is repeated in all the
 * places that it spans. Level 6 holds no pages.
 *
 * Reserved for us: bits 52 to 58 of a page's entry, 52 to 60 of a table's, levels and sizes that do not fit.
 */
#include "walk_scan.h"

#define AMD_PRESENT (1ULL << 0)
#define AMD_ACCESSED (1ULL << 5)
#define AMD_DIRTY (1ULL << 6)
#define AMD_NEXT_SHIFT 9
#define AMD_PADDR 0x000ffffffffff000ULL
#define AMD_LEAF_RESERVED (0x7fULL << 52)
#define AMD_TABLE_RESERVED (0x1ffULL << 52)
#define AMD_READ_SHIFT 61	/* and writing is the bit above */

#define AMD_NEXT_DEFAULT 0
#define AMD_NEXT_SIZE 7

#define AMD_INDEX_LG2 9
#define AMD_LEVELS_MAX 6

_Static_assert(WALK_READ == 1 && WALK_WRITE == 2, "permissions are in the same order");

WALK_INLINE void amd_decode_sized(uint64_t paddr, const struct walk_at *at, struct walk_entry *e)
{
	uint64_t zeroes = ~paddr & AMD_PADDR;

	e->kind = WALK_ENTRY_BAD;
	if (!zeroes)
		return;
	e->size_lg2 = __builtin_ctzll(zeroes) + 1;
	if (e->size_lg2 <= at->entry_lg2 || e->size_lg2 >= at->entry_lg2 + AMD_INDEX_LG2)
		return;
	e->kind = WALK_ENTRY_LEAF;
	e->paddr = paddr & ~walk_mask(e->size_lg2);
}

WALK_INLINE void amd_decode_leaf(uint64_t value, const struct walk_at *at, struct walk_entry *e)
{
	uint64_t below = AMD_PADDR & at->span;

	e->kind = WALK_ENTRY_LEAF;
	e->size_lg2 = at->entry_lg2;
	e->paddr = value & AMD_PADDR & ~at->ignore & ~below;
	if (at->level >= AMD_LEVELS_MAX || (value & AMD_LEAF_RESERVED & ~at->ignore))
		e->kind = WALK_ENTRY_BAD;
}

WALK_INLINE void amd_decode(uint64_t value, const struct walk_at *at, struct walk_entry *e)
{
	uint32_t next = value >> AMD_NEXT_SHIFT & 7;

	e->kind = WALK_ENTRY_NONE;
	if (!(value & AMD_PRESENT))
		return;

	e->prot = value >> AMD_READ_SHIFT & WALK_PROT_ALL;
	if (next == AMD_NEXT_DEFAULT || next == AMD_NEXT_SIZE) {
		amd_decode_leaf(value, at, e);
		if (next == AMD_NEXT_SIZE && e->kind == WALK_ENTRY_LEAF)
			amd_decode_sized(value & AMD_PADDR & ~at->ignore, at, e);
		return;
	}
	e->kind = WALK_ENTRY_TABLE;
	e->next_level = next;
	e->paddr = value & AMD_PADDR & ~at->ignore;
	if (next >= at->level || (value & AMD_TABLE_RESERVED & ~at->ignore))
		e->kind = WALK_ENTRY_BAD;
}

static int amd_scan(struct walk_out *out, const struct walk_page *p)
{
	return walk_scan(out, p, amd_decode, (struct walk_bits) {
		AMD_PADDR, AMD_ACCESSED | AMD_DIRTY, false,
	});
}

const struct walk_ops walk_ops_amd = {
	.name = "AMD v1",
	.decode = amd_decode,
	.scan = amd_scan,
};

struct walk_table walk_amd_v1(uint64_t root, uint32_t levels)
{
	return (struct walk_table) {
		.format = WALK_AMD_V1,
		.nwindows = 1,
		.windows[0] = {
			.last = walk_mask(12 + AMD_INDEX_LG2 * levels),
			.root = root,
			.levels = levels,
			.index_lg2 = AMD_INDEX_LG2,
		},
	};
}
