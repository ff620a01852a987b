/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* The part of refiommu.h about address spaces. */
#ifndef REFIOMMU_ABI_IOAS_H
#define REFIOMMU_ABI_IOAS_H

#include "refiommu.h"

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

#endif /* REFIOMMU_ABI_IOAS_H */
