/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Under which other source ids a PCI device is heard: what pci_for_each_dma_alias() would name
 * besides its own (drivers/pci/search.c of 6.1, 6.12 and 7.2), and the table of AMD-Vi's firmware.
 * Almost no device has any.
 */
#ifndef IOMMUSCOPE_ALIAS_BPF_H
#define IOMMUSCOPE_ALIAS_BPF_H

#include "scope.bpf.h"

#define DEVFNS 256
#define BUSES_MAX 32

/* include/linux/pci.h, include/uapi/linux/pci_regs.h */
#define FLAG_PCIE_BRIDGE_ALIAS (1 << 5)
#define FLAGS_BRIDGE_XLATE_ROOT (1 << 9)
#define FLAGS_PCI_BRIDGE_NO_ALIAS (1 << 14)	/* 7.2; on 6.1 and 6.12 nobody sets the bit */
#define TYPE_ROOT_PORT 4
#define TYPE_DOWNSTREAM 6
#define TYPE_PCI_BRIDGE 7

struct alias_walk {
	struct device *dev;
	struct pci_bus *bus;
	u64 mask;		/* unsigned long *: one bit per devfn */
	u32 flags;
	u32 busnr;
};

static __always_inline void emit_alias(const struct alias_walk *w, u32 sid)
{
	struct ev_alias *rec;
	struct emit e;

	rec = emit_reserve(&e, EV_ALIAS, sizeof(*rec), w->flags);
	if (!rec)
		return;
	rec->dev = (u64)w->dev;
	rec->sid = sid;
	rec->pad = 0;
	emit_submit(&e, rec);
}

static long alias_devfn(u32 devfn, struct alias_walk *w)
{
	u64 word = 0;

	if (devfn >= DEVFNS)
		return 1;
	bpf_probe_read_kernel(&word, sizeof(word), (void *)(w->mask + devfn / 64 * 8));
	if (word >> (devfn & 63) & 1)
		emit_alias(w, w->busnr << 8 | devfn);
	return 0;
}

static __always_inline void alias_bridge(struct alias_walk *w, struct pci_dev *bridge)
{
	u32 own = BPF_CORE_READ(bridge, bus, number) << 8 | BPF_CORE_READ(bridge, devfn);
	u32 behind = BPF_CORE_READ(bridge, subordinate, number) << 8;
	u32 type = BPF_CORE_READ(bridge, pcie_flags_reg) >> 4 & 15;
	u32 flags = BPF_CORE_READ(bridge, dev_flags);

	if (!BPF_CORE_READ(bridge, pcie_cap)) {
		emit_alias(w, flags & FLAG_PCIE_BRIDGE_ALIAS ? behind : own);
		return;
	}
	/* No real PCI behind it (ASPEED): it passes source ids on. */
	if (type == TYPE_PCI_BRIDGE && flags & FLAGS_PCI_BRIDGE_NO_ALIAS)
		return;
	if (type < TYPE_ROOT_PORT || type > TYPE_DOWNSTREAM)
		emit_alias(w, type == TYPE_PCI_BRIDGE ? behind : own);
}

static long alias_bus(u32 i, struct alias_walk *w)
{
	struct pci_bus *bus = w->bus;	/* libbpf would look for our struct in the kernel */
	struct pci_bus *parent = BPF_CORE_READ(bus, parent);
	struct pci_dev *bridge = BPF_CORE_READ(bus, self);

	if (!parent)
		return 1;	/* the root bus */
	if (bridge && BPF_CORE_READ(bridge, dev_flags) & FLAGS_BRIDGE_XLATE_ROOT)
		return 1;
	if (bridge)
		alias_bridge(w, bridge);
	w->bus = parent;
	return 0;
}

static __always_inline void emit_aliases(struct device *dev, struct pci_dev *pdev, u32 flags)
{
	struct alias_walk w = {
		.dev = dev,
		.bus = BPF_CORE_READ(pdev, bus),
		.mask = (u64)BPF_CORE_READ(pdev, dma_alias_mask),
		.flags = flags,
		.busnr = BPF_CORE_READ(pdev, bus, number),
	};

	if (w.mask)
		bpf_loop(DEVFNS, alias_devfn, &w, 0);
	bpf_loop(BUSES_MAX, alias_bus, &w, 0);
}

/* The firmware's table, indexed by source id; a device that is not in it is its own alias. */
static __always_inline void emit_amd_alias(struct device *dev, u32 sid, u32 flags)
{
	struct amd_iommu *iommu = (void *)BPF_CORE_READ(dev, iommu, iommu_dev) -
				  bpf_core_field_offset(struct amd_iommu, iommu);
	const struct alias_walk w = { .dev = dev, .flags = flags };
	u16 *table = BPF_CORE_READ(iommu, pci_seg, alias_table);
	u16 alias = sid;

	if (table)
		bpf_probe_read_kernel(&alias, sizeof(alias), table + (u16)sid);
	if (alias != (u16)sid)
		emit_alias(&w, alias);
}

#endif
