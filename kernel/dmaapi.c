// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel driver of an endpoint: DMA API calls, as a user asks for them.
 *
 * A handle is a piece of memory and its mapping, with the CPU's view of it: one address, or for a
 * scatterlist one page per entry. Memory comes from the page allocator and not from slab, because
 * the DMA engine touches only pages that are counted; compound, so that each page of it is.
 *
 * The endpoint's dma_lock guards its handles and is held over every call.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "core.h"

#define MAX_NENTS 1024

/**
 * struct ref_handle - What an ALLOC, MAP or MAP_SG left open
 * @op: which of them
 * @dir: as it was mapped
 * @bytes: of memory, from @cpu on or in the pages of @sgt
 * @cpu: ALLOC, MAP: the CPU's view
 * @addr: ALLOC, MAP: the device's
 * @pages: MAP: the memory
 * @order: MAP: of @pages
 * @sgt: MAP_SG: one page per entry
 */
struct ref_handle {
	u32 op;
	enum dma_data_direction dir;
	size_t bytes;
	void *cpu;
	dma_addr_t addr;
	struct page *pages;
	unsigned int order;
	struct sg_table sgt;
};

/* ---- the three kinds: open fills all but op and dir; close undoes it ---- */

static int coherent_open(struct device *dev, struct ref_handle *handle, struct refiommu_dmaapi *arg)
{
	if (!arg->bytes || arg->bytes > REFIOMMU_DMAAPI_MAX)
		return -EINVAL;
	handle->bytes = arg->bytes;
	handle->cpu = dma_alloc_coherent(dev, handle->bytes, &handle->addr,
					 GFP_KERNEL | __GFP_NOWARN);
	if (!handle->cpu)
		return -EIO;
	arg->out_nents = 0;
	arg->out_addr = handle->addr;
	return 0;
}

static void coherent_close(struct device *dev, struct ref_handle *handle)
{
	dma_free_coherent(dev, handle->bytes, handle->cpu, handle->addr);
}

static int single_open(struct device *dev, struct ref_handle *handle, struct refiommu_dmaapi *arg)
{
	if (!arg->bytes || arg->bytes > REFIOMMU_DMAAPI_MAX || arg->offset >= SZ_4K)
		return -EINVAL;
	handle->bytes = arg->bytes;
	handle->order = get_order(arg->offset + arg->bytes);
	if (handle->order > MAX_PAGE_ORDER)
		return -EINVAL;
	handle->pages = alloc_pages(GFP_KERNEL_ACCOUNT | __GFP_COMP | __GFP_ZERO | __GFP_NOWARN,
				    handle->order);
	if (!handle->pages)
		return -ENOMEM;
	handle->cpu = page_address(handle->pages) + arg->offset;
	handle->addr = dma_map_single(dev, handle->cpu, handle->bytes, handle->dir);
	if (dma_mapping_error(dev, handle->addr)) {
		__free_pages(handle->pages, handle->order);
		return -EIO;
	}
	arg->out_nents = 0;
	arg->out_addr = handle->addr;
	return 0;
}

static void single_close(struct device *dev, struct ref_handle *handle)
{
	dma_unmap_single(dev, handle->addr, handle->bytes, handle->dir);
	__free_pages(handle->pages, handle->order);
}

/* Entries without a page are those that were never filled. */
static void sg_free(struct sg_table *sgt)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(sgt, sg, i)
		if (sg_page(sg))
			__free_page(sg_page(sg));
	sg_free_table(sgt);
}

static int sg_fill(struct sg_table *sgt, unsigned int nents)
{
	struct scatterlist *sg;
	struct page *page;
	unsigned int i;

	if (sg_alloc_table(sgt, nents, GFP_KERNEL_ACCOUNT))
		return -ENOMEM;
	for_each_sgtable_sg(sgt, sg, i) {
		page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!page) {
			sg_free(sgt);
			return -ENOMEM;
		}
		sg_set_page(sg, page, PAGE_SIZE, 0);
	}
	return 0;
}

