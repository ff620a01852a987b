// SPDX-License-Identifier: GPL-2.0-only
/*
 * Areas: mappings of a tracked address space, their pages, and the way into domains and out.
 *
 * Pages are counted in locked_vm before they are pinned, and go back after every cache has
 * forgotten them: unmap in all domains, flush, unpin, in that order (BUG_UNPIN_EARLY turns the
 * last two round).
 *
 * An area is mapped and unmapped in the same runs of pages, so that the core never sees a
 * hole, a part of a mapping or a part of a large page.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "ioas.h"

static_assert(PAGE_SHIFT == 12, "the ABI speaks of pages of 4 KiB");

#define PIN_BATCH 512

static atomic_long_t ref_pinned = ATOMIC_LONG_INIT(0);

u64 ref_pinned_pages(void)
{
	return atomic_long_read(&ref_pinned);
}

/* ---- pinned pages ---- */

/* Lets pages go that @mm was charged for. */
void ref_unpin(struct mm_struct *mm, struct page **pages, unsigned long nr, bool dirty)
{
	for (unsigned long at = 0; at < nr; at += PIN_BATCH) {
		unpin_user_pages_dirty_lock(pages + at, min_t(unsigned long, nr - at, PIN_BATCH),
					    dirty);
		cond_resched();
	}
	atomic_long_sub(nr, &ref_pinned);
	account_locked_vm(mm, nr, false);
}

static int area_pin_pages(struct ref_area *area)
{
	unsigned int flags = FOLL_LONGTERM | (area->prot & REFIOMMU_PROT_WRITE ? FOLL_WRITE : 0);
	unsigned long done = 0;
	int nr;

	while (done < area->nr_pages) {
		nr = min_t(unsigned long, area->nr_pages - done, PIN_BATCH);
		nr = pin_user_pages_fast(area->uaddr + (done << PAGE_SHIFT), nr, flags,
					 area->pages + done);
		if (nr <= 0) {
			unpin_user_pages(area->pages, done);
			return nr ?: -EFAULT;
		}
		done += nr;
		cond_resched();
	}
	atomic_long_add(done, &ref_pinned);
	return 0;
}

static struct ref_area *area_alloc(struct mm_struct *mm, unsigned long nr_pages)
{
	struct ref_area *area = kzalloc(sizeof(*area), GFP_KERNEL_ACCOUNT);

	if (!area)
		return NULL;
	area->pages = kvcalloc(nr_pages, sizeof(*area->pages), GFP_KERNEL_ACCOUNT);
	if (!area->pages) {
		kfree(area);
		return NULL;
	}
	area->nr_pages = nr_pages;
	area->mm = mm;
	mmgrab(mm);
	return area;
}

void ref_area_forget(struct ref_area *area)
{
	mmdrop(area->mm);
	kvfree(area->pages);
	kfree(area);
}

struct ref_area *ref_area_pin(struct mm_struct *mm, const struct refiommu_ioas_map *arg)
{
	struct ref_area *area = area_alloc(mm, ((arg->last - arg->first) >> PAGE_SHIFT) + 1);
	int err;

	if (!area)
		return ERR_PTR(-ENOMEM);
	area->node.start = arg->first;
	area->node.last = arg->last;
	area->uaddr = arg->uaddr;
	area->prot = arg->prot;

	err = account_locked_vm(mm, area->nr_pages, true);
	if (err)
		goto forget;
	err = area_pin_pages(area);
	if (err)
		goto uncount;
	return area;

uncount:
	account_locked_vm(mm, area->nr_pages, false);
forget:
	ref_area_forget(area);
	return ERR_PTR(err);
}

void ref_area_unpin(struct ref_area *area)
{
	ref_unpin(area->mm, area->pages, area->nr_pages, area->prot & REFIOMMU_PROT_WRITE);
	ref_area_forget(area);
}

/* ---- areas in the tree ---- */

struct ref_area *ref_area_first(struct ref_ioas *ioas, u64 first, u64 last)
{
	struct interval_tree_node *node;

	lockdep_assert_held(&ioas->lock);
	node = interval_tree_iter_first(&ioas->areas, first, last);
	return node ? container_of(node, struct ref_area, node) : NULL;
}

/* The next one that begins at or before @last. */
struct ref_area *ref_area_next(struct ref_area *area, u64 last)
{
	struct interval_tree_node *node;

	node = interval_tree_iter_next(&area->node, area->node.start, last);
	return node ? container_of(node, struct ref_area, node) : NULL;
}

