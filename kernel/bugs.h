/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Planted bugs: one switch each, all off, in debugfs refiommu/bugs/NAME. Who turns one on taints
 * the kernel (TAINT_TEST) and gets a line in the log. Each is a handful of lines where real drivers
 * had it: grep for the constant. Comments here say what it does to the world, and which upstream
 * bug was like it. docs/refiommu.md says how each is seen.
 */
#ifndef REFIOMMU_BUGS_H
#define REFIOMMU_BUGS_H

#include <linux/bitops.h>
#include <linux/types.h>

enum ref_bug {
	/* tlb.c */
	BUG_NO_FLUSH, /* IOTLB invalidations are not sent */
	BUG_FLUSH_SHORT, /* range invalidations end one page early (iommupt, CVE-2026-31735) */
	BUG_FLUSH_WRONG_DOMAIN, /* range invalidations carry the next domain's id */
	BUG_FLUSH_MASK_SMALL, /* one mask for an unaligned range, too small (VT-d; AMD) */
	BUG_NO_CONTEXT_FLUSH, /* the context cache keeps a device's old domain (CVE-2026-90240) */
	/* domain.c */
	BUG_DID_REUSE, /* a domain's id goes to the next one with its translations still cached */
	/* table_map.c, table.c */
	BUG_UNMAP_HALF, /* unmap leaves the second half of its pages (VT-d, be8552fe8) */
	BUG_UNMAP_WHOLE_LARGE, /* unmapping inside a large page takes all of it (VT-d, 6.12.49) */
	BUG_LARGE_NO_FLUSH, /* a large page takes an empty table's place without a flush (VT-d) */
	BUG_OVERWRITE, /* replay and map over a live entry replace it silently (AMD <= 6.12) */
	BUG_WRONG_PADDR, /* each second page of a map points at the page before */
	BUG_EXTRA_WRITE, /* read-only becomes read-write */
	BUG_WRAP, /* unmap of a range that ends at 2^64 says done, does nothing (ef270ec44637) */
	BUG_TABLE_FREED_EARLY, /* table pages go back before the flush */
	BUG_LEAK_ON_FREE, /* a dead domain's lower tables are never freed */
	BUG_LOST_UPDATE, /* two CPUs install one table: what the first put into its own is lost */
	/* domain.c */
	BUG_IOVA_TO_PHYS_LIES, /* iova_to_phys() forgets the offset in large pages (iommupt) */
	/* attach.c, replay.c, ranges.c, area.c */
	BUG_SWITCH_KEEPS_OLD, /* a switch replays B over A's entries: the union (QEMU; the seeds) */
	BUG_REPLAY_SKIPS_ONE, /* the first mapping is not replayed */
	BUG_REPLAY_ADDS_ONE, /* one page more than the last mapping has */
	BUG_MAP_MSI, /* reserved MSI ranges are permitted (VFIO type1, fgsp test) */
	BUG_UNPIN_EARLY, /* pages go back before their flush, sent with the next unmap (XSA-346) */
	/* domain.c, pins.c */
	BUG_PIN_DROPPED, /* the first page of each map is not pinned until its unmap */
	NR_REF_BUGS,
};

extern unsigned long ref_bugs[BITS_TO_LONGS(NR_REF_BUGS)];

/* Is a planted bug on? */
static inline bool ref_bug(enum ref_bug bug)
{
	return unlikely(test_bit(bug, ref_bugs));
}

/* Makes and removes the switches; without debugfs there are none, and that is no error. */
void ref_bugs_init(void);
void ref_bugs_exit(void);

#endif /* REFIOMMU_BUGS_H */
