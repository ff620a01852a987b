// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What caches owe. An unmap opens a debt in each cache that surely held the domain
 * all the while; a flush pays the part it covers if it began after the unmap began.
 * (After it ended would be the rule; but a flush inside the call may have come after
 * the entry was cleared, and nobody can tell. So it counts.)
 *
 * Debts of one cache are disjoint: only what was live opens one, and making a range
 * live closes what was owed there. What a cache remembers as not present is the reverse: a
 * map opens the debt, and an unmap closes it.
 */
#include "model_priv.h"

#define OWES_MAX (1u << 20)
#define DEBT_STEPS 32
#define CACHES_FREE 64	/* of a domain, that take no steps: machines have so many */

struct owe *owe_first(const struct cache *c, uint64_t iova, uint64_t last)
{
	struct owe *o = omap_floor(&c->owes, last);

	if (!o || o->last < iova)
		return NULL;
	if (o->iova <= iova)
		return o;

	o = omap_floor(&c->owes, iova);
	if (o && o->last >= iova)
		return o;
	return omap_ceil(&c->owes, iova);
}

/* Debts are disjoint: behind the end of one, the next is the first that begins. */
static struct owe *owe_after(const struct cache *c, uint64_t end, uint64_t last)
{
	struct owe *o = end < last ? omap_ceil(&c->owes, end + 1) : NULL;

	return o && o->iova <= last ? o : NULL;
}

struct owe *owe_next(const struct cache *c, const struct owe *o, uint64_t last)
{
	return owe_after(c, o->last, last);
}

static int owe_add(struct model *m, struct cache *c, const struct owe *o)
{
	struct owe *n = pool_get(&m->owes);

	if (!n)
		return -1;
	*n = *o;
	if (omap_put(&c->owes, n->iova, n)) {
		pool_put(&m->owes, n);
		return -1;
	}
	c->nowes++;
	if (c->kind == CACHE_ABSENT)
		return 0;
	c->domain->n.lingering++;
	if (c->domain->n.lingering > c->domain->n.lingering_max)
		c->domain->n.lingering_max = c->domain->n.lingering;
	return 0;
}

static void owe_drop(struct model *m, struct cache *c, struct owe *o)
{
	omap_del(&c->owes, o->iova);
	pool_put(&m->owes, o);
	c->nowes--;
	if (c->kind != CACHE_ABSENT)
		c->domain->n.lingering--;
}

/* Asked when all is done: what is cut in two was never gone. */
static void domain_calms(const struct model *m, struct domain *d)
{
	if (!d->n.lingering)
		d->calm_ns = m->now;
}

static void owe_mark(struct owe *o, const struct flush *f)
{
	if (!f)
		return;
	o->partial.end = f->end;
	o->partial.seq = f->seq;
	o->partial.cpu = f->cpu;
	o->partial.kind = f->kind;
}

/* Take [iova, last] out of @o. A tail that finds no memory counts as paid. */
static void owe_cut(struct model *m, struct cache *c, struct owe *o, uint64_t iova,
		    uint64_t last, const struct flush *f)
{
	struct owe tail = *o;

	if (o->iova < iova) {
		o->last = iova - 1;
		owe_mark(o, f);
	} else {
		owe_drop(m, c, o);
	}
	if (tail.last > last) {
		tail.iova = last + 1;
		owe_mark(&tail, f);
		owe_add(m, c, &tail);
	}
	domain_calms(m, c->domain);
}

void cache_pay(struct model *m, struct cache *c, const struct flush *f)
{
	struct owe *o = c->nowes ? owe_first(c, f->iova, f->last) : NULL;
	uint64_t at;

	c->domain->n.flushes += c->kind != CACHE_ABSENT;
	if (!o)
		return;
	while (o) {
		at = o->last;
		if (o->begin <= f->begin)
			owe_cut(m, c, o, f->iova > o->iova ? f->iova : o->iova,
				f->last < o->last ? f->last : o->last, f);
		o = owe_after(c, at, f->last);
	}
	if (c->domain->exposures && c->domain->exposures->open)
		exposures_settle(m, c->domain, f);
}

