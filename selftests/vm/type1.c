// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "type1.h"
#include "verbs.h"

int type1_open(void)
{
	int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);

	if (container < 0)
		die("/dev/vfio/vfio");
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

int type1_map(int container, const void *mem, uint64_t size, uint64_t iova, uint32_t flags)
{
	struct vfio_iommu_type1_dma_map arg = {
		.argsz = sizeof(arg),
		.flags = flags,
		.vaddr = (uintptr_t)mem,
		.iova = iova,
		.size = size,
	};

	return ioctl(container, VFIO_IOMMU_MAP_DMA, &arg);
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
