// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that edits its own VT-d tables in ways that Linux does not, then sends the
 * invalidations that the specification asks for. What a hypervisor makes of it is the test.
 *
 *	insmod vtd_edit.ko bdf=0000:00:04.0 edits=context:invalid,context:restore
 *
 * makes the edits in order, each logged when its invalidations are done:
 *
 *	context:clear		the device's context entry is not present
 *	context:invalid		it is present with a reserved translation type
 *	context:small:IOVA	it points at a table of ours that holds one page of 4 KiB
 *	context:restore		it is what it was when the module came
 *	root:clear		the bus's root entry is not present
 *	root:restore
 *	page:IOVA		a reserved bit of that leaf entry changes
 *	directory:IOVA		the entry of the table's top that spans it is not present
 *
 * Legacy mode. What was edited is restored with the module's end; the tables of ours stay with
 * the guest. Descriptors are queued by the driver's own qi_submit_sync(), which is not
 * exported: a probe finds it, and its first argument when the device's domain is flushed.
 * Specification: 9.1, 9.3 (entries), 9.8 (reserved bits), 6.5.2 (descriptors).
 */
#include <linux/bits.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/string.h>

#define VTD_BASE	0xfed90000UL	/* of QEMU's VT-d */
#define VTD_RTADDR	0x20
#define PRESENT		1ULL
#define READ_WRITE	3ULL
#define LARGE		BIT_ULL(7)
#define TYPE_RESERVED	(3ULL << 2)	/* translation type 3, in a context entry */
#define ADDRESS_BIT_50	BIT_ULL(50)	/* beyond any width of QEMU's */
#define ADDRESS_MASK	GENMASK_ULL(49, 12)

#define QI_CONTEXT	0x1ULL
#define QI_IOTLB	0x2ULL
#define QI_GLOBAL	BIT_ULL(4)
#define QI_DOMAIN	(2ULL << 4)
#define QI_DEVICE	(3ULL << 4)

struct entry {
	u64 lo;
	u64 hi;
};

struct descriptor {
	u64 qw[4];
};

static char *bdf = "";
module_param(bdf, charp, 0444);
static char *edits = "";
module_param(edits, charp, 0444);

static struct pci_dev *pdev;
static struct entry *root, *context;
static struct entry old_root, old_context;
static void *unit;	/* the driver's own struct intel_iommu */

static int note_unit(struct kprobe *probe, struct pt_regs *regs)
{
	WRITE_ONCE(unit, (void *)regs_get_kernel_argument(regs, 0));
	return 0;
}

static struct kprobe submit = {
	.symbol_name = "qi_submit_sync",
	.pre_handler = note_unit,
};

static void queue(u64 qw0)
{
	int (*call)(void *unit, struct descriptor *d, unsigned int count, unsigned long options);
	struct descriptor d = { .qw = { qw0 } };
	int ret;

	call = (void *)submit.addr;
	ret = call(unit, &d, 1, 0);
	if (ret)
		pci_err(pdev, "vtd_edit: descriptor %llx: %d\n", qw0, ret);
}

static u64 domain_id(void)
{
	return (old_context.hi >> 8) & 0xffff;
}

static void flush_device(void)
{
	queue(QI_CONTEXT | QI_DEVICE | domain_id() << 16 | (u64)pci_dev_id(pdev) << 32);
	queue(QI_IOTLB | QI_DOMAIN | domain_id() << 16);
}

static void flush_all(void)
{
	queue(QI_CONTEXT | QI_GLOBAL);
	queue(QI_IOTLB | QI_GLOBAL);
}

static unsigned int levels(void)
{
	return (old_context.hi & 7) + 2;
}

static u64 *slot_of(u64 table, u64 iova, unsigned int level)
{
	u64 *entries = phys_to_virt(table & ADDRESS_MASK);

	return &entries[(iova >> (12 + 9 * (level - 1))) & 511];
}

/* A table with one page at @iova, or 0. */
static u64 small_table(u64 iova)
{
	unsigned long page = get_zeroed_page(GFP_KERNEL);
	u64 below = page ? virt_to_phys((void *)page) : 0;
	unsigned int level;

	for (level = 1; below && level <= levels(); level++) {
		page = get_zeroed_page(GFP_KERNEL);
		if (!page)
			return 0;
		*slot_of(virt_to_phys((void *)page), iova, level) = below | READ_WRITE;
		below = virt_to_phys((void *)page);
	}
	return below;
}

static void set_context(u64 lo)
{
	WRITE_ONCE(context->lo, lo);
	flush_device();
}

