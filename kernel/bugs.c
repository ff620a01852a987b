// SPDX-License-Identifier: GPL-2.0-only
/*
 * The switches of the planted bugs: one file each in debugfs refiommu/bugs, "0" or "1". Turning one
 * on taints the kernel for good; turning it off only stops it. What each does is in bugs.h.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/panic.h>
#include <linux/printk.h>
#include "bugs.h"

unsigned long ref_bugs[BITS_TO_LONGS(NR_REF_BUGS)];

static struct dentry *ref_bugs_root;

static const char * const ref_bug_names[] = {
	[BUG_NO_FLUSH] = "no-flush",
	[BUG_FLUSH_SHORT] = "flush-short",
	[BUG_FLUSH_WRONG_DOMAIN] = "flush-wrong-domain",
	[BUG_FLUSH_MASK_SMALL] = "flush-mask-small",
	[BUG_NO_CONTEXT_FLUSH] = "no-context-flush",
	[BUG_DID_REUSE] = "did-reuse",
	[BUG_UNMAP_HALF] = "unmap-half",
	[BUG_UNMAP_WHOLE_LARGE] = "unmap-whole-large",
	[BUG_LARGE_NO_FLUSH] = "large-no-flush",
	[BUG_OVERWRITE] = "overwrite",
	[BUG_WRONG_PADDR] = "wrong-paddr",
	[BUG_EXTRA_WRITE] = "extra-write",
	[BUG_WRAP] = "wrap",
	[BUG_TABLE_FREED_EARLY] = "table-freed-early",
	[BUG_LEAK_ON_FREE] = "leak-on-free",
	[BUG_LOST_UPDATE] = "lost-update",
	[BUG_IOVA_TO_PHYS_LIES] = "iova-to-phys-lies",
	[BUG_SWITCH_KEEPS_OLD] = "switch-keeps-old",
	[BUG_REPLAY_SKIPS_ONE] = "replay-skips-one",
	[BUG_REPLAY_ADDS_ONE] = "replay-adds-one",
	[BUG_MAP_MSI] = "map-msi",
	[BUG_UNPIN_EARLY] = "unpin-early",
	[BUG_PIN_DROPPED] = "pin-dropped",
};

static int ref_bug_read(void *data, u64 *on)
{
	*on = ref_bug((unsigned long)data);
	return 0;
}

static int ref_bug_write(void *data, u64 on)
{
	enum ref_bug bug = (unsigned long)data;

	if (on > 1)
		return -EINVAL;
	if (!on) {
		clear_bit(bug, ref_bugs);
		return 0;
	}

	/* First the line and the taint, so that whatever the bug breaks comes after them. */
	if (!test_bit(bug, ref_bugs))
		pr_warn("planted bug %s is on: translations are wrong from now on\n",
			ref_bug_names[bug]);
	add_taint(TAINT_TEST, LOCKDEP_STILL_OK);
	set_bit(bug, ref_bugs);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(ref_bug_fops, ref_bug_read, ref_bug_write, "%llu\n");

void ref_bugs_init(void)
{
	struct dentry *dir;

	BUILD_BUG_ON(ARRAY_SIZE(ref_bug_names) != NR_REF_BUGS);

	ref_bugs_root = debugfs_create_dir(KBUILD_MODNAME, NULL);
	dir = debugfs_create_dir("bugs", ref_bugs_root);
	for (unsigned long bug = 0; bug < NR_REF_BUGS; bug++)
		debugfs_create_file(ref_bug_names[bug], 0600, dir, (void *)bug, &ref_bug_fops);
}

void ref_bugs_exit(void)
{
	debugfs_remove(ref_bugs_root);
}
