// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The slow checker: pages of memory that are freed (freed-while-mapped, lazy-exposure). */
#include "reference_priv.h"

#include <stdlib.h>

#define NEVER_TICKS 4
#define NEVER_NS 2000000000ULL

/* ---- mapped ---- */

static bool page_hit(uint64_t paddr, const struct ev_page_free *e)
{
	return paddr >= e->paddr && paddr - e->paddr < e->bytes;
}

static void freed_found(struct reference *r, const struct dom *d, uint64_t first, uint64_t last,
			const char *what)
{
	struct verdict *v;
	uint64_t p;

	for (p = first; p <= last; p++) {
		v = say_of(r, FINDING_FREED_WHILE_MAPPED, d, p);
		v->what = what;
		v->first = first;
		v->last = last;
	}
}

/* Told of the mapping that holds it, as far as that reaches. 1:1 is firmware's: nobody pins it. */
static void freed_live(struct reference *r, struct dom *d, uint64_t p,
		       const struct ev_page_free *e)
{
	const struct page *g = &d->pages[p];
	uint64_t first = p, last = p;

	if (!page_hit(g->paddr, e) || g->doubtful || g->paddr == p * PAGE || !dom_inhabited(r, d))
		return;
	while (first && d->pages[first - 1].live && d->pages[first - 1].seq == g->seq)
		first--;
	while (last + 1 < REFERENCE_PAGES && d->pages[last + 1].live &&
	       d->pages[last + 1].seq == g->seq)
		last++;
	freed_found(r, d, first, last, "mapped");
}

static void soften(struct reference *r, const struct dom *d, uint64_t since, uint64_t first,
		   uint64_t last, bool live_only)
{
	size_t i;

	for (i = 0; i < r->found.count; i++) {
		struct verdict *v = &r->found.list[i];

		if (v->id == FINDING_FREED_WHILE_MAPPED && v->object == d->ptr + d->gen &&
		    v->time_ns >= since && v->first <= last && v->last >= first &&
		    (!live_only || v->what[0] == 'm'))
			v->grade = GRADE_NOTE;
	}
}

/* While an unmap of it was running, it is a note ... */
void frees_inside(struct reference *r, const struct ev_unmap *e, uint64_t first, uint64_t last)
{
	soften(r, dom_of(r, e->domain), e->op.begin_ns, first, last, true);
}

/* ... and while a device was on its way out of the domain. */
void frees_beside(struct reference *r, const struct dom *d, uint64_t since)
{
	soften(r, d, since, 0, NO_PAGE, false);
}

/* ---- unmapped, not flushed ---- */

void gone_add(struct reference *r, struct dom *d, uint64_t first, uint64_t last, uint64_t seq)
{
	if (r->ngone == r->gone_room) {
		r->gone_room = r->gone_room * 2 + 256;
		r->gone = realloc(r->gone, r->gone_room * sizeof(*r->gone));
		if (!r->gone)
			abort();
	}
	r->gone[r->ngone++] = (struct gone){ .d = d, .first = first, .last = last, .seq = seq,
					     .paddr = d->pages[first].paddr };
}

/* Does a cache owe something of [@first, @last] since the unmap @seq? */
static bool owes(const struct dom *d, unsigned int c, uint64_t first, uint64_t last, uint64_t seq,
		 bool queued, uint64_t *at)
{
	for (*at = first; *at <= last; (*at)++) {
		const struct debt *o = &d->pages[*at].debts[c];

		if (o->open && o->seq == seq && o->queued == queued)
			return true;
	}
	return false;
}

static bool owed(const struct dom *d, uint64_t first, uint64_t last, uint64_t seq, bool queued)
{
	unsigned int c;
	uint64_t at;

	for (c = 0; c < CACHES; c++)
		if (owes(d, c, first, last, seq, queued, &at))
			return true;
	return false;
}

/* ... and nobody has sent the flush yet, whose completion is another CPU's. */
static bool owed_unsent(const struct reference *r, const struct dom *d, uint64_t first,
			uint64_t last, uint64_t seq)
{
	unsigned int c;
	uint64_t at;

	for (c = 0; c < CACHES; c++)
		if (owes(d, c, first, last, seq, false, &at) && !pends(r, d, c, at))
			return true;
	return false;
}

static void tell_exposed(struct reference *r, struct exposed *x, const char *what)
{
	uint64_t p;

	if (x->said)
		return;
	x->said = true;
	for (p = x->first; p <= x->last; p++)
		say_of(r, FINDING_LAZY_EXPOSURE, x->d, p)->what = what;
}