static int sg_open(struct device *dev, struct ref_handle *handle, struct refiommu_dmaapi *arg)
{
	int err;

	if (!arg->nents || arg->nents > MAX_NENTS)
		return -EINVAL;
	handle->bytes = arg->nents * PAGE_SIZE;
	err = sg_fill(&handle->sgt, arg->nents);
	if (err)
		return err;
	if (dma_map_sgtable(dev, &handle->sgt, handle->dir, 0)) {
		sg_free(&handle->sgt);
		return -EIO;
	}
	arg->out_nents = handle->sgt.nents;
	arg->out_addr = sg_dma_address(handle->sgt.sgl);
	return 0;
}

static void sg_close(struct device *dev, struct ref_handle *handle)
{
	dma_unmap_sgtable(dev, &handle->sgt, handle->dir, 0);
	sg_free(&handle->sgt);
}

static int handle_open(struct device *dev, struct ref_handle *handle, struct refiommu_dmaapi *arg)
{
	switch (handle->op) {
	case REFIOMMU_DMAAPI_ALLOC:
		return coherent_open(dev, handle, arg);
	case REFIOMMU_DMAAPI_MAP:
		return single_open(dev, handle, arg);
	}
	return sg_open(dev, handle, arg);
}

static void handle_close(struct device *dev, struct ref_handle *handle)
{
	switch (handle->op) {
	case REFIOMMU_DMAAPI_ALLOC:
		coherent_close(dev, handle);
		break;
	case REFIOMMU_DMAAPI_MAP:
		single_close(dev, handle);
		break;
	case REFIOMMU_DMAAPI_MAP_SG:
		sg_close(dev, handle);
		break;
	}
	kfree(handle);
}

/* ---- the calls ---- */

static int dmaapi_open(struct ref_endpoint *endpoint, struct refiommu_dmaapi *arg)
{
	struct ref_handle *handle;
	int err;

	lockdep_assert_held(&endpoint->dma_lock);
	if (arg->dir > DMA_FROM_DEVICE)
		return -EINVAL;
	handle = kzalloc(sizeof(*handle), GFP_KERNEL_ACCOUNT);
	if (!handle)
		return -ENOMEM;
	handle->op = arg->op;
	handle->dir = arg->dir;
	err = handle_open(endpoint->dev, handle, arg);
	if (err) {
		kfree(handle);
		return err;
	}
	err = xa_alloc(&endpoint->handles, &arg->out_handle, handle, xa_limit_31b, GFP_KERNEL);
	if (err) {
		handle_close(endpoint->dev, handle);
		return -ENOMEM;
	}
	return 0;
}

static int dmaapi_unmap(struct ref_endpoint *endpoint, struct refiommu_dmaapi *arg)
{
	struct ref_handle *handle;

	lockdep_assert_held(&endpoint->dma_lock);
	handle = xa_erase(&endpoint->handles, arg->handle);
	if (!handle)
		return -ENOENT;
	handle_close(endpoint->dev, handle);
	return 0;
}

/* Coherent memory needs no syncing and has no call for it. */
static int dmaapi_sync(struct ref_endpoint *endpoint, struct ref_handle *handle, bool for_cpu)
{
	struct device *dev = endpoint->dev;

	lockdep_assert_held(&endpoint->dma_lock);
	switch (handle->op) {
	case REFIOMMU_DMAAPI_MAP:
		if (for_cpu)
			dma_sync_single_for_cpu(dev, handle->addr, handle->bytes, handle->dir);
		else
			dma_sync_single_for_device(dev, handle->addr, handle->bytes, handle->dir);
		return 0;
	case REFIOMMU_DMAAPI_MAP_SG:
		if (for_cpu)
			dma_sync_sgtable_for_cpu(dev, &handle->sgt, handle->dir);
		else
			dma_sync_sgtable_for_device(dev, &handle->sgt, handle->dir);
		return 0;
	}
	return -EOPNOTSUPP;
}

