// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine of all page tables: walking anywhere, and the memory of own tables. The rest is in
 * table_map.c.
 *
 * Invariants of own tables, under ref_table.lock:
 * - The first IOVA of a window is a multiple of what its root translates: so the IOVA that an
 *   entry begins with is found by clearing bits.
 * - An entry of zero bits is not present, in every format.
 * - No level is skipped. A leaf that spans several entries has the same value in each.
 * - A table is reached from one entry; once it is retired, from none. Its struct page then holds
 *   its first IOVA and its level (.private), so it is known which flush frees it.
 */
#include <linux/atomic.h>
#include <linux/cleanup.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/timekeeping.h>
#include "bugs.h"
#include "table_priv.h"
#include "trace.h"

static const struct ref_format *const ref_formats[] = {
	&ref_format_vtd,
	&ref_format_amdv1,
	&ref_format_tce,
};

static atomic64_t ref_pages; /* of REF_GRANULE_LG2 */

const struct ref_format *ref_format_find(u32 id)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ref_formats); i++)
		if (ref_formats[i]->id == id)
			return ref_formats[i];
	return NULL;
}

u64 ref_table_pages(void)
{
	return atomic64_read(&ref_pages);
}

/* ---- walking anywhere ---- */

/* Index bits of the levels between two; what is not at index 0 there has no table to be in. */
static u64 skipped_bits(const struct ref_window *window, unsigned int level, unsigned int next)
{
	return (BIT_ULL(ref_entry_lg2(window, level)) - 1) &
	       ~(BIT_ULL(ref_entry_lg2(window, next + 1)) - 1);
}

/* One entry; true if the walk goes on below it. */
static bool walk_step(const struct ref_layout *layout, const struct ref_window *window, u64 iova,
		      struct ref_entry *entry, struct ref_walk *walk)
{
	const struct refiommu_level *at = &walk->levels[walk->nr_levels - 1];

	layout->format->decode(at->entry, at->level, entry);
	switch (entry->kind) {
	case REF_ENTRY_NONE:
		walk->fault = REFIOMMU_FAULT_NOT_PRESENT;
		return false;
	case REF_ENTRY_LEAF:
		walk->prot &= entry->prot;
		walk->size_lg2 = entry->size_lg2;
		walk->paddr = entry->paddr + (iova & (BIT_ULL(entry->size_lg2) - 1));
		return false;
	case REF_ENTRY_TABLE:
		if (!entry->next_level || entry->next_level >= at->level)
			break;
		walk->prot &= entry->prot;
		if ((iova - window->first) & skipped_bits(window, at->level, entry->next_level)) {
			walk->fault = REFIOMMU_FAULT_NOT_PRESENT;
			return false;
		}
		return true;
	case REF_ENTRY_BAD:
		break;
	}
	walk->fault = REFIOMMU_FAULT_RESERVED_BITS;
	return false;
}

void ref_walk(const struct ref_layout *layout, u64 iova, ref_read_fn read, void *ctx,
	      struct ref_walk *walk)
{
	int i = ref_window_of(&layout->geo, iova);
	const struct ref_window *window;
	struct ref_entry entry;

	*walk = (struct ref_walk) { .prot = REF_PROT_ALL };
	if (i < 0 || !layout->roots[i]) {
		walk->fault = i < 0 ? REFIOMMU_FAULT_WIDTH : REFIOMMU_FAULT_NOT_PRESENT;
		return;
	}

	window = &layout->geo.windows[i];
	entry.next_level = window->levels;
	entry.paddr = layout->roots[i];
	do { /* next_level falls with each step, and the root's is at most REFIOMMU_MAX_LEVELS */
		struct refiommu_level *at = &walk->levels[walk->nr_levels];

		at->level = entry.next_level;
		at->stage = 1;
		at->entry_addr = entry.paddr +
				 ref_index_of(window, at->level, iova) * sizeof(at->entry);
		walk->fault = read(ctx, at->entry_addr, &at->entry);
		if (walk->fault)
			return;
		walk->nr_levels++;
	} while (walk_step(layout, window, iova, &entry, walk));
}

/* ---- own tables: memory ---- */

static struct page *page_at(u64 paddr)
{
	return virt_to_page(phys_to_virt(paddr));
}

/* Compound, so that a page knows its size. */
u64 ref_table_alloc(const struct ref_window *window, unsigned int level, gfp_t gfp)
{
	struct page *page;

	page = alloc_pages(gfp | __GFP_ZERO | __GFP_COMP | __GFP_NOWARN,
			   get_order(ref_nr_entries(window, level) * sizeof(u64)));
	if (!page)
		return 0;
	atomic64_add(page_size(page) >> REF_GRANULE_LG2, &ref_pages);
	return page_to_phys(page);
}

static void page_free(struct page *page)
{
	atomic64_sub(page_size(page) >> REF_GRANULE_LG2, &ref_pages);
	set_page_private(page, 0);
	__free_pages(page, compound_order(page));
}

void ref_table_free(u64 paddr)
{
	page_free(page_at(paddr));
}

static u64 retired_first(const struct page *page)
{
	return ref_first_of(page_private(page), REF_GRANULE_LG2);
}

static unsigned int retired_level(const struct page *page)
{
	return page_private(page) & (BIT(REF_GRANULE_LG2) - 1);
}

/* The last IOVA that a table of @level from @first on translates; no root is ever asked about. */
static u64 table_last(const struct ref_table *table, u64 first, unsigned int level)
{
	const struct ref_geometry *geo = &table->layout.geo;

	return ref_last_of(first, ref_entry_lg2(&geo->windows[ref_window_of(geo, first)],
						level + 1));
}

