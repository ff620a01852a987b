// SPDX-License-Identifier: GPL-2.0
/*
 * Calls of the IOMMU API, right or wrong, in a domain of its own, and what they return.
 *
 *	insmod iommu_call.ko bdf=0000:00:05.0 calls=map:0x200000:0x1000,unmap:0x200000:0x1000
 *
 * attaches the device to a new domain and makes the calls in order: map:IOVA:SIZE[:OFFSET],
 * unmap:IOVA:SIZE, look:IOVA. Each is logged with what it returned. What is mapped is a block
 * of 4 MiB, from OFFSET on; no DMA takes place. The module's end is the domain's.
 */
#include <linux/gfp.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/string.h>

#define ORDER	10	/* 4 MiB, the largest there is */

static char *bdf = "";
module_param(bdf, charp, 0444);
static char *calls = "";
module_param(calls, charp, 0444);

static struct pci_dev *pdev;
static struct iommu_group *group;
static struct iommu_domain *domain;
static struct page *block;

static void call_map(const char *words)
{
	u64 iova, size, offset = 0;
	int ret;

	if (sscanf(words, "map:%lli:%lli:%lli", &iova, &size, &offset) < 2)
		return;

	ret = iommu_map(domain, iova, page_to_phys(block) + offset, size,
			IOMMU_READ | IOMMU_WRITE, GFP_KERNEL);
	pci_info(pdev, "iommu_call: %s = %d\n", words, ret);
}

static void call_unmap(const char *words)
{
	u64 iova, size;

	if (sscanf(words, "unmap:%lli:%lli", &iova, &size) == 2)
		pci_info(pdev, "iommu_call: %s = %zu\n", words, iommu_unmap(domain, iova, size));
}

/* Where in the block an address leads; -1 if nowhere. */
static void call_look(const char *words)
{
	phys_addr_t phys;
	u64 iova;

	if (sscanf(words, "look:%lli", &iova) != 1)
		return;

	phys = iommu_iova_to_phys(domain, iova);
	pci_info(pdev, "iommu_call: %s = %lld\n", words,
		 phys ? (s64)(phys - page_to_phys(block)) : -1);
}

static void make_calls(char *rest)
{
	char *words;

	while ((words = strsep(&rest, ","))) {
		call_map(words);
		call_unmap(words);
		call_look(words);
	}
}

static int attach(void)
{
	int ret = iommu_group_claim_dma_owner(group, &domain);

	if (ret)
		return ret;

	domain = iommu_paging_domain_alloc(&pdev->dev);
	if (IS_ERR(domain)) {
		ret = PTR_ERR(domain);
		goto release;
	}

	ret = iommu_attach_group(domain, group);
	if (ret)
		goto free;
	return 0;

free:
	iommu_domain_free(domain);
release:
	iommu_group_release_dma_owner(group);
	return ret;
}

static void detach(void)
{
	iommu_detach_group(domain, group);
	iommu_domain_free(domain);
	iommu_group_release_dma_owner(group);
}

static struct pci_dev *find_device(void)
{
	unsigned int segment, bus, slot, function;

	if (sscanf(bdf, "%x:%x:%x.%x", &segment, &bus, &slot, &function) != 4)
		return NULL;
	return pci_get_domain_bus_and_slot(segment, bus, PCI_DEVFN(slot, function));
}

static int __init iommu_call_init(void)
{
	int ret = -ENODEV;

	pdev = find_device();
	group = pdev ? iommu_group_get(&pdev->dev) : NULL;
	if (!group)
		goto put_device;

	ret = -ENOMEM;
	block = alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_COMP, ORDER);
	if (!block)
		goto put_group;

	ret = attach();
	if (ret)
		goto free_block;
	make_calls(calls);
	return 0;

free_block:
	__free_pages(block, ORDER);
put_group:
	iommu_group_put(group);
put_device:
	pci_dev_put(pdev);
	return ret;
}
module_init(iommu_call_init);

static void __exit iommu_call_exit(void)
{
	detach();
	__free_pages(block, ORDER);
	iommu_group_put(group);
	pci_dev_put(pdev);
}
module_exit(iommu_call_exit);

MODULE_DESCRIPTION("Calls of the IOMMU API, for the tests of iommuscope");
MODULE_LICENSE("GPL");
