// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * freed-while-mapped: a page went back to the allocator while a device could reach it: it is
 * mapped in a domain that a device surely is in, or it was unmapped, not by way of a queue, and
 * a cache was not told yet.
 *
 * Who frees does so after iommu_unmap() returned, and the unmap's record is made there: so on a
 * correct kernel it is heard before. A hit becomes a note if it turns out that an unmap, or a
 * move of the device, was running at the time.
 *
 * Ranges that are mapped 1:1 are none of a driver's: firmware and the core decide about them.
 */
#include <errno.h>

#include "check.h"

/* With the begin of an attach unknown: how long it may have taken. */
#define ATTACH_NS 1000000000ULL

/* So many are asked where they are, for one page that was freed. */
#define DEVICES_MAX 4096

struct freed {
	const struct model *m;
	const struct op *op;
	struct report *rep;
};

/* A device that is in @d: surely, if there is one. NULL: nobody can reach what it maps. */
static const struct device *device_in(const struct model *m, const struct domain *d,
				      struct report *rep, bool *sure)
{
	const struct device *dev, *unsure = NULL;
	unsigned int i, left = DEVICES_MAX;

	*sure = false;
	for (dev = m->first_device; dev && left--; dev = dev->next) {
		for (i = 0; i < dev->nbindings; i++) {
			if (dev->bindings[i].domain != d)
				continue;
			*sure = epoch_sure(m, dev->bindings[i].epoch, d->sure_epoch);
			if (*sure)
				return dev;
			unsure = dev;
		}
	}
	rep->tally.unknown += dev && !unsure;
	return unsure;
}

static void freed_ref(struct finding *f, const struct op *op)
{
	finding_ref(f, "freed", &(struct ref){ .kind = op->kind, .cpu = op->cpu,
			.pid = op->u.page_free.pid, .seq = op->seq, .time_ns = op->end });
}

static void freed_details(struct finding *f, const struct range *r, const struct op *op)
{
	static const char *const contexts[] = { "task", "softirq", "hardirq", "NMI" };
	uint64_t iova, last;

	frame_part(r, op, &iova, &last);
	finding_hex(f, "page_iova", iova);
	finding_hex(f, "paddr", op->u.page_free.paddr);
	finding_dec(f, "bytes", op->u.page_free.bytes);
	finding_text(f, "freed_in", contexts[op->flags & EVF_CTX_MASK]);
}

/* The whole mapping is the finding's range: its other pages count up. */
static int live_found(const struct freed *w, const struct range *r, const struct device *dev)
{
	struct finding f;

	check_begin(&f, FINDING_FREED_WHILE_MAPPED, GRADE_VIOLATION, w->op, r->domain);
	check_range(&f, r->iova, r->last);
	f.device = dev->ptr;
	f.cause = r->cause;
	range_ref(&f, r);
	freed_ref(&f, w->op);
	finding_text(&f, "was", "mapped");
	freed_details(&f, r, w->op);
	return report_add(w->rep, &f);
}

static int freed_live(void *arg, struct range *r)
{
	const struct freed *w = arg;
	const struct device *dev;
	bool sure;

	if (r->domain->dead || r->paddr == r->iova)
		return 0;
	dev = device_in(w->m, r->domain, w->rep, &sure);
	if (!dev)
		return 0;
	if (sure && model_range_sure(w->m, r->domain, r) && model_sure_op(w->m, w->op))
		return live_found(w, r, dev);
	w->rep->tally.unknown++;
	return 0;
}

static int linger_found(const struct freed *w, const struct range *r, const struct cache *c,
			const struct owe *o)
{
	struct finding f;

	check_begin(&f, FINDING_FREED_WHILE_MAPPED, GRADE_VIOLATION, w->op, r->domain);
	check_range(&f, r->iova, r->last);
	f.cause = o->cause;
	range_ref(&f, r);
	finding_ref(&f, "unmap", &(struct ref){ .kind = EV_UNMAP, .cpu = o->cpu, .pid = o->pid,
			.seq = o->seq, .time_ns = o->end });
	freed_ref(&f, w->op);
	finding_text(&f, "was", "unmapped, not flushed");
	check_cache(&f, c, c->kind == CACHE_IOTLB ? "IOTLB" : "device TLB");
	freed_details(&f, r, w->op);
	return report_add(w->rep, &f);
}

