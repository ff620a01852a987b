// SPDX-License-Identifier: GPL-2.0
/* What a correct use costs, a thousand times over: for scripts/bench. Logs the time of one. */
#include <linux/gfp.h>
#include <linux/ktime.h>
#include <linux/math64.h>

#include "edu.h"

#define LOOPS 10000

static int map_and_unmap(struct edu_dma *edu, struct page *page)
{
	dma_addr_t addr = dma_map_page(edu->dev, page, 0, PAGE_SIZE, DMA_TO_DEVICE);

	if (dma_mapping_error(edu->dev, addr))
		return -ENOMEM;
	dma_unmap_page(edu->dev, addr, PAGE_SIZE, DMA_TO_DEVICE);
	return 0;
}

/* The same page again and again: it is never freed. */
static int loop_map(struct edu_dma *edu)
{
	return map_and_unmap(edu, virt_to_page(edu->buf));
}

/* A page of the allocator, which goes back to it: no mapping. */
static int loop_page(struct edu_dma *edu)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return -ENOMEM;
	__free_page(page);
	return 0;
}

/* Both, as a network driver does without a page pool: each page is freed after its unmap. */
static int loop_both(struct edu_dma *edu)
{
	struct page *page = alloc_page(GFP_KERNEL);
	int ret;

	if (!page)
		return -ENOMEM;
	ret = map_and_unmap(edu, page);
	__free_page(page);
	return ret;
}

static int loop(struct edu_dma *edu, const char *what, int (*once)(struct edu_dma *edu))
{
	u64 begin = ktime_get_ns();
	int i, ret = 0;

	for (i = 0; i < LOOPS && !ret; i++)
		ret = once(edu);
	if (!ret)
		dev_info(edu->dev, "loop: %s ns=%llu\n", what,
			 div_u64(ktime_get_ns() - begin, LOOPS));
	return ret;
}

int act_loop(struct edu_dma *edu)
{
	int ret = loop(edu, "map", loop_map);

	ret = ret ?: loop(edu, "page", loop_page);
	return ret ?: loop(edu, "both", loop_both);
}
