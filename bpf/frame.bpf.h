/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One bit per page frame of the machine's RAM: mapped for I/O since it was last freed. Set by the
 * exit programs of maps, tested and cleared when the page is freed (page.bpf.c); unmapping does
 * not clear it, because a page may be freed before a cache forgot it. So a frame costs at most
 * one record each time it is mapped. Frames behind the end are MMIO.
 */
#ifndef IOMMUSCOPE_FRAME_BPF_H
#define IOMMUSCOPE_FRAME_BPF_H

#include "maps.bpf.h"

#define FRAME_LG2 12
#define WORD_LG2 6
#define WORD_BITS 64

/* The bits of [@first, @last] that are in @word. */
static __always_inline u64 frame_mask(u64 word, u64 first, u64 last)
{
	u64 mask = ~0ULL;

	if (word == first >> WORD_LG2)
		mask <<= first & (WORD_BITS - 1);
	if (word == last >> WORD_LG2)
		mask &= ~0ULL >> (WORD_BITS - 1 - (last & (WORD_BITS - 1)));
	return mask;
}

static __always_inline void frame_set(u32 word, u64 mask)
{
	u64 *bits = bpf_map_lookup_elem(&frames, &word);

	/* Buffers are mapped again and again: look before locking the line. */
	if (bits && (*bits & mask) != mask)
		__sync_fetch_and_or(bits, mask);
}

struct frame_run {
	u64 first;
	u64 last;
};

static long frame_step(u32 i, struct frame_run *run)
{
	u64 word = (run->first >> WORD_LG2) + i;

	frame_set(word, frame_mask(word, run->first, run->last));
	return 0;
}

static __always_inline void frame_set_many(u64 first, u64 last)
{
	struct frame_run run = { .first = first, .last = last };

	bpf_loop((last >> WORD_LG2) - (first >> WORD_LG2) + 1, frame_step, &run, 0);
}

/*
 * [@paddr, @paddr + @bytes - 1] was mapped. A global function: the verifier looks at it once, for
 * any arguments, and not again on each path of those that call it. The record of the map is
 * out by then, so that no free of the page is told before it.
 */
__attribute__((noinline)) int frames_mapped(u64 paddr, u64 bytes)
{
	u64 first = paddr >> FRAME_LG2, last = (paddr + bytes - 1) >> FRAME_LG2;

	if (first >= config.frames)
		return 0;
	if (first == last) {	/* one page: almost always */
		frame_set(first >> WORD_LG2, 1ULL << (first & (WORD_BITS - 1)));
		return 0;
	}
	if (!bytes)
		return 0;
	if (last >= config.frames || last < first)
		last = config.frames - 1;
	if (first >> WORD_LG2 == last >> WORD_LG2)
		frame_set(first >> WORD_LG2, frame_mask(first >> WORD_LG2, first, last));
	else
		frame_set_many(first, last);
	return 0;
}

#endif
