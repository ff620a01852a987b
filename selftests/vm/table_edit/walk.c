// SPDX-License-Identifier: GPL-2.0
/*
 * Down a table, in the three formats: VT-d 9.8 (second stage), 9.9 (first stage, the CPU's own),
 * AMD 48882 2.2.3 (v1, where an entry names the level of the next table, and may skip levels).
 */
#include "table_edit.h"
#include <linux/minmax.h>

#define READ_WRITE	3ULL	/* VT-d second stage; present without either: no */
#define PRESENT		BIT_ULL(0)
#define WRITABLE	BIT_ULL(1)
#define USER		BIT_ULL(2)
#define LARGE		BIT_ULL(7)
#define AMD_READ_WRITE	(3ULL << 61)
#define AMD_SIZED	7	/* next level: a leaf whose size is in its address */

static unsigned int shift_of(unsigned int level)
{
	return 12 + 9 * (level - 1);
}

/* Bits of an IOVA below @width, 64 included. */
static u64 mask_of(unsigned int width)
{
	return width < 64 ? BIT_ULL(width) - 1 : ~0ULL;
}

static int check_width(const struct table *table, u64 iova)
{
	unsigned int width = shift_of(table->levels + 1);
	u64 above = iova & ~mask_of(width);
	u64 sign = iova & BIT_ULL(min(width - 1, 63U)) ? ~mask_of(width) : 0;

	if (!above || (table->format == X86 && above == sign))
		return 0;
	pr_err("IOVA 0x%llx is beyond the %u levels of the table\n", iova, table->levels);
	return -ERANGE;
}

static u64 slot_of(u64 at, unsigned int level, u64 iova)
{
	return at + (iova >> shift_of(level) & 511) * sizeof(u64);
}

static int read_entry(u64 at, unsigned int level, u64 iova, struct entry *entry)
{
	u64 paddr = slot_of(at, level, iova);
	u64 *word = word_at(paddr);

	if (!word)
		return -EFAULT;
	*entry = (struct entry){ .paddr = paddr, .raw = READ_ONCE(*word), .level = level };
	return 0;
}

static bool is_present(const struct table *table, u64 raw)
{
	return raw & (table->format == VTD_SECOND ? READ_WRITE : PRESENT);
}

/* The level of the table that a present entry points at; 0: none. */
static unsigned int next_level(const struct table *table, const struct entry *entry)
{
	unsigned int amd_next = entry->raw >> 9 & 7;

	if (table->format == AMD_V1)
		return amd_next == AMD_SIZED ? 0 : amd_next;
	return entry->level == 1 || entry->raw & LARGE ? 0 : entry->level - 1;
}

/* Of a skipped level the first entry is meant: then these bits of the IOVA are zero. */
static bool may_skip(u64 iova, unsigned int level, unsigned int next)
{
	return next < level && !(iova & (mask_of(shift_of(level)) & ~mask_of(shift_of(next + 1))));
}

static int not_mapped(u64 iova, const struct entry *entry)
{
	pr_err("IOVA 0x%llx is not mapped: entry 0x%llx level %u is 0x%llx\n", iova, entry->paddr,
	       entry->level, entry->raw);
	return -ENXIO;
}

int table_top(const struct table *table, u64 iova, struct entry *entry)
{
	int ret = check_width(table, iova);

	return ret ? ret : read_entry(table->root, table->levels, iova, entry);
}

int table_find(const struct table *table, u64 iova, unsigned int level, struct entry *entry)
{
	unsigned int next;
	int ret = table_top(table, iova, entry);

	while (!ret) {
		if (!is_present(table, entry->raw))
			return not_mapped(iova, entry);
		next = next_level(table, entry);
		if (!next || entry->level <= level)
			break;
		if (!may_skip(iova, entry->level, next))
			return not_mapped(iova, entry);
		ret = read_entry(entry->raw & ADDRESS_MASK, next, iova, entry);
	}
	if (ret)
		return ret;
	if (level && entry->level != level) {
		pr_err("no entry of level %u on the way to IOVA 0x%llx\n", level, iova);
		return -ENXIO;
	}
	entry->leaf = !next;
	entry->large = !next && (entry->level > 1 || (table->format == AMD_V1 &&
						      (entry->raw >> 9 & 7) == AMD_SIZED));
	return 0;
}

u64 table_circle(const struct table *table)
{
	switch (table->format) {
	case VTD_SECOND:
		return table->root | READ_WRITE;
	case X86:
		return table->root | PRESENT | WRITABLE | USER;
	case AMD_V1:
		return table->root | PRESENT | (u64)(table->levels - 1) << 9 | AMD_READ_WRITE;
	}
	return 0;
}

/* VT-d: address bits, of a large page those below its size (12 may be PAT), else beyond all RAM. */
unsigned int table_reserved_bit(const struct table *table, const struct entry *entry)
{
	if (table->format == AMD_V1)
		return 52;
	return entry->large ? 13 : 51;
}
