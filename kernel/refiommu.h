/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * refiommu: the user ABI of the reference IOMMU backend, /dev/refiommu.
 *
 * Every call is an ioctl on an open file. Its argument starts with the size that the caller
 * knows, so that structs can grow: a shorter one than the first version is EINVAL, a longer
 * one is E2BIG if it exceeds a page, or if what this kernel does not know is not zero. Unknown
 * flags are EOPNOTSUPP. Fields named out_* are written, all others read; nothing is written when a
 * call fails, except where the call says so. Padding must be zero (EINVAL).
 *
 * Ranges are [first, last], both inclusive, so that the whole 64-bit space and its last byte
 * can be named. first > last is EOVERFLOW: it is what base + size - 1 becomes when it wraps.
 *
 * Opening /dev/refiommu needs CAP_SYS_RAWIO (EPERM), and no lockdown: endpoints reach memory.
 *
 * Objects (instances, endpoints, address spaces) are named by ids, belong to the file that made
 * them, and end with it. No call sees the objects of another file, but for the domains that
 * REFIOMMU_IOVA_TO_PHYS asks. Ids start at 1.
 *
 * Results that any call can give: EFAULT, EINVAL (size, padding, value out of range), E2BIG,
 * EOPNOTSUPP (flag unknown, or not for this kind of object), ENOENT (no such object),
 * ENOMEM, ENOTTY (no such call), EBUSY (an object is used, or right now by another call).
 * docs/refiommu.md compares the results with those of VFIO type1 and iommufd.
 */
#ifndef REFIOMMU_H
#define REFIOMMU_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define REFIOMMU_VERSION 1
#define REFIOMMU_MAGIC 0xb7

/* ---- ranges ---- */

/*
 * Kinds of ranges that are not the user's to map. What a replay does with each is in the
 * right columns: for an address space of a user (as VFIO and iommufd do) and for one with
 * REFIOMMU_IOAS_DIRECT (as the kernel's own DMA domains are treated).
 *
 *                                              user's       DIRECT
 */
#define REFIOMMU_RANGE_DIRECT 1 /*              excluded     mapped 1:1   */
#define REFIOMMU_RANGE_DIRECT_RELAXABLE 2 /*    ignored      mapped 1:1   */
#define REFIOMMU_RANGE_RESERVED 3 /*            excluded     excluded     */
#define REFIOMMU_RANGE_MSI 4 /*                 excluded     excluded     */
#define REFIOMMU_RANGE_SW_MSI 5 /*              window set up in each domain, never mapped */

#define REFIOMMU_PROT_READ (1U << 0)
#define REFIOMMU_PROT_WRITE (1U << 1)

/**
 * struct refiommu_range - A range and what it is
 * @first, @last: IOVAs, inclusive
 * @type: REFIOMMU_RANGE_*; 0 in lists of permitted ranges
 * @prot: REFIOMMU_PROT_*, for direct ranges; else 0
 */
struct refiommu_range {
	__u64 first;
	__u64 last;
	__u32 type;
	__u32 prot;
};

/* ---- calls about the backend ---- */

#define REFIOMMU_FORMAT_VTD 1 /* VT-d second stage; width 39, 48 or 57; 4 KiB, 2 MiB, 1 GiB */
#define REFIOMMU_FORMAT_AMDV1 2 /* AMD v1; width 12 + 9 * 1..5, or 64; powers of two from 4 KiB */
#define REFIOMMU_FORMAT_TCE 3 /* POWER TCE; 1 GiB at 0 and 2^45 bytes at 2^59; 4 KiB */

/**
 * struct refiommu_info - What this module is, and what it holds now
 * @size: of this struct
 * @flags: 0
 * @out_version: REFIOMMU_VERSION
 * @out_formats: one bit per REFIOMMU_FORMAT_*: 1 << format
 * @out_table_pages: pages (4 KiB) of page tables of all domains of all files
 * @out_pinned_pages: pages (4 KiB) that address spaces hold
 * @out_domains: paging and nested domains alive
 * @out_iotlb_entries: translations cached in all instances
 * @out_bugs: planted bugs that are on: one bit each, in the order of bugs.h
 */
struct refiommu_info {
	__u32 size;
	__u32 flags;
	__u32 out_version;
	__u32 out_formats;
	__u64 out_table_pages;
	__u64 out_pinned_pages;
	__u64 out_domains;
	__u64 out_iotlb_entries;
	__u64 out_bugs;
};

#define REFIOMMU_INFO _IO(REFIOMMU_MAGIC, 0)

/**
 * struct refiommu_destroy - End an object of any kind
 * @size: of this struct
 * @id: an instance, endpoint or address space
 *
 * EBUSY: the instance has endpoints; the endpoint's group is attached to an address space, or a
 * VFIO user has the device open; the address space has devices or nested address spaces.
 */
