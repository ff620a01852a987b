// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "reference.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/event.h"
#include "core/report.h"

#define PAGE 4096ULL
#define DOMAINS 256
#define CACHES 16
#define ENTRIES 256
#define SLOTS 64

/* What an unmap left in one cache, of one page. */
struct debt {
	bool open;
	bool partly;		/* of what was unmapped with it, a flush has reached a part */
	bool said;
	uint64_t begin, end;	/* of the unmap */
	uint64_t seq;
	uint64_t cause;
	bool queued;
};

struct page {
	bool live;
	bool doubtful;		/* an unmap did less here than it was asked to */
	uint64_t begin, end;	/* of the map */
	uint64_t seq;
	uint64_t cause;
	struct debt debts[CACHES];
};

struct cache {
	bool used;
	uint64_t iommu;
	uint32_t did;
	uint64_t since;
	uint32_t users;		/* bits of devices */
};

struct dom {
	uint64_t ptr;
	uint32_t gen;
	bool dead;
	struct cache caches[CACHES];
	struct page pages[REFERENCE_PAGES];
};

/* A mapping of the DMA API. */
struct entry {
	bool live, gone;
	uint64_t dev, addr, size, id;
	uint32_t dir, kind, nents;
};

struct slot {
	bool live;
	uint64_t container, first, last, id;
};

/* What an intent did, in pages, until its own record comes. */
struct deed {
	uint64_t cause;
	struct dom *d;
	uint64_t page;
	bool map;
	uint64_t seq;
	uint32_t prot;		/* maps */
	uint64_t mapped_by;	/* unmaps: the cause of what was there */
	struct deed *next;
};

struct flushed {
	uint64_t iommu, begin, end;
	uint32_t did;
	bool all;		/* of the IOMMU */
	uint64_t first, last;	/* pages */
};

struct reference {
	struct dom *doms[DOMAINS];
	unsigned int ndoms;
	uint64_t devs[32];
	struct dom *where[32];
	unsigned int ndevs;
	struct entry entries[ENTRIES];
	struct slot slots[SLOTS];
	struct deed *deeds;
	struct flushed *flushes;
	size_t nflushes;
	struct verdicts found;
};

/* ---- verdicts ---- */

void verdicts_add(struct verdicts *v, uint32_t id, uint64_t object, uint64_t page)
{
	if (v->count == v->room) {
		v->room = v->room * 2 + 64;
		v->list = realloc(v->list, v->room * sizeof(*v->list));
		if (!v->list)
			abort();
	}
	v->list[v->count++] = (struct verdict){ .id = id, .object = object, .page = page };
}

static int compare(const void *a, const void *b)
{
	const struct verdict *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	return x->page < y->page ? -1 : x->page > y->page;
}

void verdicts_settle(struct verdicts *v)
{
	size_t i, n = 0;

	qsort(v->list, v->count, sizeof(*v->list), compare);
	for (i = 0; i < v->count; i++) {
		if (!n || compare(&v->list[n - 1], &v->list[i]))
			v->list[n++] = v->list[i];
	}
	v->count = n;
}

void verdicts_free(struct verdicts *v)
{
	free(v->list);
	memset(v, 0, sizeof(*v));
}

static void say(struct reference *r, uint32_t id, const struct dom *d, uint64_t page)
{
	verdicts_add(&r->found, id, d->ptr + d->gen, page);
}

/* ---- who is who ---- */

static struct dom *dom_of(struct reference *r, uint64_t ptr)
{
	unsigned int i, gen = 0;
	struct dom *d;

	for (i = 0; i < r->ndoms; i++) {
		if (r->doms[i]->ptr != ptr)
			continue;
		if (!r->doms[i]->dead)
			return r->doms[i];
		gen = r->doms[i]->gen;
	}
	d = calloc(1, sizeof(*d));
	if (!d || r->ndoms == DOMAINS)
		abort();
	d->ptr = ptr;
	d->gen = gen + 1;
	r->doms[r->ndoms++] = d;
	return d;
}

static unsigned int dev_of(struct reference *r, uint64_t ptr)
{
	unsigned int i;

	for (i = 0; i < r->ndevs && r->devs[i] != ptr; i++)
		;
	if (i == r->ndevs)
		r->devs[r->ndevs++] = ptr;
	return i;
}

