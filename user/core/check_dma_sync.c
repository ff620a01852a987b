// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * dma-unmap-mismatch, the part about syncs: memory handed over that is not mapped (any more),
 * more of it than was mapped, or in a direction that the mapping does not have.
 *
 * Not every mapping is heard: dma_alloc_pages() and dma_alloc_noncontiguous() are not. So what
 * is not in the book is "not mapped" only where a domain translates, nothing at all is mapped
 * there, and it is known that it was unmapped or that the book is complete.
 */
#include "check.h"

static int sync_found(const struct device *dev, const struct dma_entry *e, const struct op *op,
		      const char *what, struct report *rep)
{
	const struct binding *b = device_binding(dev, EV_TAG_NO_PASID);
	struct finding f;

	check_begin(&f, FINDING_DMA_UNMAP_MISMATCH, GRADE_VIOLATION, op, b ? b->domain : NULL);
	f.device = dev->ptr;
	f.cause = e ? e->id : op->cause;
	check_range(&f, op->u.dma.addr, op->empty ? op->u.dma.addr : op->last);
	if (e)
		entry_ref(&f, "map", e);
	finding_op(&f, "sync", op);
	finding_text(&f, "what", what);
	finding_text(&f, "synced_for", op->u.dma.mapped ? "the CPU" : "the device");
	finding_text(&f, "synced_dir", dma_dir_name(op->u.dma.dir));
	if (e) {
		finding_text(&f, "mapped_dir", dma_dir_name(e->dir));
		finding_dec(&f, "mapped_bytes", e->size);
	}
	if (e && e->kind == EV_DMA_SG) {
		finding_dec(&f, "mapped_nents", e->nents);
		finding_dec(&f, "synced_nents", op->u.dma.nents);
	}
	return report_add(rep, &f);
}

/* What is wrong with the sync @op, if @e is what it means; NULL: nothing. */
static const char *sync_fault(const struct dma_entry *e, const struct op *op)
{
	const struct ev_dma *s = &op->u.dma;
	uint64_t last;

	if (s->kind == EV_DMA_PAGE && e->kind == EV_DMA_PAGE && !op->empty &&
	    !wire_range(e->addr, e->size, &last) && op->last > last)
		return "synced beyond the end of the mapping";
	if (e->dir != DMA_BIDIRECTIONAL && s->dir != e->dir)
		return "synced in another direction";
	if (s->kind == EV_DMA_SG && e->kind == EV_DMA_SG && s->nents != e->nents)
		return "synced with another number of entries";
	return NULL;
}

static bool entry_holds(const struct dma_entry *e, uint64_t addr)
{
	return e->addr <= addr && addr - e->addr < e->size;
}

/*
 * The mapping of @op's first byte that fits best. With shared addresses there may be others,
 * also some that begin earlier: @sure says that there are none.
 */
static const struct dma_entry *sync_entry(const struct model *m, const struct device *dev,
					  const struct op *op, bool *sure)
{
	const struct dma_entry *e, *worst = NULL;

	*sure = dma_translated(m, dev);
	for (e = omap_floor(&dev->dma.live, op->u.dma.addr); e; e = e->next) {
		*sure &= model_entry_sure(m, dev, e) && e->kind != EV_DMA_IOVA &&
			 e->end < op->begin;
		if (!entry_holds(e, op->u.dma.addr))
			continue;
		if (!sync_fault(e, op))
			return e;
		worst = e;
	}
	return worst;
}

/* Nothing is mapped there, and what was is known to be gone. */
static bool surely_gone(const struct model *m, const struct device *dev, const struct op *op)
{
	const struct dma_entry *t = dma_tomb(dev, op->u.dma.addr);
	const struct binding *b = device_binding(dev, EV_TAG_NO_PASID);

	if (m->missing & (NEED_MAP | NEED_UNMAP) || !dma_translated(m, dev))
		return false;
	if (range_first(&b->domain->ranges, op->u.dma.addr, op->u.dma.addr))
		return false;
	if (t)
		return epoch_sure(m, t->epoch, dev->dma.sure_epoch);
	return epoch_sure(m, dev->dma.known_epoch, dev->dma.sure_epoch);
}

static int sync_before(const struct model *m, const struct op *op, struct report *rep)
{
	const struct device *dev = model_device(m, op->u.dma.dev);
	const struct dma_entry *e;
	const char *what;
	bool sure;

	if (!dev)
		return 0;
	e = sync_entry(m, dev, op, &sure);
	what = e ? sync_fault(e, op) : "synced, but not mapped";
	if (!what)
		return 0;
	if (model_sure_op(m, op) && (e ? sure : surely_gone(m, dev, op)))
		return sync_found(dev, e, op, what, rep);

	rep->tally.unknown++;
	return 0;
}

const struct checker check_dma_sync = {
	.id = FINDING_DMA_UNMAP_MISMATCH,
	.needs = NEED_DMA | NEED_ALL,
	.kinds = KIND(EV_DMA_SYNC),
	.before = sync_before,
};