bool flush_reaches(const struct flush *f, const struct cache *c)
{
	switch (f->scope) {
	case FLUSH_UNKNOWN:
		return true;
	case FLUSH_GLOBAL:
		return c->kind != CACHE_DEVTLB;
	case FLUSH_DOMAIN:
	case FLUSH_PASID:
		return c->kind != CACHE_DEVTLB && f->did == c->did &&
		       flush_covers_pasid(f, c->pasid);
	case FLUSH_DEVICE:
		return c->kind == CACHE_DEVTLB && f->sid == c->sid &&
		       flush_covers_pasid(f, c->pasid);
	default:
		return false;
	}
}

void debts_forget(struct model *m, struct cache *c)
{
	struct owe *o;

	exposures_cut(c->domain, 0, UINT64_MAX);
	while ((o = omap_ceil(&c->owes, 0)))
		owe_drop(m, c, o);
	domain_calms(m, c->domain);
}

/* Return: was something owed there? */
static bool owes_carve(struct model *m, struct cache *c, uint64_t iova, uint64_t last)
{
	struct owe *o;
	bool owed = false;

	while (c->nowes && (o = owe_first(c, iova, last))) {
		owe_cut(m, c, o, iova > o->iova ? iova : o->iova,
			last < o->last ? last : o->last, NULL);
		owed = true;
	}
	return owed;
}

void debts_close(struct model *m, struct domain *d, uint64_t iova, uint64_t last)
{
	struct cache *c;
	bool owed = false;

	for (c = d->caches; c; c = c->next)
		owed |= owes_carve(m, c, iova, last);
	/* Without a debt there is none that an exposure waits for. */
	if (owed)
		exposures_cut(d, iova, last);
}

void debts_close_absent(struct model *m, struct domain *d, uint64_t iova, uint64_t last)
{
	struct cache *c;

	for (c = d->caches; c; c = c->next) {
		if (c->kind == CACHE_ABSENT)
			owes_carve(m, c, iova, last);
	}
}

/* Flushes heard before the unmap itself: inside its call, or beside it. */
static void pay_from_ring(struct model *m, struct cache *c, uint64_t begin)
{
	const struct iommu *u = c->iommu;
	uint64_t i, oldest = u->nring > FLUSH_RING ? u->nring - FLUSH_RING : 0;

	for (i = u->nring; i > oldest && model_step(m); i--) {
		const struct flush *f = &u->ring[(i - 1) % FLUSH_RING];

		if (f->end < begin)
			return;
		if (f->begin >= begin && flush_reaches(f, c))
			cache_pay(m, c, f);
	}
	/* Some may have fallen out of the ring: nobody knows what they covered. */
	if (oldest) {
		m->unknown++;
		debts_forget(m, c);
	}
}

bool cache_owes(const struct model *m, const struct cache *c, const struct op *op)
{
	return model_cache_sure(m, c) && c->since_ns < op->begin && cache_heard(m, c);
}

static void owe_open(struct model *m, struct cache *c, const struct owe *o)
{
	if (c->nowes >= OWES_MAX) {
		m->unknown += c->nowes;
		debts_forget(m, c);
	}
	owes_carve(m, c, o->iova, o->last);
	owe_add(m, c, o);
}

static void owe_from(const struct model *m, struct owe *o, const struct piece *p,
		     const struct op *op)
{
	*o = (struct owe){
		.iova = p->range.iova,
		.last = p->range.last,
		.begin = op->begin,
		.end = op->end,
		.cause = op->cause,
		.seq = op->seq,
		.map_seq = p->range.seq,
		.map_end = p->range.end,
		.pid = op->pid,
		.map_pid = p->range.pid,
		.epoch = m->epoch,
		.cpu = op->cpu,
		.map_cpu = p->range.cpu,
		.flags = op->flags,
	};
}

