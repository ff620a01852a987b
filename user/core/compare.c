// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Two sorted lists, one sweep. At each place the first of both decides how far the piece goes that both
 * sides see alike; a piece is missing, extra, or there on both sides. A piece ends only where an area or a
 * run begins or ends, so that two neighbours never are one difference.
 */
#include "reading.h"

#include <errno.h>

#define PAGE_LG2 12

struct sweep {
	const struct reading *r;
	enum book book;
	diff_fn fn;
	void *arg;
	struct compared *count;
	int err;
};

/* The allocator gives away more than is mapped; of a process's pages some cannot be seen. */
static bool may_have_more(enum book book)
{
	return book == BOOK_IOVA || book == BOOK_PROCESS;
}

/* Of pages that it cannot see, a process says nothing: whether something should be there, others know. */
static bool may_have_less(enum book book)
{
	return book == BOOK_PROCESS || book == BOOK_IOVA_TO_PHYS;
}

/* What the format does not allow is told once, by comparing with who asked; the kernel reads over it. */
static bool takes_bad(enum book book)
{
	return may_have_less(book) || book_is_oracle(book);
}

static uint64_t pages(uint64_t first, uint64_t last)
{
	return ((last - first) >> PAGE_LG2) + 1;
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

/* As span_meets(); of many spans, if they rise as who settles a reading adds them. */
static const struct read_span *flux_meets(const struct reading *r, uint64_t first, uint64_t last)
{
	size_t low = 0, high = r->nflux;

	if (r->flux_jumbled)
		return span_meets(r->flux, r->nflux, first, last);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->flux[middle].last < first)
			low = middle + 1;
		else
			high = middle;
	}
	return low < r->nflux && r->flux[low].first <= last ? &r->flux[low] : NULL;
}

/* What is still to be said of a piece. */
struct rest {
	uint64_t first;
	uint64_t last;
	bool done;
	bool flux;		/* some of it was left out */
};

/* Takes the next part off @rest that was not in flux. false: there is none. */
static bool next_settled(const struct reading *r, struct rest *rest, struct read_span *part)
{
	const struct read_span *f;

	while (!rest->done) {
		f = flux_meets(r, rest->first, rest->last);
		*part = (struct read_span){ rest->first, rest->last };
		rest->done = !f || f->last >= rest->last;
		if (!f)
			return true;
		rest->flux = true;
		if (!rest->done)
			rest->first = f->last + 1;
		if (f->first > part->first) {
			part->last = f->first - 1;
			return true;
		}
	}
	return false;
}

static void tell(struct sweep *s, const struct diff *d)
{
	s->count->diffs++;
	if (s->fn)
		s->err = s->fn(s->arg, d);
}

static void differ(struct sweep *s, enum diff_kind kind, uint64_t first, uint64_t last,
		   const struct book_area *area, const struct walk_run *run)
{
	struct diff d = { .kind = kind, .book = s->book, .area = area, .run = run };
	struct rest rest = { .first = first, .last = last };
	struct read_span part;

	while (!s->err && next_settled(s->r, &rest, &part)) {
		d.first = part.first;
		d.last = part.last;
		tell(s, &d);
	}
	s->count->flux += rest.flux;
}

/* What never settled was not compared. */
static void count_pages(struct sweep *s, uint64_t first, uint64_t last)
{
	struct rest rest = { .first = first, .last = last };
	struct read_span part;

	while (next_settled(s->r, &rest, &part))
		s->count->pages += pages(part.first, part.last);
}

