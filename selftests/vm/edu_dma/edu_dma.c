// SPDX-License-Identifier: GPL-2.0
/*
 * A driver that misbehaves on request, for QEMU's educational device.
 *
 * Writing a word to the device's "action" file makes one use of the DMA API, right
 * or wrong, and logs it. No DMA takes place, and memory is never freed too early:
 * what is wrong is the bookkeeping alone, so the machine stays sound. Each misuse is a
 * function of its own name: findings name it as the caller.
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/version.h>
#include <linux/vmalloc.h>

#define HALF	PAGE_SIZE
#define WHOLE	(2 * PAGE_SIZE)

struct edu_dma {
	struct device *dev;
	struct pci_dev *other;	/* a device that is not ours, or NULL */
	void *buf;		/* WHOLE bytes, physically contiguous */
	bool keep;		/* some of it stays mapped, so it stays allocated */
	struct scatterlist sg[2];
};

static void say_dma(struct edu_dma *edu, const char *act, const char *call, dma_addr_t addr,
		    size_t size)
{
	dev_info(edu->dev, "%s: %s addr=0x%llx size=%zu\n", act, call, (u64)addr, size);
}

static __always_inline int map_single(struct edu_dma *edu, const char *act, dma_addr_t *addr)
{
	*addr = dma_map_single(edu->dev, edu->buf, WHOLE, DMA_TO_DEVICE);
	if (dma_mapping_error(edu->dev, *addr))
		return -ENOMEM;

	say_dma(edu, act, "map_single", *addr, WHOLE);
	return 0;
}

static __always_inline void unmap_single(struct edu_dma *edu, const char *act, dma_addr_t addr, size_t size,
			 enum dma_data_direction dir)
{
	dma_unmap_single(edu->dev, addr, size, dir);
	say_dma(edu, act, "unmap_single", addr, size);
}

/* Both halves in the wrong order, so that they cannot become one piece. */
static __always_inline int map_sg(struct edu_dma *edu, const char *act)
{
	sg_init_table(edu->sg, 2);
	sg_set_buf(&edu->sg[0], edu->buf + HALF, HALF);
	sg_set_buf(&edu->sg[1], edu->buf, HALF);
	if (!dma_map_sg(edu->dev, edu->sg, 2, DMA_FROM_DEVICE))
		return -ENOMEM;

	say_dma(edu, act, "map_sg", sg_dma_address(edu->sg), sg_dma_len(edu->sg));
	return 0;
}

static __always_inline void unmap_sg(struct edu_dma *edu, const char *act, int nents)
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

