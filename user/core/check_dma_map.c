// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * dma-unmap-mismatch, the part about maps: memory that must not be handed to a device, and
 * scatterlists beyond what the device says it can do.
 *
 * Certain, hence violations: a page of the caller's own kernel stack, kernel code, and data
 * that the kernel never writes, if the device may. Reading that data is legal: the zero page
 * is part of it on 7.x. Notes: what is harmless where caches are coherent or where a driver
 * only forgot to say what its device can do.
 */
#include "check.h"

#define ATTR_SKIP_CPU_SYNC (1u << 5)

static void map_begin(struct finding *f, enum grade grade, const struct device *dev,
		      const struct op *op, const char *what)
{
	const struct binding *b = device_binding(dev, EV_TAG_NO_PASID);

	check_begin(f, FINDING_DMA_UNMAP_MISMATCH, grade, op, b ? b->domain : NULL);
	f->device = dev->ptr;
	if (!op->empty)
		check_range(f, op->iova, op->last);
	finding_op(f, "map", op);
	finding_text(f, "what", what);
}

static int map_found(enum grade grade, const struct device *dev, const struct op *op,
		     const char *what, struct report *rep)
{
	struct finding f;

	map_begin(&f, grade, dev, op, what);
	finding_hex(&f, "paddr", op->u.dma.paddr);
	return report_add(rep, &f);
}

/* In an interrupt the stack is the CPU's, and the task is whoever was there. */
static bool is_on_stack(const struct model *m, const struct op *op, uint64_t first, uint64_t last)
{
	const struct task *t;
	unsigned int i;

	if ((op->flags & EVF_CTX_MASK) != EV_CTX_TASK || !model_sure_op(m, op))
		return false;
	t = model_task(m, op->pid);
	for (i = 0; t && i < t->nstack; i++) {
		if (t->stack[i] && ranges_meet(first, last, t->stack[i], t->stack[i] | 4095))
			return true;
	}
	return false;
}

/* A device writes into a line that another mapping lets a device write into. */
static int map_overlap(const struct model *m, const struct device *dev, const struct op *op,
		       struct report *rep)
{
	const struct dma_entry *e = dma_line(m, op->u.dma.paddr);
	struct finding f;

	if (op->u.dma.dir == DMA_TO_DEVICE || op->u.dma.attrs & ATTR_SKIP_CPU_SYNC || !e)
		return 0;
	/* An unmap may be on its way: its record comes when it has ended. */
	if (!model_entry_sure(m, e->dev, e) || !model_sure_op(m, op) || e->dev != dev) {
		rep->tally.unknown++;
		return 0;
	}
	map_begin(&f, GRADE_NOTE, dev, op, "mapped while a mapping of the same cache line lives");
	entry_ref(&f, "other map", e);
	finding_hex(&f, "paddr", op->u.dma.paddr);
	finding_hex(&f, "other", e->addr);
	return report_add(rep, &f);
}

static int map_page(const struct model *m, const struct device *dev, const struct op *op,
		    struct report *rep)
{
	const struct ev_dma *d = &op->u.dma;
	uint64_t last;

	if (!d->paddr || !d->size || wire_range(d->paddr, d->size, &last))
		return 0;
	if (d->kind == EV_DMA_RESOURCE)
		return model_area(m, d->paddr, last, EV_AREA_RAM) ?
			map_found(GRADE_NOTE, dev, op, "memory mapped as a resource", rep) : 0;
	if (d->kind != EV_DMA_PAGE)
		return 0;
	if (is_on_stack(m, op, d->paddr, last))
		return map_found(GRADE_VIOLATION, dev, op, "mapped memory of the stack", rep);
	if (model_area(m, d->paddr, last, EV_AREA_TEXT))
		return map_found(GRADE_VIOLATION, dev, op, "mapped kernel code", rep);
	if (d->dir != DMA_TO_DEVICE && model_area(m, d->paddr, last, EV_AREA_RODATA))
		return map_found(GRADE_VIOLATION, dev, op,
				 "mapped read-only kernel data for writing", rep);
	return map_overlap(m, dev, op, rep);
}

static int map_before(const struct model *m, const struct op *op, struct report *rep)
{
	const struct device *dev = model_device(m, op->u.dma.dev);

	return dev && !op->empty ? map_page(m, dev, op, rep) : 0;
}

static int limit_before(const struct model *m, const struct op *op, struct report *rep)
{
	const struct ev_sg_limit *l = &op->u.sg_limit;
	const struct device *dev = model_device(m, l->dev);
	bool longer = l->length > l->max_length;
	struct finding f;

	if (!dev || op->empty || (!longer && !((op->iova ^ op->last) & ~l->boundary)))
		return 0;
	map_begin(&f, GRADE_NOTE, dev, op, longer ?
		  "mapped a segment longer than the device's limit" :
		  "mapped a segment across the device's boundary");
	f.cause = l->intent;
	f.refs[0].caller = l->caller;
	finding_dec(&f, "length", l->length);
	finding_dec(&f, "max_length", l->max_length);
	finding_hex(&f, "boundary", l->boundary);
	return report_add(rep, &f);
}

const struct checker check_dma_map = {
	.id = FINDING_DMA_UNMAP_MISMATCH,
	.needs = NEED_DMA,
	.kinds = KIND(EV_DMA_MAP),
	.before = map_before,
};

const struct checker check_dma_limit = {
	.id = FINDING_DMA_UNMAP_MISMATCH,
	.needs = NEED_DMA,
	.kinds = KIND(EV_SG_LIMIT),
	.before = limit_before,
};
