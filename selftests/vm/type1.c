// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#define _GNU_SOURCE	/* memfd_create() */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "type1.h"
#include "verbs.h"

int type1_open(void)
{
	/* Or /dev/iommu, which can do the same. */
	const char *path = getenv("TYPE1_CONTAINER") ?: "/dev/vfio/vfio";
	int container = open(path, O_RDWR | O_CLOEXEC);

	if (container < 0)
		die(path);
	return container;
}

int type1_group(unsigned int number)
{
	char path[32];
	int group, tries;

	snprintf(path, sizeof(path), "/dev/vfio/%u", number);
	for (tries = 0; tries < 100; tries++) {
		group = open(path, O_RDWR | O_CLOEXEC);
		if (group >= 0)
			return group;
		if (errno != ENOENT)
			break;
		usleep(10000);
	}
	die(path);
	return -1;
}

void type1_join(int container, int group)
{
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container))
		die("VFIO_GROUP_SET_CONTAINER");
}

void type1_choose(int container)
{
	if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		die("VFIO_SET_IOMMU");
}

int type1_device(int group, const char *name)
{
	int device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name);

	if (device < 0)
		die("VFIO_GROUP_GET_DEVICE_FD");
	return device;
}

static struct vfio_iommu_type1_dma_map map_arguments(const void *mem, uint64_t size, uint64_t iova,
						     uint32_t flags)
{
	return (struct vfio_iommu_type1_dma_map){
		.argsz = sizeof(struct vfio_iommu_type1_dma_map),
		.flags = flags,
		.vaddr = (uintptr_t)mem,
		.iova = iova,
		.size = size,
	};
}

int type1_map(int container, const void *mem, uint64_t size, uint64_t iova, uint32_t flags)
{
	struct vfio_iommu_type1_dma_map arg = map_arguments(mem, size, iova, flags);

	return ioctl(container, VFIO_IOMMU_MAP_DMA, &arg);
}

int type1_map_away(int container, const void *mem, uint64_t size, uint64_t iova, uint32_t flags)
{
	struct vfio_iommu_type1_dma_map arg = map_arguments(mem, size, iova, flags);
	int ret, fd = memfd_create("arguments", MFD_CLOEXEC);
	void *away;

	if (fd < 0 || write(fd, &arg, sizeof(arg)) != sizeof(arg))
		die("memfd");
	away = mmap(NULL, sizeof(arg), PROT_READ, MAP_SHARED, fd, 0);
	if (away == MAP_FAILED)
		die("mmap");
	ret = ioctl(container, VFIO_IOMMU_MAP_DMA, away);
	munmap(away, sizeof(arg));
	close(fd);
	return ret;
}

int64_t type1_unmap(int container, uint64_t iova, uint64_t size, uint32_t flags)
{
	struct vfio_iommu_type1_dma_unmap arg = {
		.argsz = sizeof(arg),
		.flags = flags,
		.iova = iova,
		.size = size,
	};

	return ioctl(container, VFIO_IOMMU_UNMAP_DMA, &arg) ? -1 : (int64_t)arg.size;
}
