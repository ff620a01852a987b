// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Maps and unmaps applied to the live ranges. Where the records cannot tell what the
 * table holds afterwards (an unmap that did less or more than asked, an undo, two calls
 * at once), the ranges concerned become unsure instead of wrong.
 */
#include <errno.h>
#include <stdlib.h>

#include "model_priv.h"

struct removal {
	struct model *m;
	struct domain *domain;
	const struct op *op;
};

void ranges_doubt(struct model *m, struct domain *d, uint64_t iova, uint64_t last)
{
	struct range *r;

	watch_doubt(d, iova, last);
	for (r = range_first(&d->ranges, iova, last); r; r = range_next(&d->ranges, r, last)) {
		if (!model_step(m))
			return;
		r->flags |= RANGE_UNSURE;
	}
}

static void count_map(struct domain *d, const struct op *op)
{
	if (op->u.map.ret) {
		d->n.maps_failed++;
		return;
	}
	d->n.maps++;
	d->n.map_bytes += op->u.map.size;
}

static void range_from(const struct model *m, struct range *r, const struct op *op)
{
	*r = (struct range){
		.iova = op->iova,
		.last = op->last,
		.paddr = op->u.map.paddr,
		.begin = op->begin,
		.end = op->end,
		.cause = op->cause,
		.seq = op->seq,
		.prot = op->u.map.prot,
		.epoch = model_sure_op(m, op) ? m->epoch : 0,
		.pid = op->pid,
		.cpu = op->cpu,
		.flags = op->flags & EVF_SG ? RANGE_SG : 0,
	};
}

/* Was all that @op maps over read in the table while it ran? Then it was its own. */
static bool is_own(const struct domain *d, const struct op *op)
{
	const struct range *r;

	for (r = range_first(&d->ranges, op->iova, op->last); r;
	     r = range_next(&d->ranges, r, op->last))
		if (!range_read_from(r, op))
			return false;
	return true;
}

int apply_map(struct model *m, const struct op *op)
{
	struct domain *d = domain_get(m, op->u.map.domain);
	struct range r;

	if (!d)
		return -ENOMEM;
	count_map(d, op);
	if (d->nreplaced)
		replaced_done(d, op);
	if (op->empty)
		return 0;
	watch_touch(d, op->iova, op->last);
	if (op->u.map.ret)
		return cause_refused(m, d, op);

	range_from(m, &r, op);
	if (range_first(&d->ranges, op->iova, op->last)) {
		/* Which of the two entries the driver kept is for the table to say. */
		if (!is_own(d, op))
			r.flags |= RANGE_UNSURE;
		if (range_carve(&d->ranges, op->iova, op->last, NULL, NULL))
			return -ENOMEM;
	}
	debts_close(m, d, op->iova, op->last);
	debts_open_absent(m, d, op);
	if (range_insert(&d->ranges, &r))
		return -ENOMEM;
	if (d->ranges.count > d->n.live_max)
		d->n.live_max = d->ranges.count;
	return cause_map(m, d, op);
}

static void count_unmap(struct domain *d, const struct op *op)
{
	d->n.unmaps++;
	d->n.unmap_bytes += op->u.unmap.done;
	if (!(op->flags & EVF_FAST))
		d->n.unmaps_sync++;
	else if (op->flags & EVF_QUEUED)
		d->n.unmaps_queued++;
	else
		d->n.unmaps_fast++;
}

static int pieces_grow(struct model *m)
{
	size_t room = m->pieces_room * 2 + 16;
	struct piece *p = realloc(m->pieces, room * sizeof(*p));

	if (!p)
		return -ENOMEM;
	m->pieces = p;
	m->pieces_room = room;
	return 0;
}

/* A map that ran beside the unmap may have come after it: nothing is sure about it. */
static int piece_note(void *arg, const struct range *r)
{
	struct removal *rm = arg;
	struct model *m = rm->m;
	struct piece *p;

	if (m->npieces == m->pieces_room && pieces_grow(m))
		return -ENOMEM;
	p = &m->pieces[m->npieces++];
	p->domain = rm->domain;
	p->range = *r;
	p->sure = model_range_sure(m, rm->domain, r) &&
		  !spans_meet(r->begin, r->end, rm->op->begin, rm->op->end);
	p->seq = rm->op->seq;
	p->end = rm->op->end;
	p->pid = rm->op->pid;
	p->cpu = rm->op->cpu;
	return 0;
}

/*
 * The driver says that it removed more than asked: an entry of a larger page went
 * as a whole, with what lies before and behind. Only the table knows how far.
 */
static void doubt_around(struct model *m, struct domain *d, const struct op *op)
{
	uint64_t done = op->u.unmap.done, block = 1, base, last;

	while (block && block < done)
		block <<= 1;
	base = block ? op->iova & ~(block - 1) : 0;
	last = block ? base | (block - 1) : UINT64_MAX;
	if (__builtin_add_overflow(op->iova, done - 1, &done))
		done = UINT64_MAX;
	m->needs_table++;
	ranges_doubt(m, d, base, last > done ? last : done);
}

static int unmap_ranges(struct model *m, struct domain *d, const struct op *op)
{
	struct removal rm = { .m = m, .domain = d, .op = op };
	uint64_t done = op->u.unmap.done, size = op->u.unmap.size;
	uint64_t last = op->last;

	if (done < size)
		ranges_doubt(m, d, done ? op->iova + done : op->iova, op->last);
	if (!done)
		return 0;
	if (done < size)
		last = op->iova + done - 1;
	if (range_carve(&d->ranges, op->iova, last, piece_note, &rm))
		return -ENOMEM;
	if (done > size)
		doubt_around(m, d, op);
	return 0;
}

/* In a domain that was heard from its birth, what is not known was not there. */
static void known_note(struct model *m, const struct domain *d, const struct op *op)
{
	uint64_t bytes = 0, asked = op->last - op->iova + 1;
	bool sure = true;
	size_t i;

	for (i = 0; i < m->npieces; i++) {
		bytes += m->pieces[i].range.last - m->pieces[i].range.iova + 1;
		sure &= m->pieces[i].sure;
	}
	if (!model_sure_op(m, op))
		m->known.lost++;
	else if (!sure)
		m->known.unsure++;
	else if (bytes != asked && !d->born)
		m->known.unheard++;
	else
		m->known.judged++;
}

int apply_unmap(struct model *m, const struct op *op)
{
	struct domain *d = domain_get(m, op->u.unmap.domain);

	if (!d)
		return -ENOMEM;
	count_unmap(d, op);
	if (op->empty)
		return 0;
	watch_touch(d, op->iova, op->last);
	debts_close_absent(m, d, op->iova, op->last);
	if (op->flags & EVF_ROLLBACK) {
		/* Undoes what a failed map made; what was there before is a question. */
		ranges_doubt(m, d, op->iova, op->last);
		return 0;
	}
	if (unmap_ranges(m, d, op))
		return -ENOMEM;
	known_note(m, d, op);
	debts_open(m, d, op);
	pasts_note(m, d, op);
	return cause_unmap(m, op);
}
