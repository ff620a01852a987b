/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Who reads the kernel's memory (a BPF program, a debugger) finds the tables without the module's
 * types. Only what is here is fixed; a change of layout or meaning changes the magic.
 *
 * A domain: struct refiommu_view is directly behind its struct iommu_domain. Only paging and nested
 * domains of ours have one.
 * A device: dev->iommu->priv points at a struct refiommu_device_view.
 *
 * Other drivers have something else in these places: the magic tells. It is gone before what the
 * view names, or the view itself, is freed.
 */
#ifndef REFIOMMU_VIEW_H
#define REFIOMMU_VIEW_H

#include <linux/types.h>

#define REFIOMMU_VIEW_MAGIC 0x7265666976646d31ULL /* "refivdm1" */
#define REFIOMMU_DEVICE_VIEW_MAGIC 0x7265666976647631ULL /* "refivdv1" */

#define REFIOMMU_VIEW_WINDOWS 2

/**
 * struct refiommu_view_window - A span of IOVAs with a root table
 * @first, @last: IOVAs, inclusive
 * @root: address of the root table; it never changes
 * @levels: levels of tables, 1 … REFIOMMU_MAX_LEVELS; the root's level is this, a leaf table's 1
 * @index_lg2: log2 of the entries of a table; a root may use fewer
 */
struct refiommu_view_window {
	__u64 first;
	__u64 last;
	__u64 root;
	__u32 levels;
	__u32 index_lg2;
};

/**
 * struct refiommu_view_table - A page table
 * @format: REFIOMMU_FORMAT_*; 0: there is no table, and the rest is 0
 * @nr_windows: those that have a root
 * @windows: in rising order of IOVAs
 */
struct refiommu_view_table {
	__u32 format;
	__u32 nr_windows;
	struct refiommu_view_window windows[REFIOMMU_VIEW_WINDOWS];
};

/**
 * struct refiommu_view - A domain; written once, before the domain can be attached
 * @magic: REFIOMMU_VIEW_MAGIC
 * @table: paging: the domain's, roots are physical addresses. Nested: the guest's, roots are
 *	guest-physical addresses
 * @parent: nested: the struct iommu_domain that translates guest-physical addresses; it has a
 *	view, too. Paging: 0
 * @did: domain id, the tag of its cached translations; unique in its instance among living domains
 * @instance: number of its instance, as in trace events
 */
struct refiommu_view {
	__u64 magic;
	struct refiommu_view_table table;
	__u64 parent;
	__u32 did;
	__u32 instance;
};

#define REFIOMMU_CONTEXT_NONE 0 /* not present: nothing passes */
#define REFIOMMU_CONTEXT_BLOCKED 1 /* nothing passes */
#define REFIOMMU_CONTEXT_IDENTITY 2 /* IOVA is physical address */
#define REFIOMMU_CONTEXT_TABLE 3
#define REFIOMMU_CONTEXT_NESTED 4 /* two stages */

/**
 * struct refiommu_device_view - What the IOMMU's memory says about a device: its context entry
 * @magic: REFIOMMU_DEVICE_VIEW_MAGIC
 * @seq: odd while the rest is written, another number afterwards. What was read is of one piece
 *	if @seq was the same and even before and after
 * @kind: REFIOMMU_CONTEXT_*
 * @did: TABLE, NESTED: the domain id; else 0
 * @instance: number of its instance
 * @table: TABLE: the table. NESTED: the second stage, from guest-physical to physical. Else 0
 * @guest: NESTED: the first stage; roots are guest-physical addresses. Else 0
 *
 * It is written under the lock under which the context is, and says what an access finds that has
 * nothing cached; what is cached (planted bugs: maybe of another domain) it does not say.
 */
struct refiommu_device_view {
	__u64 magic;
	__u32 seq;
	__u32 kind;
	__u32 did;
	__u32 instance;
	struct refiommu_view_table table;
	struct refiommu_view_table guest;
};

#endif /* REFIOMMU_VIEW_H */
