/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Causes and begin times. Entry of a call pushes a frame on the scope of its execution
 * context, exit pops it. The address of the trampoline's context names the call: entry
 * and exit of one call see the same address, and a call inside it a lower one.
 *
 * The kernel may skip an entry or an exit program (recursion). Then
 * - an exit without its frame is recorded with EVF_NOENTRY: begin and cause unknown;
 * - a frame without its exit is found by the next call of that context, because the
 *   stack has come back above it, and becomes an EV_SKIP with its range.
 */
#ifndef IOMMUSCOPE_SCOPE_BPF_H
#define IOMMUSCOPE_SCOPE_BPF_H

#include "emit.bpf.h"

/*
 * Arguments by number, a constant: a function that grew arguments at its end still fits. One load;
 * the verifier gives a pointer its type, so that its fields are one load, too. Volatile: always
 * the whole word, as the verifier wants it.
 */
static __always_inline u64 arg(void *ctx, u32 n)
{
	return ((volatile u64 *)ctx)[n];
}

/* A pointer to calculate with: the verifier sees a number. */
static __always_inline u64 arg_number(void *ctx, u32 n)
{
	u64 value = 0;

	bpf_get_func_arg(ctx, n, &value);
	return value;
}

static __always_inline s64 ret_of(void *ctx)
{
	u64 value = 0;

	bpf_get_func_ret(ctx, &value);
	return value;
}

/* What an exit program knows about its call. */
struct call {
	u64 sp;			/* address of the trampoline's context; 0 unknown */
	u64 begin_ns;
	u64 id;
	u64 inner;		/* causes, this call excluded */
	u64 outer;
	u64 object;		/* as pushed; for programs whose exit cannot see it */
	u64 size;
	u64 iova;		/* as pushed */
	u64 last;
	u64 vaddr;
	u32 prot;
	u32 flags;		/* EVF_* */
	u32 enclosing;		/* hook of the call around this one, or HOOK_COUNT */
};

/* Frames further apart than this are not on one stack (THREAD_SIZE is 16 or 32 KiB). */
#define STACK_SPAN 65536

/* Not 0, and not that of a task which had this number before. */
static __always_inline u64 task_key(const struct task_struct *task)
{
	return (task->start_time << 1 | 1) ^ (u64)(u32)task->pid << 40;
}

static __always_inline struct near_scope *near_place(const struct task_struct *task)
{
	u32 slot = (u32)task->pid & (SCOPES_NEAR - 1);

	return bpf_map_lookup_elem(&near_scopes, &slot);
}

static __always_inline struct scope *task_scope(u64 storage_flags)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct near_scope *near = near_place(task);
	u64 key = task_key(task);
	struct scope *s;

	if (near && near->owner == key)
		return &near->scope;
	/* Who has a frame there must not move, though his place is free now. */
	s = bpf_task_storage_get(&task_scopes, task, NULL, 0);
	if (s)
		return s;
	if (near && !near->owner && storage_flags && !__sync_val_compare_and_swap(&near->owner, 0, key))
		return &near->scope;
	return bpf_task_storage_get(&task_scopes, task, NULL, storage_flags);
}

static __always_inline struct scope *scope_of(u32 ctx)
{
	u32 key;

	if (ctx == EV_CTX_TASK)
		return task_scope(BPF_LOCAL_STORAGE_GET_F_CREATE);
	key = bpf_get_smp_processor_id() * 3 + ctx - 1;
	return bpf_map_lookup_elem(&irq_scopes, &key);
}

/* What is seldom done is a global function: the verifier looks at it once, not on each path to it. */
__attribute__((noinline)) int emit_skip(const struct frame *f)
{
	struct emit e;
	struct ev_skip *rec;

	if (!f)
		return 0;
	rec = emit_reserve(&e, EV_SKIP, sizeof(*rec), 0);
	if (!rec)
		return 0;
	rec->begin_ns = f->begin_ns;
	rec->object = f->object;
	rec->iova = f->iova;
	rec->size = f->size;
	rec->hook = f->hook;
	rec->pad = 0;
	emit_submit(&e, rec);
	return 0;
}

static __always_inline struct frame *scope_top(struct scope *s)
{
	u32 top = s->depth - 1;

	if (top >= SCOPE_DEPTH)
		return NULL;
	barrier_var(top);	/* the verifier must see the mask */
	return &s->frames[top & (SCOPE_DEPTH - 1)];
}

