// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * union-after-replay, replay-missing, replay-refused: a domain that was filled anew must hold
 * what its address space means, and nothing else.
 *
 * VFIO type1 fills each new domain of a container while a group enters it
 * (vfio_iommu_type1_attach_group() → vfio_iommu_replay()): all slots; on x86 neither reserved
 * ranges nor MSI pages. /dev/refiommu tells each replay, and what it did with reserved ranges.
 *
 * What is missing rests on what was surely asked for before the replay began, in a domain that
 * was heard from its birth on. What is too much also needs to know all that was asked for. A map
 * or unmap that ran beside the replay is heard only later, and takes the finding back:
 * type1 and refiommu have a lock, but its order is not told.
 */
#include "check.h"

#define LISTED 16		/* of one replay and kind */

struct replay {
	const struct model *m;
	const struct op *op;
	struct report *rep;
	const struct domain *d;
	const struct container *c;	/* or */
	const struct ioas *s;
	unsigned int listed;
};

static int replay_found(struct replay *x, enum finding_id id, uint64_t first, uint64_t last,
			const struct ref *map, const char *role)
{
	struct finding f;

	if (x->listed++ >= LISTED)
		return 0;
	check_begin(&f, id, GRADE_VIOLATION, x->op, x->d);
	check_range(&f, first, last);
	f.container = x->c ? x->c->ptr : 0;
	finding_ref(&f, role, map);
	finding_op(&f, "replay", x->op);
	finding_dec(&f, "intents", x->c ? x->c->nslots : x->s->areas.count);
	finding_dec(&f, "live_ranges", x->d->ranges.count);
	return report_add(x->rep, &f);
}

/* ---- what covers a byte; @until: up to where that is so ---- */

static bool in_ranges(const struct ranges *s, uint64_t at, uint64_t *until)
{
	const struct range *r = range_first(s, at, UINT64_MAX);
	bool in = r && r->iova <= at;

	*until = !r ? UINT64_MAX : in ? r->last : r->iova - 1;
	return in;
}

static bool in_slots(const struct container *c, uint64_t at, uint64_t *until)
{
	const struct slot *s = slot_first(c, at, UINT64_MAX);
	bool in = s && s->iova <= at;

	*until = !s ? UINT64_MAX : in ? s->last : s->iova - 1;
	return in;
}

/* Direct ranges, in whole pages: a kernel may map them in any domain. */
static bool in_direct(const struct domain *d, uint64_t at, uint64_t *until)
{
	uint32_t i;

	for (i = 0; i < d->nresv; i++) {
		const struct resv *r = &d->resv[i];

		if (r->type != EV_RESV_DIRECT && r->type != EV_RESV_RELAXABLE)
			continue;
		if ((r->first & ~0xfffULL) <= at && at <= (r->last | 0xfff)) {
			*until = r->last | 0xfff;
			return true;
		}
		if (r->first > at && (r->first & ~0xfffULL) <= *until)
			*until = (r->first & ~0xfffULL) - 1;
	}
	return false;
}

static bool explained(const struct replay *x, uint64_t at, uint64_t *until)
{
	uint64_t fixed;

	if (x->c ? in_slots(x->c, at, until) : in_ranges(&x->s->areas, at, until))
		return true;
	if (x->s) {
		if (in_ranges(&x->s->fixed, at, &fixed)) {
			*until = fixed;
			return true;
		}
		*until = fixed < *until ? fixed : *until;
	}
	return in_direct(x->d, at, until);
}

static bool mapped(const struct replay *x, uint64_t at, uint64_t *until)
{
	return in_ranges(&x->d->ranges, at, until);
}

typedef bool (*cover_fn)(const struct replay *x, uint64_t at, uint64_t *until);

/* Return: true and the first part of [*@first, @last] that @fn does not cover. */
static bool gap_in(const struct replay *x, cover_fn fn, uint64_t *first, uint64_t last,
		   uint64_t *gap_last)
{
	uint64_t until;

	while (fn(x, *first, &until)) {
		if (until >= last || !report_step(x->rep))
			return false;
		*first = until + 1;
	}
	*gap_last = until < last ? until : last;
	return true;
}

