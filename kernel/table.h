/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page tables: an engine (table.c, table_map.c) that knows no format, and formats (table_*.c)
 * that know nothing else.
 *
 * A format says how an IOVA is cut (struct ref_geometry) and what the 64 bits of an entry mean
 * (make_table, make_leaf, decode). The engine walks, maps, unmaps and frees. To add a format,
 * write one file with one struct ref_format and name it in ref_formats[] (table.c) and
 * refiommu.h.
 *
 * Levels count from 1, the leaf tables, up to the root. Entries are kept as u64 in the byte order
 * that the hardware reads; only the format looks inside.
 *
 * Locking: ref_table.lock (taken inside, irqsave) guards every entry of the table and the list of
 * retired pages. It nests inside ref_instance.lock. Memory is allocated outside of it.
 *
 * Retired pages: an unmap that empties a whole lower table unlinks it, but walkers (caches) may
 * still use it; it is freed after a flush of a range that covers what it translated.
 */
#ifndef REFIOMMU_TABLE_H
#define REFIOMMU_TABLE_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include "refiommu.h"

struct iommu_domain;

#define REF_MAX_WINDOWS 2

/**
 * struct ref_window - A span of IOVAs with a root table of its own
 * @first, @last: IOVAs, inclusive
 * @levels: levels of tables, 1 … REFIOMMU_MAX_LEVELS
 * @index_lg2: log2 of the entries of a table (a root may use fewer)
 */
struct ref_window {
	u64 first;
	u64 last;
	unsigned int levels;
	unsigned int index_lg2;
};

/**
 * struct ref_geometry - How a format cuts IOVAs
 * @windows: in ascending order; IOVAs between them are never translated
 * @nr_windows: 1 … REF_MAX_WINDOWS
 * @pgsizes: bit n set: leaves of 2^n bytes; bit 12 always is
 * @paddr_mask: bits of a physical address that an entry can hold
 */
struct ref_geometry {
	struct ref_window windows[REF_MAX_WINDOWS];
	unsigned int nr_windows;
	u64 pgsizes;
	u64 paddr_mask;
};

enum ref_entry_kind {
	REF_ENTRY_NONE, /* not present */
	REF_ENTRY_TABLE, /* points at a table of level next_level */
	REF_ENTRY_LEAF, /* maps 2^size_lg2 bytes */
	REF_ENTRY_BAD, /* reserved bits or sizes: hardware would fault */
};

/**
 * struct ref_entry - What an entry means
 * @kind: enum ref_entry_kind; the rest is valid for TABLE and LEAF only
 * @next_level: TABLE: level of the table it points at, below its own
 * @size_lg2: LEAF: log2 of the bytes it maps (AMD v1: several neighbouring entries share one
 *	leaf)
 * @prot: REFIOMMU_PROT_* that it allows (TABLE: as an intermediate restriction, all if none)
 * @paddr: the table, or the first byte of the leaf
 */
struct ref_entry {
	enum ref_entry_kind kind;
	unsigned int next_level;
	unsigned int size_lg2;
	u32 prot;
	u64 paddr;
};

/**
 * struct ref_format - A page-table format; pure functions, no state
 * @name: for messages and debugfs
 * @id: REFIOMMU_FORMAT_*
 * @geometry: fills @geo for an address width (0: default) and page sizes (0: all); -EINVAL if the
 *	format cannot be so
 * @make_table: an entry of a table of @level that points at a table of @level - 1
 * @make_leaf: an entry of a table of @level that maps 2^@size_lg2 bytes from @paddr on; the same
 *	value goes into each of the entries that a leaf spans
 * @decode: what @raw in a table of @level means; any value may come (guests write tables, too)
 */
struct ref_format {
	const char *name;
	u32 id;
	int (*geometry)(struct ref_geometry *geo, unsigned int width, u64 pgsizes);
	u64 (*make_table)(u64 paddr, unsigned int level);
	u64 (*make_leaf)(u64 paddr, unsigned int level, unsigned int size_lg2, u32 prot);
	void (*decode)(u64 raw, unsigned int level, struct ref_entry *entry);
};

/* For ref_format.geometry: can @asked (0: all) be the page sizes of a table of this format? */
static inline bool ref_pgsizes_valid(u64 asked, u64 possible)
{
	return !asked || (!(asked & ~possible) && (asked & (1ULL << 12)));
}

extern const struct ref_format ref_format_vtd;
extern const struct ref_format ref_format_amdv1;
extern const struct ref_format ref_format_tce;

/**
 * ref_format_find() - The format with a number of the ABI
 * @id: REFIOMMU_FORMAT_*, untrusted
 *
 * Return: the format, or NULL.
 */
const struct ref_format *ref_format_find(u32 id);

/* What a guest's table needs, too: everything but the memory behind it. */
struct ref_layout {
	const struct ref_format *format;
	struct ref_geometry geo;
	u64 roots[REF_MAX_WINDOWS]; /* physical, or guest-physical; 0: no table */
};

/**
 * typedef ref_read_fn - Read one entry
 * @ctx: of the caller
 * @addr: physical or guest-physical, 8-byte aligned
 * @raw: filled on success
 *
 * Return: 0, or REFIOMMU_FAULT_* (> 0) if there is nothing to read.
 */
typedef int (*ref_read_fn)(void *ctx, u64 addr, u64 *raw);