/* The innermost and the outermost intent for what runs inside @f. */
static __always_inline u64 frame_inner(const struct frame *f)
{
	return f->id ?: f->cause;
}

static __always_inline u64 frame_outer(const struct frame *f)
{
	return f->around ?: f->id;
}

/* When the outermost intent in flight began; 0: there is none. */
static __always_inline u64 scope_since(const struct scope *s)
{
	return s->depth && s->frames[0].id ? s->frames[0].begin_ns : 0;
}

static __always_inline bool frame_is_stale(const struct frame *f, u64 sp)
{
	return f->sp <= sp || f->sp - sp > STACK_SPAN;
}

__attribute__((noinline)) int scope_drop(struct scope *s, u64 sp)
{
	struct frame *f;
	int i;

	if (!s)
		return 0;
	for (i = 0; i < SCOPE_DEPTH; i++) {
		f = scope_top(s);
		if (!f || !frame_is_stale(f, sp))
			return 0;
		emit_skip(f);
		s->depth--;
	}
	return 0;
}

/* Drops the frames that cannot be around a call at @sp: their exits were skipped. */
static __always_inline void scope_settle(struct scope *s, u64 sp)
{
	struct frame *f = scope_top(s);

	if (f && frame_is_stale(f, sp))
		scope_drop(s, sp);
}

/* DMA must never go there; said once, because it stays the task's for life. */
__attribute__((noinline)) int emit_task_stack(void)
{
	struct task_struct___vmap *task = (void *)bpf_get_current_task_btf();
	struct ev_task_stack *rec;
	struct vm_struct *area;
	u64 page[EV_STACK_PAGES] = {};	/* struct page * */
	struct page **pages;
	struct emit e;
	u32 i, n;

	if (!bpf_core_field_exists(task->stack_vm_area))
		return 0;
	area = BPF_CORE_READ(task, stack_vm_area);
	pages = BPF_CORE_READ(area, pages);
	n = BPF_CORE_READ(area, nr_pages);
	if (!pages)
		return 0;
	rec = emit_reserve(&e, EV_TASK_STACK, sizeof(*rec), 0);
	if (!rec)
		return 0;
	rec->pid = bpf_get_current_pid_tgid();
	if (n > EV_STACK_PAGES)
		n = EV_STACK_PAGES;
	rec->count = n;
	bpf_probe_read_kernel(page, n * sizeof(page[0]), pages);
	for (i = 0; i < EV_STACK_PAGES; i++)
		rec->page[i] = page[i] ? page_phys(page[i]) : 0;
	emit_submit(&e, rec);
	return 0;
}

__attribute__((noinline)) int emit_task(struct scope *s)
{
	struct emit e;
	struct ev_task *rec;
	u64 id;

	if (!s)
		return 0;
	rec = emit_reserve(&e, EV_TASK, sizeof(*rec), 0);
	if (!rec)
		return 0;
	id = bpf_get_current_pid_tgid();
	rec->pid = id;
	rec->tgid = id >> 32;
	bpf_get_current_comm(rec->comm, sizeof(rec->comm));
	emit_submit(&e, rec);
	s->introduced = 1;
	return emit_task_stack();
}

static __always_inline void introduce_task(struct scope *s)
{
	if (!s->introduced)
		emit_task(s);
}

/* The verifier calculates with numbers, not with context pointers: go through memory. */
static __always_inline u64 scope_address(struct scope *s, void *ctx)
{
	*(void *volatile *)&s->here = ctx;
	return *(volatile u64 *)&s->here;
}

static __always_inline u64 next_id(void)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct cpu_state *st = cpu_state(cpu);

	if (!st)
		return 0;
	return ((u64)(cpu + 1) << 48) + __sync_fetch_and_add(&st->ids, 1);
}

static __always_inline void count_no_scope(bool overflow)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct cpu_state *st = cpu_state(cpu);

	if (!st)
		return;
	__sync_fetch_and_add(overflow ? &st->overflow : &st->no_scope, 1);
}

static __always_inline void frame_nest(struct frame *f, const struct frame *below)
{
	f->cause = below ? frame_inner(below) : 0;
	f->around = below ? frame_outer(below) : 0;
	f->enclosing = below ? below->hook : HOOK_COUNT;
}