/* Makes two areas of one; @iova is where the second begins. The tables stay as they are. */
int ref_area_split(struct ref_ioas *ioas, struct ref_area *area, u64 iova)
{
	unsigned long nr_left = (iova - area->node.start) >> PAGE_SHIFT;
	struct ref_area *right;

	lockdep_assert_held(&ioas->lock);
	right = area_alloc(area->mm, area->nr_pages - nr_left);
	if (!right)
		return -ENOMEM;
	memcpy(right->pages, area->pages + nr_left, right->nr_pages * sizeof(*right->pages));
	right->node.start = iova;
	right->node.last = area->node.last;
	right->uaddr = area->uaddr + (iova - area->node.start);
	right->prot = area->prot;

	interval_tree_remove(&area->node, &ioas->areas);
	area->node.last = iova - 1;
	area->nr_pages = nr_left;
	interval_tree_insert(&area->node, &ioas->areas);
	interval_tree_insert(&right->node, &ioas->areas);
	return 0;
}

/* ---- areas in domains ---- */

/*
 * Neighbours in memory go to the core together, so that it can use large pages; but one by one
 * where parts may be unmapped later.
 */
unsigned long ref_area_run(struct ref_ioas *ioas, struct ref_area *area, unsigned long at)
{
	unsigned long pfn = page_to_pfn(area->pages[at]), nr = 1;

	lockdep_assert_held(&ioas->lock);
	if (ioas->flags & REFIOMMU_IOAS_UNTRACKED)
		return 1;
	if (ioas->flags & REFIOMMU_IOAS_SPLIT && !ref_bug(BUG_UNMAP_WHOLE_LARGE))
		return 1;
	while (at + nr < area->nr_pages && page_to_pfn(area->pages[at + nr]) == pfn + nr)
		nr++;
	return nr;
}

void ref_area_unmap(struct ref_ioas *ioas, struct ref_area *area, unsigned long nr_pages,
		    struct ref_hwpt *hwpt)
{
	unsigned long at, run;
	u64 iova;

	lockdep_assert_held(&ioas->lock);
	for (at = 0; at < nr_pages; at += run) {
		run = ref_area_run(ioas, area, at);
		iova = area->node.start + ((u64)at << PAGE_SHIFT);
		if (ref_hwpt_unmap(hwpt, iova, run << PAGE_SHIFT) != run << PAGE_SHIFT)
			pr_warn_ratelimited("refiommu: the IOMMU did not unmap all of %lu pages at 0x%llx\n",
					    run, iova);
		cond_resched();
	}
}

static int area_map(struct ref_ioas *ioas, struct ref_area *area, struct ref_hwpt *hwpt)
{
	int prot = ref_prot_to_iommu(area->prot) | IOMMU_CACHE, err;
	unsigned long at, run;

	lockdep_assert_held(&ioas->lock);
	for (at = 0; at < area->nr_pages; at += run) {
		run = ref_area_run(ioas, area, at);
		err = iommu_map(hwpt->domain, area->node.start + ((u64)at << PAGE_SHIFT),
				page_to_phys(area->pages[at]), run << PAGE_SHIFT, prot,
				GFP_KERNEL_ACCOUNT);
		if (err) {
			ref_area_unmap(ioas, area, at, hwpt);
			return err;
		}
		cond_resched();
	}
	return 0;
}

int ref_area_fill(struct ref_ioas *ioas, struct ref_area *area)
{
	struct ref_hwpt *hwpt;
	int err;

	lockdep_assert_held(&ioas->lock);
	list_for_each_entry(hwpt, &ioas->hwpts, link) {
		err = area_map(ioas, area, hwpt);
		if (err)
			goto undo;
	}
	return 0;

undo:
	list_for_each_entry_continue_reverse(hwpt, &ioas->hwpts, link)
		ref_area_unmap(ioas, area, area->nr_pages, hwpt);
	ref_ioas_sync(ioas);
	return err;
}

void ref_ioas_sync(struct ref_ioas *ioas)
{
	struct ref_hwpt *hwpt;

	lockdep_assert_held(&ioas->lock);
	list_for_each_entry(hwpt, &ioas->hwpts, link)
		ref_hwpt_sync(hwpt);
	ioas->deferred = false;
}

void ref_ioas_sync_unmap(struct ref_ioas *ioas)
{
	lockdep_assert_held(&ioas->lock);
	if (ref_bug(BUG_UNPIN_EARLY))
		ioas->deferred = true;
	else
		ref_ioas_sync(ioas);
}
