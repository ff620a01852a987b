// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the IOMMU core calls: struct iommu_ops and the operations of each kind of domain.
 *
 *   identity, blocked   static, one of each for all instances
 *   paging              a page table of the instance's format
 *   nested              a guest's table on top of a paging domain
 *
 * A device's translations are tagged with its domain's id. A move from A to B goes: the trace event
 * "B's translations may be cached", the context entry, the context cache, all translations of A,
 * the trace event "A's no longer". The context decides from the first access after it was written,
 * so no access sees the union; and an attach that fails has changed nothing.
 *
 * endpoint->context is written by the core's calls to attach only, under the mutex of the device's
 * group. While it names a domain, the core keeps that domain alive.
 *
 * PASIDs would be contexts of their own: set_dev_pasid() beside ref_domain_attach(). Dirty tracking
 * would be domain.dirty_ops in ref_domain_alloc_paging().
 */
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/slab.h>
#include "compat.h"
#include "core.h"
#include "trace.h"

static atomic64_t ref_nr_domains = ATOMIC64_INIT(0);

u64 ref_domains_alive(void)
{
	return atomic64_read(&ref_nr_domains);
}

/* ---- attach ---- */

static const struct iommu_domain_ops ref_static_ops = { .attach_dev = ref_attach_dev };

static struct iommu_domain ref_identity_domain = {
	.type = IOMMU_DOMAIN_IDENTITY,
	.ops = &ref_static_ops,
	.owner = &ref_iommu_ops,
};

static struct iommu_domain ref_blocked_domain = {
	.type = IOMMU_DOMAIN_BLOCKED,
	.ops = &ref_static_ops,
	.owner = &ref_iommu_ops,
};

/* The domain that a device's context names, or NULL. The group's mutex, held, keeps it alive. */
static struct ref_domain *ref_domain_attached(struct ref_endpoint *endpoint)
{
	struct ref_domain *domain = NULL;

	scoped_guard(spinlock_irqsave, &endpoint->instance->lock)
		if (endpoint->context.kind == REF_CONTEXT_DOMAIN)
			domain = xa_load(&endpoint->instance->domains, endpoint->context.did);
	return domain;
}

static void ref_trace_tag(struct ref_endpoint *endpoint, struct ref_domain *domain, bool assigned)
{
	trace_refiommu_tag(endpoint->instance->nr, &domain->domain, domain->did, endpoint->dev,
			   assigned);
}

/* @to: NULL if @context names no domain */
static void ref_endpoint_move(struct ref_endpoint *endpoint, struct ref_context context,
			      struct ref_domain *to)
{
	struct ref_domain *from = ref_domain_attached(endpoint);

	if (to && to != from)
		ref_trace_tag(endpoint, to, true);
	ref_tlb_set_context(endpoint, context);
	if (from && from != to) {
		if (!ref_bug(BUG_DID_REUSE))
			ref_tlb_flush_domain(from);
		ref_trace_tag(endpoint, from, false);
	}
}

int ref_domain_attach(struct iommu_domain *domain, struct device *dev)
{
	struct ref_endpoint *endpoint = ref_endpoint_of(dev);
	struct ref_context context = { .kind = REF_CONTEXT_DOMAIN };
	struct ref_domain *to;

	if (domain->ops == &ref_static_ops) {
		context.kind = domain == &ref_identity_domain ? REF_CONTEXT_IDENTITY :
								REF_CONTEXT_BLOCKED;
		ref_endpoint_move(endpoint, context, NULL);
		return 0;
	}

	to = to_ref_domain(domain);
	if (to->instance != endpoint->instance)
		return -EINVAL;
	/* Of a default domain the core takes no refusal: __iommu_group_set_core_domain(). */
	if (!(domain->type & __IOMMU_DOMAIN_DMA_API) &&
	    !atomic_dec_if_positive(&endpoint->fail_attach))
		return -EIO;
	context.did = to->did;
	ref_endpoint_move(endpoint, context, to);
	return 0;
}

/* ---- paging domains ---- */

static int ref_paging_map(struct iommu_domain *iommu_domain, unsigned long iova, phys_addr_t paddr,
			  size_t pgsize, size_t pgcount, int prot, gfp_t gfp, size_t *mapped)
{
	struct ref_domain *domain = to_ref_domain(iommu_domain);
	u64 last = iova + (pgsize * pgcount - 1);
	int err;

	err = ref_table_map(&domain->table, iova, paddr, pgsize, pgcount, ref_prot_of_iommu(prot),
			    gfp, mapped);
	if (!err && ref_bug(BUG_PIN_DROPPED))
		ref_pins_drop(domain, iova, paddr, gfp);
	/* A large page may have taken the place of an empty table: see BUG_LARGE_NO_FLUSH. */
	if (ref_table_owes_flush(&domain->table, iova, last))
		ref_tlb_flush_range(domain, iova, last);
	return err;
}