/* The CPU's view from @offset on, and how far it is contiguous. */
static void *handle_view(struct ref_handle *handle, size_t offset, size_t *bytes)
{
	struct scatterlist *sg;
	unsigned int i;

	if (handle->op != REFIOMMU_DMAAPI_MAP_SG) {
		*bytes = handle->bytes - offset;
		return handle->cpu + offset;
	}
	for_each_sgtable_sg(&handle->sgt, sg, i) {
		if (offset < sg->length) {
			*bytes = sg->length - offset;
			return sg_virt(sg) + offset;
		}
		offset -= sg->length;
	}
	return NULL;
}

static int dmaapi_cpu(struct ref_endpoint *endpoint, struct ref_handle *handle,
		      struct refiommu_dmaapi *arg, bool write)
{
	u8 __user *data = u64_to_user_ptr(arg->data);
	size_t done, bytes;
	void *view;

	lockdep_assert_held(&endpoint->dma_lock);
	if (!arg->bytes || arg->offset >= handle->bytes ||
	    arg->bytes > handle->bytes - arg->offset)
		return -EINVAL;
	for (done = 0; done < arg->bytes; done += bytes) {
		view = handle_view(handle, arg->offset + done, &bytes);
		bytes = min_t(size_t, bytes, arg->bytes - done);
		if (write ? copy_from_user(view, data + done, bytes) :
			    copy_to_user(data + done, view, bytes))
			return -EFAULT;
	}
	return 0;
}

static int dmaapi_use(struct ref_endpoint *endpoint, struct refiommu_dmaapi *arg)
{
	struct ref_handle *handle;

	lockdep_assert_held(&endpoint->dma_lock);
	handle = xa_load(&endpoint->handles, arg->handle);
	if (!handle)
		return -ENOENT;
	switch (arg->op) {
	case REFIOMMU_DMAAPI_SYNC_CPU:
		return dmaapi_sync(endpoint, handle, true);
	case REFIOMMU_DMAAPI_SYNC_DEVICE:
		return dmaapi_sync(endpoint, handle, false);
	case REFIOMMU_DMAAPI_CPU_READ:
		return dmaapi_cpu(endpoint, handle, arg, false);
	}
	return dmaapi_cpu(endpoint, handle, arg, true);
}

static int endpoint_dmaapi(struct ref_endpoint *endpoint, struct refiommu_dmaapi *arg)
{
	if (endpoint->driver != REFIOMMU_DRIVER_DMA)
		return -EOPNOTSUPP;

	guard(mutex)(&endpoint->dma_lock);
	switch (arg->op) {
	case REFIOMMU_DMAAPI_ALLOC:
	case REFIOMMU_DMAAPI_MAP:
	case REFIOMMU_DMAAPI_MAP_SG:
		return dmaapi_open(endpoint, arg);
	case REFIOMMU_DMAAPI_UNMAP:
		return dmaapi_unmap(endpoint, arg);
	case REFIOMMU_DMAAPI_SYNC_CPU:
	case REFIOMMU_DMAAPI_SYNC_DEVICE:
	case REFIOMMU_DMAAPI_CPU_READ:
	case REFIOMMU_DMAAPI_CPU_WRITE:
		return dmaapi_use(endpoint, arg);
	}
	return -EINVAL;
}

int ref_dmaapi(struct ref_ctx *ctx, struct refiommu_dmaapi *arg)
{
	struct ref_endpoint *endpoint;
	int err;

	endpoint = ref_endpoint_get(ctx, arg->endpoint_id);
	if (IS_ERR(endpoint))
		return PTR_ERR(endpoint);
	err = endpoint_dmaapi(endpoint, arg);
	ref_object_put(&endpoint->object);
	return err;
}

void ref_dmaapi_close(struct ref_endpoint *endpoint)
{
	struct ref_handle *handle;
	unsigned long id;

	guard(mutex)(&endpoint->dma_lock);
	xa_for_each(&endpoint->handles, id, handle) {
		xa_erase(&endpoint->handles, id);
		handle_close(endpoint->dev, handle);
	}
}
