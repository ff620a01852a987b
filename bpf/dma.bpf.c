// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Intent: what drivers asked of the DMA API, kernel/dma/mapping.c of 6.1, 6.12, 7.2.
 * Every call is a scope: the actions inside it carry its id as their cause.
 */
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

static __always_inline void dma_end(void *ctx, u32 hook, u32 type, struct dma_call *d)
{
	struct ev_dma *rec;
	struct emit e;
	struct call c;
	u64 caller;

	call_end(ctx, hook, &c);
	if (!wanted_key(d->dev) || !wanted_task(c.flags))
		return;
	rec = emit_op(&e, type, sizeof(*rec), &c);
	if (!rec)
		return;
	caller = caller_of(ctx, c.sp);
	dma_fill(rec, d, caller);
	emit_submit(&e, rec);
	symbol_tell(caller);
	emit_stack(ctx, &e);
	if (config.sg_limits && d->kind == EV_DMA_SG && d->mapped)
		emit_sg_limit(d, c.id, caller);
}

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
		.dev = arg(ctx, 0), .paddr = page_phys(arg(ctx, 1), vmemmap_start()) + arg(ctx, 2),
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

/* (dev, addr or sg, size or nents, dir): a moment, not a scope. Nothing runs inside. */
static __always_inline void dma_sync(void *ctx, struct dma_call *d)
{
	struct ev_dma *rec;
	struct emit e;
	struct call c;
	u64 caller;

	call_end(ctx, HOOK_COUNT, &c);
	c.begin_ns = bpf_ktime_get_ns();
	c.flags &= ~EVF_NOENTRY;
	d->dev = arg(ctx, 0);
	d->dir = arg(ctx, 3);
	if (!wanted_key(d->dev) || !wanted_task(c.flags))
		return;
	rec = emit_op(&e, EV_DMA_SYNC, sizeof(*rec), &c);
	if (!rec)
		return;
	caller = caller_of(ctx, c.sp);
	dma_fill(rec, d, caller);
	emit_submit(&e, rec);
	symbol_tell(caller);
	emit_stack(ctx, &e);
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