/**
 * struct ref_walk - How far a walk came
 * @levels: entries read, from the root down
 * @nr_levels: how many
 * @fault: 0, or REFIOMMU_FAULT_{WIDTH,NOT_PRESENT,RESERVED_BITS,STAGE2}
 * @size_lg2: leaf, valid without fault
 * @prot: leaf and what lies above it together
 * @paddr: of the byte asked for
 */
struct ref_walk {
	struct refiommu_level levels[REFIOMMU_MAX_LEVELS];
	unsigned int nr_levels;
	int fault;
	unsigned int size_lg2;
	u32 prot;
	u64 paddr;
};

/**
 * ref_walk() - Translate one IOVA through tables anywhere
 * @layout: format and roots
 * @iova: any
 * @read: how to read an entry; its result ends the walk as the fault
 * @ctx: for @read
 * @walk: filled in any case
 *
 * Ends after at most REFIOMMU_MAX_LEVELS entries, whatever they say. AMD v1 may skip levels; then
 * the index bits skipped must be zero (AMD I/O Virtualization Technology specification 48882,
 * 2.2.3). stage in the levels is 1.
 */
void ref_walk(const struct ref_layout *layout, u64 iova, ref_read_fn read, void *ctx,
	      struct ref_walk *walk);

/**
 * struct ref_table - An own page table
 * @layout: format and roots; constant after init
 * @lock: guards every entry and @retired
 * @retired: unlinked pages (struct page.lru; .private: first IOVA | level)
 * @owner: whom trace events about table pages name; NULL: none are fired
 */
struct ref_table {
	struct ref_layout layout;
	spinlock_t lock; /* every entry and @retired */
	struct list_head retired;
	struct iommu_domain *owner;
};

/**
 * ref_table_init() - Make empty tables for all windows
 * @table: memory of the caller
 * @format, @width, @pgsizes: as for ref_format.geometry
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int ref_table_init(struct ref_table *table, const struct ref_format *format, unsigned int width,
		   u64 pgsizes);

/* Frees all pages, whatever is mapped. With BUG_LEAK_ON_FREE only the roots. */
void ref_table_destroy(struct ref_table *table);

/**
 * ref_table_map() - Map @pgcount pages of @pgsize bytes
 * @table: where
 * @iova, @paddr, @pgsize, @pgcount: as iommu_domain_ops.map_pages gives them
 * @prot: REFIOMMU_PROT_*
 * @gfp: for tables; may be GFP_ATOMIC
 * @mapped: bytes mapped, added up; also on failure: the caller (the IOMMU core) takes them back
 *
 * Return: 0; -EEXIST: an entry is there (nothing is overwritten); -ERANGE: outside the windows,
 * or a physical address the format cannot hold; -EINVAL: unaligned, or a size the format lacks;
 * -ENOMEM.
 */
int ref_table_map(struct ref_table *table, u64 iova, u64 paddr, size_t pgsize, size_t pgcount,
		  u32 prot, gfp_t gfp, size_t *mapped);

/**
 * ref_table_unmap() - Remove leaves
 * @table: where
 * @iova: first byte
 * @bytes: as asked; pgsize * pgcount of iommu_domain_ops.unmap_pages
 *
 * Stops at a hole, and at a leaf that begins before @iova. A leaf that begins inside and ends
 * beyond the range is removed whole: VFIO's test for superpages (vfio_test_domain_fgsp(), 6.12)
 * relies on it. Tables that the range empties whole are retired.
 *
 * Return: bytes removed, which may be more or less than @bytes.
 */
size_t ref_table_unmap(struct ref_table *table, u64 iova, size_t bytes);

/**
 * ref_table_take_retired() - A flush of a range begins: take the retired pages inside it
 * @table: which
 * @first: IOVA
 * @last: IOVA
 * @pages: they are added here, for ref_table_free_retired() when the flush is complete
 *
 * What another CPU retires during the flush is not freed by it: it may have come too late.
 */
void ref_table_take_retired(struct ref_table *table, u64 first, u64 last, struct list_head *pages);

/* What ref_table_take_retired() took from @table. */
void ref_table_free_retired(struct ref_table *table, struct list_head *pages);

/* Is @paddr a table page that was unlinked and waits for its flush? */
bool ref_table_is_retired(struct ref_table *table, u64 paddr);

/**
 * ref_table_owes_flush() - Does a range hold retired pages?
 * @table: which
 * @first, @last: IOVAs
 *
 * A map asks afterwards: a large page may have taken the place of an empty table, which caches
 * must forget. With BUG_LARGE_NO_FLUSH the answer is always false.
 *
 * Return: true if a flush of the range would free something.
 */
bool ref_table_owes_flush(struct ref_table *table, u64 first, u64 last);

/* ref_walk() of an own table, under its lock. */
void ref_table_walk(struct ref_table *table, u64 iova, struct ref_walk *walk);

/**
 * ref_table_next() - The first leaf in a range
 * @table: which
 * @first, @last: IOVAs
 * @iova: out: its first byte (at least @first)
 * @walk: out: as of @iova
 *
 * Skips what is empty table by table, so that windows of 2^45 bytes are cheap when empty.
 *
 * Return: true if there is one.
 */
bool ref_table_next(struct ref_table *table, u64 first, u64 last, u64 *iova, struct ref_walk *walk);

/* Pages of 4 KiB in all tables; for leak tests. */
u64 ref_table_pages(void);

#endif /* REFIOMMU_TABLE_H */
