/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Books: what VFIO type1 and iommufd (iommufd.bpf.h) keep of the maps that were asked for, and which addresses the DMA
 * API's allocator has given away. All are trees that change while they are read, without a lock of
 * ours. So nothing is followed from node to node: each area is looked for from the root, above the
 * last one. The walk ends whatever it reads, and a book that was being changed says so.
 */
#ifndef IOMMUSCOPE_BOOKS_BPF_H
#define IOMMUSCOPE_BOOKS_BPF_H

#include "groups.bpf.h"
#include "kernel_iommufd.h"
#include "peek_abi.h"

#define TREE_DEPTH 64		/* of a balanced tree: more than memory can hold */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PEEK_AREAS);
	__type(key, u32);
	__type(value, struct peek_area);
} peek_areas SEC(".maps");

/* ---- the lowest node that ends at or above an address ---- */

enum book_kind { BOOK_VFIO, BOOK_IOMMUFD, BOOK_IOVA };

/* [*first, *last] of a node; an empty one is [iova, iova]. */
static __always_inline void node_range(struct rb_node *node, enum book_kind kind, u64 *first,
				       u64 *last)
{
	if (kind == BOOK_VFIO) {
		struct vfio_dma *dma = (void *)node - bpf_core_field_offset(struct vfio_dma, node);
		u64 size = BPF_CORE_READ(dma, size);

		*first = BPF_CORE_READ(dma, iova);
		*last = *first + (size ? size - 1 : 0);
	} else if (kind == BOOK_IOMMUFD) {
		struct interval_tree_node *area =
			(void *)node - bpf_core_field_offset(struct interval_tree_node, rb);

		*first = BPF_CORE_READ(area, start);
		*last = BPF_CORE_READ(area, last);
	} else {
		struct iova *iova = (void *)node - bpf_core_field_offset(struct iova, node);

		*first = BPF_CORE_READ(iova, pfn_lo);
		*last = BPF_CORE_READ(iova, pfn_hi);
	}
}

struct tree_search {
	struct rb_node *node;
	struct rb_node *found;
	u64 from;
};

static __always_inline long search(struct tree_search *s, enum book_kind kind)
{
	struct rb_node *node = s->node;
	u64 first, last;

	if (!node)
		return 1;
	node_range(node, kind, &first, &last);
	if (last >= s->from)
		s->found = node;
	s->node = last >= s->from ? BPF_CORE_READ(node, rb_left) : BPF_CORE_READ(node, rb_right);
	return 0;
}

static long search_vfio(u32 i, struct tree_search *s)
{
	return search(s, BOOK_VFIO);
}

static long search_iommufd(u32 i, struct tree_search *s)
{
	return search(s, BOOK_IOMMUFD);
}

static long search_iova(u32 i, struct tree_search *s)
{
	return search(s, BOOK_IOVA);
}

/* A loop that the verifier would unroll takes it seconds on 7.2; callbacks are verified once. */
static __always_inline struct rb_node *node_above(struct rb_root *root, enum book_kind kind, u64 from)
{
	struct tree_search s = { .node = BPF_CORE_READ(root, rb_node), .from = from };

	if (kind == BOOK_VFIO)
		bpf_loop(TREE_DEPTH, search_vfio, &s, 0);
	else if (kind == BOOK_IOMMUFD)
		bpf_loop(TREE_DEPTH, search_iommufd, &s, 0);
	else
		bpf_loop(TREE_DEPTH, search_iova, &s, 0);
	return s.found;
}

struct book_walk {
	u64 root;		/* struct rb_root * */
	u64 from;
	u64 to;
	u64 unit;		/* IOVA: bytes of a pfn */
	u64 anchor;		/* IOVA: a node that is no allocation */
	u32 count;
	u32 done;		/* no more nodes */
};

/* ---- VFIO ---- */

static __always_inline void vfio_area(struct peek_area *area, struct vfio_dma *dma)
{
	u64 size = BPF_CORE_READ(dma, size);
	struct task_struct *task = BPF_CORE_READ(dma, task);

	area->first = BPF_CORE_READ(dma, iova);
	area->last = area->first + (size ? size - 1 : 0);
	area->vaddr = BPF_CORE_READ(dma, vaddr);
	area->mm = (u64)BPF_CORE_READ(dma, mm);
	area->prot = BPF_CORE_READ(dma, prot);
	area->flags = size ? 0 : PEEK_AREA_EMPTY;
	if (!BPF_CORE_READ(dma, iommu_mapped))
		area->flags |= PEEK_AREA_GROWS;
	if (BPF_CORE_READ(dma, vaddr_invalid))
		area->flags |= PEEK_AREA_NO_VADDR;
	area->tgid = task && (u64)BPF_CORE_READ(task, mm) == area->mm ? BPF_CORE_READ(task, tgid) : 0;
	area->pad = 0;
}

