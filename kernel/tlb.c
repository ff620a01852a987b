// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the hardware of an instance remembers.
 *
 * Context cache: one entry per endpoint, endpoint->cached; read from endpoint->context when there
 * is none, kept until ref_tlb_set_context() invalidates it.
 *
 * IOTLB: a list of at most REF_IOTLB_ENTRIES, newest first. An entry covers a whole leaf (nested:
 * the smaller leaf of both stages) and lives until it is flushed or falls out at the end. An access
 * that an entry permits goes where the entry says: a forgotten flush is a real stale translation.
 *
 * Paging-structure cache: entries of the same list that name a leaf table of a paging domain (VT-d
 * 6.2.3, AMD 48882 2.2.8). A walk begins there, so a table that was unlinked without a flush
 * is still used; and a table page that was freed too early would be read: that is told instead.
 *
 * Only to tell about it, each hit is compared with the tables; that changes nothing but the flags.
 * Faults are not remembered. All is guarded by instance->lock; trace events are fired after it
 * is dropped. (Table pages are table.c's: it fires under its own lock where a map or a planted bug
 * takes them.)
 */
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "core.h"
#include "trace.h"

static atomic64_t ref_nr_iotlb = ATOMIC64_INIT(0);

u64 ref_tlb_entries(void)
{
	return atomic64_read(&ref_nr_iotlb);
}

/* ---- IOTLB ---- */

static void ref_iotlb_drop(struct ref_instance *instance, struct ref_iotlb_entry *entry)
{
	lockdep_assert_held(&instance->lock);

	if (!entry->is_table)
		atomic64_dec(&ref_nr_iotlb);
	list_del(&entry->link);
	kfree(entry);
	instance->nr_iotlb--;
}

/* The newest that permits the access. One that does not is no hit: the tables are asked again. */
static struct ref_iotlb_entry *ref_iotlb_find(struct ref_instance *instance, u32 did, u64 iova,
					      u32 prot)
{
	struct ref_iotlb_entry *entry;

	lockdep_assert_held(&instance->lock);

	list_for_each_entry(entry, &instance->iotlb, link)
		if (!entry->is_table && entry->did == did && entry->first <= iova &&
		    iova <= entry->last && (entry->prot & prot) == prot)
			return entry;
	return NULL;
}

/* The leaf table that the paging-structure cache has for an IOVA. */
static struct ref_iotlb_entry *ref_iotlb_find_table(struct ref_instance *instance, u32 did,
						    u64 iova)
{
	struct ref_iotlb_entry *entry;

	lockdep_assert_held(&instance->lock);

	list_for_each_entry(entry, &instance->iotlb, link)
		if (entry->is_table && entry->did == did && entry->first <= iova &&
		    iova <= entry->last)
			return entry;
	return NULL;
}

/* A cache may forget: without memory nothing is cached. */
static void ref_iotlb_add(struct ref_instance *instance, const struct ref_iotlb_entry *what)
{
	struct ref_iotlb_entry *entry;

	lockdep_assert_held(&instance->lock);

	entry = kmemdup(what, sizeof(*what), GFP_ATOMIC | __GFP_NOWARN);
	if (!entry)
		return;
	if (instance->nr_iotlb >= REF_IOTLB_ENTRIES)
		ref_iotlb_drop(instance, list_last_entry(&instance->iotlb, struct ref_iotlb_entry,
							 link));
	list_add(&entry->link, &instance->iotlb);
	instance->nr_iotlb++;
	if (!entry->is_table)
		atomic64_inc(&ref_nr_iotlb);
}

/* Entries of nested domains on top of @did go whatever their IOVAs are: see core.h. */
static void ref_iotlb_invalidate(struct ref_instance *instance, u32 did, u64 first, u64 last)
{
	struct ref_iotlb_entry *entry, *next;

	lockdep_assert_held(&instance->lock);

	list_for_each_entry_safe(entry, next, &instance->iotlb, link)
		if (entry->parent_did == did ||
		    (entry->did == did && entry->first <= last && first <= entry->last))
			ref_iotlb_drop(instance, entry);
}

