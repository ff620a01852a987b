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
 * them, and end with it. No call sees the objects of another file. Ids start at 1.
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

/* ---- address spaces ---- */

/* No intent is kept: the page table is the truth, as with a TCE table. */
#define REFIOMMU_IOAS_UNTRACKED (1U << 0)
/* Inexact unmaps may split mappings; the price: large pages are never used. */
#define REFIOMMU_IOAS_SPLIT (1U << 1)
/* Direct ranges are mapped, as in the kernel's own DMA domains. */
#define REFIOMMU_IOAS_DIRECT (1U << 2)
/* Changes are kept for REFIOMMU_IOAS_EVENTS. */
#define REFIOMMU_IOAS_NOTIFY (1U << 3)

/**
 * struct refiommu_ioas_alloc - Make an address space
 * @size: of this struct
 * @flags: REFIOMMU_IOAS_*. UNTRACKED excludes SPLIT (it always may) and DIRECT
 * @out_id: id of the address space
 * @padding: 0
 */
struct refiommu_ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_id;
	__u32 padding;
};

#define REFIOMMU_IOAS_ALLOC _IO(REFIOMMU_MAGIC, 16)

#define REFIOMMU_MAP_MAX (1ULL << 34)

/**
 * struct refiommu_ioas_map - Map memory of the calling process
 * @size: of this struct
 * @ioas_id: where
 * @prot: REFIOMMU_PROT_*, at least one
 * @flags: 0
 * @first, @last: IOVAs, whole pages of 4 KiB
 * @uaddr: address in the process, whole pages
 *
 * The pages are pinned and count against RLIMIT_MEMLOCK until they are unmapped. All or nothing.
 *
 * EOVERFLOW: first > last, or the process's addresses wrap. EINVAL: not whole pages, no
 * permission, more than REFIOMMU_MAP_MAX bytes. ERANGE: not inside one permitted range.
 * EEXIST: something of the range is mapped. ENODEV: UNTRACKED and no device was ever attached.
 * ENOMEM: memory, or the limit of locked memory.
 */
struct refiommu_ioas_map {
	__u32 size;
	__u32 ioas_id;
	__u32 prot;
	__u32 flags;
	__u64 first;
	__u64 last;
	__u64 uaddr;
};

#define REFIOMMU_IOAS_MAP _IO(REFIOMMU_MAGIC, 17)

#define REFIOMMU_UNMAP_EXACT 1 /* whole mappings that fill the range without a hole */
#define REFIOMMU_UNMAP_INEXACT 2 /* whatever is there */
#define REFIOMMU_UNMAP_ALL 3 /* everything; first must be 0 and last ~0 */

/**
 * struct refiommu_ioas_unmap - Remove mappings
 * @size: of this struct
 * @ioas_id: where
 * @form: REFIOMMU_UNMAP_*
 * @flags: 0
 * @first, @last: IOVAs, whole pages of 4 KiB
 * @out_bytes: removed; also written on failure, then 0: a failed unmap removes nothing
 *
 * EOVERFLOW: first > last. EXACT: ENOENT if nothing is there; EINVAL if it is not exactly whole
 * mappings without a hole; EOPNOTSUPP if UNTRACKED. INEXACT: 0 with out_bytes 0 if nothing is
 * there; EINVAL if it would split a mapping of an address space that is neither SPLIT nor
 * UNTRACKED.
 */
struct refiommu_ioas_unmap {
	__u32 size;
	__u32 ioas_id;
	__u32 form;
	__u32 flags;
	__u64 first;
	__u64 last;
	__u64 out_bytes;
};

#define REFIOMMU_IOAS_UNMAP _IO(REFIOMMU_MAGIC, 18)

/**
 * struct refiommu_ioas_attach - Give an endpoint's group this address space, or move it there
 * @size: of this struct
 * @ioas_id: own or nested
 * @endpoint_id: a member of the group; all members move
 * @padding: 0
 *
 * If the group is in another address space it is blocked first, then attached: no DMA sees both. If
 * that fails it stays blocked and belongs to no address space, or is in the old one if nothing was
 * begun; never between. The DMA ownership of the group is taken until it is detached.
 *
 * A group that stayed blocked can be attached again, or detached.
 *
 * EADDRINUSE: mappings lie outside what the new device permits; nothing is changed. EALREADY: it is
 * there. EINVAL: the firmware wants direct ranges mapped at all times, and the core does not block
 * such devices. EBUSY: a driver or somebody else owns the group. EOPNOTSUPP: a nested address
 * space, and the device is not ours; UNTRACKED, and the device is behind another driver than ours.
 */
struct refiommu_ioas_attach {
	__u32 size;
	__u32 ioas_id;
	__u32 endpoint_id;
	__u32 padding;
};

#define REFIOMMU_IOAS_ATTACH _IO(REFIOMMU_MAGIC, 19)

/**
 * struct refiommu_ioas_detach - Give an endpoint's group back to the kernel
 * @size: of this struct
 * @endpoint_id: a member of the group
 *
 * Afterwards the group is in its default domain, and nothing of the address space is reachable.
 * ENOENT: it is in none, and not blocked by a switch that failed.
 */
