// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * unmap-nothing, left-mapped: habits of users, no faults. Both are notes, and kept once per
 * domain or in all, with a count: a hypervisor does this all day.
 *
 * unmap-nothing: an unmap of a range where nothing was mapped, judged from what was known, never
 * from what the call returned. It is not a violation, because correct kernels do it: a replay of
 * type1's that fails unmaps whole slots of which it had mapped nothing (vfio_iommu_replay(),
 * "unwind", all versions); only what drivers make of it differs (VT-d up to 6.12 says that it
 * removed a page, and may take live neighbours with it). A driver that unmaps twice is
 * told as dma-unmap-mismatch.
 *
 * left-mapped: the last domain of a container went while slots were there: it was closed, or its
 * process died, with live mappings, and the kernel cleaned up.
 */
#include "check.h"

/* ---- unmap-nothing ---- */

static int nothing_found(const struct op *op, const struct domain *d, struct report *rep)
{
	struct finding f;

	check_begin(&f, FINDING_UNMAP_NOTHING, GRADE_NOTE, op, d);
	f.cause = 0;
	if (op->kind == EV_VFIO_UNMAP)
		f.container = op->u.vfio.container;
	finding_op(&f, "unmap", op);
	finding_text(&f, "what", d ? "iommu_unmap of a range without a mapping" :
				     "VFIO unmap of a range without a slot");
	finding_hex(&f, "first_iova", op->iova);
	finding_hex(&f, "first_last", op->last);
	return report_add(rep, &f);
}

static bool is_undo(const struct model *m, const struct op *op)
{
	const struct cause *c = model_cause(m, op->cause);

	return op->flags & EVF_ROLLBACK || (c && c->refused);
}

/* Afterwards: mostly a piece was removed, and no search is needed. */
static int nothing_action(const struct model *m, const struct op *op, struct report *rep)
{
	const struct domain *d;

	if (op->kind != EV_UNMAP || m->npieces)
		return 0;
	d = model_domain(m, op->u.unmap.domain);
	if (!d || op->empty || !d->whole_epoch || is_undo(m, op) ||
	    range_first(&d->ranges, op->iova, op->last))
		return 0;
	if (!model_sure_op(m, op) || !model_domain_whole(m, d)) {
		rep->tally.unknown++;
		return 0;
	}
	return nothing_found(op, d, rep);
}

static int nothing_vfio(const struct model *m, const struct op *op, struct report *rep)
{
	const struct container *c;

	if (op->kind != EV_VFIO_UNMAP)
		return 0;
	c = model_container(m, op->u.vfio.container);
	if (!c || op->empty || op->u.vfio.vfio_flags & VFIO_UNMAP_VADDR ||
	    slot_first(c, op->iova, op->last))
		return 0;
	if (!model_sure_op(m, op) || !epoch_sure(m, c->whole_epoch, c->sure_epoch)) {
		rep->tally.unknown++;
		return 0;
	}
	return nothing_found(op, NULL, rep);
}

/* ---- left-mapped ---- */

static bool is_last(const struct container *c, const struct domain *d)
{
	bool in = false;
	unsigned int i;

	for (i = 0; i < c->ndomains; i++) {
		if (c->domains[i] == d)
			in = true;
		else if (!c->domains[i]->dead)
			return false;
	}
	return in;
}

static int left_found(const struct container *c, const struct domain *d, const struct op *op,
		      struct report *rep)
{
	const struct slot *s = slot_first(c, 0, UINT64_MAX);
	struct finding f;

	check_begin(&f, FINDING_LEFT_MAPPED, GRADE_NOTE, op, d);
	f.container = c->ptr;
	finding_ref(&f, "intent to map", &(struct ref){ .kind = EV_VFIO_MAP, .cpu = s->cpu,
			.pid = s->pid, .seq = s->seq, .time_ns = s->end });
	finding_op(&f, "free", op);
	finding_dec(&f, "slots", c->nslots);
	finding_dec(&f, "bytes", c->bytes);
	return report_add(rep, &f);
}

static int left_free(const struct model *m, const struct op *op, struct report *rep)
{
	const struct domain *d = model_domain(m, op->u.domain_op.domain);
	const struct container *c;

	if (!d || domain_op_static(op))
		return 0;
	for (c = m->first_container; c; c = c->next) {
		if (!c->nslots || !is_last(c, d))
			continue;
		if (model_sure_op(m, op) && epoch_sure(m, c->whole_epoch, c->sure_epoch))
			return left_found(c, d, op, rep);
		rep->tally.unknown++;
	}
	return 0;
}

const struct checker check_unmap_nothing = {
	.id = FINDING_UNMAP_NOTHING,
	.needs = NEED_MAP | NEED_UNMAP | NEED_FREE | NEED_VFIO | NEED_ALL,
	.kinds = KIND(EV_UNMAP) | KIND(EV_VFIO_UNMAP),
	.before = nothing_vfio,
	.after = nothing_action,
};

const struct checker check_left_mapped = {
	.id = FINDING_LEFT_MAPPED,
	.needs = NEED_FREE | NEED_VFIO | NEED_ALL,
	.kinds = KIND(EV_FREE),
	.before = left_free,
};
