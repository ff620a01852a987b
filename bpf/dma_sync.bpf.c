// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Intent: who may touch a streaming mapping now, the CPU or the device (dma_sync_*(),
 * kernel/dma/mapping.c of 6.1, 6.12, 7.2).
 */
#include "dma.bpf.h"

/* (dev, addr or sg, size or nents, dir): a moment, not a scope. Nothing runs inside. */
static __always_inline void dma_sync(void *ctx, struct dma_call *d)
{
	struct call c;

	call_end(ctx, HOOK_COUNT, &c);
	c.begin_ns = bpf_ktime_get_ns();
	c.flags &= ~EVF_NOENTRY;
	d->dev = arg(ctx, 0);
	d->dir = arg(ctx, 3);
	dma_tell(ctx, EV_DMA_SYNC, d, &c);
}

static __always_inline void dma_sync_single(void *ctx, bool to_cpu)
{
	struct dma_call d = {
		.addr = arg(ctx, 1), .size = arg(ctx, 2), .mapped = to_cpu,
		.kind = EV_DMA_PAGE,
	};

	dma_sync(ctx, &d);
}

static __always_inline void dma_sync_sg(void *ctx, bool to_cpu)
{
	struct dma_call d = {
		.ptr = arg(ctx, 1), .nents = arg(ctx, 2), .mapped = to_cpu, .kind = EV_DMA_SG,
	};

	sg_first(&d, false);
	dma_sync(ctx, &d);
}

SEC("fexit")
int dma_sync_cpu(void *ctx)
{
	dma_sync_single(ctx, true);
	return 0;
}

SEC("fexit")
int dma_sync_device(void *ctx)
{
	dma_sync_single(ctx, false);
	return 0;
}

SEC("fexit")
int dma_sync_sg_cpu(void *ctx)
{
	dma_sync_sg(ctx, true);
	return 0;
}

SEC("fexit")
int dma_sync_sg_device(void *ctx)
{
	dma_sync_sg(ctx, false);
	return 0;
}
