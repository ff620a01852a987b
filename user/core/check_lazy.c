// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * lazy-exposure: pages that were freed while a cache held their translation, because their unmap
 * was queued. That is what lazy flushing is: counted for each domain, one finding at the end.
 *
 * Three things make one a violation: its device is untrusted (the kernel gives such devices strict
 * domains, drivers/iommu/iommu.c), a device used it, or it was never flushed.
 *
 * Never: queues have a timer of 10 ms, or 1 s if there is one for all CPUs (drivers/iommu/
 * dma-iommu.c, 6.12), so twice the longer one has to pass. Timers may be late, and a machine may
 * stand still and time jump: so the recorder must have had its turn, once a second, FLUSH_TICKS
 * times since the page was freed.
 */
#include "check.h"

#define FLUSH_NS 2000000000ULL
#define FLUSH_TICKS 4

static void told_ref(struct finding *f, const char *role, const struct told *t)
{
	if (t->kind)
		finding_ref(f, role, &(struct ref){ .kind = t->kind, .cpu = t->cpu, .pid = t->pid,
				.seq = t->seq, .time_ns = t->time_ns });
}

static void exposure_refs(struct finding *f, const struct exposure *e)
{
	told_ref(f, "map", &e->map);
	told_ref(f, "unmap", &e->unmap);
	told_ref(f, "freed", &e->freed);
	f->device = e->device;
	f->cause = e->cause;
}

static int lazy_found(const struct domain *d, struct exposure *e, const char *why,
		      const struct op *op, struct report *rep)
{
	struct finding f;

	if (e->reported)
		return 0;
	check_begin(&f, FINDING_LAZY_EXPOSURE, GRADE_VIOLATION, op, d);
	check_range(&f, e->iova, e->last);
	exposure_refs(&f, e);
	finding_op(&f, "shown by", op);
	finding_text(&f, "when", why);
	finding_hex(&f, "paddr", e->paddr);
	if (op->end > e->freed.time_ns)
		finding_dec(&f, "exposed_ns", op->end - e->freed.time_ns);
	e->reported = true;
	return report_add(rep, &f);
}

/* The exposures that this record has opened. */
static int lazy_opened(const struct model *m, const struct op *op, struct report *rep)
{
	const struct domain *d;
	const struct device *dev;
	struct exposure *e;
	int ret = 0;

	for (d = m->exposed ? m->first_domain : NULL; d && !ret && report_step(rep); d = d->next) {
		e = d->exposures ? d->exposures->open : NULL;
		for (; e && !ret && e->freed.seq == op->seq && e->freed.cpu == op->cpu; e = e->next) {
			dev = model_device(m, e->device);
			if (dev && dev->flags & EV_DEV_UNTRUSTED)
				ret = lazy_found(d, e, "the device is untrusted", op, rep);
		}
	}
	return ret;
}

static int lazy_overdue(const struct model *m, const struct op *op, struct report *rep)
{
	const struct domain *d;
	struct exposure *e;
	int ret = 0;

	for (d = m->nexposed ? m->first_domain : NULL; d && !ret && report_step(rep); d = d->next) {
		e = d->exposures ? d->exposures->open : NULL;
		for (; e && !ret && report_step(rep); e = e->next)
			if (epoch_sure(m, e->epoch, 0) && e->ticks >= FLUSH_TICKS &&
			    op->end - e->freed.time_ns > FLUSH_NS)
				ret = lazy_found(d, e, "never flushed", op, rep);
	}
	return ret;
}

static int lazy_used(const struct model *m, const struct op *op, uint64_t dev, uint64_t iova,
		     uint64_t last, struct report *rep)
{
	const struct device *d = model_device(m, dev);
	const struct domain *dom;
	struct exposure *e;
	unsigned int i;
	int ret = 0;

	for (i = 0; d && i < d->nbindings; i++) {
		dom = d->bindings[i].domain;
		e = dom && dom->exposures ? dom->exposures->open : NULL;
		for (; e && !ret && report_step(rep); e = e->next)
			if (epoch_sure(m, e->epoch, 0) && ranges_meet(e->iova, e->last, iova, last))
				ret = lazy_found(dom, e, "the device used it", op, rep);
	}
	return ret;
}

static int lazy_after(const struct model *m, const struct op *op, struct report *rep)
{
	const struct ev_ref_dma *dma = &op->u.ref_dma;
	uint64_t last;

	switch (op->kind) {
	case EV_PAGE_FREE:
		return lazy_opened(m, op, rep);
	case EV_MARK:
		return op->u.mark.kind == EV_MARK_TICK ? lazy_overdue(m, op, rep) : 0;
	default:
		if (!dma->done || wire_range(dma->first, dma->done, &last))
			return 0;
		return lazy_used(m, op, dma->dev, dma->first, last, rep);
	}
}

static int lazy_figures(const struct domain *d, struct report *rep)
{
	const struct exposures *x = d->exposures;
	struct finding f = {
		.id = FINDING_LAZY_EXPOSURE,
		.grade = GRADE_EXPOSURE,
		.begin_ns = x->longest.freed.time_ns,
		.time_ns = x->flush.time_ns,
		.domain = d->ptr,
		.domain_gen = d->gen,
	};

	exposure_refs(&f, &x->longest);
	told_ref(&f, "flush", &x->flush);
	f.cause = 0;
	finding_dec(&f, "count", x->count);
	finding_dec(&f, "bytes", x->bytes);
	finding_dec(&f, "longest_ns", x->longest_ns);
	finding_dec(&f, "p99_ns", exposures_p99_ns(x));
	finding_dec(&f, "unjudged", x->unjudged + x->nopen);
	finding_hex(&f, "longest_iova", x->longest.iova);
	finding_hex(&f, "longest_paddr", x->longest.paddr);
	return report_add(rep, &f);
}

static int lazy_finish(const struct model *m, struct report *rep)
{
	const struct domain *d;
	int ret = 0;

	for (d = m->first_domain; d && !ret; d = d->next) {
		if (d->exposures && d->exposures->count)
			ret = lazy_figures(d, rep);
	}
	return ret;
}

const struct checker check_lazy = {
	.id = FINDING_LAZY_EXPOSURE,
	.needs = NEED_PAGES | NEED_MAP | NEED_UNMAP | NEED_ATTACH | NEED_FREE | NEED_FLUSH |
		 NEED_ALL,
	.kinds = KIND(EV_PAGE_FREE) | KIND(EV_MARK) | KIND(EV_REF_DMA),
	.after = lazy_after,
	.finish = lazy_finish,
};
