// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * fault-after-unmap: a device used an address that surely had been mapped in its domain and
 * was unmapped, or while it was being unmapped. fault-while-live: it used one that is mapped,
 * with that permission, and the IOMMU refused.
 *
 * An unmap's record comes at its end: faults over a live mapping are taken back, and told as
 * the other, if the unmap turns out to have begun before them (m->faults->told has them then).
 */
#include "check.h"

static void fault_ref(struct finding *f, const struct fault *v)
{
	finding_ref(f, "fault", &(struct ref){ .kind = EV_FAULT, .cpu = v->cpu, .seq = v->seq,
					       .time_ns = v->time_ns });
}

static void neighbour_details(struct finding *f, const struct fault *v)
{
	if (!range_is_none(&v->below))
		finding_hex(f, "live_below", v->below.last);
	if (!range_is_none(&v->above))
		finding_hex(f, "live_above", v->above.iova);
}

static void fault_begin(struct finding *f, enum finding_id id, const struct fault *v,
			const struct op *op)
{
	check_begin(f, id, GRADE_VIOLATION, op, v->domain);
	f->device = v->dev->ptr;
	f->begin_ns = v->time_ns;
	check_range(f, v->facts.iova & ~0xfffULL, v->facts.iova | 0xfff);
	finding_text(f, "access", v->facts.prot == 1 ? "read" : v->facts.prot == 2 ? "write" :
			v->facts.prot ? "read and write" : "unknown");
	finding_hex(f, "reason", v->facts.reason);
	finding_text(f, "says", fault_reason(v->driver_kind, v->facts.reason));
	if (v->facts.sid != FAULT_NO_SID)
		finding_hex(f, "sid", v->facts.sid);
	if (v->peers)
		finding_dec(f, "or_of_its_group", v->peers);
}

static int after_unmap(const struct fault *v, const struct op *op, struct report *rep)
{
	const struct past *p = &v->before;
	bool during = v->time_ns <= p->end;
	struct finding f;

	fault_begin(&f, FINDING_FAULT_AFTER_UNMAP, v, op);
	f.cause = p->cause;
	range_ref(&f, &p->range);
	finding_ref(&f, "unmap", &(struct ref){ .kind = EV_UNMAP, .cpu = p->cpu, .pid = p->pid,
			.seq = p->seq, .time_ns = p->end, .cause = p->cause });
	fault_ref(&f, v);
	finding_text(&f, "when", during ? "while it was unmapped" : "after the unmap");
	if (!during)
		finding_dec(&f, "unmapped_for_ns", v->time_ns - p->end);
	neighbour_details(&f, v);
	return report_add(rep, &f);
}

static int while_live(const struct fault *v, const struct op *op, struct report *rep)
{
	struct finding f;

	fault_begin(&f, FINDING_FAULT_WHILE_LIVE, v, op);
	f.cause = v->live.cause;
	range_ref(&f, &v->live);
	fault_ref(&f, v);
	finding_hex(&f, "mapped_prot", v->live.prot);
	finding_hex(&f, "mapped_iova", v->live.iova);
	finding_hex(&f, "mapped_last", v->live.last);
	return report_add(rep, &f);
}

static bool was_live(void *arg, const struct finding *f)
{
	const struct fault *v = arg;

	return f->id == FINDING_FAULT_WHILE_LIVE && f->domain == v->domain->ptr &&
	       f->domain_gen == v->domain->gen && f->begin_ns >= v->before.begin &&
	       ranges_meet(f->iova, f->last, v->before.range.iova, v->before.range.last);
}

static int fault_tell(const struct fault *v, const struct op *op, struct report *rep)
{
	switch (v->class) {
	case FAULT_UNMAPPED:
		return after_unmap(v, op, rep);
	case FAULT_LIVE:
		return while_live(v, op, rep);
	case FAULT_UNKNOWN:
	case FAULT_UNHEARD:
		rep->tally.unknown++;
		return 0;
	default:
		return 0;
	}
}

static int fault_after(const struct model *m, const struct op *op, struct report *rep)
{
	const struct fault *v;
	int ret = 0;

	for (v = model_faults(m)->told; v && !ret; v = v->next_told) {
		if (op->kind == EV_UNMAP)
			report_retract(rep, v->before.begin, was_live, (void *)v);
		ret = fault_tell(v, op, rep);
	}
	return ret;
}

const struct checker check_fault = {
	.id = FINDING_FAULT_AFTER_UNMAP,
	.also = FINDS(FINDING_FAULT_WHILE_LIVE),
	.needs = NEED_MAP | NEED_UNMAP | NEED_ATTACH | NEED_FREE | NEED_ALL,
	.kinds = KIND(EV_FAULT) | KIND(EV_UNMAP),
	.after = fault_after,
};
