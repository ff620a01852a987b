// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Address spaces of /dev/refiommu: what their users want mapped, and in which domains.
 *
 * Invariants
 * - Calls are heard at their end and carry a number that is unique over all files since
 *   the allocation is told, too; without that (older traces) there is no address space here.
 * - A map that succeeded is an area; an unmap that succeeded leaves nothing of what it named
 *   (kernel/ioas.c: one that fails removes nothing).
 * - A domain belongs to the address space that was replayed into it last.
 */
#include <errno.h>
#include <stdlib.h>

#include "model_priv.h"

struct ioas *model_ioas(const struct model *m, uint64_t nr)
{
	struct ioas *s = omap_get(&m->ioases, nr);

	return s && !s->dead ? s : NULL;
}

static int ioas_new(struct model *m, const struct op *op)
{
	struct ioas *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->nr = op->u.ref_intent.ioas;
	if (omap_put(&m->ioases, s->nr, s)) {
		free(s);
		return -ENOMEM;
	}
	s->areas.pool = &m->ranges;
	s->fixed.pool = &m->ranges;
	s->whole_epoch = model_sure_op(m, op) ? m->epoch : 0;
	s->next = m->first_ioas;
	m->first_ioas = s;
	return 0;
}

static void ioas_end(struct ioas *s)
{
	ranges_clear(&s->areas);
	ranges_clear(&s->fixed);
	s->ndomains = 0;
	s->dead = true;
}

void ioases_doubt(struct model *m)
{
	struct ioas *s;

	m->epoch++;
	for (s = m->first_ioas; s; s = s->next)
		s->sure_epoch = m->epoch;
}

static int area_add(struct model *m, struct ioas *s, const struct op *op)
{
	struct range r = {
		.iova = op->iova,
		.last = op->last,
		.paddr = PADDR_UNKNOWN,
		.begin = op->begin,
		.end = op->end,
		.cause = op->id,
		.seq = op->seq,
		.prot = op->u.ref_intent.prot,
		.epoch = model_sure_op(m, op) ? m->epoch : 0,
		.pid = op->pid,
		.cpu = op->cpu,
	};

	if (range_first(&s->areas, op->iova, op->last))
		s->whole_epoch = 0;	/* the kernel maps over nothing: something was not heard */
	if (range_carve(&s->areas, op->iova, op->last, NULL, NULL))
		return -ENOMEM;
	return range_insert(&s->areas, &r);
}

static int area_cut(struct ioas *s, const struct op *op)
{
	uint64_t bytes = s->areas.bytes;

	if (range_carve(&s->areas, op->iova, op->last, NULL, NULL))
		return -ENOMEM;
	if (bytes - s->areas.bytes != op->u.ref_intent.bytes)
		s->whole_epoch = 0;
	return 0;
}

static int ioas_apply(struct model *m, struct ioas *s, const struct op *op)
{
	const struct cause *c = model_cause(m, op->id);
	unsigned int i;

	for (i = 0; c && i < c->ndomains; i++) {
		if (!c->domains[i]->dead)
			domains_touch(s->domains, &s->ndomains, c->domains[i]);
	}
	if (op->u.ref_intent.kind == EV_REF_FREE)
		ioas_end(s);
	else if (op->u.ref_intent.ret)
		return 0;
	else if (op->u.ref_intent.kind == EV_REF_MAP && !op->empty)
		return area_add(m, s, op);
	else if (op->u.ref_intent.kind == EV_REF_UNMAP && !op->empty)
		return area_cut(s, op);
	else if (op->u.ref_intent.kind == EV_REF_MAP || op->u.ref_intent.kind == EV_REF_UNMAP)
		s->sure_epoch = ++m->epoch;	/* of a range that was not heard */
	return 0;
}

int apply_ref_intent(struct model *m, const struct op *op)
{
	struct ioas *s = model_ioas(m, op->u.ref_intent.ioas);
	int ret = 0;

	intent_note(m, op, op->u.ref_intent.dev);
	if (s)
		ret = ioas_apply(m, s, op);
	else if (op->u.ref_intent.kind == EV_REF_ALLOC)
		ret = ioas_new(m, op);
	cause_done(m, op->id);
	return ret;
}

/* ---- replays ---- */

static void domain_leave(struct ioas *s, const struct domain *d)
{
	unsigned int i;

	for (i = 0; i < s->ndomains; i++) {
		if (s->domains[i] == d)
			s->domains[i] = s->domains[--s->ndomains];
	}
}

static int replay_begin(struct model *m, struct ioas *s, struct domain *d)
{
	struct ioas *other;

	if (!d)
		return -ENOMEM;
	for (other = m->first_ioas; other; other = other->next) {
		if (other != s)
			domain_leave(other, d);
	}
	domains_touch(s->domains, &s->ndomains, d);
	ranges_clear(&s->fixed);
	return 0;
}

/* What is set up or mapped besides the areas; whole pages. */
static int replay_fixed(struct ioas *s, const struct ev_ref_replay *e)
{
	struct range r = { .iova = e->first & ~0xfffULL, .last = e->last | 0xfff };

	if (!e->type || !e->action || e->first > e->last)
		return 0;
	if (range_carve(&s->fixed, r.iova, r.last, NULL, NULL))
		return -ENOMEM;
	return range_insert(&s->fixed, &r);
}

int apply_ref_replay(struct model *m, const struct op *op)
{
	const struct ev_ref_replay *e = &op->u.ref_replay;
	struct ioas *s = model_ioas(m, e->ioas);

	if (s && e->step == EV_REPLAY_BEGIN)
		return replay_begin(m, s, domain_get(m, e->domain));
	if (s && e->step == EV_REPLAY_ENTRY)
		return replay_fixed(s, e);
	if (e->step != EV_REPLAY_END)
		return 0;
	intent_note(m, op, e->domain);
	cause_done(m, op->id);
	return 0;
}

void ioases_free(struct model *m)
{
	struct ioas *s;

	while ((s = m->first_ioas)) {
		m->first_ioas = s->next;
		ioas_end(s);
		omap_clear(&s->areas.map);
		omap_clear(&s->fixed.map);
		free(s);
	}
	omap_clear(&m->ioases);
}