/* Later kernels skip the call for devices that need no syncs: be one that does. */
static void want_syncs(struct edu_dma *edu)
{
#if KERNEL_VERSION(7, 0, 0) <= LINUX_VERSION_CODE
	dev_clear_dma_skip_sync(edu->dev);
#elif KERNEL_VERSION(6, 10, 0) <= LINUX_VERSION_CODE
	edu->dev->dma_skip_sync = false;
#endif
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

/* A mapping that is still there when the driver lets go of the device. */
static noinline int act_leak(struct edu_dma *edu)
{
	dma_addr_t addr;

	edu->keep = true;
	return map_single(edu, "leak", &addr);
}

/* Two pages mapped, one unmapped. */
static noinline int act_half(struct edu_dma *edu)
{
	dma_addr_t addr;
	int ret = map_single(edu, "half", &addr);

	edu->keep = true;
	if (!ret)
		unmap_single(edu, "half", addr, HALF, DMA_TO_DEVICE);
	return ret;
}

/* Mapped to the device, unmapped from the device. */
static noinline int act_dir(struct edu_dma *edu)
{
	dma_addr_t addr;
	int ret = map_single(edu, "dir", &addr);

	if (!ret)
		unmap_single(edu, "dir", addr, WHOLE, DMA_FROM_DEVICE);
	return ret;
}

/* Mapped as one buffer, unmapped as a scatterlist. */
static noinline int act_kind(struct edu_dma *edu)
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
static noinline int act_twice(struct edu_dma *edu)
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
static noinline int act_nents(struct edu_dma *edu)
{
	int ret = map_sg(edu, "nents");

	edu->keep = true;
	if (!ret)
		unmap_sg(edu, "nents", 1);
	return ret;
}

/* What dma_map_single() returns for failure, unmapped as if it were an address. */
static noinline int act_error(struct edu_dma *edu)
{
	unmap_single(edu, "error", DMA_MAPPING_ERROR, WHOLE, DMA_TO_DEVICE);
	return 0;
}

/* Unmapped without ever having been mapped. The kernel warns, and survives. */
static noinline int act_never(struct edu_dma *edu)
{
	unmap_single(edu, "never", 0x7654000, WHOLE, DMA_TO_DEVICE);
	return 0;
}

/* Mapped for us, unmapped for another device; then for us, so that nothing is left. */
static noinline int act_other(struct edu_dma *edu)
{
	dma_addr_t addr;
	int ret = edu->other ? map_single(edu, "other", &addr) : -ENODEV;

	if (ret)
		return ret;

	dma_unmap_single(&edu->other->dev, addr, WHOLE, DMA_TO_DEVICE);
	unmap_single(edu, "other", addr, WHOLE, DMA_TO_DEVICE);
	return 0;
}

/* Mapped as a buffer, unmapped as a resource. */
static noinline int act_resource(struct edu_dma *edu)
{
	dma_addr_t addr;
	int ret = map_single(edu, "resource", &addr);

	if (!ret)
		dma_unmap_resource(edu->dev, addr, WHOLE, DMA_TO_DEVICE, 0);
	return ret;
}

/* Memory as if it were a resource: what dma_map_resource() is not for. */
static noinline int act_ram(struct edu_dma *edu)
{
	dma_addr_t addr = dma_map_resource(edu->dev, virt_to_phys(edu->buf), WHOLE,
					   DMA_TO_DEVICE, 0);

	if (dma_mapping_error(edu->dev, addr))
		return -ENOMEM;

	say_dma(edu, "ram", "map_resource", addr, WHOLE);
	dma_unmap_resource(edu->dev, addr, WHOLE, DMA_TO_DEVICE, 0);
	return 0;
}

/* Two buffers, each freed with the other's CPU address: all is freed in the end. */
static noinline int act_cpu(struct edu_dma *edu)
{
	dma_addr_t addr[2];
	void *mem[2];

	mem[0] = dma_alloc_coherent(edu->dev, WHOLE, &addr[0], GFP_KERNEL);
	if (!mem[0])
		return -ENOMEM;
	mem[1] = dma_alloc_coherent(edu->dev, WHOLE, &addr[1], GFP_KERNEL);
	if (!mem[1]) {
		dma_free_coherent(edu->dev, WHOLE, mem[0], addr[0]);
		return -ENOMEM;
	}
	say_dma(edu, "cpu", "alloc_coherent", addr[0], WHOLE);
	dma_free_coherent(edu->dev, WHOLE, mem[1], addr[0]);
	dma_free_coherent(edu->dev, WHOLE, mem[0], addr[1]);
	return 0;
}

/* Mapped with an attribute, unmapped without. */
static noinline int act_attrs(struct edu_dma *edu)
{
	dma_addr_t addr = dma_map_single_attrs(edu->dev, edu->buf, WHOLE, DMA_TO_DEVICE,
					       DMA_ATTR_PRIVILEGED);

	if (dma_mapping_error(edu->dev, addr))
		return -ENOMEM;

	say_dma(edu, "attrs", "map_single", addr, WHOLE);
	unmap_single(edu, "attrs", addr, WHOLE, DMA_TO_DEVICE);
	return 0;
}

/* A buffer on the stack. Through its page, since dma_map_single() refuses such stacks. */
static noinline int act_stack(struct edu_dma *edu)
{
	char buf[64] __aligned(64) = "";
	struct page *page = is_vmalloc_addr(buf) ? vmalloc_to_page(buf) : virt_to_page(buf);
	dma_addr_t addr = dma_map_page(edu->dev, page, offset_in_page(buf), sizeof(buf),
				       DMA_TO_DEVICE);

	if (dma_mapping_error(edu->dev, addr))
		return -ENOMEM;

	say_dma(edu, "stack", "map_page", addr, sizeof(buf));
	dma_unmap_page(edu->dev, addr, sizeof(buf), DMA_TO_DEVICE);
	return 0;
}

/* The kernel's own code. The device only reads. */
static noinline int act_text(struct edu_dma *edu)
{
	void *code = PTR_ALIGN_DOWN((void *)dma_set_mask, 64);
	dma_addr_t addr = dma_map_single(edu->dev, code, 64, DMA_TO_DEVICE);

	if (dma_mapping_error(edu->dev, addr))
		return -ENOMEM;

	say_dma(edu, "text", "map_single", addr, 64);
	dma_unmap_single(edu->dev, addr, 64, DMA_TO_DEVICE);
	return 0;
}

/* One cache line, mapped twice for the device to write. */
static noinline int act_overlap(struct edu_dma *edu)
{
	dma_addr_t addr[2];
	int i;

	for (i = 0; i < 2; i++) {
		addr[i] = dma_map_single(edu->dev, edu->buf, 64, DMA_FROM_DEVICE);
		if (dma_mapping_error(edu->dev, addr[i]))
			return -ENOMEM;
	}
	say_dma(edu, "overlap", "map_single", addr[1], 64);
	for (i = 0; i < 2; i++)
		dma_unmap_single(edu->dev, addr[i], 64, DMA_FROM_DEVICE);
	return 0;
}

static __always_inline int map_one_segment(struct edu_dma *edu, const char *act)
{
	sg_init_one(edu->sg, edu->buf, WHOLE);
	if (!dma_map_sg(edu->dev, edu->sg, 1, DMA_TO_DEVICE))
		return -ENOMEM;

	say_dma(edu, act, "map_sg", sg_dma_address(edu->sg), sg_dma_len(edu->sg));
	dma_unmap_sg(edu->dev, edu->sg, 1, DMA_TO_DEVICE);
	return 0;
}

/* A segment longer than the device says that it can. */
static noinline int act_long(struct edu_dma *edu)
{
	int ret;

	dma_set_max_seg_size(edu->dev, HALF);
	ret = map_one_segment(edu, "long");
	dma_set_max_seg_size(edu->dev, SZ_64K);
	return ret;
}

/* A segment across what the device says that it cannot cross. */
static noinline int act_boundary(struct edu_dma *edu)
{
	int ret;

	dma_set_seg_boundary(edu->dev, HALF - 1);
	ret = map_one_segment(edu, "boundary");
	dma_set_seg_boundary(edu->dev, DMA_BIT_MASK(32));
	return ret;
}

/* Mapped and unmapped, then synced. */
static noinline int act_sync(struct edu_dma *edu)
{
	dma_addr_t addr;
	int ret = map_single(edu, "sync", &addr);

	if (ret)
		return ret;

	unmap_single(edu, "sync", addr, WHOLE, DMA_TO_DEVICE);
	want_syncs(edu);
	dma_sync_single_for_cpu(edu->dev, addr, WHOLE, DMA_TO_DEVICE);
	return 0;
}

/* One mapping, and one sync of it that does not fit. */
static __always_inline int sync_badly(struct edu_dma *edu, const char *act, size_t size,
				      enum dma_data_direction dir)
{
	dma_addr_t addr;
	int ret = map_single(edu, act, &addr);

	if (ret)
		return ret;

	want_syncs(edu);
	dma_sync_single_for_device(edu->dev, addr, size, dir);
	unmap_single(edu, act, addr, WHOLE, DMA_TO_DEVICE);
	return 0;
}

static noinline int act_sync_size(struct edu_dma *edu)
{
	return sync_badly(edu, "sync_size", WHOLE + 1, DMA_TO_DEVICE);
}

static noinline int act_sync_dir(struct edu_dma *edu)
{
	return sync_badly(edu, "sync_dir", WHOLE, DMA_FROM_DEVICE);
}

/* Handed to the CPU for reading, what the device only reads. */
static noinline int act_sync_cpu(struct edu_dma *edu)
{
	dma_addr_t addr;
	int ret = map_single(edu, "sync_cpu", &addr);

	if (ret)
		return ret;

	want_syncs(edu);
	dma_sync_single_for_cpu(edu->dev, addr, WHOLE, DMA_BIDIRECTIONAL);
	unmap_single(edu, "sync_cpu", addr, WHOLE, DMA_TO_DEVICE);
	return 0;
}

static noinline int act_sync_nents(struct edu_dma *edu)
{
	int ret = map_sg(edu, "sync_nents");

	if (ret)
		return ret;

	want_syncs(edu);
	dma_sync_sg_for_cpu(edu->dev, edu->sg, 1, DMA_FROM_DEVICE);
	unmap_sg(edu, "sync_nents", 2);
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
	{ "error", act_error },
	{ "never", act_never },
	{ "other", act_other },
	{ "resource", act_resource },
	{ "ram", act_ram },
	{ "cpu", act_cpu },
	{ "attrs", act_attrs },
	{ "stack", act_stack },
	{ "text", act_text },
	{ "overlap", act_overlap },
	{ "long", act_long },
	{ "boundary", act_boundary },
	{ "sync", act_sync },
	{ "sync_size", act_sync_size },
	{ "sync_dir", act_sync_dir },
	{ "sync_cpu", act_sync_cpu },
	{ "sync_nents", act_sync_nents },
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
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(32));
	if (ret)
		return ret;
	edu->buf = (void *)__get_free_pages(GFP_KERNEL, get_order(WHOLE));
	if (!edu->buf)
		return -ENOMEM;

	edu->dev = &pdev->dev;
	edu->other = pci_get_class(PCI_CLASS_STORAGE_EXPRESS, NULL);
	pci_set_drvdata(pdev, edu);
	return 0;
}

static void edu_dma_remove(struct pci_dev *pdev)
{
	struct edu_dma *edu = pci_get_drvdata(pdev);

	pci_dev_put(edu->other);
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
