// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Two sorted lists, one sweep. At each place the first of both decides how far the piece goes that both
 * sides see alike; a piece is missing, extra, or there on both sides. Neighbouring pieces of one kind
 * and of the same area and run are told as one.
 */
#include "reading.h"

#define PAGE_LG2 12

struct sweep {
	const struct reading *r;
	enum book book;
	diff_fn fn;
	void *arg;
	struct compared *count;
	struct diff held;	/* the last difference, which may go on */
	bool holds;
	int err;
};

static bool contains_only(enum book book)
{
	return book == BOOK_IOVA;
}

static uint64_t pages(uint64_t first, uint64_t last)
{
	return ((last - first) >> PAGE_LG2) + 1;
}

static void tell(struct sweep *s)
{
	if (!s->holds)
		return;
	s->holds = false;
	s->count->diffs++;
	if (s->fn && !s->err)
		s->err = s->fn(s->arg, &s->held);
}

static bool goes_on(const struct diff *d, const struct diff *next)
{
	return d->kind == next->kind && d->area == next->area && d->run == next->run &&
	       d->last + 1 == next->first;
}

static void add(struct sweep *s, const struct diff *d)
{
	if (s->holds && goes_on(&s->held, d)) {
		s->held.last = d->last;
		return;
	}
	tell(s);
	s->held = *d;
	s->holds = true;
}

/* The lowest span that meets [first, last], or NULL. Spans are few. */
static const struct read_span *span_meets(const struct read_span *spans, size_t count, uint64_t first,
				     uint64_t last)
{
	const struct read_span *found = NULL;
	size_t i;

	for (i = 0; i < count; i++)
		if (spans[i].first <= last && spans[i].last >= first &&
		    (!found || spans[i].first < found->first))
			found = &spans[i];
	return found;
}

/* [d->first, d->last] without what was in flux. */
static void add_settled(struct sweep *s, struct diff d)
{
	const struct reading *r = s->r;
	const struct read_span *f;
	uint64_t last = d.last;

	while ((f = span_meets(r->flux, r->nflux, d.first, last))) {
		s->count->flux++;
		if (f->first > d.first) {
			d.last = f->first - 1;
			add(s, &d);
		}
		if (f->last >= last)
			return;
		d.first = f->last + 1;
	}
	d.last = last;
	add(s, &d);
}

static void differ(struct sweep *s, enum diff_kind kind, uint64_t first, uint64_t last,
		   const struct book_area *area, const struct walk_run *run)
{
	add_settled(s, (struct diff){ .kind = kind, .book = s->book, .first = first, .last = last,
				      .area = area, .run = run });
}

/* What no book has: mapped one to one for a reserved range, or extra. */
static void only_run(struct sweep *s, uint64_t first, uint64_t last, const struct walk_run *run)
{
	const struct reading *r = s->r;
	const struct read_span *d;

	if (run->kind != WALK_LEAF)
		return;		/* nothing is translated, and nothing should be */
	while ((d = span_meets(r->direct, r->ndirect, first, last)) && run->paddr == run->iova) {
		if (d->first > first)
			differ(s, DIFF_EXTRA, first, d->first - 1, NULL, run);
		else
			s->count->direct += pages(first, d->last < last ? d->last : last);
		if (d->first <= first && d->last >= last)
			return;
		first = d->first > first ? d->first : d->last + 1;
	}
	differ(s, DIFF_EXTRA, first, last, NULL, run);
}

static void both(struct sweep *s, uint64_t first, uint64_t last, const struct book_area *area,
		 const struct walk_run *run)
{
	uint64_t want;

	if (run->kind != WALK_LEAF) {
		differ(s, DIFF_BAD, first, last, area, run);
		return;
	}
	s->count->pages += pages(first, last);
	want = area->paddr + (first - area->first);
	if (area->paddr != AREA_PADDR_UNKNOWN && want != run->paddr + (first - run->iova))
		differ(s, DIFF_PADDR, first, last, area, run);
	else if (area->prot & ~run->prot)
		differ(s, DIFF_PROT_LESS, first, last, area, run);
	else if (area->prot && run->prot & ~area->prot & WALK_WRITE)
		differ(s, DIFF_PROT_MORE, first, last, area, run);
}

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* One piece from *@at on. false: both lists are at their end, or the space is. */
static bool step(struct sweep *s, const struct book_area *a, const struct walk_run *run, uint64_t *at)
{
	uint64_t a_first = a && a->first > *at ? a->first : *at;
	uint64_t r_first = run && run->iova > *at ? run->iova : *at;
	uint64_t first, last;

	if (!a && !run)
		return false;
	first = !a ? r_first : !run ? a_first : lower(a_first, r_first);
	last = ~0ULL;
	if (a)
		last = a_first > first ? a_first - 1 : a->last;
	if (run)
		last = lower(last, r_first > first ? r_first - 1 : run->last);
	if (a && a_first == first && run && r_first == first)
		both(s, first, last, a, run);
	else if (a && a_first == first && !contains_only(s->book))
		differ(s, DIFF_MISSING, first, last, a, NULL);
	else if (run && r_first == first)
		only_run(s, first, last, run);
	*at = last + 1;
	return *at && !s->err;
}

int reading_compare(const struct reading *r, enum book book, diff_fn fn, void *arg,
		    struct compared *count)
{
	struct sweep s = { .r = r, .book = book, .fn = fn, .arg = arg, .count = count };
	size_t a = 0, run = 0;
	uint64_t at = 0;

	*count = (struct compared){ 0 };
	for (;;) {
		while (a < r->nareas[book] && r->areas[book][a].last < at)
			a++;
		while (run < r->nruns && r->runs[run].last < at)
			run++;
		if (!step(&s, a < r->nareas[book] ? &r->areas[book][a] : NULL,
			  run < r->nruns ? &r->runs[run] : NULL, &at))
			break;
	}
	tell(&s);
	return s.err;
}