struct refiommu_destroy {
	__u32 size;
	__u32 id;
};

#define REFIOMMU_DESTROY _IO(REFIOMMU_MAGIC, 1)

/* DMA API unmaps need not flush: IOMMU_DOMAIN_DMA_FQ where the machine's policy allows it. */
#define REFIOMMU_INSTANCE_LAZY (1U << 0)

#define REFIOMMU_MAX_RANGES 16

/**
 * struct refiommu_instance_create - Make an IOMMU
 * @size: of this struct
 * @flags: REFIOMMU_INSTANCE_*
 * @format: REFIOMMU_FORMAT_*
 * @addr_width: bits of an IOVA; 0: 48 for VT-d, 64 for AMD v1. TCE: must be 0
 * @pgsizes: bit n set: pages of 2^n bytes; 0: all the format has. 4 KiB must be among them
 * @nr_ranges: reserved ranges of the instance, 0 … REFIOMMU_MAX_RANGES
 * @out_id: id of the instance
 * @ranges: user pointer to struct refiommu_range[nr_ranges]; they may not overlap
 *
 * EINVAL: width, page sizes or ranges that the format cannot have.
 */
struct refiommu_instance_create {
	__u32 size;
	__u32 flags;
	__u32 format;
	__u32 addr_width;
	__u64 pgsizes;
	__u32 nr_ranges;
	__u32 out_id;
	__u64 ranges;
};

#define REFIOMMU_INSTANCE_CREATE _IO(REFIOMMU_MAGIC, 2)

#define REFIOMMU_DRIVER_NONE 0 /* nobody: an address space may own it */
#define REFIOMMU_DRIVER_DMA 1 /* a kernel driver that uses the DMA API */
#define REFIOMMU_DRIVER_VFIO 2 /* a VFIO device: /dev/vfio/GROUP */

/**
 * struct refiommu_endpoint_create - Make a device behind an instance
 * @size: of this struct
 * @flags: 0
 * @instance_id: whose
 * @group: 0: a group of its own; else a number: endpoints of one instance with the same number
 *	share a group
 * @driver: REFIOMMU_DRIVER_*
 * @out_id: id of the endpoint
 * @out_group: the kernel's number of its IOMMU group
 * @out_device: number of the platform device refiommu-endpoint.N
 *
 * EBUSY: a DMA driver in a group that somebody owns. EIO: the core gave it no group; its log says
 * why.
 */
struct refiommu_endpoint_create {
	__u32 size;
	__u32 flags;
	__u32 instance_id;
	__u32 group;
	__u32 driver;
	__u32 out_id;
	__u32 out_group;
	__u32 out_device;
};

#define REFIOMMU_ENDPOINT_CREATE _IO(REFIOMMU_MAGIC, 3)

/**
 * struct refiommu_device_add - Use a device of another IOMMU as an endpoint
 * @size: of this struct
 * @flags: 0
 * @bus: "pci" or "platform", ends with a zero byte
 * @name: the device's name on that bus, as in sysfs; ends with a zero byte
 * @out_id: id of the endpoint
 * @out_group: the kernel's number of its IOMMU group
 *
 * A device that is removed while it is attached makes the core warn: detach it first.
 *
 * Such an endpoint has no DMA engine and no DMA API calls (EOPNOTSUPP); address spaces take it as
 * any other. ENODEV: no such device, or no IOMMU in front of it. EPERM: it is one of ours.
 */
struct refiommu_device_add {
	__u32 size;
	__u32 flags;
	char bus[16];
	char name[32];
	__u32 out_id;
	__u32 out_group;
};

#define REFIOMMU_DEVICE_ADD _IO(REFIOMMU_MAGIC, 4)

#define REFIOMMU_DMA_READ 1 /* memory at IOVAs to @data */
#define REFIOMMU_DMA_WRITE 2 /* @data to memory at IOVAs */
#define REFIOMMU_DMA_FILL 3 /* @data, a 64-bit value, over and over, to memory at IOVAs */
#define REFIOMMU_DMA_COPY 4 /* memory at IOVAs to memory at IOVAs from @to on */
#define REFIOMMU_DMA_PROBE 5 /* translates the range and touches no memory */

#define REFIOMMU_DMA_FAULTED (1U << 0) /* stopped at out_fault_iova */
#define REFIOMMU_DMA_STALE_IOTLB (1U << 1) /* used a cached translation the table no longer has */
#define REFIOMMU_DMA_STALE_CONTEXT (1U << 2) /* used a cached context: the device has moved */
#define REFIOMMU_DMA_FREED (1U << 3) /* reached a page that nobody owns any more; not touched */

