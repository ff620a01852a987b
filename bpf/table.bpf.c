// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Page-table pages that go back to the allocator: the driver's iotlb_sync, which flushes what a
 * gather holds and then frees the pages on its list. They are counted at the entry, because
 * at the exit nobody may look at them any more. Most gathers have none: those cost one look.
 * drivers/iommu/intel/iommu.c: intel_iommu_tlb_sync(); amd/iommu.c: amd_iommu_iotlb_sync(),
 * which frees tables from 6.19 on.
 */
#include "object.bpf.h"

#define TABLES_MAX 512

struct list_walk {
	u64 pos;
	u64 head;
	u32 count;
};

static long list_step(u32 i, struct list_walk *w)
{
	struct list_head *at = (void *)w->pos;

	if (w->pos == w->head || !w->pos)
		return 1;
	w->count = i + 1;
	w->pos = (u64)BPF_CORE_READ(at, next);
	return 0;
}

/*
 * Frames of ours, on all CPUs: almost always none, and then no exit has to look for its own. Taken
 * back only where a frame is taken off, so that an exit that was skipped leaves it too high, never
 * too low: exits look then, as they would without it.
 */
static s64 tables_pushed;

/* Most gathers have no table pages: for a typed pointer one load. */
static __always_inline u64 first_table(struct iommu_iotlb_gather *gather)
{
	struct iommu_iotlb_gather___pages *pages = (void *)gather;

	if (bpf_core_field_exists(pages->freelist.pages))
		return (u64)pages->freelist.pages.next;
	return (u64)gather->freelist.next;
}

/* (domain, gather) */
static __always_inline void table_begin(void *ctx, u32 hook)
{
	struct iommu_iotlb_gather *gather = (void *)arg(ctx, 1);
	u64 page, first, last, head;
	struct list_walk w = {};
	struct list_head *at;
	struct frame *f;

	/* A number for the walk. Not through w: BPF_CORE_READ() would take that for a kernel's structure. */
	head = arg_number(ctx, 1) + bpf_core_field_offset(struct iommu_iotlb_gather, freelist);
	if (first_table(gather) == head)
		return;
	at = (void *)head;
	w.head = head;
	w.pos = (u64)BPF_CORE_READ(at, next);
	if (w.pos == head || !w.pos)
		return;
	first = gather->start;
	last = gather->end;
	if (first > last)
		return;	/* nothing was unmapped: what pages are these? */
	page = w.pos - bpf_core_field_offset(struct page, lru);
	bpf_loop(TABLES_MAX, list_step, &w, 0);
	f = call_open(ctx, hook, false);
	if (!f)
		return;
	f->object = arg(ctx, 0);
	f->iova = first;
	f->size = last - first + 1;
	f->last = last;
	f->vaddr = page_phys(page);
	f->prot = w.count;
	__sync_fetch_and_add(&tables_pushed, 1);
}

/* What is around the sync: the outermost intent, and the unmap call that made it. */
static __always_inline void table_around(struct ev_table *rec)
{
	struct scope *s = scope_of(context_now());
	struct frame *f = s ? scope_top(s) : NULL;

	if (!f)
		return;
	rec->unlinked_ns = scope_since(s);
	if ((f->hook != HOOK_UNMAP && f->hook != HOOK_UNMAP_FAST) || f->object != rec->domain)
		return;
	rec->what |= EV_TABLE_IN_UNMAP;
	rec->call_first = f->iova;
	rec->call_last = f->iova + f->size - 1;
	rec->call_begin_ns = f->begin_ns;
}

static __always_inline void table_end(void *ctx, u32 hook)
{
	u64 domain = arg(ctx, 0);
	struct ev_table *rec;
	struct scope *s;
	struct frame *f;
	struct emit e;
	struct call c;

	if (!tables_pushed)
		return;
	s = scope_of(context_now());
	f = s ? scope_top(s) : NULL;
	if (!f || f->hook != hook)
		return;		/* no table page, or nobody knows which */
	call_end(ctx, hook, &c);
	if (c.flags & (EVF_NOENTRY | EVF_NOCTX))
		return;		/* the frame of another call, whose exit was skipped */
	__sync_fetch_and_add(&tables_pushed, -1);
	if (c.object != domain)
		return;
	if (!wanted_key(domain) || !wanted_task(c.flags))
		return;
	rec = emit_op(&e, EV_TABLE, sizeof(*rec), &c);
	if (!rec)
		return;
	rec->domain = domain;
	rec->first = c.iova;
	rec->last = c.last;
	rec->paddr = c.vaddr;
	rec->unlinked_ns = 0;
	rec->call_first = 0;
	rec->call_last = 0;
	rec->call_begin_ns = 0;
	rec->what = EV_TABLE_FREED | EV_TABLE_GATHERED;
	rec->count = c.prot;
	table_around(rec);
	emit_submit(&e, rec);
}

SEC("fentry")
int table_vtd_entry(void *ctx)
{
	table_begin(ctx, HOOK_TABLE_VTD);
	return 0;
}

SEC("fexit")
int table_vtd_exit(void *ctx)
{
	table_end(ctx, HOOK_TABLE_VTD);
	return 0;
}

SEC("fentry")
int table_amd_entry(void *ctx)
{
	table_begin(ctx, HOOK_TABLE_AMD);
	return 0;
}

SEC("fexit")
int table_amd_exit(void *ctx)
{
	table_end(ctx, HOOK_TABLE_AMD);
	return 0;
}
