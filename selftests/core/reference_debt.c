// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The slow checker: stale-iotlb, flush-short, table-freed-early, map-not-synced. */
#include "reference_priv.h"

/* All that was unmapped in one call, side by side, and is still owed: [first, last] around @p. */
static void run_around(const struct dom *d, unsigned int c, uint64_t p, uint64_t *first,
		       uint64_t *last)
{
	uint64_t seq = d->pages[p].debts[c].seq;

	for (*first = p; *first; (*first)--) {
		const struct debt *o = &d->pages[*first - 1].debts[c];

		if (!o->open || o->seq != seq)
			break;
	}
	for (*last = p; *last + 1 < REFERENCE_PAGES; (*last)++) {
		const struct debt *o = &d->pages[*last + 1].debts[c];

		if (!o->open || o->seq != seq)
			break;
	}
}

/* One finding says that it was not flushed, whatever became of its tables until then. */
static void fold_tables(struct reference *r, const struct dom *d, uint32_t did, uint64_t first,
			uint64_t last, uint64_t since)
{
	struct early *t = r->early;

	for (; t < r->early + r->nearly; t++)
		if (t->d == d && t->did == did && t->first <= last && first <= t->last &&
		    t->told >= since)
			t->folded = true;
}

void accuse(struct reference *r, struct dom *d, unsigned int c, uint64_t p)
{
	struct debt *o = &d->pages[p].debts[c];
	uint64_t first, last, i;

	if (!o->open || o->said)
		return;
	run_around(d, c, p, &first, &last);
	for (i = first; i <= last; i++) {
		d->pages[i].debts[c].said = true;
		say_of(r, o->partly ? FINDING_FLUSH_SHORT : FINDING_STALE_IOTLB, d, i)->cache =
			d->caches[c].id;
	}
	if (d->caches[c].of == OF_IOTLB)
		fold_tables(r, d, d->caches[c].id, first, last, o->begin);
}

/* What is left of a run that was reached in part has been reached in part. */
static void pay_in(struct reference *r, struct dom *d, unsigned int c, const struct flushed *f)
{
	uint64_t p, i, first, last;
	uint64_t from = f->whole ? 0 : f->first;
	uint64_t to = f->whole || f->last >= REFERENCE_PAGES ? REFERENCE_PAGES - 1 : f->last;

	for (p = from; p <= to; p++) {
		if (!d->pages[p].debts[c].open || d->pages[p].debts[c].begin > f->begin)
			continue;
		run_around(d, c, p, &first, &last);
		for (i = first; i <= last; i++)
			d->pages[i].debts[c].partly = true;
		p = last;
	}
	for (p = from; p <= to; p++) {
		if (!d->pages[p].debts[c].open || d->pages[p].debts[c].begin > f->begin)
			continue;
		d->pages[p].debts[c].open = false;
	}
	exposures_end(r, d);
}

bool pends(const struct reference *r, const struct dom *d, unsigned int c, uint64_t p)
{
	uint64_t first, last;
	size_t i;

	run_around(d, c, p, &first, &last);
	for (i = r->nflushes; i-- > 0 && !r->flushes[i].end;) {
		const struct flushed *f = &r->flushes[i];

		if (f->begin >= d->pages[p].debts[c].begin && flush_hits(f, &d->caches[c]) &&
		    (f->whole || (f->first <= last && first <= f->last)))
			return true;
	}
	return false;
}

void pay(struct reference *r, const struct flushed *f)
{
	unsigned int i, c;

	for (i = 0; i < r->ndoms; i++)
		for (c = 0; c < CACHES && !r->doms[i]->dead; c++)
			if (flush_hits(f, &r->doms[i]->caches[c]))
				pay_in(r, r->doms[i], c, f);
}

/* Flushes inside the call were heard before it ended. */
void pay_inside(struct reference *r, struct dom *d, const struct ev_unmap *e)
{
	unsigned int c;
	size_t i;

	for (i = r->nflushes; i-- > 0;) {
		const struct flushed *f = &r->flushes[i];

		if (f->end && f->end < e->op.begin_ns)
			break;
		for (c = 0; c < CACHES && f->end; c++)
			if (f->begin >= e->op.begin_ns && flush_hits(f, &d->caches[c]))
				pay_in(r, d, c, f);
	}
}

