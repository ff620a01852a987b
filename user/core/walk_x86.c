// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The CPU's tables of 4 and 5 levels: VT-d's first stage (architecture specification, revision 4.1, 9.7) and AMD-Vi's
 * v2 (48882, 2.2.6).
 *
 * Permissions are those of ordinary requests, which are a user's: an entry without U/S allows none.
 * Reserved for us is what is so on each machine: bit 7 above level 3, the bits of a large page's address below its size
 * but for bit 12 (PAT). Bits 52 to 62 are ignored or protection keys, 63 is execute-disable.
 *
 * A process's table (SVA) may really lead to one table by two ways: its upper half (the kernel's own aliases), and
 * large pages of one file mapped twice. Those are WALK_BAD_LOOP here and no fault.
 */
#include "walk_scan.h"

#define X86_PRESENT (1ULL << 0)
#define X86_WRITE (1ULL << 1)
#define X86_USER (1ULL << 2)
#define X86_ACCESSED (1ULL << 5)
#define X86_DIRTY (1ULL << 6)
#define X86_PAGE_SIZE (1ULL << 7)
#define X86_PAT_LARGE (1ULL << 12)
#define X86_PADDR 0x000ffffffffff000ULL

#define X86_INDEX_LG2 9
#define X86_LEAF_LEVEL_MAX 3

WALK_INLINE uint32_t x86_prot(uint64_t value)
{
	if (!(value & X86_USER))
		return 0;
	return value & X86_WRITE ? WALK_PROT_ALL : WALK_READ;
}

WALK_INLINE void x86_decode(uint64_t value, const struct walk_at *at, struct walk_entry *e)
{
	uint64_t below = X86_PADDR & at->span, reserved;

	e->kind = WALK_ENTRY_NONE;
	if (!(value & X86_PRESENT))
		return;

	if (at->level == 1 || (at->level <= X86_LEAF_LEVEL_MAX && (value & X86_PAGE_SIZE))) {
		e->kind = WALK_ENTRY_LEAF;
		reserved = below & ~X86_PAT_LARGE;
		e->paddr = value & X86_PADDR & ~at->ignore & ~below;
	} else {
		e->kind = WALK_ENTRY_TABLE;
		reserved = X86_PAGE_SIZE;
		e->paddr = value & X86_PADDR & ~at->ignore;
	}
	e->prot = x86_prot(value);
	e->size_lg2 = at->entry_lg2;
	e->next_level = at->level - 1;
	if (value & reserved & ~at->ignore)
		e->kind = WALK_ENTRY_BAD;
}

static int x86_scan(struct walk_out *out, const struct walk_page *p)
{
	return walk_scan(out, p, x86_decode, (struct walk_bits) {
		X86_PADDR, X86_ACCESSED | X86_DIRTY, false,
	});
}

const struct walk_ops walk_ops_x86 = {
	.name = "x86 first stage",
	.decode = x86_decode,
	.scan = x86_scan,
};

struct walk_table walk_x86(uint64_t root, uint32_t levels)
{
	const uint64_t half = walk_mask(12 + X86_INDEX_LG2 * levels - 1);
	const struct walk_window low = {
		.last = half,
		.root = root,
		.levels = levels,
		.index_lg2 = X86_INDEX_LG2,
	};
	struct walk_table t = { .format = WALK_X86, .nwindows = 2, .windows = { low, low } };

	t.windows[1].first = ~half;
	t.windows[1].last = UINT64_MAX;
	return t;
}
