/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Wire records: the only header that BPF and userspace share.
 *
 * Invariants
 * - A record is a fact: raw values as the kernel had them, nothing interpreted.
 * - Fixed layout, little endian, 8-byte aligned, every size asserted below.
 * - A record starts with struct ev_hdr; hdr.len is its whole size and a multiple of 8.
 * - hdr.seq counts the records that one CPU tried to write, starting at 0: a gap is a
 *   loss. hdr.time_ns is when the record was made, which for an operation is its end.
 * - Names travel in records of their own (task, device, hook), never in hot ones.
 *
 * Changing a record: append fields, bump EVENT_ABI, and extend user/core/schema.c. A new type
 * needs no new EVENT_ABI: readers count the types that they do not know and go on. So a new
 * type must not be what makes an old one true.
 */
#ifndef IOMMUSCOPE_EVENT_H
#define IOMMUSCOPE_EVENT_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define EVENT_ABI 2		/* 2: ev_dma.caller; ev_fault.iommu, .raw */

/* hdr.cpu of records that userspace writes (hooks, ticks, stream ends). */
#define EV_CPU_USER 0xffff

enum ev_type {
	/* State: who is who. Cold. */
	EV_TASK = 1,		/* struct ev_task */
	EV_DEVICE = 2,		/* struct ev_device */
	EV_DOMAIN = 3,		/* struct ev_domain */
	EV_TAG = 4,		/* struct ev_tag */
	EV_UNBIND = 5,		/* struct ev_unbind */
	EV_MODULE = 6,		/* struct ev_module */
	EV_REF_TAG = 7,		/* struct ev_ref_tag */

	/* The recording itself. Written by userspace, except EV_SKIP. */
	EV_HOOK = 8,		/* struct ev_hook */
	EV_MISSED = 9,		/* struct ev_missed */
	EV_SKIP = 10,		/* struct ev_skip */
	EV_MARK = 11,		/* struct ev_mark */
	EV_STREAM_END = 12,	/* struct ev_stream_end */

	/* More state. */
	EV_IOMMU = 13,		/* struct ev_iommu */
	EV_RESV = 14,		/* struct ev_resv; written by userspace */
	EV_SYMBOL = 15,		/* struct ev_symbol */

	/* Action: what the IOMMU core did. */
	EV_ALLOC = 16,		/* struct ev_domain_op */
	EV_FREE = 17,		/* struct ev_domain_op */
	EV_ATTACH = 18,		/* struct ev_attach */
	EV_MAP = 19,		/* struct ev_map */
	EV_UNMAP = 20,		/* struct ev_unmap */
	EV_TABLE = 21,		/* struct ev_table */
	EV_PAGE_FREE = 22,	/* struct ev_page_free */
	EV_ALIAS = 23,		/* struct ev_alias */

	/* Page tables that were read. Written by userspace. */
	EV_READ = 24,		/* struct ev_read */
	EV_RUN = 25,		/* struct ev_run */
	EV_BOOK = 26,		/* struct ev_book */
	EV_SPAN = 27,		/* struct ev_span */
	EV_ROOT = 28,		/* struct ev_root */

	/* Memory: which of it must not be mapped. */
	EV_AREA = 29,		/* struct ev_area; written by userspace */
	EV_TASK_STACK = 30,	/* struct ev_task_stack */
	EV_SG_LIMIT = 31,	/* struct ev_sg_limit */

	/* Intent: what userspace or a driver asked for. */
	EV_VFIO_MAP = 32,	/* struct ev_vfio */
	EV_VFIO_UNMAP = 33,	/* struct ev_vfio */
	EV_VFIO_ATTACH = 34,	/* struct ev_vfio */
	EV_VFIO_DETACH = 35,	/* struct ev_vfio */
	EV_DMA_MAP = 36,	/* struct ev_dma */
	EV_DMA_UNMAP = 37,	/* struct ev_dma */
	EV_REF_INTENT = 38,	/* struct ev_ref_intent */
	EV_REF_REPLAY = 39,	/* struct ev_ref_replay */
	EV_DMA_SYNC = 40,	/* struct ev_dma */
	EV_STACK = 46,		/* struct ev_stack */

	/* Flush: what the hardware was told to forget. */
	EV_QI = 48,		/* struct ev_qi: one VT-d queued-invalidation descriptor */
	EV_AMD_CMD = 49,	/* struct ev_amd: one AMD-Vi command */
	EV_AMD_WAIT = 50,	/* struct ev_amd: its completion-wait command */
	EV_REF_FLUSH = 51,	/* struct ev_ref_flush: one completed invalidation of refiommu */

