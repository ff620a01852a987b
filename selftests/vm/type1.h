/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * VFIO type1 with a container and groups, call by call. What fails ends the program, except
 * maps and unmaps: there the caller may know better.
 */
#ifndef TYPE1_H
#define TYPE1_H

#include <stdint.h>
#include <linux/vfio.h>

#define TYPE1_RW (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)

/* An empty container. */
int type1_open(void);

/* The file of the group of that number, which udev may be slow to show. */
int type1_group(unsigned int number);

/* Puts an open group in. */
void type1_join(int container, int group);

/* Once, with the first group: gives the container its IOMMU. */
void type1_choose(int container);

/* The file of a group's device. */
int type1_device(int group, const char *name);

/* 0 or -1 with errno. */
int type1_map(int container, const void *mem, uint64_t size, uint64_t iova, uint32_t flags);

/* The same; the call's own arguments lie in a page that the process has not touched yet. */
int type1_map_away(int container, const void *mem, uint64_t size, uint64_t iova, uint32_t flags);

/* The bytes that were unmapped, or -1 with errno. */
int64_t type1_unmap(int container, uint64_t iova, uint64_t size, uint32_t flags);

#endif /* TYPE1_H */
