// SPDX-License-Identifier: GPL-2.0
/*
 * Changes one word of an IOMMU's tables behind the kernel's back, and takes that back with its end.
 * Who compares the tables with the kernel's books has to find it.
 *
 *	insmod table_edit.ko bdf=0000:00:04.0 iova=0x10000000 bit=13 [level=2]
 *
 * flips a bit of the entry of that level (without: of the leaf) on the way to the IOVA. Instead of
 * bit=N:
 *
 *	reserved=1	flips a bit of that entry that must be zero
 *	root=1		the device's own entry points at a copy of its top table: the same
 *			translations from another root. iova= is not needed
 *	loop=1		the top table's entry for the IOVA, mapped or not, points at the top table
 *
 * Tables are found as the hardware finds them, from the registers of QEMU's VT-d or AMD-Vi. No
 * invalidation is sent, and no DMA may take place meanwhile. Remove the module before the mapping
 * goes: the kernel would stumble over what it did not write. A word that somebody else has changed
 * since is left alone.
 */
#include "table_edit.h"
#include <linux/dmi.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/string.h>

static char *bdf = "";
module_param(bdf, charp, 0444);
static ulong iova;
module_param(iova, ulong, 0444);
static uint level;
module_param(level, uint, 0444);
static int bit = -1;
module_param(bit, int, 0444);
static bool root;
module_param(root, bool, 0444);
static bool loop;
module_param(loop, bool, 0444);
static bool reserved;
module_param(reserved, bool, 0444);

/* The word that was changed. */
static u64 *word;
static struct entry before;
static u64 after;

static int edit(const struct entry *entry, u64 value)
{
	before = *entry;
	after = value;
	word = word_at(entry->paddr);
	if (!word)
		return -EFAULT;
	if (cmpxchg64(word, before.raw, after) != before.raw) {
		pr_err("entry 0x%llx changes by itself\n", before.paddr);
		return -EBUSY;
	}
	pr_info("entry 0x%llx level %u was 0x%llx is 0x%llx\n", before.paddr, before.level,
		before.raw, after);
	return 0;
}

static int edit_bit(const struct table *table)
{
	struct entry entry;
	int ret = table_find(table, iova, level, &entry);

	if (ret)
		return ret;
	if (reserved)
		bit = table_reserved_bit(table, &entry);
	return edit(&entry, entry.raw ^ BIT_ULL(bit));
}

static int edit_loop(const struct table *table)
{
	struct entry entry;
	int ret = table_top(table, iova, &entry);

	if (ret)
		return ret;
	if (table->levels < 2) {
		pr_err("a table of one level cannot be a circle\n");
		return -EINVAL;
	}
	return edit(&entry, table_circle(table));
}

/* The copy stays with the machine: nobody knows what the hardware has cached. */
static int edit_root(const struct table *table)
{
	struct entry entry = { .paddr = table->pointer, .level = table->levels + 1 };
	u64 *pointer = word_at(table->pointer), *top = word_at(table->root);
	void *copy;

	if (!pointer || !top)
		return -EFAULT;
	copy = (void *)__get_free_page(GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, top, PAGE_SIZE);
	entry.raw = READ_ONCE(*pointer);
	return edit(&entry, (entry.raw & ~ADDRESS_MASK) | virt_to_phys(copy));
}

static int find_device(u16 *sid)
{
	unsigned int segment, bus, slot, function;
	struct pci_dev *pdev = NULL;

	if (sscanf(bdf, "%x:%x:%x.%x", &segment, &bus, &slot, &function) == 4)
		pdev = pci_get_domain_bus_and_slot(segment, bus, PCI_DEVFN(slot, function));
	if (!pdev) {
		pr_err("no device bdf=%s\n", bdf);
		return -ENODEV;
	}
	*sid = pci_dev_id(pdev);
	pci_dev_put(pdev);
	return 0;
}

static int check_parameters(void)
{
	if (!dmi_match(DMI_SYS_VENDOR, "QEMU")) {
		pr_err("this is not a machine of QEMU's\n");
		return -ENODEV;
	}
	if ((bit >= 0) + root + loop + reserved == 1 && bit < 64)
		return 0;
	pr_err("one of bit=0...63, root=1, loop=1 and reserved=1 is needed\n");
	return -EINVAL;
}

static int __init table_edit_init(void)
{
	struct table table;
	u16 sid;
	int ret = check_parameters();

	if (!ret)
		ret = find_device(&sid);
	if (!ret)
		ret = table_of_device(sid, &table);
	if (ret)
		return ret;
	if (root)
		return edit_root(&table);
	return loop ? edit_loop(&table) : edit_bit(&table);
}
module_init(table_edit_init);

static void __exit table_edit_exit(void)
{
	u64 now = cmpxchg64(word, after, before.raw);

	if (now == after)
		pr_info("restored entry 0x%llx level %u was 0x%llx is 0x%llx\n", before.paddr,
			before.level, after, before.raw);
	else
		pr_info("entry 0x%llx level %u is 0x%llx by now, left alone\n", before.paddr,
			before.level, now);
}
module_exit(table_edit_exit);

MODULE_DESCRIPTION("Changes of IOMMU tables behind the kernel's back, for the tests of iommuscope");
MODULE_LICENSE("GPL");
