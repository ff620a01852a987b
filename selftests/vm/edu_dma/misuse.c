// SPDX-License-Identifier: GPL-2.0
/*
 * The misuses. Each is a function of its own name: findings name it as the caller. What is
 * wrong is the bookkeeping alone: no DMA takes place, and in the end everything is freed once.
 */
#include <linux/ctype.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#include "edu.h"

/* A mapping that is still there when the driver lets go of the device. */
noinline int act_leak(struct edu_dma *edu)
{
	dma_addr_t addr;

	edu->keep = true;
	return map_single(edu, "leak", &addr);
}

/* Two pages mapped, one unmapped. */
noinline int act_half(struct edu_dma *edu)
{
	dma_addr_t addr;
	int ret = map_single(edu, "half", &addr);

	edu->keep = true;
	if (!ret)
		unmap_single(edu, "half", addr, HALF, DMA_TO_DEVICE);
	return ret;
}

/* Mapped to the device, unmapped from the device. */
noinline int act_dir(struct edu_dma *edu)
{
	dma_addr_t addr;
	int ret = map_single(edu, "dir", &addr);

	if (!ret)
		unmap_single(edu, "dir", addr, WHOLE, DMA_FROM_DEVICE);
	return ret;
}

/* Mapped as one buffer, unmapped as a scatterlist. */
noinline int act_kind(struct edu_dma *edu)
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
noinline int act_twice(struct edu_dma *edu)
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
noinline int act_nents(struct edu_dma *edu)
{
	int ret = map_sg(edu, "nents");

	edu->keep = true;
	if (!ret)
		unmap_sg(edu, "nents", 1);
	return ret;
}

/* What dma_map_single() returns for failure, unmapped as if it were an address. */
noinline int act_error(struct edu_dma *edu)
{
	unmap_single(edu, "error", DMA_MAPPING_ERROR, WHOLE, DMA_TO_DEVICE);
	return 0;
}

/* Unmapped without ever having been mapped. The kernel warns, and survives. */
noinline int act_never(struct edu_dma *edu)
{
	unmap_single(edu, "never", 0x7654000, WHOLE, DMA_TO_DEVICE);
	return 0;
}

/* Mapped for us, unmapped for another device; then for us, so that nothing is left. */
noinline int act_other(struct edu_dma *edu)
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
noinline int act_resource(struct edu_dma *edu)
{
	dma_addr_t addr;
	int ret = map_single(edu, "resource", &addr);

	if (!ret)
		dma_unmap_resource(edu->dev, addr, WHOLE, DMA_TO_DEVICE, 0);
	return ret;
}

/* Memory as if it were a resource: what dma_map_resource() is not for. */
noinline int act_ram(struct edu_dma *edu)
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
noinline int act_cpu(struct edu_dma *edu)
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
noinline int act_attrs(struct edu_dma *edu)
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
noinline int act_stack(struct edu_dma *edu)
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
noinline int act_text(struct edu_dma *edu)
{
	void *code = PTR_ALIGN_DOWN((void *)dma_set_mask, 64);
	dma_addr_t addr = dma_map_single(edu->dev, code, 64, DMA_TO_DEVICE);

	if (dma_mapping_error(edu->dev, addr))
		return -ENOMEM;

	say_dma(edu, "text", "map_single", addr, 64);
	dma_unmap_single(edu->dev, addr, 64, DMA_TO_DEVICE);
	return 0;
}

/* The kernel's constants, as if the device could write them. It does not. */
noinline int act_rodata(struct edu_dma *edu)
{
	void *constants = PTR_ALIGN_DOWN((void *)_ctype, 16);
	dma_addr_t addr = dma_map_single(edu->dev, constants, 16, DMA_FROM_DEVICE);

	if (dma_mapping_error(edu->dev, addr))
		return -ENOMEM;

	say_dma(edu, "rodata", "map_single", addr, 16);
	dma_unmap_single(edu->dev, addr, 16, DMA_FROM_DEVICE);
	return 0;
}

/* One cache line, mapped twice for the device to write. */
noinline int act_overlap(struct edu_dma *edu)
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
noinline int act_long(struct edu_dma *edu)
{
	int ret;

	dma_set_max_seg_size(edu->dev, HALF);
	ret = map_one_segment(edu, "long");
	dma_set_max_seg_size(edu->dev, SZ_64K);
	return ret;
}

/* A segment across what the device says that it cannot cross. */
noinline int act_boundary(struct edu_dma *edu)
{
	int ret;

	dma_set_seg_boundary(edu->dev, HALF - 1);
	ret = map_one_segment(edu, "boundary");
	dma_set_seg_boundary(edu->dev, DMA_BIT_MASK(32));
	return ret;
}

/* Mapped and unmapped, then synced. */
noinline int act_sync(struct edu_dma *edu)
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

noinline int act_sync_size(struct edu_dma *edu)
{
	return sync_badly(edu, "sync_size", WHOLE + 1, DMA_TO_DEVICE);
}

noinline int act_sync_dir(struct edu_dma *edu)
{
	return sync_badly(edu, "sync_dir", WHOLE, DMA_FROM_DEVICE);
}

/* Handed to the CPU for reading, what the device only reads. */
noinline int act_sync_cpu(struct edu_dma *edu)
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

/* Handed to the device for reading, what the device only writes. */
noinline int act_sync_device(struct edu_dma *edu)
{
	dma_addr_t addr = dma_map_single(edu->dev, edu->buf, WHOLE, DMA_FROM_DEVICE);

	if (dma_mapping_error(edu->dev, addr))
		return -ENOMEM;

	say_dma(edu, "sync_device", "map_single", addr, WHOLE);
	want_syncs(edu);
	dma_sync_single_for_device(edu->dev, addr, WHOLE, DMA_BIDIRECTIONAL);
	dma_unmap_single(edu->dev, addr, WHOLE, DMA_FROM_DEVICE);
	return 0;
}

noinline int act_sync_nents(struct edu_dma *edu)
{
	int ret = map_sg(edu, "sync_nents");

	if (ret)
		return ret;

	want_syncs(edu);
	dma_sync_sg_for_cpu(edu->dev, edu->sg, 1, DMA_FROM_DEVICE);
	unmap_sg(edu, "sync_nents", 2);
	return 0;
}
