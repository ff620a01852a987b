// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reserved and permitted ranges of an address space.
 *
 * Reserved ranges come from the devices (their instance, or their IOMMU's driver), one set for
 * each group, and from the user. They are kept typed, in order of first, and may overlap.
 * Permitted is what the apertures of all domains have in common without the excluded ranges;
 * holes between the windows of a format come as reserved ranges of the devices. Whoever makes
 * the permitted set smaller checks first that no mapping is in the way.
 */
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "ioas.h"

int ref_direct_check(u64 first, u64 last)
{
	/* The core says 0 for "nothing is mapped": it cannot tell that physical page from none. */
	if (!first || last - first >= REF_DIRECT_MAX)
		return -EINVAL;
	/* Firmware may ask for any memory, its own; a user not for the kernel's. */
	return region_intersects(first, last - first + 1, IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE) ==
	       REGION_DISJOINT ? 0 : -EPERM;
}

static bool ranges_overlap(const struct refiommu_range *range, u64 first, u64 last)
{
	return range->first <= last && first <= range->last;
}

bool ref_range_excluded(struct ref_ioas *ioas, const struct refiommu_range *range)
{
	if (range->type == REFIOMMU_RANGE_MSI && ref_bug(BUG_MAP_MSI))
		return false;
	return ref_rule(range->type, ioas->flags) != REF_RULE_IGNORE;
}

/* What all domains translate; empty if first > last. */
static void ranges_aperture(struct ref_ioas *ioas, struct refiommu_range *aperture)
{
	struct ref_hwpt *hwpt;

	lockdep_assert_held(&ioas->lock);
	*aperture = (struct refiommu_range){ .first = 0, .last = U64_MAX };
	list_for_each_entry(hwpt, &ioas->hwpts, link) {
		const struct iommu_domain_geometry *geo = &hwpt->domain->geometry;

		aperture->first = max(aperture->first, geo->aperture_start);
		aperture->last = min(aperture->last, geo->aperture_end);
	}
}

int ref_ranges_check(struct ref_ioas *ioas, u64 first, u64 last)
{
	struct refiommu_range aperture;
	struct ref_reserved *reserved;

	lockdep_assert_held(&ioas->lock);
	ranges_aperture(ioas, &aperture);
	if (first < aperture.first || last > aperture.last)
		return -ERANGE;
	list_for_each_entry(reserved, &ioas->reserved, link)
		if (ref_range_excluded(ioas, &reserved->range) &&
		    ranges_overlap(&reserved->range, first, last))
			return -ERANGE;
	return 0;
}

int ref_ranges_check_domain(struct ref_ioas *ioas, struct iommu_domain *domain)
{
	const struct iommu_domain_geometry *geo = &domain->geometry;

	lockdep_assert_held(&ioas->lock);
	if (geo->aperture_start && ref_ioas_mapped(ioas, 0, geo->aperture_start - 1))
		return -EADDRINUSE;
	if (geo->aperture_end != U64_MAX && ref_ioas_mapped(ioas, geo->aperture_end + 1, U64_MAX))
		return -EADDRINUSE;
	return 0;
}

/* ---- reserved ranges ---- */

/* Puts it in its place: by first, then last, then type, so that equal ones are neighbours. */
static void reserved_insert(struct ref_ioas *ioas, struct ref_reserved *new)
{
	const struct refiommu_range *a = &new->range, *b;
	struct ref_reserved *next;

	lockdep_assert_held(&ioas->lock);
	list_for_each_entry(next, &ioas->reserved, link) {
		b = &next->range;
		if (a->first != b->first ? a->first < b->first :
		    a->last != b->last ? a->last < b->last : a->type < b->type)
			break;
	}
	list_add_tail(&new->link, &next->link);
}

static void reserved_free(struct ref_reserved *reserved)
{
	list_del(&reserved->link);
	kfree(reserved);
}

void ref_ranges_free(struct ref_ioas *ioas)
{
	struct ref_reserved *reserved, *next;

	lockdep_assert_held(&ioas->lock);
	list_for_each_entry_safe(reserved, next, &ioas->reserved, link)
		reserved_free(reserved);
}

static u32 range_type(enum iommu_resv_type type)
{
	switch (type) {
	case IOMMU_RESV_DIRECT:
		return REFIOMMU_RANGE_DIRECT;
	case IOMMU_RESV_DIRECT_RELAXABLE:
		return REFIOMMU_RANGE_DIRECT_RELAXABLE;
	case IOMMU_RESV_MSI:
		return REFIOMMU_RANGE_MSI;
	case IOMMU_RESV_SW_MSI:
		return REFIOMMU_RANGE_SW_MSI;
	case IOMMU_RESV_RESERVED:
		break;
	}
	return REFIOMMU_RANGE_RESERVED;
}

/* A copy of what the core says, or NULL. */
static struct ref_reserved *reserved_of_region(struct ref_group *group,
					       const struct iommu_resv_region *region)
{
	struct ref_reserved *reserved = kzalloc(sizeof(*reserved), GFP_KERNEL_ACCOUNT);

	if (!reserved)
		return NULL;
	reserved->group = group;
	reserved->range.first = region->start;
	reserved->range.last = region->start + (region->length - 1);
	reserved->range.type = range_type(region->type);
	if (region->type == IOMMU_RESV_DIRECT || region->type == IOMMU_RESV_DIRECT_RELAXABLE)
		reserved->range.prot = ref_prot_of_iommu(region->prot);
	return reserved;
}

/* Fills @list with all ranges of the group's devices; on failure it is filled in part. */
static int ranges_of_group(struct ref_group *group, struct list_head *list)
{
	struct iommu_resv_region *region, *next;
	struct ref_reserved *reserved;
	LIST_HEAD(regions);
	int err;

	err = iommu_get_group_resv_regions(group->group, &regions);
	list_for_each_entry_safe(region, next, &regions, list) {
		if (!err && region->length) {
			reserved = reserved_of_region(group, region);
			if (reserved)
				list_add_tail(&reserved->link, list);
			else
				err = -ENOMEM;
		}
		list_del(&region->list);
		kfree(region);
	}
	return err;
}

int ref_ranges_add_group(struct ref_ioas *ioas, struct ref_group *group)
{
	struct ref_reserved *reserved, *next;
	LIST_HEAD(list);
	int err;

	lockdep_assert_held(&ioas->lock);
	err = ranges_of_group(group, &list);
	list_for_each_entry(reserved, &list, link)
		if (!err && ref_range_excluded(ioas, &reserved->range) &&
		    ref_ioas_mapped(ioas, reserved->range.first, reserved->range.last))
			err = -EADDRINUSE;

	list_for_each_entry_safe(reserved, next, &list, link) {
		list_del(&reserved->link);
		if (err)
			kfree(reserved);
		else
			reserved_insert(ioas, reserved);
	}
	return err;
}

void ref_ranges_remove_group(struct ref_ioas *ioas, struct ref_group *group)
{
	struct ref_reserved *reserved, *next;
	LIST_HEAD(list);

	lockdep_assert_held(&ioas->lock);
	list_for_each_entry_safe(reserved, next, &ioas->reserved, link)
		if (reserved->group == group)
			list_move_tail(&reserved->link, &list);

	/* Its direct ranges become the user's, unless another group has them, too. */
	list_for_each_entry_safe(reserved, next, &list, link) {
		if (ref_rule(reserved->range.type, ioas->flags) == REF_RULE_MAP)
			ref_replay_unmap_direct(ioas, reserved->range.first, reserved->range.last);
		reserved_free(reserved);
	}
}

/* ---- the calls ---- */

/**
 * struct ranges_out - A list on its way to the user
 * @to: his memory
 * @room: entries it has
 * @nr: entries so far, also those that found no room
 */
struct ranges_out {
	struct refiommu_range __user *to;
	u32 room;
	u32 nr;
};

static int ranges_put(struct ranges_out *out, const struct refiommu_range *range)
{
	if (out->nr < out->room && copy_to_user(out->to + out->nr, range, sizeof(*range)))
		return -EFAULT;
	out->nr++;
	return 0;
}

static int ranges_put_free(struct ranges_out *out, u64 first, u64 last)
{
	struct refiommu_range range = { .first = first, .last = last };

	return ranges_put(out, &range);
}

static int ranges_reserved(struct ref_ioas *ioas, struct ranges_out *out)
{
	const struct refiommu_range *before = NULL;
	struct ref_reserved *reserved;
	int err;

	lockdep_assert_held(&ioas->lock);
	list_for_each_entry(reserved, &ioas->reserved, link) {
		/* The devices of several groups tend to have the same. */
		if (before && !memcmp(before, &reserved->range, sizeof(*before)))
			continue;
		before = &reserved->range;
		err = ranges_put(out, before);
		if (err)
			return err;
	}
	return 0;
}

/* Walks up the excluded ranges; @aperture.first is where the next permitted one may begin. */
static int ranges_permitted(struct ref_ioas *ioas, struct ranges_out *out)
{
	struct refiommu_range aperture;
	struct ref_reserved *reserved;
	int err;

	lockdep_assert_held(&ioas->lock);
	ranges_aperture(ioas, &aperture);
	list_for_each_entry(reserved, &ioas->reserved, link) {
		const struct refiommu_range *range = &reserved->range;

		if (!ref_range_excluded(ioas, range) ||
		    !ranges_overlap(range, aperture.first, aperture.last))
			continue;
		if (aperture.first < range->first) {
			err = ranges_put_free(out, aperture.first, range->first - 1);
			if (err)
				return err;
		}
		if (range->last >= aperture.last)
			return 0;
		aperture.first = range->last + 1;
	}
	if (aperture.first > aperture.last)
		return 0;
	return ranges_put_free(out, aperture.first, aperture.last);
}

int ref_ioas_ranges(struct ref_ctx *ctx, struct refiommu_ioas_ranges *arg)
{
	struct ranges_out out = { .to = u64_to_user_ptr(arg->ranges), .room = arg->nr };
	struct ref_ioas *ioas;
	int err = -EINVAL;

	if (arg->padding)
		return -EINVAL;
	ioas = ref_ioas_get_own(ctx, arg->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	scoped_guard(mutex, &ioas->lock) {
		if (arg->which == REFIOMMU_RANGES_PERMITTED)
			err = ranges_permitted(ioas, &out);
		else if (arg->which == REFIOMMU_RANGES_RESERVED)
			err = ranges_reserved(ioas, &out);
	}
	ref_object_put(&ioas->object);
	if (err)
		return err;
	arg->out_nr = out.nr;
	return out.nr > out.room ? -EMSGSIZE : 0;
}

static bool type_is_direct(u32 type)
{
	return type == REFIOMMU_RANGE_DIRECT || type == REFIOMMU_RANGE_DIRECT_RELAXABLE;
}

static int reserve_check(const struct refiommu_ioas_reserve *arg)
{
	bool direct = type_is_direct(arg->type);

	if (arg->first > arg->last)
		return -EOVERFLOW;
	if (!PAGE_ALIGNED(arg->first) || !PAGE_ALIGNED(arg->last + 1))
		return -EINVAL;
	if (arg->type < REFIOMMU_RANGE_DIRECT || arg->type > REFIOMMU_RANGE_SW_MSI)
		return -EINVAL;
	if (arg->prot & ~(REFIOMMU_PROT_READ | REFIOMMU_PROT_WRITE) || !arg->prot != !direct)
		return -EINVAL;
	return direct ? ref_direct_check(arg->first, arg->last) : 0;
}

static int reserve_locked(struct ref_ioas *ioas, const struct refiommu_ioas_reserve *arg)
{
	struct ref_reserved *reserved;

	lockdep_assert_held(&ioas->lock);
	list_for_each_entry(reserved, &ioas->reserved, link)
		if (!reserved->group && ranges_overlap(&reserved->range, arg->first, arg->last))
			return -EEXIST;
	if (ref_ioas_mapped(ioas, arg->first, arg->last))
		return -EADDRINUSE;
	if ((type_is_direct(arg->type) || arg->type == REFIOMMU_RANGE_SW_MSI) &&
	    !list_empty(&ioas->hwpts))
		return -EBUSY;

	reserved = kzalloc(sizeof(*reserved), GFP_KERNEL_ACCOUNT);
	if (!reserved)
		return -ENOMEM;
	reserved->range.first = arg->first;
	reserved->range.last = arg->last;
	reserved->range.type = arg->type;
	reserved->range.prot = arg->prot;
	reserved_insert(ioas, reserved);
	return 0;
}

int ref_ioas_reserve(struct ref_ctx *ctx, struct refiommu_ioas_reserve *arg)
{
	struct ref_ioas *ioas;
	int err;

	err = reserve_check(arg);
	if (err)
		return err;
	ioas = ref_ioas_get_own(ctx, arg->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	scoped_guard(mutex, &ioas->lock)
		err = reserve_locked(ioas, arg);
	ref_object_put(&ioas->object);
	return err;
}
