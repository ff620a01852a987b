/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What 'show' reads in sysfs and /proc. */
#ifndef IOMMUSCOPE_SHOW_FACTS_H
#define IOMMUSCOPE_SHOW_FACTS_H

#include <stddef.h>

#include "out/show.h"

/**
 * facts_read() - IOMMUs with their devices, and who holds VFIO's files
 * @f: zeroed; whatever comes of it, facts_free() it
 *
 * Processes that may not be looked at, or end meanwhile, are left out.
 *
 * Return: 0 or -ENOMEM.
 */
int facts_read(struct show_facts *f);

void facts_free(struct show_facts *f);

/** facts_groups() - Return: how many IOMMU groups with devices sysfs has; their devices in @devices. */
size_t facts_groups(size_t *devices);

#endif
