/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address spaces: what they are made of, and the calls between the files that make them up. Who
 * may hold which lock when is in core.h.
 */
#ifndef REFIOMMU_IOAS_H
#define REFIOMMU_IOAS_H

#include <linux/interval_tree.h>
#include <linux/sizes.h>
#include "core.h"

/**
 * struct ref_area - A mapping as the user meant it
 * @node: first and last IOVA
 * @uaddr: in the process that mapped it
 * @prot: REFIOMMU_PROT_*
 * @pages: pinned, one per 4 KiB
 * @mm: whose locked_vm counts them (mmgrab)
 */
struct ref_area {
	struct interval_tree_node node;
	u64 uaddr;
	u32 prot;
	struct mm_struct *mm;
	unsigned long nr_pages;
	struct page **pages;
};

/**
 * struct ref_hwpt - A domain of an address space: one for all devices that can share it
 * @users: groups in @groups, and nested ones that stand on it
 * @parent: nested: the parent's hwpt (a use of it is held)
 * @cookie: an MSI window is set up
 * @attached: a group was in it; before, an untracked table is not the truth yet
 * @gather, @unflushed: unmapped, and not flushed yet
 */
struct ref_hwpt {
	struct list_head link;
	struct ref_ioas *ioas;
	struct iommu_domain *domain;
	struct list_head groups;
	unsigned int users;
	struct ref_hwpt *parent;
	bool cookie;
	bool attached;
	struct iommu_iotlb_gather gather;
	bool unflushed;
};

/**
 * struct ref_reserved - A reserved range of an address space
 * @group: of which group's devices it came; NULL: REFIOMMU_IOAS_RESERVE
 */
struct ref_reserved {
	struct list_head link;
	struct refiommu_range range;
	struct ref_group *group;
};

#define REF_EVENTS 256

/**
 * struct ref_ioas - An address space
 * @object: first
 * @serial: its number in trace events, unique over all files
 * @lock: guards all below. A nested one has @parent (a use of it is held), @guest, and no areas
 * @areas: struct ref_area, disjoint; empty if untracked
 * @hwpts: struct ref_hwpt. An untracked one keeps its last: the table is the truth
 * @reserved: struct ref_reserved, in order of first; they may overlap
 * @mm: of the process that made it (mmgrab); its locked_vm counts an untracked one's pages
 * @deferred: BUG_UNPIN_EARLY: a flush is owed
 */
struct ref_ioas {
	struct ref_object object;
	u32 serial;
	u32 flags;
	struct mutex lock; /* all below */
	struct rb_root_cached areas;
	struct list_head hwpts;
	struct list_head reserved;
	struct ref_ioas *parent;
	struct ref_layout guest;
	struct refiommu_event *events;
	unsigned int first_event;
	unsigned int nr_events;
	struct mm_struct *mm;
	bool deferred;
};

/* ioas.c */
int ref_ioas_alloc(struct ref_ctx *ctx, struct refiommu_ioas_alloc *arg);
void ref_ioas_free(struct ref_ioas *ioas); /* nothing attached, id gone; ctx->lock held */
int ref_ioas_map(struct ref_ctx *ctx, struct refiommu_ioas_map *arg);
int ref_ioas_unmap(struct ref_ctx *ctx, struct refiommu_ioas_unmap *arg);
u64 ref_pinned_pages(void);
struct ref_ioas *ref_ioas_get(struct ref_ctx *ctx, u32 id); /* ERR_PTR(-ENOENT); ref_object_put() */
struct ref_ioas *ref_ioas_get_own(struct ref_ctx *ctx, u32 id); /* also -EOPNOTSUPP if nested */
struct ref_ioas *ref_ioas_new(u32 flags); /* no id yet; NULL: no memory */
/* Gives it an id, or frees it. */
int ref_ioas_add(struct ref_ctx *ctx, struct ref_ioas *ioas, u32 *id);
/* Is something in the range mapped? ioas->lock held. */
bool ref_ioas_mapped(struct ref_ioas *ioas, u64 first, u64 last);

