// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * stale-iotlb, flush-short: what was unmapped is used again, or handed back, while a
 * cache still owes its flush: all of it, or a part that the flushes left out.
 *
 * Seen when the same domain maps the IOVA again; when iommu_unmap(), which flushes
 * itself, has returned; when the intent around an unmap that was not queued is over.
 */
#include "check.h"

#define DEFERRED (EVF_QUEUED | EVF_NOGATHER)

/* With the begin of an attach unknown: how long it may have taken. */
#define ATTACH_NS 1000000000ULL

static void owe_refs(struct finding *f, const struct owe *o)
{
	map_ref(f, (struct ref){ .cpu = o->map_cpu, .pid = o->map_pid, .seq = o->map_seq,
				 .time_ns = o->map_end });
	finding_ref(f, "unmap", &(struct ref){ .kind = EV_UNMAP, .cpu = o->cpu, .pid = o->pid,
			.seq = o->seq, .time_ns = o->end, .cause = o->cause });
	if (o->partial.end)
		finding_ref(f, "last flush of a part", &(struct ref){ .kind = o->partial.kind,
				.cpu = o->partial.cpu, .seq = o->partial.seq,
				.time_ns = o->partial.end });
}

static bool is_table_of(void *arg, const struct finding *f)
{
	const struct finding *stale = arg;

	return f->id == FINDING_TABLE_FREED_EARLY && f->domain == stale->domain &&
	       f->domain_gen == stale->domain_gen && f->time_ns >= stale->begin_ns &&
	       f->iommu == stale->iommu && f->cache_kind == stale->cache_kind &&
	       f->cache_id == stale->cache_id &&
	       ranges_meet(f->iova, f->last, stale->iova, stale->last);
}

/* This cache's flush did not come, or fell short: that a table page went without one is no news. */
static void fold_tables(struct report *rep, const struct finding *stale, const struct owe *o)
{
	struct finding key = *stale;

	key.begin_ns = o->begin;
	if (rep->newest_ns >= o->begin)
		report_fold(rep, o->begin, is_table_of, &key);
}

static int stale_found(const struct cache *c, struct owe *o, const char *shown,
		       const struct op *op, struct report *rep)
{
	struct finding f;

	check_begin(&f, o->partial.end ? FINDING_FLUSH_SHORT : FINDING_STALE_IOTLB,
		    GRADE_VIOLATION, op, c->domain);
	f.cause = o->cause;
	check_range(&f, o->iova, o->last);
	owe_refs(&f, o);
	if (op->seq != o->seq || op->cpu != o->cpu)
		finding_op(&f, "shown by", op);
	finding_text(&f, "when", shown);
	check_cache(&f, c, c->kind == CACHE_IOTLB ? "IOTLB" : "device TLB");
	finding_hex(&f, "unmapped_iova", o->from);
	finding_hex(&f, "unmapped_last", o->to);
	finding_dec(&f, "queued", !!(o->flags & EVF_QUEUED));
	f.waits = cache_pends(c, o);
	o->reported = true;
	fold_tables(rep, &f, o);
	return report_add(rep, &f);
}

/*
 * AMD-Vi: the completion wait may be another CPU's, whose record comes later than the return of
 * who relied on it. What was queued in time is not known to be late.
 */
static bool owe_waits(const struct cache *c, const struct owe *o, struct report *rep)
{
	if (!cache_pends(c, o))
		return false;
	rep->tally.unknown++;
	return true;
}

static bool owes_unmaps(const struct cache *c)
{
	return c->nowes && c->kind != CACHE_ABSENT;
}

static int reused_in(const struct model *m, const struct cache *c, const struct op *op,
		     struct report *rep)
{
	struct owe *o;
	int ret = 0;

	for (o = owe_first(c, op->iova, op->last); o && !ret && report_step(rep);
	     o = owe_next(c, o, op->last)) {
		if (!owe_sure(m, c, o))
			continue;
		if (model_sure_op(m, op) && o->end < op->begin)
			ret = stale_found(c, o, "mapped again", op, rep);
		else
			rep->tally.unknown++;
	}
	return ret;
}

static int stale_reuse(const struct model *m, const struct op *op, struct report *rep)
{
	const struct domain *d = model_domain(m, op->u.map.domain);
	const struct cache *c;
	int ret = 0;

	if (!d || op->u.map.ret || op->empty)
		return 0;
	for (c = d->caches; c && !ret; c = c->next) {
		if (owes_unmaps(c))
			ret = reused_in(m, c, op, rep);
	}
	return ret;
}

/* What the unmap just applied still owes to @c. */
static int returned_in(const struct model *m, const struct cache *c, const struct op *op,
		       struct report *rep)
{
	struct owe *o;
	int ret = 0;

	for (o = owe_first(c, op->iova, op->last); o && !ret && report_step(rep);
	     o = owe_next(c, o, op->last)) {
		if (o->seq == op->seq && o->cpu == op->cpu && owe_sure(m, c, o) &&
		    !owe_waits(c, o, rep))
			ret = stale_found(c, o, "iommu_unmap returned", op, rep);
	}
	return ret;
}

