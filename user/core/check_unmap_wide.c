// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * unmap-wide: what an intent's unmaps removed is not what it asked for. A removed
 * range is accused only if it is known whose it was: of another DMA API mapping, or of
 * a VFIO slot that the request does not touch. Whole slots (type1 version 1), rounding
 * to the granule, and the unmaps of an attach are legal.
 */
#include "check.h"

static int wide_found(const struct piece *p, const struct op *op, struct report *rep)
{
	struct finding f;

	check_begin(&f, FINDING_UNMAP_WIDE, GRADE_VIOLATION, op, p->domain);
	check_range(&f, p->range.iova, p->range.last);
	if (op->kind == EV_DMA_UNMAP)
		f.device = op->u.dma.dev;
	else if (op->kind == EV_VFIO_UNMAP)
		f.container = op->u.vfio.container;
	range_ref(&f, &p->range);
	piece_ref(&f, "unmap", EV_UNMAP, p);
	finding_op(&f, "intent", op);
	if (!op->empty) {
		finding_hex(&f, "asked_iova", op->iova);
		finding_hex(&f, "asked_last", op->last);
	}
	finding_hex(&f, "mapped_by_intent", p->range.cause);
	return report_add(rep, &f);
}

/* A scatterlist's unmap says no size: at least its first segment, as it was mapped. */
static bool asked_range(const struct model *m, const struct op *op, uint64_t *first,
			uint64_t *last)
{
	const struct device *dev;
	const struct dma_entry *e;

	*first = op->iova;
	*last = op->last;
	if (!op->empty)
		return true;
	if (op->kind != EV_DMA_UNMAP)
		return false;
	dev = model_device(m, op->u.dma.dev);
	e = dev ? dma_match(dev, op) : NULL;
	if (!e || !e->size || wire_range(e->addr, e->size, last))
		return false;
	*first = e->addr;
	return true;
}

/*
 * Clips @p to what lies outside of what was asked, rounded to whole pages of the domain; of two
 * such parts the lower one. Return: is there any?
 */
static bool clip_outside(const struct model *m, struct piece *p, const struct op *op)
{
	uint64_t mask = domain_granule(p->domain) - 1, first, last;

	if (!asked_range(m, op, &first, &last))
		return true;
	first &= ~mask;
	last |= mask;
	if (p->range.iova < first) {
		if (p->range.last >= first)
			p->range.last = first - 1;
		return true;
	}
	if (p->range.last <= last)
		return false;
	if (p->range.iova <= last)
		p->range.iova = last + 1;
	return true;
}

/* Where addresses are shared (P2P), the unmap may have meant another mapping than the best fit. */
static bool alone_at(const struct device *dev, uint64_t addr)
{
	const struct dma_entry *e = omap_get(&dev->dma.live, addr);

	return e && !e->next;
}

static bool wide_dma(const struct model *m, const struct piece *p, const struct op *op)
{
	const struct device *dev = model_device(m, op->u.dma.dev);
	const struct dma_entry *e = dev ? dma_match(dev, op) : NULL;

	if (!e || !e->id || !p->range.cause || !model_entry_sure(m, dev, e) ||
	    !alone_at(dev, e->addr))
		return false;

	return p->range.cause != e->id;
}

static bool wide_vfio(const struct model *m, const struct piece *p, const struct op *op)
{
	const struct container *c = model_container(m, op->u.vfio.container);
	const struct slot *s;

	if (!c || !p->range.cause)
		return false;
	s = slot_first(c, p->range.iova, p->range.last);
	if (!s || s->id != p->range.cause || !epoch_sure(m, s->epoch, c->sure_epoch))
		return false;

	return !ranges_meet(s->iova, s->last, op->iova, op->last);
}

/* An address space may cut a mapping, but it never removes a byte that was not asked for. */
static bool wide_ref(const struct piece *p, const struct op *op)
{
	return p->range.cause && p->range.cause != op->id;
}

static bool wide_piece(const struct model *m, const struct piece *p, const struct op *op)
{
	if (!p->sure || p->domain->dead)
		return false;

	switch (op->kind) {
	case EV_DMA_UNMAP:
		return wide_dma(m, p, op);
	case EV_REF_INTENT:
		return wide_ref(p, op);
	default:
		return wide_vfio(m, p, op);
	}
}

/* It removed something, but it is not known what it was asked (see vfio_unread()). */
static bool asked_unknown(const struct op *op)
{
	return op->kind == EV_VFIO_UNMAP && op->empty;
}

static int wide_before(const struct model *m, const struct op *op, struct report *rep)
{
	const struct cause *c = model_cause(m, op->id);
	unsigned int i;
	int ret = 0;

	if (!c || (op->kind == EV_DMA_UNMAP && op->u.dma.kind == EV_DMA_IOVA))
		return 0;
	if (op->kind == EV_REF_INTENT && (op->u.ref_intent.kind != EV_REF_UNMAP || op->empty))
		return 0;
	if (c->overflow || !model_sure_op(m, op) || asked_unknown(op))
		rep->tally.unknown++;
	if (!model_sure_op(m, op) || asked_unknown(op))
		return 0;

	for (i = 0; i < c->npieces && !ret; i++) {
		struct piece p = c->pieces[i];

		if (clip_outside(m, &p, op) && wide_piece(m, &p, op))
			ret = wide_found(&p, op, rep);
	}
	return ret;
}

const struct checker check_unmap_wide = {
	.id = FINDING_UNMAP_WIDE,
	.needs = NEED_MAP | NEED_UNMAP | NEED_FREE | NEED_ALL,
	.kinds = KIND(EV_DMA_UNMAP) | KIND(EV_VFIO_UNMAP) | KIND(EV_REF_INTENT),
	.before = wide_before,
};
