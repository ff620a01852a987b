// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What a switch leaves behind: invalidations of entries, flushes of whole caches, domain ids
 * that were left and not yet given to another, devices that are leaving the IOMMU.
 *
 * Invariants
 * - Flushes of entries are kept for all IOMMUs, known or not: the tag that introduces an IOMMU
 *   comes after the flushes of the attach that it belongs to.
 * - A flush whose content is unknown covers everything. So does a lost one.
 * - A did has a ghost only while no IOTLB of its IOMMU has that did.
 */
#include <stdlib.h>

#include "model_priv.h"

/* From here on no domain has anything (57 bits: five levels): as good as all of it. */
#define ALMOST_ALL ((1ULL << 57) - 1)

void entry_note(struct model *m, const struct flush *f)
{
	m->entry_ring[m->nentries++ % ENTRY_RING] = *f;
}

void entries_doubt(struct model *m, uint64_t iommu)
{
	const struct flush f = {
		.scope = FLUSH_UNKNOWN,
		.iommu = iommu,
		.last = UINT64_MAX,
		.begin = m->now,
		.end = m->now,
	};

	entry_note(m, &f);
}

const struct flush *entry_flush(const struct model *m, const struct entry *e, uint64_t mmu,
				uint64_t from, bool *lost)
{
	uint64_t i = m->nentries > ENTRY_RING ? m->nentries - ENTRY_RING : 0;

	*lost = i && m->entry_ring[i % ENTRY_RING].end >= from;
	for (; i < m->nentries; i++) {
		const struct flush *f = &m->entry_ring[i % ENTRY_RING];

		if (f->begin >= from && (!mmu || f->iommu == mmu) &&
		    (f->failed || flush_covers_entry(f, e)))
			return f;
	}
	return NULL;
}

/* ---- flushes of everything ---- */

/*
 * May come in blocks, one behind the other, each as large as its alignment allows: so AMD-Vi cuts
 * ranges with NpCache (6.12, amd_iommu_domain_flush_pages(), which spares the largest).
 */
static void wide_add(struct wide_flush *w, const struct flush *f)
{
	if (f->scope == FLUSH_UNKNOWN || f->failed || f->iova == 0) {
		w->next = 0;
		w->piece_begin = f->begin;
	} else if (!w->next || f->iova != w->next) {
		return;
	}
	if (f->scope != FLUSH_UNKNOWN && !f->failed && f->last < ALMOST_ALL) {
		w->next = f->last + 1;
		return;
	}
	w->next = 0;
	if (w->piece_begin > w->begin)
		w->begin = w->piece_begin;
}

static bool reaches_ghost(const struct flush *f, const struct ghost *g)
{
	return f->scope != FLUSH_DEVICE && flush_covers_pasid(f, g->pasid);
}

/* Return: is the walk over all of them? */
static bool wide_note_chain(struct model *m, struct cache *c, const struct flush *f)
{
	for (; c; c = c->peer) {
		if (!model_step(m))
			return false;
		if (flush_reaches(f, c))
			wide_add(&c->wide, f);
	}
	return true;
}

static void wide_note_did(struct model *m, struct iommu *u, const struct flush *f)
{
	struct ghost *g = omap_get(&u->ghosts, f->did);

	if (g && reaches_ghost(f, g))
		wide_add(&g->wide, f);
	wide_note_chain(m, omap_get(&u->iotlb, f->did), f);
}

static void wide_note_index(struct model *m, const struct omap *index, const struct flush *f)
{
	struct cache *chain = omap_ceil(index, 0);

	while (chain && wide_note_chain(m, chain, f))
		chain = omap_ceil(index, (uint64_t)cache_id(chain) + 1);
}

static void wide_note_all(struct model *m, struct iommu *u, const struct flush *f)
{
	struct ghost *g;

	for (g = omap_ceil(&u->ghosts, 0); g && model_step(m);
	     g = omap_ceil(&u->ghosts, (uint64_t)g->did + 1))
		wide_add(&g->wide, f);
	wide_note_index(m, &u->iotlb, f);
	if (f->scope == FLUSH_UNKNOWN)
		wide_note_index(m, &u->devtlb, f);
}

void wide_note(struct model *m, struct iommu *u, const struct flush *f)
{
	switch (f->scope) {
	case FLUSH_DOMAIN:
	case FLUSH_PASID:
		wide_note_did(m, u, f);
		break;
	case FLUSH_DEVICE:
		wide_note_chain(m, omap_get(&u->devtlb, f->sid), f);
		break;
	case FLUSH_GLOBAL:
	case FLUSH_UNKNOWN:
		wide_note_all(m, u, f);
		break;
	default:
		break;
	}
}

