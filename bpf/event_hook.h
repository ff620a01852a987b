/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Records of the recording itself: what is heard, what is lost; part of event.h, which includes it. */
#ifndef IOMMUSCOPE_EVENT_HOOK_H
#define IOMMUSCOPE_EVENT_HOOK_H

/*
 * Hooks: what we listen to. The number is the row of the hook table in
 * user/live/hooks.c; frames and EV_SKIP carry it.
 */
enum ev_hook_id {
	HOOK_DOMAIN_ALLOC = 0,
	HOOK_DOMAIN_FREE,
	HOOK_ATTACH,
	HOOK_RELEASE,
	HOOK_PASID_ATTACH,
	HOOK_PASID_DETACH,
	HOOK_MAP,
	HOOK_MAP_ATOMIC,
	HOOK_MAP_SG,
	HOOK_MAP_SG_ATOMIC,
	HOOK_UNMAP,
	HOOK_UNMAP_FAST,
	HOOK_UNBIND,
	HOOK_MODULE_LOAD,
	HOOK_MODULE_FREE,
	HOOK_VFIO_IOCTL,
	HOOK_VFIO_ATTACH_GROUP,
	HOOK_VFIO_DETACH_GROUP,
	HOOK_DMA_MAP_PHYS,
	HOOK_DMA_UNMAP_PHYS,
	HOOK_DMA_MAP_PAGE,
	HOOK_DMA_UNMAP_PAGE,
	HOOK_DMA_MAP_SG,
	HOOK_DMA_MAP_SGTABLE,
	HOOK_DMA_UNMAP_SG,
	HOOK_DMA_ALLOC,
	HOOK_DMA_FREE,
	HOOK_DMA_MAP_RESOURCE,
	HOOK_DMA_UNMAP_RESOURCE,
	HOOK_DMA_IOVA_LINK,
	HOOK_DMA_IOVA_UNLINK,
	HOOK_DMA_IOVA_DESTROY,
	HOOK_FLUSH_VTD,
	HOOK_FLUSH_AMD,
	HOOK_TAG_VTD,
	HOOK_TAG_AMD,
	HOOK_PAGING_ALLOC,
	/* Attached in this order when the module comes: who hears a tag hears its flushes. */
	HOOK_REF_FLUSH,
	HOOK_REF_TAG,
	HOOK_REF_INTENT,
	HOOK_REF_REPLAY,
	HOOK_REF_REPLAY_ENTRY,
	HOOK_REF_DMA,
	HOOK_REF_FAULT,
	HOOK_PAGE_FREE,
	/* Table pages that go back to the allocator. */
	HOOK_TABLE_VTD,
	HOOK_TABLE_AMD,
	HOOK_REF_TABLE,
	HOOK_ATS_OFF,
	/* What drivers say that they hand over; on 6.12 and later called only for swiotlb. */
	HOOK_DMA_SYNC_CPU,
	HOOK_DMA_SYNC_DEVICE,
	HOOK_DMA_SYNC_SG_CPU,
	HOOK_DMA_SYNC_SG_DEVICE,
	HOOK_FAULT_CORE,
	HOOK_FAULT_VTD,
	HOOK_FAULT_AMD,
	HOOK_FAULT_AMD_IRQ,
	HOOK_PASID_REPLACE,
	HOOK_TASK_FREE,		/* writes no record */
	HOOK_COUNT,		/* grows: never in a record */
};

#ifndef __bpf__
/* Rows that only add records: a call that was not heard makes nothing else doubtful. */
static inline int hook_only_adds(__u32 hook)
{
	switch (hook) {
	case HOOK_PAGE_FREE:
	case HOOK_REF_DMA:
	case HOOK_REF_FAULT:
	case HOOK_DMA_SYNC_CPU:
	case HOOK_DMA_SYNC_DEVICE:
	case HOOK_DMA_SYNC_SG_CPU:
	case HOOK_DMA_SYNC_SG_DEVICE:
	case HOOK_FAULT_CORE:
	case HOOK_FAULT_VTD:
	case HOOK_FAULT_AMD:
	case HOOK_FAULT_AMD_IRQ:
	case HOOK_TASK_FREE:
	case HOOK_TABLE_VTD:
	case HOOK_TABLE_AMD:
		return 1;
	default:
		return 0;
	}
}
#endif

