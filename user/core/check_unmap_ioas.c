// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * unmap-short at /dev/refiommu: an unmap succeeded, which leaves nothing of what it named
 * (docs/refiommu.md, "Rules"), and a part of what its address space meant there is
 * still live in one of its domains.
 */
#include "check.h"

static int short_found(const struct domain *d, const struct range *area, const struct range *r,
		       const struct op *op, struct report *rep)
{
	struct finding f;

	check_begin(&f, FINDING_UNMAP_SHORT, GRADE_VIOLATION, op, d);
	check_range(&f, r->iova > op->iova ? r->iova : op->iova,
		    r->last < op->last ? r->last : op->last);
	range_ref(&f, r);
	finding_ref(&f, "intent to map", &(struct ref){ .kind = EV_REF_INTENT, .cpu = area->cpu,
			.pid = area->pid, .seq = area->seq, .time_ns = area->end });
	finding_op(&f, "intent to unmap", op);
	finding_hex(&f, "asked_iova", op->iova);
	finding_hex(&f, "asked_last", op->last);
	finding_hex(&f, "done", op->u.ref_intent.bytes);
	return report_add(rep, &f);
}

/* One for each area and domain says enough. */
static int short_area(const struct model *m, const struct domain *d, const struct range *area,
		      const struct op *op, struct report *rep)
{
	uint64_t first = area->iova > op->iova ? area->iova : op->iova;
	uint64_t last = area->last < op->last ? area->last : op->last;
	const struct range *r;

	for (r = range_first(&d->ranges, first, last); r; r = range_next(&d->ranges, r, last)) {
		if (model_range_sure(m, d, r) && r->end < op->begin)
			return short_found(d, area, r, op, rep);
	}
	return 0;
}

static int short_ioas(const struct model *m, const struct op *op, struct report *rep)
{
	const struct ioas *s = model_ioas(m, op->u.ref_intent.ioas);
	const struct range *area;
	unsigned int i;
	int ret = 0;

	if (!s || op->u.ref_intent.kind != EV_REF_UNMAP || op->u.ref_intent.ret || op->empty)
		return 0;
	if (!model_sure_op(m, op)) {
		rep->tally.unknown++;
		return 0;
	}
	for (area = range_first(&s->areas, op->iova, op->last); area && !ret;
	     area = range_next(&s->areas, area, op->last)) {
		if (!epoch_sure(m, area->epoch, s->sure_epoch) || area->end >= op->begin)
			continue;
		for (i = 0; i < s->ndomains && !ret; i++) {
			if (!s->domains[i]->dead)
				ret = short_area(m, s->domains[i], area, op, rep);
		}
	}
	return ret;
}

const struct checker check_unmap_short_ioas = {
	.id = FINDING_UNMAP_SHORT,
	.needs = NEED_MAP | NEED_UNMAP | NEED_FREE | NEED_IOAS | NEED_ALL,
	.kinds = KIND(EV_REF_INTENT),
	.before = short_ioas,
};