static void cache_gone(struct dom *d, unsigned int c)
{
	unsigned int p;

	d->caches[c].used = false;
	for (p = 0; p < REFERENCE_PAGES; p++)
		d->pages[p].debts[c].open = false;
}

static void dom_end(struct reference *r, struct dom *d)
{
	unsigned int i;

	for (i = 0; i < CACHES; i++)
		cache_gone(d, i);
	for (i = 0; i < r->ndevs; i++)
		if (r->where[i] == d)
			r->where[i] = NULL;
	d->dead = true;
}

static void do_tag(struct reference *r, uint64_t domain, uint64_t dev, uint64_t iommu, uint32_t did,
		   uint64_t now)
{
	struct dom *d = dom_of(r, domain);
	unsigned int c, empty = CACHES;

	for (c = 0; c < CACHES; c++) {
		if (!d->caches[c].used)
			empty = c;
		else if (d->caches[c].iommu == iommu && d->caches[c].did == did)
			break;
	}
	if (c == CACHES) {
		c = empty;
		d->caches[c] = (struct cache){ .used = true, .iommu = iommu, .did = did,
					       .since = now };
	}
	d->caches[c].users |= 1U << dev_of(r, dev);
}

/* The device leaves the caches of all other domains; one without devices is gone. */
static void do_attach(struct reference *r, const struct ev_attach *e)
{
	unsigned int dev = dev_of(r, e->dev), i, c;
	struct dom *to = e->domain ? dom_of(r, e->domain) : NULL;

	for (i = 0; i < r->ndoms; i++) {
		struct dom *d = r->doms[i];

		for (c = 0; c < CACHES && d != to; c++) {
			if (!d->caches[c].used || !(d->caches[c].users >> dev & 1))
				continue;
			d->caches[c].users &= ~(1U << dev);
			if (!d->caches[c].users)
				cache_gone(d, c);
		}
	}
	r->where[dev] = to;
}

static void do_free(struct reference *r, const struct ev_domain_op *e)
{
	struct dom *d = dom_of(r, e->domain);
	unsigned int i;

	for (i = 0; i < r->ndevs; i++)
		if (r->where[i] == d)
			say(r, FINDING_LEAK_ON_FREE, d, ~0ULL);
	dom_end(r, d);
}

/* ---- debts ---- */

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

static void accuse(struct reference *r, struct dom *d, unsigned int c, uint64_t p)
{
	struct debt *o = &d->pages[p].debts[c];
	uint64_t first, last, i;

	if (!o->open || o->said)
		return;
	run_around(d, c, p, &first, &last);
	for (i = first; i <= last; i++) {
		d->pages[i].debts[c].said = true;
		say(r, o->partly ? FINDING_FLUSH_SHORT : FINDING_STALE_IOTLB, d, i);
	}
}

static bool flush_hits(const struct flushed *f, const struct cache *c)
{
	return c->used && f->iommu == c->iommu && (f->all || f->did == c->did);
}

/* What is left of a run that was reached in part has been reached in part. */
static void pay(struct dom *d, unsigned int c, const struct flushed *f)
{
	uint64_t p, i, first, last;

	for (p = 0; p < REFERENCE_PAGES; p++) {
		if (!d->pages[p].debts[c].open || p < f->first || p > f->last ||
		    d->pages[p].debts[c].begin > f->begin)
			continue;
		run_around(d, c, p, &first, &last);
		for (i = first; i <= last; i++)
			d->pages[i].debts[c].partly = true;
	}
	for (p = f->first; p <= f->last && p < REFERENCE_PAGES; p++)
		if (d->pages[p].debts[c].begin <= f->begin)
			d->pages[p].debts[c].open = false;
}

static void do_flush(struct reference *r, const struct flushed *f)
{
	unsigned int i, c;

	r->flushes = realloc(r->flushes, (r->nflushes + 1) * sizeof(*f));
	if (!r->flushes)
		abort();
	r->flushes[r->nflushes++] = *f;
	for (i = 0; i < r->ndoms; i++)
		for (c = 0; c < CACHES; c++)
			if (flush_hits(f, &r->doms[i]->caches[c]))
				pay(r->doms[i], c, f);
}

