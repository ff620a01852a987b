// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The slow checker: maps and unmaps as they happen (map-overlap, unmap-short, unmap-nothing). */
#include "reference_priv.h"

#include <stdlib.h>

void deed(struct reference *r, const struct deed *like)
{
	struct deed *n;

	if (!like->cause)
		return;
	n = malloc(sizeof(*n));
	if (!n)
		abort();
	*n = *like;
	n->next = r->deeds;
	r->deeds = n;
}

void forget_deeds(struct reference *r, uint64_t id)
{
	struct deed **at = &r->deeds, *n;

	while ((n = *at)) {
		if (n->cause != id) {
			at = &n->next;
			continue;
		}
		*at = n->next;
		free(n);
	}
}

/* Told with the first mapping that is hit, as far as it reaches. */
static void judge_overlap(struct reference *r, struct dom *d, uint64_t first, uint64_t end)
{
	uint64_t p = first, seq;

	while (p < end && (!d->pages[p].live || d->pages[p].doubtful))
		p++;
	if (p == end)
		return;
	for (seq = d->pages[p].seq; p < end && d->pages[p].live && d->pages[p].seq == seq; p++)
		say_of(r, FINDING_MAP_OVERLAP, d, p);
}

static void map_page(struct reference *r, struct dom *d, uint64_t p, const struct ev_map *e)
{
	struct page *page = &d->pages[p];
	bool again = page->live;
	struct deed n = { .cause = e->op.cause, .d = d, .page = p, .map = true,
			  .seq = e->op.h.seq, .prot = e->prot, .begin = e->op.begin_ns,
			  .first = e->iova / PAGE, .last = (e->iova + e->size - 1) / PAGE };

	exposures_drop(r, d, p, p);
	*page = (struct page){
		.live = true,
		.doubtful = again,
		.begin = e->op.begin_ns,
		.end = e->op.h.time_ns,
		.seq = e->op.h.seq,
		.cause = e->op.cause,
		.paddr = e->paddr + (p * PAGE - e->iova),
	};
	if (!r->nosync)
		judge_synced(r, &n);
	deed(r, &n);
}

/* In an intent whose map fails, what follows is its undoing. */
static void map_failed(struct reference *r, struct dom *d, const struct ev_map *e)
{
	uint64_t first = e->iova / PAGE, last = first + e->size / PAGE - 1, p;

	r->facts.failed_cause = e->op.cause;
	r->facts.failed_ret = e->ret;
	r->facts.failed_over_nothing = d->born;
	for (p = first; p <= last; p++)
		if (d->pages[p].live)
			r->facts.failed_over_nothing = false;
}

void do_map(struct reference *r, const struct ev_map *e)
{
	struct dom *d = dom_of(r, e->domain);
	uint64_t first = e->iova / PAGE, last = first + e->size / PAGE - 1, p;
	bool doubtful = false;
	unsigned int c;

	if (e->ret) {
		map_failed(r, d, e);
		return;
	}
	judge_outside(r, d, e);
	judge_overlap(r, d, first, last + 1);
	for (p = first; p <= last; p++)
		for (c = 0; c < CACHES; c++)
			accuse(r, d, c, p);
	for (p = first; p <= last; p++) {
		map_page(r, d, p, e);
		doubtful |= d->pages[p].doubtful;
	}
	/* A map over something is in doubt as a whole. */
	for (p = first; p <= last && doubtful; p++)
		d->pages[p].doubtful = true;
}

/* Was all of it live, in whole mappings? */
static bool whole(const struct dom *d, uint64_t first, uint64_t last)
{
	uint64_t p;

	for (p = first; p <= last; p++)
		if (!d->pages[p].live || d->pages[p].doubtful)
			return false;
	if (first && d->pages[first - 1].live && d->pages[first - 1].seq == d->pages[first].seq)
		return false;
	return last + 1 == REFERENCE_PAGES || !d->pages[last + 1].live ||
	       d->pages[last + 1].seq != d->pages[last].seq;
}

/*
 * From where an unmap did nothing any more, the mappings are in doubt as far as they reach: what
 * something else has cut off before was not hit.
 */
static void doubt(struct dom *d, uint64_t first, uint64_t last)
{
	uint64_t p, q;

	for (p = first; p <= last; p++) {
		if (!d->pages[p].live)
			continue;
		for (q = p; d->pages[q].live && d->pages[q].seq == d->pages[p].seq; q--) {
			d->pages[q].doubtful = true;
			if (!q)
				break;
		}
		for (q = p; q < REFERENCE_PAGES && d->pages[q].live &&
			    d->pages[q].seq == d->pages[p].seq; q++)
			d->pages[q].doubtful = true;
	}
}

/* A note, unless it is the undoing of a replay that failed. */
static void judge_nothing(struct reference *r, const struct dom *d, const struct ev_unmap *e)
{
	uint64_t first = e->iova / PAGE, last = first + e->size / PAGE - 1, p;

	if (!d->born || !e->size || (e->op.cause && e->op.cause == r->facts.failed_cause))
		return;
	for (p = first; p <= last; p++)
		if (d->pages[p].live)
			return;
	say_of(r, FINDING_UNMAP_NOTHING, d, NO_PAGE)->grade = GRADE_NOTE;
}

static void unmap_page(struct reference *r, struct dom *d, uint64_t p, const struct ev_unmap *e)
{
	struct page *page = &d->pages[p];

	if (!page->live)
		return;
	if (!page->doubtful) {
		open_debts(d, p, e);
		deed(r, &(struct deed){ .cause = e->op.cause, .d = d, .page = p,
					.seq = e->op.h.seq, .mapped_by = page->cause });
	}
	page->live = false;
	page->doubtful = false;
}

/* What it removes of each map, for when the memory is freed. */
static void note_gone(struct reference *r, struct dom *d, uint64_t first, uint64_t end, uint64_t seq)
{
	uint64_t p, last;

	for (p = first; p < end; p = last + 1) {
		last = p;
		if (!d->pages[p].live || d->pages[p].doubtful)
			continue;
		while (last + 1 < end && d->pages[last + 1].live &&
		       d->pages[last + 1].seq == d->pages[p].seq)
			last++;
		gone_add(r, d, p, last, seq);
	}
}

void do_unmap(struct reference *r, const struct ev_unmap *e)
{
	struct dom *d = dom_of(r, e->domain);
	uint64_t first = e->iova / PAGE, last = first + e->size / PAGE - 1, p;
	uint64_t end = first + e->done / PAGE;
	bool sync = !(e->op.h.flags & (EVF_FAST | EVF_QUEUED));
	unsigned int c;

	judge_nothing(r, d, e);
	if (end <= last) {
		if (whole(d, first, last))
			for (p = end; p <= last; p++)
				say_of(r, FINDING_UNMAP_SHORT, d, p);
		doubt(d, end, last);
	}
	frees_inside(r, e, first, last);
	note_gone(r, d, first, end, e->op.h.seq);
	for (p = first; p < end; p++)
		unmap_page(r, d, p, e);
	pay_inside(r, d, e);
	for (p = first; p < end && sync; p++)
		for (c = 0; c < CACHES; c++)
			if (d->pages[p].debts[c].seq == e->op.h.seq && !pends(r, d, c, p))
				accuse(r, d, c, p);
}
