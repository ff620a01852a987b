// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The slow checker: what an address space means, and where it may not be (union-after-replay,
 * replay-missing, replay-refused, map-outside, leak-on-free of domains, left-mapped).
 */
#include "reference_priv.h"

#include <errno.h>

#include "core/wire.h"

#define LISTED 16

/* ---- replays ---- */

/* Return: the intent that means @page, or NULL. */
static const struct slot *meant(const struct reference *r, const struct dom *d, uint64_t page)
{
	unsigned int i;

	for (i = 0; i < SLOTS; i++) {
		const struct slot *s = &r->slots[i];

		if (s->live && s->ioas == d->ioas && (s->ioas || s->container == d->box) &&
		    page >= s->first / PAGE && page <= s->last / PAGE)
			return s;
	}
	return NULL;
}

static bool fixed(const struct reference *r, uint64_t page)
{
	unsigned int i;

	for (i = 0; i < r->replay.nfixed; i++)
		if (page >= r->replay.fixed[i].first / PAGE &&
		    page <= r->replay.fixed[i].last / PAGE)
			return true;
	return false;
}

/* A kernel may map direct ranges in any domain. */
static bool direct(const struct reference *r, const struct dom *d, uint64_t page)
{
	unsigned int i, k;

	for (i = 0; i < r->ndevs; i++)
		for (k = 0; k < r->devs[i].nresv && r->devs[i].where == d; k++) {
			const struct range_of *v = &r->devs[i].resv[k];

			if ((v->type == EV_RESV_DIRECT || v->type == EV_RESV_RELAXABLE) &&
			    page >= v->first / PAGE && page <= v->last / PAGE)
				return true;
		}
	return false;
}

static bool is_missing(const struct reference *r, const struct dom *d, uint64_t page)
{
	return meant(r, d, page) && !d->pages[page].live;
}

static bool is_too_much(const struct reference *r, const struct dom *d, uint64_t page)
{
	return d->pages[page].live && !meant(r, d, page) && !fixed(r, page) && !direct(r, d, page);
}

/* So many places, that are one piece of one intent or mapping, are listed of a replay and kind. */
static void compare_replay(struct reference *r, const struct dom *d)
{
	unsigned int missing = 0, too_much = 0;
	uint64_t p;

	for (p = 0; p < REFERENCE_PAGES; p++) {
		if (is_missing(r, d, p)) {
			missing += !p || !is_missing(r, d, p - 1) ||
				   meant(r, d, p) != meant(r, d, p - 1);
			if (missing <= LISTED)
				say_of(r, FINDING_REPLAY_MISSING, d, p);
		}
		if (is_too_much(r, d, p)) {
			too_much += !p || !is_too_much(r, d, p - 1) ||
				    d->pages[p].seq != d->pages[p - 1].seq;
			if (too_much <= LISTED)
				say_of(r, FINDING_UNION_AFTER_REPLAY, d, p);
		}
	}
}

static struct verdict *refused(struct reference *r, uint64_t object, uint64_t cause)
{
	struct verdict *v = say(r, FINDING_REPLAY_REFUSED, object, NO_PAGE);
	int32_t ret = r->facts.failed_ret;
	bool in_the_way = ret == -EEXIST || ret == -EBUSY || ret == -EADDRINUSE;

	if (r->facts.failed_cause != cause || !in_the_way || !r->facts.failed_over_nothing)
		v->grade = GRADE_EXPOSURE;
	return v;
}

static void mark_replayed(struct reference *r, uint64_t cause)
{
	unsigned int i;
	uint64_t p;

	for (i = 0; i < r->ndoms; i++)
		for (p = 0; p < REFERENCE_PAGES; p++)
			r->doms[i]->pages[p].replayed |= r->doms[i]->pages[p].cause == cause;
}

static bool has_slots(const struct reference *r, uint64_t container)
{
	unsigned int i;

	for (i = 0; i < SLOTS; i++)
		if (r->slots[i].live && !r->slots[i].ioas && r->slots[i].container == container)
			return true;
	return false;
}

/*
 * A group enters: each domain that was born meanwhile and took a device. What failed is told with
 * type1's own call, which is the cause of the maps in it.
 */
void do_vfio_attach(struct reference *r, const struct ev_vfio *e)
{
	struct container *box;
	unsigned int i;

	judge_synced_in(r, e->op.id);
	forget_deeds(r, e->op.id);
	if (!e->ret)
		mark_replayed(r, e->op.id);
	if (e->op.cause) {
		if (e->ret && r->facts.failed_cause == e->op.id)
			r->facts.failed_cause = e->op.cause;
		return;
	}
	box = container_of_ptr(r, e->container);
	if (e->cmd == VFIO_SET_IOMMU && !e->ret)
		box->whole = true;
	if (e->ret) {
		if (r->facts.failed_cause == e->op.id ||
		    ((e->ret == -ENOMEM || e->ret == -EFAULT) && has_slots(r, e->container)))
			refused(r, e->container, e->op.id);
		return;
	}
	for (i = 0; i < r->ndoms; i++) {
		struct dom *d = r->doms[i];

		if (d->dead || !d->born || d->inside != e->op.id)
			continue;
		d->box = e->container;
		if (d->born_ns >= e->op.begin_ns && dom_inhabited(r, d))
			compare_replay(r, d);
	}
}

