// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * unmap-short: an unmap removed less than it was asked to.
 *
 * At the action: the driver itself says so, over a range that was surely live, with no
 * hole and cut at neither end. At the intent: a VFIO unmap succeeded, and what the map of a
 * slot inside it made, or a later attach replayed of it, is still live. A hole, or a size of
 * 0, is never a finding.
 */
#include "check.h"

/* Surely live from first to last byte, in whole ranges, none of them made meanwhile. */
static bool exactly_live(const struct model *m, const struct domain *d, const struct op *op)
{
	const struct range *r = range_first(&d->ranges, op->iova, op->last);
	uint64_t at = op->iova;

	for (; r && r->iova == at; r = range_next(&d->ranges, r, op->last)) {
		if (!model_range_sure(m, d, r) || r->last > op->last ||
		    spans_meet(r->begin, r->end, op->begin, op->end))
			return false;
		if (r->last == op->last)
			return true;
		at = r->last + 1;
	}
	return false;
}

static int short_action(const struct model *m, const struct op *op, struct report *rep)
{
	const struct domain *d = model_domain(m, op->u.unmap.domain);
	struct finding f;

	if (!d || op->empty || op->flags & EVF_ROLLBACK || op->u.unmap.done >= op->u.unmap.size)
		return 0;
	if (!model_sure_op(m, op) || !exactly_live(m, d, op)) {
		rep->tally.unknown++;
		return 0;
	}
	check_begin(&f, FINDING_UNMAP_SHORT, GRADE_VIOLATION, op, d);
	check_range(&f, op->iova + op->u.unmap.done, op->last);
	range_ref(&f, range_first(&d->ranges, f.iova, f.last));
	finding_op(&f, "unmap", op);
	finding_hex(&f, "asked", op->u.unmap.size);
	finding_hex(&f, "done", op->u.unmap.done);
	return report_add(rep, &f);
}

/* By the slot's own call; or replayed, for a group that came to the container later. */
static bool made_for(const struct range *r, const struct slot *s)
{
	return r->cause == s->id ||
	       (r->flags & RANGE_REPLAYED && r->begin > s->end && r->iova >= s->iova &&
		r->last <= s->last);
}

static const struct range *survivor(const struct model *m, const struct domain *d,
				    const struct slot *s, const struct op *op)
{
	const struct range *r;

	for (r = range_first(&d->ranges, s->iova, s->last); r;
	     r = range_next(&d->ranges, r, s->last)) {
		if (made_for(r, s) && model_range_sure(m, d, r) && r->end < op->begin)
			return r;
	}
	return NULL;
}

static int short_found(const struct domain *d, const struct range *r, const struct slot *s,
		       const struct op *op, struct report *rep)
{
	struct finding f;

	check_begin(&f, FINDING_UNMAP_SHORT, GRADE_VIOLATION, op, d);
	check_range(&f, r->iova, r->last);
	f.container = op->u.vfio.container;
	range_ref(&f, r);
	finding_ref(&f, "intent to map", &(struct ref){ .kind = EV_VFIO_MAP, .cpu = s->cpu,
			.pid = s->pid, .seq = s->seq, .time_ns = s->end });
	finding_op(&f, "intent to unmap", op);
	finding_hex(&f, "slot_iova", s->iova);
	finding_hex(&f, "slot_last", s->last);
	finding_hex(&f, "asked_iova", op->iova);
	finding_hex(&f, "asked_last", op->last);
	finding_hex(&f, "done", op->u.vfio.done);
	return report_add(rep, &f);
}

static int short_slot(const struct model *m, const struct container *c, const struct slot *s,
		      const struct op *op, struct report *rep)
{
	const struct range *r;
	unsigned int i;
	int ret = 0;

	if (!s->id || s->end >= op->begin ||
	    !epoch_sure(m, s->epoch, c->sure_epoch))
		return 0;
	for (i = 0; i < c->ndomains && !ret; i++) {
		if (c->domains[i]->dead)
			continue;
		r = survivor(m, c->domains[i], s, op);
		if (r)
			ret = short_found(c->domains[i], r, s, op, rep);
	}
	return ret;
}

/* Version 1 stops at a slot that begins before what was asked, version 2 refuses. */
static bool asked_cuts(const struct container *c, const struct op *op)
{
	const struct slot *first = slot_first(c, op->iova, op->iova);
	const struct slot *last = slot_first(c, op->last, op->last);

	return (first && first->iova < op->iova) || (last && last->last > op->last);
}

/* Kernels before 6.2 stop at the first slot of another process, and return success. */
static bool asked_foreign(const struct container *c, const struct op *op)
{
	const struct slot *s;

	for (s = slot_first(c, op->iova, op->last); s; s = slot_after(c, s, op->last)) {
		if (s->tgid != op->tgid)
			return true;
	}
	return false;
}

static int short_vfio(const struct model *m, const struct op *op, struct report *rep)
{
	const struct container *c = model_container(m, op->u.vfio.container);
	const struct slot *s;
	int ret = 0;

	if (!c || op->u.vfio.ret || op->empty || op->u.vfio.vfio_flags & VFIO_UNMAP_VADDR)
		return 0;
	if (!model_sure_op(m, op)) {
		rep->tally.unknown++;
		return 0;
	}
	if (asked_cuts(c, op) || asked_foreign(c, op))
		return 0;
	for (s = slot_first(c, op->iova, op->last); s && !ret; s = slot_after(c, s, op->last))
		ret = short_slot(m, c, s, op, rep);
	return ret;
}

const struct checker check_unmap_short = {
	.id = FINDING_UNMAP_SHORT,
	.needs = NEED_MAP | NEED_UNMAP | NEED_FREE | NEED_ALL,
	.kinds = KIND(EV_UNMAP),
	.before = short_action,
};

const struct checker check_unmap_short_vfio = {
	.id = FINDING_UNMAP_SHORT,
	.needs = NEED_MAP | NEED_UNMAP | NEED_FREE | NEED_VFIO | NEED_ALL,
	.kinds = KIND(EV_VFIO_UNMAP),
	.before = short_vfio,
};
