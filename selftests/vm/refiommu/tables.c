// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * See tables.h. Nothing here may be taken from kernel/: two readings are worth more than one.
 */
#include <byteswap.h>
#include <string.h>
#include "tables.h"

#define BIT(n) (1ULL << (n))
#define ADDRESS (BIT(52) - BIT(12))

static void decode_vtd(uint64_t raw, unsigned int level, struct tables_entry *entry)
{
	entry->prot = raw & REF_RW;
	if (!entry->prot)
		return;
	entry->kind = level == 1 || raw & BIT(7) ? TABLES_LEAF : TABLES_TABLE;
	entry->next_level = level - 1;
	entry->bytes = REF_PAGE << 9 * (level - 1);
	entry->paddr = raw & ADDRESS;
	if (entry->kind == TABLES_LEAF && (level > 3 || entry->paddr & (entry->bytes - 1)))
		entry->kind = TABLES_BAD;
}

static void decode_amdv1(uint64_t raw, unsigned int level, struct tables_entry *entry)
{
	unsigned int next = raw >> 9 & 7;

	if (!(raw & BIT(0)))
		return;
	entry->prot = raw >> 61 & REF_RW;
	entry->next_level = next;
	entry->paddr = raw & ADDRESS;
	entry->kind = next == 0 || next == 7 ? TABLES_LEAF : TABLES_TABLE;
	if (next == 0)
		entry->bytes = REF_PAGE << 9 * (level - 1);
	if (next == 7) {
		/* The lowest zero of the address, from bit 12 on, is half of the size. */
		entry->bytes = BIT(__builtin_ctzll(~(raw | 0xfff)) + 1);
		entry->paddr &= ~(entry->bytes - 1);
	}
	if (entry->kind == TABLES_TABLE && next >= level)
		entry->kind = TABLES_BAD;
}

static void decode_tce(uint64_t raw, unsigned int level, struct tables_entry *entry)
{
	raw = bswap_64(raw);
	entry->prot = raw & REF_RW;
	if (!entry->prot)
		return;
	entry->kind = level == 1 ? TABLES_LEAF : TABLES_TABLE;
	entry->next_level = level - 1;
	entry->bytes = REF_PAGE;
	entry->paddr = raw & ~0xfffULL;
}

void tables_decode(uint32_t format, uint64_t raw, unsigned int level, struct tables_entry *entry)
{
	memset(entry, 0, sizeof(*entry));
	if (format == REFIOMMU_FORMAT_VTD)
		decode_vtd(raw, level, entry);
	else if (format == REFIOMMU_FORMAT_AMDV1)
		decode_amdv1(raw, level, entry);
	else
		decode_tce(raw, level, entry);
}

uint64_t tables_table(uint32_t format, uint64_t addr, unsigned int level)
{
	if (format == REFIOMMU_FORMAT_VTD)
		return addr | REF_RW;
	if (format == REFIOMMU_FORMAT_AMDV1)
		return addr | BIT(0) | BIT(61) | BIT(62) | (uint64_t)(level - 1) << 9;
	return bswap_64(addr | REF_RW);
}

uint64_t tables_leaf(uint32_t format, uint64_t addr, unsigned int level, uint32_t prot)
{
	if (format == REFIOMMU_FORMAT_VTD)
		return addr | prot | (level > 1 ? BIT(7) : 0);
	if (format == REFIOMMU_FORMAT_AMDV1)
		return addr | BIT(0) | (uint64_t)prot << 61;
	return bswap_64(addr | prot);
}

unsigned int tables_levels(const struct ref_kind *kind)
{
	if (kind->format == REFIOMMU_FORMAT_VTD)
		return (kind->width - 12) / 9;
	if (kind->format == REFIOMMU_FORMAT_AMDV1)
		return kind->width == 64 ? 6 : (kind->width - 12) / 9;
	return 0;
}

/* A TCE window's levels share its bits; the others have 512 entries a table. */
static unsigned int index_lg2(const struct ref_kind *kind, uint64_t iova, unsigned int levels)
{
	unsigned int bits = iova >> 59 ? 45 - 12 : 30 - 12;

	return kind->format == REFIOMMU_FORMAT_TCE ? (bits + levels - 1) / levels : 9;
}

uint64_t tables_index(const struct ref_kind *kind, uint64_t iova, unsigned int level,
		      unsigned int levels)
{
	unsigned int lg2 = index_lg2(kind, iova, levels);

	if (kind->format == REFIOMMU_FORMAT_TCE)
		iova &= BIT(45) - 1;
	return iova >> (12 + lg2 * (level - 1)) & (BIT(lg2) - 1);
}

const char *tables_follow(const struct ref_kind *kind, const struct refiommu_level *level,
			  unsigned int nr, uint64_t iova, struct tables_walk *walk)
{
	unsigned int levels = tables_levels(kind), at;
	struct tables_entry entry;
	uint64_t table = 0;

	if (!nr)
		return "no entries";
	if (levels && level[0].level != levels)
		return "it does not begin at the root";
	levels = level[0].level;
	walk->prot = REF_RW;
	for (at = 0; at < nr; at++) {
		if (at && level[at].level != entry.next_level)
			return "not the level that the entry above says";
		if (!at)
			table = level[0].entry_addr - 8 * tables_index(kind, iova, levels, levels);
		if (table & 0xfff)
			return "a table that is not aligned";
		if (level[at].entry_addr !=
		    table + 8 * tables_index(kind, iova, level[at].level, levels))
			return "not the entry of this IOVA";
		tables_decode(kind->format, level[at].entry, level[at].level, &entry);
		walk->prot &= entry.prot;
		if (entry.kind != (at == nr - 1 ? TABLES_LEAF : TABLES_TABLE))
			return "not the kind of entry for its place";
		table = entry.paddr;
	}
	walk->bytes = entry.bytes;
	walk->paddr = entry.paddr + (iova & (entry.bytes - 1));
	return NULL;
}
