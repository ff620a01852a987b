/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events refiommu:refiommu_*. All arguments are scalars or pointers to the core's objects, so
 * that a raw tracepoint program reads them without type information. iommuscope's hook table hears
 * them (user/live/hooks.c): the order of arguments is part of that contract. Raw tracepoints are
 * found by the event's name alone, the system is no part of it: each name says whose it is.
 *
 *   refiommu_intent_begin, refiommu_intent_end
 *                   a call at /dev/refiommu that changes mappings (REF_INTENT_*); ioas: a number
 *                   of the address space that is unique over all files
 *   refiommu_replay_begin, refiommu_replay_entry, refiommu_replay_end
 *   refiommu_tag    a device's translations may be cached under (instance, did), or no longer
 *   refiommu_flush  a completed invalidation, as it was sent
 *   refiommu_table  a table page of a living domain was unlinked, or went back to the allocator
 *   refiommu_dma    a DMA of an endpoint has ended
 *   refiommu_fault  an I/O page fault
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM refiommu

#if !defined(REFIOMMU_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define REFIOMMU_TRACE_H

#include <linux/iommu.h>
#include <linux/tracepoint.h>

#ifndef REF_TRACE_ENUMS
#define REF_TRACE_ENUMS
#define REF_INTENT_MAP 1
#define REF_INTENT_UNMAP 2
#define REF_INTENT_ATTACH 3
#define REF_INTENT_DETACH 4
#define REF_INTENT_REPLAY 5
#define REF_INTENT_FREE 6
#define REF_INTENT_ALLOC 7

#define REF_FLUSH_RANGE 1 /* IOTLB, [first, last] of domain id did */
#define REF_FLUSH_DOMAIN 2 /* IOTLB, all of domain id did */
#define REF_FLUSH_CONTEXT 3 /* context cache, dev */
#endif

TRACE_EVENT(refiommu_intent_begin,
	TP_PROTO(u32 op, u32 ioas, struct device *dev, u64 first, u64 last, u64 uaddr, u32 prot),
	TP_ARGS(op, ioas, dev, first, last, uaddr, prot),
	TP_STRUCT__entry(
		__field(u32, op)
		__field(u32, ioas)
		__field(u64, first)
		__field(u64, last)
		__field(u64, uaddr)
		__field(u32, prot)
		__string(dev, dev ? dev_name(dev) : "")
	),
	TP_fast_assign(
		__entry->op = op;
		__entry->ioas = ioas;
		__entry->first = first;
		__entry->last = last;
		__entry->uaddr = uaddr;
		__entry->prot = prot;
		__assign_str(dev);
	),
	TP_printk("op=%u ioas=%u dev=%s first=0x%llx last=0x%llx uaddr=0x%llx prot=%u",
		  __entry->op, __entry->ioas, __get_str(dev), __entry->first, __entry->last,
		  __entry->uaddr, __entry->prot)
);

TRACE_EVENT(refiommu_intent_end,
	TP_PROTO(u32 op, u32 ioas, int err, u64 bytes),
	TP_ARGS(op, ioas, err, bytes),
	TP_STRUCT__entry(
		__field(u32, op)
		__field(u32, ioas)
		__field(int, err)
		__field(u64, bytes)
	),
	TP_fast_assign(
		__entry->op = op;
		__entry->ioas = ioas;
		__entry->err = err;
		__entry->bytes = bytes;
	),
	TP_printk("op=%u ioas=%u err=%d bytes=0x%llx", __entry->op, __entry->ioas, __entry->err,
		  __entry->bytes)
);

TRACE_EVENT(refiommu_replay_begin,
	TP_PROTO(u32 ioas, struct iommu_domain *domain),
	TP_ARGS(ioas, domain),
	TP_STRUCT__entry(
		__field(u32, ioas)
		__field(void *, domain)
	),
	TP_fast_assign(
		__entry->ioas = ioas;
		__entry->domain = domain;
	),
	TP_printk("ioas=%u domain=%p", __entry->ioas, __entry->domain)
);

/* type: 0 a mapping, else REFIOMMU_RANGE_*; action: 0 skipped, 1 set up, 2 mapped, 3 was there */
TRACE_EVENT(refiommu_replay_entry,
	TP_PROTO(u32 ioas, struct iommu_domain *domain, u64 first, u64 last, u32 type, u32 action,
		 int err),
	TP_ARGS(ioas, domain, first, last, type, action, err),
	TP_STRUCT__entry(
		__field(u32, ioas)
		__field(void *, domain)
		__field(u64, first)
		__field(u64, last)
		__field(u32, type)
		__field(u32, action)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->ioas = ioas;
		__entry->domain = domain;
		__entry->first = first;
		__entry->last = last;
		__entry->type = type;
		__entry->action = action;
		__entry->err = err;
	),
	TP_printk("ioas=%u domain=%p first=0x%llx last=0x%llx type=%u action=%u err=%d",
		  __entry->ioas, __entry->domain, __entry->first, __entry->last, __entry->type,
		  __entry->action, __entry->err)
);

TRACE_EVENT(refiommu_replay_end,
	TP_PROTO(u32 ioas, struct iommu_domain *domain, u64 mapped, int err),
	TP_ARGS(ioas, domain, mapped, err),
	TP_STRUCT__entry(
		__field(u32, ioas)
		__field(void *, domain)
		__field(u64, mapped)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->ioas = ioas;
		__entry->domain = domain;
		__entry->mapped = mapped;
		__entry->err = err;
	),
	TP_printk("ioas=%u domain=%p mapped=0x%llx err=%d", __entry->ioas, __entry->domain,
		  __entry->mapped, __entry->err)
);

