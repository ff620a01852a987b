// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces: what the user means, and how the domains are made to show it.
 *
 * A tracked address space keeps areas in an interval tree: each is one map call, or what is
 * left of it. Invariants under ioas->lock, planted bugs aside:
 *
 *  - areas are disjoint and lie inside the permitted ranges;
 *  - each domain in ioas->hwpts maps every page of every area, and nothing else but direct ranges;
 *  - the pages of an area are pinned until every cache has forgotten them (area.c).
 *
 * Untracked ones have no areas: see untracked.c.
 */
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "ioas.h"
#include "trace.h"

bool ref_ioas_mapped(struct ref_ioas *ioas, u64 first, u64 last)
{
	lockdep_assert_held(&ioas->lock);
	if (ioas->flags & REFIOMMU_IOAS_UNTRACKED)
		return ref_untracked_mapped(ioas, first, last);
	return ref_area_first(ioas, first, last);
}

/* ---- map ---- */

static int map_check(const struct refiommu_ioas_map *arg)
{
	u64 uaddr_last;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->first > arg->last ||
	    check_add_overflow(arg->uaddr, arg->last - arg->first, &uaddr_last))
		return -EOVERFLOW;
	if (!PAGE_ALIGNED(arg->first) || !PAGE_ALIGNED(arg->last + 1) || !PAGE_ALIGNED(arg->uaddr))
		return -EINVAL;
	if (!arg->prot || arg->prot & ~(REFIOMMU_PROT_READ | REFIOMMU_PROT_WRITE))
		return -EINVAL;
	return arg->last - arg->first < REFIOMMU_MAP_MAX ? 0 : -EINVAL;
}

static int map_tracked(struct ref_ioas *ioas, struct refiommu_ioas_map *arg)
{
	struct ref_area *area;
	int err;

	lockdep_assert_held(&ioas->lock);
	if (ref_area_first(ioas, arg->first, arg->last))
		return -EEXIST;
	area = ref_area_pin(current->mm, arg);
	if (IS_ERR(area))
		return PTR_ERR(area);
	err = ref_area_fill(ioas, area);
	if (err) {
		ref_area_unpin(area);
		return err;
	}
	interval_tree_insert(&area->node, &ioas->areas);
	return 0;
}

static int map_locked(struct ref_ioas *ioas, struct refiommu_ioas_map *arg)
{
	int err;

	lockdep_assert_held(&ioas->lock);
	err = ref_ranges_check(ioas, arg->first, arg->last);
	if (err)
		return err;
	if (ioas->flags & REFIOMMU_IOAS_UNTRACKED)
		err = ref_untracked_map(ioas, arg);
	else
		err = map_tracked(ioas, arg);
	if (!err)
		ref_notify(ioas, REFIOMMU_EVENT_MAP, arg->first, arg->last, arg->prot);
	return err;
}

