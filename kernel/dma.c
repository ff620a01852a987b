// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA engine of an endpoint.
 *
 * A DMA is a row of accesses, each inside one page of 4 KiB. An access translates and touches
 * memory under instance->lock: an invalidation takes that lock, so a flush that has returned has
 * drained every access that used what it flushed. Data waits in a bounce page, because user memory
 * can fault.
 *
 * Memory is touched only if it is RAM and somebody holds its page: a stale translation may find a
 * page that was freed, and reports that. A page that has an owner again is touched: that is what
 * such a bug does on real hardware.
 */
#include <linux/highmem.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "core.h"
#include "trace.h"

/**
 * struct ref_run - A DMA on its way
 * @endpoint: whose
 * @arg: what, and the results so far
 * @bounce: a page
 */
struct ref_run {
	struct ref_endpoint *endpoint;
	struct refiommu_dma *arg;
	u8 *bounce;
};

/* In the domain's name if there is one; instance->lock keeps the domain alive. */
static void run_fault(struct ref_run *run, u64 iova, u32 prot, int reason,
		      struct ref_domain *domain)
{
	struct iommu_domain *core = domain ? &domain->domain : NULL;
	struct device *dev = run->endpoint->dev;

	lockdep_assert_held(&run->endpoint->instance->lock);
	run->arg->out_flags |= REFIOMMU_DMA_FAULTED;
	run->arg->out_fault_iova = iova;
	run->arg->out_reason = reason;
	trace_refiommu_fault(dev, core, iova, prot, reason);
	if (core)
		report_iommu_fault(core, dev, iova, prot & REFIOMMU_PROT_WRITE ?
				   IOMMU_FAULT_WRITE : IOMMU_FAULT_READ);
}

/*
 * Takes the page behind @paddr. Reserved pages (firmware, the kernel's image) are no target. The
 * page of zeros may only be read, whatever a wrong translation says: it is everybody's.
 *
 * Return: 0 and @page; REFIOMMU_FAULT_TARGET; -ENOENT: nobody owns it.
 */
static int target_get(u64 paddr, u32 prot, struct page **page)
{
	unsigned long pfn = PHYS_PFN(paddr);
	struct folio *folio;

	*page = pfn_to_online_page(pfn);
	if (!*page)
		return REFIOMMU_FAULT_TARGET;
	if (is_zero_pfn(pfn) ? prot & REFIOMMU_PROT_WRITE : PageReserved(*page))
		return REFIOMMU_FAULT_TARGET;

	folio = page_folio(*page);
	if (!folio_try_get(folio))
		return -ENOENT;
	/* Freed and made part of something else in between? */
	if (page_folio(*page) == folio)
		return 0;
	folio_put(folio);
	return -ENOENT;
}

static void target_copy(struct page *page, u64 paddr, u8 *bounce, size_t bytes, u32 prot)
{
	u8 *target = kmap_local_page(page);

	if (prot & REFIOMMU_PROT_WRITE)
		memcpy(target + offset_in_page(paddr), bounce, bytes);
	else
		memcpy(bounce, target + offset_in_page(paddr), bytes);
	kunmap_local(target);
}

/**
 * run_access() - One access: memory to the bounce page, or the other way
 * @run: on its way
 * @iova: first byte
 * @bytes: to the end of the page of 4 KiB at most
 * @prot: REFIOMMU_PROT_READ or _WRITE; 0: translates only
 *
 * Return: bytes it got, which may be fewer; 0: it ended, and the results say why.
 */
static size_t run_access(struct ref_run *run, u64 iova, size_t bytes, u32 prot)
{
	struct ref_translation to = {};
	struct page *page = NULL;
	int err;

	scoped_guard(spinlock_irqsave, &run->endpoint->instance->lock) {
		ref_tlb_translate(run->endpoint, iova, prot, &to);
		run->arg->out_flags |= to.flags;
		err = to.fault;
		if (!err) {
			if (iova == run->arg->first)
				run->arg->out_paddr = to.paddr;
			bytes = min3((u64)bytes, to.bytes, SZ_4K - (to.paddr & (SZ_4K - 1)));
			err = prot ? target_get(to.paddr, prot, &page) : 0;
		}
		if (!err && prot)
			target_copy(page, to.paddr, run->bounce, bytes, prot);
		else if (err > 0)
			run_fault(run, iova, prot, err, to.domain);
		else if (err)
			run->arg->out_flags |= REFIOMMU_DMA_FREED;
	}
	/* The last reference frees the page, which takes locks of its own. */
	if (!err && prot)
		put_page(page);
	return err ? 0 : bytes;
}

/* ---- one step of each operation: bytes moved, 0 when it ended, -EFAULT ---- */