static int stale_return(const struct model *m, const struct op *op, struct report *rep)
{
	const struct domain *d = model_domain(m, op->u.unmap.domain);
	const struct cache *c;
	int ret = 0;

	if (!d || op->empty || op->flags & (EVF_FAST | DEFERRED))
		return 0;
	for (c = d->caches; c && !ret; c = c->next) {
		if (owes_unmaps(c))
			ret = returned_in(m, c, op, rep);
	}
	return ret;
}

static int ended_in(const struct model *m, const struct cache *c, const struct piece *p,
		    const struct op *op, struct report *rep)
{
	struct owe *o;
	int ret = 0;

	for (o = owe_first(c, p->range.iova, p->range.last); o && !ret && report_step(rep);
	     o = owe_next(c, o, p->range.last)) {
		if (o->cause == op->id && !(o->flags & DEFERRED) && owe_sure(m, c, o) &&
		    !owe_waits(c, o, rep))
			ret = stale_found(c, o, "the intent ended", op, rep);
	}
	return ret;
}

static int ended_of(const struct model *m, const struct piece *p, const struct op *op,
		    struct report *rep)
{
	const struct cache *c = p->domain->dead ? NULL : p->domain->caches;
	int ret = 0;

	for (; c && !ret; c = c->next) {
		if (owes_unmaps(c))
			ret = ended_in(m, c, p, op, rep);
	}
	return ret;
}

/*
 * The intent's record comes at its end: nothing that it removed may be owed any more. Of one that
 * removed more parts than are kept (many slots), whatever is owed is asked whose it is.
 */
static int stale_intent(const struct model *m, const struct op *op, struct report *rep)
{
	const struct cause *cause = model_cause(m, op->id);
	unsigned int i;
	int ret = 0;

	if (!cause || !model_sure_op(m, op))
		return 0;
	for (i = 0; i < cause->npieces && !ret && !cause->overflow; i++)
		ret = ended_of(m, &cause->pieces[i], op, rep);
	for (i = 0; i < cause->ndomains && !ret && cause->overflow; i++)
		ret = ended_of(m, &(struct piece){ .domain = cause->domains[i],
						   .range = { .last = UINT64_MAX } }, op, rep);
	return ret;
}

static bool was_waited_for(void *arg, const struct finding *f)
{
	const struct op *op = arg;

	return f->waits && f->iommu == op->u.amd.iommu && f->begin_ns > op->begin;
}

/*
 * AMD-Vi: the wait that somebody's flush rode on is told after what he did next. It had begun
 * before the address was used again: so the flush was complete, as far as anybody can hear.
 */
static void stale_waited(const struct op *op, struct report *rep)
{
	if (rep->newest_ns >= op->begin)
		report_retract(rep, op->begin, was_waited_for, (void *)op);
}

static int stale_before(const struct model *m, const struct op *op, struct report *rep)
{
	switch (op->kind) {
	case EV_AMD_WAIT:
		stale_waited(op, rep);
		return 0;
	case EV_MAP:
		return stale_reuse(m, op, rep);
	case EV_DMA_UNMAP:
	case EV_VFIO_UNMAP:
	case EV_REF_INTENT:
		return stale_intent(m, op, rep);
	default:
		return 0;
	}
}

struct detach {
	const struct model *m;
	uint64_t begin;
};

static const struct cache *cache_left(const struct model *m, const struct finding *f)
{
	const struct domain *d = model_domain(m, f->domain);
	const struct cache *c = d ? d->caches : NULL;

	for (; c; c = c->next) {
		if (c->iommu->ptr == f->iommu && c->kind == f->cache_kind &&
		    f->cache_id == cache_id(c))
			return c;
	}
	return NULL;
}

static bool is_about_flushes(const struct finding *f)
{
	return f->id == FINDING_STALE_IOTLB || f->id == FINDING_FLUSH_SHORT ||
	       f->id == FINDING_MAP_NOT_SYNCED || f->id == FINDING_TABLE_FREED_EARLY;
}

static bool was_leaving(void *arg, const struct finding *f)
{
	const struct detach *t = arg;

	return is_about_flushes(f) && f->time_ns >= t->begin && !cache_left(t->m, f);
}

/*
 * VT-d removes the tag before it clears the entry: an unmap in between sends nothing,
 * and the flushes of the detach follow.
 */
static int stale_after(const struct model *m, const struct op *op, struct report *rep)
{
	struct detach t = { .m = m, .begin = op->begin };

	if (op->kind == EV_UNMAP)
		return stale_return(m, op, rep);
	if (op->kind != EV_ATTACH)
		return 0;

	if (!t.begin)
		t.begin = op->end > ATTACH_NS ? op->end - ATTACH_NS : 0;
	if (!(op->flags & EVF_STATE) && rep->newest_ns >= t.begin)
		report_soften(rep, t.begin, was_leaving, &t, FINDING_COUNT, "race with detach");
	return 0;
}

const struct checker check_stale = {
	.id = FINDING_STALE_IOTLB,
	.also = FINDS(FINDING_FLUSH_SHORT),
	.needs = NEED_MAP | NEED_UNMAP | NEED_ATTACH | NEED_FREE | NEED_FLUSH | NEED_ALL,
	.kinds = KIND(EV_MAP) | KIND(EV_UNMAP) | KIND(EV_DMA_UNMAP) | KIND(EV_VFIO_UNMAP) |
		 KIND(EV_REF_INTENT) | KIND(EV_ATTACH) | KIND(EV_AMD_WAIT),
	.before = stale_before,
	.after = stale_after,
};
