/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One IOVA, looked up in a live kernel. Device, hardware's entries, table and book are read one after the other;
 * the reading counts if at its end the device is where it was, and no call that changes
 * the domain was under way (live/ops.h). Else it is taken again, for a while.
 */
#ifndef IOMMUSCOPE_LOOK_H
#define IOMMUSCOPE_LOOK_H

#include "core/lookup.h"
#include "live/peek.h"

/* Zeroed by the caller; one for many addresses of one device. */
struct look {
	struct peek *p;		/* opened with @watch */
	const char *device;	/* as in sysfs */
	struct ops_keys watched;	/* domain 0: none yet */
};

/**
 * look_up() - Fill @out for @iova
 *
 * Return: 0, whatever the answer; -ENODEV: no IOMMU group has the device; -EAGAIN: it has no domain, or is in a
 * reset, all the time; -errno.
 */
int look_up(struct look *look, uint64_t iova, struct lookup *out);

#endif
