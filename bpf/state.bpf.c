// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * State at the start: every IOMMU group's devices, their domain and cache tags, read
 * from the kernel's own list of groups. Run on demand; the records carry EVF_STATE.
 */
#include "object.bpf.h"
#include "groups.bpf.h"

/* Verified once, for any numbers, and not in each turn of the walk. */
__attribute__((noinline)) int state_device(u64 at, u64 in_group, u64 in_domain)
{
	struct device *dev = (void *)at;
	struct iommu_group *group = (void *)in_group;
	struct iommu_domain *domain = (void *)in_domain;
	u32 kind = device_driver_kind(dev);
	struct ev_attach *rec;
	struct emit e;
	u64 iommu;

	emit_device(dev, EVF_STATE);
	if (!domain)
		return 0;
	emit_domain(domain, kind, EVF_STATE);
	if (group_is_busy(group) || group_domain(group) != domain)
		return 0;	/* moved meanwhile: that is heard */
	/* Those of refiommu are known from their trace event only: the module has no BTF. */
	if ((kind == EV_DRIVER_VTD || kind == EV_DRIVER_AMD) &&
	    !emit_tag(domain, dev, kind, EV_TAG_NO_PASID, EVF_STATE)) {
		iommu = device_iommu(dev, kind);
		if (iommu)
			emit_iommu(iommu, kind, EVF_STATE);
	}
	rec = emit_reserve(&e, EV_ATTACH, sizeof(*rec), EVF_STATE);
	if (!rec)
		return 0;
	__builtin_memset((void *)rec + sizeof(struct ev_hdr), 0,
			 sizeof(*rec) - sizeof(struct ev_hdr));
	rec->dev = (u64)dev;
	rec->domain = (u64)domain;
	rec->group = device_group(dev);
	rec->pasid = EV_TAG_NO_PASID;
	rec->hook = HOOK_NONE;
	emit_submit(&e, rec);
	return 0;
}

static __always_inline long group_device(struct group_device *gd, struct device *dev,
					 struct iommu_group *group)
{
	struct iommu_domain *domain = group_domain(group);

	if (!device_is_parked(gd) && want_device(dev, domain))
		state_device((u64)dev, (u64)group, (u64)domain);
	return 0;
}

/* Run on each CPU after a loss: a gap lasts until its CPU's next record. */
SEC("raw_tp")
int cpu_mark(void *ctx)
{
	struct ev_mark *rec;
	struct emit e;

	rec = emit_reserve(&e, EV_MARK, sizeof(*rec), EVF_STATE);
	if (!rec)
		return 0;
	rec->kind = EV_MARK_CPU;
	rec->pad = 0;
	rec->value = 0;
	emit_submit(&e, rec);
	return 0;
}

SEC("syscall")
int state_read(void *ctx)
{
	return groups_walk();
}