	/* Device: what the hardware did. */
	EV_FAULT = 56,		/* struct ev_fault */
	EV_REF_DMA = 57,	/* struct ev_ref_dma */
};

/* hdr.flags */
#define EVF_CTX_MASK	0x0003	/* enum ev_ctx: execution context of the record */
#define EVF_NOENTRY	0x0004	/* the entry program was skipped: begin_ns is unknown (0) */
#define EVF_STATE	0x0008	/* read at the start of recording; not an event */
#define EVF_ROLLBACK	0x0010	/* inside a map call of the same context (undo of a failed map) */
#define EVF_SG		0x0020	/* one merged piece of an iommu_map_sg(); pieces share op.id */
#define EVF_FAST	0x0040	/* iommu_unmap_fast(): the caller flushes later */
#define EVF_QUEUED	0x0080	/* gather.queued: the flush goes through a flush queue */
#define EVF_NOCTX	0x0100	/* no scope storage to be had: cause and begin unknown */
#define EVF_TRUNC	0x0200	/* the scatterlist was longer than the program could walk */
#define EVF_NOGATHER	0x0400	/* EVF_QUEUED could not be read */

enum ev_ctx { EV_CTX_TASK = 0, EV_CTX_SOFTIRQ = 1, EV_CTX_HARDIRQ = 2, EV_CTX_NMI = 3 };

/* Every record. CTF readers show what follows the id and the length, so time comes first. */
struct ev_hdr {
	__u64 time_ns;		/* CLOCK_MONOTONIC */
	__u16 type;		/* enum ev_type; the CTF event id */
	__u16 len;		/* bytes, this header included; multiple of 8 */
	__u16 cpu;		/* CPU, or EV_CPU_USER */
	__u16 flags;		/* EVF_* */
	__u64 seq;		/* per CPU, from 0, without gaps unless records were lost */
};
_Static_assert(sizeof(struct ev_hdr) == 24, "wire ABI");

/* Every operation: intents and actions. */
struct ev_op {
	struct ev_hdr h;	/* h.time_ns is the end of the operation */
	__u64 begin_ns;		/* 0 with EVF_NOENTRY or EVF_NOCTX */
	__u64 id;		/* intents and EVF_SG pieces: unique in the recording; else 0 */
	__u64 cause;		/* id of the innermost intent this ran inside, or 0 */
	__u64 outer;		/* id of the outermost intent, or 0 */
	__u32 pid;		/* thread id; in interrupts that of the interrupted task */
	__u32 tgid;
};
_Static_assert(sizeof(struct ev_op) == 64, "wire ABI");

/* A task, once, before or soon after its first record. */
struct ev_task {
	struct ev_hdr h;
	__u32 pid;
	__u32 tgid;
	char comm[16];
};
_Static_assert(sizeof(struct ev_task) == 48, "wire ABI");

#include "event_hook.h"

enum ev_driver { EV_DRIVER_OTHER = 0, EV_DRIVER_VTD = 1, EV_DRIVER_AMD = 2, EV_DRIVER_REF = 3 };

#define EV_DEV_UNTRUSTED	0x1	/* pci_dev->untrusted */
#define EV_DEV_ATS		0x2	/* device TLB enabled in the IOMMU driver's books */
#define EV_DEV_DEFERRED		0x4	/* attach deferred (kexec) */
#define EV_DEV_PROXIED	0x8	/* its DMA is another device's (VMD): it has no entry of its own */
#define EV_DEV_PASID	0x10	/* its IOMMU driver gives it PASIDs */
#define EV_DEV_COLD	0x20	/* PCI: in D3cold, without power */

/* A device: at the start, and again with each attach. */
struct ev_device {
	struct ev_hdr h;
	__u64 dev;		/* struct device * */
	__s32 group;		/* iommu group number; -1 none */
	__u32 driver_kind;	/* enum ev_driver of the IOMMU in front of it */
	__u32 flags;		/* EV_DEV_* */
	__u32 sid;		/* PCI requester id as the IOMMU driver keeps it; ~0 unknown */
	char name[32];		/* dev_name(), e.g. 0000:00:02.0 */
	char driver[24];	/* bound driver, or "" */
};
_Static_assert(sizeof(struct ev_device) == 104, "wire ABI");