/* VT-d 6.5.2.3: granularity in bits 4 and 5, domain id in 16 to 31, address mask in qw1. */
static void do_qi(struct reference *r, const struct ev_qi *e)
{
	uint64_t pages = 1ULL << (e->qw1 & 0x3f), at = e->qw1 / PAGE;
	struct flushed f = {
		.iommu = e->iommu, .begin = e->begin_ns, .end = e->h.time_ns,
		.did = e->qw0 >> 16 & 0xffff, .last = REFERENCE_PAGES - 1,
	};

	if ((e->qw0 & 0xf) != 2)
		return;
	f.all = (e->qw0 >> 4 & 3) == 1;
	if ((e->qw0 >> 4 & 3) == 3) {
		f.first = at / pages * pages;
		f.last = f.first + pages - 1;
	}
	do_flush(r, &f);
}

static void do_ref_flush(struct reference *r, const struct ev_ref_flush *e)
{
	struct flushed f = {
		.iommu = e->instance + 1ULL, .begin = e->begin_ns, .end = e->h.time_ns,
		.did = e->did, .last = REFERENCE_PAGES - 1,
	};

	if (e->kind == EV_REF_FLUSH_CONTEXT)
		return;
	if (e->kind == EV_REF_FLUSH_RANGE) {
		f.first = e->first / PAGE;
		f.last = e->last / PAGE;
	}
	do_flush(r, &f);
}

/* ---- actions ---- */

static void deed(struct reference *r, const struct deed *like)
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

/* Told with the first mapping that is hit, as far as it reaches. */
static void judge_overlap(struct reference *r, struct dom *d, uint64_t first, uint64_t end)
{
	uint64_t p = first, seq;

	while (p < end && (!d->pages[p].live || d->pages[p].doubtful))
		p++;
	for (seq = d->pages[p].seq; p < end && d->pages[p].live && d->pages[p].seq == seq; p++)
		say(r, FINDING_MAP_OVERLAP, d, p);
}

static void do_map(struct reference *r, const struct ev_map *e)
{
	struct dom *d = dom_of(r, e->domain);
	uint64_t first = e->iova / PAGE, last = first + e->size / PAGE - 1, p;
	unsigned int c;

	judge_overlap(r, d, first, e->ret ? 0 : last + 1);
	for (p = first; p <= last && !e->ret; p++)
		for (c = 0; c < CACHES; c++)
			accuse(r, d, c, p);
	for (p = first; p <= last && !e->ret; p++) {
		struct page *page = &d->pages[p];
		bool again = page->live;

		for (c = 0; c < CACHES; c++)
			page->debts[c].open = false;
		page->live = true;
		page->begin = e->op.begin_ns;
		page->end = e->op.h.time_ns;
		page->seq = e->op.h.seq;
		page->cause = e->op.cause;
		page->doubtful = again;
		deed(r, &(struct deed){ .cause = e->op.cause, .d = d, .page = p, .map = true,
					.seq = e->op.h.seq, .prot = e->prot });
	}
	/* A map over something is in doubt as a whole. */
	for (p = first; p <= last && !e->ret; p++) {
		if (!d->pages[p].doubtful)
			continue;
		for (p = first; p <= last; p++)
			d->pages[p].doubtful = true;
	}
}

static void open_debt(struct reference *r, struct dom *d, unsigned int c, uint64_t p,
		      const struct ev_unmap *e)
{
	if (!d->caches[c].used || d->caches[c].since >= e->op.begin_ns)
		return;
	(void)r;
	d->pages[p].debts[c] = (struct debt){
		.open = true,
		.begin = e->op.begin_ns,
		.end = e->op.h.time_ns,
		.seq = e->op.h.seq,
		.cause = e->op.cause,
		.queued = e->op.h.flags & EVF_QUEUED,
	};
}

static void open_debts(struct reference *r, struct dom *d, uint64_t p, const struct ev_unmap *e)
{
	unsigned int c;

	for (c = 0; c < CACHES; c++)
		open_debt(r, d, c, p, e);
}

