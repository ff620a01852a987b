// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The slow checker: what an intent did, held against what was asked (map-wide, unmap-wide, unmap-short). */
#include "reference_priv.h"

#include <errno.h>
#include <stdlib.h>

/* What an intent removed and nobody flushed, unless it is queued. */
void judge_debts(struct reference *r, uint64_t id)
{
	const struct deed *n;
	unsigned int c;

	for (n = r->deeds; n; n = n->next) {
		if (n->cause != id || n->map || n->d->dead)
			continue;
		for (c = 0; c < CACHES; c++) {
			const struct debt *o = &n->d->pages[n->page].debts[c];

			if (o->open && o->cause == id && !o->queued &&
			    !pends(r, n->d, c, n->page))
				accuse(r, n->d, c, n->page);
		}
	}
}

/* Of each permission the first map is told, and the least of those that are too much. */
void judge_prot(struct reference *r, uint64_t id, uint32_t asked)
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
				say_of(r, FINDING_MAP_WIDE, n->d, n->page);
		return;
	}
}

static bool outside(uint64_t page, uint64_t first, uint64_t last)
{
	return page < first / PAGE || page > last / PAGE;
}

/* Each page that was removed, was somebody else's and was not asked for. */
void judge_wide(struct reference *r, uint64_t id, uint64_t first, uint64_t last,
		foreign_fn foreign, const void *arg)
{
	const struct deed *n;

	for (n = r->deeds; n; n = n->next)
		if (n->cause == id && !n->map && n->mapped_by && !n->d->dead &&
		    outside(n->page, first, last) && foreign(r, n, arg))
			say_of(r, FINDING_UNMAP_WIDE, n->d, n->page);
}

/* ---- slots of a container, areas of an address space ---- */

static struct slot *slot_empty(struct reference *r)
{
	unsigned int i;

	for (i = 0; i < SLOTS; i++)
		if (!r->slots[i].live)
			return &r->slots[i];
	abort();
}

static bool slot_of(const struct slot *s, uint64_t container, uint32_t ioas)
{
	return s->live && s->ioas == ioas && (ioas || s->container == container);
}

