// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces whose page table a guest owns, in memory that a parent address space maps.
 *
 * Such a one keeps no intent. It has a domain per IOMMU, as any other, and each of them stands
 * on the parent's domain for that IOMMU, which must be ours: the core has no word for it.
 */
#include <linux/slab.h>
#include "ioas.h"

int ref_nested_alloc(struct ref_hwpt *hwpt, struct device *dev)
{
	struct ref_ioas *ioas = hwpt->ioas, *parent = ioas->parent;
	struct iommu_domain *domain;
	struct ref_hwpt *below;
	int err = 0;

	lockdep_assert_held(&ioas->lock);
	mutex_lock_nested(&parent->lock, SINGLE_DEPTH_NESTING);
	below = ref_hwpt_get(parent, dev);
	if (IS_ERR(below)) {
		err = PTR_ERR(below);
		goto unlock;
	}
	domain = ref_domain_alloc_nested(to_ref_domain(below->domain), &ioas->guest);
	if (IS_ERR(domain)) {
		err = PTR_ERR(domain);
		ref_hwpt_put(below);
		goto unlock;
	}
	hwpt->parent = below;
	hwpt->domain = domain;
unlock:
	mutex_unlock(&parent->lock);
	return err;
}

static int nest_layout(struct ref_layout *layout, const struct refiommu_ioas_nest *arg)
{
	layout->format = ref_format_find(arg->format);
	if (!layout->format || !arg->root_gpa || !PAGE_ALIGNED(arg->root_gpa))
		return -EINVAL;
	layout->roots[0] = arg->root_gpa;
	return layout->format->geometry(&layout->geo, arg->addr_width, 0);
}

int ref_ioas_nest(struct ref_ctx *ctx, struct refiommu_ioas_nest *arg)
{
	struct ref_ioas *ioas, *parent;
	struct ref_layout guest = {};
	int err;

	if (arg->flags)
		return -EOPNOTSUPP;
	err = nest_layout(&guest, arg);
	if (err)
		return err;
	parent = ref_ioas_get_own(ctx, arg->parent_id);
	if (IS_ERR(parent))
		return PTR_ERR(parent);
	err = -EOPNOTSUPP;
	if (parent->flags & REFIOMMU_IOAS_UNTRACKED)
		goto put;
	err = -ENOMEM;
	ioas = ref_ioas_new(0);
	if (!ioas)
		goto put;

	/* The use of the parent is the new one's from now on. */
	ioas->parent = parent;
	ioas->guest = guest;
	err = ref_ioas_add(ctx, ioas, &arg->out_id);
	if (!err)
		return 0;
put:
	ref_object_put(&parent->object);
	return err;
}
