// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Intent: what drivers asked of the DMA API, kernel/dma/mapping.c of 6.1, 6.12, 7.2: pages,
 * coherent memory, resources, links of an IOVA.
 */
#include "dma.bpf.h"

#define DMA_ATTR_MMIO (1UL << 10)	/* include/linux/dma-mapping.h, 6.18+ */

/* dma_map_phys(dev, phys, size, dir, attrs) */
SEC("fentry")
int dma_map_phys_entry(void *ctx)
{
	dma_begin(ctx, HOOK_DMA_MAP_PHYS, 0, 0);
	return 0;
}

SEC("fexit")
int dma_map_phys_exit(void *ctx)
{
	struct dma_call d = {
		.dev = arg(ctx, 0), .paddr = arg(ctx, 1), .size = arg(ctx, 2),
		.dir = arg(ctx, 3), .attrs = arg(ctx, 4), .addr = ret_of(ctx),
	};

	d.kind = d.attrs & DMA_ATTR_MMIO ? EV_DMA_RESOURCE : EV_DMA_PAGE;
	dma_end(ctx, HOOK_DMA_MAP_PHYS, EV_DMA_MAP, &d);
	return 0;
}

/* dma_unmap_phys(dev, addr, size, dir, attrs) */
SEC("fentry")
int dma_unmap_phys_entry(void *ctx)
{
	dma_begin(ctx, HOOK_DMA_UNMAP_PHYS, arg(ctx, 1), arg(ctx, 2));
	return 0;
}

SEC("fexit")
int dma_unmap_phys_exit(void *ctx)
{
	struct dma_call d = {
		.dev = arg(ctx, 0), .addr = arg(ctx, 1), .size = arg(ctx, 2),
		.dir = arg(ctx, 3), .attrs = arg(ctx, 4),
	};

	d.kind = d.attrs & DMA_ATTR_MMIO ? EV_DMA_RESOURCE : EV_DMA_PAGE;
	dma_end(ctx, HOOK_DMA_UNMAP_PHYS, EV_DMA_UNMAP, &d);
	return 0;
}

/* dma_map_page_attrs(dev, page, offset, size, dir, attrs) */
SEC("fentry")
int dma_map_page_entry(void *ctx)
{
	dma_begin(ctx, HOOK_DMA_MAP_PAGE, 0, 0);
	return 0;
}

SEC("fexit")
int dma_map_page_exit(void *ctx)
{
	struct dma_call d = {
		.dev = arg(ctx, 0), .paddr = page_phys(arg_number(ctx, 1)) + arg(ctx, 2),
		.size = arg(ctx, 3), .dir = arg(ctx, 4), .attrs = arg(ctx, 5),
		.addr = ret_of(ctx), .kind = EV_DMA_PAGE,
	};

	dma_end(ctx, HOOK_DMA_MAP_PAGE, EV_DMA_MAP, &d);
	return 0;
}

/* dma_unmap_page_attrs(dev, addr, size, dir, attrs) */
SEC("fentry")
int dma_unmap_page_entry(void *ctx)
{
	dma_begin(ctx, HOOK_DMA_UNMAP_PAGE, arg(ctx, 1), arg(ctx, 2));
	return 0;
}

SEC("fexit")
int dma_unmap_page_exit(void *ctx)
{
	struct dma_call d = {
		.dev = arg(ctx, 0), .addr = arg(ctx, 1), .size = arg(ctx, 2),
		.dir = arg(ctx, 3), .attrs = arg(ctx, 4), .kind = EV_DMA_PAGE,
	};

	dma_end(ctx, HOOK_DMA_UNMAP_PAGE, EV_DMA_UNMAP, &d);
	return 0;
}

/* dma_alloc_attrs(dev, size, handle, flag, attrs) */
SEC("fentry")
int dma_alloc_entry(void *ctx)
{
	dma_begin(ctx, HOOK_DMA_ALLOC, 0, 0);
	return 0;
}

SEC("fexit")
int dma_alloc_exit(void *ctx)
{
	struct dma_call d = {
		.dev = arg(ctx, 0), .size = arg(ctx, 1), .attrs = arg(ctx, 4),
		.ptr = ret_of(ctx), .addr = EV_DMA_ERROR, .kind = EV_DMA_COHERENT,
	};

	if (d.ptr)
		bpf_probe_read_kernel(&d.addr, sizeof(d.addr), (void *)arg(ctx, 2));
	dma_end(ctx, HOOK_DMA_ALLOC, EV_DMA_MAP, &d);
	return 0;
}

/* dma_free_attrs(dev, size, cpu_addr, handle, attrs); a NULL cpu_addr is a no-op */
SEC("fentry")
int dma_free_entry(void *ctx)
{
	dma_begin(ctx, HOOK_DMA_FREE, arg(ctx, 3), arg(ctx, 1));
	return 0;
}

