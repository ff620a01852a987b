// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine of own page tables, second half: finding, mapping, unmapping.
 *
 * Only an unmap whose range takes in all of a lower table's IOVAs retires it: then the flush of
 * this range frees it. Tables that become empty bit by bit stay, until a leaf of their size takes
 * their place.
 *
 * A map allocates outside of the lock: it maps until a table is missing, lets go, allocates one
 * and looks again. All lower tables of a window have the same size, so it fits wherever one is
 * missing then.
 */
#include <linux/atomic.h>
#include <linux/cleanup.h>
#include <linux/delay.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/timekeeping.h>
#include "bugs.h"
#include "table_priv.h"

/* Entries that are looked at, or leaves that are written, before the lock is dropped once. */
#define REF_BATCH 512

/* ---- finding ---- */

/**
 * struct ref_slot - Where an IOVA's way ends
 * @at: the entry
 * @level: of its table
 * @index: in its table
 * @entry: what it means
 */
struct ref_slot {
	u64 *at;
	unsigned int level;
	u64 index;
	struct ref_entry entry;
};

/* The entry for @iova in its lowest table; tables below @level are not looked into. */
static void slot_find(struct ref_table *table, const struct ref_window *window, u64 iova,
		      unsigned int level, struct ref_slot *slot)
{
	const struct ref_layout *layout = &table->layout;
	u64 paddr = layout->roots[window - layout->geo.windows];

	lockdep_assert_held(&table->lock);
	slot->level = window->levels;
	for (;;) {
		slot->index = ref_index_of(window, slot->level, iova);
		slot->at = ref_entries_at(paddr) + slot->index;
		layout->format->decode(*slot->at, slot->level, &slot->entry);
		if (slot->entry.kind != REF_ENTRY_TABLE || slot->level <= level)
			return;
		paddr = slot->entry.paddr;
		slot->level--;
	}
}

/* Writes @raw into all the entries that the leaf of 2^@size_lg2 bytes at @slot spans. */
static void slot_fill(const struct ref_window *window, struct ref_slot *slot,
		      unsigned int size_lg2, u64 raw)
{
	u64 nr = BIT_ULL(size_lg2 - ref_entry_lg2(window, slot->level));
	u64 *first = slot->at - (slot->index & (nr - 1));

	for (u64 i = 0; i < nr; i++)
		WRITE_ONCE(first[i], raw);
}

static int own_read(void *ctx, u64 addr, u64 *raw)
{
	*raw = READ_ONCE(*ref_entries_at(addr));
	return 0;
}

void ref_table_walk(struct ref_table *table, u64 iova, struct ref_walk *walk)
{
	scoped_guard(spinlock_irqsave, &table->lock)
		ref_walk(&table->layout, iova, own_read, NULL, walk);
}

/* The last IOVA of the empty entries from @slot on, in its table. */
static u64 slot_skip(const struct ref_window *window, const struct ref_slot *slot, u64 iova)
{
	u64 nr = 1, left = ref_nr_entries(window, slot->level) - slot->index;
	unsigned int lg2 = ref_entry_lg2(window, slot->level);

	while (nr < left && nr < REF_BATCH && !slot->at[nr])
		nr++;
	return ref_first_of(iova, lg2) + (nr << lg2) - 1;
}

/*
 * Looks for a leaf in [*@iova, @last], for so long as the lock may be held.
 *
 * Return: 1: *@iova is where it begins, or *@iova as given if that is inside; 0: there is none;
 * -EAGAIN: none before *@iova.
 */
static int next_some(struct ref_table *table, const struct ref_window *window, u64 *iova, u64 last)
{
	struct ref_slot slot;
	u64 skipped;

	lockdep_assert_held(&table->lock);
	for (unsigned int i = 0; i < REF_BATCH; i++) {
		slot_find(table, window, *iova, 1, &slot);
		if (slot.entry.kind == REF_ENTRY_LEAF)
			return 1;
		skipped = slot_skip(window, &slot, *iova);
		if (skipped >= last)
			return 0;
		*iova = skipped + 1;
	}
	return -EAGAIN;
}

