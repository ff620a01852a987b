// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which group is in which address space, and in which of its domains.
 *
 * All under ctx->lock. While we own the DMA of a group it is either in the domain of one
 * address space, or blocked: the core's word for "detached" of an owned group. So a switch
 * from A to B is three steps:
 *
 *   prepare  B permits the devices, has a domain for them, and that shows all of B; else nothing
 *            was begun, and the group stays in A
 *   leave    the group is blocked: nothing of A is reachable
 *   join     the group is in B's domain; or, if a device refuses, it stays blocked, in no address
 *            space, and ours, until it is attached or detached again
 *
 * No more than one address space is locked at a time, but for a nested one and its parent.
 */
#include <linux/slab.h>
#include "ioas.h"
#include "trace.h"

static const struct iommu_ops *ops_of(struct device *dev)
{
	return dev->iommu->iommu_dev->ops;
}

/* ---- domains of an address space ---- */

/* Other drivers tell on attach only: then a domain that fits is made (group_join()). */
static bool hwpt_fits(struct ref_hwpt *hwpt, struct device *dev)
{
	if (hwpt->domain->owner != ops_of(dev))
		return false;
	if (hwpt->domain->owner != &ref_iommu_ops)
		return true;
	return to_ref_domain(hwpt->domain)->instance == ref_endpoint_of(dev)->instance;
}

static struct ref_hwpt *hwpt_find(struct ref_ioas *ioas, struct device *dev)
{
	struct ref_hwpt *hwpt;

	lockdep_assert_held(&ioas->lock);
	list_for_each_entry(hwpt, &ioas->hwpts, link)
		if (hwpt_fits(hwpt, dev))
			return hwpt;
	return NULL;
}

struct ref_hwpt *ref_hwpt_of(struct ref_ioas *ioas, struct ref_endpoint *endpoint)
{
	lockdep_assert_held(&endpoint->object.ctx->lock);
	lockdep_assert_held(&ioas->lock);
	if (endpoint->group->ioas == ioas)
		return endpoint->group->hwpt;
	return hwpt_find(ioas, endpoint->dev);
}

static int hwpt_alloc_paging(struct ref_hwpt *hwpt, struct device *dev)
{
	struct refiommu_ioas_replay count = {};
	int err;

	lockdep_assert_held(&hwpt->ioas->lock);
	hwpt->domain = iommu_paging_domain_alloc(dev);
	if (IS_ERR(hwpt->domain))
		return PTR_ERR(hwpt->domain);
	err = ref_ranges_check_domain(hwpt->ioas, hwpt->domain);
	if (!err)
		err = ref_replay(hwpt->ioas, hwpt, &count);
	if (err)
		iommu_domain_free(hwpt->domain);
	return err;
}

static struct ref_hwpt *hwpt_make(struct ref_ioas *ioas, struct device *dev)
{
	struct ref_hwpt *hwpt = kzalloc(sizeof(*hwpt), GFP_KERNEL_ACCOUNT);
	int err;

	lockdep_assert_held(&ioas->lock);
	if (!hwpt)
		return ERR_PTR(-ENOMEM);
	hwpt->ioas = ioas;
	INIT_LIST_HEAD(&hwpt->groups);
	iommu_iotlb_gather_init(&hwpt->gather);
	err = ioas->parent ? ref_nested_alloc(hwpt, dev) : hwpt_alloc_paging(hwpt, dev);
	if (err) {
		kfree(hwpt);
		return ERR_PTR(err);
	}
	list_add_tail(&hwpt->link, &ioas->hwpts);
	return hwpt;
}

struct ref_hwpt *ref_hwpt_get(struct ref_ioas *ioas, struct device *dev)
{
	struct ref_hwpt *hwpt;

	lockdep_assert_held(&ioas->lock);
	hwpt = hwpt_find(ioas, dev);
	if (!hwpt)
		hwpt = hwpt_make(ioas, dev);
	if (!IS_ERR(hwpt))
		hwpt->users++;
	return hwpt;
}

