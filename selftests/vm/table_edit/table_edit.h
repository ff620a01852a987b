/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the module share: the hardware's way from a device to its table (roots.c), and
 * down the table (walk.c).
 *
 * Memory is read through the kernel's own map of RAM, and only where there is RAM. Nothing is
 * locked: the tests edit tables that nobody uses meanwhile. Included first, for pr_fmt().
 */
#ifndef TABLE_EDIT_H
#define TABLE_EDIT_H

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/printk.h>
#include <linux/types.h>

#define ADDRESS_MASK	GENMASK_ULL(51, 12)

enum format { VTD_SECOND, X86, AMD_V1 };

/* @pointer: where the 64 bits are that hold @root: of a context, PASID or device table entry. */
struct table {
	enum format format;
	unsigned int levels;
	u64 root;
	u64 pointer;
};

/* @leaf: it maps memory; @large: more than a page, or (AMD) of a size of its own */
struct entry {
	u64 paddr;
	u64 raw;
	unsigned int level;
	bool leaf;
	bool large;
};

/* The 64 bits at a physical address, or NULL (and a word in the log) where there is no RAM. */
u64 *word_at(u64 paddr);

/* What the IOMMU of this machine uses for requests with this id; says what is in the way. */
int table_of_device(u16 sid, struct table *table);

/* The entry of the top table that spans @iova, whatever it says. */
int table_top(const struct table *table, u64 iova, struct entry *entry);

/* The present entry of @level on the way to @iova; @level 0: the leaf. Says why there is none. */
int table_find(const struct table *table, u64 iova, unsigned int level, struct entry *entry);

/* The top table's entry that would point at the top table. */
u64 table_circle(const struct table *table);

/* A bit of @entry that must be zero. */
unsigned int table_reserved_bit(const struct table *table, const struct entry *entry);

#endif