SEC("fexit")
int dma_free_exit(void *ctx)
{
	struct dma_call d = {
		.dev = arg(ctx, 0), .size = arg(ctx, 1), .ptr = arg(ctx, 2),
		.addr = arg(ctx, 3), .attrs = arg(ctx, 4), .kind = EV_DMA_COHERENT,
	};

	dma_end(ctx, HOOK_DMA_FREE, EV_DMA_UNMAP, &d);
	return 0;
}

/* dma_map_resource(dev, phys, size, dir, attrs) */
SEC("fentry")
int dma_map_resource_entry(void *ctx)
{
	dma_begin(ctx, HOOK_DMA_MAP_RESOURCE, 0, 0);
	return 0;
}

SEC("fexit")
int dma_map_resource_exit(void *ctx)
{
	struct dma_call d = {
		.dev = arg(ctx, 0), .paddr = arg(ctx, 1), .size = arg(ctx, 2),
		.dir = arg(ctx, 3), .attrs = arg(ctx, 4), .addr = ret_of(ctx),
		.kind = EV_DMA_RESOURCE,
	};

	dma_end(ctx, HOOK_DMA_MAP_RESOURCE, EV_DMA_MAP, &d);
	return 0;
}

/* dma_unmap_resource(dev, addr, size, dir, attrs) */
SEC("fentry")
int dma_unmap_resource_entry(void *ctx)
{
	dma_begin(ctx, HOOK_DMA_UNMAP_RESOURCE, arg(ctx, 1), arg(ctx, 2));
	return 0;
}

SEC("fexit")
int dma_unmap_resource_exit(void *ctx)
{
	struct dma_call d = {
		.dev = arg(ctx, 0), .addr = arg(ctx, 1), .size = arg(ctx, 2),
		.dir = arg(ctx, 3), .attrs = arg(ctx, 4), .kind = EV_DMA_RESOURCE,
	};

	dma_end(ctx, HOOK_DMA_UNMAP_RESOURCE, EV_DMA_UNMAP, &d);
	return 0;
}

static __always_inline u64 iova_state_addr(void *ctx)
{
	struct dma_iova_state *state = (void *)arg(ctx, 1);

	return BPF_CORE_READ(state, addr);
}

/* dma_iova_link(dev, state, phys, offset, size, dir, attrs) */
SEC("fentry")
int dma_iova_link_entry(void *ctx)
{
	dma_begin(ctx, HOOK_DMA_IOVA_LINK, iova_state_addr(ctx) + arg(ctx, 3), arg(ctx, 4));
	return 0;
}

SEC("fexit")
int dma_iova_link_exit(void *ctx)
{
	struct dma_call d = {
		.dev = arg(ctx, 0), .paddr = arg(ctx, 2), .size = arg(ctx, 4),
		.addr = iova_state_addr(ctx) + arg(ctx, 3), .dir = arg(ctx, 5),
		.attrs = arg(ctx, 6), .kind = EV_DMA_IOVA,
	};

	if ((s32)ret_of(ctx))
		d.addr = EV_DMA_ERROR;
	dma_end(ctx, HOOK_DMA_IOVA_LINK, EV_DMA_MAP, &d);
	return 0;
}

/* dma_iova_unlink(dev, state, offset, size, dir, attrs) */
SEC("fentry")
int dma_iova_unlink_entry(void *ctx)
{
	dma_begin(ctx, HOOK_DMA_IOVA_UNLINK, iova_state_addr(ctx) + arg(ctx, 2), arg(ctx, 3));
	return 0;
}

SEC("fexit")
int dma_iova_unlink_exit(void *ctx)
{
	struct dma_call d = {
		.dev = arg(ctx, 0), .addr = iova_state_addr(ctx) + arg(ctx, 2),
		.size = arg(ctx, 3), .dir = arg(ctx, 4), .attrs = arg(ctx, 5),
		.kind = EV_DMA_IOVA,
	};

	dma_end(ctx, HOOK_DMA_IOVA_UNLINK, EV_DMA_UNMAP, &d);
	return 0;
}

/* dma_iova_destroy(dev, state, mapped_len, dir, attrs) */
SEC("fentry")
int dma_iova_destroy_entry(void *ctx)
{
	dma_begin(ctx, HOOK_DMA_IOVA_DESTROY, iova_state_addr(ctx), arg(ctx, 2));
	return 0;
}

SEC("fexit")
int dma_iova_destroy_exit(void *ctx)
{
	struct dma_call d = {
		.dev = arg(ctx, 0), .addr = iova_state_addr(ctx), .size = arg(ctx, 2),
		.dir = arg(ctx, 3), .attrs = arg(ctx, 4), .kind = EV_DMA_IOVA,
	};

	dma_end(ctx, HOOK_DMA_IOVA_DESTROY, EV_DMA_UNMAP, &d);
	return 0;
}
