// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * unmap-short of the DMA API: an unmap call that fits its map has returned, and what the map
 * made in the device's domain is still live. Lazy flushing is no excuse: it puts off the flush
 * and the address, never iommu_unmap_fast() (__iommu_dma_unmap(), drivers/iommu/dma-iommu.c,
 * 6.1 to 7.2).
 *
 * A range is accused only if the map call itself made it: so bounce buffers, peer-to-peer
 * segments, identity devices, memory of a device's own and maps of others need no rule. An unmap
 * that does not say what its map said is dma-unmap-mismatch's; links of an IOVA go by
 * range, and are not judged.
 */
#include "check.h"

/* The entry that @op ends, if that is so. */
static const struct dma_entry *entry_meant(const struct device *dev, const struct op *op)
{
	const struct dma_entry *e = dma_match(dev, op);

	if (!e || !e->id || e->flags & DMA_REST || dma_differs(e, op))
		return NULL;
	return e;
}

/* Bus addresses of peers may be several mappings': which of them is meant, nobody knows. */
static bool entry_alone(const struct device *dev, const struct dma_entry *e)
{
	return !e->next && omap_get(&dev->dma.live, e->addr) == e;
}

/* A scatterlist's entry knows the length of its first segment only. */
static uint64_t entry_last(const struct dma_entry *e)
{
	uint64_t last;

	if (e->kind == EV_DMA_SG || !e->size || wire_range(e->addr, e->size, &last))
		return UINT64_MAX;
	return last;
}

/*
 * The lowest that is left. Segments of a scatterlist follow each other, and nobody else has an
 * address between them; bounced ones may lie anywhere, and are seen as far as they do not.
 */
static const struct range *survivor(const struct domain *d, const struct dma_entry *e)
{
	uint64_t first = e->addr & ~(domain_granule(d) - 1);
	const struct range *r = range_first(&d->ranges, first, entry_last(e));

	return r && r->cause == e->id ? r : NULL;
}

/* Where the same map's part ends that begins with @r. */
static uint64_t left_until(const struct model *m, const struct domain *d, const struct range *r)
{
	uint64_t last = r->last, cause = r->cause;

	while ((r = range_next(&d->ranges, r, UINT64_MAX))) {
		if (r->cause != cause || r->iova != last + 1 || !model_range_sure(m, d, r))
			break;
		last = r->last;
	}
	return last;
}

/* Of a call whose parts were too many to keep it is not said. */
static void removed_bytes(struct finding *f, const struct model *m, const struct dma_entry *e,
			  const struct op *op)
{
	const struct cause *c = model_cause(m, op->id);
	uint64_t bytes = 0;
	unsigned int i;

	if (c && c->overflow)
		return;

	for (i = 0; c && i < c->npieces; i++) {
		if (c->pieces[i].range.cause == e->id)
			bytes += c->pieces[i].range.last - c->pieces[i].range.iova + 1;
	}
	finding_dec(f, "removed_bytes", bytes);
}

static int short_found(const struct model *m, const struct domain *d, const struct dma_entry *e,
		       const struct range *r, const struct op *op, struct report *rep)
{
	struct finding f;

	check_begin(&f, FINDING_UNMAP_SHORT, GRADE_VIOLATION, op, d);
	check_range(&f, r->iova, left_until(m, d, r));
	f.device = e->dev->ptr;
	range_ref(&f, r);
	entry_ref(&f, "intent to map", e);
	finding_op(&f, "intent to unmap", op);
	finding_text(&f, "mapped_as", dma_kind_name(e->kind));
	finding_hex(&f, "asked_iova", e->addr);
	removed_bytes(&f, m, e, op);
	return report_add(rep, &f);
}

static int short_dma(const struct model *m, const struct op *op, struct report *rep)
{
	const struct device *dev = model_device(m, op->u.dma.dev);
	const struct dma_entry *e = dev ? entry_meant(dev, op) : NULL;
	const struct binding *b = e ? device_binding(dev, EV_TAG_NO_PASID) : NULL;
	const struct range *r = b && b->domain ? survivor(b->domain, e) : NULL;

	if (!r || dma_is_noop(op))
		return 0;
	if (!model_sure_op(m, op) || !entry_alone(dev, e) || !model_entry_sure(m, dev, e) ||
	    !dma_translated(m, dev) || !model_range_sure(m, b->domain, r) || r->end >= op->begin) {
		rep->tally.unknown++;
		return 0;
	}
	return short_found(m, b->domain, e, r, op, rep);
}

const struct checker check_unmap_short_dma = {
	.id = FINDING_UNMAP_SHORT,
	.needs = NEED_MAP | NEED_UNMAP | NEED_ATTACH | NEED_FREE | NEED_DMA | NEED_ALL,
	.kinds = KIND(EV_DMA_UNMAP),
	.before = short_dma,
};
