/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the kernel's structures say of a device and its domain: names, numbers, drivers. Reads only; the
 * records are made in object.bpf.h, the rows for readers of tables in walk.bpf.c.
 */
#ifndef IOMMUSCOPE_WHO_BPF_H
#define IOMMUSCOPE_WHO_BPF_H

#include "config.bpf.h"
#include "event.h"

#define NAME_REFIOMMU 0x756d6d6f69666572ULL	/* a module's name as a little-endian word */

static __always_inline s32 device_group(struct device *dev)
{
	struct iommu_group *group = BPF_CORE_READ(dev, iommu_group);

	return group ? BPF_CORE_READ(group, id) : -1;
}

/* A module's iommu_ops must name their owner; those of the kernel image have none. */
static __always_inline bool ops_are_refiommu(const struct iommu_ops *ops)
{
	struct module *owner = BPF_CORE_READ(ops, owner);
	char name[16] = {};

	if (!owner)
		return false;
	bpf_core_read(name, sizeof(name), &owner->name);
	return *(u64 *)name == NAME_REFIOMMU && !name[8];
}

static __always_inline u32 device_driver_kind(struct device *dev)
{
	const struct iommu_ops *ops = BPF_CORE_READ(dev, iommu, iommu_dev, ops);

	if (!ops)
		return EV_DRIVER_OTHER;
	if ((u64)ops == config.intel_ops)
		return EV_DRIVER_VTD;
	if ((u64)ops == config.amd_ops)
		return EV_DRIVER_AMD;
	return ops_are_refiommu(ops) ? EV_DRIVER_REF : EV_DRIVER_OTHER;
}

/* A constant @len: text and its padding leave no byte of the ring's old content. */
static __always_inline void read_name(char *to, u32 len, const char *from)
{
	__builtin_memset(to, 0, len);
	if (from)
		bpf_probe_read_kernel_str(to, len, from);
}

static __always_inline void read_driver_name(char *to, u32 len, struct device *dev)
{
	read_name(to, len, BPF_CORE_READ(dev, driver, name));
}

#define DOMAIN_FLAG_USE_FIRST_LEVEL 0x2	/* 6.1, drivers/iommu/intel/iommu.h */

/* Where the domain says it changed its place with each generation of the driver. */
static __always_inline bool vtd_first_stage(struct iommu_domain *domain, struct dmar_domain *dd)
{
	struct dmar_domain___first_level *bits = (void *)dd;
	struct dmar_domain___6_1 *old = (void *)dd;

	if (config.intel_fs_ops)
		return (u64)BPF_CORE_READ(domain, ops) == config.intel_fs_ops;
	if (bpf_core_field_exists(bits->use_first_level))
		return BPF_CORE_READ_BITFIELD_PROBED(bits, use_first_level);
	if (bpf_core_field_exists(old->flags))
		return BPF_CORE_READ(old, flags) & DOMAIN_FLAG_USE_FIRST_LEVEL;
	return true;	/* the one of which less is expected */
}

static __always_inline u32 amd_ats(struct iommu_dev_data *data)
{
	struct iommu_dev_data___bits *bits = (void *)data;
	struct iommu_dev_data___6_1 *old = (void *)data;

	if (bpf_core_field_exists(bits->ats_enabled))
		return BPF_CORE_READ_BITFIELD_PROBED(bits, ats_enabled);
	if (bpf_core_field_exists(old->ats.enabled))
		return BPF_CORE_READ(old, ats.enabled);
	return 0;
}

/* ivhd0 ... ivhd99; @name is 16 bytes of zeros */
static __always_inline void amd_iommu_name(char *name, u32 index)
{
	if (index > 99)
		return;
	*(u32 *)name = 0x64687669;		/* "ivhd" */
	if (index > 9)
		name[4] = '0' + index / 10;
	name[index > 9 ? 5 : 4] = '0' + index % 10;
}

#define AMD_PD_MODE_V1 1	/* drivers/iommu/amd/amd_iommu_types.h: PD_MODE_V1 */

#define DOMAIN_PAGING	0x1	/* include/linux/iommu.h: __IOMMU_DOMAIN_PAGING */
#define DOMAIN_DMA_API	0x2