void ref_hwpt_sync(struct ref_hwpt *hwpt)
{
	lockdep_assert_held(&hwpt->ioas->lock);
	/* What a driver has in the gather is its own matter; some have nothing there. */
	if (hwpt->unflushed)
		iommu_iotlb_sync(hwpt->domain, &hwpt->gather);
	hwpt->unflushed = false;
}

size_t ref_hwpt_unmap(struct ref_hwpt *hwpt, u64 iova, size_t bytes)
{
	lockdep_assert_held(&hwpt->ioas->lock);
	hwpt->unflushed = true;
	return iommu_unmap_fast(hwpt->domain, iova, bytes, &hwpt->gather);
}

void ref_hwpt_free(struct ref_hwpt *hwpt)
{
	struct ref_ioas *parent_ioas = hwpt->ioas->parent;
	struct ref_hwpt *parent = hwpt->parent;

	lockdep_assert_held(&hwpt->ioas->lock);
	ref_hwpt_sync(hwpt);
	list_del(&hwpt->link);
	iommu_domain_free(hwpt->domain);
	kfree(hwpt);
	if (parent) {
		mutex_lock_nested(&parent_ioas->lock, SINGLE_DEPTH_NESTING);
		ref_hwpt_put(parent);
		mutex_unlock(&parent_ioas->lock);
	}
}

void ref_hwpt_put(struct ref_hwpt *hwpt)
{
	struct ref_ioas *ioas = hwpt->ioas;

	lockdep_assert_held(&ioas->lock);
	if (--hwpt->users)
		return;
	/* The last table of an untracked one is its mappings. */
	if (ioas->flags & REFIOMMU_IOAS_UNTRACKED && hwpt->attached &&
	    list_is_singular(&ioas->hwpts))
		return;
	ref_hwpt_free(hwpt);
}

/* A table that was kept without a user is not needed when another one is in use. */
static void hwpt_free_idle(struct ref_ioas *ioas)
{
	struct ref_hwpt *hwpt, *next;

	lockdep_assert_held(&ioas->lock);
	list_for_each_entry_safe(hwpt, next, &ioas->hwpts, link)
		if (!hwpt->users)
			ref_hwpt_free(hwpt);
}

/* ---- groups ---- */

/* Blocks the group, if it is the kernel's now. */
static int group_claim(struct ref_group *group)
{
	int err;

	if (group->claimed)
		return 0;
	err = iommu_group_claim_dma_owner(group->group, group);
	if (err)
		return err == -EPERM ? -EBUSY : err;
	group->claimed = true;
	return 0;
}

/* Back to its default domain. */
static void group_release(struct ref_group *group)
{
	iommu_group_release_dma_owner(group->group);
	group->claimed = false;
}

/* What the new devices want besides the mappings, all domains show. */
static int replay_ranges_everywhere(struct ref_ioas *ioas)
{
	struct refiommu_ioas_replay count = {};
	struct ref_hwpt *hwpt;
	int err;

	lockdep_assert_held(&ioas->lock);
	list_for_each_entry(hwpt, &ioas->hwpts, link) {
		err = ref_replay_ranges(ioas, hwpt, &count);
		if (err)
			return err;
	}
	return 0;
}

/* A nested one has no ranges of its own, and its parent those of its own devices only. */
static struct ref_hwpt *group_prepare(struct ref_ioas *ioas, struct ref_group *group,
				      struct device *dev)
{
	struct ref_hwpt *hwpt;
	int err;

	guard(mutex)(&ioas->lock);
	if (ioas->parent)
		return ref_hwpt_get(ioas, dev);
	err = ref_ranges_add_group(ioas, group);
	if (err)
		return ERR_PTR(err);
	err = replay_ranges_everywhere(ioas);
	hwpt = err ? ERR_PTR(err) : ref_hwpt_get(ioas, dev);
	if (IS_ERR(hwpt))
		ref_ranges_remove_group(ioas, group);
	return hwpt;
}

static void group_leave(struct ref_group *group)
{
	struct ref_ioas *ioas = group->ioas;
	struct ref_hwpt *hwpt = group->hwpt;

	scoped_guard(mutex, &ioas->lock) {
		iommu_detach_group(hwpt->domain, group->group);
		if (ioas->deferred)
			ref_ioas_sync(ioas);
		list_del_init(&group->hwpt_link);
		group->ioas = NULL;
		group->hwpt = NULL;
		ref_hwpt_put(hwpt);
		ref_ranges_remove_group(ioas, group);
	}
	ref_object_put(&ioas->object);
}

