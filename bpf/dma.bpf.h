/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One call of the DMA API and its record: what dma.bpf.c, dma_sg.bpf.c and dma_sync.bpf.c share.
 * Every call but a sync is a scope: the actions inside it carry its id as their cause.
 */
#ifndef IOMMUSCOPE_DMA_BPF_H
#define IOMMUSCOPE_DMA_BPF_H

#include "caller.bpf.h"

struct dma_call {
	u64 dev;
	u64 addr;
	u64 size;
	u64 paddr;
	u64 ptr;
	u64 attrs;
	u32 dir;
	u32 kind;
	u32 nents;
	u32 mapped;
};

/* @addr, @size: what is in doubt if the exit is skipped; 0, 0 the whole device. */
static __always_inline void dma_begin(void *ctx, u32 hook, u64 addr, u64 size)
{
	call_begin(ctx, hook, true, arg(ctx, 0), addr, size);
}

static __always_inline void dma_fill(struct ev_dma *rec, const struct dma_call *d, u64 caller)
{
	rec->dev = d->dev;
	rec->addr = d->addr;
	rec->size = d->size;
	rec->paddr = d->paddr;
	rec->ptr = d->ptr;
	rec->attrs = d->attrs;
	rec->dir = d->dir;
	rec->kind = d->kind;
	rec->nents = d->nents;
	rec->mapped = d->mapped;
	rec->caller = caller;
}

/* Writes only what the device's limits are worth a word about: the core judges. */
static __always_inline void emit_sg_limit(const struct dma_call *d, u64 intent,
					   u64 caller)
{
	struct device_dma_parameters *parms;
	/* Of our own: inside BPF_CORE_READ() d->dev would be taken for a kernel's field. */
	struct device *dev = (void *)d->dev;
	struct scatterlist *sg = (void *)d->ptr;
	struct ev_sg_limit *rec;
	struct emit e;
	u64 boundary = 0xffffffff;	/* without parameters: include/linux/dma-mapping.h */
	u32 max = 65536, length;

	length = BPF_CORE_READ(sg, length);
	parms = BPF_CORE_READ(dev, dma_parms);
	if (parms) {
		max = BPF_CORE_READ(parms, max_segment_size) ?: max;
		boundary = BPF_CORE_READ(parms, segment_boundary_mask) ?: boundary;
	}
	if (length <= max && !((d->addr ^ (d->addr + d->size - 1)) & ~boundary))
		return;
	rec = emit_reserve(&e, EV_SG_LIMIT, sizeof(*rec), context_now());
	if (!rec)
		return;
	rec->dev = d->dev;
	rec->intent = intent;
	rec->addr = d->addr;
	rec->size = d->size;
	rec->boundary = boundary;
	rec->caller = caller;
	rec->length = length;
	rec->max_length = max;
	emit_submit(&e, rec);
}

/* Address and length of the first segment. */
static __always_inline void sg_first(struct dma_call *d, bool with_size)
{
	struct scatterlist *sg = (void *)d->ptr;
	struct scatterlist___dma_length *len = (void *)sg;

	d->addr = BPF_CORE_READ(sg, dma_address);
	if (!with_size)
		return;
	if (bpf_core_field_exists(len->dma_length))
		d->size = BPF_CORE_READ(len, dma_length);
	else
		d->size = BPF_CORE_READ(sg, length);
}

static __always_inline void dma_tell(void *ctx, u32 type, const struct dma_call *d, struct call *c)
{
	struct ev_dma *rec;
	struct emit e;
	u64 caller;

	if (!wanted_key(d->dev) || !wanted_task(c->flags))
		return;
	rec = emit_op(&e, type, sizeof(*rec), c);
	if (!rec)
		return;
	caller = caller_of(ctx, c->sp);
	dma_fill(rec, d, caller);
	emit_submit(&e, rec);
	symbol_tell(caller);
	emit_stack(ctx, &e);
	if (type == EV_DMA_MAP && config.sg_limits && d->kind == EV_DMA_SG && d->mapped)
		emit_sg_limit(d, c->id, caller);
}

static __always_inline void dma_end(void *ctx, u32 hook, u32 type, struct dma_call *d)
{
	struct call c;

	call_end(ctx, hook, &c);
	dma_tell(ctx, type, d, &c);
}

#endif
