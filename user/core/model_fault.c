// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Faults against history: which device a source id means, which domain it was in, what that
 * maps there, what it mapped there lately, and what lies beside. Whether that is somebody's
 * mistake is for check_fault.c.
 *
 * Unmaps are kept in one ring for all domains: a copy each, no search. Only faults search.
 */
#include <string.h>

#include "model_priv.h"

const struct faults *model_faults(const struct model *m)
{
	return m->faults;
}

const struct fault *fault_at(const struct faults *s, uint64_t i)
{
	uint64_t oldest = s->nkept > FAULTS_KEPT ? s->nkept - FAULTS_KEPT : 0;

	return oldest + i < s->nkept ? &s->kept[(oldest + i) % FAULTS_KEPT] : NULL;
}

/* ---- history ---- */

static void tell(struct faults *s, struct fault *f)
{
	struct fault **end = &s->told;

	while (*end)
		end = &(*end)->next_told;
	f->next_told = NULL;
	*end = f;
}

/* Faults that were found over a live mapping: its unmap had begun, its record came later. */
static void revisit(struct model *m, const struct past *p)
{
	struct fault *f;
	unsigned int i;

	for (i = 0; i < FAULTS_KEPT; i++) {
		f = &m->faults->kept[i];
		if (f->class != FAULT_LIVE || !p->epoch || f->domain != p->domain || f->time_ns < p->begin ||
		    f->facts.iova < p->range.iova || f->facts.iova > p->range.last)
			continue;
		m->faults->count[FAULT_LIVE] -= f->count;
		m->faults->count[FAULT_UNMAPPED] += f->count;
		f->class = FAULT_UNMAPPED;
		f->before = *p;
		tell(m->faults, f);
	}
}

void pasts_note(struct model *m, struct domain *d, const struct op *op)
{
	struct faults *s = m->faults;
	struct past *p;
	size_t i;

	for (i = 0; i < m->npieces; i++) {
		p = &s->pasts[s->npasts++ % PASTS];
		p->domain = d;
		p->range = m->pieces[i].range;
		p->begin = op->begin;
		p->end = op->end;
		p->seq = op->seq;
		p->cause = op->cause;
		p->pid = op->pid;
		p->epoch = model_sure_op(m, op) && m->pieces[i].sure ? m->epoch : 0;
		p->cpu = op->cpu;
		if (s->live_ns && s->live_ns >= op->begin)
			revisit(m, p);
	}
}

/* The newest unmap of @iova in @d. */
static const struct past *past_find(const struct faults *s, const struct domain *d, uint64_t iova)
{
	uint64_t i, oldest = s->npasts > PASTS ? s->npasts - PASTS : 0;

	for (i = s->npasts; i > oldest; i--) {
		const struct past *p = &s->pasts[(i - 1) % PASTS];

		if (p->domain == d && p->range.iova <= iova && iova <= p->range.last)
			return p;
	}
	return NULL;
}

const struct past *model_past(const struct model *m, const struct domain *d, uint64_t iova)
{
	return past_find(m->faults, d, iova);
}

/* ---- who ---- */

static bool device_behind(const struct device *dev, uint64_t iommu)
{
	unsigned int i;

	for (i = 0; i < dev->ncaches; i++) {
		if (dev->caches[i]->iommu->ptr == iommu)
			return true;
	}
	return false;
}

/* Devices of @kind with @sid; behind @iommu, unless that is 0. The last of them. */
static unsigned int named_by(struct model *m, uint32_t kind, uint32_t sid, uint64_t iommu,
			     const struct device **out)
{
	const struct device *dev;
	unsigned int n = 0;

	for (dev = m->first_device; dev && model_step(m); dev = dev->next) {
		if (dev->driver_kind != kind || dev->sid != sid ||
		    (iommu && !device_behind(dev, iommu)))
			continue;
		*out = dev;
		n++;
	}
	return n;
}

/* The numbers of two PCI segments look alike: then the caches must tell. */
static const struct device *device_of_sid(struct model *m, const struct ev_fault *e,
					  uint32_t sid)
{
	const struct device *dev = NULL;
	unsigned int n = named_by(m, e->driver_kind, sid, 0, &dev);

	if (n > 1)
		n = named_by(m, e->driver_kind, sid, e->iommu, &dev);
	return n == 1 ? dev : NULL;
}

/* Who is in one group may be behind one alias: they share the domain, and the blame. */
static unsigned int group_peers(struct model *m, const struct device *of)
{
	const struct device *dev;
	unsigned int n = 0;

	for (dev = m->first_device; dev && model_step(m); dev = dev->next)
		n += dev != of && of->group >= 0 && dev->group == of->group;
	return n;
}

/* AMD-Vi names the domain id that it used: is it that of @d? */
static bool did_agrees(const struct fault *f, const struct domain *d)
{
	const struct cache *c;

	if (f->facts.did == FAULT_NO_SID)
		return true;
	for (c = d->caches; c; c = c->next) {
		if (c->kind == CACHE_IOTLB && c->did == f->facts.did)
			return true;
	}
	return false;
}

static void unknown(struct fault *f, const char *why)
{
	f->class = FAULT_UNKNOWN;
	f->why = why;
}