static int gaps_found(struct replay *x, enum finding_id id, cover_fn fn, uint64_t first,
		      uint64_t last, const struct ref *map, const char *role)
{
	uint64_t end;
	int ret = 0;

	while (!ret && gap_in(x, fn, &first, last, &end)) {
		ret = replay_found(x, id, first, end, map, role);
		if (end == last)
			break;
		first = end + 1;
	}
	return ret;
}

/* ---- too much ---- */

/* Of a container's new domain: what the attach itself made. Else everything. */
static bool replayed(const struct replay *x, const struct range *r)
{
	return model_range_sure(x->m, x->d, r) && r->end <= x->op->end &&
	       (!x->c || (r->flags & RANGE_REPLAYED && r->begin >= x->op->begin));
}

static int too_much(struct replay *x)
{
	const struct range *r;
	int ret = 0;

	x->listed = 0;
	for (r = range_first(&x->d->ranges, 0, UINT64_MAX); r && !ret && report_step(x->rep);
	     r = range_next(&x->d->ranges, r, UINT64_MAX)) {
		if (replayed(x, r))
			ret = gaps_found(x, FINDING_UNION_AFTER_REPLAY, explained, r->iova,
					 r->last, &(struct ref){ .kind = EV_MAP, .cpu = r->cpu,
					 .pid = r->pid, .seq = r->seq, .time_ns = r->end }, "map");
	}
	return ret;
}

/* ---- too little ---- */

static int slots_missing(struct replay *x)
{
	const struct slot *s;
	int ret = 0;

	x->listed = 0;
	for (s = slot_first(x->c, 0, UINT64_MAX); s && !ret && report_step(x->rep);
	     s = slot_after(x->c, s, UINT64_MAX)) {
		if (s->end < x->op->begin && epoch_sure(x->m, s->epoch, x->c->sure_epoch))
			ret = gaps_found(x, FINDING_REPLAY_MISSING, mapped, s->iova, s->last,
					 &(struct ref){ .kind = EV_VFIO_MAP, .cpu = s->cpu,
					 .pid = s->pid, .seq = s->seq, .time_ns = s->end },
					 "intent to map");
		else
			x->rep->tally.unknown++;
	}
	return ret;
}

static int areas_missing(struct replay *x)
{
	const struct range *r;
	int ret = 0;

	x->listed = 0;
	for (r = range_first(&x->s->areas, 0, UINT64_MAX); r && !ret && report_step(x->rep);
	     r = range_next(&x->s->areas, r, UINT64_MAX)) {
		if (r->end < x->op->begin && epoch_sure(x->m, r->epoch, x->s->sure_epoch))
			ret = gaps_found(x, FINDING_REPLAY_MISSING, mapped, r->iova, r->last,
					 &(struct ref){ .kind = EV_REF_INTENT, .cpu = r->cpu,
					 .pid = r->pid, .seq = r->seq, .time_ns = r->end },
					 "intent to map");
		else
			x->rep->tally.unknown++;
	}
	return ret;
}

/* ---- VFIO ---- */

/* Is the domain born inside the call, and was a device moved there by it? */
static bool filled_by(const struct replay *x)
{
	const struct domain *d = x->d;
	const struct device *dev;
	const struct binding *b;

	if (d->dead || !d->born || !(d->type & DOMAIN_PAGING) || d->first_ns < x->op->begin)
		return false;
	for (dev = x->m->first_device; dev && report_step(x->rep); dev = dev->next) {
		b = device_binding(dev, EV_TAG_NO_PASID);
		if (b && b->domain == d && b->outer == x->op->id && model_binding_sure(x->m, b))
			return true;
	}
	return false;
}

static int vfio_compare(struct replay *x)
{
	int ret;

	if (!model_domain_whole(x->m, x->d)) {
		x->rep->tally.unknown++;
		return 0;
	}
	ret = slots_missing(x);
	if (!ret && epoch_sure(x->m, x->c->whole_epoch, x->c->sure_epoch))
		ret = too_much(x);
	return ret;
}

