// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Flush: what the hardware was told to forget, as raw command words; and the cache
 * tags (domain ids) that those commands name, when a device is attached.
 * drivers/iommu/intel/dmar.c, intel/iommu.c, amd/iommu.c of 6.1, 6.12 and 7.2.
 */
#include "object.bpf.h"

#define QI_MAX 64	/* descriptors in one call; the drivers' batches hold 16 */

struct qi_walk {
	struct call call;
	u64 iommu;
	u64 desc;
	u32 count;
	s32 ret;
};

static __always_inline void emit_qi(const struct qi_walk *w, u32 i, u64 qw0, u64 qw1)
{
	struct ev_qi *rec;
	struct emit e;

	rec = emit_reserve(&e, EV_QI, sizeof(*rec), w->call.flags);
	if (!rec)
		return;
	rec->begin_ns = w->call.begin_ns;
	rec->iommu = w->iommu;
	rec->qw0 = qw0;
	rec->qw1 = qw1;
	rec->index = i;
	rec->count = w->count;
	rec->ret = w->ret;
	rec->pad = 0;
	emit_submit(&e, rec);
}

static long qi_step(u32 i, struct qi_walk *w)
{
	struct qi_desc *desc = (void *)w->desc;

	if (i >= w->count)
		return 1;
	desc = (void *)desc + i * bpf_core_type_size(struct qi_desc);
	emit_qi(w, i, BPF_CORE_READ(desc, qw0), BPF_CORE_READ(desc, qw1));
	return 0;
}

/* qi_submit_sync(iommu, desc, count, options): returns when the wait descriptor is done */
SEC("fentry")
int flush_vtd_entry(void *ctx)
{
	call_begin(ctx, HOOK_FLUSH_VTD, false, arg(ctx, 0), 0, 0);
	return 0;
}

SEC("fexit")
int flush_vtd_exit(void *ctx)
{
	struct qi_desc *desc = (void *)arg(ctx, 1);
	struct qi_walk w;

	w.iommu = arg(ctx, 0);
	w.count = arg(ctx, 2);
	w.ret = ret_of(ctx);
	call_end(ctx, HOOK_FLUSH_VTD, &w.call);
	if (w.count == 1) {	/* almost always */
		emit_qi(&w, 0, desc->qw0, desc->qw1);
		return 0;
	}
	w.desc = arg_number(ctx, 1);
	bpf_loop(QI_MAX, qi_step, &w, 0);
	return 0;
}

#define AMD_CMD_COMPLETION_WAIT 1	/* AMD IOMMU specification, 2.4.1 */

/* __iommu_queue_command_sync(iommu, cmd, sync), under the IOMMU's lock */
SEC("fentry")
int flush_amd_entry(void *ctx)
{
	call_begin(ctx, HOOK_FLUSH_AMD, false, arg(ctx, 0), 0, 0);
	return 0;
}

SEC("fexit")
int flush_amd_exit(void *ctx)
{
	struct iommu_cmd *cmd = (void *)arg(ctx, 1);
	u64 qw[2] = {};
	struct ev_amd *rec;
	struct emit e;
	struct call c;
	bool wait;

	call_end(ctx, HOOK_FLUSH_AMD, &c);
	BPF_CORE_READ_INTO(&qw, cmd, data);
	wait = qw[0] >> 60 == AMD_CMD_COMPLETION_WAIT;
	rec = emit_reserve(&e, wait ? EV_AMD_WAIT : EV_AMD_CMD, sizeof(*rec), c.flags);
	if (!rec)
		return 0;
	rec->begin_ns = c.begin_ns;
	rec->iommu = arg(ctx, 0);
	rec->qw0 = wait ? 0 : qw[0];
	rec->qw1 = wait ? 0 : qw[1];
	rec->ret = ret_of(ctx);
	rec->pad = 0;
	emit_submit(&e, rec);
	return 0;
}

/* pci_disable_ats(pdev): the device forgets all it has, and asks no more */
SEC("fentry")
int ats_off_entry(void *ctx)
{
	struct device *dev = (void *)arg(ctx, 0) + bpf_core_field_offset(struct pci_dev, dev);

	if (BPF_CORE_READ(dev, iommu_group) && want_device(dev, NULL))
		emit_device_less(dev, context_now(), EV_DEV_ATS);
	return 0;
}

static __always_inline void tag_attached(void *ctx, u32 kind)
{
	struct iommu_domain *domain = (void *)arg(ctx, 0);
	struct device *dev = (void *)arg(ctx, 1);

	if ((s32)ret_of(ctx) || !want_device(dev, NULL))
		return;
	emit_tag(domain, dev, kind, EV_TAG_NO_PASID, context_now());
}

/* intel_iommu_attach_device(domain, dev[, old]) */
SEC("fexit")
int tag_vtd_exit(void *ctx)
{
	tag_attached(ctx, EV_DRIVER_VTD);
	return 0;
}

/* amd_iommu_attach_device(domain, dev[, old]) */
SEC("fexit")
int tag_amd_exit(void *ctx)
{
	tag_attached(ctx, EV_DRIVER_AMD);
	return 0;
}