void ref_tlb_free(struct ref_instance *instance)
{
	struct ref_iotlb_entry *entry, *next;

	scoped_guard(spinlock_irqsave, &instance->lock) {
		list_for_each_entry_safe(entry, next, &instance->iotlb, link)
			ref_iotlb_drop(instance, entry);
	}
}

/* ---- translation ---- */

static u64 ref_offset_mask(unsigned int size_lg2)
{
	return size_lg2 < 64 ? BIT_ULL(size_lg2) - 1 : U64_MAX;
}

/*
 * The leaf table that a walk of an own table ended in; without a did if there is none: a root is
 * no such, for it never goes.
 */
static void ref_leaf_table(struct ref_domain *domain, const struct ref_walk *walk, u64 iova,
			   struct ref_iotlb_entry *table)
{
	const struct ref_geometry *geo = &domain->table.layout.geo;
	unsigned int index_lg2 = geo->windows[0].index_lg2;
	const struct refiommu_level *level;
	u64 mask;

	table->did = 0;
	if (domain->parent || walk->nr_levels < 2)
		return;
	level = &walk->levels[walk->nr_levels - 1];
	if (level->level != 1)
		return;
	if (geo->nr_windows > 1 && iova >= geo->windows[1].first)
		index_lg2 = geo->windows[1].index_lg2;
	mask = ref_offset_mask(PAGE_SHIFT + index_lg2);
	*table = (struct ref_iotlb_entry){
		.did = domain->did,
		.is_table = true,
		.first = iova & ~mask,
		.last = iova | mask,
		.paddr = level->entry_addr & ~ref_offset_mask(index_lg2 + 3),
		.prot = REFIOMMU_PROT_READ | REFIOMMU_PROT_WRITE,
	};
}

/*
 * What the tables say now, in the shape of an IOTLB entry. 0 or REFIOMMU_FAULT_*. @table is the
 * leaf table behind it, or has no did if there is none.
 */
static int ref_tables_read(struct ref_domain *domain, u64 iova, u32 prot,
			   struct ref_iotlb_entry *entry, struct ref_iotlb_entry *table)
{
	struct ref_walk stage1, stage2;
	struct ref_walk *last = domain->parent ? &stage2 : &stage1;
	unsigned int size_lg2;
	u64 mask;
	int fault;

	fault = ref_domain_walk(domain, iova, &stage1, &stage2);
	ref_leaf_table(domain, &stage1, iova, table);
	if (fault)
		return fault;

	size_lg2 = stage1.size_lg2;
	*entry = (struct ref_iotlb_entry){ .did = domain->did, .prot = stage1.prot };
	if (domain->parent) {
		size_lg2 = min(size_lg2, stage2.size_lg2);
		entry->prot &= stage2.prot;
		entry->parent_did = domain->parent->did;
	}
	mask = ref_offset_mask(size_lg2);
	entry->first = iova & ~mask;
	entry->last = iova | mask;
	entry->paddr = last->paddr & ~mask;
	return (entry->prot & prot) == prot ? 0 : REFIOMMU_FAULT_PERMISSION;
}

/* What a leaf table says that the paging-structure cache named. As ref_tables_read(). */
static int ref_leaf_read(struct ref_domain *domain, const struct ref_iotlb_entry *table, u64 iova,
			 u32 prot, struct ref_iotlb_entry *entry)
{
	u64 *raw = phys_to_virt(table->paddr + ((iova - table->first) >> PAGE_SHIFT) * sizeof(u64));
	struct ref_entry leaf;
	u64 mask;

	domain->table.layout.format->decode(READ_ONCE(*raw), 1, &leaf);
	if (leaf.kind == REF_ENTRY_NONE)
		return REFIOMMU_FAULT_NOT_PRESENT;
	if (leaf.kind != REF_ENTRY_LEAF)
		return REFIOMMU_FAULT_RESERVED_BITS;
	mask = ref_offset_mask(leaf.size_lg2);
	*entry = (struct ref_iotlb_entry){
		.did = domain->did,
		.first = iova & ~mask,
		.last = iova | mask,
		.paddr = leaf.paddr,
		.prot = leaf.prot,
	};
	return (leaf.prot & prot) == prot ? 0 : REFIOMMU_FAULT_PERMISSION;
}

