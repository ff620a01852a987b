// SPDX-License-Identifier: GPL-2.0
/*
 * A driver that misbehaves on request, for QEMU's educational device.
 *
 * Writing a word to the device's "action" file makes one use of the DMA API, right
 * or wrong, and logs it. No DMA takes place, and memory is never freed too early:
 * what is wrong is the bookkeeping alone, so the machine stays sound.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#define HALF	PAGE_SIZE
#define WHOLE	(2 * PAGE_SIZE)

/* More than 32: with iommu.forcedac=1 addresses are the highest that the IOMMU has. */
static unsigned int mask_bits = 32;
module_param(mask_bits, uint, 0444);

struct edu_dma {
	struct device *dev;
	void *buf;		/* WHOLE bytes, physically contiguous */
	bool keep;		/* some of it stays mapped, so it stays allocated */
	struct scatterlist sg[2];
};

static void say_dma(struct edu_dma *edu, const char *act, const char *call, dma_addr_t addr,
		    size_t size)
{
	dev_info(edu->dev, "%s: %s addr=0x%llx size=%zu\n", act, call, (u64)addr, size);
}

static int map_single(struct edu_dma *edu, const char *act, dma_addr_t *addr)
{
	*addr = dma_map_single(edu->dev, edu->buf, WHOLE, DMA_TO_DEVICE);
	if (dma_mapping_error(edu->dev, *addr))
		return -ENOMEM;

	say_dma(edu, act, "map_single", *addr, WHOLE);
	return 0;
}

static void unmap_single(struct edu_dma *edu, const char *act, dma_addr_t addr, size_t size,
			 enum dma_data_direction dir)
{
	dma_unmap_single(edu->dev, addr, size, dir);
	say_dma(edu, act, "unmap_single", addr, size);
}

/* Both halves in the wrong order, so that they cannot become one piece. */
static int map_sg(struct edu_dma *edu, const char *act)
{
	sg_init_table(edu->sg, 2);
	sg_set_buf(&edu->sg[0], edu->buf + HALF, HALF);
	sg_set_buf(&edu->sg[1], edu->buf, HALF);
	if (!dma_map_sg(edu->dev, edu->sg, 2, DMA_FROM_DEVICE))
		return -ENOMEM;

	say_dma(edu, act, "map_sg", sg_dma_address(edu->sg), sg_dma_len(edu->sg));
	return 0;
}

static void unmap_sg(struct edu_dma *edu, const char *act, int nents)
{
	dma_addr_t addr = sg_dma_address(edu->sg);

	dma_unmap_sg(edu->dev, edu->sg, nents, DMA_FROM_DEVICE);
	say_dma(edu, act, "unmap_sg", addr, nents * HALF);
}

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

/* What a driver should do. */
static int act_good(struct edu_dma *edu)
{
	int ret = good_single(edu);

	if (!ret)
		ret = good_page(edu);
	if (!ret)
		ret = good_sg(edu);
	if (!ret)
		ret = good_coherent(edu);
	return ret;
}

/* A mapping that is still there when the driver lets go of the device. */
static int act_leak(struct edu_dma *edu)
{
	dma_addr_t addr;

	edu->keep = true;
	return map_single(edu, "leak", &addr);
}

/* Two pages mapped, one unmapped. */
static int act_half(struct edu_dma *edu)
{
	dma_addr_t addr;
	int ret = map_single(edu, "half", &addr);

	edu->keep = true;
	if (!ret)
		unmap_single(edu, "half", addr, HALF, DMA_TO_DEVICE);
	return ret;
}

/* Mapped to the device, unmapped from the device. */
static int act_dir(struct edu_dma *edu)
{
	dma_addr_t addr;
	int ret = map_single(edu, "dir", &addr);

	if (!ret)
		unmap_single(edu, "dir", addr, WHOLE, DMA_FROM_DEVICE);
	return ret;
}

/* Mapped as one buffer, unmapped as a scatterlist. */
static int act_kind(struct edu_dma *edu)
{
	dma_addr_t addr;
	int ret = map_single(edu, "kind", &addr);

	if (ret)
		return ret;

	sg_init_one(edu->sg, edu->buf, WHOLE);
	sg_dma_address(edu->sg) = addr;
	sg_dma_len(edu->sg) = WHOLE;
	dma_unmap_sg(edu->dev, edu->sg, 1, DMA_TO_DEVICE);
	say_dma(edu, "kind", "unmap_sg", addr, WHOLE);
	return 0;
}

/* Unmapped twice. The kernel warns about the second, and survives. */
static int act_twice(struct edu_dma *edu)
{
	dma_addr_t addr;
	int ret = map_single(edu, "twice", &addr);

	if (ret)
		return ret;

	unmap_single(edu, "twice", addr, WHOLE, DMA_TO_DEVICE);
	unmap_single(edu, "twice", addr, WHOLE, DMA_TO_DEVICE);
	return 0;
}

/* A scatterlist of two entries, unmapped as if it had one. */
static int act_nents(struct edu_dma *edu)
{
	int ret = map_sg(edu, "nents");

	edu->keep = true;
	if (!ret)
		unmap_sg(edu, "nents", 1);
	return ret;
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

	edu->dev = &pdev->dev;
	pci_set_drvdata(pdev, edu);
	return 0;
}

static void edu_dma_remove(struct pci_dev *pdev)
{
	struct edu_dma *edu = pci_get_drvdata(pdev);

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
