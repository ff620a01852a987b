// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Device: I/O page faults as the hardware wrote them down. We look at the entry of the
 * driver's handler, where nothing is cleared yet, and read registers only that reading does
 * not change. What the hardware adds while the handler runs is not heard, nor what it dropped
 * for lack of room (EV_FAULT_MORE). The handlers' own messages are rate limited; this is not.
 *
 * drivers/iommu/intel/dmar.c, amd/iommu.c of 6.1, 6.12 and 7.2.
 */
#include "object.bpf.h"

static __always_inline void emit_raw_fault(u64 iommu, u32 kind, u64 iova, u64 raw, u32 flags)
{
	struct ev_fault *rec;
	struct emit e;

	rec = emit_reserve(&e, EV_FAULT, sizeof(*rec), context_now());
	if (!rec)
		return;
	rec->dev = 0;
	rec->domain = 0;
	rec->iova = iova;
	rec->prot = 0;
	rec->reason = 0;
	rec->driver_kind = kind;
	rec->flags = flags;
	rec->iommu = iommu;
	rec->raw = raw;
	emit_submit(&e, rec);
}

static __always_inline u64 read_reg(u64 at)
{
	u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (void *)at);
	return value;
}

/* ---- Intel VT-d specification, 11.4.7 (capabilities), 11.4.9 and 11.4.14 (faults) ---- */

#define VTD_FSTS		0x34
#define VTD_FSTS_OVERFLOW	0x1
#define VTD_FSTS_PENDING	0x2
#define VTD_RECORD_FULL		(1ULL << 63)
#define VTD_RECORD_LEN		16
#define VTD_RECORDS		256

struct vtd_walk {
	u64 iommu;
	u64 records;
	u32 at;
	u32 count;
	u32 flags;
};

static long vtd_step(u32 i, struct vtd_walk *w)
{
	u64 at = w->records + w->at * VTD_RECORD_LEN;
	u64 raw = i < w->count ? read_reg(at + 8) : 0;

	if (!(raw & VTD_RECORD_FULL))
		return 1;
	emit_raw_fault(w->iommu, EV_DRIVER_VTD, read_reg(at), raw, w->flags);
	w->at = w->at + 1 < w->count ? w->at + 1 : 0;
	return 0;
}

/* dmar_fault(irq, iommu) */
SEC("fentry")
int fault_vtd(void *ctx)
{
	struct intel_iommu *iommu = (void *)arg(ctx, 1);
	u64 reg = (u64)BPF_CORE_READ(iommu, reg);
	u64 cap = BPF_CORE_READ(iommu, cap);
	struct vtd_walk w = { .iommu = (u64)iommu };
	u32 status = 0;

	bpf_probe_read_kernel(&status, sizeof(status), (void *)(reg + VTD_FSTS));
	if (!(status & VTD_FSTS_PENDING))
		return 0;
	w.records = reg + (cap >> 24 & 0x3ff) * 16;
	w.count = (cap >> 40 & 0xff) + 1;
	w.at = status >> 8 & 0xff;
	w.flags = status & VTD_FSTS_OVERFLOW ? EV_FAULT_MORE : 0;
	bpf_loop(VTD_RECORDS, vtd_step, &w, 0);
	return 0;
}

/* ---- AMD I/O Virtualization Technology specification, 2.5 (event log), 3.4 (registers) ---- */

#define AMD_EVT_BASE		0x10	/* bits 59:56: log2 of the number of entries */
#define AMD_EVT_HEAD		0x2010
#define AMD_EVT_TAIL		0x2018
#define AMD_STATUS		0x2020
#define AMD_STATUS_OVERFLOW	0x1
#define AMD_EVENT_LEN		16
#define AMD_EVENT_MASK		0x7fff0	/* of head and tail */
#define AMD_EVENT_PAGE_FAULT	2
#define AMD_EVENTS		512	/* as many as 6.12 has room for */

struct amd_walk {
	u64 iommu;
	u64 log;
	u32 head;
	u32 tail;
	u32 mask;		/* length of the log in bytes, less 1 */
	u32 flags;
};

static long amd_step(u32 i, struct amd_walk *w)
{
	u64 at = w->log + w->head, raw;

	if (w->head == w->tail)
		return 1;
	raw = read_reg(at);
	if (raw >> 60 == AMD_EVENT_PAGE_FAULT)
		emit_raw_fault(w->iommu, EV_DRIVER_AMD, read_reg(at + 8), raw, w->flags);
	w->head = (w->head + AMD_EVENT_LEN) & w->mask;
	return 0;
}

static __always_inline void amd_events(struct amd_iommu *iommu)
{
	u64 mmio = (u64)BPF_CORE_READ(iommu, mmio_base);
	struct amd_walk w = {
		.iommu = (u64)iommu,
		.log = (u64)BPF_CORE_READ(iommu, evt_buf),
		.head = read_reg(mmio + AMD_EVT_HEAD) & AMD_EVENT_MASK,
		.tail = read_reg(mmio + AMD_EVT_TAIL) & AMD_EVENT_MASK,
		.mask = (AMD_EVENT_LEN << (read_reg(mmio + AMD_EVT_BASE) >> 56 & 0xf)) - 1,
	};

	if (read_reg(mmio + AMD_STATUS) & AMD_STATUS_OVERFLOW)
		w.flags = EV_FAULT_MORE;
	bpf_loop(AMD_EVENTS, amd_step, &w, 0);
}

/* iommu_poll_events(iommu) */
SEC("fentry")
int fault_amd(void *ctx)
{
	amd_events((void *)arg(ctx, 0));
	return 0;
}

/* amd_iommu_int_thread(irq, iommu) */
SEC("fentry")
int fault_amd_irq(void *ctx)
{
	amd_events((void *)arg(ctx, 1));
	return 0;
}

/* ---- the IOMMU core: report_iommu_fault() ---- */

#define IOMMU_FAULT_WRITE 1	/* include/linux/iommu.h */

/* (dev, iova, flags). AMD-Vi's come by here as well: its driver reports what it read in the log. */
SEC("raw_tp/io_page_fault")
int fault_core(void *ctx)
{
	struct device *dev = (void *)((u64 *)ctx)[0];
	u32 kind = device_driver_kind(dev);
	struct ev_fault *rec;
	struct emit e;

	/* refiommu tells more by its own event. */
	if (kind == EV_DRIVER_AMD || kind == EV_DRIVER_REF || !want_device(dev, NULL))
		return 0;
	rec = emit_reserve(&e, EV_FAULT, sizeof(*rec), context_now());
	if (!rec)
		return 0;
	rec->dev = (u64)dev;
	rec->domain = 0;
	rec->iova = ((u64 *)ctx)[1];
	rec->prot = (u32)((u64 *)ctx)[2] & IOMMU_FAULT_WRITE ? 2 : 1;
	rec->reason = 0;
	rec->driver_kind = kind;
	rec->flags = 0;
	rec->iommu = 0;
	rec->raw = 0;
	emit_submit(&e, rec);
	return 0;
}