static bool next_in_window(struct ref_table *table, const struct ref_window *window, u64 first,
			   u64 last, u64 *iova, struct ref_walk *walk)
{
	int found = -EAGAIN;

	*iova = max(first, window->first);
	last = min(last, window->last);
	if (*iova > last)
		return false;
	while (found == -EAGAIN) {
		scoped_guard(spinlock_irqsave, &table->lock) {
			found = next_some(table, window, iova, last);
			if (found > 0)
				ref_walk(&table->layout, *iova, own_read, NULL, walk);
		}
	}
	return found;
}

bool ref_table_next(struct ref_table *table, u64 first, u64 last, u64 *iova, struct ref_walk *walk)
{
	const struct ref_geometry *geo = &table->layout.geo;

	for (unsigned int i = 0; i < geo->nr_windows; i++)
		if (next_in_window(table, &geo->windows[i], first, last, iova, walk))
			return true;
	return false;
}

/* ---- mapping ---- */

/**
 * struct ref_mapping - A call of ref_table_map()
 * @window: that it is in
 * @iova: of the next page
 * @paddr: of the next page
 * @done: pages before it
 * @size_lg2: of all pages
 * @level: of all pages
 * @prot: REFIOMMU_PROT_*
 * @spare: a table to install, if not 0
 * @missing: level of the entry that @spare was allocated for; 0: none is missing
 */
struct ref_mapping {
	const struct ref_window *window;
	u64 iova;
	u64 paddr;
	size_t done;
	unsigned int size_lg2;
	unsigned int level;
	u32 prot;
	u64 spare;
	unsigned int missing;
};

/* Takes everything out of an entry. Without BUG_OVERWRITE nothing is lost: only empty tables go. */
static void slot_clear(struct ref_table *table, const struct ref_window *window, u64 iova,
		       struct ref_slot *slot)
{
	unsigned int lg2 = ref_entry_lg2(window, slot->level);

	lockdep_assert_held(&table->lock);
	if (slot->entry.kind == REF_ENTRY_LEAF)
		slot_fill(window, slot, slot->entry.size_lg2, 0);
	WRITE_ONCE(*slot->at, 0);
	if (slot->entry.kind == REF_ENTRY_TABLE)
		ref_table_retire_tree(table, window, slot->entry.paddr, slot->level - 1,
				      ref_first_of(iova, lg2));
}

static bool slot_is_live(struct ref_table *table, const struct ref_window *window,
			 const struct ref_slot *slot)
{
	lockdep_assert_held(&table->lock);
	if (slot->entry.kind == REF_ENTRY_TABLE)
		return !ref_table_is_empty(table, window, slot->entry.paddr, slot->level - 1);
	return slot->entry.kind != REF_ENTRY_NONE;
}

/* Puts the spare table into the entry of @level for the next page. */
static void map_install(struct ref_table *table, struct ref_mapping *map, unsigned int level)
{
	struct ref_slot slot;

	lockdep_assert_held(&table->lock);
	slot_find(table, map->window, map->iova, level, &slot);
	if (slot.level != level)
		return; /* an upper table has gone meanwhile, and is missing first */
	slot_clear(table, map->window, map->iova, &slot);
	WRITE_ONCE(*slot.at, table->layout.format->make_table(map->spare, level));
	map->spare = 0;
}

/* All tables down to the page's level. -EAGAIN: a spare one is needed. */
static int map_descend(struct ref_table *table, struct ref_mapping *map)
{
	struct ref_slot slot;

	lockdep_assert_held(&table->lock);
	if (map->spare && ref_bug(BUG_LOST_UPDATE))
		map_install(table, map, map->missing);

	for (;;) {
		slot_find(table, map->window, map->iova, map->level, &slot);
		if (slot.level == map->level)
			return 0;
		if (slot.entry.kind != REF_ENTRY_NONE && !ref_bug(BUG_OVERWRITE))
			return -EEXIST;
		if (!map->spare) {
			map->missing = slot.level;
			return -EAGAIN;
		}
		map_install(table, map, slot.level);
	}
}

