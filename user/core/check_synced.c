// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * map-not-synced: an IOMMU in caching mode may remember that nothing is mapped, until it is told
 * (VT-d 6.1, AMD NpCache); a mapping was handed out before it was, or before all of it was.
 * Nested translation by shadow tables rests on it: the flush is how the hypervisor hears of it.
 *
 * Up to 6.16 iommu_map() and iommu_map_sg() flush before they return. After that
 * iommu_map_nosync() is what is heard, and the flush comes before its caller returns: seen when
 * the intent around it ends. dma_iova_link() leaves it to dma_iova_sync(): not judged.
 * Write buffers (VT-d RWBF) are flushed through a register, which nobody hears: not judged.
 */
#include "check.h"

static int unsynced_found(const struct cache *c, struct owe *o, const char *shown,
			  const struct op *op, struct report *rep)
{
	struct finding f;

	check_begin(&f, FINDING_MAP_NOT_SYNCED, GRADE_VIOLATION, op, c->domain);
	f.cause = o->cause;
	check_range(&f, o->iova, o->last);
	finding_ref(&f, "map", &(struct ref){ .kind = EV_MAP, .cpu = o->cpu, .pid = o->pid,
			.seq = o->seq, .time_ns = o->end });
	if (o->partial.end)
		finding_ref(&f, "last flush of a part", &(struct ref){ .kind = o->partial.kind,
				.cpu = o->partial.cpu, .seq = o->partial.seq,
				.time_ns = o->partial.end });
	if (op->seq != o->seq || op->cpu != o->cpu)
		finding_op(&f, "shown by", op);
	finding_text(&f, "when", shown);
	finding_text(&f, "flush", o->partial.end ? "short" : "none");
	check_cache(&f, c, "not-present entries of the IOTLB");
	finding_hex(&f, "mapped_iova", o->from);
	finding_hex(&f, "mapped_last", o->to);
	o->reported = true;
	return report_add(rep, &f);
}

static int judge(const struct model *m, const struct cache *c, struct owe *o, const char *shown,
		 const struct op *op, struct report *rep)
{
	if (!owe_sure(m, c, o))
		return 0;
	/* As of unmaps: another CPU's completion wait may be heard late. */
	if (cache_pends(c, o)) {
		rep->tally.unknown++;
		return 0;
	}
	return unsynced_found(c, o, shown, op, rep);
}

static int synced_map(const struct model *m, const struct op *op, struct report *rep)
{
	const struct domain *d = model_domain(m, op->u.map.domain);
	const struct cache *c;
	struct owe *o;
	int ret = 0;

	if (!d || op->u.map.ret || op->empty || !model_syncs_maps(m))
		return 0;
	for (c = d->caches; c; c = c->next) {
		if (c->kind != CACHE_ABSENT || !c->nowes)
			continue;
		for (o = owe_first(c, op->iova, op->last); o && !ret && report_step(rep);
		     o = owe_next(c, o, op->last)) {
			if (o->seq == op->seq && o->cpu == op->cpu)
				ret = judge(m, c, o, "the map returned", op, rep);
		}
	}
	return ret;
}

static int caused_in(const struct model *m, const struct cache *c, const struct op *op,
		     struct report *rep)
{
	/* A scatterlist, a replay, a call at /dev/refiommu: its maps may be anywhere. */
	bool all = op->empty || (op->kind != EV_VFIO_MAP &&
				 (op->kind != EV_DMA_MAP || op->u.dma.kind == EV_DMA_SG));
	uint64_t first = all ? 0 : op->iova, last = all ? UINT64_MAX : op->last;
	struct owe *o;
	int ret = 0;

	for (o = owe_first(c, first, last); o && !ret && report_step(rep);
	     o = owe_next(c, o, last)) {
		if (o->cause == op->id)
			ret = judge(m, c, o, "the intent ended", op, rep);
	}
	return ret;
}

static bool intent_syncs(const struct op *op)
{
	switch (op->kind) {
	case EV_DMA_MAP:
		return op->u.dma.kind != EV_DMA_IOVA;
	case EV_REF_REPLAY:
		return op->u.ref_replay.step == EV_REPLAY_END;
	default:
		return true;
	}
}

static int synced_intent(const struct model *m, const struct op *op, struct report *rep)
{
	const struct cause *cause = model_cause(m, op->id);
	const struct cache *c;
	unsigned int i;
	int ret = 0;

	if (!cause || !intent_syncs(op) || !model_sure_op(m, op))
		return 0;
	for (i = 0; i < cause->ndomains; i++) {
		if (cause->domains[i]->dead)
			continue;
		for (c = cause->domains[i]->caches; c && !ret; c = c->next) {
			if (c->kind == CACHE_ABSENT && c->nowes)
				ret = caused_in(m, c, op, rep);
		}
	}
	return ret;
}

static int synced_before(const struct model *m, const struct op *op, struct report *rep)
{
	return op->kind == EV_MAP ? 0 : synced_intent(m, op, rep);
}

static int synced_after(const struct model *m, const struct op *op, struct report *rep)
{
	return op->kind == EV_MAP ? synced_map(m, op, rep) : 0;
}

const struct checker check_synced = {
	.id = FINDING_MAP_NOT_SYNCED,
	.needs = NEED_MAP | NEED_UNMAP | NEED_ATTACH | NEED_FREE | NEED_FLUSH | NEED_ALL,
	.kinds = KIND(EV_MAP) | KIND(EV_DMA_MAP) | KIND(EV_VFIO_MAP) | KIND(EV_VFIO_ATTACH) |
		 KIND(EV_REF_INTENT) | KIND(EV_REF_REPLAY),
	.before = synced_before,
	.after = synced_after,
};