/*
 * Pushes the frame of a call at @sp, which is above all that will run inside it. @intent: it
 * gets an id, and becomes the cause of what runs inside.
 */
static __always_inline struct frame *call_push(struct scope *s, u64 sp, u32 where, u32 hook,
					       bool intent)
{
	struct frame *below = scope_top(s), *f;

	if (below && frame_is_stale(below, sp)) {
		scope_drop(s, sp);
		below = scope_top(s);
	}
	if (s->depth >= SCOPE_DEPTH) {
		count_no_scope(true);
		return NULL;
	}
	if (where == EV_CTX_TASK)
		introduce_task(s);

	f = &s->frames[s->depth & (SCOPE_DEPTH - 1)];
	f->sp = sp;
	f->hook = hook;
	f->id = intent ? next_id() : 0;
	frame_nest(f, below);
	f->begin_ns = bpf_ktime_get_ns();
	s->depth++;
	return f;
}

/* Entry of a call; its frame, for who has more to put there, or NULL. */
static __always_inline struct frame *call_open(void *ctx, u32 hook, bool intent)
{
	u32 where = context_now();
	struct scope *s = scope_of(where);

	if (!s) {
		count_no_scope(false);
		return NULL;
	}
	return call_push(s, scope_address(s, ctx), where, hook, intent);
}

static __always_inline void call_begin(void *ctx, u32 hook, bool intent, u64 object, u64 iova,
				       u64 size)
{
	struct frame *f = call_open(ctx, hook, intent);

	if (!f)
		return;
	f->object = object;
	f->iova = iova;
	f->size = size;
}

/* @f is on top, and that of the call at @sp. */
static __always_inline bool frame_is(const struct frame *f, u64 sp, u32 hook)
{
	return f && f->sp == sp && f->hook == hook;
}

/* The entry was skipped; @f is that of the call around it, or NULL. */
static __always_inline void call_frameless(const struct frame *f, u32 where, struct call *c)
{
	c->flags = where | EVF_NOENTRY;
	if (!f)
		return;
	c->inner = frame_inner(f);
	c->outer = frame_outer(f);
	c->enclosing = f->hook;
}

/* Pops the frame of the call at @sp, if it is there; always fills @c, which is zero. */
static __always_inline void call_pop(struct scope *s, u64 sp, u32 where, u32 hook, struct call *c)
{
	struct frame *f = scope_top(s);

	if (!frame_is(f, sp, hook)) {
		scope_settle(s, sp - 1);
		f = scope_top(s);
		if (!frame_is(f, sp, hook)) {
			call_frameless(f, where, c);
			return;
		}
	}
	s->depth--;
	c->flags = where;
	c->begin_ns = f->begin_ns;
	c->id = f->id;
	c->inner = f->cause;
	c->outer = f->around;
	c->enclosing = f->enclosing;
	c->object = f->object;
	c->size = f->size;
	c->iova = f->iova;
	c->last = f->last;
	c->vaddr = f->vaddr;
	c->prot = f->prot;
}

/* Exit of a call; always fills @c. */
static __always_inline void call_end(void *ctx, u32 hook, struct call *c)
{
	u32 where = context_now();
	struct scope *s = scope_of(where);

	__builtin_memset(c, 0, sizeof(*c));
	c->enclosing = HOOK_COUNT;
	if (!s) {
		c->flags = where | EVF_NOCTX;
		return;
	}
	c->sp = scope_address(s, ctx);
	call_pop(s, c->sp, where, hook, c);
}

/* Under a filter on a process: was this call made by it? Interrupts are nobody's. */
static __always_inline bool wanted_task(u32 flags)
{
	if (!config.filter_tgid)
		return true;
	return (flags & EVF_CTX_MASK) == EV_CTX_TASK &&
	       config.filter_tgid == bpf_get_current_pid_tgid() >> 32;
}

static __always_inline void *emit_op(struct emit *e, u32 type, u64 size, const struct call *c)
{
	struct ev_op *op = emit_reserve(e, type, size, c->flags);
	struct task_struct *task;

	if (!op)
		return NULL;
	task = (void *)bpf_get_current_task_btf();
	op->begin_ns = c->begin_ns;
	op->id = c->id;
	op->cause = c->inner;
	op->outer = c->outer;
	op->pid = task->pid;
	op->tgid = task->tgid;
	return op;
}

#endif
