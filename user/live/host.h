/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Where a device's page table is, from both sides: by the kernel's books (device, group, domain,
 * table) and by what the hardware reads (register, root or device table, entry, table). The two know nothing
 * of each other.
 */
#ifndef IOMMUSCOPE_HOST_H
#define IOMMUSCOPE_HOST_H

#include "core/root.h"
#include "live/peek.h"

/* A domain by the kernel's books. */
struct host_domain {
	struct peek_domain at;
	struct walk_table table;	/* format WALK_NONE: there is none, or this driver is not known */
};

/**
 * host_domain() - Read @domain, in front of which is an IOMMU of @kind (enum ev_driver)
 *
 * Return: 0 or -errno.
 */
int host_domain(struct peek *p, uint64_t domain, uint32_t kind, struct host_domain *out);

/**
 * host_root() - What the hardware does with requests of @dev without a PASID
 *
 * Return: 0; -EOPNOTSUPP: not for this driver, or its requester id is not known; -errno: its registers
 * cannot be read.
 */
int host_root(struct peek *p, const struct peek_device *dev, struct root *out);

/** host_is_called() - Is @name (of sysfs) that of @dev? Of long names only the first part is known. */
bool host_is_called(const struct peek_device *dev, const char *name);

/** host_find() - The device of that name (as in sysfs). 0, -ENODEV, or -errno. */
int host_find(struct peek *p, const char *name, struct peek_device *out);

#endif
