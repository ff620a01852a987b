/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What kernel_types.h is, for iommufd: in the kernel image, a module, or not there at all. */
#ifndef IOMMUSCOPE_KERNEL_IOMMUFD_H
#define IOMMUSCOPE_KERNEL_IOMMUFD_H

#include "kernel_types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct rw_semaphore {
	struct atomic count;
};

struct rwbase_rt {
	atomic_t readers;
};

/* PREEMPT_RT, include/linux/rwsem.h */
struct rw_semaphore___rt {
	struct rwbase_rt rwbase;
};

struct rb_root_cached {
	struct rb_root rb_root;
};

struct interval_tree_node {
	struct rb_node rb;
	unsigned long start;
	unsigned long last;		/* inclusive */
};

/* drivers/iommu/iommufd/iommufd_private.h, include/linux/iommufd.h */
enum iommufd_object_type { IOMMUFD_OBJ_HWPT_PAGING };	/* numbers are the kernel's */

struct iommufd_object {
	enum iommufd_object_type type;
};

struct iommufd_ctx {
	struct xarray objects;
	struct xarray groups;		/* by number of the group */
};

struct iommufd_group {
	struct iommufd_ctx *ictx;
	struct iommu_group *group;
};

struct io_pagetable {
	struct xarray domains;		/* 0 ... next_domain_id - 1 */
	unsigned int next_domain_id;
	struct rw_semaphore iova_rwsem;
	struct rb_root_cached area_itree;
};

struct iommufd_ioas {
	struct io_pagetable iopt;
};

struct iommufd_hw_pagetable {
	struct iommufd_object obj;
	struct iommu_domain *domain;
};

struct iommufd_hwpt_paging {
	struct iommufd_hw_pagetable common;
	struct iommufd_ioas *ioas;
};

/* drivers/iommu/iommufd/io_pagetable.h */
struct iopt_area {
	struct interval_tree_node node;
	struct interval_tree_node pages_node;
	struct iopt_pages *pages;
	unsigned int page_offset;
	int iommu_prot;
};

struct iopt_pages {
	struct mutex mutex;
	struct task_struct *source_task;
	struct mm_struct *source_mm;
	void *uptr;
};

enum iopt_address_type { IOPT_ADDRESS_USER };		/* 6.13+ */

struct iopt_pages___type {		/* 6.13+ */
	enum iopt_address_type type;
};

struct phys_vec {
	unsigned long len;		/* 0: revoked */
};

struct iopt_pages_dmabuf {
	struct phys_vec phys;
};

enum iopt_address_type___dmabuf { IOPT_ADDRESS_DMABUF };	/* 6.19+ */

struct iopt_pages___dmabuf {		/* 6.19+ */
	struct iopt_pages_dmabuf dmabuf;
};

#pragma clang attribute pop

#endif
