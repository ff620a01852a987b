// SPDX-License-Identifier: GPL-2.0-only
/*
 * What iommu_iova_to_phys() says of many IOVAs of a domain, for who has read the domain's page
 * table and wants to know whether the kernel reads it the same way.
 *
 * The domain is named by its address, as readers of kernel memory see it. That number is compared
 * with those of domains that stay while we ask, and never followed. They are
 *
 *  - domains of ours, whoever uses them: one leaves its instance under instance->lock;
 *  - domains of other IOMMUs in address spaces of ours, of all files: they change and end under
 *    ioas->lock.
 *
 * A domain of the kernel's or of VFIO's behind another IOMMU may be unmapped from or end at any
 * time, and iommu_iova_to_phys() would read table pages that are freed meanwhile: we do not ask.
 *
 * Locks of other files are tried, not waited for: somebody may hold them for long.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "ioas.h"

#define PHYS_BATCH 64 /* with interrupts off */
#define PHYS_MAX 65536

static LIST_HEAD(ref_ctxs);
static DEFINE_MUTEX(ref_ctxs_lock); /* ref_ctxs; outside of every ctx->lock */

struct phys_batch {
	u64 domain;
	u64 addrs[PHYS_BATCH]; /* in: IOVAs; out: physical addresses */
	unsigned int nr;
};

void ref_ctx_show(struct ref_ctx *ctx)
{
	guard(mutex)(&ref_ctxs_lock);
	list_add_tail(&ctx->link, &ref_ctxs);
}

void ref_ctx_hide(struct ref_ctx *ctx)
{
	guard(mutex)(&ref_ctxs_lock);
	list_del(&ctx->link);
}

static void phys_fill(struct phys_batch *batch, struct iommu_domain *domain)
{
	const struct iommu_domain_geometry *geo = &domain->geometry;
	unsigned int i;

	for (i = 0; i < batch->nr; i++) {
		u64 iova = batch->addrs[i];

		batch->addrs[i] = 0;
		if (geo->aperture_start <= iova && iova <= geo->aperture_end)
			batch->addrs[i] = iommu_iova_to_phys(domain, iova);
	}
}

/* One of ours at that address, or NULL. */
static struct ref_domain *domain_at(struct ref_instance *instance, u64 address)
{
	struct ref_domain *domain;
	unsigned long did;

	lockdep_assert_held(&instance->lock);
	xa_for_each(&instance->domains, did, domain)
		if ((uintptr_t)&domain->domain == address)
			return domain;
	return NULL;
}

static int phys_of_instance(struct phys_batch *batch, struct ref_instance *instance)
{
	struct ref_domain *domain;
	int err = -ENOENT;

	scoped_guard(spinlock_irqsave, &instance->lock) {
		domain = domain_at(instance, batch->domain);
		if (domain)
			err = domain->parent ? -EOPNOTSUPP : 0;
		if (!err)
			phys_fill(batch, &domain->domain);
	}
	return err;
}

static int phys_of_ioas(struct phys_batch *batch, struct ref_ioas *ioas)
{
	struct ref_hwpt *hwpt;
	int err = -ENOENT;

	if (!mutex_trylock(&ioas->lock))
		return -EBUSY;
	list_for_each_entry(hwpt, &ioas->hwpts, link) {
		if ((uintptr_t)hwpt->domain != batch->domain ||
		    hwpt->domain->owner == &ref_iommu_ops)
			continue;
		phys_fill(batch, hwpt->domain);
		err = 0;
		break;
	}
	mutex_unlock(&ioas->lock);
	return err;
}

/* -ENOENT: not here; -EBUSY: somebody may be changing it. */
static int phys_of_ctx(struct phys_batch *batch, struct ref_ctx *ctx)
{
	struct ref_object *object;
	int err, result = -ENOENT;
	unsigned long id;

	if (!mutex_trylock(&ctx->lock))
		return -EBUSY;
	xa_for_each(&ctx->objects, id, object) {
		err = -ENOENT;
		if (object->kind == REF_INSTANCE)
			err = phys_of_instance(batch,
					       container_of(object, struct ref_instance, object));
		else if (object->kind == REF_IOAS)
			err = phys_of_ioas(batch, container_of(object, struct ref_ioas, object));
		if (err != -ENOENT)
			result = err;
		if (err != -ENOENT && err != -EBUSY)
			break;
	}
	mutex_unlock(&ctx->lock);
	return result;
}

static int phys_of_all(struct phys_batch *batch)
{
	int err, result = -ENOENT;
	struct ref_ctx *ctx;

	guard(mutex)(&ref_ctxs_lock);
	list_for_each_entry(ctx, &ref_ctxs, link) {
		err = phys_of_ctx(batch, ctx);
		if (err != -ENOENT)
			result = err;
		if (err != -ENOENT && err != -EBUSY)
			break;
	}
	return result;
}

static int phys_batch(struct phys_batch *batch, const u64 __user *iovas, u64 __user *paddrs)
{
	size_t bytes = batch->nr * sizeof(*batch->addrs);
	int err;

	if (copy_from_user(batch->addrs, iovas, bytes))
		return -EFAULT;
	err = phys_of_all(batch);
	if (err)
		return err;
	return copy_to_user(paddrs, batch->addrs, bytes) ? -EFAULT : 0;
}

int ref_iova_to_phys(struct ref_ctx *ctx, struct refiommu_iova_to_phys *arg)
{
	const u64 __user *iovas = u64_to_user_ptr(arg->iovas);
	u64 __user *paddrs = u64_to_user_ptr(arg->paddrs);
	struct phys_batch batch = { .domain = arg->domain };
	int err = 0;
	u32 done;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->padding || !arg->nr || arg->nr > PHYS_MAX)
		return -EINVAL;
	for (done = 0; done < arg->nr && !err; done += batch.nr) {
		batch.nr = min_t(u32, arg->nr - done, PHYS_BATCH);
		err = phys_batch(&batch, iovas + done, paddrs + done);
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	return err;
}
