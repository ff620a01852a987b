/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Who is who: devices, domains and cache tags, read from the kernel's structures. Used
 * when one shows up (attach) and when the state at the start is read.
 */
#ifndef IOMMUSCOPE_OBJECT_BPF_H
#define IOMMUSCOPE_OBJECT_BPF_H

#include "alias.bpf.h"
#include "scope.bpf.h"
#include "who.bpf.h"
#include "xarray.bpf.h"

static __always_inline void want_key(u64 key)
{
	u32 one = 1;

	if (key)
		bpf_map_update_elem(&wanted, &key, &one, BPF_ANY);
}

/*
 * Under a device filter: a device of the wanted name is let in, and with it the domain
 * it is in now.
 */
static __always_inline bool want_device(struct device *dev, struct iommu_domain *domain)
{
	const volatile u64 *want = (const volatile u64 *)config.device;
	u64 name[4];
	int i;

	if (!config.filter_device)
		return true;
	read_name((char *)name, sizeof(name), BPF_CORE_READ(dev, kobj.name));
	for (i = 0; i < 4; i++)
		if (name[i] != want[i])
			return false;
	want_key((u64)dev);
	want_key((u64)domain);
	return true;
}

struct tag {
	u64 iommu;
	u32 did;
	u32 sid;
	u32 ats;
	u32 scalable;
};

static __always_inline bool vtd_read_tag(struct iommu_domain *domain, struct device *dev,
					 struct tag *t)
{
	struct dmar_domain *dd = (void *)domain - bpf_core_field_offset(struct dmar_domain, domain);
	struct device_domain_info *info = BPF_CORE_READ(dev, iommu, priv);
	struct iommu_domain_info *did;
	struct intel_iommu *iommu;

	if (!info)
		return false;
	iommu = BPF_CORE_READ(info, iommu);
	if (!BPF_CORE_READ(iommu, qi))
		return false;	/* its flushes cannot be heard: no tag, no debt */
	did = xarray_load(BPF_CORE_READ(dd, iommu_array.xa_head), BPF_CORE_READ(iommu, seq_id));
	if (!did)
		return false;
	t->iommu = (u64)iommu;
	t->did = BPF_CORE_READ(did, did);
	t->sid = BPF_CORE_READ(info, bus) << 8 | BPF_CORE_READ(info, devfn);
	t->ats = BPF_CORE_READ_BITFIELD_PROBED(info, ats_enabled);
	t->scalable = BPF_CORE_READ(info, pasid_table) ? EV_TAG_SCALABLE : 0;
	if (vtd_first_stage(domain, dd))
		t->scalable |= EV_TAG_FIRST_STAGE;
	return true;
}

static __always_inline bool amd_read_tag(struct iommu_domain *domain, struct device *dev,
					 struct tag *t)
{
	struct protection_domain *pd =
		(void *)domain - bpf_core_field_offset(struct protection_domain, domain);
	struct protection_domain___pd_mode *mode = (void *)pd;
	struct iommu_dev_data *data = BPF_CORE_READ(dev, iommu, priv);

	if (!data)
		return false;
	if (bpf_core_field_exists(mode->pd_mode) &&
	    BPF_CORE_READ(mode, pd_mode) != AMD_PD_MODE_V1)
		return false;
	t->iommu = (u64)BPF_CORE_READ(dev, iommu, iommu_dev) -
		   bpf_core_field_offset(struct amd_iommu, iommu);
	t->did = BPF_CORE_READ(pd, id);
	t->sid = BPF_CORE_READ(data, devid);
	t->ats = amd_ats(data);
	t->scalable = 0;
	return true;
}

#define VTD_CAP_RWBF	(1ULL << 4)	/* VT-d specification 11.4.2 */
#define VTD_CAP_CM	(1ULL << 7)
#define VTD_ECAP_SMTS	(1ULL << 43)	/* 11.4.3 */
#define AMD_CAP_NPCACHE	(1U << 26)	/* AMD 48882, 3.2.1: capability header */

static __always_inline void vtd_read_iommu(struct ev_iommu *rec, struct intel_iommu *iommu)
{
	rec->cap = BPF_CORE_READ(iommu, cap);
	rec->ecap = BPF_CORE_READ(iommu, ecap);
	rec->flags = (rec->cap & VTD_CAP_CM ? EV_IOMMU_CACHING : 0) |
		     (rec->cap & VTD_CAP_RWBF ? EV_IOMMU_RWBF : 0) |
		     (rec->ecap & VTD_ECAP_SMTS ? EV_IOMMU_SCALABLE : 0);
	bpf_core_read(rec->name, 13, &iommu->name);
}