int ref_ioas_map(struct ref_ctx *ctx, struct refiommu_ioas_map *arg)
{
	struct ref_ioas *ioas;
	int err;

	err = map_check(arg);
	if (err)
		return err;
	ioas = ref_ioas_get_own(ctx, arg->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	trace_refiommu_intent_begin(REF_INTENT_MAP, ioas->serial, NULL, arg->first, arg->last,
				    arg->uaddr, arg->prot);
	scoped_guard(mutex, &ioas->lock)
		err = map_locked(ioas, arg);
	trace_refiommu_intent_end(REF_INTENT_MAP, ioas->serial, err,
				  err ? 0 : arg->last - arg->first + 1);
	ref_object_put(&ioas->object);
	return err;
}

/* ---- unmap ---- */

/* The areas in the range are whole, and fill it. */
static int unmap_exact_check(struct ref_ioas *ioas, u64 first, u64 last)
{
	struct ref_area *area;
	u64 area_last;

	lockdep_assert_held(&ioas->lock);
	area = ref_area_first(ioas, first, last);
	if (!area)
		return -ENOENT;
	if (area->node.start != first)
		return -EINVAL;
	while (area->node.last < last) {
		area_last = area->node.last;
		area = ref_area_next(area, last);
		if (!area || area->node.start != area_last + 1)
			return -EINVAL;
	}
	return area->node.last == last ? 0 : -EINVAL;
}

/* No area reaches over the border below @iova any more. */
static int unmap_cut(struct ref_ioas *ioas, u64 iova)
{
	struct ref_area *area;

	lockdep_assert_held(&ioas->lock);
	area = ref_area_first(ioas, iova, iova);
	if (!area || area->node.start == iova)
		return 0;
	return ioas->flags & REFIOMMU_IOAS_SPLIT ? ref_area_split(ioas, area, iova) : -EINVAL;
}

static int unmap_inexact_prepare(struct ref_ioas *ioas, u64 first, u64 last)
{
	int err;

	lockdep_assert_held(&ioas->lock);
	err = unmap_cut(ioas, first);
	if (!err && last != U64_MAX)
		err = unmap_cut(ioas, last + 1);
	return err;
}

/* Removes the areas of a range, of which none reaches beyond it. */
static u64 unmap_areas(struct ref_ioas *ioas, u64 first, u64 last)
{
	bool whole = !first && last == U64_MAX;
	struct ref_area *area;
	struct ref_hwpt *hwpt;
	u64 bytes = 0;

	lockdep_assert_held(&ioas->lock);
	for (area = ref_area_first(ioas, first, last); area; area = ref_area_next(area, last))
		list_for_each_entry(hwpt, &ioas->hwpts, link)
			ref_area_unmap(ioas, area, area->nr_pages, hwpt);
	ref_ioas_sync_unmap(ioas);

	while ((area = ref_area_first(ioas, first, last))) {
		bytes += (u64)area->nr_pages << PAGE_SHIFT;
		if (!whole)
			ref_notify(ioas, REFIOMMU_EVENT_UNMAP, area->node.start,
				   area->node.last, 0);
		interval_tree_remove(&area->node, &ioas->areas);
		ref_area_unpin(area);
		cond_resched();
	}
	return bytes;
}

static int unmap_locked(struct ref_ioas *ioas, struct refiommu_ioas_unmap *arg)
{
	bool untracked = ioas->flags & REFIOMMU_IOAS_UNTRACKED;
	int err = 0;

	lockdep_assert_held(&ioas->lock);
	if (ioas->deferred)
		ref_ioas_sync(ioas);
	if (untracked && arg->form == REFIOMMU_UNMAP_EXACT)
		return -EOPNOTSUPP;
	if (arg->form == REFIOMMU_UNMAP_EXACT)
		err = unmap_exact_check(ioas, arg->first, arg->last);
	else if (!untracked)
		err = unmap_inexact_prepare(ioas, arg->first, arg->last);
	if (err)
		return err;

	arg->out_bytes = untracked ? ref_untracked_unmap(ioas, arg->first, arg->last) :
				     unmap_areas(ioas, arg->first, arg->last);
	/* Whoever listens can forget everything without a look at what it was. */
	if (arg->out_bytes && !arg->first && arg->last == U64_MAX)
		ref_notify(ioas, REFIOMMU_EVENT_UNMAP, 0, U64_MAX, 0);
	return 0;
}

static int unmap_check(const struct refiommu_ioas_unmap *arg)
{
	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->first > arg->last)
		return -EOVERFLOW;
	if (!PAGE_ALIGNED(arg->first) || !PAGE_ALIGNED(arg->last + 1))
		return -EINVAL;
	switch (arg->form) {
	case REFIOMMU_UNMAP_EXACT:
	case REFIOMMU_UNMAP_INEXACT:
		return 0;
	case REFIOMMU_UNMAP_ALL:
		return !arg->first && arg->last == U64_MAX ? 0 : -EINVAL;
	}
	return -EINVAL;
}

