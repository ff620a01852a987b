// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The trace events of refiommu (kernel/trace.h): intent, replay, cache tags, flushes, DMA and
 * faults. The module is built without BTF, so these are raw tracepoints, found by name; the
 * order of their arguments is the contract. Pending until the module is loaded, and it stays
 * pinned while we listen.
 *
 * An intent has two tracepoints instead of a trampoline. Their contexts say nothing about
 * what is inside: each is deeper than the function that fired it. So the frame of an intent is
 * put at the end of the task's stack, above everything: nothing that we hear is around it.
 * A replay comes next. Neither is nested in its like.
 */
#include "object.bpf.h"

#define STACK_TOP 32768		/* THREAD_SIZE at most; less than STACK_SPAN */

static __always_inline u64 raw_arg(void *ctx, u32 n)
{
	return ((u64 *)ctx)[n];
}

static __always_inline u64 stack_place(u32 hook)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u64 top = (u64)BPF_CORE_READ(task, stack) + STACK_TOP;

	return hook == HOOK_REF_INTENT ? top : top - 8;
}

static __always_inline struct frame *span_begin(u32 hook)
{
	u32 where = context_now();
	struct scope *s = scope_of(where);

	if (!s) {
		count_no_scope(false);
		return NULL;
	}
	return call_push(s, stack_place(hook), where, hook, true);
}

/* Return: the scope, or NULL; always fills @c. */
static __always_inline struct scope *span_scope(struct call *c)
{
	u32 where = context_now();
	struct scope *s = scope_of(where);

	__builtin_memset(c, 0, sizeof(*c));
	c->enclosing = HOOK_COUNT;
	c->flags = where | (s ? 0 : EVF_NOCTX);
	return s;
}

static __always_inline void span_end(u32 hook, struct call *c)
{
	struct scope *s = span_scope(c);

	if (s)
		call_pop(s, stack_place(hook), context_now(), hook, c);
}

/* What is around us; nothing at @sp or below it can be. */
static __always_inline void span_look(u64 sp, struct call *c)
{
	struct scope *s = span_scope(c);
	struct frame *f;

	if (!s)
		return;
	c->begin_ns = bpf_ktime_get_ns();
	scope_settle(s, sp);
	f = scope_top(s);
	if (f) {
		c->inner = frame_inner(f);
		c->outer = frame_outer(f);
	}
}

/* (op, ioas, dev, first, last, uaddr, prot) */
SEC("raw_tp/refiommu_intent_begin")
int ref_intent_begin(void *ctx)
{
	struct frame *f = span_begin(HOOK_REF_INTENT);

	if (!f)
		return 0;
	f->object = raw_arg(ctx, 2);
	f->iova = raw_arg(ctx, 3);
	f->last = raw_arg(ctx, 4);
	f->size = f->last - f->iova + 1;
	f->vaddr = raw_arg(ctx, 5);
	f->prot = raw_arg(ctx, 6);
	return 0;
}

/* (op, ioas, err, bytes) */
SEC("raw_tp/refiommu_intent_end")
int ref_intent_end(void *ctx)
{
	struct ev_ref_intent *rec;
	struct emit e;
	struct call c;

	span_end(HOOK_REF_INTENT, &c);
	if (!wanted_task(c.flags))
		return 0;
	rec = emit_op(&e, EV_REF_INTENT, sizeof(*rec), &c);
	if (!rec)
		return 0;
	rec->dev = c.object;
	rec->first = c.iova;
	rec->last = c.last;
	rec->uaddr = c.vaddr;
	rec->bytes = raw_arg(ctx, 3);
	rec->kind = raw_arg(ctx, 0);
	rec->ioas = raw_arg(ctx, 1);
	rec->prot = c.prot;
	rec->ret = raw_arg(ctx, 2);
	emit_submit(&e, rec);
	return 0;
}

static __always_inline struct ev_ref_replay *replay_step(struct emit *e, void *ctx, u32 step,
							 const struct call *c)
{
	u64 domain = raw_arg(ctx, 1);
	struct ev_ref_replay *rec;

	if (!wanted_key(domain) || !wanted_task(c->flags))
		return NULL;
	rec = emit_op(e, EV_REF_REPLAY, sizeof(*rec), c);
	if (!rec)
		return NULL;
	rec->domain = domain;
	rec->first = 0;
	rec->last = 0;
	rec->mapped = 0;
	rec->ioas = raw_arg(ctx, 0);
	rec->step = step;
	rec->type = 0;
	rec->action = 0;
	rec->ret = 0;
	rec->pad = 0;
	return rec;
}

/* (ioas, domain) */
SEC("raw_tp/refiommu_replay_begin")
int ref_replay_begin(void *ctx)
{
	struct ev_ref_replay *rec;
	struct frame *f;
	struct emit e;
	struct call c;

	span_look(stack_place(HOOK_REF_REPLAY), &c);	/* first: it is not its own cause */
	f = span_begin(HOOK_REF_REPLAY);
	if (f) {
		f->object = raw_arg(ctx, 1);
		f->iova = 0;
		f->size = 0;
		c.id = f->id;
	}
	rec = replay_step(&e, ctx, EV_REPLAY_BEGIN, &c);
	if (rec)
		emit_submit(&e, rec);
	return 0;
}

/* (ioas, domain, first, last, type, action, err) */
SEC("raw_tp/refiommu_replay_entry")
int ref_replay_entry(void *ctx)
{
	struct ev_ref_replay *rec;
	struct emit e;
	struct call c;

	span_look(stack_place(HOOK_REF_REPLAY) - 1, &c);
	rec = replay_step(&e, ctx, EV_REPLAY_ENTRY, &c);
	if (!rec)
		return 0;
	rec->first = raw_arg(ctx, 2);
	rec->last = raw_arg(ctx, 3);
	rec->type = raw_arg(ctx, 4);
	rec->action = raw_arg(ctx, 5);
	rec->ret = raw_arg(ctx, 6);
	emit_submit(&e, rec);
	return 0;
}