/* What no book has: mapped one to one for a reserved range, or extra. */
static void only_run(struct sweep *s, uint64_t first, uint64_t last, const struct walk_run *run)
{
	const struct reading *r = s->r;
	const struct read_span *d;

	if (may_have_less(s->book))
		return;
	/* No driver writes such entries; what the hardware makes of one is not known (a circle translates). */
	if (run->kind != WALK_LEAF) {
		if (!takes_bad(s->book))
			differ(s, DIFF_BAD, first, last, NULL, run);
		return;
	}
	/* What is mapped for a reserved range is no less in the table. */
	if (book_is_oracle(s->book)) {
		differ(s, DIFF_EXTRA, first, last, NULL, run);
		return;
	}
	while (run->paddr == run->iova &&
	       (d = span_meets(r->direct, r->ndirect, first, last))) {
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

/* DIFF_KINDS: @run, at [@first, ...] inside of @area, is what that says. */
static enum diff_kind kind_of(const struct book_area *area, const struct walk_run *run, uint64_t first)
{
	uint64_t want = area->paddr + (first - area->first);

	if (area->flags & AREA_HOLE)
		return DIFF_EXTRA;
	if (area->paddr != AREA_PADDR_UNKNOWN && want != run->paddr + (first - run->iova))
		return DIFF_PADDR;
	if (area->prot & ~run->prot)
		return DIFF_PROT_LESS;
	if (area->prot && run->prot & ~area->prot & WALK_WRITE)
		return DIFF_PROT_MORE;
	return DIFF_KINDS;
}

static void both(struct sweep *s, uint64_t first, uint64_t last, const struct book_area *area,
		 const struct walk_run *run)
{
	enum diff_kind kind;

	if (run->kind != WALK_LEAF) {
		if (!takes_bad(s->book))
			differ(s, DIFF_BAD, first, last, area, run);
		return;
	}
	count_pages(s, first, last);
	kind = kind_of(area, run, first);
	if (kind != DIFF_KINDS)
		differ(s, kind, first, last, area, run);
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
	else if (a && a_first == first && a->flags & AREA_HOLE)
		count_pages(s, first, last);
	else if (a && a_first == first && !may_have_more(s->book))
		differ(s, DIFF_MISSING, first, last, a, NULL);
	else if (run && r_first == first)
		only_run(s, first, last, run);
	*at = last + 1;
	return *at && !s->err;
}

/* A place in both lists. */
struct place {
	size_t area;
	size_t run;
	uint64_t at;
};

/* Is @run the next piece, all of it, and does @area say the same? Its end is not that of the space. */
static bool is_alike(const struct book_area *area, const struct walk_run *run, uint64_t at)
{
	return run->iova == at && area->first <= at && run->last <= area->last &&
	       run->last != UINT64_MAX && run->kind == WALK_LEAF &&
	       kind_of(area, run, at) == DIFF_KINDS;
}

/*
 * Where nothing is in flux, runs that lie one behind the other in areas that say the same are only counted. Nearly all do,
 * and both lists may have millions.
 */
static void skip_alike(struct sweep *s, struct place *p)
{
	const struct book_area *areas = s->r->areas[s->book];
	const size_t nareas = s->r->nareas[s->book], nruns = s->r->nruns;

	if (s->r->nflux)
		return;
	while (p->area < nareas && p->run < nruns &&
	       is_alike(&areas[p->area], &s->r->runs[p->run], p->at)) {
		const uint64_t last = s->r->runs[p->run++].last;

		s->count->pages += pages(p->at, last);
		p->area += last == areas[p->area].last;
		p->at = last + 1;
	}
}

int reading_compare(const struct reading *r, enum book book, diff_fn fn, void *arg,
		    struct compared *count)
{
	struct sweep s = { .r = r, .book = book, .fn = fn, .arg = arg, .count = count };
	const struct book_area *areas = r->areas[book];
	struct place p = { 0 };

	*count = (struct compared){ 0 };
	if (!(r->books >> book & 1))
		return -ENOENT;
	for (;;) {
		while (p.area < r->nareas[book] && areas[p.area].last < p.at)
			p.area++;
		while (p.run < r->nruns && r->runs[p.run].last < p.at)
			p.run++;
		skip_alike(&s, &p);
		if (!step(&s, p.area < r->nareas[book] ? &areas[p.area] : NULL,
			  p.run < r->nruns ? &r->runs[p.run] : NULL, &p.at))
			return s.err;
	}
}
