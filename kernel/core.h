/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The objects of refiommu, and who may call whom.
 *
 *   ctl.c       /dev/refiommu: files, objects, copies arguments in and out
 *   instance.c  IOMMUs: registered with the core, reserved ranges, groups
 *   domain.c    iommu_ops and iommu_domain_ops: paging, identity, blocked, nested
 *   table*.c    page tables
 *   tlb.c       what the "hardware" of an instance remembers: IOTLB, contexts
 *   view.c      domains and contexts as readers of kernel memory find them
 *   endpoint.c  devices behind an instance; dma.c their DMA engine, dmaapi.c their
 *               kernel driver, vfio.c their VFIO device
 *   ioas.c      address spaces: intent, map, unmap; area.c their mappings; untracked.c those that
 *               keep none; attach.c attach, switch, detach; replay.c
 *               ranges.c reserved and permitted ranges; nested.c guest-owned tables;
 *               lookup.c; notify.c
 *   bugs.c      planted bugs; pins.c what one of them does to pins
 *
 * Address spaces call the IOMMU core's public API and never the backend, but for three things that
 * the public API has no word for: nested domains, reading back an untracked table, and the
 * entries that lookup shows.
 *
 * Locks, outermost first:
 *   ref_ctx.lock (mutex)       who is attached to what: groups, and creation and end of objects
 *   ref_ioas.lock (mutex)      intent and domains of an address space; a parent's inside a child's
 *   ref_endpoint.dma_lock      handles of the DMA API
 *   ref_bus_lock               devices of ours on the platform bus
 *   (the core's group mutex)
 *   ref_instance.lock (spin, irqsave)   IOTLB, contexts, domain ids of an instance
 *   ref_table.lock (spin, irqsave)      entries
 */
#ifndef REFIOMMU_CORE_H
#define REFIOMMU_CORE_H

#include <linux/completion.h>
#include <linux/iommu.h>
#include <linux/kref.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/refcount.h>
#include <linux/xarray.h>
#include "bugs.h"
#include "refiommu.h"
#include "table.h"

/* ---- objects of a file (ctl.c) ---- */

enum ref_kind { REF_INSTANCE = 1, REF_ENDPOINT, REF_IOAS };

/**
 * struct ref_ctx - An open file
 * @objects: id to struct ref_object; entries are valid while in it
 * @lock: see above
 * @groups: struct ref_group of all endpoints
 * @end: ends everything after the last close
 * @ended: that is done, or waits for a VFIO user: close() need not wait any longer
 * @users: the file, and @end
 */
struct ref_ctx {
	struct xarray objects;
	struct mutex lock; /* who is attached to what; objects come and go */
	struct list_head groups;
	struct work_struct end;
	struct completion ended;
	refcount_t users;
	struct list_head link; /* phys.c */
};

/**
 * struct ref_object - First member of every object
 * @users: 1 for its id, one for each call that uses it, one for each object that stands on it
 */
struct ref_object {
	struct ref_ctx *ctx;
	enum ref_kind kind;
	u32 id;
	refcount_t users;
};

/**
 * ref_object_add() - Give an object its id; from then on other calls find it
 * @ctx: file; @ctx->lock held
 * @object: initialised but for this struct
 * @kind: its kind
 *
 * Return: 0, -ENOMEM.
 */
int ref_object_add(struct ref_ctx *ctx, struct ref_object *object, enum ref_kind kind);

/* Finds an object and takes a use of it: pair with ref_object_put(). ERR_PTR(-ENOENT). */
struct ref_object *ref_object_get(struct ref_ctx *ctx, u32 id, enum ref_kind kind);
void ref_object_put(struct ref_object *object);

/*
 * Takes the id back if nobody but the id uses the object: 0, or -EBUSY. The caller holds ctx->lock
 * and frees the object.
 */
int ref_object_remove(struct ref_object *object);

/* ---- instances (instance.c) ---- */

/**
 * struct ref_iotlb_entry - A cached translation
 * @did: domain id, the tag
 * @parent_did: nested: id of the parent's domain, whose invalidations reach it; else 0
 * @first, @last: IOVAs
 * @paddr: of @first
 * @prot: REFIOMMU_PROT_*
 * @is_table: no translation: @paddr is the leaf table for [@first, @last] (paging-structure cache)
 */
struct ref_iotlb_entry {
	struct list_head link;
	u32 did;
	u32 parent_did;
	u64 first;
	u64 last;
	u64 paddr;
	u32 prot;
	bool is_table;
};

enum ref_context_kind {
	REF_CONTEXT_NONE,
	REF_CONTEXT_BLOCKED,
	REF_CONTEXT_IDENTITY,
	REF_CONTEXT_DOMAIN,
};

/* What a context entry says: whom a device's DMA belongs to. @did is valid for DOMAIN. */
struct ref_context {
	enum ref_context_kind kind;
	u32 did;
};

#define REF_IOTLB_ENTRIES 512 /* the oldest is dropped beyond */

/**
 * struct ref_instance - An IOMMU
 * @object: first
 * @ref: one for the object, one for each domain: a domain may outlive the object
 * @iommu: the core's
 * @hardware: platform device that stands for it
 * @fwnode: its firmware node: what the core finds the IOMMU of an endpoint by
 * @layout: format and geometry of its tables; no roots
 * @width, @pgsizes: as given, for ref_table_init()
 * @ranges: reserved, sorted; also the holes between a format's windows (RESERVED)
 * @lock: guards @iotlb, @nr_iotlb, the contexts of its endpoints; ids leave @domains under it
 * @domains: domain id to struct ref_domain
 * @endpoints: under ctx->lock
 */
struct ref_instance {
	struct ref_object object;
	struct kref ref;
	struct iommu_device iommu;
	struct platform_device *hardware;
	struct fwnode_handle fwnode;
	unsigned int nr;
	bool lazy;
	struct ref_layout layout;
	unsigned int width;
	u64 pgsizes;
	struct refiommu_range ranges[REFIOMMU_MAX_RANGES + 1];
	unsigned int nr_ranges;
	spinlock_t lock; /* what the hardware remembers */
	struct xarray domains;
	struct list_head iotlb;
	unsigned int nr_iotlb;
	struct list_head endpoints;
};

int ref_instance_create(struct ref_ctx *ctx, struct refiommu_instance_create *arg);
/* Unregisters and lets go; @instance has no endpoints and its id is gone. ctx->lock held. */
void ref_instance_free(struct ref_instance *instance);
void ref_instance_release(struct kref *ref);
/* Waits until domains that outlived their instances are gone: module exit. */
void ref_instance_wait(void);

/* Fills the core's list: ranges of the instance in front of @dev. */
void ref_instance_resv_regions(struct device *dev, struct list_head *list);

/* ---- endpoints (endpoint.c) ---- */

/**
 * struct ref_endpoint - A device
 * @object: first
 * @instance: NULL: a device of another IOMMU (struct refiommu_device_add)
 * @dev: the device; &pdev->dev, or another's with a reference
 * @group: attachment state, shared with the other members
 * @group_key: as asked for; 0: its own
 * @view: dev->iommu->priv: @context for readers of kernel memory; under instance->lock
 * @context: what memory says (the context table's entry)
 * @cached: what the instance's context cache says; @cached.kind NONE: nothing cached. Both under
 *	instance->lock
 * @fail_attach: see struct refiommu_inject
 * @dma_lock, @handles: dmaapi.c
 * @vfio: vfio.c
 */
struct ref_endpoint {
	struct ref_object object;
	struct ref_instance *instance;
	struct list_head link;
	struct device *dev;
	struct platform_device *pdev;
	struct ref_group *group;
	u32 group_key;
	u32 driver;
	struct refiommu_device_view view;
	struct ref_context context;
	struct ref_context cached;
	atomic_t fail_attach;
	struct mutex dma_lock; /* @handles */
	struct xarray handles;
	struct ref_vfio *vfio;
};

/**
 * struct ref_group - An IOMMU group of which we have endpoints; the unit of attachment
 * @members: endpoints of this file in it
 * @ioas, @hwpt: where it is attached, or NULL
 * @claimed: we own its DMA: it is attached, or blocked after a switch that failed. All under
 *	ctx->lock
 */
struct ref_group {
	struct list_head link;
	struct iommu_group *group;
	unsigned int members;
	struct ref_ioas *ioas;
	struct ref_hwpt *hwpt;
	bool claimed;
	struct list_head hwpt_link;
};

int ref_endpoint_create(struct ref_ctx *ctx, struct refiommu_endpoint_create *arg);
int ref_device_add(struct ref_ctx *ctx, struct refiommu_device_add *arg);
/* Its group is not attached, its id is gone. Waits for a VFIO user to close. ctx->lock held. */
void ref_endpoint_free(struct ref_endpoint *endpoint);
int ref_inject(struct ref_ctx *ctx, struct refiommu_inject *arg);
/* ERR_PTR(-ENOENT); pair with ref_object_put() */
struct ref_endpoint *ref_endpoint_get(struct ref_ctx *ctx, u32 id);
/*
 * Held while devices of ours come and go, and around iommu_device_register(): that walks all
 * devices of the bus, and keeps groups in a list without a reference (bus_iommu_probe(), 6.12).
 */
extern struct mutex ref_bus_lock;
int ref_endpoint_drivers_init(void);
void ref_endpoint_drivers_exit(void);

/* Is its device still in its group? A device of another IOMMU may be removed at any time. */
bool ref_endpoint_is_here(struct ref_endpoint *endpoint);

/* The endpoint behind a device that has our ops; never NULL for such. */
struct ref_endpoint *ref_endpoint_of(struct device *dev);

/* dma.c */
int ref_dma(struct ref_ctx *ctx, struct refiommu_dma *arg);
/* dmaapi.c; close unmaps what is open */
int ref_dmaapi(struct ref_ctx *ctx, struct refiommu_dmaapi *arg);
void ref_dmaapi_close(struct ref_endpoint *endpoint);
/* vfio.c: called by the platform driver's probe and remove */
int ref_vfio_probe(struct ref_endpoint *endpoint);
void ref_vfio_remove(struct ref_endpoint *endpoint);
/*
 * Refuses users from now on: 0, or -EBUSY if one has the device open. unblock takes it back.
 * Both do nothing for endpoints without a VFIO device.
 */
int ref_vfio_block(struct ref_endpoint *endpoint);
void ref_vfio_unblock(struct ref_endpoint *endpoint);

/* ---- domains (domain.c) ---- */

/**
 * struct ref_domain - A paging or nested domain of one instance
 * @domain: the core's
 * @view: for readers of kernel memory: its place is fixed
 * @did: domain id, the tag of its cached translations; > 0
 * @table: paging: its page table
 * @parent: nested: the domain that translates guest-physical addresses
 * @guest: nested: format and roots of the guest's table
 * @unpinned: page number of an IOVA to the page that BUG_PIN_DROPPED took a pin from
 */
struct ref_domain {
	struct iommu_domain domain;
	struct refiommu_view view;
	struct ref_instance *instance;
	u32 did;
	struct ref_table table;
	struct ref_domain *parent;
	struct ref_layout guest;
	struct xarray unpinned;
};

static inline struct ref_domain *to_ref_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct ref_domain, domain);
}