static bool untrusted(const struct reference *r, const struct dom *d)
{
	unsigned int i;

	for (i = 0; i < r->ndevs; i++)
		if (r->devs[i].where == d && r->devs[i].flags & EV_DEV_UNTRUSTED)
			return true;
	return false;
}

static void expose(struct reference *r, struct dom *d, uint64_t first, uint64_t last, uint64_t seq)
{
	struct exposed *x;

	if (r->nexposed == r->exposed_room) {
		r->exposed_room = r->exposed_room * 2 + 64;
		r->exposed = realloc(r->exposed, r->exposed_room * sizeof(*r->exposed));
		if (!r->exposed)
			abort();
	}
	x = &r->exposed[r->nexposed++];
	*x = (struct exposed){ .open = true, .d = d, .first = first, .last = last, .seq = seq,
			       .since = r->now };
	if (untrusted(r, d))
		tell_exposed(r, x, "the device is untrusted");
}

/* The part of what @g unmapped that is freed. */
static void freed_gone(struct reference *r, const struct gone *g, const struct ev_page_free *e)
{
	uint64_t first = NO_PAGE, last = 0, p;

	for (p = g->first; p <= g->last; p++) {
		if (!page_hit(g->paddr + (p - g->first) * PAGE, e))
			continue;
		last = p;
		if (first == NO_PAGE)
			first = p;
	}
	if (first == NO_PAGE || g->d->dead)
		return;
	if (owed_unsent(r, g->d, first, last, g->seq))
		freed_found(r, g->d, g->first, g->last, "unmapped, not flushed");
	if (owed(g->d, first, last, g->seq, true))
		expose(r, g->d, first, last, g->seq);
}

void do_page_free(struct reference *r, const struct ev_page_free *e)
{
	unsigned int i;
	uint64_t p;
	size_t g;

	for (i = 0; i < r->ndoms; i++)
		for (p = 0; p < REFERENCE_PAGES && !r->doms[i]->dead; p++)
			if (r->doms[i]->pages[p].live)
				freed_live(r, r->doms[i], p, e);
	for (g = 0; g < r->ngone; g++)
		freed_gone(r, &r->gone[g], e);
}

/* ---- how long ---- */

/* A flush has reached @d: what is owed no more was reachable until now. */
void exposures_end(struct reference *r, struct dom *d)
{
	struct exposed *x = r->exposed;

	for (; x < r->exposed + r->nexposed; x++) {
		if (!x->open || x->d != d || owed(d, x->first, x->last, x->seq, true))
			continue;
		x->open = false;
		d->exposures++;
		d->bytes += (x->last - x->first + 1) * PAGE;
		if (r->now - x->since > d->longest)
			d->longest = r->now - x->since;
	}
}

/* Debts are void: how long it would have been nobody knows. */
void exposures_drop(struct reference *r, const struct dom *d, uint64_t first, uint64_t last)
{
	struct exposed *x = r->exposed;

	for (; x < r->exposed + r->nexposed; x++)
		if (x->d == d && x->first <= last && x->last >= first)
			x->open = false;
}

/* The recorder has had its turn; nobody leaves an IOMMU for so long. */
void do_tick(struct reference *r)
{
	struct exposed *x = r->exposed;

	judge_leavers(r, NULL);
	for (; x < r->exposed + r->nexposed; x++)
		if (x->open && ++x->ticks >= NEVER_TICKS && r->now - x->since > NEVER_NS)
			tell_exposed(r, x, "never flushed");
}

/* A DMA that went through where a block of memory was freed and not flushed. */
void do_ref_dma(struct reference *r, const struct ev_ref_dma *e)
{
	struct dom *d = dev_of(r, e->dev)->where;
	struct exposed *x = r->exposed;

	for (; x < r->exposed + r->nexposed && !(e->result & 1); x++)
		if (x->open && x->d == d && x->first <= e->last / PAGE &&
		    x->last >= e->first / PAGE)
			tell_exposed(r, x, "the device used it");
}

static void tell_figure(struct reference *r, const struct dom *d, const char *what, uint64_t value)
{
	struct verdict *v = say_of(r, FINDING_LAZY_EXPOSURE, d, value);

	v->grade = GRADE_EXPOSURE;
	v->what = what;
}

/* At the end, of each domain: how many, how much, how long. */
void tell_exposures(struct reference *r)
{
	unsigned int i;

	for (i = 0; i < r->ndoms; i++) {
		const struct dom *d = r->doms[i];

		if (!d->exposures)
			continue;
		tell_figure(r, d, "count", d->exposures);
		tell_figure(r, d, "bytes", d->bytes);
		tell_figure(r, d, "longest_ns", d->longest);
	}
}
