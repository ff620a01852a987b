// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Decode, let the checkers look, apply. Losses are handled here, because they concern
 * both sides: what the model knows becomes unsure, and what was said on its ground in
 * the meantime is taken back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "engine.h"

struct engine {
	struct model *m;
	struct report rep;
	struct op op;
	uint64_t tick_ns;	/* the kernel's counters were last read; 0 never */
	bool finished;
	struct finding **told;	/* up to here the causes of findings are kept */
	uint64_t before[64];	/* by kind of record: bits of the checkers that look */
	uint64_t after[64];
};

static const struct checker *const checkers[] = {
	&check_overlap,
	&check_map_wide,
	&check_unmap_short,
	&check_unmap_short_vfio,
	&check_unmap_short_dma,
	&check_unmap_short_ioas,
	&check_unmap_wide,
	&check_leak_domain,
	&check_leak_driver,
	&check_stale,
	&check_synced,
	&check_table,
	&check_switch,
	&check_dma,
	&check_outside,
	&check_replay_vfio,
	&check_replay_ref,
	&check_handback,
	&check_refused_vfio,
	&check_refused_ref,
	&check_unmap_nothing,
	&check_left_mapped,
	&check_freed,
	&check_freed_move,
	&check_lazy,
	&check_dma_map,
	&check_dma_limit,
	&check_dma_sync,
	&check_fault,
	&check_reading,
	&check_traced,
	&check_root,
	&check_intent,
	&check_oracle,
};

#define NCHECKERS (sizeof(checkers) / sizeof(checkers[0]))

_Static_assert(NCHECKERS <= 64, "a bit each");

static void checkers_sort(struct engine *e)
{
	unsigned int kind, i;

	for (kind = 0; kind < 64; kind++) {
		for (i = 0; i < NCHECKERS; i++) {
			if (!(checkers[i]->kinds & KIND(kind)))
				continue;
			e->before[kind] |= (uint64_t)!!checkers[i]->before << i;
			e->after[kind] |= (uint64_t)!!checkers[i]->after << i;
		}
	}
}

int engine_new(struct engine **out)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	if (model_new(&e->m)) {
		free(e);
		return -ENOMEM;
	}
	report_init(&e->rep);
	checkers_sort(e);
	e->told = &e->rep.first;
	*out = e;
	return 0;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;

	model_free(e->m);
	report_drain(&e->rep);
	free(e);
}

const struct model *engine_model(const struct engine *e)
{
	return e->m;
}

const struct report *engine_report(const struct engine *e)
{
	return &e->rep;
}

/* ---- losses ---- */

static bool is_since(void *arg, const struct finding *f)
{
	return f->time_ns >= *(const uint64_t *)arg;
}

static void doubt_since(struct engine *e, uint64_t from_ns, uint64_t until_ns)
{
	report_retract(&e->rep, from_ns, is_since, &from_ns);
	model_doubt(e->m, until_ns);
}

static uint64_t skips_explain(struct hook *h, uint64_t from_ns)
{
	uint64_t n = 0;
	unsigned int i;

	for (i = 0; i < h->nskips; i++)
		n += h->skip_begin[i] >= from_ns;
	h->nskips = 0;
	return n;
}

/* A skip tells which call was missed; the rest of the count tells only that some were. */
static void missed(struct engine *e, const struct op *op)
{
	const struct ev_missed *v = &op->u.missed;
	struct tally *t = &e->rep.tally;
	uint64_t explained = 0;

	if (v->entry) {
		t->missed_entry += v->delta;
		return;
	}
	if (hook_only_adds(v->hook)) {
		t->missed_adds += v->delta;
		return;
	}
	t->missed += v->delta;
	if (v->hook < HOOK_COUNT) {
		explained = skips_explain(&e->m->hooks[v->hook], v->from_ns);
		if (!model_hook_needs(v->hook) && !model_hook_moves(v->hook))
			return;
	}
	if (v->delta > explained)
		doubt_since(e, v->from_ns, op->end);
}

/* A call at /dev/refiommu names no address space. */
static bool skip_unnamed(const struct ev_skip *v, const struct finding *f)
{
	return model_hook_needs(v->hook) & NEED_IOAS && !f->container &&
	       (f->id == FINDING_UNION_AFTER_REPLAY || f->id == FINDING_REPLAY_MISSING ||
		f->id == FINDING_UNMAP_SHORT);
}