/* BUG_PIN_DROPPED (pins.c): takes a pin from the page at @paddr, which was mapped at @iova. */
void ref_pins_drop(struct ref_domain *domain, u64 iova, u64 paddr, gfp_t gfp);
/* And gives it back: of all IOVAs in [@first, @last]. */
void ref_pins_return(struct ref_domain *domain, u64 first, u64 last);

extern const struct iommu_ops ref_iommu_ops;
extern const struct iommu_domain_ops ref_nested_ops;

/**
 * ref_domain_alloc_nested() - A domain whose page table is in a guest's memory
 * @parent: a paging domain of ours; must outlive the result
 * @guest: format, geometry, roots
 *
 * Freed by iommu_domain_free(). Stands for iommu_ops.domain_alloc_nested (7.2), which only iommufd
 * can call.
 *
 * Return: the domain, ERR_PTR(-ENOMEM).
 */
struct iommu_domain *ref_domain_alloc_nested(struct ref_domain *parent,
					     const struct ref_layout *guest);

/**
 * ref_domain_walk() - Translate through the tables of a domain, paging or nested, without caches
 * @domain: ours
 * @iova: any
 * @stage1: filled (own table, or the guest's; addresses are then guest-physical)
 * @stage2: filled for nested domains: the parent's walk of stage1->paddr; else nr_levels is 0
 *
 * Return: 0, or REFIOMMU_FAULT_*.
 */