/* Nothing may be in the entries that the next page is to have; empty tables there go. */
static int map_make_room(struct ref_table *table, struct ref_mapping *map)
{
	unsigned int lg2 = ref_entry_lg2(map->window, map->level);
	u64 i, nr = BIT_ULL(map->size_lg2 - lg2);
	struct ref_slot slot;

	lockdep_assert_held(&table->lock);
	for (i = 0; i < nr; i++) {
		slot_find(table, map->window, map->iova + (i << lg2), map->level, &slot);
		if (slot_is_live(table, map->window, &slot) && !ref_bug(BUG_OVERWRITE))
			return -EEXIST;
	}
	for (i = 0; i < nr; i++) {
		slot_find(table, map->window, map->iova + (i << lg2), map->level, &slot);
		if (slot.entry.kind == REF_ENTRY_TABLE)
			ref_table_trace(table, slot.entry.paddr, slot.level - 1,
					map->iova + (i << lg2), ktime_get_ns(), false);
		slot_clear(table, map->window, map->iova + (i << lg2), &slot);
	}
	return 0;
}

static int map_page(struct ref_table *table, struct ref_mapping *map)
{
	u64 paddr = map->paddr, size = BIT_ULL(map->size_lg2);
	u32 prot = map->prot;
	struct ref_slot slot;
	int err;

	lockdep_assert_held(&table->lock);
	err = map_descend(table, map);
	if (!err)
		err = map_make_room(table, map);
	if (err)
		return err;

	/* Not the next one: VFIO unpins what it finds, and must find nobody else's page. */
	if (ref_bug(BUG_WRONG_PADDR) && map->done % 2)
		paddr -= size;
	if (ref_bug(BUG_EXTRA_WRITE))
		prot |= REFIOMMU_PROT_WRITE;
	slot_find(table, map->window, map->iova, map->level, &slot);
	slot_fill(map->window, &slot, map->size_lg2,
		  table->layout.format->make_leaf(paddr, map->level, map->size_lg2, prot));
	return 0;
}

/* As many pages as there are tables for. -EAGAIN: a spare one is needed. */
static int map_pages(struct ref_table *table, struct ref_mapping *map, size_t pgcount)
{
	int err;

	lockdep_assert_held(&table->lock);
	for (unsigned int i = 0; map->done < pgcount; map->done++, i++) {
		if (i == REF_BATCH) {
			map->missing = 0;
			return -EAGAIN;
		}
		err = map_page(table, map);
		if (err)
			return err;
		map->iova += BIT_ULL(map->size_lg2);
		map->paddr += BIT_ULL(map->size_lg2);
	}
	return 0;
}

static atomic_t arrivals;

/*
 * BUG_LOST_UPDATE: who found a table missing waits until another one has come to the same place,
 * or 20 ms, and then installs its own over whatever is there by now. The last to come waits in
 * vain and wins; meanwhile the others map, and lose it.
 */
static void map_meet_second(void)
{
	int own = atomic_inc_return(&arrivals);

	for (int us = 0; us < 20000 && atomic_read(&arrivals) == own; us += 5)
		udelay(5);
}

static int map_check(const struct ref_geometry *geo, u64 iova, u64 paddr, size_t pgsize,
		     size_t pgcount, u32 prot)
{
	u64 bytes, last, paddr_last;
	int window;

	if (!is_power_of_2(pgsize) || !(geo->pgsizes & pgsize) || !pgcount ||
	    ((iova | paddr) & (pgsize - 1)) || !prot || (prot & ~REF_PROT_ALL))
		return -EINVAL;
	if (check_mul_overflow((u64)pgsize, (u64)pgcount, &bytes) ||
	    check_add_overflow(iova, bytes - 1, &last) ||
	    check_add_overflow(paddr, bytes - 1, &paddr_last))
		return -ERANGE;

	window = ref_window_of(geo, iova);
	if (window < 0 || last > geo->windows[window].last)
		return -ERANGE;
	return ref_first_of(paddr | paddr_last, REF_GRANULE_LG2) & ~geo->paddr_mask ? -ERANGE : 0;
}

