// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What an intent caused. Records are stamped at exit, so the actions come first and
 * are kept, bounded, under the id they carry until the intent's own record arrives.
 * Recent intents are kept for the story of a finding.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model_priv.h"

#define CAUSES_MAX 16384

const struct cause *model_cause(const struct model *m, uint64_t id)
{
	return id ? omap_get(&m->causes, id) : NULL;
}

static void cause_drop(struct model *m, struct cause *c)
{
	omap_del(&m->causes, c->id);
	if (c->prev)
		c->prev->next = c->next;
	else
		m->oldest = c->next;
	if (c->next)
		c->next->prev = c->prev;
	else
		m->newest = c->prev;
	m->ncauses--;
	pool_put(&m->cause_pool, c);
}

static void cause_append(struct model *m, struct cause *c)
{
	c->prev = m->newest;
	c->next = NULL;
	if (m->newest)
		m->newest->next = c;
	else
		m->oldest = c;
	m->newest = c;
	m->ncauses++;
}

/* The pieces are large and mostly unused: only the head is cleared. */
static struct cause *cause_new(struct model *m, uint64_t id)
{
	struct cause *c = pool_get(&m->cause_pool);

	if (!c)
		return NULL;
	if (omap_put(&m->causes, id, c)) {
		pool_put(&m->cause_pool, c);
		return NULL;
	}
	c->id = id;
	c->mapped[0] = c->mapped[1] = c->mapped[2] = c->mapped[3] = false;
	c->overflow = false;
	c->refused = 0;
	c->npieces = 0;
	c->ndomains = 0;
	cause_append(m, c);
	if (m->ncauses > CAUSES_MAX)
		cause_drop(m, m->oldest);
	return c;
}

static struct cause *cause_get(struct model *m, uint64_t id)
{
	struct cause *c = m->newest;

	if (c && c->id == id)
		return c;
	c = omap_get(&m->causes, id);
	return c ?: cause_new(m, id);
}

static void cause_touch(struct cause *c, struct domain *d)
{
	unsigned int i;

	for (i = 0; i < c->ndomains; i++) {
		if (c->domains[i] == d)
			return;
	}
	if (c->ndomains < CAUSE_DOMAINS)
		c->domains[c->ndomains++] = d;
}

int cause_map(struct model *m, struct domain *d, const struct op *op)
{
	struct cause *c;
	unsigned int prot = op->u.map.prot & 3;

	if (!op->cause)
		return 0;
	c = cause_get(m, op->cause);
	if (!c)
		return -ENOMEM;
	cause_touch(c, d);
	if (c->mapped[prot])
		return 0;

	c->mapped[prot] = true;
	c->maps[prot] = (struct piece){
		.domain = d,
		.range = { .iova = op->iova, .last = op->last, .prot = op->u.map.prot },
		.sure = true,
		.seq = op->seq,
		.end = op->end,
		.pid = op->pid,
		.cpu = op->cpu,
	};
	return 0;
}

static bool piece_follows(const struct piece *a, const struct piece *b)
{
	return a->domain == b->domain && a->range.cause == b->range.cause &&
	       a->sure == b->sure && a->range.last != UINT64_MAX &&
	       a->range.last + 1 == b->range.iova;
}

static void cause_piece(struct cause *c, const struct piece *p)
{
	struct piece *top = c->npieces ? &c->pieces[c->npieces - 1] : NULL;

	if (top && piece_follows(top, p))
		top->range.last = p->range.last;
	else if (c->npieces < CAUSE_PIECES)
		c->pieces[c->npieces++] = *p;
	else
		c->overflow = true;
}

int cause_unmap(struct model *m, const struct op *op)
{
	struct cause *c;
	size_t i;

	if (!op->cause || !m->npieces)
		return 0;
	c = cause_get(m, op->cause);
	if (!c)
		return -ENOMEM;
	cause_touch(c, m->pieces[0].domain);
	for (i = 0; i < m->npieces; i++)
		cause_piece(c, &m->pieces[i]);
	return 0;
}

/* A device comes to a domain of its user's, who need not have mapped anything yet. */
int cause_attach(struct model *m, struct domain *d, const struct op *op)
{
	struct cause *c;

	if (!op->cause || !d || !(d->type & DOMAIN_PAGING) || d->type & DOMAIN_DMA_API)
		return 0;
	c = cause_get(m, op->cause);
	if (!c)
		return -ENOMEM;
	cause_touch(c, d);
	return 0;
}

