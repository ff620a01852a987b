// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * See tables.h. Nothing here may be taken from kernel/: two readings are worth more than one.
 */
#include <byteswap.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "tables.h"

#define BIT(n) (1ULL << (n))
#define ADDRESS (BIT(52) - BIT(12))

struct format {
	uint32_t number;
	void (*decode)(uint64_t raw, unsigned int level, struct tables_entry *entry);
	uint64_t (*table)(uint64_t addr, unsigned int level);
	uint64_t (*leaf)(uint64_t addr, unsigned int level, uint32_t prot);
	uint64_t (*bad)(uint64_t addr, unsigned int level); /* REF_FORMATS_LARGE only */
	/* NULL: tables of 512 entries. */
	uint64_t (*index)(uint64_t iova, unsigned int level, unsigned int levels);
};

/* ---- VT-d ---- */

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

static uint64_t table_vtd(uint64_t addr, unsigned int level)
{
	return addr | REF_RW;
}

static uint64_t leaf_vtd(uint64_t addr, unsigned int level, uint32_t prot)
{
	return addr | prot | (level > 1 ? BIT(7) : 0);
}

/* No page is as large as this; or 1 GiB, not aligned. */
static uint64_t bad_vtd(uint64_t addr, unsigned int level)
{
	return addr | REF_RW | BIT(7) | (level == 3 ? BIT(13) : 0);
}

/* ---- AMD v1 ---- */

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

static uint64_t table_amdv1(uint64_t addr, unsigned int level)
{
	return addr | BIT(0) | BIT(61) | BIT(62) | (uint64_t)(level - 1) << 9;
}

static uint64_t leaf_amdv1(uint64_t addr, unsigned int level, uint32_t prot)
{
	return addr | BIT(0) | (uint64_t)prot << 61;
}

/* A table above its own level. */
static uint64_t bad_amdv1(uint64_t addr, unsigned int level)
{
	return table_amdv1(addr, level + 1);
}

/* ---- TCE ---- */

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

static uint64_t table_tce(uint64_t addr, unsigned int level)
{
	return bswap_64(addr | REF_RW);
}

static uint64_t leaf_tce(uint64_t addr, unsigned int level, uint32_t prot)
{
	return bswap_64(addr | prot);
}

/* A window's levels share its bits. */
static uint64_t index_tce(uint64_t iova, unsigned int level, unsigned int levels)
{
	unsigned int bits = iova >> 59 ? 45 - 12 : 30 - 12;
	unsigned int lg2 = (bits + levels - 1) / levels;

	return (iova & (BIT(45) - 1)) >> (12 + lg2 * (level - 1)) & (BIT(lg2) - 1);
}

/* ---- all of them ---- */

static const struct format formats[] = {
	{ REFIOMMU_FORMAT_VTD, decode_vtd, table_vtd, leaf_vtd, bad_vtd },
	{ REFIOMMU_FORMAT_AMDV1, decode_amdv1, table_amdv1, leaf_amdv1, bad_amdv1 },
	{ REFIOMMU_FORMAT_TCE, decode_tce, table_tce, leaf_tce, .index = index_tce },
};

/* Ends the test, which runs in a process of its own. */
static const struct format *find(uint32_t number)
{
	unsigned int at;

	for (at = 0; at < sizeof(formats) / sizeof(formats[0]); at++)
		if (formats[at].number == number)
			return &formats[at];
	fprintf(stderr, "# tables.c does not know format %u\n", number);
	_exit(1);
}

void tables_decode(uint32_t format, uint64_t raw, unsigned int level, struct tables_entry *entry)
{
	memset(entry, 0, sizeof(*entry));
	find(format)->decode(raw, level, entry);
}

uint64_t tables_table(uint32_t format, uint64_t addr, unsigned int level)
{
	return find(format)->table(addr, level);
}

uint64_t tables_leaf(uint32_t format, uint64_t addr, unsigned int level, uint32_t prot)
{
	return find(format)->leaf(addr, level, prot);
}

uint64_t tables_bad(uint32_t format, uint64_t addr, unsigned int level)
{
	const struct format *f = find(format);

	if (f->bad)
		return f->bad(addr, level);
	fprintf(stderr, "# tables.c knows no malformed entry of format %u\n", format);
	_exit(1);
}

unsigned int tables_levels(const struct ref_kind *kind)
{
	return kind->width ? (kind->width - 12 + 8) / 9 : 0;
}

uint64_t tables_index(const struct ref_kind *kind, uint64_t iova, unsigned int level,
		      unsigned int levels)
{
	const struct format *f = find(kind->format);

	return f->index ? f->index(iova, level, levels) : iova >> (12 + 9 * (level - 1)) & 511;
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