int ref_ioas_unmap(struct ref_ctx *ctx, struct refiommu_ioas_unmap *arg)
{
	struct ref_ioas *ioas;
	int err;

	arg->out_bytes = 0;
	err = unmap_check(arg);
	if (err)
		return err;
	ioas = ref_ioas_get_own(ctx, arg->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	trace_refiommu_intent_begin(REF_INTENT_UNMAP, ioas->serial, NULL, arg->first, arg->last,
				    0, 0);
	scoped_guard(mutex, &ioas->lock)
		err = unmap_locked(ioas, arg);
	trace_refiommu_intent_end(REF_INTENT_UNMAP, ioas->serial, err, arg->out_bytes);
	ref_object_put(&ioas->object);
	return err;
}

/* ---- the object ---- */

struct ref_ioas *ref_ioas_get(struct ref_ctx *ctx, u32 id)
{
	struct ref_object *object = ref_object_get(ctx, id, REF_IOAS);

	if (IS_ERR(object))
		return ERR_CAST(object);
	return container_of(object, struct ref_ioas, object);
}

struct ref_ioas *ref_ioas_get_own(struct ref_ctx *ctx, u32 id)
{
	struct ref_ioas *ioas = ref_ioas_get(ctx, id);

	if (!IS_ERR(ioas) && ioas->parent) {
		ref_object_put(&ioas->object);
		return ERR_PTR(-EOPNOTSUPP);
	}
	return ioas;
}

/* Told before anybody can use it. */
static void ioas_tell(struct ref_ioas *ioas)
{
	static atomic_t serials = ATOMIC_INIT(0);

	ioas->serial = atomic_inc_return(&serials);
	trace_refiommu_intent_begin(REF_INTENT_ALLOC, ioas->serial, NULL, 0, U64_MAX, 0, 0);
	trace_refiommu_intent_end(REF_INTENT_ALLOC, ioas->serial, 0, 0);
}

struct ref_ioas *ref_ioas_new(u32 flags)
{
	struct ref_ioas *ioas = kzalloc(sizeof(*ioas), GFP_KERNEL_ACCOUNT);

	if (!ioas)
		return NULL;
	if (flags & REFIOMMU_IOAS_NOTIFY) {
		ioas->events = kcalloc(REF_EVENTS, sizeof(*ioas->events), GFP_KERNEL_ACCOUNT);
		if (!ioas->events) {
			kfree(ioas);
			return NULL;
		}
	}
	ioas->flags = flags;
	mutex_init(&ioas->lock);
	ioas->areas = RB_ROOT_CACHED;
	INIT_LIST_HEAD(&ioas->hwpts);
	INIT_LIST_HEAD(&ioas->reserved);
	ioas->mm = current->mm;
	mmgrab(ioas->mm);
	ioas_tell(ioas);
	return ioas;
}

static void ioas_release(struct ref_ioas *ioas)
{
	mmdrop(ioas->mm);
	mutex_destroy(&ioas->lock);
	kfree(ioas->events);
	kfree(ioas);
}

int ref_ioas_add(struct ref_ctx *ctx, struct ref_ioas *ioas, u32 *id)
{
	int err;

	/* With its id it may be gone as soon as the lock is. */
	scoped_guard(mutex, &ctx->lock) {
		err = ref_object_add(ctx, &ioas->object, REF_IOAS);
		if (!err)
			*id = ioas->object.id;
	}
	if (err)
		ioas_release(ioas);
	return err;
}

int ref_ioas_alloc(struct ref_ctx *ctx, struct refiommu_ioas_alloc *arg)
{
	struct ref_ioas *ioas;

	if (arg->padding)
		return -EINVAL;
	if (arg->flags & ~(REFIOMMU_IOAS_UNTRACKED | REFIOMMU_IOAS_SPLIT | REFIOMMU_IOAS_DIRECT |
			   REFIOMMU_IOAS_NOTIFY))
		return -EOPNOTSUPP;
	if (arg->flags & REFIOMMU_IOAS_UNTRACKED &&
	    arg->flags & (REFIOMMU_IOAS_SPLIT | REFIOMMU_IOAS_DIRECT))
		return -EINVAL;

	ioas = ref_ioas_new(arg->flags);
	return ioas ? ref_ioas_add(ctx, ioas, &arg->out_id) : -ENOMEM;
}

static u64 ioas_empty(struct ref_ioas *ioas)
{
	struct ref_hwpt *hwpt, *next;
	u64 bytes;

	lockdep_assert_held(&ioas->lock);
	bytes = ioas->flags & REFIOMMU_IOAS_UNTRACKED ? ref_untracked_unmap(ioas, 0, U64_MAX) :
							unmap_areas(ioas, 0, U64_MAX);
	list_for_each_entry_safe(hwpt, next, &ioas->hwpts, link)
		ref_hwpt_free(hwpt);
	ref_ranges_free(ioas);
	return bytes;
}

void ref_ioas_free(struct ref_ioas *ioas)
{
	u64 bytes;

	lockdep_assert_held(&ioas->object.ctx->lock);
	trace_refiommu_intent_begin(REF_INTENT_FREE, ioas->serial, NULL, 0, U64_MAX, 0, 0);
	scoped_guard(mutex, &ioas->lock)
		bytes = ioas_empty(ioas);
	trace_refiommu_intent_end(REF_INTENT_FREE, ioas->serial, 0, bytes);
	if (ioas->parent)
		ref_object_put(&ioas->parent->object);
	ioas_release(ioas);
}