/* Would the tables translate this access to another place, or not at all? */
static bool ref_iotlb_is_stale(const struct ref_iotlb_entry *entry, struct ref_domain *domain,
			       u64 iova, u32 prot)
{
	struct ref_iotlb_entry now, table;

	if (!domain || ref_tables_read(domain, iova, prot, &now, &table))
		return true;
	return entry->paddr + (iova - entry->first) != now.paddr + (iova - now.first);
}

/* Never beyond a page of 4 KiB: so each page that an access touches is compared with the tables. */
static void ref_translation_set(struct ref_translation *out, u64 iova, u64 paddr)
{
	out->paddr = paddr;
	out->bytes = SZ_4K - (iova & (SZ_4K - 1));
}

/* A walk that begins at a cached leaf table. */
static int ref_translate_cached(struct ref_domain *domain, const struct ref_iotlb_entry *table,
				u64 iova, u32 prot, struct ref_iotlb_entry *fresh, u32 *flags)
{
	struct ref_iotlb_entry now, now_table;
	int fault, fault_now;

	fault_now = ref_tables_read(domain, iova, prot, &now, &now_table);
	if (now_table.did && now_table.paddr == table->paddr)
		return ref_leaf_read(domain, table, iova, prot, fresh);

	/* Unlinked. Nobody knows what is in its page now, unless it still waits for its flush. */
	if (!ref_table_is_retired(&domain->table, table->paddr)) {
		*flags |= REFIOMMU_DMA_STALE_IOTLB | REFIOMMU_DMA_FREED;
		return REFIOMMU_FAULT_TARGET;
	}
	fault = ref_leaf_read(domain, table, iova, prot, fresh);
	/* BUG_TABLE_FREED_EARLY may have freed it meanwhile: then nobody knows what was read. */
	if (!ref_table_is_retired(&domain->table, table->paddr)) {
		*flags |= REFIOMMU_DMA_STALE_IOTLB | REFIOMMU_DMA_FREED;
		return REFIOMMU_FAULT_TARGET;
	}
	if (fault != fault_now ||
	    (!fault && fresh->paddr + (iova - fresh->first) != now.paddr + (iova - now.first)))
		*flags |= REFIOMMU_DMA_STALE_IOTLB;
	return fault;
}

static void ref_translate_domain(struct ref_instance *instance, u32 did, u64 iova, u32 prot,
				 struct ref_translation *out)
{
	struct ref_iotlb_entry *hit, fresh, table = {};

	lockdep_assert_held(&instance->lock);

	out->domain = xa_load(&instance->domains, did);
	hit = ref_iotlb_find(instance, did, iova, prot);
	if (hit) {
		ref_translation_set(out, iova, hit->paddr + (iova - hit->first));
		if (ref_iotlb_is_stale(hit, out->domain, iova, prot))
			out->flags |= REFIOMMU_DMA_STALE_IOTLB;
		return;
	}
	if (!out->domain) {
		out->fault = REFIOMMU_FAULT_BLOCKED;
		return;
	}

	/* A planted bug may have left another domain's table under this id. */
	hit = out->domain->parent ? NULL : ref_iotlb_find_table(instance, did, iova);
	if (hit)
		out->fault = ref_translate_cached(out->domain, hit, iova, prot, &fresh,
						  &out->flags);
	else
		out->fault = ref_tables_read(out->domain, iova, prot, &fresh, &table);
	if (table.did)
		ref_iotlb_add(instance, &table);
	if (out->fault)
		return;
	ref_translation_set(out, iova, fresh.paddr + (iova - fresh.first));
	ref_iotlb_add(instance, &fresh);
}

static bool ref_context_equal(struct ref_context a, struct ref_context b)
{
	return a.kind == b.kind && (a.kind != REF_CONTEXT_DOMAIN || a.did == b.did);
}