TRACE_EVENT(refiommu_tag,
	TP_PROTO(u32 instance, struct iommu_domain *domain, u32 did, struct device *dev,
		 bool assigned),
	TP_ARGS(instance, domain, did, dev, assigned),
	TP_STRUCT__entry(
		__field(u32, instance)
		__field(void *, domain)
		__field(u32, did)
		__field(bool, assigned)
		__string(dev, dev_name(dev))
	),
	TP_fast_assign(
		__entry->instance = instance;
		__entry->domain = domain;
		__entry->did = did;
		__entry->assigned = assigned;
		__assign_str(dev);
	),
	TP_printk("instance=%u domain=%p did=%u dev=%s %s", __entry->instance, __entry->domain,
		  __entry->did, __get_str(dev), __entry->assigned ? "assigned" : "unassigned")
);

/* domain: NULL for contexts; dev: NULL but for contexts; begin_ns: ktime_get_ns() when sent */
TRACE_EVENT(refiommu_flush,
	TP_PROTO(u32 instance, u32 kind, struct iommu_domain *domain, u32 did, u64 first, u64 last,
		 struct device *dev, u64 begin_ns),
	TP_ARGS(instance, kind, domain, did, first, last, dev, begin_ns),
	TP_STRUCT__entry(
		__field(u32, instance)
		__field(u32, kind)
		__field(void *, domain)
		__field(u32, did)
		__field(u64, first)
		__field(u64, last)
		__field(u64, begin_ns)
		__string(dev, dev ? dev_name(dev) : "")
	),
	TP_fast_assign(
		__entry->instance = instance;
		__entry->kind = kind;
		__entry->domain = domain;
		__entry->did = did;
		__entry->first = first;
		__entry->last = last;
		__entry->begin_ns = begin_ns;
		__assign_str(dev);
	),
	TP_printk("instance=%u kind=%u domain=%p did=%u first=0x%llx last=0x%llx dev=%s begin=%llu",
		  __entry->instance, __entry->kind, __entry->domain, __entry->did, __entry->first,
		  __entry->last, __get_str(dev), __entry->begin_ns)
);

/*
 * first, last: what the page translated. unlinked_ns: ktime_get_ns() when it was taken out, 0 if
 * that was not kept. freed: it went back to the allocator; else it waits for a flush.
 */
TRACE_EVENT(refiommu_table,
	TP_PROTO(struct iommu_domain *domain, u64 paddr, u64 first, u64 last, u64 unlinked_ns,
		 bool freed),
	TP_ARGS(domain, paddr, first, last, unlinked_ns, freed),
	TP_STRUCT__entry(
		__field(void *, domain)
		__field(u64, paddr)
		__field(u64, first)
		__field(u64, last)
		__field(u64, unlinked_ns)
		__field(bool, freed)
	),
	TP_fast_assign(
		__entry->domain = domain;
		__entry->paddr = paddr;
		__entry->first = first;
		__entry->last = last;
		__entry->unlinked_ns = unlinked_ns;
		__entry->freed = freed;
	),
	TP_printk("domain=%p paddr=0x%llx first=0x%llx last=0x%llx unlinked=%llu %s",
		  __entry->domain, __entry->paddr, __entry->first, __entry->last,
		  __entry->unlinked_ns, __entry->freed ? "freed" : "unlinked")
);

/* op: REFIOMMU_DMA_*, flags: REFIOMMU_DMA_* of the result */
TRACE_EVENT(refiommu_dma,
	TP_PROTO(struct device *dev, u32 op, u64 first, u64 last, u64 done, u32 flags),
	TP_ARGS(dev, op, first, last, done, flags),
	TP_STRUCT__entry(
		__field(u32, op)
		__field(u64, first)
		__field(u64, last)
		__field(u64, done)
		__field(u32, flags)
		__string(dev, dev_name(dev))
	),
	TP_fast_assign(
		__entry->op = op;
		__entry->first = first;
		__entry->last = last;
		__entry->done = done;
		__entry->flags = flags;
		__assign_str(dev);
	),
	TP_printk("dev=%s op=%u first=0x%llx last=0x%llx done=0x%llx flags=0x%x", __get_str(dev),
		  __entry->op, __entry->first, __entry->last, __entry->done, __entry->flags)
);

/* reason: REFIOMMU_FAULT_*; prot: REFIOMMU_PROT_* of the access */
TRACE_EVENT(refiommu_fault,
	TP_PROTO(struct device *dev, struct iommu_domain *domain, u64 iova, u32 prot, u32 reason),
	TP_ARGS(dev, domain, iova, prot, reason),
	TP_STRUCT__entry(
		__field(void *, domain)
		__field(u64, iova)
		__field(u32, prot)
		__field(u32, reason)
		__string(dev, dev_name(dev))
	),
	TP_fast_assign(
		__entry->domain = domain;
		__entry->iova = iova;
		__entry->prot = prot;
		__entry->reason = reason;
		__assign_str(dev);
	),
	TP_printk("dev=%s domain=%p iova=0x%llx prot=%u reason=%u", __get_str(dev),
		  __entry->domain, __entry->iova, __entry->prot, __entry->reason)
);

#endif /* REFIOMMU_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