static void group_link(struct ref_group *group, struct ref_hwpt *hwpt)
{
	lockdep_assert_held(&hwpt->ioas->lock);
	group->ioas = hwpt->ioas;
	group->hwpt = hwpt;
	list_add_tail(&group->hwpt_link, &hwpt->groups);
	hwpt->attached = true;
	refcount_inc(&hwpt->ioas->object.users);
}

/* The core says EINVAL if the devices need another domain than those that share this one. */
static int hwpt_attach(struct ref_hwpt **hwpt, struct ref_group *group, struct device *dev)
{
	struct ref_ioas *ioas = (*hwpt)->ioas;
	struct ref_hwpt *other;
	int err;

	lockdep_assert_held(&ioas->lock);
	err = iommu_attach_group((*hwpt)->domain, group->group);
	if (err != -EINVAL || (*hwpt)->users == 1)
		return err;
	other = hwpt_make(ioas, dev);
	if (IS_ERR(other))
		return PTR_ERR(other);
	other->users++;
	ref_hwpt_put(*hwpt);
	*hwpt = other;
	return iommu_attach_group(other->domain, group->group);
}

/* The use of @hwpt is the group's, or gone. */
static int group_join(struct ref_ioas *ioas, struct ref_group *group, struct ref_hwpt *hwpt,
		      struct device *dev)
{
	int err;

	guard(mutex)(&ioas->lock);
	err = hwpt_attach(&hwpt, group, dev);
	if (err) {
		ref_hwpt_put(hwpt);
		ref_ranges_remove_group(ioas, group);
		return err;
	}
	group_link(group, hwpt);
	hwpt_free_idle(ioas);
	return 0;
}

static int group_move(struct ref_ioas *ioas, struct ref_group *group, struct device *dev)
{
	struct ref_hwpt *hwpt = group_prepare(ioas, group, dev);

	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	if (group->ioas)
		group_leave(group);
	return group_join(ioas, group, hwpt, dev);
}

/* ---- BUG_SWITCH_KEEPS_OLD: B takes A's domain as it is and replays its own on top ---- */

static bool switch_keeps_old(struct ref_ioas *ioas, struct ref_group *group, struct device *dev)
{
	if (!ref_bug(BUG_SWITCH_KEEPS_OLD) || !group->ioas || group->hwpt->users > 1)
		return false;
	if (ioas->parent || group->ioas->parent ||
	    (ioas->flags | group->ioas->flags) & REFIOMMU_IOAS_UNTRACKED)
		return false;
	guard(mutex)(&ioas->lock);
	return !hwpt_find(ioas, dev);
}

static int group_adopt(struct ref_ioas *ioas, struct ref_group *group)
{
	struct refiommu_ioas_replay count = {};
	struct ref_hwpt *hwpt = group->hwpt;
	struct ref_ioas *old = group->ioas;
	int err;

	scoped_guard(mutex, &old->lock) {
		iommu_detach_group(hwpt->domain, group->group);
		list_del_init(&group->hwpt_link);
		list_del(&hwpt->link);
		ref_ranges_remove_group(old, group);
	}
	group->ioas = NULL;
	group->hwpt = NULL;
	hwpt->ioas = ioas;
	ref_object_put(&old->object);

	guard(mutex)(&ioas->lock);
	list_add_tail(&hwpt->link, &ioas->hwpts);
	err = ref_ranges_add_group(ioas, group);
	if (!err)
		err = ref_ranges_check_domain(ioas, hwpt->domain);
	if (!err)
		ref_replay(ioas, hwpt, &count);
	if (!err)
		err = iommu_attach_group(hwpt->domain, group->group);
	if (!err) {
		group_link(group, hwpt);
		return 0;
	}
	ref_hwpt_put(hwpt);
	ref_ranges_remove_group(ioas, group);
	return err;
}

/* ---- the calls ---- */

