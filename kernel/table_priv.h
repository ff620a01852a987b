/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two files of the engine share: table.c (walking anywhere, memory) and table_map.c
 * (finding, mapping, unmapping).
 */
#ifndef REFIOMMU_TABLE_PRIV_H
#define REFIOMMU_TABLE_PRIV_H

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/mm_types.h>
#include "table.h"

#define REF_PROT_ALL (REFIOMMU_PROT_READ | REFIOMMU_PROT_WRITE)
#define REF_GRANULE_LG2 12 /* of every format */

static inline int ref_window_of(const struct ref_geometry *geo, u64 iova)
{
	for (unsigned int i = 0; i < geo->nr_windows; i++)
		if (geo->windows[i].first <= iova && iova <= geo->windows[i].last)
			return i;
	return -ERANGE;
}

/* log2 of the bytes behind an entry of a table of @level; one more level: behind the table. */
static inline unsigned int ref_entry_lg2(const struct ref_window *window, unsigned int level)
{
	return REF_GRANULE_LG2 + window->index_lg2 * (level - 1);
}

static inline u64 ref_first_of(u64 iova, unsigned int lg2)
{
	return iova & ~(BIT_ULL(lg2) - 1);
}

static inline u64 ref_last_of(u64 iova, unsigned int lg2)
{
	return iova | (BIT_ULL(lg2) - 1);
}

/* Of a table of @level: always a power of two. */
static inline u64 ref_nr_entries(const struct ref_window *window, unsigned int level)
{
	if (level < window->levels)
		return BIT_ULL(window->index_lg2);
	return ((window->last - window->first) >> ref_entry_lg2(window, level)) + 1;
}

static inline u64 ref_index_of(const struct ref_window *window, unsigned int level, u64 iova)
{
	u64 index = (iova - window->first) >> ref_entry_lg2(window, level);

	return index & (ref_nr_entries(window, level) - 1);
}

static inline u64 *ref_entries_at(u64 paddr)
{
	return phys_to_virt(paddr);
}

/* An empty table for @level: its physical address, 0 if there is no memory. */
u64 ref_table_alloc(const struct ref_window *window, unsigned int level, gfp_t gfp);
void ref_table_free(u64 paddr);

/* The table page @paddr, which translates from @first on, goes or went: see trace.h. */
void ref_table_trace(const struct ref_table *table, u64 paddr, unsigned int level, u64 first,
		     u64 unlinked_ns, bool freed);

/* No leaf in a table of @level or below? table->lock held. */
bool ref_table_is_empty(struct ref_table *table, const struct ref_window *window, u64 paddr,
			unsigned int level);

/* Retires an unlinked table with all below; @first: its first IOVA. table->lock held. */
void ref_table_retire_tree(struct ref_table *table, const struct ref_window *window, u64 paddr,
			   unsigned int level, u64 first);

#endif /* REFIOMMU_TABLE_PRIV_H */