/* Flushes inside the call were heard before it ended. */
static void pay_inside(struct reference *r, struct dom *d, const struct ev_unmap *e)
{
	unsigned int c;
	size_t i;

	for (i = r->nflushes; i-- > 0;) {
		const struct flushed *f = &r->flushes[i];

		for (c = 0; c < CACHES; c++)
			if (f->begin >= e->op.begin_ns && flush_hits(f, &d->caches[c]))
				pay(d, c, f);
	}
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

/* From where an unmap did nothing any more, the mappings are in doubt as far as they reach. */
static void doubt(struct dom *d, uint64_t first, uint64_t last)
{
	uint64_t p, q;

	for (p = first; p <= last; p++) {
		if (!d->pages[p].live)
			continue;
		for (q = 0; q < REFERENCE_PAGES; q++)
			if (d->pages[q].live && d->pages[q].seq == d->pages[p].seq)
				d->pages[q].doubtful = true;
	}
}

static void do_unmap(struct reference *r, const struct ev_unmap *e)
{
	struct dom *d = dom_of(r, e->domain);
	uint64_t first = e->iova / PAGE, last = first + e->size / PAGE - 1, p;
	uint64_t end = first + e->done / PAGE;
	bool sync = !(e->op.h.flags & (EVF_FAST | EVF_QUEUED));
	unsigned int c;

	if (end <= last) {
		if (whole(d, first, last))
			for (p = end; p <= last; p++)
				say(r, FINDING_UNMAP_SHORT, d, p);
		doubt(d, end, last);
	}
	for (p = first; p < end; p++) {
		struct page *page = &d->pages[p];

		if (!page->live)
			continue;
		if (!page->doubtful) {
			open_debts(r, d, p, e);
			deed(r, &(struct deed){ .cause = e->op.cause, .d = d, .page = p,
						.seq = e->op.h.seq, .mapped_by = page->cause });
		}
		page->live = false;
		page->doubtful = false;
	}
	pay_inside(r, d, e);
	for (p = first; p < end && sync; p++)
		for (c = 0; c < CACHES; c++)
			if (d->pages[p].debts[c].seq == e->op.h.seq)
				accuse(r, d, c, p);
}

/* ---- intents ---- */

/* What an intent removed and nobody flushed, unless it is queued. */
static void judge_debts(struct reference *r, uint64_t id)
{
	const struct deed *n;
	unsigned int c;

	for (n = r->deeds; n; n = n->next) {
		if (n->cause != id || n->map || n->d->dead)
			continue;
		for (c = 0; c < CACHES; c++) {
			const struct debt *o = &n->d->pages[n->page].debts[c];

			if (o->open && o->cause == id && !o->queued)
				accuse(r, n->d, c, n->page);
		}
	}
}

/* Of each permission the first map is told, and the least of those that are too much. */
static void judge_prot(struct reference *r, uint64_t id, uint32_t asked)
{
	const struct deed *n;
	uint64_t seq;
	uint32_t prot;

	for (prot = 1; prot < 4; prot++) {
		if (!(prot & ~asked))
			continue;
		seq = ~0ULL;
		for (n = r->deeds; n; n = n->next)
			if (n->cause == id && n->map && (n->prot & 3) == prot && n->seq < seq)
				seq = n->seq;
		if (seq == ~0ULL)
			continue;
		for (n = r->deeds; n; n = n->next)
			if (n->cause == id && n->map && n->seq == seq)
				say(r, FINDING_MAP_WIDE, n->d, n->page);
		return;
	}
}

static void forget_deeds(struct reference *r, uint64_t id)
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

static bool outside(uint64_t page, uint64_t first, uint64_t last)
{
	return page < first / PAGE || page > last / PAGE;
}

/* Each page that was removed, was somebody else's and was not asked for. */
static void judge_wide(struct reference *r, uint64_t id, uint64_t first, uint64_t last,
		       bool (*foreign)(struct reference *r, const struct deed *n, const void *arg),
		       const void *arg)
{
	const struct deed *n;

	for (n = r->deeds; n; n = n->next)
		if (n->cause == id && !n->map && n->mapped_by && !n->d->dead &&
		    outside(n->page, first, last) && foreign(r, n, arg))
			say(r, FINDING_UNMAP_WIDE, n->d, n->page);
}

static bool foreign_dma(struct reference *r, const struct deed *n, const void *arg)
{
	const struct entry *e = arg;

	(void)r;
	return n->mapped_by != e->id;
}

/* Of a slot that is still there and was not asked for. */
static bool foreign_slot(struct reference *r, const struct deed *n, const void *arg)
{
	const struct ev_vfio *e = arg;
	unsigned int i;

	for (i = 0; i < SLOTS; i++) {
		const struct slot *s = &r->slots[i];

		if (s->live && s->container == e->container && s->id == n->mapped_by &&
		    n->page * PAGE >= s->first && n->page * PAGE <= s->last)
			return s->last < e->iova || s->first > e->iova + e->size - 1;
	}
	return false;
}

static bool foreign_any(struct reference *r, const struct deed *n, const void *arg)
{
	const struct ev_ref_intent *e = arg;

	(void)r;
	return n->mapped_by != e->op.id;
}

static void do_dma_map(struct reference *r, const struct ev_dma *e)
{
	static const uint32_t asked[] = { 3, 1, 2, 3 };
	unsigned int i;

	judge_prot(r, e->op.id, e->kind == EV_DMA_COHERENT ? 3 : asked[e->dir & 3]);
	forget_deeds(r, e->op.id);
	if (e->addr == EV_DMA_ERROR)
		return;
	for (i = 0; i < ENTRIES && r->entries[i].live; i++)
		;
	if (i == ENTRIES)
		abort();
	r->entries[i] = (struct entry){ .live = true, .dev = e->dev, .addr = e->addr,
					.size = e->size, .id = e->op.id, .dir = e->dir,
					.kind = e->kind, .nents = e->nents };
}

static struct entry *entry_at(struct reference *r, uint64_t dev, uint64_t addr)
{
	unsigned int i;

	for (i = 0; i < ENTRIES; i++)
		if (r->entries[i].live && r->entries[i].dev == dev && r->entries[i].addr == addr)
			return &r->entries[i];
	return NULL;
}

static bool fits(const struct entry *n, const struct ev_dma *e)
{
	if (n->kind != e->kind || n->dir != e->dir)
		return false;
	return n->kind == EV_DMA_SG ? n->nents == e->nents : n->size == e->size;
}

/* One mapping lives at an address, or none: then it was unmapped before. */
static void do_dma_unmap(struct reference *r, const struct ev_dma *e)
{
	struct entry *n = entry_at(r, e->dev, e->addr);

	if (!n || !fits(n, e))
		verdicts_add(&r->found, FINDING_DMA_UNMAP_MISMATCH, e->dev, e->addr / PAGE);
	judge_debts(r, e->op.id);
	if (n)
		judge_wide(r, e->op.id, e->addr, e->addr + (e->size ?: 1) - 1, foreign_dma, n);
	forget_deeds(r, e->op.id);
	if (n)
		n->live = false;
}

/* Where the device goes now, nobody says. */
static void do_unbind(struct reference *r, const struct ev_unbind *e)
{
	unsigned int i;

	r->where[dev_of(r, e->dev)] = NULL;
	for (i = 0; i < ENTRIES; i++) {
		struct entry *n = &r->entries[i];

		if (!n->live || n->dev != e->dev || n->gone)
			continue;
		verdicts_add(&r->found, FINDING_LEAK_ON_FREE, e->dev, n->addr / PAGE);
		n->gone = true;
	}
}

static void do_vfio_map(struct reference *r, const struct ev_vfio *e)
{
	unsigned int i;

	judge_prot(r, e->op.id, e->vfio_flags & 3);
	forget_deeds(r, e->op.id);
	if (e->ret)
		return;
	for (i = 0; i < SLOTS && r->slots[i].live; i++)
		;
	if (i == SLOTS)
		abort();
	r->slots[i] = (struct slot){ .live = true, .container = e->container, .first = e->iova,
				     .last = e->iova + e->size - 1, .id = e->op.id };
}

/* Whatever a slot's map made must be gone after the unmap of the slot. */
static void judge_slot(struct reference *r, const struct slot *s)
{
	unsigned int i;
	uint64_t p, seq = 0, q;

	for (i = 0; i < r->ndoms; i++) {
		struct dom *d = r->doms[i];

		for (p = s->first / PAGE; p <= s->last / PAGE && !d->dead; p++) {
			if (!d->pages[p].live || d->pages[p].doubtful ||
			    d->pages[p].cause != s->id)
				continue;
			/* Told with the first mapping that survived, as far as it reaches. */
			seq = d->pages[p].seq;
			for (q = p; q < REFERENCE_PAGES && d->pages[q].live &&
				    d->pages[q].seq == seq; q++)
				say(r, FINDING_UNMAP_SHORT, d, q);
			break;
		}
	}
}

static void do_vfio_unmap(struct reference *r, const struct ev_vfio *e)
{
	uint64_t last = e->iova + e->size - 1;
	unsigned int i;

	judge_debts(r, e->op.id);
	judge_wide(r, e->op.id, e->iova, last, foreign_slot, e);
	forget_deeds(r, e->op.id);
	for (i = 0; i < SLOTS; i++) {
		struct slot *s = &r->slots[i];

		if (!s->live || s->container != e->container || s->last < e->iova ||
		    s->first > last || e->ret)
			continue;
		judge_slot(r, s);
		s->live = false;
	}
}

static void do_ref_intent(struct reference *r, const struct ev_ref_intent *e)
{
	if (e->kind == EV_REF_MAP)
		judge_prot(r, e->op.id, e->prot & 3);
	judge_debts(r, e->op.id);
	if (e->kind == EV_REF_UNMAP)
		judge_wide(r, e->op.id, e->first, e->last, foreign_any, e);
	forget_deeds(r, e->op.id);
}

/* ---- records ---- */

static void feed_state(struct reference *r, const void *rec)
{
	const struct ev_ref_tag *ref = rec;
	const struct ev_tag *tag = rec;
	const struct ev_hdr *h = rec;

	switch (h->type) {
	case EV_TAG:
		do_tag(r, tag->domain, tag->dev, tag->iommu, tag->did, h->time_ns);
		break;
	case EV_REF_TAG:
		if (ref->assigned)
			do_tag(r, ref->domain, ref->dev, ref->instance + 1ULL, ref->did,
			       h->time_ns);
		break;
	case EV_ATTACH:
		do_attach(r, rec);
		break;
	case EV_FREE:
		do_free(r, rec);
		break;
	case EV_UNBIND:
		do_unbind(r, rec);
		break;
	}
}

static void feed_intent(struct reference *r, const void *rec)
{
	switch (((const struct ev_hdr *)rec)->type) {
	case EV_DMA_MAP:
		do_dma_map(r, rec);
		break;
	case EV_DMA_UNMAP:
		do_dma_unmap(r, rec);
		break;
	case EV_VFIO_MAP:
		do_vfio_map(r, rec);
		break;
	case EV_VFIO_UNMAP:
		do_vfio_unmap(r, rec);
		break;
	case EV_REF_INTENT:
		do_ref_intent(r, rec);
		break;
	}
}

void reference_feed(struct reference *r, const void *rec)
{
	switch (((const struct ev_hdr *)rec)->type) {
	case EV_MAP:
		do_map(r, rec);
		break;
	case EV_UNMAP:
		do_unmap(r, rec);
		break;
	case EV_QI:
		do_qi(r, rec);
		break;
	case EV_REF_FLUSH:
		do_ref_flush(r, rec);
		break;
	default:
		feed_state(r, rec);
		feed_intent(r, rec);
	}
}

struct reference *reference_new(void)
{
	return calloc(1, sizeof(struct reference));
}

const struct verdicts *reference_verdicts(struct reference *r)
{
	verdicts_settle(&r->found);
	return &r->found;
}

void reference_free(struct reference *r)
{
	unsigned int i;

	for (i = 0; i < r->ndoms; i++)
		free(r->doms[i]);
	while (r->deeds)
		forget_deeds(r, r->deeds->cause);
	free(r->flushes);
	verdicts_free(&r->found);
	free(r);
}
