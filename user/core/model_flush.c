// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Completed invalidations pay debts. VT-d: the return of the call completes its
 * descriptors. refiommu: the trace event says that one is complete. AMD-Vi: commands wait for
 * the next completion wait of their IOMMU, whoever queued it. The last ones are kept, because
 * an unmap is heard at its end, after the flushes it made inside. An IOMMU that no tag has
 * named serves no cache that is known: its flushes are counted as records, and nothing is
 * kept of them.
 */
#include <errno.h>
#include <stdlib.h>

#include "model_priv.h"

#define PENDING_MAX 65536

/* Return: is the walk over all of them? */
static bool pay_chain(struct model *m, struct cache *c, const struct flush *f)
{
	for (; c; c = c->peer) {
		if (!model_step(m))
			return false;
		if (flush_reaches(f, c))
			cache_pay(m, c, f);
	}
	return true;
}

static void pay_index(struct model *m, const struct omap *index, const struct flush *f)
{
	struct cache *c = omap_ceil(index, 0);

	while (c && pay_chain(m, c, f))
		c = omap_ceil(index, (uint64_t)cache_id(c) + 1);
}

static void iommu_pay(struct model *m, struct iommu *u, const struct flush *f)
{
	switch (f->scope) {
	case FLUSH_DOMAIN:
	case FLUSH_PASID:
		pay_chain(m, omap_get(&u->iotlb, f->did), f);
		break;
	case FLUSH_DEVICE:
		pay_chain(m, omap_get(&u->devtlb, f->sid), f);
		break;
	case FLUSH_UNKNOWN:
		pay_index(m, &u->devtlb, f);
		pay_index(m, &u->iotlb, f);
		break;
	case FLUSH_GLOBAL:
		pay_index(m, &u->iotlb, f);
		break;
	default:
		break;
	}
}

static void flush_done(struct model *m, struct iommu *u, const struct flush *f)
{
	if (f->scope == FLUSH_ENTRY || f->scope == FLUSH_UNKNOWN)
		entry_note(m, f);
	if (f->scope == FLUSH_NONE || f->scope == FLUSH_ENTRY)
		return;
	wide_note(m, u, f);
	if (f->failed || f->scope == FLUSH_UNKNOWN)
		m->unknown++;
	u->ring[u->nring++ % FLUSH_RING] = *f;
	iommu_pay(m, u, f);
}

int apply_qi(struct model *m, const struct op *op)
{
	struct iommu *u = model_iommu(m, op->u.qi.iommu);
	struct flush f;

	flush_from(op, &f);
	if (u)
		flush_done(m, u, &f);
	else if (f.scope == FLUSH_ENTRY)
		entry_note(m, &f);
	return 0;
}

int apply_ref_flush(struct model *m, const struct op *op)
{
	struct iommu *u = model_iommu(m, ref_iommu(op->u.ref_flush.instance));
	struct domain *d = model_domain(m, op->u.ref_flush.domain);
	struct flush f;

	flush_from(op, &f);
	if (!u && f.scope == FLUSH_ENTRY)
		entry_note(m, &f);
	if (!u)
		return 0;
	if (d && f.scope != FLUSH_ENTRY)
		caches_recall(m, d, u, f.did);
	flush_done(m, u, &f);
	return 0;
}

static int pending_grow(struct iommu *u)
{
	size_t room = u->room * 2 + 16;
	struct flush *p = realloc(u->pending, room * sizeof(*p));

	if (!p)
		return -ENOMEM;
	u->pending = p;
	u->room = room;
	return 0;
}

int apply_amd_cmd(struct model *m, const struct op *op)
{
	struct iommu *u = model_iommu(m, op->u.amd.iommu);
	struct flush f;

	flush_from(op, &f);
	if (flush_names_entries(&f))
		entry_note(m, &f);
	if (!u || f.scope == FLUSH_NONE || f.scope == FLUSH_ENTRY)
		return 0;
	/* Of a switch that it was sent has to do: its wait may be another CPU's, heard later. */
	wide_note(m, u, &f);
	if (u->npending == PENDING_MAX) {
		/* Without waits to count on, better too generous than wrong. */
		flush_done(m, u, &f);
		return 0;
	}
	if (u->npending == u->room && pending_grow(u))
		return -ENOMEM;
	u->pending[u->npending++] = f;
	return 0;
}

int apply_amd_wait(struct model *m, const struct op *op)
{
	struct iommu *u = model_iommu(m, op->u.amd.iommu);
	size_t i;

	if (!u)
		return 0;
	for (i = 0; i < u->npending; i++) {
		u->pending[i].end = op->end;
		u->pending[i].failed |= !!op->u.amd.ret;
		flush_done(m, u, &u->pending[i]);
	}
	u->npending = 0;
	return 0;
}

/* A flush of @u was lost: whatever was owed may have been paid. */
void iommu_doubt(struct model *m, struct iommu *u)
{
	struct flush f = {
		.scope = FLUSH_UNKNOWN,
		.failed = true,
		.iommu = u->ptr,
		.last = UINT64_MAX,
		.begin = m->now ?: 1,
		.end = m->now,
	};

	flush_done(m, u, &f);
}
