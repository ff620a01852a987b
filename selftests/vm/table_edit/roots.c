// SPDX-License-Identifier: GPL-2.0
/*
 * The hardware's side: from the registers of QEMU's IOMMU over the device's entry to its table.
 *
 *   VT-d    root table address register (11.4.5) -> root entry (9.1, 9.2) -> context entry (9.3;
 *           scalable mode: 9.4 -> PASID directory entry 9.5 -> PASID entry 9.6)
 *   AMD-Vi  device table base register (48882, 3.4.1) -> device table entry (2.2.2)
 */
#include "table_edit.h"
#include <linux/io.h>
#include <linux/mm.h>

#define VTD_BASE	0xfed90000UL	/* of QEMU's VT-d */
#define VTD_GSTS	0x1c
#define VTD_ENABLED	BIT(31)
#define VTD_RTADDR	0x20
#define VTD_SCALABLE	BIT_ULL(10)
#define PRESENT		BIT_ULL(0)

#define AMD_BASE	0xfed80000UL	/* of QEMU's AMD-Vi */
#define AMD_DEVTAB	0x00
#define AMD_CONTROL	0x18
#define AMD_ENABLED	BIT_ULL(0)
#define DTE_VALID	(BIT_ULL(0) | BIT_ULL(1))	/* it and its translation */
#define DTE_GUEST	BIT_ULL(55)

#define PGTT_FIRST	1
#define PGTT_SECOND	2

u64 *word_at(u64 paddr)
{
	if (page_is_ram(PHYS_PFN(paddr)))
		return phys_to_virt(paddr);
	pr_err("there is no RAM at 0x%llx\n", paddr);
	return NULL;
}

static int not_present(const char *what, u64 paddr)
{
	pr_err("the %s at 0x%llx is not present\n", what, paddr);
	return -ENODEV;
}

/* @count words from @paddr on; the first must have its bit 0 set. */
static int read_present(const char *what, u64 paddr, u64 *words, unsigned int count)
{
	u64 *at = word_at(paddr);
	unsigned int i;

	if (!at)
		return -EFAULT;
	for (i = 0; i < count; i++)
		words[i] = READ_ONCE(at[i]);
	return words[0] & PRESENT ? 0 : not_present(what, paddr);
}

/* ---- VT-d ---- */

static int vtd_legacy(u64 paddr, struct table *table)
{
	u64 context[2];
	int ret = read_present("context entry", paddr, context, 2);

	if (ret)
		return ret;
	if (context[0] & BIT_ULL(3)) {
		pr_err("the device is not translated: context entry 0x%llx\n", context[0]);
		return -ENODEV;
	}
	*table = (struct table){
		.format = VTD_SECOND,
		.levels = (context[1] & 7) + 2,
		.root = context[0] & ADDRESS_MASK,
		.pointer = paddr,
	};
	return 0;
}

static int vtd_pasid(u64 paddr, struct table *table)
{
	u64 pasid[3];
	int ret = read_present("PASID entry", paddr, pasid, 3);

	if (ret)
		return ret;
	switch (pasid[0] >> 6 & 7) {
	case PGTT_FIRST:
		*table = (struct table){
			.format = X86,
			.levels = (pasid[2] >> 2 & 3) + 4,
			.root = pasid[2] & ADDRESS_MASK,
			.pointer = paddr + 2 * sizeof(u64),
		};
		return 0;
	case PGTT_SECOND:
		*table = (struct table){
			.format = VTD_SECOND,
			.levels = (pasid[0] >> 2 & 7) + 2,
			.root = pasid[0] & ADDRESS_MASK,
			.pointer = paddr,
		};
		return 0;
	}
	pr_err("the device has no table, or two: PASID entry 0x%llx\n", pasid[0]);
	return -ENODEV;
}

/* Requests without a PASID have that of the context entry. */
static int vtd_scalable(u64 paddr, struct table *table)
{
	u64 context[2], directory;
	unsigned int pasid;
	int ret = read_present("context entry", paddr, context, 2);

	if (ret)
		return ret;
	pasid = context[1] & GENMASK(19, 0);
	ret = read_present("PASID directory entry",
			   (context[0] & ADDRESS_MASK) + (pasid >> 6) * sizeof(u64), &directory, 1);
	if (ret)
		return ret;
	return vtd_pasid((directory & ADDRESS_MASK) + (pasid & 63) * 64, table);
}

static int vtd_table(u64 rtaddr, u16 sid, struct table *table)
{
	bool scalable = rtaddr & VTD_SCALABLE;
	u64 root, paddr = (rtaddr & ADDRESS_MASK) + (sid >> 8) * 16;
	unsigned int devfn = sid & 0xff;
	int ret;

	/* In scalable mode the upper half of the devices have the second word. */
	if (scalable && devfn >= 0x80)
		paddr += sizeof(u64);
	ret = read_present("root entry", paddr, &root, 1);
	if (ret)
		return ret;
	root &= ADDRESS_MASK;
	if (scalable)
		return vtd_scalable(root + (devfn & 0x7f) * 32, table);
	return vtd_legacy(root + devfn * 16, table);
}

/* ---- AMD-Vi ---- */

static int amd_table(u64 devtab, u16 sid, struct table *table)
{
	u64 dte, paddr = (devtab & ADDRESS_MASK) + sid * 32;
	int ret;

	if (sid * 32 >= ((devtab & GENMASK(8, 0)) + 1) << 12) {
		pr_err("the device table ends before %04x\n", sid);
		return -ENODEV;
	}
	ret = read_present("device table entry", paddr, &dte, 1);
	if (ret)
		return ret;
	table->levels = dte >> 9 & 7;
	if ((dte & DTE_VALID) != DTE_VALID || dte & DTE_GUEST || !table->levels ||
	    table->levels == 7) {
		pr_err("the device has no v1 table: device table entry 0x%llx\n", dte);
		return -ENODEV;
	}
	table->format = AMD_V1;
	table->root = dte & ADDRESS_MASK;
	table->pointer = paddr;
	return 0;
}

/* ---- both ---- */

static bool is_register(u64 value)
{
	return value && ~value;
}

/* The root register of a unit that translates, or 0. */
static u64 vtd_root(void __iomem *unit)
{
	u32 status = readl(unit + VTD_GSTS);

	return ~status && status & VTD_ENABLED ? readq(unit + VTD_RTADDR) : 0;
}

static u64 amd_root(void __iomem *unit)
{
	u64 control = readq(unit + AMD_CONTROL);

	return ~control && control & AMD_ENABLED ? readq(unit + AMD_DEVTAB) : 0;
}

static u64 read_root(u64 base, u64 (*root)(void __iomem *unit))
{
	void __iomem *unit = ioremap(base, PAGE_SIZE);
	u64 value;

	if (!unit)
		return 0;
	value = root(unit);
	iounmap(unit);
	return is_register(value) ? value : 0;
}

int table_of_device(u16 sid, struct table *table)
{
	u64 root = read_root(VTD_BASE, vtd_root);

	if (root)
		return vtd_table(root, sid, table);
	root = read_root(AMD_BASE, amd_root);
	if (root)
		return amd_table(root, sid, table);
	pr_err("neither QEMU's VT-d nor its AMD-Vi is here and translates\n");
	return -ENODEV;
}