static int freed_gone(void *arg, struct range *r)
{
	const struct freed *w = arg;
	const struct cache *c;
	const struct owe *o;
	uint64_t iova, last;

	frame_part(r, w->op, &iova, &last);
	for (c = r->domain->caches; c; c = c->next) {
		o = linger_owe(r, c, iova, last);
		if (!o || o->flags & EVF_QUEUED)
			continue;
		if (!(o->flags & EVF_NOGATHER) && model_owe_sure(w->m, c, o) &&
		    !cache_pends(c, o) &&
		    model_sure_op(w->m, w->op))
			return linger_found(w, r, c, o);
		w->rep->tally.unknown++;
	}
	return 0;
}

static int freed_page(const struct model *m, const struct op *op, struct report *rep)
{
	struct freed w = { .m = m, .op = op, .rep = rep };
	uint64_t paddr = op->u.page_free.paddr, last;
	int ret;

	if (!page_free_valid(op))
		return 0;
	last = paddr + (op->u.page_free.bytes - 1);
	ret = frames_each(&m->live, paddr, last, freed_live, &w);
	if (!ret || ret == -E2BIG)
		ret = frames_each(&m->gone, paddr, last, freed_gone, &w) ?: ret;
	if (ret != -E2BIG)
		return ret;
	rep->tally.unknown++;
	return 0;
}

static bool beside_unmap(void *arg, const struct finding *f)
{
	const struct op *op = arg;

	return f->id == FINDING_FREED_WHILE_MAPPED && !f->iommu &&
	       f->domain == op->u.unmap.domain && f->time_ns >= op->begin &&
	       ranges_meet(f->iova, f->last, op->iova, op->last);
}

/* Did this unmap begin before the page was freed? An unknown begin may have. */
static int freed_unmap(const struct op *op, struct report *rep)
{
	if (op->empty || rep->newest_ns < op->begin)
		return 0;
	if (op->begin)
		report_soften(rep, op->begin, beside_unmap, (void *)op, FINDING_COUNT,
			      "an unmap of it was running");
	else
		report_retract(rep, 0, beside_unmap, (void *)op);
	return 0;
}

static int freed_before(const struct model *m, const struct op *op, struct report *rep)
{
	return op->kind == EV_PAGE_FREE ? freed_page(m, op, rep) : freed_unmap(op, rep);
}

struct moving {
	uint64_t begin;
	const struct ev_attach *move;
};

static bool was_moving(void *arg, const struct finding *f)
{
	const struct moving *v = arg;

	return f->id == FINDING_FREED_WHILE_MAPPED && f->time_ns >= v->begin &&
	       (f->device == v->move->dev || (f->domain && f->domain == v->move->old));
}

static int freed_after(const struct model *m, const struct op *op, struct report *rep)
{
	struct moving v = { .begin = op->begin, .move = &op->u.attach };

	(void)m;
	if (!v.begin)
		v.begin = op->end > ATTACH_NS ? op->end - ATTACH_NS : 0;
	if (!(op->flags & EVF_STATE) && rep->newest_ns >= v.begin)
		report_soften(rep, v.begin, was_moving, &v, FINDING_COUNT, "race with detach");
	return 0;
}

const struct checker check_freed = {
	.id = FINDING_FREED_WHILE_MAPPED,
	.needs = NEED_PAGES | NEED_MAP | NEED_UNMAP | NEED_ATTACH | NEED_FREE | NEED_ALL,
	.kinds = KIND(EV_PAGE_FREE) | KIND(EV_UNMAP),
	.before = freed_before,
};

const struct checker check_freed_move = {
	.id = FINDING_FREED_WHILE_MAPPED,
	.needs = NEED_PAGES | NEED_MAP | NEED_UNMAP | NEED_ATTACH | NEED_FREE | NEED_ALL,
	.kinds = KIND(EV_ATTACH),
	.after = freed_after,
};