/* A domain: at the start, and again with each attach to it. */
struct ev_domain {
	struct ev_hdr h;
	__u64 domain;		/* struct iommu_domain * */
	__u64 ops;		/* struct iommu_domain_ops * */
	__u64 pgsize_bitmap;
	__u64 aperture_start;	/* iommu_domain.geometry */
	__u64 aperture_end;	/* inclusive */
	__u32 type;		/* iommu_domain.type, IOMMU_DOMAIN_* bits of include/linux/iommu.h */
	__u32 flags;		/* bits 0-7: address width that the driver really has; 0 unknown */
};
_Static_assert(sizeof(struct ev_domain) == 72, "wire ABI");

#define EV_TAG_NO_PASID 0xffffffff

#define EV_TAG_SCALABLE		0x1	/* VT-d scalable mode */
#define EV_TAG_FIRST_STAGE	0x2	/* VT-d: the domain's table is a first-stage one */

/*
 * A cache tag: from now on the IOTLB of @iommu may hold translations of @domain
 * under @did, on behalf of @dev. It ends when @dev is attached elsewhere.
 */
struct ev_tag {
	struct ev_hdr h;
	__u64 domain;
	__u64 dev;
	__u64 iommu;		/* struct intel_iommu * or struct amd_iommu *: identity only */
	__u32 driver_kind;	/* enum ev_driver */
	__u32 did;		/* domain id in that IOMMU */
	__u32 pasid;		/* or EV_TAG_NO_PASID */
	__u32 sid;		/* source id for device-TLB flushes; ~0 unknown */
	__u32 ats;		/* 1: the device's own TLB may hold it too */
	__u32 scalable;		/* EV_TAG_* */
};
_Static_assert(sizeof(struct ev_tag) == 72, "wire ABI");

#define EV_IOMMU_CACHING	0x1	/* VT-d CM, AMD NpCache: what is not present may be cached */
#define EV_IOMMU_RWBF		0x2	/* VT-d: write buffers must be flushed */
#define EV_IOMMU_SCALABLE	0x4	/* VT-d: scalable mode */

/* An IOMMU, before or with the first tag that names it; at the start also those without any. */
struct ev_iommu {
	struct ev_hdr h;
	__u64 iommu;		/* as in struct ev_tag */
	__u64 cap;		/* VT-d capability register, else 0 */
	__u64 ecap;		/* VT-d extended capability register; AMD-Vi extended features */
	__u32 driver_kind;	/* enum ev_driver */
	__u32 flags;		/* EV_IOMMU_* */
	char name[16];		/* e.g. dmar0, ivhd0; "" unknown */
};
_Static_assert(sizeof(struct ev_iommu) == 72, "wire ABI");

/* enum ev_resv_type: words of /sys/kernel/iommu_groups/N/reserved_regions. */
enum ev_resv_type {
	EV_RESV_NONE = 0,	/* the group has none */
	EV_RESV_DIRECT = 1,
	EV_RESV_RELAXABLE = 2,
	EV_RESV_RESERVED = 3,
	EV_RESV_MSI = 4,	/* hardware or software: sysfs does not tell */
};

/* One reserved range of a group; all @count of them follow each other, @index from 0. */
struct ev_resv {
	struct ev_hdr h;
	__u64 first;
	__u64 last;		/* inclusive */
	__s32 group;
	__u32 type;		/* enum ev_resv_type */
	__u32 index;
	__u32 count;		/* 0 with EV_RESV_NONE */
};
_Static_assert(sizeof(struct ev_resv) == 56, "wire ABI");

/* A kernel address by name, once, before or soon after the first record that has it. */
struct ev_symbol {
	struct ev_hdr h;
	__u64 addr;
	char name[72];		/* as %pB prints it: function+0x1/0x2 [module] */
};
_Static_assert(sizeof(struct ev_symbol) == 104, "wire ABI");

/* @dev is also heard under this source id (PCI DMA aliases). */
struct ev_alias {
	struct ev_hdr h;
	__u64 dev;
	__u32 sid;
	__u32 pad;
};
_Static_assert(sizeof(struct ev_alias) == 40, "wire ABI");

/* enum ev_area_kind: words of /proc/iomem. */
enum ev_area_kind {
	EV_AREA_RAM = 1,	/* System RAM */
	EV_AREA_TEXT = 2,	/* Kernel code */
	EV_AREA_RODATA = 3,	/* Kernel rodata */
};

/* A part of physical memory, at the start. */
struct ev_area {
	struct ev_hdr h;
	__u64 first;
	__u64 last;		/* inclusive */
	__u32 kind;		/* enum ev_area_kind */
	__u32 pad;
};
_Static_assert(sizeof(struct ev_area) == 48, "wire ABI");

