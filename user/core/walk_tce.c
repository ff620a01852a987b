// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * POWER's translation control entries, as refiommu has them (kernel/table_tce.c): 64 bits, big-endian; bit 1 writing,
 * bit 0 reading, with neither not present; bits 2 to 11 reserved; above the address. Only the level tells a table
 * from a leaf. Tables may have more entries than a page holds.
 */
#include "walk_scan.h"

#define TCE_RESERVED 0xffcULL
#define TCE_PADDR 0xfffffffffffff000ULL

WALK_INLINE void tce_decode(uint64_t value, const struct walk_at *at, struct walk_entry *e)
{
	e->kind = WALK_ENTRY_NONE;
	e->prot = value & WALK_PROT_ALL;
	if (!e->prot)
		return;

	e->kind = at->level == 1 ? WALK_ENTRY_LEAF : WALK_ENTRY_TABLE;
	e->next_level = at->level - 1;
	e->size_lg2 = at->entry_lg2;
	e->paddr = value & TCE_PADDR & ~at->ignore;
	if (value & TCE_RESERVED)
		e->kind = WALK_ENTRY_BAD;
}

static void tce_decode_raw(uint64_t raw, const struct walk_at *at, struct walk_entry *e)
{
	tce_decode(walk_value(raw, true), at, e);
}

static int tce_scan(struct walk_out *out, const struct walk_page *p)
{
	return walk_scan(out, p, tce_decode, (struct walk_bits) { TCE_PADDR, 0, true });
}

const struct walk_ops walk_ops_tce = {
	.name = "TCE",
	.decode = tce_decode_raw,
	.scan = tce_scan,
};