static size_t ref_paging_unmap(struct iommu_domain *iommu_domain, unsigned long iova, size_t pgsize,
			       size_t pgcount, struct iommu_iotlb_gather *gather)
{
	struct ref_domain *domain = to_ref_domain(iommu_domain);
	size_t bytes = ref_table_unmap(&domain->table, iova, pgsize * pgcount);

	if (bytes)
		ref_pins_return(domain, iova, iova + (bytes - 1));
	/* A queued range is flushed later, with all others, by ref_paging_flush_all(). */
	if (bytes && !iommu_iotlb_gather_queued(gather))
		iommu_iotlb_gather_add_range(gather, iova, bytes);
	return bytes;
}

static void ref_paging_sync(struct iommu_domain *iommu_domain, struct iommu_iotlb_gather *gather)
{
	/* As initialised: nothing was removed. */
	if (gather->start > gather->end)
		return;
	ref_tlb_flush_range(to_ref_domain(iommu_domain), gather->start, gather->end);
}

static void ref_paging_flush_all(struct iommu_domain *iommu_domain)
{
	ref_tlb_flush_domain(to_ref_domain(iommu_domain));
}

static phys_addr_t ref_paging_iova_to_phys(struct iommu_domain *iommu_domain, dma_addr_t iova)
{
	struct ref_walk walk;

	ref_table_walk(&to_ref_domain(iommu_domain)->table, iova, &walk);
	if (walk.fault)
		return 0;
	if (ref_bug(BUG_IOVA_TO_PHYS_LIES) && walk.size_lg2 > 12)
		return walk.paddr & ~(BIT_ULL(walk.size_lg2) - 1);
	return walk.paddr;
}

/*
 * Gives @domain its id, the lowest that is free, as drivers do. All else of it is complete: from
 * now on it can be found.
 */
static int ref_domain_add(struct ref_domain *domain, struct ref_instance *instance)
{
	domain->instance = instance;
	if (xa_alloc_irq(&instance->domains, &domain->did, domain, xa_limit_31b, GFP_KERNEL))
		return -ENOMEM;
	ref_view_show_domain(domain);
	kref_get(&instance->ref);
	atomic64_inc(&ref_nr_domains);
	return 0;
}

/* No device is attached, and nobody will attach one. */
static void ref_domain_remove(struct ref_domain *domain)
{
	struct ref_instance *instance = domain->instance;

	ref_view_hide_domain(domain);
	/* The id may be another's at once: nothing tagged with it may be left. */
	if (!ref_bug(BUG_DID_REUSE))
		ref_tlb_flush_domain(domain);
	scoped_guard(spinlock_irqsave, &instance->lock)
		xa_erase(&instance->domains, domain->did);
	atomic64_dec(&ref_nr_domains);
}

/* Last: after it the module may be gone. */
static void ref_domain_free(struct ref_domain *domain)
{
	struct ref_instance *instance = domain->instance;

	kfree(domain);
	kref_put(&instance->ref, ref_instance_release);
}

static void ref_paging_free(struct iommu_domain *iommu_domain)
{
	struct ref_domain *domain = to_ref_domain(iommu_domain);

	ref_domain_remove(domain);
	ref_pins_return(domain, 0, U64_MAX);
	ref_table_destroy(&domain->table);
	ref_domain_free(domain);
}

static const struct iommu_domain_ops ref_paging_ops = {
	.attach_dev = ref_attach_dev,
	.map_pages = ref_paging_map,
	.unmap_pages = ref_paging_unmap,
	.iotlb_sync = ref_paging_sync,
	.flush_iotlb_all = ref_paging_flush_all,
	.iova_to_phys = ref_paging_iova_to_phys,
	.free = ref_paging_free,
};

static struct iommu_domain *ref_domain_alloc_paging(struct device *dev)
{
	struct ref_domain *domain __free(kfree) = kzalloc(sizeof(*domain), GFP_KERNEL);
	struct ref_instance *instance;
	const struct ref_geometry *geo;
	int err;

	/* iommu_domain_alloc(), which 6.12 still has, knows a bus but no device. */
	if (!dev)
		return ERR_PTR(-EINVAL);
	if (!domain)
		return ERR_PTR(-ENOMEM);

	instance = ref_endpoint_of(dev)->instance;
	err = ref_table_init(&domain->table, instance->layout.format, instance->width,
			     instance->pgsizes);
	if (err)
		return ERR_PTR(err);

	xa_init(&domain->unpinned);
	domain->table.owner = &domain->domain;
	geo = &domain->table.layout.geo;
	domain->domain.ops = &ref_paging_ops;
	domain->domain.pgsize_bitmap = geo->pgsizes;
	domain->domain.geometry = (struct iommu_domain_geometry){
		.aperture_start = geo->windows[0].first,
		.aperture_end = geo->windows[geo->nr_windows - 1].last,
		.force_aperture = true,
	};
	err = ref_domain_add(domain, instance);
	if (err) {
		ref_table_destroy(&domain->table);
		return ERR_PTR(err);
	}
	return &no_free_ptr(domain)->domain;
}

/* ---- nested domains ---- */

