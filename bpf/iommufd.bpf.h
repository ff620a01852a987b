/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * iommufd's areas: what the IOAS behind a domain was asked to map (drivers/iommu/iommufd of 6.12 and 7.2).
 *
 * An area with pages is in every domain of its IOAS, all of it: it gets them after it was filled into each
 * (iopt_map_pages()), and loses them before it is emptied (iopt_unmap_iova_range()); in between nothing is known
 * (PEEK_AREA_UNSURE). A domain that joins is on the IOAS's list when all areas are in it, and leaves that list before they
 * go (iopt_table_add_domain(), iopt_table_remove_domain()). Neither storage_domain nor accesses of the kernel's matter.
 * The tree changes under iova_rwsem, and that is held while an area is cut in two; calls that change it are counted
 * (ops.bpf.h), but for the end of an IOMMU_IOAS_COPY that fails, and where iommufd is a module.
 *
 * Pages may also be a file's (6.13) or a dma-buf's (6.19): those have no process address. A dma-buf's exporter may
 * revoke them: the area stays, without pages, and says so by their length, under their mutex (iopt_revoke_notify()).
 */
#ifndef IOMMUSCOPE_IOMMUFD_BPF_H
#define IOMMUSCOPE_IOMMUFD_BPF_H

#include "books.bpf.h"
#include "xarray.bpf.h"

#define IOMMUFD_OBJECTS 65536	/* of one process's file: numbers are given again */
#define IOMMUFD_DOMAINS 4096	/* of one IOAS */

#define RWSEM_WRITER	0x1ULL		/* kernel/locking/rwsem.c: RWSEM_WRITER_LOCKED */
#define RWBASE_WRITER	(1 << 30)	/* include/linux/rwbase_rt.h: WRITER_BIAS */

static __always_inline bool rwsem_is_written(struct rw_semaphore *sem)
{
	struct rw_semaphore___rt *rt = (void *)sem;

	if (bpf_core_field_exists(rt->rwbase))
		return BPF_CORE_READ(rt, rwbase.readers.counter) & RWBASE_WRITER;
	return bpf_core_field_exists(sem->count) && BPF_CORE_READ(sem, count.counter) & RWSEM_WRITER;
}

/* ---- from a group's owner to the IOAS of its domain ---- */

static __always_inline bool iommufd_is_known(void)
{
	return bpf_core_type_exists(struct iommufd_ctx) && bpf_core_type_exists(struct iopt_area) &&
	       bpf_core_enum_value_exists(enum iommufd_object_type, IOMMUFD_OBJ_HWPT_PAGING);
}

static __always_inline bool owner_is_iommufd(const struct peek_owner *ask)
{
	struct iommu_group *group = (void *)ask->group_at;
	struct iommufd_ctx *ctx = (void *)ask->owner;
	struct iommufd_group *igroup;

	if (!iommufd_is_known())
		return false;
	igroup = xarray_load(BPF_CORE_READ(ctx, groups.xa_head), BPF_CORE_READ(group, id));
	return xarray_is_pointer(igroup) && BPF_CORE_READ(igroup, ictx) == ctx &&
	       BPF_CORE_READ(igroup, group) == group;
}

struct object_search {
	u64 head;
	u64 domain;
	u64 book;		/* found */
};

/* Numbers begin with 1; one that was given, but not to the end, has a mark instead of its object. */
static long object_step(u32 i, struct object_search *s)
{
	struct iommufd_object *obj = xarray_load((void *)s->head, i + 1);
	struct iommufd_hwpt_paging *hwpt =
		(void *)obj - bpf_core_field_offset(struct iommufd_hwpt_paging, common.obj);

	if (!xarray_is_pointer(obj) ||
	    BPF_CORE_READ(obj, type) !=
		    bpf_core_enum_value(enum iommufd_object_type, IOMMUFD_OBJ_HWPT_PAGING) ||
	    (u64)BPF_CORE_READ(hwpt, common.domain) != s->domain)
		return 0;
	s->book = (u64)BPF_CORE_READ(hwpt, ioas) + bpf_core_field_offset(struct iommufd_ioas, iopt);
	return 1;
}

/* struct io_pagetable *; 0: not (yet) known */
static __always_inline u64 iommufd_book(struct iommufd_ctx *ctx, u64 domain)
{
	struct object_search s = { .domain = domain };
	u32 last;

	s.head = (u64)BPF_CORE_READ(ctx, objects.xa_head);
	last = xarray_last((void *)s.head);
	bpf_loop(last < IOMMUFD_OBJECTS ? last : IOMMUFD_OBJECTS, object_step, &s, 0);
	return s.book;
}

/* ---- areas ---- */