static ssize_t step_read(struct ref_run *run, u64 done, size_t bytes)
{
	u8 __user *data = u64_to_user_ptr(run->arg->data);

	bytes = run_access(run, run->arg->first + done, bytes, REFIOMMU_PROT_READ);
	return copy_to_user(data + done, run->bounce, bytes) ? -EFAULT : bytes;
}

static ssize_t step_write(struct ref_run *run, u64 done, size_t bytes)
{
	const u8 __user *data = u64_to_user_ptr(run->arg->data);

	if (copy_from_user(run->bounce, data + done, bytes))
		return -EFAULT;
	return run_access(run, run->arg->first + done, bytes, REFIOMMU_PROT_WRITE);
}

static ssize_t step_fill(struct ref_run *run, u64 done, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		run->bounce[i] = ((u8 *)&run->arg->data)[(done + i) % sizeof(run->arg->data)];
	return run_access(run, run->arg->first + done, bytes, REFIOMMU_PROT_WRITE);
}

static ssize_t step_copy(struct ref_run *run, u64 done, size_t bytes)
{
	u64 to = run->arg->to + done;

	bytes = min_t(size_t, bytes, SZ_4K - (to & (SZ_4K - 1)));
	bytes = run_access(run, run->arg->first + done, bytes, REFIOMMU_PROT_READ);
	if (!bytes)
		return 0;
	return run_access(run, to, bytes, REFIOMMU_PROT_WRITE);
}

static ssize_t run_step(struct ref_run *run, u64 done, size_t bytes)
{
	switch (run->arg->op) {
	case REFIOMMU_DMA_READ:
		return step_read(run, done, bytes);
	case REFIOMMU_DMA_WRITE:
		return step_write(run, done, bytes);
	case REFIOMMU_DMA_FILL:
		return step_fill(run, done, bytes);
	case REFIOMMU_DMA_COPY:
		return step_copy(run, done, bytes);
	}
	return run_access(run, run->arg->first + done, bytes, 0);
}

static int run_all(struct ref_run *run)
{
	struct refiommu_dma *arg = run->arg;
	u64 total = arg->last - arg->first + 1;
	ssize_t step;
	u64 left;

	while (arg->out_done < total) {
		left = SZ_4K - ((arg->first + arg->out_done) & (SZ_4K - 1));
		step = run_step(run, arg->out_done, min(left, total - arg->out_done));
		if (step < 0)
			return step;
		if (!step)
			break;
		arg->out_done += step;
		cond_resched();
	}
	return 0;
}

/* ---- the call ---- */

static int dma_check(const struct refiommu_dma *arg)
{
	u64 to_last;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->op < REFIOMMU_DMA_READ || arg->op > REFIOMMU_DMA_PROBE)
		return -EINVAL;
	if (arg->first > arg->last)
		return -EOVERFLOW;
	if (arg->last - arg->first >= REFIOMMU_DMA_MAX)
		return -EINVAL;
	if (arg->op >= REFIOMMU_DMA_COPY && arg->data)
		return -EINVAL;
	if (arg->op == REFIOMMU_DMA_PROBE && arg->first / SZ_4K != arg->last / SZ_4K)
		return -EINVAL;
	if (arg->op == REFIOMMU_DMA_COPY &&
	    check_add_overflow(arg->to, arg->last - arg->first, &to_last))
		return -EOVERFLOW;
	return 0;
}

static int endpoint_dma(struct ref_endpoint *endpoint, struct refiommu_dma *arg)
{
	struct ref_run run = { .endpoint = endpoint, .arg = arg };
	int err;

	if (!endpoint->instance)
		return -EOPNOTSUPP;
	u8 *bounce __free(kfree) = kmalloc(SZ_4K, GFP_KERNEL);
	if (!bounce)
		return -ENOMEM;
	run.bounce = bounce;

	arg->out_done = 0;
	arg->out_fault_iova = 0;
	arg->out_paddr = ~0ULL;
	arg->out_flags = 0;
	arg->out_reason = 0;
	err = run_all(&run);
	trace_refiommu_dma(endpoint->dev, arg->op, arg->first, arg->last, arg->out_done,
			   arg->out_flags);
	return err;
}

int ref_dma(struct ref_ctx *ctx, struct refiommu_dma *arg)
{
	struct ref_endpoint *endpoint;
	int err;

	err = dma_check(arg);
	if (err)
		return err;
	endpoint = ref_endpoint_get(ctx, arg->endpoint_id);
	if (IS_ERR(endpoint))
		return PTR_ERR(endpoint);
	err = endpoint_dma(endpoint, arg);
	ref_object_put(&endpoint->object);
	return err;
}
