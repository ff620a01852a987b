// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replay: making a domain show what its address space means.
 *
 * First the reserved ranges, each as its type wants it (ref_rule()), then the mappings. A page
 * is compared before it is mapped: there, and right: present; there, and something else:
 * EEXIST, left as it is; else mapped. The core is never asked to map over something, because
 * drivers differ in what they do then (VT-d of 6.12 keeps the old entry and says 0).
 *
 * Direct ranges are mapped page by page, so that two that overlap can come and go on their
 * own.
 */
#include "ioas.h"
#include "trace.h"

enum { ACTION_SKIPPED, ACTION_SETUP, ACTION_MAPPED, ACTION_PRESENT };

static const struct {
	enum ref_rule users;
	enum ref_rule direct;
} rules[] = {
	[REFIOMMU_RANGE_DIRECT] = { REF_RULE_SKIP, REF_RULE_MAP },
	[REFIOMMU_RANGE_DIRECT_RELAXABLE] = { REF_RULE_IGNORE, REF_RULE_MAP },
	[REFIOMMU_RANGE_RESERVED] = { REF_RULE_SKIP, REF_RULE_SKIP },
	[REFIOMMU_RANGE_MSI] = { REF_RULE_SKIP, REF_RULE_SKIP },
	[REFIOMMU_RANGE_SW_MSI] = { REF_RULE_SETUP, REF_RULE_SETUP },
};

enum ref_rule ref_rule(u32 type, u32 flags)
{
	if (type >= ARRAY_SIZE(rules))
		return REF_RULE_SKIP;
	return flags & REFIOMMU_IOAS_DIRECT ? rules[type].direct : rules[type].users;
}

/* ---- pages ---- */

/* Other drivers' entries are not ours to read: there the address is all there is. */
static bool prot_is(struct iommu_domain *domain, u64 iova, int prot)
{
	struct ref_walk walk;

	if (domain->owner != &ref_iommu_ops)
		return true;
	ref_table_walk(&to_ref_domain(domain)->table, iova, &walk);
	return !walk.fault && walk.prot == ref_prot_of_iommu(prot);
}

static int replay_page(struct iommu_domain *domain, u64 iova, phys_addr_t paddr, int prot,
		       struct refiommu_ioas_replay *count)
{
	phys_addr_t there = iommu_iova_to_phys(domain, iova);
	int err;

	if (there && (there == paddr || !ref_bug(BUG_OVERWRITE))) {
		if (there != paddr || !prot_is(domain, iova, prot))
			return -EEXIST;
		count->out_present += PAGE_SIZE;
		return 0;
	}
	err = iommu_map(domain, iova, paddr, PAGE_SIZE, prot, GFP_KERNEL_ACCOUNT);
	if (!err)
		count->out_mapped += PAGE_SIZE;
	return err;
}

static bool run_is_absent(struct iommu_domain *domain, u64 iova, unsigned long nr_pages)
{
	unsigned long at;

	for (at = 0; at < nr_pages; at++) {
		if (iommu_iova_to_phys(domain, iova + ((u64)at << PAGE_SHIFT)))
			return false;
		if (!(at % 512))
			cond_resched();
	}
	return true;
}

/* Page by page; one that holds something else is left, and told at the end. */
static int replay_pages(struct iommu_domain *domain, u64 iova, phys_addr_t paddr, u64 nr_pages,
			int prot, struct refiommu_ioas_replay *count)
{
	int err, result = 0;

	for (u64 at = 0; at < nr_pages; at++) {
		err = replay_page(domain, iova + (at << PAGE_SHIFT), paddr + (at << PAGE_SHIFT),
				  prot, count);
		if (err && err != -EEXIST)
			return err;
		if (err)
			result = err;
		cond_resched();
	}
	return result;
}

int ref_replay_run(struct iommu_domain *domain, u64 iova, phys_addr_t paddr, unsigned long nr_pages,
		   u32 prot, struct refiommu_ioas_replay *count)
{
	int iommu_prot = ref_prot_to_iommu(prot) | IOMMU_CACHE, err;
	u64 bytes = (u64)nr_pages << PAGE_SHIFT;

	if (!run_is_absent(domain, iova, nr_pages))
		return replay_pages(domain, iova, paddr, nr_pages, iommu_prot, count);
	err = iommu_map(domain, iova, paddr, bytes, iommu_prot, GFP_KERNEL_ACCOUNT);
	if (!err)
		count->out_mapped += bytes;
	return err;
}

/* ---- reserved ranges ---- */

