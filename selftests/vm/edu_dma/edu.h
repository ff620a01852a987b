/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the driver share: the device, and the DMA API with a word in the log. */
#ifndef EDU_DMA_EDU_H
#define EDU_DMA_EDU_H

#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include <linux/version.h>

#define HALF	PAGE_SIZE
#define WHOLE	(2 * PAGE_SIZE)

struct edu_dma {
	struct device *dev;
	struct pci_dev *other;	/* a device that is not ours, or NULL */
	void *buf;		/* WHOLE bytes, physically contiguous */
	void __iomem *regs;
	bool keep;		/* some of it stays mapped, so it stays allocated */
	struct scatterlist sg[2];
};

static inline void say_dma(struct edu_dma *edu, const char *act, const char *call,
			   dma_addr_t addr, size_t size)
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

static __always_inline void unmap_single(struct edu_dma *edu, const char *act, dma_addr_t addr,
					 size_t size, enum dma_data_direction dir)
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

/* Later kernels skip the call for devices that need no syncs: be one that does. */
static __always_inline void want_syncs(struct edu_dma *edu)
{
#if KERNEL_VERSION(7, 0, 0) <= LINUX_VERSION_CODE
	dev_clear_dma_skip_sync(edu->dev);
#elif KERNEL_VERSION(6, 10, 0) <= LINUX_VERSION_CODE
	edu->dev->dma_skip_sync = false;
#endif
}

/* misuse.c: one misuse each. 0 or -errno, if it could not be made. */
int act_leak(struct edu_dma *edu);
int act_half(struct edu_dma *edu);
int act_dir(struct edu_dma *edu);
int act_kind(struct edu_dma *edu);
int act_twice(struct edu_dma *edu);
int act_nents(struct edu_dma *edu);
int act_error(struct edu_dma *edu);
int act_never(struct edu_dma *edu);
int act_other(struct edu_dma *edu);
int act_resource(struct edu_dma *edu);
int act_ram(struct edu_dma *edu);
int act_cpu(struct edu_dma *edu);
int act_attrs(struct edu_dma *edu);
int act_stack(struct edu_dma *edu);
int act_text(struct edu_dma *edu);
int act_rodata(struct edu_dma *edu);
int act_overlap(struct edu_dma *edu);
int act_long(struct edu_dma *edu);
int act_boundary(struct edu_dma *edu);
int act_sync(struct edu_dma *edu);
int act_sync_size(struct edu_dma *edu);
int act_sync_dir(struct edu_dma *edu);
int act_sync_cpu(struct edu_dma *edu);
int act_sync_device(struct edu_dma *edu);
int act_sync_nents(struct edu_dma *edu);

/* loop.c: correct uses, timed. The same. */
int act_loop(struct edu_dma *edu);

/* device.c: the device uses memory. The same. */
int act_dma(struct edu_dma *edu);
int act_late(struct edu_dma *edu);
int act_stray(struct edu_dma *edu);
int act_deny(struct edu_dma *edu);

#endif
