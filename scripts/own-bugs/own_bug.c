// SPDX-License-Identifier: GPL-2.0-only
/* Which bug of scripts/own-bugs/edits is planted: a parameter of the kernel, by name. */
#include <linux/export.h>
#include <linux/moduleparam.h>
#include <linux/own_bug.h>
#include <linux/string.h>
#include <linux/sysfs.h>

enum own_bug own_bug_planted;
EXPORT_SYMBOL_GPL(own_bug_planted);

static const char * const names[] = {
	[OWN_BUG_NONE] = "none",
	[OWN_BUG_VTD_FLUSH_MASK] = "vtd-flush-mask",
	[OWN_BUG_VTD_SHORT_GATHER] = "vtd-short-gather",
	[OWN_BUG_VTD_SWITCH_FLUSH] = "vtd-switch-flush",
	[OWN_BUG_VTD_ALIAS_SID] = "vtd-alias-sid",
	[OWN_BUG_VTD_NP_FLUSH] = "vtd-np-flush",
	[OWN_BUG_VTD_SUPERPAGE_FLUSH] = "vtd-superpage-flush",
	[OWN_BUG_VTD_SUPERPAGE_RANGE] = "vtd-superpage-range",
	[OWN_BUG_VTD_UNMAP_HALF] = "vtd-unmap-half",
	[OWN_BUG_AMD_PARENTHESES] = "amd-parentheses",
	[OWN_BUG_AMD_DETACH_ORDER] = "amd-detach-order",
	[OWN_BUG_DMA_REUSE_EARLY] = "dma-reuse-early",
	[OWN_BUG_DMA_UNMAP_WIDE] = "dma-unmap-wide",
	[OWN_BUG_DMA_FREE_FIRST] = "dma-free-first",
	[OWN_BUG_VFIO_FGSP_RESERVED] = "vfio-fgsp-reserved",
	[OWN_BUG_VFIO_UNPIN_FIRST] = "vfio-unpin-first",
};

static int plant_set(const char *value, const struct kernel_param *param)
{
	int bug = sysfs_match_string(names, value);

	BUILD_BUG_ON(ARRAY_SIZE(names) != OWN_BUG_COUNT);
	if (bug < 0)
		return bug;
	WRITE_ONCE(own_bug_planted, bug);
	return 0;
}

static int plant_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%s\n", names[own_bug_planted]);
}

static const struct kernel_param_ops plant_ops = {
	.set = plant_set,
	.get = plant_get,
};

module_param_cb(plant, &plant_ops, NULL, 0644);