static int replay_direct(struct iommu_domain *domain, const struct refiommu_range *range,
			 struct refiommu_ioas_replay *count)
{
	u64 nr_pages = ((range->last - range->first) >> PAGE_SHIFT) + 1;
	u64 first = PAGE_ALIGN_DOWN(range->first);

	/* Of a device's. Firmware asks for a few MiB. */
	if (range->last - range->first >= REF_DIRECT_MAX)
		return -EINVAL;
	return replay_pages(domain, first, first, nr_pages, ref_prot_to_iommu(range->prot), count);
}

static int replay_window(struct ref_hwpt *hwpt, const struct refiommu_range *range)
{
	int err;

	/* The core keeps one window in a domain, and for good. */
	if (hwpt->cookie)
		return 0;
	err = iommu_get_msi_cookie(hwpt->domain, range->first);
	if (!err)
		hwpt->cookie = true;
	return err;
}

static int replay_range(struct ref_ioas *ioas, struct ref_hwpt *hwpt,
			const struct refiommu_range *range, struct refiommu_ioas_replay *count)
{
	u64 mapped = count->out_mapped;
	u32 action = ACTION_SKIPPED;
	int err = 0;

	lockdep_assert_held(&ioas->lock);
	switch (ref_rule(range->type, ioas->flags)) {
	case REF_RULE_IGNORE:
		return 0;
	case REF_RULE_SKIP:
		count->out_skipped++;
		break;
	case REF_RULE_SETUP:
		err = replay_window(hwpt, range);
		action = ACTION_SETUP;
		count->out_setup++;
		break;
	case REF_RULE_MAP:
		err = replay_direct(hwpt->domain, range, count);
		action = mapped == count->out_mapped ? ACTION_PRESENT : ACTION_MAPPED;
		break;
	}
	trace_refiommu_replay_entry(ioas->serial, hwpt->domain, range->first, range->last,
				    range->type, action, err);
	return err;
}

int ref_replay_ranges(struct ref_ioas *ioas, struct ref_hwpt *hwpt,
		      struct refiommu_ioas_replay *count)
{
	struct ref_reserved *reserved;
	int err, result = 0;

	lockdep_assert_held(&ioas->lock);
	list_for_each_entry(reserved, &ioas->reserved, link) {
		err = replay_range(ioas, hwpt, &reserved->range, count);
		if (err && err != -EEXIST)
			return err;
		if (err)
			result = err;
	}
	return result;
}

static bool direct_wanted(struct ref_ioas *ioas, u64 iova)
{
	struct ref_reserved *reserved;

	lockdep_assert_held(&ioas->lock);
	list_for_each_entry(reserved, &ioas->reserved, link)
		if (ref_rule(reserved->range.type, ioas->flags) == REF_RULE_MAP &&
		    PAGE_ALIGN_DOWN(reserved->range.first) <= iova && iova <= reserved->range.last)
			return true;
	return false;
}

void ref_replay_unmap_direct(struct ref_ioas *ioas, u64 first, u64 last)
{
	u64 nr_pages = ((last - first) >> PAGE_SHIFT) + 1, at;
	struct ref_hwpt *hwpt;

	lockdep_assert_held(&ioas->lock);
	for (at = 0; at < nr_pages; at++) {
		u64 iova = PAGE_ALIGN_DOWN(first) + (at << PAGE_SHIFT);

		if (direct_wanted(ioas, iova))
			continue;
		list_for_each_entry(hwpt, &ioas->hwpts, link)
			if (iommu_iova_to_phys(hwpt->domain, iova) == iova)
				ref_hwpt_unmap(hwpt, iova, PAGE_SIZE);
		cond_resched();
	}
	ref_ioas_sync(ioas);
}

/* ---- mappings ---- */

static int replay_area(struct ref_ioas *ioas, struct ref_hwpt *hwpt, struct ref_area *area,
		       struct refiommu_ioas_replay *count)
{
	u64 mapped = count->out_mapped;
	unsigned long at, run;
	int err, result = 0;

	lockdep_assert_held(&ioas->lock);
	for (at = 0; at < area->nr_pages; at += run) {
		run = ref_area_run(ioas, area, at);
		err = ref_replay_run(hwpt->domain, area->node.start + ((u64)at << PAGE_SHIFT),
				     page_to_phys(area->pages[at]), run, area->prot, count);
		if (err)
			result = err;
		if (err && err != -EEXIST)
			break;
		cond_resched();
	}
	trace_refiommu_replay_entry(ioas->serial, hwpt->domain, area->node.start,
				    area->node.last, 0, mapped == count->out_mapped ?
				    ACTION_PRESENT : ACTION_MAPPED, result);
	return result;
}