/* In a record: no hook. Readers take every number that they do not know for it. */
#define HOOK_NONE 0xffffffff

enum ev_hook_state {
	EV_HOOK_HEARD = 0,	/* attached from time_ns on */
	EV_HOOK_PENDING = 1,	/* its module is not loaded */
	EV_HOOK_MISSING = 2,	/* this kernel has no such function */
	EV_HOOK_REFUSED = 3,	/* the kernel refused the program */
	EV_HOOK_OFF = 4,	/* not wanted (filters) */
	EV_HOOK_COVERED = 5,	/* not needed: other rows hear it all on this kernel */
};

/* One row of the hook table, at the start and whenever its state changes. */
struct ev_hook {
	struct ev_hdr h;
	__u32 hook;		/* row number, user/live/hooks.c */
	__u32 state;		/* enum ev_hook_state */
	char name[24];		/* e.g. action.map */
	char function[40];	/* kernel function or tracepoint heard */
};
_Static_assert(sizeof(struct ev_hook) == 96, "wire ABI");

/*
 * Recursion skips of one hook between @from_ns and h.time_ns, read from the
 * kernel's recursion_misses. Written when a counter moved.
 */
struct ev_missed {
	struct ev_hdr h;
	__u64 from_ns;
	__u32 hook;
	__u32 entry;		/* 1: an entry program (only begin and cause are lost) */
	__u64 delta;		/* calls missed in the interval */
	__u64 total;		/* since the start */
};
_Static_assert(sizeof(struct ev_missed) == 56, "wire ABI");

/* A call whose entry was heard and whose exit was skipped: found by its stash. */
struct ev_skip {
	struct ev_hdr h;
	__u64 begin_ns;
	__u64 object;		/* domain, device, iommu or container, by hook */
	__u64 iova;		/* or DMA address, or 0 */
	__u64 size;
	__u32 hook;
	__u32 pad;
};
_Static_assert(sizeof(struct ev_skip) == 64, "wire ABI");

enum ev_mark_kind {
	EV_MARK_ATTACHED = 1,	/* hooks are attached; events are heard from here */
	EV_MARK_STATE = 2,	/* the state at the start has been written */
	EV_MARK_STOP = 3,	/* hooks are being detached; what follows is incomplete */
	EV_MARK_CMD_BEGIN = 4,	/* value: pid of the command after -- */
	EV_MARK_CMD_END = 5,	/* value: its wait status */
	EV_MARK_TICK = 7,	/* the counters of skips were read; value: when that began, ns */
	EV_MARK_CPU = 8,	/* this CPU was made to write something: ends its gap */
	EV_MARK_FILTER = 6,	/* value: EV_FILTER_*: part of the events was not wanted */
};

#define EV_FILTER_DEVICE	0x1
#define EV_FILTER_PID		0x2
#define EV_FILTER_INTENT	0x4	/* intents off */
#define EV_FILTER_ACTION	0x8	/* actions off */
#define EV_FILTER_FLUSH		0x10	/* flushes off */

struct ev_mark {
	struct ev_hdr h;
	__u32 kind;		/* enum ev_mark_kind */
	__u32 pad;
	__u64 value;
};
_Static_assert(sizeof(struct ev_mark) == 40, "wire ABI");

/* Last record about @cpu: @next_seq records were tried, @lost of them lost. */
struct ev_stream_end {
	struct ev_hdr h;
	__u64 next_seq;
	__u64 lost;		/* ring full */
	__u64 late;		/* written behind their time because the window was too short */
	__u32 cpu;
	__u32 pad;
};
_Static_assert(sizeof(struct ev_stream_end) == 56, "wire ABI");

#endif