static bool skip_names(const struct ev_skip *v, const struct finding *f)
{
	if (skip_unnamed(v, f))
		return true;
	if (!v->object)
		return false;	/* names nothing */
	if (f->domain == v->object || f->iommu == v->object || f->container == v->object)
		return true;
	/* What a call of the DMA API does to caches is heard for itself. */
	return f->device == v->object && (!f->iommu || model_hook_moves(v->hook));
}

static bool is_skipped(void *arg, const struct finding *f)
{
	const struct op *op = arg;

	if (f->time_ns < op->begin || !skip_names(&op->u.skip, f))
		return false;
	return op->empty || !f->ranged || ranges_meet(f->iova, f->last, op->iova, op->last);
}

static void skip(struct engine *e, const struct op *op)
{
	uint32_t hook = op->u.skip.hook;

	if (hook_only_adds(hook)) {
		e->rep.tally.missed_adds++;
		return;
	}
	e->rep.tally.skips++;
	if (hook < HOOK_COUNT) {
		struct hook *h = &e->m->hooks[hook];

		if (h->nskips < sizeof(h->skip_begin) / sizeof(h->skip_begin[0]))
			h->skip_begin[h->nskips++] = op->begin;
	}
	report_retract(&e->rep, op->begin, is_skipped, (void *)op);
	if (op->empty)
		model_doubt_object(e->m, hook, op->u.skip.object, 0, UINT64_MAX);
	else
		model_doubt_object(e->m, hook, op->u.skip.object, op->iova, op->last);
}

/* A scatterlist's pieces beyond what the program could walk are as good as lost. */
static void truncated(struct engine *e, const struct op *op)
{
	e->rep.tally.lost++;
	doubt_since(e, op->end, op->end);
}

void engine_cut(struct engine *e)
{
	doubt_since(e, e->tick_ns ? e->tick_ns + 1 : 0, e->m->now);
}

int engine_gap(struct engine *e, const struct gap *g)
{
	int ret;

	e->rep.tally.gaps++;
	e->rep.tally.lost += g->lost;
	ret = model_gap(e->m, g);
	if (ret)
		return ret;
	/* Told too late: what was said meanwhile is taken back. */
	if (g->from_ns < e->m->now) {
		report_retract(&e->rep, g->from_ns, is_since, (void *)&g->from_ns);
		model_advance(e->m, e->m->now);
	}
	return 0;
}

/* ---- records ---- */

static void tally_model(struct engine *e)
{
	e->rep.tally.unknown += e->m->unknown;
	e->rep.tally.needs_table += e->m->needs_table;
	e->rep.tally.cut_short += e->m->cut_short;
	e->m->unknown = 0;
	e->m->needs_table = 0;
	e->m->cut_short = 0;
}

static int check_before(struct engine *e)
{
	uint64_t left = e->before[e->op.kind % 64];
	const struct checker *c;
	int ret = 0;

	for (; left && !ret; left &= left - 1) {
		c = checkers[__builtin_ctzll(left)];
		if (!(c->needs & e->m->missing))
			ret = c->before(e->m, &e->op, &e->rep);
	}
	return ret;
}

static int check_after(struct engine *e)
{
	uint64_t left = e->after[e->op.kind % 64];
	const struct checker *c;
	int ret = 0;

	for (; left && !ret; left &= left - 1) {
		c = checkers[__builtin_ctzll(left)];
		if (!(c->needs & e->m->missing))
			ret = c->after(e->m, &e->op, &e->rep);
	}
	return ret;
}

/* A record that cannot be read is a lost one, except an intent that the kernel refused. */
static int refused(struct engine *e, const void *buf, size_t len, ssize_t err)
{
	struct ev_hdr h = { 0 };

	if (len >= sizeof(h))
		memcpy(&h, buf, sizeof(h));
	if (err == -EOVERFLOW && h.type >= EV_VFIO_MAP) {
		e->rep.tally.overflow++;
	} else {
		e->rep.tally.malformed++;
		doubt_since(e, e->m->now, e->m->now);
	}
	return err == -EOVERFLOW ? -EOVERFLOW : -EBADMSG;
}