struct refiommu_ioas_detach {
	__u32 size;
	__u32 endpoint_id;
};

#define REFIOMMU_IOAS_DETACH _IO(REFIOMMU_MAGIC, 20)

#define REFIOMMU_RANGES_PERMITTED 1
#define REFIOMMU_RANGES_RESERVED 2

/**
 * struct refiommu_ioas_ranges - Where may be mapped, or why not
 * @size: of this struct
 * @ioas_id: which
 * @which: REFIOMMU_RANGES_*
 * @nr: entries that @ranges has room for
 * @ranges: user pointer to struct refiommu_range[nr], written in order of first
 * @out_nr: entries there are; also written with EMSGSIZE
 * @padding: 0
 *
 * Permitted is what all domains translate, without reserved ranges of the devices and of
 * REFIOMMU_IOAS_RESERVE. Without any device that is [0, ~0] without the latter.
 * EMSGSIZE: more than @nr; the first @nr are written. EOPNOTSUPP: nested.
 */
struct refiommu_ioas_ranges {
	__u32 size;
	__u32 ioas_id;
	__u32 which;
	__u32 nr;
	__u64 ranges;
	__u32 out_nr;
	__u32 padding;
};

#define REFIOMMU_IOAS_RANGES _IO(REFIOMMU_MAGIC, 21)

/**
 * struct refiommu_ioas_reserve - Reserve a range in an address space
 * @size: of this struct
 * @ioas_id: where
 * @type: REFIOMMU_RANGE_*
 * @prot: REFIOMMU_PROT_* for direct ranges, else 0
 * @first, @last: IOVAs, whole pages of 4 KiB
 *
 * EADDRINUSE: something in the range is mapped. EEXIST: something in it was reserved by this call.
 * EBUSY: a direct or SW_MSI range, and devices are attached: it would have to be replayed.
 * Direct ranges: EINVAL: more than 1 GiB; EPERM: over the kernel's memory.
 */
struct refiommu_ioas_reserve {
	__u32 size;
	__u32 ioas_id;
	__u32 type;
	__u32 prot;
	__u64 first;
	__u64 last;
};

#define REFIOMMU_IOAS_RESERVE _IO(REFIOMMU_MAGIC, 22)

/**
 * struct refiommu_ioas_replay - Make the tables say what the address space means
 * @size: of this struct
 * @ioas_id: which
 * @endpoint_id: only the domain of this endpoint; 0: all
 * @flags: 0
 * @out_mapped: bytes that were missing and are mapped now
 * @out_present: bytes that were there
 * @out_setup: windows that need no mapping and are set up (SW_MSI)
 * @out_skipped: ranges that are skipped (reserved, MSI, excluded direct ones)
 *
 * EEXIST: a table holds something else in a mapping's place; it is left as it is.
 * EOPNOTSUPP: UNTRACKED with one domain only: there is nothing to compare.
 */
struct refiommu_ioas_replay {
	__u32 size;
	__u32 ioas_id;
	__u32 endpoint_id;
	__u32 flags;
	__u64 out_mapped;
	__u64 out_present;
	__u32 out_setup;
	__u32 out_skipped;
};

#define REFIOMMU_IOAS_REPLAY _IO(REFIOMMU_MAGIC, 23)

#define REFIOMMU_EVENT_MAP 1
#define REFIOMMU_EVENT_UNMAP 2
#define REFIOMMU_EVENT_LOST 3 /* events were dropped: take first..last as unknown, look again */

/**
 * struct refiommu_event - A change of an address space
 * @first, @last: IOVAs; neighbouring changes of one kind and permission are one event
 * @kind: REFIOMMU_EVENT_*
 * @prot: REFIOMMU_PROT_* of a map
 */
struct refiommu_event {
	__u64 first;
	__u64 last;
	__u32 kind;
	__u32 prot;
};

/**
 * struct refiommu_ioas_events - Take the oldest changes
 * @size: of this struct
 * @ioas_id: made with REFIOMMU_IOAS_NOTIFY (else EOPNOTSUPP)
 * @nr: room in @events
 * @out_nr: events written, and taken from the queue
 * @events: user pointer to struct refiommu_event[nr]
 */
struct refiommu_ioas_events {
	__u32 size;
	__u32 ioas_id;
	__u32 nr;
	__u32 out_nr;
	__u64 events;
};

#define REFIOMMU_IOAS_EVENTS _IO(REFIOMMU_MAGIC, 24)

/**
 * struct refiommu_ioas_invalidate - Forget cached translations
 * @size: of this struct
 * @ioas_id: own: only the whole space, [0, ~0] (else EINVAL). Nested: any range; the owner of the
 *	guest's table says with it what it changed
 * @first, @last: IOVAs
 */
struct refiommu_ioas_invalidate {
	__u32 size;
	__u32 ioas_id;
	__u64 first;
	__u64 last;
};