static int attach_locked(struct ref_ctx *ctx, struct ref_ioas *ioas, struct ref_endpoint *endpoint)
{
	struct ref_group *group = endpoint->group;
	struct device *dev = endpoint->dev;
	bool was_claimed = group->claimed;
	int err;

	lockdep_assert_held(&ctx->lock);
	/* Another IOMMU's device may have been removed; the core would look for it in its group. */
	if (!ref_endpoint_is_here(endpoint))
		return -ENODEV;
	if (group->ioas == ioas)
		return -EALREADY;
	if ((ioas->parent || ioas->flags & REFIOMMU_IOAS_UNTRACKED) && !endpoint->instance)
		return -EOPNOTSUPP;
	err = group_claim(group);
	if (err)
		return err;
	if (switch_keeps_old(ioas, group, dev))
		err = group_adopt(ioas, group);
	else
		err = group_move(ioas, group, dev);
	/* What was in its default domain goes back there. */
	if (err && !was_claimed)
		group_release(group);
	return err;
}

int ref_ioas_attach(struct ref_ctx *ctx, struct refiommu_ioas_attach *arg)
{
	struct ref_endpoint *endpoint;
	struct ref_ioas *ioas;
	int err;

	if (arg->padding)
		return -EINVAL;
	ioas = ref_ioas_get(ctx, arg->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	endpoint = ref_endpoint_get(ctx, arg->endpoint_id);
	if (IS_ERR(endpoint)) {
		ref_object_put(&ioas->object);
		return PTR_ERR(endpoint);
	}

	trace_refiommu_intent_begin(REF_INTENT_ATTACH, ioas->serial, endpoint->dev, 0, U64_MAX,
				    0, 0);
	scoped_guard(mutex, &ctx->lock)
		err = attach_locked(ctx, ioas, endpoint);
	trace_refiommu_intent_end(REF_INTENT_ATTACH, ioas->serial, err, 0);

	ref_object_put(&endpoint->object);
	ref_object_put(&ioas->object);
	return err;
}

/* @dev: of the group, or NULL: the file is closed */
static int detach_locked(struct ref_ctx *ctx, struct ref_group *group, struct device *dev)
{
	u32 serial = group->ioas ? group->ioas->serial : 0;

	lockdep_assert_held(&ctx->lock);
	if (!group->claimed)
		return -ENOENT;
	trace_refiommu_intent_begin(REF_INTENT_DETACH, serial, dev, 0, U64_MAX, 0, 0);
	if (group->ioas)
		group_leave(group);
	group_release(group);
	trace_refiommu_intent_end(REF_INTENT_DETACH, serial, 0, 0);
	return 0;
}

void ref_group_detach(struct ref_ctx *ctx, struct ref_group *group)
{
	detach_locked(ctx, group, NULL);
}

int ref_ioas_detach(struct ref_ctx *ctx, struct refiommu_ioas_detach *arg)
{
	struct ref_endpoint *endpoint = ref_endpoint_get(ctx, arg->endpoint_id);
	int err;

	if (IS_ERR(endpoint))
		return PTR_ERR(endpoint);
	scoped_guard(mutex, &ctx->lock)
		err = detach_locked(ctx, endpoint->group, endpoint->dev);
	ref_object_put(&endpoint->object);
	return err;
}

static int invalidate_locked(struct ref_ioas *ioas, u64 first, u64 last)
{
	struct ref_hwpt *hwpt;

	lockdep_assert_held(&ioas->lock);
	if (!ioas->parent && (first || last != U64_MAX))
		return -EINVAL;
	list_for_each_entry(hwpt, &ioas->hwpts, link) {
		if (ioas->parent)
			ref_tlb_flush_range(to_ref_domain(hwpt->domain), first, last);
		else
			iommu_flush_iotlb_all(hwpt->domain);
	}
	return 0;
}

int ref_ioas_invalidate(struct ref_ctx *ctx, struct refiommu_ioas_invalidate *arg)
{
	struct ref_ioas *ioas;
	int err;

	if (arg->first > arg->last)
		return -EOVERFLOW;
	ioas = ref_ioas_get(ctx, arg->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	scoped_guard(mutex, &ioas->lock)
		err = invalidate_locked(ioas, arg->first, arg->last);
	ref_object_put(&ioas->object);
	return err;
}
