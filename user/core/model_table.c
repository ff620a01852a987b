// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Page-table pages that left a table. Whether the caches that may lead to them were told in time
 * is asked of the flushes that were heard lately; a command for leaves only does not count.
 */
#include "model_priv.h"

static bool flush_names_tables(const struct flush *f, const struct cache *c, uint64_t first,
			       uint64_t last)
{
	return !f->leaf_only && flush_reaches(f, c) && f->iova <= last && first <= f->last;
}

/* AMD-Vi: queued in time; the wait that completes it may be another CPU's, heard later. */
static bool asking(const struct cache *c, uint64_t first, uint64_t last, uint64_t since_ns)
{
	const struct iommu *u = c->iommu;
	size_t i;

	for (i = 0; i < u->npending; i++) {
		if (u->pending[i].begin >= since_ns &&
		    flush_names_tables(&u->pending[i], c, first, last))
			return true;
	}
	return false;
}

static enum cache_asked not_asked(const struct cache *c, uint64_t first, uint64_t last,
				  uint64_t since_ns, bool all_kept)
{
	return all_kept && !asking(c, first, last, since_ns) ? ASKED_NO : ASKED_UNKNOWN;
}

enum cache_asked cache_asked(const struct cache *c, uint64_t first, uint64_t last,
			     uint64_t since_ns, uint64_t until_ns)
{
	const struct iommu *u = c->iommu;
	uint64_t i, oldest = u->nring > FLUSH_RING ? u->nring - FLUSH_RING : 0;

	for (i = u->nring; i > oldest; i--) {
		const struct flush *f = &u->ring[(i - 1) % FLUSH_RING];

		if (f->end < since_ns)
			return not_asked(c, first, last, since_ns, true);
		if (f->begin >= since_ns && f->end <= until_ns &&
		    flush_names_tables(f, c, first, last))
			return ASKED_YES;
	}
	return not_asked(c, first, last, since_ns, !oldest);
}

bool cache_pends(const struct cache *c, const struct owe *o)
{
	const struct iommu *u = c->iommu;
	size_t i;

	for (i = 0; i < u->npending; i++) {
		const struct flush *f = &u->pending[i];

		if (f->begin >= o->begin && flush_reaches(f, c) && f->iova <= o->last &&
		    o->iova <= f->last)
			return true;
	}
	return false;
}

/* What is freed is judged as that: not once more as what a map replaced. */
static void replaced_freed(struct domain *d, uint64_t paddr)
{
	unsigned int i, kept = 0;

	for (i = 0; i < d->nreplaced; i++) {
		if (d->replaced[i].paddr != paddr)
			d->replaced[kept++] = d->replaced[i];
	}
	d->nreplaced = kept;
}

/* What was freed is judged at once and forgotten; what was replaced is judged with its map. */
int apply_table(struct model *m, const struct op *op)
{
	const struct ev_table *e = &op->u.table;
	struct domain *d = model_domain(m, e->domain);

	if (!d || d->dead)
		return 0;
	if (e->what & EV_TABLE_FREED)
		replaced_freed(d, e->paddr);
	if (!(e->what & EV_TABLE_REPLACED))
		return 0;
	if (d->nreplaced == REPLACED_MAX) {
		m->unknown++;
		return 0;
	}
	d->replaced[d->nreplaced++] = (struct replaced){
		.first = op->iova,
		.last = op->last,
		.paddr = e->paddr,
		.at_ns = e->unlinked_ns,
		.pid = op->pid,
	};
	return 0;
}

/* @map has ended: nothing that it or an older one replaced is waited for. */
void replaced_done(struct domain *d, const struct op *map)
{
	unsigned int i, kept = 0;

	for (i = 0; i < d->nreplaced; i++) {
		const struct replaced *r = &d->replaced[i];
		bool inside = r->pid == map->pid && r->first <= map->last &&
			      map->iova <= r->last;

		if (!inside && r->at_ns > map->begin)
			d->replaced[kept++] = *r;
	}
	d->nreplaced = kept;
}