#define REFIOMMU_IOAS_INVALIDATE _IO(REFIOMMU_MAGIC, 25)

/**
 * struct refiommu_ioas_nest - An address space whose page table a guest owns
 * @size: of this struct
 * @flags: 0
 * @parent_id: the address space that translates guest-physical addresses; not UNTRACKED, not nested
 * @format: REFIOMMU_FORMAT_* of the guest's table
 * @addr_width: as for instances
 * @out_id: id of the nested address space
 * @root_gpa: guest-physical address of the root table (TCE: the 1 GiB window's), whole pages, not 0
 *
 * The table is read when a device does DMA or somebody looks an IOVA up, never written. What was
 * read is cached until REFIOMMU_IOAS_INVALIDATE, or until the parent unmaps. map, unmap, ranges,
 * reserve, replay and events are EOPNOTSUPP.
 */
struct refiommu_ioas_nest {
	__u32 size;
	__u32 flags;
	__u32 parent_id;
	__u32 format;
	__u32 addr_width;
	__u32 out_id;
	__u64 root_gpa;
};

#define REFIOMMU_IOAS_NEST _IO(REFIOMMU_MAGIC, 26)

/* ---- for readers of kernel memory ---- */

/*
 * Who reads the kernel's memory (a BPF program, a debugger) finds the tables without the module's
 * types. Only what is here is fixed; a change of layout or meaning changes the magic.
 *
 * A domain: struct refiommu_view is directly behind its struct iommu_domain. Only paging and nested
 * domains of ours have one.
 * A device: dev->iommu->priv points at a struct refiommu_device_view.
 *
 * Other drivers have something else in these places: the magic tells. It is gone before what the
 * view names, or the view itself, is freed.
 */
#define REFIOMMU_VIEW_MAGIC 0x7265666976646d31ULL /* "refivdm1" */
#define REFIOMMU_DEVICE_VIEW_MAGIC 0x7265666976647631ULL /* "refivdv1" */

#define REFIOMMU_VIEW_WINDOWS 2

/**
 * struct refiommu_view_window - A span of IOVAs with a root table
 * @first, @last: IOVAs, inclusive
 * @root: address of the root table; it never changes
 * @levels: levels of tables, 1 … REFIOMMU_MAX_LEVELS; the root's level is this, a leaf table's 1
 * @index_lg2: log2 of the entries of a table; a root may use fewer
 */
struct refiommu_view_window {
	__u64 first;
	__u64 last;
	__u64 root;
	__u32 levels;
	__u32 index_lg2;
};

/**
 * struct refiommu_view_table - A page table
 * @format: REFIOMMU_FORMAT_*; 0: there is no table, and the rest is 0
 * @nr_windows: those that have a root
 * @windows: in rising order of IOVAs
 */
struct refiommu_view_table {
	__u32 format;
	__u32 nr_windows;
	struct refiommu_view_window windows[REFIOMMU_VIEW_WINDOWS];
};

/**
 * struct refiommu_view - A domain; written once, before the domain can be attached
 * @magic: REFIOMMU_VIEW_MAGIC
 * @table: paging: the domain's, roots are physical addresses. Nested: the guest's, roots are
 *	guest-physical addresses
 * @parent: nested: the struct iommu_domain that translates guest-physical addresses; it has a
 *	view, too. Paging: 0
 * @did: domain id, the tag of its cached translations; unique in its instance among living domains
 * @instance: number of its instance, as in trace events
 */
struct refiommu_view {
	__u64 magic;
	struct refiommu_view_table table;
	__u64 parent;
	__u32 did;
	__u32 instance;
};

#define REFIOMMU_CONTEXT_NONE 0 /* not present: nothing passes */
#define REFIOMMU_CONTEXT_BLOCKED 1 /* nothing passes */
#define REFIOMMU_CONTEXT_IDENTITY 2 /* IOVA is physical address */
#define REFIOMMU_CONTEXT_TABLE 3
#define REFIOMMU_CONTEXT_NESTED 4 /* two stages */

/**
 * struct refiommu_device_view - What the IOMMU's memory says about a device: its context entry
 * @magic: REFIOMMU_DEVICE_VIEW_MAGIC
 * @seq: odd while the rest is written, another number afterwards. What was read is of one piece
 *	if @seq was the same and even before and after
 * @kind: REFIOMMU_CONTEXT_*
 * @did: TABLE, NESTED: the domain id; else 0
 * @instance: number of its instance
 * @table: TABLE: the table. NESTED: the second stage, from guest-physical to physical. Else 0
 * @guest: NESTED: the first stage; roots are guest-physical addresses. Else 0
 *
 * It is written under the lock under which the context is, and says what an access finds that has
 * nothing cached; what is cached (planted bugs: maybe of another domain) it does not say.
 */
struct refiommu_device_view {
	__u64 magic;
	__u32 seq;
	__u32 kind;
	__u32 did;
	__u32 instance;
	struct refiommu_view_table table;
	struct refiommu_view_table guest;
};

#endif /* REFIOMMU_H */