/* BUG_REPLAY_ADDS_ONE: the page after the last mapping shows what its last page shows. */
static void replay_one_more(struct ref_ioas *ioas, struct ref_hwpt *hwpt, struct ref_area *area)
{
	u64 iova = area->node.last + 1;
	struct refiommu_ioas_replay count = {};

	lockdep_assert_held(&ioas->lock);
	if (!iova || ref_ranges_check(ioas, iova, iova + PAGE_SIZE - 1))
		return;
	ref_replay_run(hwpt->domain, iova, page_to_phys(area->pages[area->nr_pages - 1]), 1,
		       area->prot, &count);
}

static int replay_areas(struct ref_ioas *ioas, struct ref_hwpt *hwpt,
			struct refiommu_ioas_replay *count)
{
	struct ref_area *area, *last = NULL;
	int err, result = 0;

	lockdep_assert_held(&ioas->lock);
	area = ref_area_first(ioas, 0, U64_MAX);
	if (area && ref_bug(BUG_REPLAY_SKIPS_ONE))
		area = ref_area_next(area, U64_MAX);
	for (; area; area = ref_area_next(area, U64_MAX)) {
		err = replay_area(ioas, hwpt, area, count);
		if (err && err != -EEXIST)
			return err;
		if (err)
			result = err;
		last = area;
	}
	if (last && ref_bug(BUG_REPLAY_ADDS_ONE))
		replay_one_more(ioas, hwpt, last);
	return result;
}

int ref_replay(struct ref_ioas *ioas, struct ref_hwpt *hwpt, struct refiommu_ioas_replay *count)
{
	int err, result;

	lockdep_assert_held(&ioas->lock);
	trace_refiommu_replay_begin(ioas->serial, hwpt->domain);
	result = ref_replay_ranges(ioas, hwpt, count);
	if (!result || result == -EEXIST) {
		err = ioas->flags & REFIOMMU_IOAS_UNTRACKED ?
			      ref_untracked_replay(ioas, hwpt->domain, count) :
			      replay_areas(ioas, hwpt, count);
		result = err ?: result;
	}
	trace_refiommu_replay_end(ioas->serial, hwpt->domain, count->out_mapped, result);
	return result;
}

/* ---- the call ---- */

static int replay_all(struct ref_ioas *ioas, struct refiommu_ioas_replay *arg)
{
	struct ref_hwpt *hwpt;
	int err, result = 0;

	lockdep_assert_held(&ioas->lock);
	list_for_each_entry(hwpt, &ioas->hwpts, link) {
		err = ref_replay(ioas, hwpt, arg);
		if (err && err != -EEXIST)
			return err;
		if (err)
			result = err;
	}
	return result;
}

static int replay_locked(struct ref_ioas *ioas, struct ref_endpoint *endpoint,
			 struct refiommu_ioas_replay *arg)
{
	lockdep_assert_held(&ioas->lock);
	if (ioas->flags & REFIOMMU_IOAS_UNTRACKED &&
	    (list_empty(&ioas->hwpts) || list_is_singular(&ioas->hwpts)))
		return -EOPNOTSUPP;
	if (!endpoint)
		return replay_all(ioas, arg);
	return endpoint->group->ioas == ioas ? ref_replay(ioas, endpoint->group->hwpt, arg) :
					       -ENOENT;
}

int ref_ioas_replay(struct ref_ctx *ctx, struct refiommu_ioas_replay *arg)
{
	struct ref_endpoint *endpoint = NULL;
	struct ref_ioas *ioas;
	int err;

	if (arg->flags)
		return -EOPNOTSUPP;
	arg->out_mapped = 0;
	arg->out_present = 0;
	arg->out_setup = 0;
	arg->out_skipped = 0;

	ioas = ref_ioas_get_own(ctx, arg->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (arg->endpoint_id) {
		endpoint = ref_endpoint_get(ctx, arg->endpoint_id);
		if (IS_ERR(endpoint)) {
			ref_object_put(&ioas->object);
			return PTR_ERR(endpoint);
		}
	}

	trace_refiommu_intent_begin(REF_INTENT_REPLAY, ioas->serial,
				    endpoint ? endpoint->dev : NULL, 0, U64_MAX, 0, 0);
	scoped_guard(mutex, &ctx->lock)
		scoped_guard(mutex, &ioas->lock)
			err = replay_locked(ioas, endpoint, arg);
	trace_refiommu_intent_end(REF_INTENT_REPLAY, ioas->serial, err, arg->out_mapped);

	if (endpoint)
		ref_object_put(&endpoint->object);
	ref_object_put(&ioas->object);
	return err;
}
