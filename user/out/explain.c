// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * One row per finding id; docs/findings.md has the long form under the same name. VT-d is
 * Intel's specification, revision 4; AMD is publication 48882; kernel paths are of 6.12.
 */
#include "out/explain.h"

struct explain {
	const char *expected;
	const char *source;
};

static const struct explain rows[FINDING_COUNT] = {
	[FINDING_MAP_OVERLAP] = {
		"The range should have been unmapped before it was mapped again, or the map refused: "
		"an IOVA has one owner.",
		"drivers/iommu/iommu.c, iommu_map(); generic_pt of 7.x refuses with EADDRINUSE",
	},
	[FINDING_MAP_WIDE] = {
		"A mapping has the permission that was asked for, and no other: a device that only "
		"reads must not be able to write.",
		"Documentation/core-api/dma-api.rst, DMA direction; include/uapi/linux/vfio.h, VFIO_DMA_MAP_FLAG_*",
	},
	[FINDING_UNMAP_SHORT] = {
		"An unmap that succeeds removes all that it was asked to remove. What stays behind is "
		"reachable by the device after its owner let go of the memory.",
		"drivers/iommu/iommu.c, iommu_unmap(); include/uapi/linux/vfio.h, VFIO_IOMMU_UNMAP_DMA; "
		"Documentation/core-api/dma-api.rst",
	},
	[FINDING_UNMAP_WIDE] = {
		"An unmap removes what it was asked to remove, and leaves its neighbours: their owners "
		"still use them.",
		"drivers/iommu/iommu.c, iommu_unmap(); Documentation/core-api/dma-api.rst",
	},
	[FINDING_LEAK_ON_FREE] = {
		"Who maps unmaps: a driver before it lets go of its device, a domain's owner by "
		"detaching its devices before it frees the domain.",
		"Documentation/core-api/dma-api-howto.rst; drivers/iommu/iommu.c, iommu_domain_free()",
	},
	[FINDING_STALE_IOTLB] = {
		"After an unmap each cache that may hold the translation is told to forget it, and has "
		"said that it did, before the range is used again or its memory given away.",
		"VT-d 6.5 (invalidation); AMD 2.2.8, 2.4; drivers/iommu/iommu.c, iommu_iotlb_sync()",
	},
	[FINDING_FLUSH_SHORT] = {
		"The invalidations that follow an unmap cover together all that was unmapped, in each "
		"cache; the missing part is still reachable.",
		"VT-d 6.5.2 (address mask of IOTLB and device-TLB descriptors); AMD 2.4.3, 2.4.4",
	},
	[FINDING_DMA_UNMAP_MISMATCH] = {
		"An unmap of the DMA API says the same as its map: address, size, direction, number of "
		"entries, kind of call; and each mapping is unmapped once.",
		"Documentation/core-api/dma-api.rst; kernel/dma/debug.c, check_unmap()",
	},
	[FINDING_CALLER_RACE] = {
		"Who shares a domain agrees on who uses which range, and when: maps and unmaps of one "
		"range do not run side by side.",
		"drivers/iommu/iommu.c: the core does not serialise maps of one domain",
	},
	[FINDING_TABLE_FREED_EARLY] = {
		"A page of the page table goes back to the allocator after an invalidation made walkers "
		"forget it; until then they read it, whoever owns it.",
		"VT-d 6.2.4 (paging-structure caches), IH of 6.5.2.3; AMD 2.4.3 (PDE bit)",
	},
	[FINDING_MAP_NOT_SYNCED] = {
		"Where what is not present may be cached, a new mapping is announced by an invalidation "
		"before the device is told its address.",
		"VT-d 6.1 (caching mode), 6.8 (write buffers); AMD NpCache; iommu_domain_ops.iotlb_sync_map",
	},
	[FINDING_STALE_AFTER_SWITCH] = {
		"When a device moves, its entry is changed, and the caches of entries, translations and "
		"the device are invalidated, before the old domain is let go and the new one used.",
		"VT-d 6.5.3.3 (guidance to software), 6.2.2; AMD 2.4.2 (INVALIDATE_DEVTAB_ENTRY)",
	},
	[FINDING_UNION_AFTER_REPLAY] = {
		"After a replay the device sees what its owner has mapped, the reserved ranges, and "
		"nothing that is left of another view.",
		"drivers/vfio/vfio_iommu_type1.c, vfio_iommu_replay()",
	},
	[FINDING_REPLAY_MISSING] = {
		"A replay maps everything that its owner has mapped; what is left out faults when the "
		"device uses it.",
		"drivers/vfio/vfio_iommu_type1.c, vfio_iommu_replay()",
	},
	[FINDING_REPLAY_REFUSED] = {
		"A replay that cannot map a range fails as a whole, and its owner is told.",
		"include/uapi/linux/vfio.h, VFIO_IOMMU_MAP_DMA; limits dma_entry_limit and RLIMIT_MEMLOCK",
	},
	[FINDING_MAP_OUTSIDE] = {
		"Maps stay in the aperture of the domain and out of reserved ranges; the kernel refuses "
		"others.",
		"include/linux/iommu.h, struct iommu_domain_geometry, enum iommu_resv_type",
	},
	[FINDING_UNMAP_NOTHING] = {
		"Who unmaps knows what he mapped.",
		"include/uapi/linux/vfio.h, VFIO_IOMMU_UNMAP_DMA",
	},
	[FINDING_FREED_WHILE_MAPPED] = {
		"A page goes back to the allocator when no device can reach it any more: after it was "
		"unmapped, and after the caches were flushed.",
		"Documentation/core-api/dma-api-howto.rst; drivers/vfio/vfio_iommu_type1.c, vfio_unmap_unpin()",
	},
	[FINDING_LAZY_EXPOSURE] = {
		"This is what lazy flushing permits: a page is used again while a cache may hold its "
		"translation. iommu.strict=1 closes the window.",
		"Documentation/admin-guide/kernel-parameters.txt, iommu.strict; drivers/iommu/dma-iommu.c",
	},
	[FINDING_FAULT_AFTER_UNMAP] = {
		"A driver stops its device, or waits for it, before it unmaps what the device uses. The "
		"IOMMU refused the access: look at the driver or the device.",
		"Documentation/core-api/dma-api-howto.rst; VT-d 7 (faults); AMD 2.5.3 (IO_PAGE_FAULT)",
	},
	[FINDING_FAULT_WHILE_LIVE] = {
		"A device may use what is mapped for it. If the IOMMU refuses, the page table lacks the "
		"entry, or a cache has an older one.",
		"VT-d 7.1.3 (fault conditions); AMD 2.5.3 (IO_PAGE_FAULT)",
	},
	[FINDING_LEFT_MAPPED] = {
		"A user of VFIO unmaps before he closes his container; the kernel does it for him "
		"otherwise.",
		"drivers/vfio/vfio_iommu_type1.c, vfio_iommu_unmap_unpin_all()",
	},
	[FINDING_TABLE_MISSING] = {
		"What was asked for, and not taken back, is in the page table: without the entry the "
		"device's access faults.",
		"VT-d 3.7, 9.8 (second stage), 9.9 (first stage); AMD 2.2.3; drivers/iommu/iommu.c, iommu_map()",
	},
	[FINDING_TABLE_EXTRA] = {
		"The page table translates nothing but what was asked for: what is left there is "
		"reachable by the device, and its memory may belong to somebody else by now.",
		"VT-d 3.7, 9.8 (second stage), 9.9 (first stage); AMD 2.2.3; drivers/iommu/iommu.c, iommu_unmap()",
	},
	[FINDING_TABLE_DIFFERS] = {
		"An entry leads where it was asked to lead, with the permission that was asked for, and "
		"is one that the hardware accepts.",
		"VT-d 3.7, 9.8 (second stage), 9.9 (first stage); AMD 2.2.3",
	},
	[FINDING_ROOT_DIFFERS] = {
		"The device's context, PASID or device-table entry points at the table of the domain "
		"that the kernel says the device is in.",
		"VT-d 9.1 to 9.6 (root, context and PASID entries), 11.4.5 (RTADDR); AMD 2.2.2 (device table)",
	},
	[FINDING_INTENT_DIFFERS] = {
		"The page that the device reaches is the one that the process has at the address it gave to "
		"VFIO or iommufd; and it stays pinned as long as it is mapped.",
		"drivers/vfio/vfio_iommu_type1.c, vfio_pin_pages_remote(); drivers/iommu/iommufd/pages.c; "
		"Documentation/core-api/pin_user_pages.rst",
	},
	[FINDING_ORACLE_DIFFERS] = {
		"Whoever reads a page table that holds still reads the same: this program's walk, "
		"iommu_iova_to_phys() of the IOMMU's driver, and its dump in debugfs.",
		"drivers/iommu/iommu.c, iommu_iova_to_phys(); drivers/iommu/intel/debugfs.c, domain_translation_struct",
	},
};

const char *explain_expected(enum finding_id id)
{
	return (unsigned int)id < FINDING_COUNT && rows[id].expected ? rows[id].expected : "";
}

const char *explain_source(enum finding_id id)
{
	return (unsigned int)id < FINDING_COUNT && rows[id].source ? rows[id].source : "";
}