static phys_addr_t ref_nested_iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	return 0;
}

static void ref_nested_free(struct iommu_domain *iommu_domain)
{
	struct ref_domain *domain = to_ref_domain(iommu_domain);

	ref_domain_remove(domain);
	ref_domain_free(domain);
}

const struct iommu_domain_ops ref_nested_ops = {
	.attach_dev = ref_attach_dev,
	.iova_to_phys = ref_nested_iova_to_phys,
	.free = ref_nested_free,
};

struct iommu_domain *ref_domain_alloc_nested(struct ref_domain *parent,
					     const struct ref_layout *guest)
{
	struct ref_domain *domain __free(kfree) = kzalloc(sizeof(*domain), GFP_KERNEL);
	int err;

	if (!domain)
		return ERR_PTR(-ENOMEM);
	domain->domain.type = IOMMU_DOMAIN_NESTED;
	domain->domain.ops = &ref_nested_ops;
	domain->domain.owner = &ref_iommu_ops;
	domain->parent = parent;
	domain->guest = *guest;
	err = ref_domain_add(domain, parent->instance);
	if (err)
		return ERR_PTR(err);
	return &no_free_ptr(domain)->domain;
}

/*
 * Reads an entry of a guest's table as the hardware does: through the parent. Whatever the parent
 * says, only memory that somebody owns is read: with a planted bug on it may be anything.
 */
static int ref_guest_read(void *ctx, u64 gpa, u64 *raw)
{
	struct ref_domain *domain = ctx;
	struct ref_walk walk;
	struct page *page;

	ref_table_walk(&domain->parent->table, gpa, &walk);
	if (walk.fault || !(walk.prot & REFIOMMU_PROT_READ))
		return REFIOMMU_FAULT_STAGE2;

	page = pfn_to_online_page(PHYS_PFN(walk.paddr));
	if (!page || !page_count(page))
		return REFIOMMU_FAULT_STAGE2;
	if (PageReserved(page) && !is_zero_pfn(PHYS_PFN(walk.paddr)))
		return REFIOMMU_FAULT_STAGE2;
	*raw = READ_ONCE(*(u64 *)phys_to_virt(walk.paddr));
	return 0;
}

int ref_domain_walk(struct ref_domain *domain, u64 iova, struct ref_walk *stage1,
		    struct ref_walk *stage2)
{
	stage2->nr_levels = 0;
	if (!domain->parent) {
		ref_table_walk(&domain->table, iova, stage1);
		return stage1->fault;
	}

	ref_walk(&domain->guest, iova, ref_guest_read, domain, stage1);
	if (stage1->fault)
		return stage1->fault;
	ref_table_walk(&domain->parent->table, stage1->paddr, stage2);
	return stage2->fault ? REFIOMMU_FAULT_STAGE2 : 0;
}

/* ---- devices ---- */

static bool ref_capable(struct device *dev, enum iommu_cap cap)
{
	switch (cap) {
	case IOMMU_CAP_CACHE_COHERENCY:
		return true;
	case IOMMU_CAP_DEFERRED_FLUSH:
		return ref_endpoint_of(dev)->instance->lazy;
	default:
		return false;
	}
}

/* Devices come to us by the firmware node of an instance; others are none of ours. */
static struct iommu_device *ref_probe_device(struct device *dev)
{
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);
	struct ref_endpoint *endpoint;

	if (!fwspec)
		return ERR_PTR(-ENODEV);
	endpoint = ref_endpoint_of(dev);
	if (!endpoint || !endpoint->instance ||
	    fwspec->iommu_fwnode != dev_fwnode(&endpoint->instance->hardware->dev))
		return ERR_PTR(-ENODEV);
	dev_iommu_priv_set(dev, &endpoint->view);
	return &endpoint->instance->iommu;
}

/*
 * instance->endpoints is stable: the core calls this while ref_endpoint_create() adds the device
 * under ctx->lock; or from another IOMMU's registration, and then the former waits in the core.
 */
static struct iommu_group *ref_device_group(struct device *dev)
{
	struct ref_endpoint *endpoint = ref_endpoint_of(dev);
	struct ref_endpoint *other;
	struct iommu_group *group;

	if (!endpoint->group_key)
		return generic_device_group(dev);
	list_for_each_entry(other, &endpoint->instance->endpoints, link) {
		if (other == endpoint || other->group_key != endpoint->group_key)
			continue;
		group = iommu_group_get(other->dev);
		if (group)
			return group;
	}
	return generic_device_group(dev);
}

const struct iommu_ops ref_iommu_ops = {
	.capable = ref_capable,
	.domain_alloc_paging = ref_domain_alloc_paging,
	.probe_device = ref_probe_device,
	.device_group = ref_device_group,
	.get_resv_regions = ref_instance_resv_regions,
	.default_domain_ops = &ref_paging_ops,
	.identity_domain = &ref_identity_domain,
	.blocked_domain = &ref_blocked_domain,
	.release_domain = &ref_blocked_domain,
	.owner = THIS_MODULE,
};
