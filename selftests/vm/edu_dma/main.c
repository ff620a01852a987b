// SPDX-License-Identifier: GPL-2.0
/*
 * A driver that misbehaves on request, for QEMU's educational device.
 *
 * Writing a word to the device's "action" file makes one use of the DMA API, right
 * or wrong, and logs it. No DMA takes place: what is wrong is the bookkeeping alone, so
 * the machine stays sound, even where memory is freed too early. Each misuse is a function of
 * its own name: findings name it as the caller.
 */
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "edu.h"

/* More than 32: with iommu.forcedac=1 addresses are the highest that the IOMMU has. */
static unsigned int mask_bits = 32;
module_param(mask_bits, uint, 0444);

static int good_single(struct edu_dma *edu)
{
	dma_addr_t addr;
	int ret = map_single(edu, "good", &addr);

	if (!ret)
		unmap_single(edu, "good", addr, WHOLE, DMA_TO_DEVICE);
	return ret;
}

static int good_page(struct edu_dma *edu)
{
	dma_addr_t addr = dma_map_page(edu->dev, virt_to_page(edu->buf), 64, 128,
				       DMA_BIDIRECTIONAL);

	if (dma_mapping_error(edu->dev, addr))
		return -ENOMEM;

	say_dma(edu, "good", "map_page", addr, 128);
	dma_unmap_page(edu->dev, addr, 128, DMA_BIDIRECTIONAL);
	say_dma(edu, "good", "unmap_page", addr, 128);
	return 0;
}

static int good_sg(struct edu_dma *edu)
{
	int ret = map_sg(edu, "good");

	if (!ret)
		unmap_sg(edu, "good", 2);
	return ret;
}

static int good_coherent(struct edu_dma *edu)
{
	dma_addr_t addr;
	void *mem = dma_alloc_coherent(edu->dev, WHOLE, &addr, GFP_KERNEL);

	if (!mem)
		return -ENOMEM;

	say_dma(edu, "good", "alloc_coherent", addr, WHOLE);
	dma_free_coherent(edu->dev, WHOLE, mem, addr);
	say_dma(edu, "good", "free_coherent", addr, WHOLE);
	return 0;
}

static int good_sync(struct edu_dma *edu)
{
	dma_addr_t addr;
	int ret = map_single(edu, "good", &addr);

	if (ret)
		return ret;

	want_syncs(edu);
	dma_sync_single_for_cpu(edu->dev, addr + HALF, HALF, DMA_TO_DEVICE);
	dma_sync_single_for_device(edu->dev, addr, WHOLE, DMA_TO_DEVICE);
	unmap_single(edu, "good", addr, WHOLE, DMA_TO_DEVICE);
	return 0;
}

static int good_sync_sg(struct edu_dma *edu)
{
	int ret = map_sg(edu, "good");

	if (ret)
		return ret;

	want_syncs(edu);
	dma_sync_sg_for_cpu(edu->dev, edu->sg, 2, DMA_FROM_DEVICE);
	dma_sync_sg_for_device(edu->dev, edu->sg, 2, DMA_FROM_DEVICE);
	unmap_sg(edu, "good", 2);
	return 0;
}

/* What a driver should do. */
static noinline int act_good(struct edu_dma *edu)
{
	int ret = good_single(edu);

	if (!ret)
		ret = good_page(edu);
	if (!ret)
		ret = good_sg(edu);
	if (!ret)
		ret = good_coherent(edu);
	if (!ret)
		ret = good_sync(edu);
	if (!ret)
		ret = good_sync_sg(edu);
	return ret;
}

