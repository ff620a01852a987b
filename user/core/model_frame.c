// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Page frames: what was unmapped and a cache may still hold, by physical address, and what of it
 * was freed meanwhile.
 *
 * A lingering part is kept for each sure piece that an unmap removed and somebody owes a flush
 * for. Nobody tells it when the debt is paid: who meets it asks the caches (linger_owe()), and
 * each new one lets go of the oldest that are settled. Only if pages are heard to be freed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model_priv.h"

#define EXPOSURES_OPEN_MAX 65536

struct linger {
	struct range r;		/* the piece; first: the index hands it back */
	uint64_t seq;		/* of the unmap, with @cpu: names its debts */
	uint16_t cpu;
	uint64_t end;
	struct linger *later;
};

/* A few may stay although they are settled. */
#define LINGERS_SPARE 64

struct owe *linger_owe(const struct range *r, const struct cache *c, uint64_t iova, uint64_t last)
{
	const struct linger *l = (const struct linger *)r;
	struct owe *o;

	if (!c->nowes)
		return NULL;
	for (o = owe_first(c, iova, last); o; o = owe_next(c, o, last)) {
		if (o->seq == l->seq && o->cpu == l->cpu)
			return o;
	}
	return NULL;
}

static bool linger_owed(const struct linger *l)
{
	const struct cache *c;

	if (!l->r.domain->n.lingering || l->end < l->r.domain->calm_ns)
		return false;
	for (c = l->r.domain->caches; c; c = c->next) {
		if (linger_owe(&l->r, c, l->r.iova, l->r.last))
			return true;
	}
	return false;
}

static struct linger *linger_pop(struct model *m)
{
	struct linger *l = m->oldest_linger;

	m->oldest_linger = l->later;
	m->nlingers--;
	if (!l->later)
		m->newest_linger = NULL;
	return l;
}

static void linger_push(struct model *m, struct linger *l)
{
	l->later = NULL;
	if (m->newest_linger)
		m->newest_linger->later = l;
	else
		m->oldest_linger = l;
	m->newest_linger = l;
	m->nlingers++;
}

/* Up to two leave for each that comes, so that what is settled does not gather; one stays in turn. */
static void lingers_age(struct model *m)
{
	struct linger *l;
	int i;

	for (i = 0; i < 2 && m->oldest_linger; i++) {
		l = linger_pop(m);
		if (linger_owed(l)) {
			linger_push(m, l);
			return;
		}
		frames_del(&m->gone, &l->r);
		pool_put(&m->linger_pool, l);
	}
}

static void linger_new(struct model *m, const struct piece *p)
{
	struct linger *l;

	if (m->nlingers > 2 * p->domain->n.lingering + LINGERS_SPARE)
		lingers_age(m);
	l = pool_get(&m->linger_pool);
	if (!l)
		return;
	l->r = p->range;
	l->r.flags &= ~RANGE_FRAMED;
	l->r.domain = p->domain;
	l->seq = p->seq;
	l->cpu = p->cpu;
	l->end = p->end;
	if (!linger_owed(l)) {
		pool_put(&m->linger_pool, l);
		return;
	}
	frames_add(&m->gone, &l->r);
	linger_push(m, l);
}

void lingers_note(struct model *m, const struct domain *d)
{
	size_t i;

	if (!m->gone.on || !d->caches)
		return;
	for (i = 0; i < m->npieces; i++) {
		if (m->pieces[i].sure)
			linger_new(m, &m->pieces[i]);
	}
}

void lingers_init(struct model *m)
{
	pool_init(&m->linger_pool, sizeof(struct linger));
}

void frames_listen(struct model *m, bool on)
{
	m->live.on = on;
	m->gone.on = on;
}

/* ---- exposures ---- */

void frame_part(const struct range *r, const struct op *op, uint64_t *iova, uint64_t *last)
{
	uint64_t end = op->u.page_free.paddr + (op->u.page_free.bytes - 1);
	uint64_t r_end = r->paddr + (r->last - r->iova);

	*iova = r->iova;
	if (op->u.page_free.paddr > r->paddr)
		*iova += op->u.page_free.paddr - r->paddr;
	*last = r->last - (r_end > end ? r_end - end : 0);
}

bool page_free_valid(const struct op *op)
{
	uint64_t last;

	return op->u.page_free.bytes &&
	       !wire_range(op->u.page_free.paddr, op->u.page_free.bytes, &last);
}

static struct exposures *exposures_of(struct model *m, struct domain *d)
{
	if (d->exposures)
		return d->exposures;
	d->exposures = calloc(1, sizeof(*d->exposures));
	m->nexposed += !!d->exposures;
	return d->exposures;
}