#define EV_STACK_PAGES	8

/* The pages of a task's kernel stack, with its EV_TASK. Only stacks in vmalloc space. */
struct ev_task_stack {
	struct ev_hdr h;
	__u32 pid;
	__u32 count;		/* of @page */
	__u64 page[EV_STACK_PAGES];	/* physical addresses */
};
_Static_assert(sizeof(struct ev_task_stack) == 96, "wire ABI");

/*
 * The first segment of a scatterlist that was mapped is longer than the device's
 * dma_parms allow, or crosses their boundary. Only those are written.
 */
struct ev_sg_limit {
	struct ev_hdr h;
	__u64 dev;
	__u64 intent;		/* id of its EV_DMA_MAP */
	__u64 addr;		/* DMA address */
	__u64 size;		/* bytes at @addr */
	__u64 boundary;		/* segment_boundary_mask */
	__u64 caller;
	__u32 length;		/* of the entry in memory */
	__u32 max_length;	/* max_segment_size */
};
_Static_assert(sizeof(struct ev_sg_limit) == 80, "wire ABI");

/* The driver let go of @dev: devres has run, nothing of the DMA API may be left. */
struct ev_unbind {
	struct ev_hdr h;
	__u64 dev;
	char driver[24];	/* "" if none was bound (device removal) */
};
_Static_assert(sizeof(struct ev_unbind) == 56, "wire ABI");

struct ev_module {
	struct ev_hdr h;
	__u32 loaded;		/* 1 load, 0 unload */
	__u32 pad;
	char name[56];
};
_Static_assert(sizeof(struct ev_module) == 88, "wire ABI");

/* EV_ALLOC at the end of the allocation, EV_FREE before the domain goes; begin_ns is that moment. */
struct ev_domain_op {
	struct ev_op op;
	__u64 domain;
	__u32 type;		/* IOMMU_DOMAIN_* bits */
	__u32 pad;
};
_Static_assert(sizeof(struct ev_domain_op) == 80, "wire ABI");

/* @dev moved from @old to @domain; 0 means none. The range of the call is [begin, end]. */
struct ev_attach {
	struct ev_op op;
	__u64 dev;
	__u64 domain;
	__u64 old;		/* as the group knew it at entry; 0 none or unknown */
	__s32 group;
	__s32 ret;
	__u32 pasid;		/* or EV_TAG_NO_PASID */
	__u32 hook;		/* row of the hook that heard it */
};
_Static_assert(sizeof(struct ev_attach) == 104, "wire ABI");

/* iommu_map(), or one physically contiguous piece of iommu_map_sg(). */
struct ev_map {
	struct ev_op op;
	__u64 domain;
	__u64 iova;
	__u64 size;		/* bytes, as passed */
	__u64 paddr;
	__u32 prot;		/* IOMMU_READ 1, IOMMU_WRITE 2, ... of include/linux/iommu.h */
	__s32 ret;		/* 0 or -errno */
};
_Static_assert(sizeof(struct ev_map) == 104, "wire ABI");

/* iommu_unmap(), iommu_unmap_fast() */
struct ev_unmap {
	struct ev_op op;
	__u64 domain;
	__u64 iova;
	__u64 size;		/* bytes, as passed */
	__u64 done;		/* bytes, as returned */
};
_Static_assert(sizeof(struct ev_unmap) == 96, "wire ABI");

#define EV_TABLE_FREED		0x1	/* went back to the allocator */
#define EV_TABLE_REPLACED	0x2	/* a map put a larger page in its place */
#define EV_TABLE_GATHERED	0x4	/* [first, last] is all that a gather held when it was synced */
#define EV_TABLE_IN_UNMAP	0x8	/* inside an unmap call: @call_* are valid */

/*
 * Page-table pages that were taken out of @domain's table; op.h.time_ns is when they went back.
 * [first, last] is what they translated; with EV_TABLE_GATHERED what the gather held, and with
 * EV_TABLE_IN_UNMAP as well the unmap that is going on may have unlinked them.
 */
struct ev_table {
	struct ev_op op;
	__u64 domain;
	__u64 first;
	__u64 last;		/* inclusive */
	__u64 paddr;		/* of the first page */
	__u64 unlinked_ns;	/* they were taken out then or later; 0 unknown */
	__u64 call_first;
	__u64 call_last;	/* inclusive */
	__u64 call_begin_ns;
	__u32 what;		/* EV_TABLE_* */
	__u32 count;		/* pages; 512 or more are 512 */
};
_Static_assert(sizeof(struct ev_table) == 136, "wire ABI");