#define REFIOMMU_FAULT_BLOCKED 1 /* blocked domain, or no context */
#define REFIOMMU_FAULT_NOT_PRESENT 2
#define REFIOMMU_FAULT_PERMISSION 3
#define REFIOMMU_FAULT_WIDTH 4 /* outside what the format translates */
#define REFIOMMU_FAULT_RESERVED_BITS 5 /* an entry that the format does not allow */
#define REFIOMMU_FAULT_STAGE2 6 /* nested: a guest-physical address has no translation */
#define REFIOMMU_FAULT_TARGET 7 /* translated, but there is no memory */

#define REFIOMMU_DMA_MAX (1ULL << 24)

/**
 * struct refiommu_dma - Let an endpoint do DMA
 * @size: of this struct
 * @endpoint_id: who
 * @op: REFIOMMU_DMA_*
 * @flags: 0
 * @first, @last: IOVAs, at most REFIOMMU_DMA_MAX bytes (EINVAL); for PROBE any range inside one
 *	page of 4 KiB
 * @to: COPY: the first IOVA written
 * @data: READ, WRITE: user pointer to as many bytes; FILL: the value; else 0
 * @out_done: bytes moved (PROBE: translated) before the end or the fault
 * @out_fault_iova: if it faulted, the IOVA
 * @out_paddr: physical address behind @first; ~0 if it has none
 * @out_flags: REFIOMMU_DMA_FAULTED and others, of all pages together
 * @out_reason: REFIOMMU_FAULT_*, if it faulted
 *
 * A fault is a result, not an error: the call returns 0.
 */
struct refiommu_dma {
	__u32 size;
	__u32 endpoint_id;
	__u32 op;
	__u32 flags;
	__u64 first;
	__u64 last;
	__u64 to;
	__u64 data;
	__u64 out_done;
	__u64 out_fault_iova;
	__u64 out_paddr;
	__u32 out_flags;
	__u32 out_reason;
};

#define REFIOMMU_DMA _IO(REFIOMMU_MAGIC, 5)

#define REFIOMMU_DMAAPI_ALLOC 1 /* dma_alloc_coherent */
#define REFIOMMU_DMAAPI_MAP 2 /* dma_map_single of memory the kernel allocates */
#define REFIOMMU_DMAAPI_MAP_SG 3 /* dma_map_sg of @nents pages */
#define REFIOMMU_DMAAPI_UNMAP 4 /* the fitting end of the three above */
#define REFIOMMU_DMAAPI_SYNC_CPU 5 /* dma_sync_*_for_cpu */
#define REFIOMMU_DMAAPI_SYNC_DEVICE 6
#define REFIOMMU_DMAAPI_CPU_READ 7 /* the CPU's view: memory to @data */
#define REFIOMMU_DMAAPI_CPU_WRITE 8

#define REFIOMMU_DMAAPI_MAX (1ULL << 22)

/**
 * struct refiommu_dmaapi - Let an endpoint's kernel driver use the DMA API
 * @size: of this struct
 * @endpoint_id: an endpoint made with REFIOMMU_DRIVER_DMA (else EOPNOTSUPP)
 * @op: REFIOMMU_DMAAPI_*
 * @dir: as enum dma_data_direction: 0 both, 1 to the device, 2 from it
 * @bytes: ALLOC, MAP: 1 … REFIOMMU_DMAAPI_MAX, MAP with @offset; CPU_*: bytes at @offset
 * @offset: MAP: of the mapping in its first page, below 4096; CPU_*: in the memory
 * @data: CPU_*: user pointer
 * @nents: MAP_SG: pages, 1 … 1024
 * @handle: all but ALLOC, MAP*: which
 * @out_handle: ALLOC, MAP*: for the other calls; starts at 1
 * @out_nents: MAP_SG: segments as the device sees them
 * @out_addr: ALLOC, MAP*: DMA address (of the first segment)
 *
 * Handles that are open when the endpoint ends are unmapped then.
 * ENOENT: no such handle. EIO: the DMA API refused.
 */
struct refiommu_dmaapi {
	__u32 size;
	__u32 endpoint_id;
	__u32 op;
	__u32 dir;
	__u64 bytes;
	__u64 offset;
	__u64 data;
	__u32 nents;
	__u32 handle;
	__u32 out_handle;
	__u32 out_nents;
	__u64 out_addr;
};

#define REFIOMMU_DMAAPI _IO(REFIOMMU_MAGIC, 6)

/**
 * struct refiommu_inject - Let a device refuse a domain
 * @size: of this struct
 * @endpoint_id: who
 * @nth: 1: the next attach of a paging or nested domain, its default domain aside, to this device
 *	fails with EIO; 2: the one after; 0: none
 * @padding: 0
 */
struct refiommu_inject {
	__u32 size;
	__u32 endpoint_id;
	__u32 nth;
	__u32 padding;
};

#define REFIOMMU_INJECT _IO(REFIOMMU_MAGIC, 7)

