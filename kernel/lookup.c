// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lookup: how one IOVA is translated, entry by entry, and which mapping made it so.
 *
 * The tables are read, not the caches. In a table of ours (also a guest's) each entry on the
 * way is shown; of other IOMMUs the core tells the physical address only.
 */
#include "ioas.h"

static void lookup_mapping(struct ref_ioas *ioas, struct refiommu_lookup *arg)
{
	struct ref_area *area;

	lockdep_assert_held(&ioas->lock);
	area = ref_area_first(ioas, arg->iova, arg->iova);
	if (!area)
		return;
	arg->out_flags |= REFIOMMU_LOOKUP_MAPPING;
	arg->out_map_first = area->node.start;
	arg->out_map_last = area->node.last;
	arg->out_map_uaddr = area->uaddr;
}

static void lookup_levels(struct refiommu_lookup *arg, const struct ref_walk *walk, u32 stage)
{
	unsigned int i;

	for (i = 0; i < walk->nr_levels; i++) {
		arg->out_levels[arg->out_nr_levels] = walk->levels[i];
		arg->out_levels[arg->out_nr_levels++].stage = stage;
	}
	if (walk->fault == REFIOMMU_FAULT_RESERVED_BITS)
		arg->out_flags |= REFIOMMU_LOOKUP_RESERVED_BITS;
}

static u64 leaf_bytes(const struct ref_walk *walk)
{
	return walk->size_lg2 < 64 ? BIT_ULL(walk->size_lg2) : U64_MAX;
}

static void lookup_nested(const struct ref_walk *stage1, const struct ref_walk *stage2,
			  struct refiommu_lookup *arg)
{
	arg->out_flags |= REFIOMMU_LOOKUP_NESTED;
	arg->out_gpa = stage1->fault ? U64_MAX : stage1->paddr;
	if (stage1->fault)
		return;
	lookup_levels(arg, stage2, 2);
	if (stage2->fault)
		return;
	arg->out_flags |= REFIOMMU_LOOKUP_PRESENT;
	arg->out_paddr = stage2->paddr;
	arg->out_prot = stage1->prot & stage2->prot;
	arg->out_page_bytes = min(leaf_bytes(stage1), leaf_bytes(stage2));
}

static void lookup_ours(struct ref_domain *domain, struct refiommu_lookup *arg)
{
	struct ref_walk stage1 = {}, stage2 = {};

	ref_domain_walk(domain, arg->iova, &stage1, &stage2);
	arg->out_flags |= REFIOMMU_LOOKUP_LEVELS;
	lookup_levels(arg, &stage1, 1);
	if (domain->parent) {
		lookup_nested(&stage1, &stage2, arg);
	} else if (!stage1.fault) {
		arg->out_flags |= REFIOMMU_LOOKUP_PRESENT;
		arg->out_paddr = stage1.paddr;
		arg->out_prot = stage1.prot;
		arg->out_page_bytes = leaf_bytes(&stage1);
	}
}

static void lookup_identity(struct refiommu_lookup *arg)
{
	arg->out_flags |= REFIOMMU_LOOKUP_IDENTITY | REFIOMMU_LOOKUP_PRESENT;
	arg->out_paddr = arg->iova;
	arg->out_prot = REFIOMMU_PROT_READ | REFIOMMU_PROT_WRITE;
}

/* Of a domain that cannot go away meanwhile. */
static void lookup_domain(struct iommu_domain *domain, struct refiommu_lookup *arg)
{
	if (domain->type == IOMMU_DOMAIN_IDENTITY) {
		lookup_identity(arg);
	} else if (domain->type == IOMMU_DOMAIN_BLOCKED) {
		arg->out_flags |= REFIOMMU_LOOKUP_BLOCKED;
	} else if (domain->owner == &ref_iommu_ops) {
		/* A flush takes the lock: a guest's pages are not unpinned while they are read. */
		scoped_guard(spinlock_irqsave, &to_ref_domain(domain)->instance->lock)
			lookup_ours(to_ref_domain(domain), arg);
	} else if (domain->geometry.aperture_start <= arg->iova &&
		   arg->iova <= domain->geometry.aperture_end) {
		arg->out_paddr = iommu_iova_to_phys(domain, arg->iova);
		if (arg->out_paddr)
			arg->out_flags |= REFIOMMU_LOOKUP_PRESENT;
	}
}

/* ---- an address space ---- */

static int lookup_ioas_locked(struct ref_ioas *ioas, struct ref_endpoint *endpoint,
			      struct refiommu_lookup *arg)
{
	struct ref_hwpt *hwpt;

	lockdep_assert_held(&ioas->lock);
	lookup_mapping(ioas, arg);
	if (endpoint)
		hwpt = ref_hwpt_of(ioas, endpoint);
	else
		hwpt = list_first_entry_or_null(&ioas->hwpts, struct ref_hwpt, link);
	if (!hwpt)
		return -ENODEV;
	lookup_domain(hwpt->domain, arg);
	return 0;
}

static int lookup_ioas(struct ref_ctx *ctx, struct ref_ioas *ioas, struct refiommu_lookup *arg)
{
	struct ref_endpoint *endpoint = NULL;
	int err;

	if (arg->endpoint_id) {
		endpoint = ref_endpoint_get(ctx, arg->endpoint_id);
		if (IS_ERR(endpoint))
			return PTR_ERR(endpoint);
	}
	scoped_guard(mutex, &ctx->lock)
		scoped_guard(mutex, &ioas->lock)
			err = lookup_ioas_locked(ioas, endpoint, arg);
	if (endpoint)
		ref_object_put(&endpoint->object);
	return err;
}

/* ---- an endpoint ---- */

/* Owners of other files and VFIO come and go: the lock keeps the domain. */
static void lookup_context(struct ref_endpoint *endpoint, struct refiommu_lookup *arg)
{
	struct ref_instance *instance = endpoint->instance;
	struct ref_domain *domain;

	lockdep_assert_held(&instance->lock);
	switch (endpoint->context.kind) {
	case REF_CONTEXT_IDENTITY:
		lookup_identity(arg);
		return;
	case REF_CONTEXT_DOMAIN:
		domain = xa_load(&instance->domains, endpoint->context.did);
		if (domain)
			lookup_ours(domain, arg);
		return;
	case REF_CONTEXT_NONE:
	case REF_CONTEXT_BLOCKED:
		arg->out_flags |= REFIOMMU_LOOKUP_BLOCKED;
		return;
	}
}

/*
 * The core tells which domain a device is in, but only an owner of the device knows how long. If
 * that is somebody else, we do not look.
 */
static int lookup_foreign(struct ref_endpoint *endpoint, struct refiommu_lookup *arg)
{
	struct ref_group *group = endpoint->group;
	struct iommu_domain *domain;

	lockdep_assert_held(&endpoint->object.ctx->lock);
	if (!ref_endpoint_is_here(endpoint))
		return -ENODEV;
	if (!group->claimed)
		return -EBUSY;
	domain = iommu_get_domain_for_dev(endpoint->dev);
	if (!domain)
		return -EOPNOTSUPP;
	lookup_domain(domain, arg);
	return 0;
}

static int lookup_endpoint(struct ref_ctx *ctx, struct ref_endpoint *endpoint,
			   struct refiommu_lookup *arg)
{
	struct ref_ioas *ioas;

	if (arg->endpoint_id)
		return -EINVAL;
	guard(mutex)(&ctx->lock);
	ioas = endpoint->group->ioas;
	if (ioas) {
		mutex_lock(&ioas->lock);
		lookup_mapping(ioas, arg);
		mutex_unlock(&ioas->lock);
	}
	if (!endpoint->instance)
		return lookup_foreign(endpoint, arg);
	scoped_guard(spinlock_irqsave, &endpoint->instance->lock)
		lookup_context(endpoint, arg);
	return 0;
}

/* ---- the call ---- */

static void lookup_clear(struct refiommu_lookup *arg)
{
	arg->out_paddr = 0;
	arg->out_gpa = 0;
	arg->out_page_bytes = 0;
	arg->out_map_first = 0;
	arg->out_map_last = 0;
	arg->out_map_uaddr = 0;
	arg->out_prot = 0;
	arg->out_flags = 0;
	arg->out_nr_levels = 0;
	memset(arg->out_levels, 0, sizeof(arg->out_levels));
}

int ref_lookup(struct ref_ctx *ctx, struct refiommu_lookup *arg)
{
	struct ref_endpoint *endpoint;
	struct ref_ioas *ioas;
	int err;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->padding)
		return -EINVAL;
	lookup_clear(arg);

	ioas = ref_ioas_get(ctx, arg->id);
	if (!IS_ERR(ioas)) {
		err = lookup_ioas(ctx, ioas, arg);
		ref_object_put(&ioas->object);
		return err;
	}
	endpoint = ref_endpoint_get(ctx, arg->id);
	if (IS_ERR(endpoint))
		return PTR_ERR(endpoint);
	err = lookup_endpoint(ctx, endpoint, arg);
	ref_object_put(&endpoint->object);
	return err;
}
