/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bugs planted into the kernel 'own-bugs' by scripts/own-bugs/edits: one at a time, by
 *   echo NAME >/sys/module/own_bug/parameters/plant      ('none': a kernel without them)
 */
#ifndef LINUX_OWN_BUG_H
#define LINUX_OWN_BUG_H

#include <linux/compiler.h>
#include <linux/types.h>

enum own_bug {
	OWN_BUG_NONE,
	OWN_BUG_VTD_FLUSH_MASK,
	OWN_BUG_VTD_SHORT_GATHER,
	OWN_BUG_VTD_SWITCH_FLUSH,
	OWN_BUG_VTD_ALIAS_SID,
	OWN_BUG_VTD_NP_FLUSH,
	OWN_BUG_VTD_SUPERPAGE_FLUSH,
	OWN_BUG_VTD_SUPERPAGE_RANGE,
	OWN_BUG_VTD_UNMAP_HALF,
	OWN_BUG_AMD_PARENTHESES,
	OWN_BUG_AMD_DETACH_ORDER,
	OWN_BUG_DMA_REUSE_EARLY,
	OWN_BUG_DMA_UNMAP_WIDE,
	OWN_BUG_DMA_FREE_FIRST,
	OWN_BUG_VFIO_FGSP_RESERVED,
	OWN_BUG_VFIO_UNPIN_FIRST,
	OWN_BUG_COUNT,
};

extern enum own_bug own_bug_planted;

/* Is this the one? */
static inline bool own_bug(enum own_bug bug)
{
	return unlikely(READ_ONCE(own_bug_planted) == bug);
}

#endif /* LINUX_OWN_BUG_H */