/* ---- lookup ---- */

#define REFIOMMU_MAX_LEVELS 6

/**
 * struct refiommu_level - One page-table entry on the way
 * @entry_addr: where the entry is: physical; in a guest's table guest-physical
 * @entry: its 64 bits as a little-endian machine reads them
 * @level: 1 for the leaf tables, counting up towards the root
 * @stage: 1: own table, or the guest's; 2: the parent's behind a guest's
 */
struct refiommu_level {
	__u64 entry_addr;
	__u64 entry;
	__u32 level;
	__u32 stage;
};

#define REFIOMMU_LOOKUP_PRESENT (1U << 0) /* translated; else the levels show how far it came */
#define REFIOMMU_LOOKUP_MAPPING (1U << 1) /* map_* name the mapping that made it */
#define REFIOMMU_LOOKUP_LEVELS (1U << 2) /* levels are known: the table is in one of our formats */
#define REFIOMMU_LOOKUP_IDENTITY (1U << 3) /* no table: IOVA is physical address */
#define REFIOMMU_LOOKUP_BLOCKED (1U << 4) /* no table: nothing passes */
#define REFIOMMU_LOOKUP_NESTED (1U << 5) /* two stages: out_gpa is valid */
#define REFIOMMU_LOOKUP_RESERVED_BITS (1U << 6) /* stopped at a malformed entry */

/**
 * struct refiommu_lookup - How is an IOVA translated, and why
 * @size: of this struct
 * @id: an address space: its own view. An endpoint: what its IOMMU's tables say now (caches are
 *	not asked: that is REFIOMMU_DMA_PROBE)
 * @endpoint_id: of an address space with devices behind several IOMMUs: whose domain; 0: the
 *	first. Of an endpoint: 0
 * @flags: 0
 * @iova: any
 * @out_paddr: physical address of the byte
 * @out_gpa: nested: guest-physical address of the byte; ~0 if the guest's table has none
 * @out_page_bytes: size of the leaf (nested: the smaller of both stages); 0: not known
 * @out_map_first, @out_map_last, @out_map_uaddr: the mapping that holds @iova, if the address
 *	space keeps intent
 * @out_prot: REFIOMMU_PROT_* (nested: what both stages allow)
 * @out_flags: REFIOMMU_LOOKUP_*
 * @out_nr_levels: valid entries of @out_levels
 * @padding: 0
 * @out_levels: entries from the root down; nested: stage 1, then the stage-2 walk of out_gpa
 *
 * ENODEV: the address space has no domain yet; its mapping is reported all the same. Of a device of
 * another IOMMU: EBUSY: no address space owns it, so that its domain may end at any time; ENODEV:
 * it was removed; EOPNOTSUPP: it has no domain.
 */
struct refiommu_lookup {
	__u32 size;
	__u32 id;
	__u32 endpoint_id;
	__u32 flags;
	__u64 iova;
	__u64 out_paddr;
	__u64 out_gpa;
	__u64 out_page_bytes;
	__u64 out_map_first;
	__u64 out_map_last;
	__u64 out_map_uaddr;
	__u32 out_prot;
	__u32 out_flags;
	__u32 out_nr_levels;
	__u32 padding;
	struct refiommu_level out_levels[2 * REFIOMMU_MAX_LEVELS];
};

#define REFIOMMU_LOOKUP _IO(REFIOMMU_MAGIC, 8)

/**
 * struct refiommu_iova_to_phys - What iommu_iova_to_phys() says of many IOVAs
 * @size: of this struct
 * @flags: 0
 * @domain: address of the struct iommu_domain, as readers of kernel memory see it: a domain of
 *	ours, or one that an address space has behind another IOMMU; of any file
 * @iovas: user pointer to __u64[nr]
 * @paddrs: user pointer to __u64[nr]: physical addresses; 0: nothing is there, or outside of the
 *	aperture. May be @iovas. When the call fails some may be written
 * @nr: 1 … 65536
 * @padding: 0
 *
 * This is the driver's answer, planted bugs included; REFIOMMU_LOOKUP walks tables of ours itself.
 * Between 64 addresses and the next the table may change.
 *
 * ENOENT: no such domain, or its life is not ours to hold (it is the kernel's or VFIO's, behind
 * another IOMMU). EBUSY: somebody is just using an address space or its file: try again.
 * EOPNOTSUPP: nested.
 */
struct refiommu_iova_to_phys {
	__u32 size;
	__u32 flags;
	__u64 domain;
	__u64 iovas;
	__u64 paddrs;
	__u32 nr;
	__u32 padding;
};

#define REFIOMMU_IOVA_TO_PHYS _IO(REFIOMMU_MAGIC, 9)

#include "refiommu_ioas.h"
#include "refiommu_view.h"

#endif /* REFIOMMU_H */
