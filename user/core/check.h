/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Checkers: one property, one file. Each sees an operation before the model applies it,
 * after it, or both, and adds findings to the report. What is not known for sure counts
 * as unknown and is never a finding.
 */
#ifndef IOMMUSCOPE_CHECK_H
#define IOMMUSCOPE_CHECK_H

#include "model.h"
#include "report.h"

typedef int (*check_fn)(const struct model *m, const struct op *op, struct report *rep);

struct checker {
	enum finding_id id;
	uint32_t also;		/* bits of enum finding_id: what else it finds */
	uint32_t needs;		/* NEED_*: without one of them it is off */
	uint64_t kinds;		/* bits of enum ev_type it looks at */
	check_fn before;	/* may be NULL */
	check_fn after;		/* may be NULL */
	int (*finish)(const struct model *m, struct report *rep);	/* may be NULL; at the end */
};

#define KIND(type) (1ULL << (type))
#define FINDS(id) (1U << (id))

_Static_assert(FINDING_COUNT <= 32, "checker.also");

extern const struct checker check_overlap;
extern const struct checker check_map_wide;
extern const struct checker check_unmap_short;
extern const struct checker check_unmap_short_vfio;
extern const struct checker check_unmap_short_dma;
extern const struct checker check_unmap_wide;
extern const struct checker check_leak_domain;
extern const struct checker check_leak_driver;
extern const struct checker check_unmap_short_ioas;
extern const struct checker check_outside;
extern const struct checker check_replay_vfio;
extern const struct checker check_replay_ref;
extern const struct checker check_handback;
extern const struct checker check_refused_vfio;
extern const struct checker check_refused_ref;
extern const struct checker check_unmap_nothing;
extern const struct checker check_left_mapped;
extern const struct checker check_stale;
extern const struct checker check_synced;
extern const struct checker check_table;
extern const struct checker check_switch;
extern const struct checker check_dma;
extern const struct checker check_freed;
extern const struct checker check_freed_move;
extern const struct checker check_lazy;
extern const struct checker check_dma_map;
extern const struct checker check_dma_limit;
extern const struct checker check_dma_sync;
extern const struct checker check_fault;
extern const struct checker check_reading;
extern const struct checker check_traced;
extern const struct checker check_root;
extern const struct checker check_intent;
extern const struct checker check_oracle;

/** check_begin() - Fill what every finding about @op in @d says; @d may be NULL. */
static inline void check_begin(struct finding *f, enum finding_id id, enum grade grade,
			       const struct op *op, const struct domain *d)
{
	*f = (struct finding){
		.id = id,
		.grade = grade,
		.begin_ns = op->begin,
		.time_ns = op->end,
		.domain = d ? d->ptr : 0,
		.domain_gen = d ? d->gen : 0,
		.cause = op->id ?: op->cause,
	};
}

/** check_range() - Say which range @f is about. */
static inline void check_range(struct finding *f, uint64_t iova, uint64_t last)
{
	f->ranged = true;
	f->iova = iova;
	f->last = last;
}

/** check_cache() - Say which cache @f is about, @what in words. */
static inline void check_cache(struct finding *f, const struct cache *c, const char *what)
{
	f->iommu = c->iommu->ptr;
	f->cache_kind = c->kind;
	f->cache_id = cache_id(c);
	f->device = c->nusers ? c->users[0]->ptr : 0;
	finding_text(f, "cache", what);
	finding_hex(f, c->kind == CACHE_DEVTLB ? "sid" : "did", f->cache_id);
	if (c->pasid != EV_TAG_NO_PASID)
		finding_hex(f, "pasid", c->pasid);
}

/** owe_sure() - Is @o, which @c owes, beyond doubt and not told yet? */
static inline bool owe_sure(const struct model *m, const struct cache *c, const struct owe *o)
{
	return !o->reported && model_owe_sure(m, c, o);
}

/** map_ref() - Refer to @r, the record of a map; or of the reading that found it mapped: maps are not of userspace. */
static inline void map_ref(struct finding *f, struct ref r)
{
	r.kind = r.cpu == EV_CPU_USER ? EV_READ : EV_MAP;
	finding_ref(f, r.kind == EV_READ ? "seen in table" : "map", &r);
}

/** range_ref() - Refer to the record that mapped @r. */
static inline void range_ref(struct finding *f, const struct range *r)
{
	map_ref(f, (struct ref){ .cpu = r->cpu, .pid = r->pid, .seq = r->seq, .time_ns = r->end,
				 .cause = r->cause });
}

/** piece_ref() - Refer to the record that made or removed @p. */
static inline void piece_ref(struct finding *f, const char *role, uint16_t kind,
			     const struct piece *p)
{
	finding_ref(f, role, &(struct ref){ .kind = kind, .cpu = p->cpu, .pid = p->pid,
					    .seq = p->seq, .time_ns = p->end });
}

/** entry_ref() - Refer to the record that mapped @e. */
static inline void entry_ref(struct finding *f, const char *role, const struct dma_entry *e)
{
	finding_ref(f, role, &(struct ref){ .kind = EV_DMA_MAP, .cpu = e->cpu, .pid = e->pid,
					    .seq = e->seq, .time_ns = e->end,
					    .caller = e->caller });
}

/** ranges_meet() - Do [@a, @a_last] and [@b, @b_last] share a byte? */
static inline bool ranges_meet(uint64_t a, uint64_t a_last, uint64_t b, uint64_t b_last)
{
	return a <= b_last && b <= a_last;
}

#endif
