// SPDX-License-Identifier: GPL-2.0-only
/*
 * BUG_PIN_DROPPED: while the bug is on, the first page of each call that maps loses a pin, as if
 * somebody had unpinned it too often. Whoever pinned it will unpin it after its unmap, so the unmap
 * gives the pin back. Meanwhile a plain reference keeps the page: it is nobody else's, but its
 * process may get another one in its place, as at a fork.
 *
 * Small pages only: of a large folio pins are counted elsewhere.
 */
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/page_ref.h>
#include "core.h"

/* What a pin is more than a reference (folio_maybe_dma_pinned()). */
#define REF_PIN_REST (GUP_PIN_COUNTING_BIAS - 1)

void ref_pins_drop(struct ref_domain *domain, u64 iova, u64 paddr, gfp_t gfp)
{
	struct page *page = pfn_to_online_page(PHYS_PFN(paddr));

	if (!page || PageReserved(page) || PageCompound(page) ||
	    page_count(page) < GUP_PIN_COUNTING_BIAS)
		return;
	if (xa_insert(&domain->unpinned, iova >> PAGE_SHIFT, page, gfp))
		return;
	page_ref_sub(page, REF_PIN_REST);
}

void ref_pins_return(struct ref_domain *domain, u64 first, u64 last)
{
	struct page *page;
	unsigned long at;

	xa_for_each_range(&domain->unpinned, at, page, first >> PAGE_SHIFT, last >> PAGE_SHIFT) {
		xa_erase(&domain->unpinned, at);
		page_ref_add(page, REF_PIN_REST);
	}
}