static bool place_of(const struct model *m, struct fault *f, const struct op *op)
{
	const struct binding *b = device_binding(f->dev, f->facts.pasid);

	if (!b || !epoch_sure(m, b->epoch, b->domain ? b->domain->sure_epoch : 0) ||
	    !m->attached || m->stopped || m->gaps_open) {
		unknown(f, "which domain the device was in is not known");
		return false;
	}
	f->bound_ns = b->since_ns;
	f->domain = b->domain;
	if (f->dev->flags & EV_DEV_DEFERRED)
		unknown(f, "the device still runs on the tables of an earlier kernel");
	else if (op->u.fault.domain && (!b->domain || b->domain->ptr != op->u.fault.domain))
		unknown(f, "it happened in another domain than the device is in");
	else if (!b->domain || (b->domain->typed && !(b->domain->type & DOMAIN_PAGING)))
		f->class = FAULT_NO_TABLE;
	else if (!did_agrees(f, b->domain))
		unknown(f, "its domain id is not that of the device's domain");
	else
		return true;
	return false;
}

/* ---- what ---- */

static void neighbours(struct fault *f)
{
	const struct ranges *s = &f->domain->ranges;
	const struct range *r;
	uint64_t at = f->facts.iova;

	r = at ? omap_floor(&s->map, at - 1) : NULL;
	if (r && r->last < at)
		f->below = *r;
	r = at < UINT64_MAX ? omap_ceil(&s->map, at + 1) : NULL;
	if (r)
		f->above = *r;
}

static void class_live(const struct model *m, struct fault *f, const struct range *r)
{
	f->live = *r;
	if (!model_range_sure(m, f->domain, r))
		unknown(f, "what is mapped there is not sure");
	else if (!(r->prot & 3) || f->facts.prot & ~r->prot & 3)
		f->class = FAULT_DENIED;
	else if (r->end + f->late_ns >= f->time_ns || f->bound_ns + f->late_ns >= f->time_ns)
		unknown(f, "mapped so lately that the fault may be older");
	else
		f->class = FAULT_LIVE;
}

static void class_gone(const struct model *m, struct fault *f)
{
	const struct past *p = past_find(m->faults, f->domain, f->facts.iova);

	if (p) {
		f->before = *p;
		if (!epoch_sure(m, p->epoch, f->domain->sure_epoch))
			unknown(f, "it was unmapped, but something was lost since or then");
		else if (f->dev->nmoves > 1 && f->bound_ns + f->late_ns >= f->time_ns)
			unknown(f, "the device came so lately that the fault may be older");
		else if (p->begin <= f->bound_ns)
			unknown(f, "it was unmapped before the device came to this domain");
		else
			f->class = FAULT_UNMAPPED;
		return;
	}
	if (f->domain->born && !f->domain->sure_epoch && f->domain->first_ns > m->doubt_end_ns &&
	    m->faults->npasts <= PASTS)
		f->class = FAULT_NEVER;
	else
		f->class = FAULT_UNHEARD;
}

static void classify(struct model *m, struct fault *f, const struct op *op)
{
	const struct range *r;

	if (f->facts.kind == FAULT_ELSE) {
		f->class = FAULT_OTHER;
		return;
	}
	if (!f->dev) {
		unknown(f, "no device, or more than one, has this source id");
		return;
	}
	f->peers = op->u.fault.iommu ? group_peers(m, f->dev) : 0;
	if (!place_of(m, f, op))
		return;
	neighbours(f);
	if (f->facts.kind == FAULT_ROOT) {
		f->class = FAULT_NO_TABLE;
		return;
	}
	r = range_first(&f->domain->ranges, f->facts.iova, f->facts.iova);
	if (r)
		class_live(m, f, r);
	else
		class_gone(m, f);
}

static bool fault_same(const struct fault *a, const struct fault *b)
{
	return a->class == b->class && a->dev == b->dev && a->domain == b->domain &&
	       a->why == b->why && a->facts.iova >> 12 == b->facts.iova >> 12 &&
	       a->facts.sid == b->facts.sid && a->before.seq == b->before.seq;
}

static void fault_keep(struct faults *s, const struct fault *f)
{
	struct fault *newest = s->nkept ? &s->kept[(s->nkept - 1) % FAULTS_KEPT] : NULL;

	s->count[f->class]++;
	if (newest && fault_same(newest, f)) {
		newest->count++;
	} else {
		newest = &s->kept[s->nkept++ % FAULTS_KEPT];
		*newest = *f;
	}
	if (f->class == FAULT_LIVE)
		s->live_ns = f->time_ns;
	tell(s, newest);
}

int apply_fault(struct model *m, const struct op *op)
{
	const struct ev_fault *e = &op->u.fault;
	const struct range none = { .iova = 1, .last = 0 };
	struct fault f = {
		.driver_kind = e->driver_kind,
		.cpu = op->cpu,
		.seq = op->seq,
		.time_ns = op->end,
		.late_ns = e->driver_kind == EV_DRIVER_REF ? 0 : FAULT_LATE_NS,
		.count = 1,
		.live = none,
		.below = none,
		.above = none,
	};

	fault_decode(e, &f.facts);
	f.dev = e->iommu ? device_of_sid(m, e, f.facts.sid) : model_device(m, e->dev);
	m->faults->more += !!(e->flags & EV_FAULT_MORE);
	classify(m, &f, op);
	fault_keep(m->faults, &f);
	return 0;
}