int ref_domain_walk(struct ref_domain *domain, u64 iova, struct ref_walk *stage1,
		    struct ref_walk *stage2);

u64 ref_domains_alive(void);

/* ---- what the hardware remembers (tlb.c) ---- */

/**
 * struct ref_translation - What a device's access finds
 * @fault: 0 or REFIOMMU_FAULT_*; then only @flags is valid, too
 * @flags: REFIOMMU_DMA_STALE_*
 * @paddr: of the byte
 * @bytes: contiguous from there on, at least 1
 * @domain: whose translation it was; NULL: identity, blocked, none
 */
struct ref_translation {
	int fault;
	u32 flags;
	u64 paddr;
	u64 bytes;
	struct ref_domain *domain;
};

/**
 * ref_tlb_translate() - Translate an access as the hardware does: context cache, IOTLB, then tables
 * @endpoint: who, with an instance; instance->lock held
 * @iova, @prot: what
 * @out: filled
 *
 * Caches what it read. Compares a hit with the tables and tells when they no longer agree.
 */
void ref_tlb_translate(struct ref_endpoint *endpoint, u64 iova, u32 prot,
		       struct ref_translation *out);

/*
 * Invalidation commands. They return when done; each fires the trace event refiommu_flush with what
 * was sent (planted bugs included) and takes instance->lock. Nested domains behind @domain lose
 * all their entries with it, because a guest-physical range says nothing about their IOVAs.
 */