/* Pages that had been mapped for I/O went back to the allocator. */
struct ev_page_free {
	struct ev_hdr h;
	__u64 paddr;
	__u64 bytes;
	__u32 pid;
	__u32 pad;
};
_Static_assert(sizeof(struct ev_page_free) == 48, "wire ABI");

#define EV_STACK_DEPTH	22

/*
 * Call stack of the record @of_seq of the same CPU (--stacks). Innermost first. The pieces of one
 * scatterlist (EVF_SG) have one, behind the last of them.
 */
struct ev_stack {
	struct ev_hdr h;
	__u64 of_seq;
	__u32 count;		/* of @ip */
	__u32 pad;
	__u64 ip[EV_STACK_DEPTH];
};
_Static_assert(sizeof(struct ev_stack) == 216, "wire ABI");

/* VFIO type1 ioctls, and their iommufd compatibility twins. op.id is set. */
struct ev_vfio {
	struct ev_op op;
	__u64 container;	/* file->private_data of the container: identity only; 0 unknown */
	__u64 vaddr;		/* process address (map) */
	__u64 iova;
	__u64 size;		/* bytes asked */
	__u64 done;		/* unmap: bytes the kernel said it removed */
	__u32 vfio_flags;	/* the ioctl struct's flags */
	__u32 cmd;		/* ioctl number */
	__s64 ret;		/* 0 or -errno */
};
_Static_assert(sizeof(struct ev_vfio) == 120, "wire ABI");

enum ev_dma_kind {
	EV_DMA_PAGE = 0,	/* dma_map_page/single/phys */
	EV_DMA_SG = 1,
	EV_DMA_COHERENT = 2,	/* dma_alloc_attrs/dma_free_attrs */
	EV_DMA_RESOURCE = 3,
	EV_DMA_IOVA = 4,	/* dma_iova_link/unlink/destroy: ranges, not one-to-one */
};

#define EV_DMA_ERROR (~0ULL)

/* DMA API calls. op.id is set. */
struct ev_dma {
	struct ev_op op;
	__u64 dev;
	__u64 addr;		/* DMA address; EV_DMA_ERROR if the map failed */
	__u64 size;		/* bytes; SG: DMA length of the first segment at map, 0 at unmap */
	__u64 paddr;		/* CPU physical, where the call knows it, else 0 */
	__u64 ptr;		/* SG: the scatterlist; COHERENT: kernel virtual address */
	__u64 attrs;		/* DMA_ATTR_* */
	__u32 dir;		/* enum dma_data_direction; COHERENT: 0 */
	__u32 kind;		/* enum ev_dma_kind */
	__u32 nents;		/* SG: entries asked */
	__u32 mapped;		/* SG map: entries returned; sync: 1 for the CPU, 0 for the device */
	__u64 caller;		/* return address in who called; 0 unknown. EVENT_ABI 2 */
};
_Static_assert(sizeof(struct ev_dma) == 136, "wire ABI");

/* One descriptor of a qi_submit_sync(); h.time_ns is when that call returned. */
struct ev_qi {
	struct ev_hdr h;
	__u64 begin_ns;		/* of the call; 0 unknown */
	__u64 iommu;
	__u64 qw0;		/* VT-d specification, 6.5.2 */
	__u64 qw1;
	__u32 index;		/* of the descriptor in the call */
	__u32 count;		/* of the call */
	__s32 ret;
	__u32 pad;
};
_Static_assert(sizeof(struct ev_qi) == 72, "wire ABI");

/*
 * EV_AMD_CMD: one command written to the command buffer. EV_AMD_WAIT: the
 * COMPLETION_WAIT command was written; the queue runs in order, so what was written
 * to that IOMMU before is complete when the writer's wait returns (the waiting function
 * itself is inlined on 6.1 and 6.12: a wait that times out is not seen).
 */
struct ev_amd {
	struct ev_hdr h;
	__u64 begin_ns;		/* of the call; 0 unknown */
	__u64 iommu;
	__u64 qw0;		/* AMD IOMMU specification, 2.4 */
	__u64 qw1;
	__s32 ret;
	__u32 pad;
};
_Static_assert(sizeof(struct ev_amd) == 64, "wire ABI");

#include "event_ref.h"
#include "event_read.h"

/* Largest record; a reader may refuse anything longer. */
#define EV_LEN_MAX 256

#endif