static void edit_context(const char *words)
{
	u64 iova, table;

	if (!strcmp(words, "context:clear")) {
		set_context(0);
	} else if (!strcmp(words, "context:invalid")) {
		set_context(old_context.lo | TYPE_RESERVED);
	} else if (!strcmp(words, "context:restore")) {
		set_context(old_context.lo);
	} else if (sscanf(words, "context:small:%lli", &iova) == 1) {
		table = small_table(iova);
		if (table)
			set_context(table | (old_context.lo & ~ADDRESS_MASK));
	}
}

static void edit_root(const char *words)
{
	if (!strcmp(words, "root:clear"))
		WRITE_ONCE(root->lo, 0);
	else if (!strcmp(words, "root:restore"))
		WRITE_ONCE(root->lo, old_root.lo);
	else
		return;
	flush_all();
}

/* The leaf of @iova in the device's own table, or NULL. */
static u64 *find_leaf(u64 iova)
{
	u64 table = old_context.lo;
	unsigned int level;
	u64 *slot;

	for (level = levels(); level; level--) {
		slot = slot_of(table, iova, level);
		if (!(*slot & READ_WRITE))
			return NULL;
		if (level == 1 || *slot & LARGE)
			return slot;
		table = *slot;
	}
	return NULL;
}

static void edit_page(const char *words)
{
	u64 *leaf, iova;

	if (sscanf(words, "page:%lli", &iova) != 1)
		return;

	leaf = find_leaf(iova);
	if (!leaf) {
		pci_err(pdev, "vtd_edit: nothing at %llx\n", iova);
		return;
	}
	WRITE_ONCE(*leaf, *leaf ^ ADDRESS_BIT_50);
	queue(QI_IOTLB | QI_DOMAIN | domain_id() << 16);
}

static void edit_directory(const char *words)
{
	u64 iova;

	if (sscanf(words, "directory:%lli", &iova) != 1)
		return;

	WRITE_ONCE(*slot_of(old_context.lo, iova, levels()), 0);
	queue(QI_IOTLB | QI_DOMAIN | domain_id() << 16);
}

static void make_edits(char *rest)
{
	char *words;

	while ((words = strsep(&rest, ","))) {
		edit_context(words);
		edit_root(words);
		edit_page(words);
		edit_directory(words);
		pci_info(pdev, "vtd_edit: %s\n", words);
	}
}

/* Where the entries of our device are. */
static int find_entries(void)
{
	void __iomem *registers = ioremap(VTD_BASE, PAGE_SIZE);
	u64 table;

	if (!registers)
		return -ENOMEM;
	table = readq(registers + VTD_RTADDR);
	iounmap(registers);
	root = (struct entry *)phys_to_virt(table & ADDRESS_MASK) + pdev->bus->number;
	if (!(root->lo & PRESENT))
		return -ENODEV;
	context = (struct entry *)phys_to_virt(root->lo & ADDRESS_MASK) + pdev->devfn;
	if (!(context->lo & PRESENT))
		return -ENODEV;

	old_root = *root;
	old_context = *context;
	return 0;
}

static int find_unit(void)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(&pdev->dev);

	if (domain)
		iommu_flush_iotlb_all(domain);
	return unit ? 0 : -ENODEV;
}

static struct pci_dev *find_device(void)
{
	unsigned int segment, bus, slot, function;

	if (sscanf(bdf, "%x:%x:%x.%x", &segment, &bus, &slot, &function) != 4)
		return NULL;
	return pci_get_domain_bus_and_slot(segment, bus, PCI_DEVFN(slot, function));
}

static int __init vtd_edit_init(void)
{
	int ret;

	pdev = find_device();
	if (!pdev)
		return -ENODEV;

	ret = register_kprobe(&submit);
	if (ret)
		goto put_device;
	ret = find_unit();
	if (!ret)
		ret = find_entries();
	if (ret)
		goto no_probe;
	make_edits(edits);
	return 0;

no_probe:
	unregister_kprobe(&submit);
put_device:
	pci_dev_put(pdev);
	return ret;
}
module_init(vtd_edit_init);

static void __exit vtd_edit_exit(void)
{
	WRITE_ONCE(root->lo, old_root.lo);
	WRITE_ONCE(context->lo, old_context.lo);
	flush_all();
	unregister_kprobe(&submit);
	pci_dev_put(pdev);
}
module_exit(vtd_edit_exit);

MODULE_DESCRIPTION("Edits of a guest's own VT-d tables, for the tests of iommuscope");
MODULE_LICENSE("GPL");