/* pci_real_dma_dev(), arch/x86/pci/common.c */
static __always_inline bool device_is_proxied(struct pci_dev *pdev)
{
	struct pci_sysdata *sysdata = BPF_CORE_READ(pdev, bus, sysdata);

	return sysdata && bpf_core_field_exists(sysdata->vmd_dev) &&
	       BPF_CORE_READ(sysdata, vmd_dev);
}

static __always_inline struct pci_dev *pci_dev_of(struct device *dev)
{
	if (!config.pci_bus || (u64)BPF_CORE_READ(dev, bus) != config.pci_bus)
		return NULL;
	return (void *)dev - bpf_core_field_offset(struct pci_dev, dev);
}

#define POWER_D3COLD 4	/* include/linux/pci.h: PCI_D3cold */

static __always_inline u32 pci_flags(struct device *dev)
{
	struct pci_dev *pdev = pci_dev_of(dev);
	u32 flags = 0;

	if (!pdev)
		return 0;
	if (BPF_CORE_READ_BITFIELD_PROBED(pdev, untrusted))
		flags |= EV_DEV_UNTRUSTED;
	if (device_is_proxied(pdev))
		flags |= EV_DEV_PROXIED;
	if (BPF_CORE_READ(pdev, current_state) == POWER_D3COLD)
		flags |= EV_DEV_COLD;
	return flags;
}

static __always_inline u32 device_flags(struct device *dev, u32 kind)
{
	struct dev_iommu___deferred *di = (void *)BPF_CORE_READ(dev, iommu);
	void *priv = BPF_CORE_READ(dev, iommu, priv);
	struct dev_iommu___pasids *pasids = (void *)di;
	u32 flags = pci_flags(dev);

	if (kind == EV_DRIVER_VTD && priv &&
	    BPF_CORE_READ_BITFIELD_PROBED((struct device_domain_info *)priv, ats_enabled))
		flags |= EV_DEV_ATS;
	if (kind == EV_DRIVER_AMD && priv && amd_ats(priv))
		flags |= EV_DEV_ATS;
	if (di && bpf_core_field_exists(di->attach_deferred) &&
	    BPF_CORE_READ_BITFIELD_PROBED(di, attach_deferred))
		flags |= EV_DEV_DEFERRED;
	if (di && bpf_core_field_exists(pasids->max_pasids) && BPF_CORE_READ(pasids, max_pasids))
		flags |= EV_DEV_PASID;
	return flags;
}

static __always_inline u32 device_sid(struct device *dev, u32 kind)
{
	void *priv = BPF_CORE_READ(dev, iommu, priv);
	struct device_domain_info *info = priv;
	struct iommu_dev_data *data = priv;

	if (priv && kind == EV_DRIVER_VTD)
		return BPF_CORE_READ(info, bus) << 8 | BPF_CORE_READ(info, devfn);
	if (priv && kind == EV_DRIVER_AMD)
		return BPF_CORE_READ(data, devid);
	return ~0U;
}

/*
 * The address bits that the driver can map, where it has its own idea of them: VT-d before 7.x
 * lowers its width at attach (prepare_domain_attach_device()) and leaves the aperture, 57 bits
 * often, as it was. First-stage addresses are canonical: the top bit is not theirs.
 */
static __always_inline u32 domain_width(struct iommu_domain *domain, u32 kind)
{
	struct dmar_domain *dd = (void *)domain - bpf_core_field_offset(struct dmar_domain, domain);
	struct dmar_domain___gaw *own = (void *)dd;
	struct dmar_domain___first_level *stage = (void *)dd;
	u32 width;

	if (kind != EV_DRIVER_VTD || !bpf_core_field_exists(own->gaw) ||
	    !(BPF_CORE_READ(domain, type) & DOMAIN_PAGING))
		return 0;
	width = BPF_CORE_READ(own, gaw);
	if (bpf_core_field_exists(stage->use_first_level) &&
	    BPF_CORE_READ_BITFIELD_PROBED(stage, use_first_level))
		width--;
	return width <= 64 ? width : 0;
}

#endif