void open_debts(struct dom *d, uint64_t p, const struct ev_unmap *e)
{
	unsigned int c;

	for (c = 0; c < CACHES; c++) {
		if (!d->caches[c].used || d->caches[c].since >= e->op.begin_ns)
			continue;
		d->pages[p].debts[c] = (struct debt){
			.open = true,
			.begin = e->op.begin_ns,
			.end = e->op.h.time_ns,
			.seq = e->op.h.seq,
			.cause = e->op.cause,
			.queued = e->op.h.flags & EVF_QUEUED,
		};
	}
}

/* ---- tables ---- */

/*
 * Was a single byte of [@first, @last] named since then, by a command that is not for leaves? Of one
 * that is not waited for yet (AMD-Vi) nobody knows.
 */
static bool named(const struct reference *r, const struct cache *c, uint64_t first, uint64_t last,
		  uint64_t since)
{
	size_t i;

	for (i = r->nflushes; i-- > 0;) {
		const struct flushed *f = &r->flushes[i];

		if (f->end && f->end < since)
			break;
		if (f->begin >= since && flush_hits(f, c) && !f->leaves &&
		    (f->whole || (f->first <= last && first <= f->last)))
			return true;
	}
	return false;
}

/*
 * What the table may have translated. A gather that is synced inside an unmap call holds less than
 * any table translates here: so the table is of what the call has reached behind it.
 */
static uint64_t table_span(const struct ev_table *e, uint64_t *first, uint64_t *last)
{
	*first = e->first / PAGE;
	*last = e->last / PAGE;
	if (!(e->what & EV_TABLE_IN_UNMAP))
		return e->unlinked_ns;
	*first = *last + 1;
	*last = e->call_last / PAGE;
	return e->call_begin_ns;
}

void do_table(struct reference *r, const struct ev_table *e)
{
	struct dom *d = dom_of(r, e->domain);
	uint64_t first, last, since = table_span(e, &first, &last);
	unsigned int c;

	for (c = 0; c < CACHES; c++) {
		const struct cache *k = &d->caches[c];

		if (!k->used || k->of != OF_IOTLB || k->since >= since ||
		    named(r, k, first, last, since))
			continue;
		if (r->nearly == sizeof(r->early) / sizeof(r->early[0]))
			return;
		r->early[r->nearly++] = (struct early){ .d = d, .first = first, .last = last,
							.told = r->now, .did = k->id };
	}
}

void tell_tables(struct reference *r)
{
	const struct early *t = r->early;
	uint64_t p;

	for (; t < r->early + r->nearly; t++)
		for (p = t->first; p <= t->last && !t->folded; p++)
			say_of(r, FINDING_TABLE_FREED_EARLY, t->d, p)->cache = t->did;
}

/* ---- maps in caching mode ---- */

static bool covered(const struct reference *r, const struct cache *c, uint64_t page,
		    uint64_t since)
{
	size_t i;

	for (i = r->nflushes; i-- > 0;) {
		const struct flushed *f = &r->flushes[i];

		if (f->end && f->end < since)
			break;
		if (f->end && f->begin >= since && flush_hits(f, c) &&
		    (f->whole || (page >= f->first && page <= f->last)))
			return true;
	}
	return false;
}

static void synced_page(struct reference *r, const struct deed *n, const struct cache *k)
{
	struct verdict *v;
	bool told = false;
	uint64_t p;

	if (!k->used || !k->caching || k->since >= n->begin ||
	    covered(r, k, n->page, n->begin))
		return;
	for (p = n->first; p <= n->last; p++)
		told |= covered(r, k, p, n->begin);
	v = say_of(r, FINDING_MAP_NOT_SYNCED, n->d, n->page);
	v->cache = k->id;
	v->what = told ? "short" : "none";
}

/* What a cache remembers as not mapped must be told of a map before anybody uses it. */
void judge_synced(struct reference *r, const struct deed *n)
{
	const struct page *page = &n->d->pages[n->page];
	unsigned int c;

	for (c = 0; c < CACHES && page->live && page->seq == n->seq && !n->d->dead; c++)
		synced_page(r, n, &n->d->caches[c]);
}

void judge_synced_in(struct reference *r, uint64_t id)
{
	const struct deed *n;

	for (n = r->deeds; n && r->nosync; n = n->next)
		if (n->cause == id && n->map)
			judge_synced(r, n);
}
