// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * map-overlap: a map that succeeds over a live range leaves two owners for one IOVA.
 * Who frees an IOVA does so after the unmap returned, so begin and end times settle the
 * order. Two maps at the same time, or a map beside an unmap that is heard only later,
 * are the callers' race: a note.
 */
#include "check.h"

static bool same_call(const struct range *r, const struct op *op)
{
	return r->flags & RANGE_SG && op->flags & EVF_SG && r->begin == op->begin &&
	       r->pid == op->pid;
}

static int overlap_found(const struct domain *d, const struct range *r,
			 const struct op *op, struct report *rep)
{
	bool race = spans_meet(r->begin, r->end, op->begin, op->end);
	struct finding f;

	check_begin(&f, race ? FINDING_CALLER_RACE : FINDING_MAP_OVERLAP,
		    race ? GRADE_NOTE : GRADE_VIOLATION, op, d);
	check_range(&f, r->iova > op->iova ? r->iova : op->iova,
		    r->last < op->last ? r->last : op->last);
	range_ref(&f, r);
	finding_op(&f, race ? "map beside it" : "map over it", op);
	finding_hex(&f, "old_iova", r->iova);
	finding_hex(&f, "old_last", r->last);
	finding_hex(&f, "old_paddr", r->paddr);
	finding_hex(&f, "new_iova", op->iova);
	finding_hex(&f, "new_last", op->last);
	finding_hex(&f, "new_paddr", op->u.map.paddr);
	return report_add(rep, &f);
}

static int overlap_map(const struct model *m, const struct op *op, struct report *rep)
{
	const struct domain *d = model_domain(m, op->u.map.domain);
	const struct range *r;

	if (!d || op->u.map.ret || op->empty)
		return 0;

	for (r = range_first(&d->ranges, op->iova, op->last); r;
	     r = range_next(&d->ranges, r, op->last)) {
		if (same_call(r, op) || range_read_from(r, op))
			continue;
		if (!model_range_sure(m, d, r) || !model_sure_op(m, op)) {
			rep->tally.unknown++;
			continue;
		}
		return overlap_found(d, r, op, rep);
	}
	return 0;
}

static bool beside_unmap(void *arg, const struct finding *f)
{
	const struct op *op = arg;

	return f->id == FINDING_MAP_OVERLAP && f->domain == op->u.unmap.domain &&
	       ranges_meet(f->iova, f->last, op->iova, op->last) &&
	       spans_meet(f->begin_ns, f->time_ns, op->begin, op->end);
}

/* An unmap that was running while the map was accused explains it. */
static int overlap_unmap(const struct op *op, struct report *rep)
{
	if (op->empty || rep->newest_ns < op->begin)
		return 0;

	report_soften(rep, op->begin, beside_unmap, (void *)op, FINDING_CALLER_RACE,
		      "an unmap of the range ran beside the map");
	return 0;
}

static int overlap_before(const struct model *m, const struct op *op, struct report *rep)
{
	if (op->kind == EV_MAP)
		return overlap_map(m, op, rep);

	return overlap_unmap(op, rep);
}

const struct checker check_overlap = {
	.id = FINDING_MAP_OVERLAP,
	.also = FINDS(FINDING_CALLER_RACE),
	.needs = NEED_MAP | NEED_UNMAP | NEED_FREE | NEED_ALL,
	.kinds = KIND(EV_MAP) | KIND(EV_UNMAP),
	.before = overlap_before,
};
