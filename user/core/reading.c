// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "reading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

void reading_init(struct reading *r)
{
	memset(r, 0, sizeof(*r));
}

void reading_drain(struct reading *r)
{
	unsigned int i;

	free(r->runs);
	for (i = 0; i < BOOK_COUNT; i++)
		free(r->areas[i]);
	free(r->flux);
	free(r->direct);
	reading_init(r);
}

/* Room for one more of @size bytes in *@array. */
static int grow(void **array, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 64;
	void *bigger;

	if (count < *room)
		return 0;
	bigger = reallocarray(*array, more, size);
	if (!bigger)
		return -ENOMEM;
	*array = bigger;
	*room = more;
	return 0;
}

int reading_add_run(struct reading *r, const struct walk_run *run)
{
	if (run->last < run->iova || (r->nruns && run->iova <= r->runs[r->nruns - 1].last))
		return -EINVAL;
	if (grow((void **)&r->runs, r->nruns, &r->runs_room, sizeof(*run)))
		return -ENOMEM;
	r->runs[r->nruns++] = *run;
	return 0;
}

/* What a newer version calls by other numbers is no leaf, and allows nothing more than we know. */
int reading_add_record(struct reading *r, const struct ev_run *run)
{
	const struct walk_run add = {
		.iova = run->iova, .last = run->last, .paddr = run->paddr, .raw = run->raw,
		.entry_paddr = run->entry_paddr, .level = run->level, .page_lg2 = run->page_lg2,
		.prot = run->prot & (WALK_READ | WALK_WRITE),
		.kind = run->kind < WALK_KINDS ? run->kind : WALK_BAD_RESERVED,
	};

	return reading_add_run(r, &add);
}

int reading_add_area(struct reading *r, enum book book, const struct book_area *area)
{
	size_t n;

	if (book >= BOOK_COUNT || area->last < area->first)
		return -EINVAL;
	n = r->nareas[book];
	if (n && area->first <= r->areas[book][n - 1].last)
		return -EINVAL;
	if (grow((void **)&r->areas[book], n, &r->areas_room[book], sizeof(*area)))
		return -ENOMEM;
	r->areas[book][r->nareas[book]++] = *area;
	r->books |= 1U << book;
	return 0;
}

static int add_span(struct read_span **spans, size_t *count, size_t *room, uint64_t first, uint64_t last)
{
	if (last < first)
		return -EINVAL;
	if (grow((void **)spans, *count, room, sizeof(**spans)))
		return -ENOMEM;
	(*spans)[(*count)++] = (struct read_span){ first, last };
	return 0;
}

int reading_add_flux(struct reading *r, uint64_t first, uint64_t last)
{
	if (r->nflux && first <= r->flux[r->nflux - 1].last)
		r->flux_jumbled = true;
	return add_span(&r->flux, &r->nflux, &r->flux_room, first, last);
}

int reading_add_direct(struct reading *r, uint64_t first, uint64_t last)
{
	return add_span(&r->direct, &r->ndirect, &r->direct_room, first, last);
}

enum book reading_slots(const struct reading *r)
{
	return r->books >> BOOK_IOMMUFD & 1 ? BOOK_IOMMUFD : BOOK_VFIO;
}

const char *book_name(enum book book)
{
	static const char *const names[] = {
		[BOOK_VFIO] = "VFIO's list",
		[BOOK_IOVA] = "the DMA API's allocator",
		[BOOK_IOMMUFD] = "iommufd's areas",
		[BOOK_MODEL] = "the trace",
		[BOOK_FILE] = "the file",
		[BOOK_PROCESS] = "process's pages",
		[BOOK_IOVA_TO_PHYS] = "iommu_iova_to_phys()",
		[BOOK_DEBUGFS] = "Intel's debugfs",
	};

	return names[book];
}

const char *diff_name(enum diff_kind kind)
{
	static const char *const names[] = {
		[DIFF_MISSING] = "missing",
		[DIFF_EXTRA] = "extra",
		[DIFF_PADDR] = "leads elsewhere",
		[DIFF_PROT_LESS] = "less permission",
		[DIFF_PROT_MORE] = "more permission",
		[DIFF_BAD] = "malformed",
	};

	return names[kind];
}

static int compare_spans(const void *a, const void *b)
{
	const struct read_span *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

size_t spans_order(struct read_span *spans, size_t count)
{
	size_t i, n = 0;

	if (count)
		qsort(spans, count, sizeof(*spans), compare_spans);
	for (i = 0; i < count; i++) {
		if (!n || spans[i].first > spans[n - 1].last)
			spans[n++] = spans[i];
		else if (spans[i].last > spans[n - 1].last)
			spans[n - 1].last = spans[i].last;
	}
	return n;
}
