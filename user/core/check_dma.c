// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * dma-unmap-mismatch: an unmap of the DMA API that does not say what its map said, a
 * second unmap, or one of what was never mapped.
 *
 * Where addresses are shared (no IOMMU, identity) a mapping from before the recording
 * may stand at the same address: such a device is judged only if its driver was heard
 * from the beginning.
 */
#include "check.h"

static bool book_known(const struct model *m, const struct device *dev)
{
	return epoch_sure(m, dev->dma.known_epoch, dev->dma.sure_epoch);
}

static const char *difference(unsigned int diff)
{
	if (diff & DMA_DIFF_KIND)
		return "unmapped with another call than it was mapped with";
	if (diff & DMA_DIFF_SIZE)
		return "unmapped with another size";
	if (diff & DMA_DIFF_NENTS)
		return "unmapped with another number of entries";
	if (diff & DMA_DIFF_CPU)
		return "freed with another CPU address";
	if (diff & DMA_DIFF_DIR)
		return "unmapped with another direction";
	return "unmapped with other attributes";
}

/* Both sides of what differs; the rest is the same. */
static void compare(struct finding *f, const struct dma_entry *e, const struct op *op,
		    unsigned int diff)
{
	if (diff & DMA_DIFF_KIND) {
		finding_text(f, "mapped_as", dma_kind_name(e->kind));
		finding_text(f, "unmapped_as", dma_kind_name(op->u.dma.kind));
	}
	if (diff & DMA_DIFF_SIZE) {
		finding_dec(f, "mapped_bytes", e->size);
		finding_dec(f, "unmapped_bytes", op->u.dma.size);
	}
	if (diff & DMA_DIFF_NENTS) {
		finding_dec(f, "mapped_nents", e->nents);
		finding_dec(f, "unmapped_nents", op->u.dma.nents);
	}
	if (diff & DMA_DIFF_DIR) {
		finding_text(f, "mapped_dir", dma_dir_name(e->dir));
		finding_text(f, "unmapped_dir", dma_dir_name(op->u.dma.dir));
	}
	if (diff & DMA_DIFF_CPU) {
		finding_hex(f, "allocated_at", e->ptr);
		finding_hex(f, "freed_at", op->u.dma.ptr);
	}
	if (diff & DMA_DIFF_ATTRS) {
		finding_hex(f, "mapped_attrs", e->attrs);
		finding_hex(f, "unmapped_attrs", op->u.dma.attrs);
	}
}

static int mismatch(const struct device *dev, const struct dma_entry *e, const char *what,
		    const struct op *op, struct report *rep)
{
	const struct binding *b = device_binding(dev, EV_TAG_NO_PASID);
	unsigned int diff = e ? dma_differs(e, op) : 0;
	struct finding f;

	/* What only attributes differ in "may be no bug in reality" (kernel/dma/debug.c, 7.2). */
	check_begin(&f, FINDING_DMA_UNMAP_MISMATCH,
		    diff == DMA_DIFF_ATTRS ? GRADE_NOTE : GRADE_VIOLATION, op,
		    b ? b->domain : NULL);
	f.device = dev->ptr;
	f.cause = e ? e->id : op->id;
	check_range(&f, op->u.dma.addr, op->empty ? op->u.dma.addr : op->last);
	if (e)
		entry_ref(&f, "map", e);
	finding_op(&f, "unmap", op);
	finding_text(&f, "what", what);
	if (e)
		compare(&f, e, op, diff);
	return report_add(rep, &f);
}

/* Another entry at the address that is in doubt might be the one that was meant. */
static bool chain_sure(const struct model *m, const struct device *dev, const struct op *op)
{
	const struct dma_entry *e;

	for (e = omap_get(&dev->dma.live, op->u.dma.addr); e; e = e->next) {
		if (!model_entry_sure(m, dev, e) || e->flags & DMA_LEAKED ||
		    e->kind == EV_DMA_IOVA ||
		    spans_meet(e->begin, e->end, op->begin, op->end))
			return false;
	}
	return true;
}

static int dma_missing(const struct model *m, const struct device *dev, const struct op *op,
		       struct report *rep)
{
	const struct dma_entry *t = dma_tomb(dev, op->u.dma.addr);

	if (!chain_sure(m, dev, op)) {
		rep->tally.unknown++;
		return 0;
	}
	if (t && epoch_sure(m, t->epoch, dev->dma.sure_epoch) &&
	    (dma_translated(m, dev) || book_known(m, dev)))
		return mismatch(dev, t, "unmapped twice", op, rep);
	if (!t && book_known(m, dev))
		return mismatch(dev, NULL, "unmapped, but never mapped", op, rep);

	rep->tally.unknown++;
	return 0;
}

/* The address that says that a map failed: no mapping, of whatever past, has it. */
static int dma_error(const struct device *dev, const struct op *op, struct report *rep)
{
	return mismatch(dev, NULL, "unmapped what says that the map failed", op, rep);
}

static int dma_before(const struct model *m, const struct op *op, struct report *rep)
{
	const struct device *dev = model_device(m, op->u.dma.dev);
	const struct dma_entry *e = dev ? dma_match(dev, op) : NULL;
	unsigned int diff = e ? dma_differs(e, op) : 0;

	if (dev && op->u.dma.addr == EV_DMA_ERROR && op->u.dma.kind == EV_DMA_PAGE)
		return dma_error(dev, op, rep);
	/* Links of an IOVA are undone by range: there is nothing to compare. */
	if (!dev || (e && !diff) || op->u.dma.kind == EV_DMA_IOVA || dma_is_noop(op))
		return 0;
	if (!model_sure_op(m, op)) {
		rep->tally.unknown++;
		return 0;
	}
	if (!e)
		return dma_missing(m, dev, op, rep);
	if (chain_sure(m, dev, op) && (dma_translated(m, dev) || book_known(m, dev)))
		return mismatch(dev, e, difference(diff), op, rep);

	rep->tally.unknown++;
	return 0;
}

const struct checker check_dma = {
	.id = FINDING_DMA_UNMAP_MISMATCH,
	.needs = NEED_DMA | NEED_ALL,
	.kinds = KIND(EV_DMA_UNMAP),
	.before = dma_before,
};