/* Of a slot that is still there and was not asked for. */
static bool foreign_slot(struct reference *r, const struct deed *n, const void *arg)
{
	const struct ev_vfio *e = arg;
	unsigned int i;

	for (i = 0; i < SLOTS; i++) {
		const struct slot *s = &r->slots[i];

		if (slot_of(s, e->container, 0) && s->id == n->mapped_by &&
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

/* What reaches over the slot's end was not replayed of it. */
static bool lies_inside(const struct dom *d, uint64_t p, const struct slot *s)
{
	const struct page *page = &d->pages[p];
	uint64_t q;

	for (q = 0; q < REFERENCE_PAGES; q++) {
		bool beside = q + 1 == s->first / PAGE || q == s->last / PAGE + 1;

		if (beside && d->pages[q].live && d->pages[q].seq == page->seq)
			return false;
	}
	return true;
}

/* Is live at @p what the slot's own map, or the replay of it into @d, made? */
static bool made_by_slot(const struct dom *d, uint64_t p, const struct slot *s)
{
	if (!d->pages[p].live || d->pages[p].doubtful)
		return false;
	/* refiommu says that nothing of what was asked for is left, whoever made it. */
	if (s->ioas)
		return d->ioas == s->ioas;
	return d->pages[p].cause == s->id ||
	       (d->box == s->container && d->pages[p].replayed && d->pages[p].begin > s->end &&
		lies_inside(d, p, s));
}

/* Whatever a slot's map made must be gone after the unmap of the slot. */
static void judge_slot(struct reference *r, const struct slot *s)
{
	unsigned int i;
	uint64_t p, seq, q;

	for (i = 0; i < r->ndoms; i++) {
		struct dom *d = r->doms[i];

		for (p = s->first / PAGE; p <= s->last / PAGE && !d->dead; p++) {
			if (!made_by_slot(d, p, s))
				continue;
			/* Told with the first mapping that survived, as far as it reaches. */
			seq = d->pages[p].seq;
			for (q = p; q <= s->last / PAGE && d->pages[q].live &&
				    d->pages[q].seq == seq; q++)
				say_of(r, FINDING_UNMAP_SHORT, d, q);
			break;
		}
	}
}

void do_vfio_map(struct reference *r, const struct ev_vfio *e)
{
	struct verdict *v;

	judge_prot(r, e->op.id, e->vfio_flags & 3);
	judge_synced_in(r, e->op.id);
	forget_deeds(r, e->op.id);
	if (e->ret == -ENOSPC) {
		v = say(r, FINDING_REPLAY_REFUSED, e->container, NO_PAGE);
		v->grade = GRADE_EXPOSURE;
	}
	if (e->ret)
		return;
	*slot_empty(r) = (struct slot){ .live = true, .container = e->container,
					.first = e->iova, .last = e->iova + e->size - 1,
					.id = e->op.id, .end = e->op.h.time_ns };
}

/* One note for all that VFIO is asked to unmap and does not have. */
static void judge_no_slot(struct reference *r, const struct ev_vfio *e, uint64_t last)
{
	unsigned int i;

	if (!container_of_ptr(r, e->container)->whole)
		return;
	for (i = 0; i < SLOTS; i++) {
		const struct slot *s = &r->slots[i];

		if (slot_of(s, e->container, 0) && s->first <= last && s->last >= e->iova)
			return;
	}
	say(r, FINDING_UNMAP_NOTHING, 0, NO_PAGE)->grade = GRADE_NOTE;
}

void do_vfio_unmap(struct reference *r, const struct ev_vfio *e)
{
	uint64_t last = e->iova + e->size - 1;
	unsigned int i;

	judge_no_slot(r, e, last);
	judge_debts(r, e->op.id);
	judge_wide(r, e->op.id, e->iova, last, foreign_slot, e);
	forget_deeds(r, e->op.id);
	for (i = 0; i < SLOTS && !e->ret; i++) {
		struct slot *s = &r->slots[i];

		if (!slot_of(s, e->container, 0) || s->last < e->iova || s->first > last)
			continue;
		judge_slot(r, s);
		s->live = false;
	}
}

/* An address space may be cut anywhere; of a slot in two the rest is @rest. */
static void slot_cut(struct slot *s, uint64_t first, uint64_t last, struct slot *rest)
{
	*rest = *s;
	rest->live = s->last > last;
	rest->first = last + 1;
	s->live = s->first < first;
	s->last = first - 1;
}

static void ref_unmapped(struct reference *r, const struct ev_ref_intent *e)
{
	unsigned int i;

	judge_wide(r, e->op.id, e->first, e->last, foreign_any, e);
	for (i = 0; i < SLOTS; i++) {
		struct slot *s = &r->slots[i], asked = *s, rest;

		if (!slot_of(s, 0, e->ioas + 1) || s->last < e->first || s->first > e->last)
			continue;
		if (asked.first < e->first)
			asked.first = e->first;
		if (asked.last > e->last)
			asked.last = e->last;
		judge_slot(r, &asked);
		slot_cut(s, e->first, e->last, &rest);
		if (rest.live)
			*slot_empty(r) = rest;
	}
}

void do_ref_intent(struct reference *r, const struct ev_ref_intent *e)
{
	if (e->kind == EV_REF_ALLOC)
		space_of(r, e->ioas)->whole = true;
	if (e->kind == EV_REF_MAP)
		judge_prot(r, e->op.id, e->prot & 3);
	judge_debts(r, e->op.id);
	judge_synced_in(r, e->op.id);
	if (e->kind == EV_REF_UNMAP && !e->ret)
		ref_unmapped(r, e);
	if (e->kind == EV_REF_MAP && !e->ret)
		*slot_empty(r) = (struct slot){ .live = true, .ioas = e->ioas + 1,
						.first = e->first, .last = e->last,
						.id = e->op.id };
	forget_deeds(r, e->op.id);
}