/* area.c; ioas->lock held */
struct ref_area *ref_area_first(struct ref_ioas *ioas, u64 first, u64 last);
struct ref_area *ref_area_next(struct ref_area *area, u64 last);
/* Pages from @at on that one iommu_map() and one iommu_unmap_fast() take. */
unsigned long ref_area_run(struct ref_ioas *ioas, struct ref_area *area, unsigned long at);
/* Counts against @mm and pins the pages of the caller. forget frees the area, and pins stay. */
struct ref_area *ref_area_pin(struct mm_struct *mm, const struct refiommu_ioas_map *arg);
void ref_area_unpin(struct ref_area *area);
void ref_area_forget(struct ref_area *area);
void ref_unpin(struct mm_struct *mm, struct page **pages, unsigned long nr, bool dirty);
/* Makes two areas of one, that below @iova and the rest. The tables stay as they are. */
int ref_area_split(struct ref_ioas *ioas, struct ref_area *area, u64 iova);
/* Takes the first @nr_pages, whole runs, out of a domain. The flush is the caller's. */
void ref_area_unmap(struct ref_ioas *ioas, struct ref_area *area, unsigned long nr_pages,
		    struct ref_hwpt *hwpt);
/* Maps an area in all domains, or in none. */
int ref_area_fill(struct ref_ioas *ioas, struct ref_area *area);
/* The flush after iommu_unmap_fast(), before pages go back; _unmap: or after, if that bug is on. */
void ref_ioas_sync(struct ref_ioas *ioas);
void ref_ioas_sync_unmap(struct ref_ioas *ioas);

/* untracked.c: address spaces whose table is the truth. ioas->lock held. */
int ref_untracked_map(struct ref_ioas *ioas, struct refiommu_ioas_map *arg);
u64 ref_untracked_unmap(struct ref_ioas *ioas, u64 first, u64 last);
bool ref_untracked_mapped(struct ref_ioas *ioas, u64 first, u64 last);
int ref_untracked_replay(struct ref_ioas *ioas, struct iommu_domain *to,
			 struct refiommu_ioas_replay *count);

/* attach.c */
int ref_ioas_attach(struct ref_ctx *ctx, struct refiommu_ioas_attach *arg);
int ref_ioas_detach(struct ref_ctx *ctx, struct refiommu_ioas_detach *arg);
/* If it is attached, or blocked after a failed switch. ctx->lock held. */
void ref_group_detach(struct ref_ctx *ctx, struct ref_group *group);
int ref_ioas_invalidate(struct ref_ctx *ctx, struct refiommu_ioas_invalidate *arg);
/* A domain that fits @dev: found, or made and replayed. Takes a use. ioas->lock held. */
struct ref_hwpt *ref_hwpt_get(struct ref_ioas *ioas, struct device *dev);
void ref_hwpt_put(struct ref_hwpt *hwpt); /* the last user frees it; ioas->lock held */
void ref_hwpt_free(struct ref_hwpt *hwpt); /* nobody is in it; ioas->lock held */
void ref_hwpt_sync(struct ref_hwpt *hwpt); /* the flush that is owed; ioas->lock held */
/* iommu_unmap_fast(); ref_hwpt_sync() pays for it. ioas->lock held. */
size_t ref_hwpt_unmap(struct ref_hwpt *hwpt, u64 iova, size_t bytes);
/* The domain of an endpoint in @ioas, or one that fits it, or NULL. ctx->lock, ioas->lock held. */
struct ref_hwpt *ref_hwpt_of(struct ref_ioas *ioas, struct ref_endpoint *endpoint);

/* replay.c */
int ref_ioas_replay(struct ref_ctx *ctx, struct refiommu_ioas_replay *arg);
/*
 * Makes @hwpt show the whole address space; ioas->lock held. -EEXIST: something else is in the way;
 * all the rest was replayed.
 */
