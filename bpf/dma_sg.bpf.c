// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Intent: scatterlists of the DMA API, kernel/dma/mapping.c of 6.1, 6.12, 7.2. */
#include "dma.bpf.h"

static __always_inline void dma_sg_end(void *ctx, u32 hook, struct dma_call *d, s64 mapped)
{
	d->dev = arg(ctx, 0);
	d->dir = hook == HOOK_DMA_MAP_SGTABLE ? arg(ctx, 2) : arg(ctx, 3);
	d->attrs = hook == HOOK_DMA_MAP_SGTABLE ? arg(ctx, 3) : arg(ctx, 4);
	d->kind = EV_DMA_SG;
	d->mapped = mapped > 0 ? mapped : 0;
	if (mapped > 0)
		sg_first(d, true);
	else
		d->addr = EV_DMA_ERROR;
	dma_end(ctx, hook, EV_DMA_MAP, d);
}

/* dma_map_sg_attrs(dev, sg, nents, dir, attrs) */
SEC("fentry")
int dma_map_sg_entry(void *ctx)
{
	dma_begin(ctx, HOOK_DMA_MAP_SG, 0, 0);
	return 0;
}

SEC("fexit")
int dma_map_sg_exit(void *ctx)
{
	struct dma_call d = { .ptr = arg(ctx, 1), .nents = arg(ctx, 2) };

	dma_sg_end(ctx, HOOK_DMA_MAP_SG, &d, (u32)ret_of(ctx));
	return 0;
}

/* dma_map_sgtable(dev, sgt, dir, attrs): 0 or -errno; sgt->nents is what was mapped */
SEC("fentry")
int dma_map_sgtable_entry(void *ctx)
{
	dma_begin(ctx, HOOK_DMA_MAP_SGTABLE, 0, 0);
	return 0;
}

SEC("fexit")
int dma_map_sgtable_exit(void *ctx)
{
	struct sg_table *sgt = (void *)arg(ctx, 1);
	struct dma_call d = {
		.ptr = (u64)BPF_CORE_READ(sgt, sgl), .nents = BPF_CORE_READ(sgt, orig_nents),
	};

	dma_sg_end(ctx, HOOK_DMA_MAP_SGTABLE, &d, (s32)ret_of(ctx) ? 0 : BPF_CORE_READ(sgt, nents));
	return 0;
}

/* dma_unmap_sg_attrs(dev, sg, nents, dir, attrs) */
SEC("fentry")
int dma_unmap_sg_entry(void *ctx)
{
	struct scatterlist *sg = (void *)arg(ctx, 1);

	dma_begin(ctx, HOOK_DMA_UNMAP_SG, BPF_CORE_READ(sg, dma_address), 0);
	return 0;
}

SEC("fexit")
int dma_unmap_sg_exit(void *ctx)
{
	struct dma_call d = {
		.dev = arg(ctx, 0), .ptr = arg(ctx, 1), .nents = arg(ctx, 2),
		.dir = arg(ctx, 3), .attrs = arg(ctx, 4), .kind = EV_DMA_SG,
	};

	sg_first(&d, false);
	dma_end(ctx, HOOK_DMA_UNMAP_SG, EV_DMA_UNMAP, &d);
	return 0;
}
