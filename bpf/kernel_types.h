/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Every kernel type and field that our programs read, and nothing else. CO-RE moves
 * the offsets; where a field changed its name or place between 6.1 and 7.2 a flavour
 * (struct name___version) says so, and readers ask bpf_core_field_exists() first.
 *
 * Drivers of IOMMUs are in kernel_iommus.h, iommufd in kernel_iommufd.h.
 */
#ifndef IOMMUSCOPE_KERNEL_TYPES_H
#define IOMMUSCOPE_KERNEL_TYPES_H

typedef unsigned char __u8;
typedef short int __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef _Bool bool;

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

#define NULL ((void *)0)
#define true 1
#define false 0

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_F_NO_PREALLOC = 1,
	BPF_F_MMAPABLE = 1024,
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1,
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
	BPF_RB_AVAIL_DATA = 0,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
	struct list_head *next, *prev;
};

struct kset;

struct kobject {
	const char *name;
	struct list_head entry;
};

struct kset {
	struct list_head list;
};

struct module {
	char name[56];
};

struct device_driver {
	const char *name;
};

struct iommu_ops {
	struct module *owner;
};

struct iommu_device {
	const struct iommu_ops *ops;
};

struct dev_iommu {
	struct iommu_device *iommu_dev;
	void *priv;
};

struct dev_iommu___pasids {		/* 5.18+ */
	u32 max_pasids;
};

struct dev_iommu___deferred {		/* 6.4+ */
	u32 attach_deferred:1;
};

struct iommu_group;
struct bus_type;
struct pci_dev;

struct device_dma_parameters;

struct device {
	struct kobject kobj;
	struct device_dma_parameters *dma_parms;
	const struct bus_type *bus;
	struct device_driver *driver;
	struct iommu_group *iommu_group;
	struct dev_iommu *iommu;
};

struct pci_sysdata {
	struct pci_dev *vmd_dev;	/* with CONFIG_VMD */
};

struct pci_bus {
	struct pci_bus *parent;
	struct pci_dev *self;
	void *sysdata;
	unsigned char number;
};

struct pci_dev {
	struct device dev;
	struct pci_bus *bus;
	struct pci_bus *subordinate;
	unsigned int devfn;
	unsigned short dev_flags;
	u8 pcie_cap;
	u16 pcie_flags_reg;
	unsigned long *dma_alias_mask;
	int current_state;	/* pci_power_t */
	unsigned int untrusted:1;
};

struct iommu_domain_geometry {
	u64 aperture_start;
	u64 aperture_end;
};

struct iommu_domain_ops;
struct iommu_dma_cookie;

struct iommu_domain {
	unsigned int type;
	const struct iommu_domain_ops *ops;
	unsigned long pgsize_bitmap;
	struct iommu_domain_geometry geometry;
	struct iommu_dma_cookie *iova_cookie;
};

struct atomic {
	s64 counter;
};

struct mutex {
	struct atomic owner;	/* 0: free */
};

struct rt_mutex_base {
	struct task_struct *owner;	/* NULL: free */
};

/* PREEMPT_RT, include/linux/mutex_types.h */
struct mutex___rt {
	struct rt_mutex_base rtmutex;
};

struct iommu_group {
	struct kobject kobj;
	struct mutex mutex;
	struct list_head devices;
	int id;
	struct iommu_domain *default_domain;
	struct iommu_domain *domain;
	void *owner;
};

struct group_device {
	struct list_head list;
	struct device *dev;
};

struct group_device___reset {		/* 7.x: parked in the blocking domain during a reset */
	bool blocked;
};

struct iommu_iotlb_gather {
	unsigned long start;
	unsigned long end;
	struct list_head freelist;
	bool queued;
};

struct iommu_pages_list {		/* 6.16+ */
	struct list_head pages;
};

struct iommu_iotlb_gather___pages {	/* 6.16+ */
	struct iommu_pages_list freelist;
};

/* include/linux/scatterlist.h: bit 0 of page_link chains, bit 1 ends. */
struct scatterlist {
	unsigned long page_link;
	unsigned int offset;
	unsigned int length;
	u64 dma_address;
};

struct scatterlist___dma_length {	/* CONFIG_NEED_SG_DMA_LENGTH */
	unsigned int dma_length;
};

struct sg_table {
	struct scatterlist *sgl;
	unsigned int nents;
	unsigned int orig_nents;
};

typedef struct {
	int counter;
} atomic_t;

struct page {
	unsigned long flags;
	struct list_head lru;	/* on a freelist; 6.16+: struct ioptdesc, laid over it */
	unsigned long compound_head;	/* 7.2: compound_info */
	atomic_t _refcount;
};

struct page___info {			/* 7.2 */
	unsigned long compound_info;
};

struct folio {
	atomic_t _pincount;
};

enum pageflags { PG_reserved, PG_head };	/* numbers are the kernel's */

struct scatterlist___flags {		/* CONFIG_NEED_SG_DMA_FLAGS */
	unsigned int dma_flags;
};

struct dma_iova_state {			/* 6.16+ */
	u64 addr;
};

struct xarray {
	void *xa_head;
};

struct xa_node {
	unsigned char shift;
	void *slots[64];
};

struct rb_node {
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

/* include/linux/iova.h */
struct iova {
	struct rb_node node;
	unsigned long pfn_hi;
	unsigned long pfn_lo;
};

struct iova_domain {
	struct rb_root rbroot;
	unsigned long granule;	/* bytes of a pfn */
	struct iova anchor;
};

struct iommu_dma_cookie {		/* drivers/iommu/dma-iommu.c */
	struct iova_domain iovad;
};

struct pt_regs {
	unsigned long di;
	unsigned long si;
	unsigned long dx;
};

struct file_operations {
	struct module *owner;
};

struct inode {
	u32 i_rdev;
};

struct file {
	const struct file_operations *f_op;
	struct inode *f_inode;
	void *private_data;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct task_struct {
	void *stack;
	int pid;
	int tgid;
	u64 start_time;		/* ns */
	struct files_struct *files;
	struct mm_struct *mm;
};

struct vm_struct {
	struct page **pages;
	unsigned int nr_pages;
};

struct task_struct___vmap {		/* CONFIG_VMAP_STACK */
	struct vm_struct *stack_vm_area;
};

struct device_dma_parameters {
	unsigned int max_segment_size;
	unsigned long segment_boundary_mask;
};

/* drivers/vfio/vfio.h, container.c, vfio_iommu_type1.c: of modules */
struct vfio_container {
	void *iommu_data;
};

struct vfio_group {
	struct iommu_group *iommu_group;
	struct vfio_container *container;
};

struct vfio_domain {
	struct iommu_domain *domain;
	struct list_head next;
};

struct vfio_iommu {
	struct list_head domain_list;
	struct mutex lock;
	struct rb_root dma_list;
};

struct vfio_dma {
	struct rb_node node;
	u64 iova;
	unsigned long vaddr;
	unsigned long size;
	int prot;
	bool iommu_mapped;
	bool vaddr_invalid;
	struct task_struct *task;
	struct mm_struct *mm;
};

struct pcpu_hot {			/* 6.2 to 6.14 */
	int preempt_count;
};

#pragma clang attribute pop

#include "kernel_iommus.h"

#endif
