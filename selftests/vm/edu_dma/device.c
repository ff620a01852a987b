// SPDX-License-Identifier: GPL-2.0
/*
 * The device at work: its DMA engine reads and writes where it may, and where it may not. What it
 * reaches is the driver's own buffer, or nothing.
 */
#include <linux/delay.h>
#include <linux/io.h>

#include "edu.h"

/* QEMU, docs/specs/edu: its DMA engine, and its own memory; it has 28 address lines. */
#define EDU_DMA_SRC	0x80
#define EDU_DMA_DST	0x88
#define EDU_DMA_COUNT	0x90
#define EDU_DMA_CMD	0x98
#define EDU_DMA_START	0x1	/* and nothing else: from memory to the device */
#define EDU_DMA_WRITE	0x2	/* to memory */
#define EDU_MEMORY	0x40000
#define EDU_BITS	28

static int device_wait(struct edu_dma *edu)
{
	int tries;

	for (tries = 0; tries < 200; tries++) {
		if (!(readl(edu->regs + EDU_DMA_CMD) & EDU_DMA_START))
			return 0;
		msleep(20);
	}
	return -ETIMEDOUT;
}

/* The device reads or writes 64 bytes at @addr, whether it may or not. */
static int device_use(struct edu_dma *edu, const char *act, dma_addr_t addr, u32 write)
{
	int ret;

	writel(write ? EDU_MEMORY : addr, edu->regs + EDU_DMA_SRC);
	writel(write ? addr : EDU_MEMORY, edu->regs + EDU_DMA_DST);
	writel(64, edu->regs + EDU_DMA_COUNT);
	writel(EDU_DMA_START | write, edu->regs + EDU_DMA_CMD);
	ret = device_wait(edu);
	if (!ret)
		say_dma(edu, act, write ? "device_write" : "device_read", addr, 64);
	return ret;
}

/* The device reads what is mapped for it. */
int act_dma(struct edu_dma *edu)
{
	dma_addr_t addr;
	int ret;

	dma_set_mask(edu->dev, DMA_BIT_MASK(EDU_BITS));
	ret = map_single(edu, "dma", &addr);
	if (ret)
		return ret;

	ret = device_use(edu, "dma", addr, 0);
	unmap_single(edu, "dma", addr, WHOLE, DMA_TO_DEVICE);
	return ret;
}

/* The device reads what was mapped for it until a moment ago. */
int act_late(struct edu_dma *edu)
{
	dma_addr_t addr;
	int ret;

	dma_set_mask(edu->dev, DMA_BIT_MASK(EDU_BITS));
	ret = map_single(edu, "late", &addr);
	if (ret)
		return ret;

	unmap_single(edu, "late", addr, WHOLE, DMA_TO_DEVICE);
	return device_use(edu, "late", addr, 0);
}

/* The device reads where nothing ever was. */
int act_stray(struct edu_dma *edu)
{
	return device_use(edu, "stray", 0x123000, 0);
}

/* The device writes what it may only read. */
int act_deny(struct edu_dma *edu)
{
	dma_addr_t addr;
	int ret;

	dma_set_mask(edu->dev, DMA_BIT_MASK(EDU_BITS));
	ret = map_single(edu, "deny", &addr);
	if (ret)
		return ret;

	ret = device_use(edu, "deny", addr, EDU_DMA_WRITE);
	unmap_single(edu, "deny", addr, WHOLE, DMA_TO_DEVICE);
	return ret;
}