/* A page that goes back to the allocator while it is mapped. No DMA is under way. */
static int act_freed(struct edu_dma *edu)
{
	struct page *page = alloc_page(GFP_KERNEL);
	dma_addr_t addr;

	if (!page)
		return -ENOMEM;
	addr = dma_map_page(edu->dev, page, 0, PAGE_SIZE, DMA_FROM_DEVICE);
	if (!dma_mapping_error(edu->dev, addr))
		say_dma(edu, "freed", "map_page", addr, PAGE_SIZE);
	__free_page(page);
	if (dma_mapping_error(edu->dev, addr))
		return -ENOMEM;

	dma_unmap_page_attrs(edu->dev, addr, PAGE_SIZE, DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
	say_dma(edu, "freed", "unmap_page", addr, PAGE_SIZE);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct edu_dma *edu);
} acts[] = {
	{ "good", act_good },
	{ "leak", act_leak },
	{ "half", act_half },
	{ "dir", act_dir },
	{ "kind", act_kind },
	{ "twice", act_twice },
	{ "nents", act_nents },
	{ "freed", act_freed },
	{ "error", act_error },
	{ "never", act_never },
	{ "other", act_other },
	{ "resource", act_resource },
	{ "ram", act_ram },
	{ "cpu", act_cpu },
	{ "attrs", act_attrs },
	{ "stack", act_stack },
	{ "text", act_text },
	{ "rodata", act_rodata },
	{ "overlap", act_overlap },
	{ "long", act_long },
	{ "boundary", act_boundary },
	{ "sync", act_sync },
	{ "sync_size", act_sync_size },
	{ "sync_dir", act_sync_dir },
	{ "sync_cpu", act_sync_cpu },
	{ "sync_device", act_sync_device },
	{ "sync_nents", act_sync_nents },
	{ "dma", act_dma },
	{ "late", act_late },
	{ "stray", act_stray },
	{ "deny", act_deny },
	{ "loop", act_loop },
};

static ssize_t action_store(struct device *dev, struct device_attribute *attr, const char *buf,
			    size_t count)
{
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(acts); i++) {
		if (!sysfs_streq(buf, acts[i].name))
			continue;
		ret = acts[i].run(dev_get_drvdata(dev));
		return ret ?: count;
	}
	return -EINVAL;
}
static DEVICE_ATTR_WO(action);

static struct attribute *edu_dma_attrs[] = {
	&dev_attr_action.attr,
	NULL
};
ATTRIBUTE_GROUPS(edu_dma);

static int edu_dma_enable(struct pci_dev *pdev, struct edu_dma *edu)
{
	int ret = pcim_enable_device(pdev);

	if (ret)
		return ret;
	ret = pcim_iomap_regions(pdev, BIT(0), "edu_dma");
	if (ret)
		return ret;
	edu->regs = pcim_iomap_table(pdev)[0];
	pci_set_master(pdev);
	return 0;
}

static int edu_dma_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu_dma *edu;
	int ret;

	edu = devm_kzalloc(&pdev->dev, sizeof(*edu), GFP_KERNEL);
	if (!edu)
		return -ENOMEM;
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(mask_bits));
	if (ret)
		return ret;
	edu->buf = (void *)__get_free_pages(GFP_KERNEL, get_order(WHOLE));
	if (!edu->buf)
		return -ENOMEM;

	ret = edu_dma_enable(pdev, edu);
	if (ret) {
		free_pages((unsigned long)edu->buf, get_order(WHOLE));
		return ret;
	}
	edu->dev = &pdev->dev;
	edu->other = pci_get_class(PCI_CLASS_STORAGE_EXPRESS, NULL);
	pci_set_drvdata(pdev, edu);
	return 0;
}

static void edu_dma_remove(struct pci_dev *pdev)
{
	struct edu_dma *edu = pci_get_drvdata(pdev);

	pci_dev_put(edu->other);
	pci_clear_master(pdev);
	if (!edu->keep)
		free_pages((unsigned long)edu->buf, get_order(WHOLE));
}

static const struct pci_device_id edu_dma_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{}
};
MODULE_DEVICE_TABLE(pci, edu_dma_ids);

static struct pci_driver edu_dma_driver = {
	.name = "edu_dma",
	.id_table = edu_dma_ids,
	.probe = edu_dma_probe,
	.remove = edu_dma_remove,
	.dev_groups = edu_dma_groups,
};
module_pci_driver(edu_dma_driver);

MODULE_DESCRIPTION("DMA API misuse on request, for tests");
MODULE_LICENSE("GPL");
