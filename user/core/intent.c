// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "intent.h"

#include <errno.h>
#include <stdlib.h>

#define PAGE_LG2 12
#define PAGE_LAST 0xfffULL

/* ---- the pages ---- */

struct gather {
	struct intent_page *pages;
	size_t count, room;
};

static int gather_page(struct gather *g, uint64_t iova, uint64_t pfn)
{
	if (g->count == g->room) {
		size_t room = g->room * 2 + 64;
		struct intent_page *more = reallocarray(g->pages, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		g->pages = more;
		g->room = room;
	}
	g->pages[g->count++] = (struct intent_page){ .iova = iova, .pfn = pfn, .state = PAGE_UNKNOWN };
	return 0;
}

static int gather_diff(void *arg, const struct diff *d)
{
	uint64_t iova = d->first;
	int err;

	if (d->kind != DIFF_PADDR)
		return 0;
	for (;;) {
		err = gather_page(arg, iova, (d->run->paddr + (iova - d->run->iova)) >> PAGE_LG2);
		if (err || (iova | PAGE_LAST) >= d->last)
			return err;
		iova = (iova | PAGE_LAST) + 1;
	}
}

static int by_pfn(const void *a, const void *b)
{
	const struct intent_page *x = *(struct intent_page *const *)a;
	const struct intent_page *y = *(struct intent_page *const *)b;

	return x->pfn < y->pfn ? -1 : x->pfn > y->pfn;
}

/* The first of @sorted that is not below @pfn. */
static size_t at_or_above(struct intent_page *const *sorted, size_t count, uint64_t pfn)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (sorted[middle]->pfn < pfn)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void count_entries(const struct reading *r, struct intent_page *const *sorted, size_t count)
{
	size_t i, at;

	for (i = 0; reading_slots(r) == BOOK_IOMMUFD && i < count; i++)
		sorted[i]->entries = 1;
	for (i = 0; reading_slots(r) == BOOK_VFIO && i < r->nruns; i++) {
		const struct walk_run *run = &r->runs[i];
		uint64_t first = run->paddr >> PAGE_LG2;
		uint64_t pages = (run->last - run->iova) >> PAGE_LG2;

		if (run->kind != WALK_LEAF)
			continue;
		for (at = at_or_above(sorted, count, first);
		     at < count && sorted[at]->pfn - first <= pages; at++)
			sorted[at]->entries++;
	}
}

int intent_pages(const struct reading *r, struct intent_page **pages, size_t *count)
{
	struct gather g = { 0 };
	struct intent_page **sorted;
	struct compared c;
	int err = reading_compare(r, BOOK_PROCESS, gather_diff, &g, &c);
	size_t i;

	if (err == -ENOENT)
		err = 0;
	sorted = err ? NULL : calloc(g.count + 1, sizeof(*sorted));
	if (!sorted) {
		free(g.pages);
		return -ENOMEM;
	}
	for (i = 0; i < g.count; i++)
		sorted[i] = &g.pages[i];
	qsort(sorted, g.count, sizeof(struct intent_page *), by_pfn);
	count_entries(r, sorted, g.count);
	free(sorted);
	*pages = g.pages;
	*count = g.count;
	return 0;
}

enum page_state intent_state(const struct intent_page *page, bool large, uint64_t pins)
{
	return pins >= (large ? 1 : page->entries) ? PAGE_PINNED : PAGE_DROPPED;
}

/* ---- the areas ---- */

/* [first, last] of @area: joined with the piece before it if that is of one kind. */
static int add_piece(struct reading *to, const struct book_area *area, uint64_t first, uint64_t last,
		     uint32_t flags)
{
	size_t n = to->nareas[BOOK_PROCESS];
	struct book_area *before = n ? &to->areas[BOOK_PROCESS][n - 1] : NULL;
	struct book_area piece = *area;

	if (before && before->first >= area->first && before->last + 1 == first &&
	    before->flags == flags) {
		before->last = last;
		return 0;
	}
	piece.first = first;
	piece.last = last;
	piece.paddr += first - area->first;
	piece.vaddr += first - area->first;
	piece.flags = flags;
	return reading_add_area(to, BOOK_PROCESS, &piece);
}

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* *@at: the first of @pages that may lie in @area. */
static int divide(struct reading *to, const struct book_area *area, const struct intent_page *pages,
		  size_t count, size_t *at)
{
	uint64_t first = area->first, last;
	enum page_state state;
	int err = 0;

	for (;; first = last + 1) {
		while (*at < count && pages[*at].iova < first)
			++*at;
		if (*at < count && pages[*at].iova == first) {
			state = pages[*at].state;
			last = lower(first | PAGE_LAST, area->last);
		} else {
			state = PAGE_PINNED;
			last = *at < count ? lower(pages[*at].iova - 1, area->last) : area->last;
		}
		if (state != PAGE_UNKNOWN)
			err = add_piece(to, area, first, last,
					state == PAGE_DROPPED ? AREA_DROPPED : 0);
		if (err || last == area->last)
			return err;
	}
}

int intent_judge(struct reading *r, const struct intent_page *pages, size_t count)
{
	struct reading to = { 0 };
	size_t i, at = 0;
	int err = 0;

	for (i = 0; i < r->nareas[BOOK_PROCESS] && !err; i++)
		err = divide(&to, &r->areas[BOOK_PROCESS][i], pages, count, &at);
	if (err) {
		reading_drain(&to);
		return err;
	}
	free(r->areas[BOOK_PROCESS]);
	r->areas[BOOK_PROCESS] = to.areas[BOOK_PROCESS];
	r->nareas[BOOK_PROCESS] = to.nareas[BOOK_PROCESS];
	r->areas_room[BOOK_PROCESS] = to.areas_room[BOOK_PROCESS];
	return 0;
}