void ref_table_trace(const struct ref_table *table, u64 paddr, unsigned int level, u64 first,
		     u64 unlinked_ns, bool freed)
{
	if (table->owner)
		trace_refiommu_table(table->owner, paddr, first, table_last(table, first, level),
				     unlinked_ns, freed);
}

void ref_table_free_retired(struct ref_table *table, struct list_head *pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, lru) {
		list_del(&page->lru);
		ref_table_trace(table, page_to_phys(page), retired_level(page),
				retired_first(page), 0, true);
		page_free(page);
	}
}

/* Nothing in the table points at it any more; caches may. */
static void table_retire(struct ref_table *table, u64 paddr, unsigned int level, u64 first)
{
	struct page *page = page_at(paddr);

	lockdep_assert_held(&table->lock);
	if (ref_bug(BUG_TABLE_FREED_EARLY)) {
		ref_table_trace(table, paddr, level, first, ktime_get_ns(), true);
		page_free(page);
		return;
	}
	set_page_private(page, first | level);
	list_add(&page->lru, &table->retired);
}

/* Calls itself as deep as there are levels. */
void ref_table_retire_tree(struct ref_table *table, const struct ref_window *window, u64 paddr,
			   unsigned int level, u64 first)
{
	u64 nr = level > 1 ? ref_nr_entries(window, level) : 0;
	struct ref_entry entry;

	lockdep_assert_held(&table->lock);
	for (u64 i = 0; i < nr; i++) {
		table->layout.format->decode(ref_entries_at(paddr)[i], level, &entry);
		if (entry.kind == REF_ENTRY_TABLE)
			ref_table_retire_tree(table, window, entry.paddr, level - 1,
					      first + (i << ref_entry_lg2(window, level)));
	}
	table_retire(table, paddr, level, first);
}

/* Calls itself as deep as there are levels. */
bool ref_table_is_empty(struct ref_table *table, const struct ref_window *window, u64 paddr,
			unsigned int level)
{
	u64 nr = ref_nr_entries(window, level);
	struct ref_entry entry;

	lockdep_assert_held(&table->lock);
	for (u64 i = 0; i < nr; i++) {
		table->layout.format->decode(ref_entries_at(paddr)[i], level, &entry);
		if (entry.kind == REF_ENTRY_NONE)
			continue;
		if (entry.kind != REF_ENTRY_TABLE ||
		    !ref_table_is_empty(table, window, entry.paddr, level - 1))
			return false;
	}
	return true;
}

int ref_table_init(struct ref_table *table, const struct ref_format *format, unsigned int width,
		   u64 pgsizes)
{
	struct ref_layout *layout = &table->layout;
	int err;

	*layout = (struct ref_layout) { .format = format };
	table->owner = NULL;
	spin_lock_init(&table->lock);
	INIT_LIST_HEAD(&table->retired);
	err = format->geometry(&layout->geo, width, pgsizes);
	if (err)
		return err;

	for (unsigned int i = 0; i < layout->geo.nr_windows; i++) {
		const struct ref_window *window = &layout->geo.windows[i];

		layout->roots[i] = ref_table_alloc(window, window->levels,
						   GFP_KERNEL | __GFP_RETRY_MAYFAIL);
		if (!layout->roots[i]) {
			ref_table_destroy(table);
			return -ENOMEM;
		}
	}
	return 0;
}

void ref_table_destroy(struct ref_table *table)
{
	struct ref_layout *layout = &table->layout;
	bool leak = ref_bug(BUG_LEAK_ON_FREE);
	LIST_HEAD(pages);

	table->owner = NULL; /* nobody can ask any more when these pages go */
	scoped_guard(spinlock_irqsave, &table->lock) {
		for (unsigned int i = 0; i < REF_MAX_WINDOWS; i++) {
			const struct ref_window *window = &layout->geo.windows[i];

			if (!layout->roots[i])
				continue;
			if (leak)
				ref_table_free(layout->roots[i]);
			else
				ref_table_retire_tree(table, window, layout->roots[i],
						      window->levels, window->first);
			layout->roots[i] = 0;
		}
		if (!leak)
			list_splice_init(&table->retired, &pages);
	}
	ref_table_free_retired(table, &pages);
}

/* ---- own tables: retired pages ---- */

static bool retired_inside(const struct ref_table *table, struct page *page, u64 first, u64 last)
{
	u64 own_first = retired_first(page);

	return first <= own_first && table_last(table, own_first, retired_level(page)) <= last;
}

bool ref_table_owes_flush(struct ref_table *table, u64 first, u64 last)
{
	struct page *page;
	bool owes = false;

	if (ref_bug(BUG_LARGE_NO_FLUSH))
		return false;

	scoped_guard(spinlock_irqsave, &table->lock)
		list_for_each_entry(page, &table->retired, lru)
			owes |= retired_inside(table, page, first, last);
	return owes;
}

void ref_table_take_retired(struct ref_table *table, u64 first, u64 last, struct list_head *pages)
{
	struct page *page, *next;

	scoped_guard(spinlock_irqsave, &table->lock)
		list_for_each_entry_safe(page, next, &table->retired, lru)
			if (retired_inside(table, page, first, last))
				list_move(&page->lru, pages);
}

bool ref_table_is_retired(struct ref_table *table, u64 paddr)
{
	struct page *page;
	bool found = false;

	scoped_guard(spinlock_irqsave, &table->lock)
		list_for_each_entry(page, &table->retired, lru)
			found |= page_to_phys(page) == paddr;
	return found;
}
