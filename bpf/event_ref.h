/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Records of the module refiommu; part of event.h, which includes it.
 *
 * What its trace events say (kernel/trace.h), with its numbers as they are: kinds, actions,
 * reasons and permissions are those of that file and of kernel/refiommu.h. An instance is an
 * IOMMU.
 */
#ifndef IOMMUSCOPE_EVENT_REF_H
#define IOMMUSCOPE_EVENT_REF_H

/* As struct ev_tag: the IOTLB of @instance may hold translations of @domain, or no longer. */
struct ev_ref_tag {
	struct ev_hdr h;
	__u64 domain;
	__u64 dev;
	__u32 instance;
	__u32 did;		/* domain id, the tag in the IOTLB */
	__u32 assigned;		/* 1 from now on, 0 no longer */
	__u32 pad;
};
_Static_assert(sizeof(struct ev_ref_tag) == 56, "wire ABI");

#define EV_REF_MAP	1	/* struct ev_ref_intent.kind: REF_INTENT_* */
#define EV_REF_UNMAP	2
#define EV_REF_FREE	6
#define EV_REF_ALLOC	7

/* A call at /dev/refiommu. op.id is set. Only maps and unmaps have a range. */
struct ev_ref_intent {
	struct ev_op op;
	__u64 dev;		/* attach, detach: a device of the group; else 0 */
	__u64 first;
	__u64 last;		/* inclusive */
	__u64 uaddr;		/* process address (map) */
	__u64 bytes;		/* mapped or removed */
	__u32 kind;
	__u32 ioas;		/* address space: unique, if its EV_REF_ALLOC was heard */
	__u32 prot;		/* map: 1 read, 2 write */
	__s32 ret;		/* 0 or -errno */
};
_Static_assert(sizeof(struct ev_ref_intent) == 120, "wire ABI");

enum ev_replay_step { EV_REPLAY_BEGIN = 0, EV_REPLAY_ENTRY = 1, EV_REPLAY_END = 2 };

/*
 * An address space is replayed into a domain: one record at the begin, one for each range it
 * looked at, one at the end. Begin and end share op.id, which is the cause of the entries
 * and of the maps in between.
 */
struct ev_ref_replay {
	struct ev_op op;
	__u64 domain;
	__u64 first;		/* entry */
	__u64 last;		/* entry; inclusive */
	__u64 mapped;		/* end: bytes */
	__u32 ioas;
	__u32 step;		/* enum ev_replay_step */
	__u32 type;		/* entry: 0 a mapping, else the kind of reserved range */
	__u32 action;		/* entry: 0 skipped, 1 set up, 2 mapped, 3 was there */
	__s32 ret;		/* entry, end: 0 or -errno */
	__u32 pad;
};
_Static_assert(sizeof(struct ev_ref_replay) == 120, "wire ABI");

#define EV_REF_FLUSH_RANGE	1	/* IOTLB, [first, last] of @did */
#define EV_REF_FLUSH_DOMAIN	2	/* IOTLB, all of @did */
#define EV_REF_FLUSH_CONTEXT	3	/* context cache of @dev */

struct ev_ref_flush {
	struct ev_hdr h;
	__u64 begin_ns;		/* when it was sent */
	__u64 domain;		/* 0 for contexts */
	__u64 dev;		/* 0 but for contexts */
	__u64 first;
	__u64 last;
	__u32 instance;
	__u32 did;
	__u32 kind;		/* EV_REF_FLUSH_* */
	__u32 pad;
};
_Static_assert(sizeof(struct ev_ref_flush) == 80, "wire ABI");

#define EV_FAULT_MORE	0x1	/* others found no room: the hardware says that it dropped some */

/*
 * An I/O page fault. refiommu and the IOMMU core (iommu:io_page_fault) name the device, the access
 * and a reason. VT-d and AMD-Vi report what the hardware wrote down: @iommu, @raw and @iova, and
 * 0 in what these say more exactly.
 */
struct ev_fault {
	struct ev_hdr h;
	__u64 dev;
	__u64 domain;		/* 0 none or unknown */
	__u64 iova;
	__u32 prot;		/* of the access: 1 read, 2 write */
	__u32 reason;		/* as the IOMMU counts them */
	__u32 driver_kind;	/* enum ev_driver: whose reasons these are */
	__u32 flags;		/* EV_FAULT_* */
	__u64 iommu;		/* as in struct ev_tag; 0: the record names @dev. EVENT_ABI 2 */
	__u64 raw;		/* VT-d: bits 127:64 of the fault record; AMD-Vi: of the event the first two words */
};
_Static_assert(sizeof(struct ev_fault) == 80, "wire ABI");

/* A DMA of an endpoint has ended. */
struct ev_ref_dma {
	struct ev_hdr h;
	__u64 dev;
	__u64 first;
	__u64 last;
	__u64 done;		/* bytes */
	__u32 kind;		/* read, write, fill, copy, probe: REFIOMMU_DMA_* */
	__u32 result;		/* 1 faulted, 2 stale IOTLB, 4 stale context, 8 freed page */
};
_Static_assert(sizeof(struct ev_ref_dma) == 64, "wire ABI");

#endif