void do_ref_replay(struct reference *r, const struct ev_ref_replay *e)
{
	struct dom *d = dom_of(r, e->domain);

	switch (e->step) {
	case EV_REPLAY_BEGIN:
		r->replay.nfixed = 0;
		d->ioas = e->ioas + 1;
		break;
	case EV_REPLAY_ENTRY:
		if (e->type && e->action)
			r->replay.fixed[r->replay.nfixed++] =
				(struct range_of){ e->first, e->last, e->type };
		break;
	case EV_REPLAY_END:
		judge_synced_in(r, e->op.id);
		forget_deeds(r, e->op.id);
		if (e->ret)
			refused(r, d->ptr + d->gen, e->op.id);
		/* What was in the way stays, and the rest is done. */
		if (!e->ret || e->ret == -EEXIST)
			compare_replay(r, d);
		break;
	}
}

/* ---- where nothing may be mapped ---- */

/* Of a reserved range, by who uses the domain. */
static bool excluded(const struct dom *d, const struct dev *dev, const struct range_of *v,
		     const struct ev_map *e)
{
	bool user = !(d->type & DOMAIN_DMA_API);

	switch (v->type) {
	case EV_RESV_DIRECT:
		return user || e->paddr != e->iova;
	case EV_RESV_RELAXABLE:
		return !user && e->paddr != e->iova;
	case EV_RESV_RESERVED:
		return true;
	case EV_RESV_MSI:
		return user || dev->kind == EV_DRIVER_VTD || dev->kind == EV_DRIVER_AMD;
	}
	return false;
}

static unsigned int guests(const struct reference *r, const struct dom *d)
{
	unsigned int i, n = 0;

	for (i = 0; i < r->ndevs; i++)
		n += r->devs[i].where == d;
	return n;
}

/* By an intent that we know, in a range of a device that was there when it began. */
static bool is_reserved(const struct reference *r, const struct dom *d, const struct ev_map *e,
			uint64_t at)
{
	unsigned int i, k;

	if (!e->op.cause || (d->type & DOMAIN_DMA_API && guests(r, d) > 1))
		return false;
	for (i = 0; i < r->ndevs; i++) {
		const struct dev *dev = &r->devs[i];

		if (dev->where != d || dev->since >= e->op.begin_ns)
			continue;
		for (k = 0; k < dev->nresv; k++)
			if (at >= dev->resv[k].first && at <= dev->resv[k].last &&
			    excluded(d, dev, &dev->resv[k], e))
				return true;
	}
	return false;
}

void judge_outside(struct reference *r, struct dom *d, const struct ev_map *e)
{
	uint64_t last = e->iova + e->size - 1, at;

	for (at = e->iova; at <= last; at += PAGE)
		if (at < d->first || at > d->last || is_reserved(r, d, e, at))
			say_of(r, FINDING_MAP_OUTSIDE, d, at / PAGE);
}

/* A device that comes back to its DMA domain finds its direct ranges there. */
void judge_handback(struct reference *r, struct dev *dev, struct dom *to)
{
	bool been = false;
	unsigned int i;
	uint64_t p;

	for (i = 0; i < dev->nbeen; i++)
		been |= dev->been[i] == to;
	if (!been || !to->born || !(to->type & DOMAIN_DMA_API))
		return;
	for (i = 0; i < dev->nresv; i++) {
		const struct range_of *v = &dev->resv[i];

		if (v->type != EV_RESV_DIRECT && v->type != EV_RESV_RELAXABLE)
			continue;
		for (p = v->first / PAGE; p <= v->last / PAGE; p++)
			if (!to->pages[p].live)
				say_of(r, FINDING_REPLAY_MISSING, to, p);
	}
}

/* ---- ends ---- */

static void judge_left(struct reference *r, const struct dom *d)
{
	unsigned int i;

	if (!d->box || !container_of_ptr(r, d->box)->whole)
		return;
	for (i = 0; i < r->ndoms; i++)
		if (r->doms[i] != d && !r->doms[i]->dead && r->doms[i]->box == d->box)
			return;
	if (has_slots(r, d->box))
		say(r, FINDING_LEFT_MAPPED, d->box, NO_PAGE)->grade = GRADE_NOTE;
}

void do_free(struct reference *r, const struct ev_domain_op *e)
{
	struct dom *d = dom_of(r, e->domain);
	unsigned int i;

	for (i = 0; i < r->ndevs; i++)
		if (r->devs[i].where == d)
			say_of(r, FINDING_LEAK_ON_FREE, d, NO_PAGE);
	judge_leavers(r, d);
	judge_left(r, d);
	dom_end(r, d);
	/* The last domain of a container takes what is left of its slots. */
	for (i = 0; d->box && i < SLOTS; i++)
		if (r->slots[i].live && !r->slots[i].ioas && r->slots[i].container == d->box) {
			unsigned int k;

			for (k = 0; k < r->ndoms; k++)
				if (!r->doms[k]->dead && r->doms[k]->box == d->box)
					break;
			if (k == r->ndoms)
				r->slots[i].live = false;
		}
}