/* Neighbouring pieces are one debt: flushes do not care who mapped what. */
static size_t owe_merge(const struct model *m, struct owe *o, size_t i)
{
	for (; i < m->npieces; i++) {
		const struct piece *p = &m->pieces[i];

		if (!p->sure || o->last == UINT64_MAX || p->range.iova != o->last + 1)
			break;
		o->last = p->range.last;
	}
	o->from = o->iova;
	o->to = o->last;
	return i;
}

static void cache_open(struct model *m, struct cache *c, const struct op *op)
{
	struct owe o;
	size_t i = 0;

	while (i < m->npieces) {
		if (!m->pieces[i].sure) {
			i++;
			continue;
		}
		owe_from(m, &o, &m->pieces[i], op);
		i = owe_merge(m, &o, i + 1);
		owe_open(m, c, &o);
	}
	pay_from_ring(m, c, op->begin);
}

static bool pieces_sure(const struct model *m)
{
	size_t i;

	for (i = 0; i < m->npieces; i++) {
		if (m->pieces[i].sure)
			return true;
	}
	return false;
}

static bool device_in(const struct device *dev, const struct domain *d)
{
	unsigned int i;

	for (i = 0; i < dev->nbindings; i++) {
		if (dev->bindings[i].domain == d)
			return true;
	}
	return false;
}

static bool has_heard_device(struct model *m, const struct domain *d)
{
	const struct device *dev;

	for (dev = m->first_device; dev && model_step(m); dev = dev->next) {
		if (dev->driver_kind != EV_DRIVER_OTHER && device_in(dev, d) &&
		    driver_heard(m, dev->driver_kind))
			return true;
	}
	return false;
}

/*
 * A device translates there whose flushes are heard, but no tag said which are for @d. All devices
 * are asked, so not for each unmap of a large space.
 */
static bool caches_untold(struct model *m, struct domain *d)
{
	if (d->untold_places != m->places) {
		d->untold = has_heard_device(m, d);
		d->untold_places = m->places;
	}
	return d->untold;
}

void debts_open(struct model *m, struct domain *d, const struct op *op)
{
	struct cache *c;
	unsigned int n = 0;

	if (!pieces_sure(m) || !model_sure_op(m, op))
		return;
	if (!d->caches && caches_untold(m, d))
		m->unknown++;
	for (c = d->caches; c; c = c->next) {
		if (c->kind == CACHE_ABSENT)
			continue;
		if (++n > CACHES_FREE && !model_steps(m, DEBT_STEPS))
			return;
		if (cache_owes(m, c, op))
			cache_open(m, c, op);
		else if (!model_cache_sure(m, c) && cache_heard(m, c))
			m->unknown++;
	}
	lingers_note(m, d);
}

void debts_open_absent(struct model *m, struct domain *d, const struct op *op)
{
	struct owe o = {
		.iova = op->iova, .last = op->last, .from = op->iova, .to = op->last,
		.begin = op->begin, .end = op->end, .cause = op->cause, .seq = op->seq,
		.map_seq = op->seq, .map_end = op->end, .pid = op->pid, .map_pid = op->pid,
		.epoch = m->epoch, .cpu = op->cpu, .map_cpu = op->cpu, .flags = op->flags,
	};
	struct cache *c;
	unsigned int n = 0;

	for (c = d->caches; c; c = c->next) {
		if (c->kind != CACHE_ABSENT)
			continue;
		if (++n > CACHES_FREE && !model_steps(m, DEBT_STEPS))
			return;
		if (!model_sure_op(m, op) || !cache_owes(m, c, op)) {
			m->unknown += cache_heard(m, c);
			continue;
		}
		owe_open(m, c, &o);
		pay_from_ring(m, c, op->begin);
	}
}
