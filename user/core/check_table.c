// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * table-freed-early: a page-table page went back to the allocator before the caches that may
 * lead to it (paging-structure caches: VT-d 6.2.2, AMD 48882 2.2.8) were told to forget it. The
 * hardware may read whatever its next owner writes there as page-table entries.
 *
 * It was early if no completed flush, begun since the page was unlinked, names a byte of what the
 * page may have translated: a flush that is only too small is flush-short. Commands for leaves
 * only (VT-d IH, AMD without PDE) leave tables cached.
 *
 * stale-iotlb, of tables: a map put a larger page into the place of an empty table, and returned
 * without such a flush: walks go on through the old table.
 */
#include "check.h"

/* What a leaf table translates in the formats of VT-d and AMD-Vi: no table translates less. */
#define LEAF_TABLE_LG2 21

struct span {
	uint64_t first, last;
	uint64_t since;		/* 0 unknown */
};

static bool holds_a_table(uint64_t first, uint64_t last)
{
	uint64_t size = 1ULL << LEAF_TABLE_LG2, at = (first + size - 1) & ~(size - 1);

	return at >= first && last >= at && last - at >= size - 1;
}

/*
 * VT-d of 6.1 and 6.12 (intel_iommu_unmap()): first the new range's table pages join the gather, then
 * the gather's old range is synced and all pages go. The old range is all there is to blame only
 * if a table fits into it; if none does, they are of the part that the unmap call has reached.
 */
static void span_in_unmap(const struct op *op, struct span *s)
{
	const struct ev_table *e = &op->u.table;

	if (!holds_a_table(op->iova, op->last) && op->last < e->call_last) {
		s->first = e->call_first;
		if (op->last >= e->call_first)
			s->first = op->last + 1;
		s->last = e->call_last;
		s->since = e->call_begin_ns;
		return;
	}
	if (e->call_first < s->first)
		s->first = e->call_first;
	if (e->call_last > s->last)
		s->last = e->call_last;
}

static struct span span_of(const struct op *op)
{
	const struct ev_table *e = &op->u.table;
	struct span s = { op->iova, op->last, e->unlinked_ns };

	if (e->what & EV_TABLE_GATHERED && e->what & EV_TABLE_IN_UNMAP &&
	    e->call_first <= e->call_last)
		span_in_unmap(op, &s);
	return s;
}

/* Caches that surely led to the table when it was taken out; device TLBs know no tables. */
static bool leads_there(const struct model *m, const struct cache *c, uint64_t since)
{
	return c->kind == CACHE_IOTLB && c->nusers && model_cache_sure(m, c) &&
	       c->since_ns < since && cache_heard(m, c);
}

static int early_found(const struct cache *c, const struct span *s, const struct op *op,
		       struct report *rep)
{
	const struct ev_table *e = &op->u.table;
	struct finding f;

	check_begin(&f, FINDING_TABLE_FREED_EARLY, GRADE_VIOLATION, op, c->domain);
	f.begin_ns = s->since;
	check_range(&f, s->first, s->last);
	finding_op(&f, "table", op);
	check_cache(&f, c, "paging-structure cache");
	finding_hex(&f, "table_paddr", e->paddr);
	finding_dec(&f, "tables", e->count);
	if (e->what & EV_TABLE_GATHERED) {
		finding_hex(&f, "synced_iova", op->iova);
		finding_hex(&f, "synced_last", op->last);
	}
	return report_add(rep, &f);
}

static int table_freed(const struct model *m, const struct op *op, struct report *rep)
{
	const struct domain *d = model_domain(m, op->u.table.domain);
	struct span s = span_of(op);
	const struct cache *c;
	int ret = 0;

	if (!d || d->dead || op->empty || !model_sure_op(m, op))
		return 0;
	for (c = d->caches; c && !ret; c = c->next) {
		enum cache_asked asked;

		if (!leads_there(m, c, s.since ?: op->begin))
			continue;
		asked = cache_asked(c, s.first, s.last, s.since, op->end);
		if (asked == ASKED_UNKNOWN || (asked == ASKED_NO && !s.since))
			rep->tally.unknown++;
		else if (asked == ASKED_NO)
			ret = early_found(c, &s, op, rep);
	}
	return ret;
}

static int stays_found(const struct cache *c, const struct replaced *r, const struct op *op,
		       struct report *rep)
{
	struct finding f;

	check_begin(&f, FINDING_STALE_IOTLB, GRADE_VIOLATION, op, c->domain);
	check_range(&f, r->first, r->last);
	finding_op(&f, "map", op);
	finding_text(&f, "when", "a larger page took a table's place, and the map returned");
	check_cache(&f, c, "paging-structure cache");
	finding_hex(&f, "table_paddr", r->paddr);
	return report_add(rep, &f);
}

static int replaced_by(const struct model *m, const struct replaced *r, const struct op *op,
		       struct report *rep)
{
	const struct domain *d = model_domain(m, op->u.map.domain);
	const struct cache *c;
	int ret = 0;

	for (c = d->caches; c && !ret; c = c->next) {
		if (!leads_there(m, c, r->at_ns))
			continue;
		switch (cache_asked(c, r->first, r->last, r->at_ns, op->end)) {
		case ASKED_NO:
			ret = stays_found(c, r, op, rep);
			break;
		case ASKED_UNKNOWN:
			rep->tally.unknown++;
			break;
		case ASKED_YES:
			break;
		}
	}
	return ret;
}

static int table_replaced(const struct model *m, const struct op *op, struct report *rep)
{
	const struct domain *d = model_domain(m, op->u.map.domain);
	unsigned int i;
	int ret = 0;

	if (!d || !d->nreplaced || op->u.map.ret || op->empty || !model_sure_op(m, op))
		return 0;
	for (i = 0; i < d->nreplaced && !ret; i++) {
		const struct replaced *r = &d->replaced[i];

		if (r->pid == op->pid && r->at_ns >= op->begin &&
		    ranges_meet(r->first, r->last, op->iova, op->last))
			ret = replaced_by(m, r, op, rep);
	}
	return ret;
}

static int table_before(const struct model *m, const struct op *op, struct report *rep)
{
	if (op->kind == EV_MAP)
		return table_replaced(m, op, rep);
	return op->u.table.what & EV_TABLE_FREED ? table_freed(m, op, rep) : 0;
}

const struct checker check_table = {
	.id = FINDING_TABLE_FREED_EARLY,
	.also = FINDS(FINDING_STALE_IOTLB),
	.needs = NEED_MAP | NEED_UNMAP | NEED_ATTACH | NEED_FREE | NEED_FLUSH | NEED_ALL,
	.kinds = KIND(EV_TABLE) | KIND(EV_MAP),
	.before = table_before,
};
