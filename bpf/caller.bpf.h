/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Who called: the return address of the function that a program traces, its name, and the
 * whole stack if asked. A name is written once per address (EV_SYMBOL), by the kernel's own
 * "%pB", so that it is right however the kernel was moved and whatever was unloaded since.
 */
#ifndef IOMMUSCOPE_CALLER_BPF_H
#define IOMMUSCOPE_CALLER_BPF_H

#include "scope.bpf.h"

/*
 * arch/x86/net/bpf_jit_comp.c, 6.1 to 7.2: above the arguments stand the return value (the
 * trampoline has an exit program), the frame pointer, the return address. The last is in the
 * traced function where that calls the trampoline, and its caller's stands above it; where
 * it jumps there (6.19+) it is the caller's own.
 */
static __always_inline u64 caller_of(void *ctx, u64 sp)
{
	u64 above[2] = {};

	if (!sp)
		return 0;
	sp += bpf_get_func_arg_cnt(ctx) * 8 + 16;
	bpf_probe_read_kernel(above, sizeof(above), (void *)sp);
	return above[0] - bpf_get_func_ip(ctx) < 16 ? above[1] : above[0];
}

/* Tell, unless another CPU has. A full table leaves the rest without names. Return: 1 if it is told. */
static __noinline int symbol_emit(u64 addr)
{
	u32 one = 1;
	struct ev_symbol *rec;
	struct emit e;

	if (bpf_map_lookup_elem(&symbols_told, &addr))
		return 1;	/* without the lock of an update */
	if (bpf_map_update_elem(&symbols_told, &addr, &one, BPF_NOEXIST))
		return 0;
	rec = emit_reserve(&e, EV_SYMBOL, sizeof(*rec), context_now());
	if (!rec) {
		bpf_map_delete_elem(&symbols_told, &addr);
		return 0;
	}
	rec->addr = addr;
	__builtin_memset(rec->name, 0, sizeof(rec->name));
	bpf_snprintf(rec->name, sizeof(rec->name), (const char *)config.symbol_format, &addr,
		     sizeof(addr));
	emit_submit(&e, rec);
	return 1;
}

static __always_inline void symbol_tell(u64 addr)
{
	u32 slot = (addr ^ addr >> 10) & (SYMBOLS_NEAR - 1);
	u64 *near = bpf_map_lookup_elem(&symbols_near, &slot);

	if (!addr || !near || *near == addr)
		return;
	if (symbol_emit(addr))
		*near = addr;
}

/* The program's own frame and the trampoline's. */
#define STACK_SKIP 2

/* With --stacks: how the operation that @of is the record of came about. */
static __noinline int stack_emit(void *ctx, u64 of_seq)
{
	struct ev_stack *rec;
	struct emit e;
	u64 ip;
	s64 bytes;
	u32 i;

	rec = emit_reserve(&e, EV_STACK, sizeof(*rec), context_now());
	if (!rec)
		return 0;
	__builtin_memset(rec->ip, 0, sizeof(rec->ip));
	bytes = bpf_get_stack(ctx, rec->ip, sizeof(rec->ip), STACK_SKIP);
	rec->of_seq = of_seq;
	rec->count = bytes > 0 ? (u64)bytes / 8 : 0;
	rec->pad = 0;
	for (i = 0; i < EV_STACK_DEPTH; i++) {
		ip = rec->ip[i];
		if (ip)
			symbol_tell(ip);
	}
	emit_submit(&e, rec);
	return 0;
}

static __always_inline void emit_stack(void *ctx, const struct emit *of)
{
	if (config.stacks)
		stack_emit(ctx, of->seq);
}

#endif
