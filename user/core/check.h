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
	uint32_t needs;		/* NEED_*: without one of them it is off */
	uint64_t kinds;		/* bits of enum ev_type it looks at */
	check_fn before;	/* may be NULL */
	check_fn after;		/* may be NULL */
};

#define KIND(type) (1ULL << (type))

extern const struct checker check_overlap;
extern const struct checker check_map_wide;
extern const struct checker check_unmap_short;
extern const struct checker check_unmap_short_vfio;
extern const struct checker check_unmap_wide;
extern const struct checker check_leak_domain;
extern const struct checker check_leak_driver;
extern const struct checker check_stale;
extern const struct checker check_dma;
extern const struct checker check_fault;

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

/** range_ref() - Refer to the record that mapped @r. */
static inline void range_ref(struct finding *f, const struct range *r)
{
	finding_ref(f, "map", &(struct ref){ .kind = EV_MAP, .cpu = r->cpu, .pid = r->pid,
					     .seq = r->seq, .time_ns = r->end,
					     .cause = r->cause });
}

/** piece_ref() - Refer to the record that made or removed @p. */
static inline void piece_ref(struct finding *f, const char *role, uint16_t kind,
			     const struct piece *p)
{
	finding_ref(f, role, &(struct ref){ .kind = kind, .cpu = p->cpu, .pid = p->pid,
					    .seq = p->seq, .time_ns = p->end });
}

/** ranges_meet() - Do [@a, @a_last] and [@b, @b_last] share a byte? */
static inline bool ranges_meet(uint64_t a, uint64_t a_last, uint64_t b, uint64_t b_last)
{
	return a <= b_last && b <= a_last;
}

#endif
