// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Pages that go back to the allocator. kmem:mm_page_free fires once for each block, on every
 * path (free_pages_prepare(), mm/page_alloc.c of 6.1, 6.12 and 7.2; mm_page_free_batched comes in
 * addition). It is the hottest place that we listen at: almost always the answer is one load.
 */
#include "scope.bpf.h"
#include "frame.bpf.h"

static __always_inline u64 page_frame(u64 page)
{
	u64 offset = page - config.vmemmap, size = bpf_core_type_size(struct page);

	/* The verifier knows the size and keeps one of them. */
	return size == 64 ? offset >> 6 : offset / size;
}

/* Return: were some of @mask set? They no longer are. */
static __always_inline bool frame_clear(u32 word, u64 mask)
{
	u64 *bits = bpf_map_lookup_elem(&frames, &word);

	return bits && *bits & mask && __sync_fetch_and_and(bits, ~mask) & mask;
}

struct frame_block {
	u64 word;
	u64 hit;
};

static long clear_step(u32 i, struct frame_block *b)
{
	if (frame_clear(b->word + i, ~0ULL))
		b->hit = 1;
	return 0;
}

/* Blocks are aligned to their size: either within a word, or whole words. */
static __always_inline bool block_clear(u64 frame, u32 order)
{
	struct frame_block b = { .word = frame >> WORD_LG2 };

	if (order < WORD_LG2)
		return frame_clear(b.word, ((1ULL << (1U << order)) - 1) << (frame & (WORD_BITS - 1)));
	bpf_loop(1U << (order - WORD_LG2 & 31), clear_step, &b, 0);
	return b.hit;
}

/* Who frees may have done nothing else that we hear. */
static __always_inline void introduce_freer(u32 where)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct cpu_state *st = cpu_state(cpu);
	u64 id = bpf_get_current_pid_tgid();
	struct ev_task *rec;
	struct scope *s;
	struct emit e;

	if (where != EV_CTX_TASK || !st || st->freer == (u32)id)
		return;
	s = task_scope(0);
	if (s && s->introduced) {
		st->freer = id;
		return;
	}
	rec = emit_reserve(&e, EV_TASK, sizeof(*rec), 0);
	if (!rec)
		return;
	rec->pid = id;
	rec->tgid = id >> 32;
	bpf_get_current_comm(rec->comm, sizeof(rec->comm));
	emit_submit(&e, rec);
	st->freer = id;
}

static __always_inline void emit_page_free(u64 frame, u32 order)
{
	u32 where = context_now();
	struct ev_page_free *rec;
	struct emit e;

	introduce_freer(where);
	rec = emit_reserve(&e, EV_PAGE_FREE, sizeof(*rec), where);
	if (!rec)
		return;
	rec->paddr = frame << FRAME_LG2;
	rec->bytes = 1ULL << FRAME_LG2 << (order & 31);
	rec->pid = bpf_get_current_pid_tgid();
	rec->pad = 0;
	emit_submit(&e, rec);
}

/* (page, order) */
SEC("raw_tp/mm_page_free")
int page_free(u64 *ctx)
{
	u64 frame = page_frame(ctx[0]);
	u32 order = ctx[1];
	bool hit;

	if (!order)
		hit = frame_clear(frame >> WORD_LG2, 1ULL << (frame & (WORD_BITS - 1)));
	else
		hit = block_clear(frame, order);
	if (hit)
		emit_page_free(frame, order);
	return 0;
}
