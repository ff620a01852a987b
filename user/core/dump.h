/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Intel's dump of a device's page table, as the kernel writes it to debugfs (drivers/iommu/intel/debugfs.c,
 * domain_translation_struct_show(), since 6.6; CONFIG_INTEL_IOMMU_DEBUGFS): text becomes areas of BOOK_DEBUGFS.
 *
 *	Device 0000:00:02.0 @0x104562000
 *	IOVA_PFN		PML5E			PML4E			...
 *	0x0000000010000 |	0x0000000000000000	0x0000000000000000	0x0000000104563003	...
 *
 * A line is a leaf, with the entries on the way to it from level 5 down; those behind it are left out. In scalable mode
 * "with pasid 0" is behind the device's name.
 *
 * The text is taken as untrusted: any bytes, any length, no NUL at its end.
 */
#ifndef IOMMUSCOPE_DUMP_H
#define IOMMUSCOPE_DUMP_H

#include "reading.h"

/**
 * dump_parse() - What a dump says of [@first, @last]
 * @text:   @len bytes
 * @device: its name in sysfs
 * @root:   where the table must be
 * @r:	    gets the areas and the bit of BOOK_DEBUGFS, which it has not yet; unchanged on error
 *
 * Return: 0; -ENOENT: no dump of this device without PASID; -ESTALE: of another table; -EBADMSG: not in the format, or
 * cut off; -ENOMEM.
 */
int dump_parse(const char *text, size_t len, const char *device, uint64_t root, uint64_t first,
	       uint64_t last, struct reading *r);

#endif