static int vfio_after(const struct model *m, const struct op *op, struct report *rep)
{
	struct replay x = { .m = m, .op = op, .rep = rep };
	int ret = 0;

	x.c = model_container(m, op->u.vfio.container);
	if (!x.c || op->u.vfio.ret || !op->id)
		return 0;
	if (!model_sure_op(m, op)) {
		rep->tally.unknown++;
		return 0;
	}
	for (x.d = m->first_domain; x.d && !ret && report_step(rep); x.d = x.d->next) {
		if (filled_by(&x))
			ret = vfio_compare(&x);
	}
	return ret;
}

/* ---- /dev/refiommu ---- */

#define REF_EEXIST	(-17)	/* something else was there, and stays; the rest was done */

static int ref_after(const struct model *m, const struct op *op, struct report *rep)
{
	const struct ev_ref_replay *e = &op->u.ref_replay;
	struct replay x = { .m = m, .op = op, .rep = rep };
	int ret;

	x.s = model_ioas(m, e->ioas);
	x.d = model_domain(m, e->domain);
	if (e->step != EV_REPLAY_END || !x.s || !x.d || (e->ret && e->ret != REF_EEXIST))
		return 0;
	if (!model_sure_op(m, op) || !model_domain_whole(m, x.d)) {
		rep->tally.unknown++;
		return 0;
	}
	ret = areas_missing(&x);
	if (!ret && epoch_sure(m, x.s->whole_epoch, x.s->sure_epoch))
		ret = too_much(&x);
	return ret;
}

static int replay_after(const struct model *m, const struct op *op, struct report *rep)
{
	if (op->kind == EV_VFIO_ATTACH)
		return vfio_after(m, op, rep);

	return op->kind == EV_REF_REPLAY ? ref_after(m, op, rep) : 0;
}

/* ---- beside a map or unmap ---- */

static bool beside_intent(void *arg, const struct finding *f)
{
	const struct op *op = arg;
	uint64_t container = op->kind == EV_REF_INTENT ? 0 : op->u.vfio.container;

	if (f->id != FINDING_UNION_AFTER_REPLAY && f->id != FINDING_REPLAY_MISSING)
		return false;
	return f->container == container &&
	       (op->empty || ranges_meet(f->iova, f->last, op->iova, op->last)) &&
	       spans_meet(f->begin_ns, f->time_ns, op->begin, op->end);
}

static int replay_before(const struct model *m, const struct op *op, struct report *rep)
{
	(void)m;
	if (op->kind == EV_VFIO_ATTACH || op->kind == EV_REF_REPLAY || rep->newest_ns < op->begin)
		return 0;
	if (op->kind == EV_REF_INTENT && op->u.ref_intent.kind != EV_REF_MAP &&
	    op->u.ref_intent.kind != EV_REF_UNMAP)
		return 0;
	report_retract(rep, op->begin, beside_intent, (void *)op);
	return 0;
}

const struct checker check_replay_vfio = {
	.id = FINDING_REPLAY_MISSING,
	.also = FINDS(FINDING_UNION_AFTER_REPLAY),
	.needs = NEED_MAP | NEED_UNMAP | NEED_ATTACH | NEED_FREE | NEED_VFIO | NEED_ALL,
	.kinds = KIND(EV_VFIO_ATTACH) | KIND(EV_VFIO_MAP) | KIND(EV_VFIO_UNMAP),
	.before = replay_before,
	.after = replay_after,
};

const struct checker check_replay_ref = {
	.id = FINDING_UNION_AFTER_REPLAY,
	.also = FINDS(FINDING_REPLAY_MISSING),
	.needs = NEED_MAP | NEED_UNMAP | NEED_FREE | NEED_IOAS | NEED_ALL,
	.kinds = KIND(EV_REF_REPLAY) | KIND(EV_REF_INTENT),
	.before = replay_before,
	.after = replay_after,
};