static long vfio_step(u32 i, struct book_walk *w)
{
	struct rb_node *node = node_above((void *)w->root, BOOK_VFIO, w->from);
	struct peek_area *area = bpf_map_lookup_elem(&peek_areas, &w->count);

	if (!node) {
		w->done = 1;
		return 1;
	}
	if (!area)
		return 1;
	vfio_area(area, (void *)node - bpf_core_field_offset(struct vfio_dma, node));
	if (area->first > w->to) {
		w->done = 1;
		return 1;
	}
	w->count++;
	w->from = area->last + 1;
	if (w->from)
		return 0;
	w->done = 1;	/* that was the last byte of the space */
	return 1;
}

#define DOMAINS_MAX 64		/* of a container: one for each kind of IOMMU */

static __always_inline bool vfio_has_domain(struct vfio_iommu *iommu, u64 domain)
{
	u64 head = (u64)iommu + bpf_core_field_offset(struct vfio_iommu, domain_list);
	u64 pos = list_next(head);
	int i;

	for (i = 0; i < DOMAINS_MAX && pos && pos != head; i++) {
		struct vfio_domain *d = (void *)pos - bpf_core_field_offset(struct vfio_domain, next);

		if ((u64)BPF_CORE_READ(d, domain) == domain)
			return true;
		pos = list_next(pos);
	}
	return false;
}

SEC("syscall")
int peek_vfio(struct peek_book *ask)
{
	struct vfio_iommu *iommu = (void *)ask->book;
	struct book_walk w = { .from = ask->from, .to = ask->to };

	ask->count = ask->full = ask->busy = ask->has_domain = 0;
	if (!bpf_core_type_exists(struct vfio_iommu) || !iommu)
		return 0;
	ask->busy = mutex_is_held((void *)iommu + bpf_core_field_offset(struct vfio_iommu, lock));
	ask->has_domain = vfio_has_domain(iommu, ask->domain);
	w.root = (u64)iommu + bpf_core_field_offset(struct vfio_iommu, dma_list);
	bpf_loop(PEEK_AREAS + 1, vfio_step, &w, 0);
	ask->count = w.count;
	ask->full = !w.done;
	ask->busy |= mutex_is_held((void *)iommu + bpf_core_field_offset(struct vfio_iommu, lock));
	return 0;
}

/* ---- the DMA API's allocator ---- */

static long iova_step(u32 i, struct book_walk *w)
{
	struct rb_node *node = node_above((void *)w->root, BOOK_IOVA, w->from);
	struct peek_area *area = bpf_map_lookup_elem(&peek_areas, &w->count);
	u64 first, last;

	if (!node || (u64)node == w->anchor) {
		w->done = 1;
		return 1;
	}
	if (!area)
		return 1;
	node_range(node, BOOK_IOVA, &first, &last);
	if (first > w->to || last < first) {
		w->done = 1;
		return 1;
	}
	__builtin_memset(area, 0, sizeof(*area));
	area->first = first * w->unit;
	area->last = last * w->unit + (w->unit - 1);
	w->count++;
	w->from = last + 1;
	return 0;
}

SEC("syscall")
int peek_iovas(struct peek_book *ask)
{
	struct iommu_dma_cookie *cookie = (void *)ask->book;
	u64 at = (u64)cookie + bpf_core_field_offset(struct iommu_dma_cookie, iovad);
	struct iova_domain *iovad = (void *)at;
	struct book_walk w = {};

	ask->count = ask->full = ask->busy = ask->has_domain = 0;
	w.unit = cookie ? BPF_CORE_READ(iovad, granule) : 0;
	if (!w.unit)
		return 0;	/* not set up yet */
	w.from = ask->from / w.unit;
	w.to = ask->to / w.unit;
	w.root = at + bpf_core_field_offset(struct iova_domain, rbroot);
	w.anchor = at + bpf_core_field_offset(struct iova_domain, anchor) +
		   bpf_core_field_offset(struct iova, node);
	bpf_loop(PEEK_AREAS + 1, iova_step, &w, 0);
	ask->count = w.count;
	ask->full = !w.done;
	return 0;
}

#endif
