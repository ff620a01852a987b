// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * leak-on-free: a domain freed while a device surely translates through it, or a
 * driver that let go of its device with DMA API mappings alive. Entries left in a
 * domain that nobody is attached to are teardown, not leaks.
 */
#include "check.h"

#define LEAKS_LISTED 16

static int freed_attached(const struct domain *d, const struct device *dev,
			  const struct binding *b, const struct op *op, struct report *rep)
{
	struct finding f;

	check_begin(&f, FINDING_LEAK_ON_FREE, GRADE_VIOLATION, op, d);
	f.device = dev->ptr;
	finding_ref(&f, "attach", &(struct ref){ .kind = EV_ATTACH, .cpu = b->cpu,
			.pid = b->pid, .seq = b->seq, .time_ns = b->since_ns });
	finding_op(&f, "free", op);
	finding_text(&f, "what", "domain freed with a device attached");
	finding_dec(&f, "live_ranges", d->ranges.count);
	return report_add(rep, &f);
}

static int leak_free(const struct model *m, const struct op *op, struct report *rep)
{
	const struct domain *d = model_domain(m, op->u.domain_op.domain);
	const struct device *dev;
	const struct binding *b;
	int ret = 0;

	if (!d || domain_op_static(op))
		return 0;
	for (dev = m->first_device; dev && !ret; dev = dev->next) {
		b = device_binding(dev, EV_TAG_NO_PASID);
		if (!b || b->domain != d)
			continue;
		if (epoch_sure(m, b->epoch, d->sure_epoch) && model_sure_op(m, op))
			ret = freed_attached(d, dev, b, op, rep);
		else
			rep->tally.unknown++;
	}
	return ret;
}

/* The core's own map, where the address is translated. */
static void action_ref(struct finding *f, const struct domain *d, const struct dma_entry *e)
{
	const struct range *r = d ? range_first(&d->ranges, e->addr, e->addr) : NULL;

	if (r && r->cause == e->id)
		range_ref(f, r);
}

static int leaked(const struct device *dev, const struct dma_entry *e,
		  uint64_t total, const struct op *op, struct report *rep)
{
	const struct binding *b = device_binding(dev, EV_TAG_NO_PASID);
	struct finding f;
	uint64_t last;

	check_begin(&f, FINDING_LEAK_ON_FREE, GRADE_VIOLATION, op, b ? b->domain : NULL);
	f.device = dev->ptr;
	f.cause = e->id;
	if (e->size && !wire_range(e->addr, e->size, &last))
		check_range(&f, e->addr, last);
	entry_ref(&f, "map", e);
	if (e->flags & DMA_REST)
		finding_ref(&f, "cut", &(struct ref){ .kind = EV_DMA_UNMAP, .cpu = e->cut.cpu,
				.pid = e->cut.pid, .seq = e->cut.seq,
				.time_ns = e->cut.time_ns, .caller = e->cut.caller });
	action_ref(&f, b ? b->domain : NULL, e);
	finding_op(&f, "driver gone", op);
	finding_text(&f, "what", e->flags & DMA_REST ?
		     "rest of a mapping that was unmapped with too small a size" :
		     "DMA mapping left by the driver");
	finding_name_of(&f, "driver", op->u.unbind.driver);
	finding_text(&f, "mapped_as", dma_kind_name(e->kind));
	finding_dec(&f, "bytes", e->size);
	finding_dec(&f, "left_in_all", total);
	return report_add(rep, &f);
}

/*
 * What an unmap with too small a size left: only if the IOMMU surely kept it. AMD-Vi and
 * virtio-iommu cannot split a page of theirs, and take all of it.
 */
static bool rest_is_live(const struct model *m, const struct device *dev,
			 const struct dma_entry *e)
{
	const struct binding *b = device_binding(dev, EV_TAG_NO_PASID);
	const struct range *r;

	if (!dma_translated(m, dev))
		return false;
	r = range_first(&b->domain->ranges, e->addr, e->addr);
	return r && r->cause == e->id && model_range_sure(m, b->domain, r);
}

static bool is_leak(const struct model *m, const struct device *dev, const struct dma_entry *e)
{
	if (e->flags & DMA_LEAKED || !model_entry_sure(m, dev, e))
		return false;
	return !(e->flags & DMA_REST) || rest_is_live(m, dev, e);
}

static const struct dma_entry *entry_after(const struct device *dev, const struct dma_entry *e)
{
	if (!e)
		return omap_ceil(&dev->dma.live, 0);
	if (e->next)
		return e->next;
	return e->addr == UINT64_MAX ? NULL : omap_ceil(&dev->dma.live, e->addr + 1);
}

static uint64_t leaks_count(const struct model *m, const struct device *dev,
			    struct report *rep)
{
	const struct dma_entry *e;
	uint64_t n = 0;

	for (e = entry_after(dev, NULL); e && report_step(rep); e = entry_after(dev, e))
		n += is_leak(m, dev, e);
	return n;
}

static int leak_unbind(const struct model *m, const struct op *op, struct report *rep)
{
	const struct device *dev = model_device(m, op->u.unbind.dev);
	const struct dma_entry *e;
	uint64_t total, listed = 0;
	int ret = 0;

	if (!dev || !dev->dma.nlive)
		return 0;
	if (!model_sure_op(m, op)) {
		rep->tally.unknown++;
		return 0;
	}
	total = leaks_count(m, dev, rep);
	for (e = entry_after(dev, NULL); e && !ret && listed < total && listed < LEAKS_LISTED;
	     e = entry_after(dev, e)) {
		if (!report_step(rep))
			break;
		if (!is_leak(m, dev, e))
			continue;
		ret = leaked(dev, e, total, op, rep);
		listed++;
	}
	return ret;
}

const struct checker check_leak_domain = {
	.id = FINDING_LEAK_ON_FREE,
	.needs = NEED_ATTACH | NEED_FREE | NEED_ALL,
	.kinds = KIND(EV_FREE),
	.before = leak_free,
};

const struct checker check_leak_driver = {
	.id = FINDING_LEAK_ON_FREE,
	.needs = NEED_DMA | NEED_UNBIND | NEED_ALL,
	.kinds = KIND(EV_UNBIND),
	.before = leak_unbind,
};
