/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reserved ranges of an IOMMU group, as sysfs has them: the union over its devices, asked of the drivers
 * each time (iommu_get_group_resv_regions()).
 */
#ifndef IOMMUSCOPE_RESERVED_H
#define IOMMUSCOPE_RESERVED_H

#include <stdint.h>

struct reserved {
	uint64_t first;
	uint64_t last;		/* inclusive */
	char kind[24];		/* "direct", "direct-relaxable", "reserved", "msi" */
};

/* Told about each range, in rising order; not 0 ends it. */
typedef int (*reserved_fn)(void *arg, const struct reserved *r);

/**
 * reserved_read() - Read /sys/kernel/iommu_groups/GROUP/reserved_regions
 *
 * Return: 0; -ENOENT: no such group, or no such file; -EINVAL: a line was not understood, and ended it;
 * -ENODATA: the kernel may have left ranges out, for want of room; -EIO; or what @fn returned.
 */
int reserved_read(int32_t group, reserved_fn fn, void *arg);

#endif