/* Was the range free? Only if all that the domain maps is known. */
int cause_refused(struct model *m, struct domain *d, const struct op *op)
{
	struct cause *c;

	if (!op->cause)
		return 0;
	c = cause_get(m, op->cause);
	if (!c)
		return -ENOMEM;
	cause_touch(c, d);
	if (c->refused)
		return 0;
	c->refused = op->u.map.ret;
	c->refused_free = model_sure_op(m, op) && model_domain_whole(m, d) &&
			  !range_first(&d->ranges, op->iova, op->last);
	c->refusal = (struct piece){
		.domain = d,
		.range = { .iova = op->iova, .last = op->last, .prot = op->u.map.prot },
		.seq = op->seq,
		.end = op->end,
		.pid = op->pid,
		.cpu = op->cpu,
	};
	return 0;
}

/* @inner ends and says nothing of its own: what it touched, the intent around it touched. */
int cause_hand_up(struct model *m, uint64_t inner, uint64_t outer)
{
	const struct cause *from = model_cause(m, inner);
	struct cause copy, *to;
	unsigned int i;

	if (!from || !from->ndomains || !outer)
		return 0;
	copy = *from;
	to = cause_get(m, outer);	/* may drop the oldest, whoever that is */
	if (!to)
		return -ENOMEM;
	for (i = 0; i < copy.ndomains; i++)
		cause_touch(to, copy.domains[i]);
	if (copy.refused && !to->refused) {
		to->refused = copy.refused;
		to->refused_free = copy.refused_free;
		to->refusal = copy.refusal;
	}
	return 0;
}

/* Said of the ranges themselves: they outlive every memory of intents. */
void cause_replayed(struct model *m, uint64_t id)
{
	const struct cause *c = model_cause(m, id);
	struct range *r;
	unsigned int i;

	for (i = 0; c && i < c->ndomains; i++) {
		struct ranges *s = &c->domains[i]->ranges;

		for (r = range_first(s, 0, UINT64_MAX); r; r = range_next(s, r, UINT64_MAX)) {
			if (!model_step(m))
				return;
			if (r->cause == id)
				r->flags |= RANGE_REPLAYED;
		}
	}
}

void cause_done(struct model *m, uint64_t id)
{
	struct cause *c = m->newest;

	if (!c || c->id != id)
		c = id ? omap_get(&m->causes, id) : NULL;
	if (c)
		cause_drop(m, c);
}

static struct intent *intent_slot(const struct model *m, uint64_t id)
{
	return &m->intents[(id ^ id >> 45) % INTENTS];
}

const struct intent *model_intent(const struct model *m, uint64_t id)
{
	const struct intent *i = intent_slot(m, id);

	if (!id)
		return NULL;
	return i->id == id ? i : omap_get(&m->kept, id);
}

/* An intent's record comes at its end: it may be still to come. */
int model_keep_intent(struct model *m, uint64_t id)
{
	const struct intent *old = model_intent(m, id);
	struct intent *i;

	if (!id || omap_get(&m->kept, id))
		return 0;
	i = calloc(1, sizeof(*i));
	if (!i)
		return -ENOMEM;
	if (old)
		*i = *old;
	i->id = id;
	if (omap_put(&m->kept, id, i)) {
		free(i);
		return -ENOMEM;
	}
	return 0;
}

void intent_note(struct model *m, const struct op *op, uint64_t object)
{
	struct intent *slot = intent_slot(m, op->id), *kept;

	if (!op->id)
		return;

	*slot = (struct intent){
		.id = op->id,
		.object = object,
		.iova = op->empty ? 0 : op->iova,
		.last = op->empty ? 0 : op->last,
		.begin = op->begin,
		.end = op->end,
		.seq = op->seq,
		.pid = op->pid,
		.cpu = op->cpu,
		.kind = op->kind,
	};
	kept = m->kept.root ? omap_get(&m->kept, op->id) : NULL;
	if (kept)
		*kept = *slot;
}

void causes_free(struct model *m)
{
	struct intent *i;

	while ((i = omap_ceil(&m->kept, 0))) {
		omap_del(&m->kept, i->id);
		free(i);
	}
	omap_clear(&m->causes);
	m->oldest = NULL;
	m->newest = NULL;
}