void ref_tlb_translate(struct ref_endpoint *endpoint, u64 iova, u32 prot,
		       struct ref_translation *out)
{
	lockdep_assert_held(&endpoint->instance->lock);

	*out = (struct ref_translation){};
	if (endpoint->cached.kind == REF_CONTEXT_NONE)
		endpoint->cached = endpoint->context;
	if (!ref_context_equal(endpoint->cached, endpoint->context))
		out->flags |= REFIOMMU_DMA_STALE_CONTEXT;

	switch (endpoint->cached.kind) {
	case REF_CONTEXT_DOMAIN:
		ref_translate_domain(endpoint->instance, endpoint->cached.did, iova, prot, out);
		break;
	case REF_CONTEXT_IDENTITY:
		ref_translation_set(out, iova, iova);
		break;
	default:
		out->fault = REFIOMMU_FAULT_BLOCKED;
		break;
	}
}

/* ---- invalidation ---- */

/*
 * What the planted bugs make of a range. The right command names the range exactly.
 *
 * Return: false: nothing is sent.
 */
static bool ref_range_spoil(u32 *did, u64 *first, u64 *last)
{
	if (ref_bug(BUG_FLUSH_SHORT)) {
		if (*last - *first < SZ_4K)
			return false;
		*last -= SZ_4K;
	}
	if (ref_bug(BUG_FLUSH_MASK_SMALL)) {
		/* The smallest block that has the size, not the smallest that has the range. */
		u64 mask = ref_offset_mask(fls64(*last - *first));

		*first &= ~mask;
		*last = *first | mask;
	}
	if (ref_bug(BUG_FLUSH_WRONG_DOMAIN))
		*did += 1;
	return true;
}

/*
 * One command of the driver: what was meant is [@first, @last] of @domain, what is sent the planted
 * bugs decide. Table pages that were retired before it was sent are free after it, as far as the
 * driver knows.
 */
static void ref_iotlb_command(struct ref_domain *domain, u32 kind, u64 first, u64 last)
{
	struct ref_instance *instance = domain->instance;
	u64 sent_first = first, sent_last = last, begin_ns;
	bool send = !ref_bug(BUG_NO_FLUSH);
	u32 did = domain->did;
	LIST_HEAD(retired);

	if (kind == REF_FLUSH_RANGE)
		send = send && ref_range_spoil(&did, &sent_first, &sent_last);
	scoped_guard(spinlock_irqsave, &instance->lock) {
		if (!domain->parent)
			ref_table_take_retired(&domain->table, first, last, &retired);
		begin_ns = ktime_get_ns();
		if (send)
			ref_iotlb_invalidate(instance, did, sent_first, sent_last);
	}
	if (send)
		trace_refiommu_flush(instance->nr, kind, &domain->domain, did, sent_first,
				     sent_last, NULL, begin_ns);
	ref_table_free_retired(&domain->table, &retired);
}

void ref_tlb_flush_range(struct ref_domain *domain, u64 first, u64 last)
{
	ref_iotlb_command(domain, REF_FLUSH_RANGE, first, last);
}

void ref_tlb_flush_domain(struct ref_domain *domain)
{
	ref_iotlb_command(domain, REF_FLUSH_DOMAIN, 0, U64_MAX);
}

void ref_tlb_set_context(struct ref_endpoint *endpoint, struct ref_context context)
{
	bool flush = !ref_bug(BUG_NO_CONTEXT_FLUSH);
	u64 begin_ns = ktime_get_ns();

	scoped_guard(spinlock_irqsave, &endpoint->instance->lock) {
		endpoint->context = context;
		ref_view_set_context(endpoint);
		if (flush)
			endpoint->cached = (struct ref_context){ .kind = REF_CONTEXT_NONE };
	}
	if (flush)
		trace_refiommu_flush(endpoint->instance->nr, REF_FLUSH_CONTEXT, NULL, 0, 0, U64_MAX,
				     endpoint->dev, begin_ns);
}
