// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * map-wide: more permission than the intent asked for. The maps come first, the intent
 * that caused them at its own end; so it is judged there, over one example per
 * permission. What the driver's format makes of it is for the table to say.
 */
#include "check.h"

#define PROT_READ	1
#define PROT_WRITE	2
#define PROT_BOTH	(PROT_READ | PROT_WRITE)

static unsigned int dma_asked(const struct ev_dma *e)
{
	if (e->kind == EV_DMA_COHERENT)
		return PROT_BOTH;
	switch (e->dir) {
	case 1:	/* to the device */
		return PROT_READ;
	case 2:	/* from the device */
		return PROT_WRITE;
	default:
		return PROT_BOTH;
	}
}

static unsigned int vfio_asked(const struct ev_vfio *e)
{
	return (e->vfio_flags & VFIO_MAP_READ ? PROT_READ : 0) |
	       (e->vfio_flags & VFIO_MAP_WRITE ? PROT_WRITE : 0);
}

static unsigned int asked_by(const struct op *op)
{
	switch (op->kind) {
	case EV_DMA_MAP:
		return dma_asked(&op->u.dma);
	case EV_REF_INTENT:
		return op->u.ref_intent.prot & PROT_BOTH;
	default:
		return vfio_asked(&op->u.vfio);
	}
}

static int wide_found(const struct piece *p, unsigned int asked, const struct op *op,
		      struct report *rep)
{
	struct finding f;

	check_begin(&f, FINDING_MAP_WIDE, GRADE_VIOLATION, op, p->domain);
	check_range(&f, p->range.iova, p->range.last);
	if (op->kind == EV_DMA_MAP)
		f.device = op->u.dma.dev;
	else if (op->kind == EV_VFIO_MAP)
		f.container = op->u.vfio.container;
	piece_ref(&f, "map", EV_MAP, p);
	finding_op(&f, "intent", op);
	finding_hex(&f, "asked_prot", asked);
	finding_hex(&f, "prot", p->range.prot);
	return report_add(rep, &f);
}

static int wide_before(const struct model *m, const struct op *op, struct report *rep)
{
	const struct cause *c = model_cause(m, op->id);
	unsigned int asked, prot;

	if (!c || (op->kind == EV_REF_INTENT && (op->u.ref_intent.kind != EV_REF_MAP || op->empty)))
		return 0;
	if (!model_sure_op(m, op) || vfio_unread(op)) {
		rep->tally.unknown++;
		return 0;
	}
	asked = asked_by(op);
	for (prot = 1; prot < 4; prot++) {
		if (c->mapped[prot] && prot & ~asked)
			return wide_found(&c->maps[prot], asked, op, rep);
	}
	return 0;
}

const struct checker check_map_wide = {
	.id = FINDING_MAP_WIDE,
	.needs = NEED_MAP | NEED_ALL,
	.kinds = KIND(EV_DMA_MAP) | KIND(EV_VFIO_MAP) | KIND(EV_REF_INTENT),
	.before = wide_before,
};