static __always_inline void amd_read_iommu(struct ev_iommu *rec, struct amd_iommu *iommu)
{
	rec->ecap = BPF_CORE_READ(iommu, features);
	rec->flags = BPF_CORE_READ(iommu, cap) & AMD_CAP_NPCACHE ? EV_IOMMU_CACHING : 0;
	amd_iommu_name(rec->name, BPF_CORE_READ(iommu, index));
}

static __noinline int emit_iommu(u64 iommu, u32 kind, u32 flags)
{
	struct ev_iommu *rec;
	struct emit e;

	rec = emit_reserve(&e, EV_IOMMU, sizeof(*rec), flags);
	if (!rec)
		return 0;
	rec->iommu = iommu;
	rec->cap = 0;
	rec->ecap = 0;
	rec->driver_kind = kind;
	rec->flags = 0;
	__builtin_memset(rec->name, 0, sizeof(rec->name));
	if (kind == EV_DRIVER_VTD)
		vtd_read_iommu(rec, (void *)iommu);
	else
		amd_read_iommu(rec, (void *)iommu);
	emit_submit(&e, rec);
	return 0;
}

/* Return: can it have one? Then its IOMMU was told, too. */
static __always_inline bool emit_tag(struct iommu_domain *domain, struct device *dev, u32 kind,
				     u32 pasid, u32 flags)
{
	struct tag t = {};
	struct ev_tag *rec;
	struct emit e;

	if (!(BPF_CORE_READ(domain, type) & DOMAIN_PAGING))
		return false;
	if (kind == EV_DRIVER_VTD ? !vtd_read_tag(domain, dev, &t) : !amd_read_tag(domain, dev, &t))
		return false;
	emit_iommu(t.iommu, kind, flags);
	rec = emit_reserve(&e, EV_TAG, sizeof(*rec), flags);
	if (!rec)
		return true;
	rec->domain = (u64)domain;
	rec->dev = (u64)dev;
	rec->iommu = t.iommu;
	rec->driver_kind = kind;
	rec->did = t.did;
	rec->pasid = pasid;
	rec->sid = t.sid;
	rec->ats = t.ats;
	rec->scalable = t.scalable;
	emit_submit(&e, rec);
	return true;
}

/* The IOMMU in front of @dev, whatever its domain: as in struct ev_tag; 0 unknown. */
static __always_inline u64 device_iommu(struct device *dev, u32 kind)
{
	struct device_domain_info *info;

	if (kind == EV_DRIVER_AMD)
		return (u64)BPF_CORE_READ(dev, iommu, iommu_dev) -
		       bpf_core_field_offset(struct amd_iommu, iommu);
	if (kind != EV_DRIVER_VTD)
		return 0;
	info = BPF_CORE_READ(dev, iommu, priv);
	return info ? (u64)BPF_CORE_READ(info, iommu) : 0;
}

/* @lost: bits of EV_DEV_* that it has no longer, whatever the driver's books say */
static __always_inline void emit_device_less(struct device *dev, u32 flags, u32 lost)
{
	struct pci_dev *pdev = pci_dev_of(dev);
	u32 kind = device_driver_kind(dev);
	struct ev_device *rec;
	struct emit e;

	rec = emit_reserve(&e, EV_DEVICE, sizeof(*rec), flags);
	if (!rec)
		return;
	rec->dev = (u64)dev;
	rec->group = device_group(dev);
	rec->driver_kind = kind;
	rec->flags = device_flags(dev, kind) & ~lost;
	rec->sid = device_sid(dev, kind);
	read_name(rec->name, sizeof(rec->name), BPF_CORE_READ(dev, kobj.name));
	read_driver_name(rec->driver, sizeof(rec->driver), dev);
	emit_submit(&e, rec);
	if (pdev && (kind == EV_DRIVER_VTD || kind == EV_DRIVER_AMD))
		emit_aliases(dev, pdev, flags);
	if (pdev && kind == EV_DRIVER_AMD && device_sid(dev, kind) != ~0U)
		emit_amd_alias(dev, device_sid(dev, kind), flags);
}

static __always_inline void emit_device(struct device *dev, u32 flags)
{
	emit_device_less(dev, flags, 0);
}

static __always_inline void emit_domain(struct iommu_domain *domain, u32 kind, u32 flags)
{
	struct ev_domain *rec;
	struct emit e;

	rec = emit_reserve(&e, EV_DOMAIN, sizeof(*rec), flags);
	if (!rec)
		return;
	rec->domain = (u64)domain;
	rec->ops = (u64)BPF_CORE_READ(domain, ops);
	rec->pgsize_bitmap = BPF_CORE_READ(domain, pgsize_bitmap);
	rec->aperture_start = BPF_CORE_READ(domain, geometry.aperture_start);
	rec->aperture_end = BPF_CORE_READ(domain, geometry.aperture_end);
	rec->type = BPF_CORE_READ(domain, type);
	rec->flags = domain_width(domain, kind);
	emit_submit(&e, rec);
}

#endif