int ref_replay(struct ref_ioas *ioas, struct ref_hwpt *hwpt, struct refiommu_ioas_replay *count);
/* Its first half: windows and direct ranges only. */
int ref_replay_ranges(struct ref_ioas *ioas, struct ref_hwpt *hwpt,
		      struct refiommu_ioas_replay *count);
/* Makes @domain map pages that lie one after the other in memory. 0, -EEXIST, or as iommu_map(). */
int ref_replay_run(struct iommu_domain *domain, u64 iova, phys_addr_t paddr, unsigned long nr_pages,
		   u32 prot, struct refiommu_ioas_replay *count);

enum ref_rule {
	REF_RULE_IGNORE, /* the user's, as any other IOVAs */
	REF_RULE_SKIP, /* excluded */
	REF_RULE_SETUP, /* excluded; a window that each domain knows */
	REF_RULE_MAP, /* excluded; mapped 1:1 in each domain */
};

/* What a reserved range is in an address space with these flags. */
enum ref_rule ref_rule(u32 type, u32 flags);
/* Takes pages mapped 1:1 out of all domains, but for those that another range still wants. */
void ref_replay_unmap_direct(struct ref_ioas *ioas, u64 first, u64 last);

/* ranges.c */
int ref_ioas_ranges(struct ref_ctx *ctx, struct refiommu_ioas_ranges *arg);
int ref_ioas_reserve(struct ref_ctx *ctx, struct refiommu_ioas_reserve *arg);

/*
 * May a user ask for [first, last] as a direct range? -EINVAL: physical page 0, or more than
 * REF_DIRECT_MAX: its page tables are memory that nobody limits, and it is mapped page by page.
 * -EPERM: System RAM.
 */
#define REF_DIRECT_MAX SZ_1G
int ref_direct_check(u64 first, u64 last);
/* Does [first, last] lie in one permitted range? 0 or -ERANGE. ioas->lock held. */
int ref_ranges_check(struct ref_ioas *ioas, u64 first, u64 last);
/*
 * Adds, removes the reserved ranges of a group's devices. add: -EADDRINUSE and no change if
 * mappings are in the way.
 */
int ref_ranges_add_group(struct ref_ioas *ioas, struct ref_group *group);
void ref_ranges_remove_group(struct ref_ioas *ioas, struct ref_group *group);
void ref_ranges_free(struct ref_ioas *ioas); /* all of them; no domain is left */
/* May the user not map where such a range is? */
bool ref_range_excluded(struct ref_ioas *ioas, const struct refiommu_range *range);
/* Are all mappings inside what @domain translates? 0 or -EADDRINUSE. */
int ref_ranges_check_domain(struct ref_ioas *ioas, struct iommu_domain *domain);

/* nested.c */
int ref_ioas_nest(struct ref_ctx *ctx, struct refiommu_ioas_nest *arg);
/* Makes the domain of a nested one, with a use of the parent's below. ioas->lock held. */
int ref_nested_alloc(struct ref_hwpt *hwpt, struct device *dev);

/* lookup.c */
int ref_lookup(struct ref_ctx *ctx, struct refiommu_lookup *arg);

/* phys.c. Domains of a file are found from show to hide; no lock of the file is held. */
int ref_iova_to_phys(struct ref_ctx *ctx, struct refiommu_iova_to_phys *arg);
void ref_ctx_show(struct ref_ctx *ctx);
void ref_ctx_hide(struct ref_ctx *ctx);

/*
 * notify.c: appends; joins with the newest if they touch and are equal in kind and permission.
 * ioas->lock held.
 */
void ref_notify(struct ref_ioas *ioas, u32 kind, u64 first, u64 last, u32 prot);
int ref_ioas_events(struct ref_ctx *ctx, struct refiommu_ioas_events *arg);

#endif /* REFIOMMU_IOAS_H */