/* ---- domain ids ---- */

const struct ghost *iommu_ghost(const struct iommu *u, uint32_t did)
{
	return omap_get(&u->ghosts, did);
}

void ghost_drop(struct iommu *u, uint32_t did)
{
	struct ghost *g = omap_get(&u->ghosts, did);

	if (!g)
		return;
	omap_del(&u->ghosts, did);
	free(g);
}

void ghosts_free(struct iommu *u)
{
	struct ghost *g;

	while ((g = omap_ceil(&u->ghosts, 0)))
		ghost_drop(u, g->did);
}

/*
 * From when on nothing new of the domain is cached. refiommu tells the end of a tag after the
 * flushes, and has forgotten the entry before them, but after the device came; the others have both
 * inside the move.
 */
static uint64_t left_at(const struct model *m, const struct cache *c, const struct device *dev)
{
	const struct entry e = { .tables = ENTRY_REF, .dev = dev->ptr };
	const struct binding *b = device_binding(dev, EV_TAG_NO_PASID);
	uint64_t came = b && b->domain == c->domain ? b->since_ns : c->since_ns;
	uint64_t i, oldest = m->nentries > ENTRY_RING ? m->nentries - ENTRY_RING : 0;

	if (c->driver_kind != EV_DRIVER_REF)
		return m->begin ?: m->now;
	for (i = m->nentries; i > oldest; i--) {
		const struct flush *f = &m->entry_ring[(i - 1) % ENTRY_RING];

		if (flush_covers_entry(f, &e))
			return f->begin >= came ? f->begin : m->now;
	}
	return m->now;
}

/* The last device behind @c is leaving. Without memory nobody is accused. */
void ghost_new(struct model *m, const struct cache *c, const struct device *dev)
{
	bool is_sure = model_cache_sure(m, c) && model_sure_op(m, m->op) &&
		       !(m->op->flags & EVF_STATE);
	const struct cache *p;
	struct ghost *g;

	if (c->kind != CACHE_IOTLB)
		return;
	for (p = omap_get(&c->iommu->iotlb, c->did); p; p = p->peer) {
		if (p != c && p->kind == CACHE_IOTLB)
			return;
	}
	ghost_drop(c->iommu, c->did);
	g = malloc(sizeof(*g));
	if (!g)
		return;
	*g = (struct ghost){
		.domain = c->domain,
		.did = c->did,
		.pasid = c->pasid,
		.driver_kind = c->driver_kind,
		.epoch = is_sure ? m->epoch : 0,
		.left_ns = left_at(m, c, dev),
		.seq = m->op->seq,
		.told_ns = m->now,
		.cpu = m->op->cpu,
		.kind = m->op->kind,
		.wide = c->wide,
	};
	if (omap_put(&c->iommu->ghosts, g->did, g))
		free(g);
}

/* ---- devices that leave ---- */

uint32_t device_did(const struct model *m, const struct device *dev, const struct domain *d)
{
	unsigned int i;

	for (i = 0; i < dev->ncaches; i++) {
		const struct cache *c = dev->caches[i];

		if (c->domain == d && c->kind == CACHE_IOTLB && model_cache_sure(m, c))
			return c->did;
	}
	return DID_UNKNOWN;
}

void leave_begin(struct model *m, struct device *dev, const struct op *op)
{
	const struct binding *b = device_binding(dev, EV_TAG_NO_PASID);

	dev->leave.domain = NULL;
	if (!b || !b->domain || dev->deferred)
		return;
	dev->leave = (struct leave){
		.domain = b->domain,
		.did = device_did(m, dev, b->domain),
		.epoch = model_sure_op(m, op) ? b->epoch : 0,
		.pid = op->pid,
		.begin = op->begin,
		.seq = op->seq,
		.cpu = op->cpu,
	};
}

void leaves_end(struct model *m, const struct domain *d)
{
	struct device *dev;

	for (dev = m->first_device; dev && model_step(m); dev = dev->next) {
		if (dev->leave.domain == d)
			dev->leave.domain = NULL;
	}
}

void leaves_expire(struct model *m)
{
	struct device *dev;

	for (dev = m->first_device; dev && model_step(m); dev = dev->next) {
		if (dev->leave.domain && dev->leave.begin + LEAVE_NS < m->now)
			dev->leave.domain = NULL;
	}
}