void ref_tlb_flush_range(struct ref_domain *domain, u64 first, u64 last);
void ref_tlb_flush_domain(struct ref_domain *domain);

/* Writes a context entry and invalidates the device's cached context. */
void ref_tlb_set_context(struct ref_endpoint *endpoint, struct ref_context context);

/* Frees all entries: the instance ends. */
void ref_tlb_free(struct ref_instance *instance);
u64 ref_tlb_entries(void);

/*
 * view.c: what refiommu_view.h promises to readers of kernel memory. A domain is shown when it is
 * complete, and hidden before anything of it is freed; an endpoint is shown before its device is
 * made, and hidden after that is gone.
 */
void ref_view_show_domain(struct ref_domain *domain);
void ref_view_hide_domain(struct ref_domain *domain);
void ref_view_show_endpoint(struct ref_endpoint *endpoint);
void ref_view_hide_endpoint(struct ref_endpoint *endpoint);
/* endpoint->context was written; instance->lock held. */
void ref_view_set_context(struct ref_endpoint *endpoint);

/* ctl.c */
int ref_ctl_init(void);
void ref_ctl_exit(void);
int ref_info(struct ref_ctx *ctx, struct refiommu_info *arg);

/* IOMMU_READ and IOMMU_WRITE of REFIOMMU_PROT_*, and back. */
static inline int ref_prot_to_iommu(u32 prot)
{
	return (prot & REFIOMMU_PROT_READ ? IOMMU_READ : 0) |
	       (prot & REFIOMMU_PROT_WRITE ? IOMMU_WRITE : 0);
}

static inline u32 ref_prot_of_iommu(int prot)
{
	return (prot & IOMMU_READ ? REFIOMMU_PROT_READ : 0) |
	       (prot & IOMMU_WRITE ? REFIOMMU_PROT_WRITE : 0);
}

#endif /* REFIOMMU_CORE_H */