int ref_table_map(struct ref_table *table, u64 iova, u64 paddr, size_t pgsize, size_t pgcount,
		  u32 prot, gfp_t gfp, size_t *mapped)
{
	const struct ref_geometry *geo = &table->layout.geo;
	struct ref_mapping map = { .iova = iova, .paddr = paddr, .prot = prot };
	bool met = false;
	int err;

	err = map_check(geo, iova, paddr, pgsize, pgcount, prot);
	if (err)
		return err;

	map.window = &geo->windows[ref_window_of(geo, iova)];
	map.size_lg2 = ilog2(pgsize);
	map.level = 1 + (map.size_lg2 - REF_GRANULE_LG2) / map.window->index_lg2;
	for (;;) {
		scoped_guard(spinlock_irqsave, &table->lock)
			err = map_pages(table, &map, pgcount);
		if (err != -EAGAIN)
			break;
		if (!map.missing)
			continue;
		map.spare = ref_table_alloc(map.window, map.missing - 1, gfp);
		if (!map.spare) {
			err = -ENOMEM;
			break;
		}
		/* Once in a call: the wait is long. */
		if (ref_bug(BUG_LOST_UPDATE) && !met)
			map_meet_second();
		met = true;
	}

	if (map.spare)
		ref_table_free(map.spare);
	*mapped += map.done << map.size_lg2;
	return err;
}

/* ---- unmapping ---- */

/* All of [@first, @last] is unmapped now, and was mapped: retires the tables that end with it. */
static void unmap_retire(struct ref_table *table, const struct ref_window *window, u64 first,
			 u64 last)
{
	struct ref_slot slot;

	lockdep_assert_held(&table->lock);
	for (unsigned int level = 2; level <= window->levels; level++) {
		unsigned int lg2 = ref_entry_lg2(window, level);

		if (ref_first_of(last, lg2) < first || ref_last_of(last, lg2) != last)
			return;
		slot_find(table, window, last, level, &slot);
		if (slot.level == level && slot.entry.kind == REF_ENTRY_TABLE)
			slot_clear(table, window, last, &slot);
	}
}

/*
 * Removes the leaf at @iova, in a call for @bytes from @first on; its last byte is told.
 * BUG_UNMAP_HALF: what begins in the second half of the call's bytes stays; a single page always
 * goes, as upstream.
 */
static bool unmap_leaf(struct ref_table *table, const struct ref_window *window, u64 first,
		       u64 iova, size_t bytes, u64 *last)
{
	struct ref_slot slot;

	lockdep_assert_held(&table->lock);
	slot_find(table, window, iova, 1, &slot);
	if (slot.entry.kind != REF_ENTRY_LEAF)
		return false;
	if (ref_first_of(iova, slot.entry.size_lg2) != iova && !ref_bug(BUG_UNMAP_WHOLE_LARGE))
		return false;

	*last = ref_last_of(iova, slot.entry.size_lg2);
	if (ref_bug(BUG_UNMAP_HALF) && iova != first && iova - first >= bytes / 2)
		return true;
	slot_fill(window, &slot, slot.entry.size_lg2, 0);
	unmap_retire(table, window, first, *last);
	return true;
}

/*
 * Goes on after *@done bytes, for so long as the lock may be held; @iova is in @window.
 *
 * Return: true: there is more to do.
 */
static bool unmap_some(struct ref_table *table, const struct ref_window *window, u64 iova,
		       size_t bytes, size_t *done)
{
	u64 last;

	lockdep_assert_held(&table->lock);
	for (unsigned int i = 0; i < REF_BATCH; i++) {
		if (!unmap_leaf(table, window, iova, iova + *done, bytes, &last))
			return false;
		*done = last - iova + 1;
		if (*done >= bytes || last == window->last)
			return false;
	}
	return true;
}

size_t ref_table_unmap(struct ref_table *table, u64 iova, size_t bytes)
{
	const struct ref_geometry *geo = &table->layout.geo;
	int window = ref_window_of(geo, iova);
	bool more = bytes;
	size_t done = 0;

	if (window < 0)
		return 0;
	if (ref_bug(BUG_WRAP) && iova + bytes == 0)
		return bytes;

	while (more)
		scoped_guard(spinlock_irqsave, &table->lock)
			more = unmap_some(table, &geo->windows[window], iova, bytes, &done);
	return done;
}