static struct told told_op(const struct op *op)
{
	return (struct told){ .seq = op->seq, .time_ns = op->end, .cpu = op->cpu,
			      .pid = op->u.page_free.pid, .kind = op->kind };
}

static int exposure_open(struct model *m, const struct range *r, const struct owe *o,
			 const struct cache *c, const struct op *op)
{
	struct exposures *x = exposures_of(m, r->domain);
	struct exposure *e;

	if (!x)
		return -ENOMEM;
	if (x->nopen == EXPOSURES_OPEN_MAX) {
		x->unjudged++;
		return 0;
	}
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	frame_part(r, op, &e->iova, &e->last);
	e->paddr = op->u.page_free.paddr;
	e->device = c->users[0]->ptr;
	e->cause = o->cause;
	e->map = (struct told){ r->seq, r->end, r->pid, r->cpu, EV_MAP };
	e->unmap = (struct told){ o->seq, o->end, o->pid, o->cpu, EV_UNMAP };
	e->freed = told_op(op);
	e->epoch = m->epoch;
	e->next = x->open;
	x->open = e;
	x->nopen++;
	m->exposed++;
	return 0;
}

struct opening {
	struct model *m;
	const struct op *op;
};

static int expose(void *arg, struct range *r)
{
	const struct opening *g = arg;
	const struct cache *c;
	const struct owe *o;
	uint64_t iova, last;

	frame_part(r, g->op, &iova, &last);
	for (c = r->domain->caches; c; c = c->next) {
		o = linger_owe(r, c, iova, last);
		if (o && o->flags & EVF_QUEUED && model_owe_sure(g->m, c, o))
			return exposure_open(g->m, r, o, c, g->op);
	}
	return 0;
}

int apply_page_free(struct model *m, const struct op *op)
{
	struct opening g = { .m = m, .op = op };
	int ret;

	m->exposed = 0;
	if (!page_free_valid(op) || !model_sure_op(m, op))
		return 0;
	ret = frames_each(&m->gone, op->u.page_free.paddr,
			  op->u.page_free.paddr + (op->u.page_free.bytes - 1), expose, &g);
	return ret == -E2BIG ? 0 : ret;
}

static bool exposure_owed(const struct domain *d, const struct exposure *e)
{
	const struct cache *c;
	const struct owe *o;

	for (c = d->caches; c; c = c->next) {
		for (o = owe_first(c, e->iova, e->last); o; o = owe_next(c, o, e->last))
			if (o->seq == e->unmap.seq && o->cpu == e->unmap.cpu)
				return true;
	}
	return false;
}

static void exposure_paid(struct exposures *x, const struct exposure *e, const struct flush *f)
{
	uint64_t ns = f->end > e->freed.time_ns ? f->end - e->freed.time_ns : 0;

	x->bytes += e->last - e->iova + 1;
	if (!x->count || ns > x->longest_ns) {
		x->longest_ns = ns;
		x->longest = *e;
		x->flush = (struct told){ f->seq, f->end, 0, f->cpu, f->kind };
	}
	exposures_add_ns(x, ns);
}

/* @f reached a cache of @d. What is owed no more was owed until now, see exposures_cut(). */
void exposures_settle(struct model *m, struct domain *d, const struct flush *f)
{
	struct exposures *x = d->exposures;
	struct exposure *e, **at = &x->open;

	while ((e = *at)) {
		if (!model_step(m)) {
			exposures_cut(d, 0, UINT64_MAX);
			return;
		}
		if (e->last < f->iova || e->iova > f->last || exposure_owed(d, e)) {
			at = &e->next;
			continue;
		}
		if (f->failed || f->scope == FLUSH_UNKNOWN || !epoch_sure(m, e->epoch, 0))
			x->unjudged++;
		else
			exposure_paid(x, e, f);
		*at = e->next;
		x->nopen--;
		free(e);
	}
}

/* Debts in [@iova, @last] are forgotten or made void: how long these last will not be known. */
void exposures_cut(struct domain *d, uint64_t iova, uint64_t last)
{
	struct exposures *x = d->exposures;
	struct exposure *e, **at;

	if (!x || !x->open)
		return;
	for (at = &x->open; (e = *at);) {
		if (e->last < iova || e->iova > last) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		x->nopen--;
		x->unjudged++;
		free(e);
	}
}

void exposures_tick(struct model *m)
{
	struct domain *d;
	struct exposure *e;

	for (d = m->nexposed ? m->first_domain : NULL; d && model_step(m); d = d->next) {
		for (e = d->exposures ? d->exposures->open : NULL; e && model_step(m); e = e->next)
			e->ticks++;
	}
}

void exposures_free(struct domain *d)
{
	exposures_cut(d, 0, UINT64_MAX);
	free(d->exposures);
	d->exposures = NULL;
}