static __always_inline bool pages_are_dmabuf(struct iopt_pages *pages)
{
	struct iopt_pages___dmabuf *buf = (void *)pages;
	struct iopt_pages___type *t = (void *)pages;

	return bpf_core_field_exists(buf->dmabuf) &&
	       bpf_core_enum_value_exists(enum iopt_address_type___dmabuf, IOPT_ADDRESS_DMABUF) &&
	       BPF_CORE_READ(t, type) ==
		       bpf_core_enum_value(enum iopt_address_type___dmabuf, IOPT_ADDRESS_DMABUF);
}

static __always_inline bool pages_are_memory(struct iopt_pages *pages)
{
	struct iopt_pages___type *t = (void *)pages;

	return !bpf_core_field_exists(t->type) ||
	       BPF_CORE_READ(t, type) ==
		       bpf_core_enum_value(enum iopt_address_type, IOPT_ADDRESS_USER);
}

/* First the mutex: who revokes later unmaps later, and that is counted. */
static __always_inline u32 dmabuf_flags(struct iopt_pages *pages)
{
	struct iopt_pages___dmabuf *buf = (void *)pages;

	if (mutex_is_held((void *)pages + bpf_core_field_offset(struct iopt_pages, mutex)))
		return PEEK_AREA_UNSURE;
	return BPF_CORE_READ(buf, dmabuf.phys.len) ? 0 : PEEK_AREA_EMPTY;
}

/* iopt_area_start_byte() */
static __always_inline void area_process(struct peek_area *area, struct iopt_area *from,
					 struct iopt_pages *pages)
{
	struct task_struct *task = BPF_CORE_READ(pages, source_task);

	area->vaddr = (u64)BPF_CORE_READ(pages, uptr) + BPF_CORE_READ(from, page_offset) +
		      BPF_CORE_READ(from, pages_node.start) * 4096;
	area->mm = (u64)BPF_CORE_READ(pages, source_mm);
	area->tgid = task && (u64)BPF_CORE_READ(task, mm) == area->mm ? BPF_CORE_READ(task, tgid) : 0;
}

static __always_inline void iommufd_area(struct peek_area *area, struct iopt_area *from)
{
	struct iopt_pages *pages = BPF_CORE_READ(from, pages);

	__builtin_memset(area, 0, sizeof(*area));
	area->first = BPF_CORE_READ(from, node.start);
	area->last = BPF_CORE_READ(from, node.last);
	area->prot = BPF_CORE_READ(from, iommu_prot);
	if (!pages)
		area->flags = PEEK_AREA_UNSURE;
	else if (pages_are_dmabuf(pages))
		area->flags = dmabuf_flags(pages);
	else if (pages_are_memory(pages))
		area_process(area, from, pages);
}

static long iommufd_step(u32 i, struct book_walk *w)
{
	struct rb_node *node = node_above((void *)w->root, BOOK_IOMMUFD, w->from);
	struct peek_area *area = bpf_map_lookup_elem(&peek_areas, &w->count);

	if (!node) {
		w->done = 1;
		return 1;
	}
	if (!area)
		return 1;
	iommufd_area(area, (void *)node - bpf_core_field_offset(struct iopt_area, node) -
				   bpf_core_field_offset(struct interval_tree_node, rb));
	/* It went while it was read, and its memory is another's. */
	if (area->first > w->to || area->last < area->first || area->last < w->from) {
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

struct domain_search {
	u64 head;
	u64 domain;
	u64 found;
};

static long domain_step(u32 i, struct domain_search *s)
{
	s->found = (u64)xarray_load((void *)s->head, i) == s->domain;
	return s->found;
}

static __always_inline bool iommufd_has_domain(struct io_pagetable *iopt, u64 domain)
{
	u32 count = BPF_CORE_READ(iopt, next_domain_id);
	struct domain_search s = { .domain = domain };

	s.head = (u64)BPF_CORE_READ(iopt, domains.xa_head);
	bpf_loop(count < IOMMUFD_DOMAINS ? count : IOMMUFD_DOMAINS, domain_step, &s, 0);
	return s.found;
}

static __always_inline bool iommufd_is_busy(struct io_pagetable *iopt)
{
	return rwsem_is_written((void *)iopt + bpf_core_field_offset(struct io_pagetable, iova_rwsem));
}

SEC("syscall")
int peek_iommufd(struct peek_book *ask)
{
	struct io_pagetable *iopt = (void *)ask->book;
	struct book_walk w = { .from = ask->from, .to = ask->to };

	ask->count = ask->full = ask->busy = ask->has_domain = 0;
	if (!iommufd_is_known() || !iopt)
		return 0;
	ask->busy = iommufd_is_busy(iopt);
	ask->has_domain = iommufd_has_domain(iopt, ask->domain);
	w.root = ask->book + bpf_core_field_offset(struct io_pagetable, area_itree.rb_root);
	bpf_loop(PEEK_AREAS + 1, iommufd_step, &w, 0);
	ask->count = w.count;
	ask->full = !w.done;
	ask->busy |= iommufd_is_busy(iopt);
	return 0;
}

#endif
