// SPDX-License-Identifier: GPL-2.0-only
/*
 * Untracked address spaces: the table is the truth, as with the TCE tables of POWER.
 *
 * No intent is kept. What is mapped, and which pages are pinned, is read from the table of the
 * first domain that a group was ever in; other domains are copies. So the last domain stays
 * when the last device leaves, pages are pinned once whatever the number of domains, all is
 * mapped page by page, and every unmap is inexact.
 *
 * A page goes back only when its entry is seen to be gone, and only if it looks pinned: with
 * planted bugs on, the truth may lie, but the kernel shall live.
 *
 * Reading the table back needs our own backend: the core has no word for it.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "ioas.h"

#define UNMAP_BATCH 32

/* Pages whose entries are gone, and whose flush is owed. */
struct untracked_batch {
	unsigned int nr;
	struct page *pages[UNMAP_BATCH];
	bool dirty[UNMAP_BATCH];
};

static struct ref_table *untracked_table(struct ref_ioas *ioas)
{
	struct ref_hwpt *hwpt;

	lockdep_assert_held(&ioas->lock);
	list_for_each_entry(hwpt, &ioas->hwpts, link)
		if (hwpt->attached)
			return &to_ref_domain(hwpt->domain)->table;
	return NULL;
}

bool ref_untracked_mapped(struct ref_ioas *ioas, u64 first, u64 last)
{
	struct ref_table *table;
	struct ref_walk walk;
	u64 iova;

	lockdep_assert_held(&ioas->lock);
	table = untracked_table(ioas);
	return table && ref_table_next(table, first, last, &iova, &walk);
}

int ref_untracked_map(struct ref_ioas *ioas, struct refiommu_ioas_map *arg)
{
	struct ref_area *area;
	int err;

	lockdep_assert_held(&ioas->lock);
	if (!untracked_table(ioas))
		return -ENODEV;
	if (ref_untracked_mapped(ioas, arg->first, arg->last))
		return -EEXIST;
	area = ref_area_pin(ioas->mm, arg);
	if (IS_ERR(area))
		return PTR_ERR(area);
	err = ref_area_fill(ioas, area);
	if (err)
		ref_area_unpin(area);
	else
		ref_area_forget(area);
	return err;
}

/* ---- unmap ---- */

static void batch_end(struct ref_ioas *ioas, struct untracked_batch *batch)
{
	unsigned int i;

	lockdep_assert_held(&ioas->lock);
	ref_ioas_sync_unmap(ioas);
	for (i = 0; i < batch->nr; i++)
		ref_unpin(ioas->mm, &batch->pages[i], 1, batch->dirty[i]);
	batch->nr = 0;
}

static bool page_is_ours(u64 paddr)
{
	return pfn_valid(PHYS_PFN(paddr)) &&
	       folio_maybe_dma_pinned(page_folio(pfn_to_page(PHYS_PFN(paddr))));
}

/* Takes one page out of all domains. */
static bool untracked_unmap_page(struct ref_ioas *ioas, struct ref_table *table, u64 iova)
{
	struct ref_hwpt *hwpt;
	struct ref_walk walk;

	lockdep_assert_held(&ioas->lock);
	list_for_each_entry(hwpt, &ioas->hwpts, link)
		ref_hwpt_unmap(hwpt, iova, PAGE_SIZE);
	ref_table_walk(table, iova, &walk);
	return walk.fault;
}

u64 ref_untracked_unmap(struct ref_ioas *ioas, u64 first, u64 last)
{
	struct untracked_batch batch = {};
	struct ref_table *table;
	struct ref_walk walk;
	bool whole = !first && last == U64_MAX;
	u64 iova, bytes = 0;

	lockdep_assert_held(&ioas->lock);
	table = untracked_table(ioas);
	while (table && ref_table_next(table, first, last, &iova, &walk)) {
		if (untracked_unmap_page(ioas, table, iova) && page_is_ours(walk.paddr)) {
			batch.pages[batch.nr] = pfn_to_page(PHYS_PFN(walk.paddr));
			batch.dirty[batch.nr++] = walk.prot & REFIOMMU_PROT_WRITE;
			bytes += PAGE_SIZE;
			if (!whole)
				ref_notify(ioas, REFIOMMU_EVENT_UNMAP, iova,
					   iova + PAGE_SIZE - 1, 0);
		}
		if (batch.nr == UNMAP_BATCH)
			batch_end(ioas, &batch);
		if (last - iova < PAGE_SIZE)
			break;
		first = iova + PAGE_SIZE;
		cond_resched();
	}
	batch_end(ioas, &batch);
	return bytes;
}

/* ---- replay ---- */

int ref_untracked_replay(struct ref_ioas *ioas, struct iommu_domain *to,
			 struct refiommu_ioas_replay *count)
{
	struct ref_table *table;
	u64 iova, first = 0;
	struct ref_walk walk;
	int err, result = 0;

	lockdep_assert_held(&ioas->lock);
	table = untracked_table(ioas);
	while (table && ref_table_next(table, first, U64_MAX, &iova, &walk)) {
		err = ref_replay_run(to, iova, walk.paddr, 1, walk.prot, count);
		if (err && err != -EEXIST)
			return err;
		if (err)
			result = err;
		if (U64_MAX - iova < PAGE_SIZE)
			break;
		first = iova + PAGE_SIZE;
		cond_resched();
	}
	return result;
}