/* (ioas, domain, mapped, err) */
SEC("raw_tp/refiommu_replay_end")
int ref_replay_end(void *ctx)
{
	struct ev_ref_replay *rec;
	struct emit e;
	struct call c;

	span_end(HOOK_REF_REPLAY, &c);
	rec = replay_step(&e, ctx, EV_REPLAY_END, &c);
	if (!rec)
		return 0;
	rec->mapped = raw_arg(ctx, 2);
	rec->ret = raw_arg(ctx, 3);
	emit_submit(&e, rec);
	return 0;
}

/* (instance, domain, did, dev, assigned) */
SEC("raw_tp/refiommu_tag")
int ref_tag(void *ctx)
{
	struct device *dev = (void *)raw_arg(ctx, 3);
	struct ev_ref_tag *rec;
	struct emit e;

	if (!want_device(dev, NULL))
		return 0;
	rec = emit_reserve(&e, EV_REF_TAG, sizeof(*rec), context_now());
	if (!rec)
		return 0;
	rec->domain = raw_arg(ctx, 1);
	rec->dev = (u64)dev;
	rec->instance = raw_arg(ctx, 0);
	rec->did = raw_arg(ctx, 2);
	rec->assigned = !!(u8)raw_arg(ctx, 4);
	rec->pad = 0;
	emit_submit(&e, rec);
	return 0;
}

/* (instance, kind, domain, did, first, last, dev, begin_ns) */
SEC("raw_tp/refiommu_flush")
int ref_flush(void *ctx)
{
	struct ev_ref_flush *rec;
	struct emit e;

	rec = emit_reserve(&e, EV_REF_FLUSH, sizeof(*rec), context_now());
	if (!rec)
		return 0;
	rec->begin_ns = raw_arg(ctx, 7);
	rec->domain = raw_arg(ctx, 2);
	rec->dev = raw_arg(ctx, 6);
	rec->first = raw_arg(ctx, 4);
	rec->last = raw_arg(ctx, 5);
	rec->instance = raw_arg(ctx, 0);
	rec->did = raw_arg(ctx, 3);
	rec->kind = raw_arg(ctx, 1);
	rec->pad = 0;
	emit_submit(&e, rec);
	return 0;
}

/* (dev, op, first, last, done, flags) */
SEC("raw_tp/refiommu_dma")
int ref_dma(void *ctx)
{
	u64 dev = raw_arg(ctx, 0);
	struct ev_ref_dma *rec;
	struct emit e;

	if (!wanted_key(dev))
		return 0;
	rec = emit_reserve(&e, EV_REF_DMA, sizeof(*rec), context_now());
	if (!rec)
		return 0;
	rec->dev = dev;
	rec->first = raw_arg(ctx, 2);
	rec->last = raw_arg(ctx, 3);
	rec->done = raw_arg(ctx, 4);
	rec->kind = raw_arg(ctx, 1);
	rec->result = raw_arg(ctx, 5);
	emit_submit(&e, rec);
	return 0;
}

/* (dev, domain, iova, prot, reason) */
SEC("raw_tp/refiommu_fault")
int ref_fault(void *ctx)
{
	u64 dev = raw_arg(ctx, 0);
	struct ev_fault *rec;
	struct emit e;

	if (!wanted_key(dev))
		return 0;
	rec = emit_reserve(&e, EV_FAULT, sizeof(*rec), context_now());
	if (!rec)
		return 0;
	rec->dev = dev;
	rec->domain = raw_arg(ctx, 1);
	rec->iova = raw_arg(ctx, 2);
	rec->prot = raw_arg(ctx, 3);
	rec->reason = raw_arg(ctx, 4);
	rec->driver_kind = EV_DRIVER_REF;
	rec->flags = 0;
	rec->iommu = 0;
	rec->raw = 0;
	emit_submit(&e, rec);
	return 0;
}

/*
 * (domain, paddr, first, last, unlinked_ns, freed). Unlinking is no news but inside a map: there a
 * larger page took the table's place.
 */
SEC("raw_tp/refiommu_table")
int ref_table(void *ctx)
{
	bool freed = (u8)raw_arg(ctx, 5);
	u64 domain = raw_arg(ctx, 0);
	struct ev_table *rec;
	struct scope *s;
	struct frame *f;
	struct emit e;
	struct call c;

	s = span_scope(&c);
	f = s ? scope_top(s) : NULL;
	if (!wanted_key(domain) || !wanted_task(c.flags) || (!freed && !(f && hook_is_map(f->hook))))
		return 0;
	c.begin_ns = bpf_ktime_get_ns();
	c.inner = f ? frame_inner(f) : 0;
	c.outer = f ? frame_outer(f) : 0;
	rec = emit_op(&e, EV_TABLE, sizeof(*rec), &c);
	if (!rec)
		return 0;
	rec->domain = domain;
	rec->first = raw_arg(ctx, 2);
	rec->last = raw_arg(ctx, 3);
	rec->paddr = raw_arg(ctx, 1);
	rec->unlinked_ns = raw_arg(ctx, 4) ?: (f ? scope_since(s) : 0);
	rec->call_first = 0;
	rec->call_last = 0;
	rec->call_begin_ns = 0;
	rec->what = freed ? EV_TABLE_FREED : EV_TABLE_REPLACED;
	rec->count = 1;
	emit_submit(&e, rec);
	return 0;
}
