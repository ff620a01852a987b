/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Pages where a process means another one than the table has (BOOK_PROCESS). The process may have put another page
 * there: the one in the table stays pinned, and is nobody's danger. If it is not pinned, the kernel
 * dropped a pin of what is mapped, or mapped what it has not pinned.
 *
 * VFIO pins each page of a slot for itself, and each domain has at most one entry for it (6.1 to 7.2,
 * drivers/vfio/vfio_iommu_type1.c, vfio_pin_pages_remote()): a page to which more entries of one table lead than it
 * has pins is not pinned for all of them. iommufd's areas may share their pages, and one pin (IOMMU_IOAS_COPY; 6.12 and
 * 7.2, iommufd/pages.c, iopt_area_fill_domains()): there one pin is enough.
 */
#ifndef IOMMUSCOPE_INTENT_H
#define IOMMUSCOPE_INTENT_H

#include "reading.h"

enum page_state {
	PAGE_PINNED = 0,
	PAGE_DROPPED = 1,	/* not pinned for this entry */
	PAGE_UNKNOWN = 2,	/* no memory that is pinned: the area says nothing there */
};

/* A page of the table where the process has another. */
struct intent_page {
	uint64_t iova;
	uint64_t pfn;		/* that the table has */
	uint64_t entries;	/* of the reading that lead to it and have a pin each, by pages of 4 KiB: at least 1 */
	enum page_state state;	/* filled by the caller, see intent_state() */
};

/**
 * intent_pages() - Pages of all differences between @r's table and BOOK_PROCESS
 * @pages: filled, in rising order of iova; for free()
 *
 * Return: 0 or -ENOMEM.
 */
int intent_pages(const struct reading *r, struct intent_page **pages, size_t *count);

/**
 * intent_state() - What @page is
 * @page:  of intent_pages()
 * @large: of a large folio: @pins are of all its pages
 * @pins:  references that DMA holds
 */
enum page_state intent_state(const struct intent_page *page, bool large, uint64_t pins);

/**
 * intent_judge() - Divide the areas of BOOK_PROCESS by the state of @pages: AREA_DROPPED, or no area
 *
 * Return: 0 or -ENOMEM (@r is unchanged).
 */
int intent_judge(struct reading *r, const struct intent_page *pages, size_t count);

#endif