/* What a new finding names must not be forgotten before it is told. */
static int keep_causes(struct engine *e)
{
	const struct finding *f;
	unsigned int i;
	int ret = 0;

	while (!ret && (f = *e->told)) {
		ret = model_keep_intent(e->m, f->cause);
		for (i = 0; i < f->nrefs && !ret; i++)
			ret = model_keep_intent(e->m, f->refs[i].cause);
		e->told = &(*e->told)->next;
	}
	return ret;
}

static int process(struct engine *e)
{
	const struct op *op = &e->op;
	int ret;

	if (op->kind == EV_MAP)
		frames_prefetch(&e->m->live, op->u.map.paddr, op->u.map.size);
	ret = check_before(e);
	if (!ret)
		ret = model_apply(e->m, op);
	if (!ret)
		ret = check_after(e);
	if (!ret)
		ret = keep_causes(e);
	if (op->kind == EV_MISSED)
		missed(e, op);
	else if (op->kind == EV_SKIP)
		skip(e, op);
	else if (op->kind == EV_MARK && op->u.mark.kind == EV_MARK_TICK)
		e->tick_ns = op->u.mark.value && op->u.mark.value < op->end ?
				     op->u.mark.value : op->end;
	if (op->flags & EVF_TRUNC)
		truncated(e, op);
	tally_model(e);
	return ret;
}

int engine_feed(struct engine *e, const void *buf, size_t len)
{
	ssize_t n = wire_next(buf, len, &e->op);

	if (n <= 0)
		return refused(e, buf, len, n);

	e->rep.tally.records[e->op.kind % 64]++;
	model_advance(e->m, e->op.end);
	report_turn(&e->rep);
	e->rep.quiet = !e->m->attached || e->m->stopped || e->m->gaps_open;
	return process(e);
}

int engine_finish(struct engine *e)
{
	size_t i;
	int ret = 0;

	/* Gaps that reach to the end say so even if no record follows. */
	model_advance(e->m, UINT64_MAX - 1);
	tally_model(e);
	/* What was gathered rests on records that were sure when they came. */
	e->rep.quiet = false;
	for (i = 0; i < NCHECKERS && !ret && !e->finished; i++) {
		if (checkers[i]->finish && !(checkers[i]->needs & e->m->missing))
			ret = checkers[i]->finish(e->m, &e->rep);
	}
	e->finished = true;
	return ret;
}

/* ---- what worked ---- */

static const char *checker_off(const struct model *m, uint32_t needs)
{
	uint32_t lack = m->missing & needs;

	if (!lack)
		return NULL;
	if (lack & NEED_ALL)
		return "only one process was recorded";
	if (lack & NEED_FLUSH || m->filter & (EV_FILTER_INTENT | EV_FILTER_ACTION))
		return "its events were filtered away";
	return "a hook it needs does not hear";
}

/* The flush hook of an IOMMU that this machine has. */
static bool flush_deaf(const struct model *m)
{
	const struct device *d;

	for (d = m->first_device; d; d = d->next) {
		if (d->driver_kind != EV_DRIVER_OTHER && !driver_heard(m, d->driver_kind))
			return true;
	}
	return false;
}

static bool judges_flushes(const struct checker *c)
{
	return c == &check_stale || c == &check_synced || c == &check_table ||
	       c == &check_switch;
}

static void checker_status(const struct engine *e, const struct checker *c, enum finding_id id,
			   struct checker_status *st)
{
	st->name = finding_name(id);
	st->off = checker_off(e->m, c->needs);
	if (!st->off && judges_flushes(c) && flush_deaf(e->m))
		st->off = "a hook it needs does not hear";
}

int engine_checker(const struct engine *e, size_t i, struct checker_status *st)
{
	unsigned int id;
	size_t at;

	for (at = 0; at < NCHECKERS; at++) {
		const struct checker *c = checkers[at];

		for (id = 0; id < FINDING_COUNT; id++) {
			if ((c->id == id || c->also & FINDS(id)) && !i--) {
				checker_status(e, c, id, st);
				return 0;
			}
		}
	}
	return -ENOENT;
}
