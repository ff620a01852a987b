// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A VFIO container with type1: what QEMU does, and no more.
 */
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "container.h"
#include "ref.h"

bool container_here(void)
{
	return !access("/dev/vfio/vfio", R_OK | W_OK);
}

int container_device(int fd, int instance, struct container_device *device)
{
	struct refiommu_endpoint_create arg = {
		.size = sizeof(arg), .instance_id = instance, .driver = REFIOMMU_DRIVER_VFIO,
	};
	int err;

	err = ref_call(fd, REFIOMMU_ENDPOINT_CREATE, &arg);
	if (err)
		return err;
	*device = (struct container_device){
		.endpoint = arg.out_id, .group = arg.out_group, .number = arg.out_device,
		.group_fd = -1,
	};
	return 0;
}

int container_open(void)
{
	int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);

	return container < 0 ? -errno : container;
}

/* The file appears when udev, or devtmpfs, has seen the device. */
static int open_group(uint32_t group)
{
	char path[32];
	int fd, tries;

	snprintf(path, sizeof(path), "/dev/vfio/%u", group);
	for (tries = 0; tries < 100; tries++) {
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 || errno != ENOENT)
			break;
		usleep(10000);
	}
	return fd < 0 ? -errno : fd;
}

int container_add(int container, struct container_device *device)
{
	device->group_fd = open_group(device->group);
	if (device->group_fd < 0)
		return device->group_fd;
	if (ioctl(device->group_fd, VFIO_GROUP_SET_CONTAINER, &container))
		return -errno;
	/* Refused with EINVAL if the container has its IOMMU already. */
	if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) && errno != EINVAL)
		return -errno;
	return 0;
}

int container_use(const struct container_device *device)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "refiommu-endpoint.%u", device->number);
	fd = ioctl(device->group_fd, VFIO_GROUP_GET_DEVICE_FD, name);
	return fd < 0 ? -errno : fd;
}

int container_map_prot(int container, uint64_t iova, uint64_t bytes, const void *at, bool write)
{
	struct vfio_iommu_type1_dma_map arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DMA_MAP_FLAG_READ | (write ? VFIO_DMA_MAP_FLAG_WRITE : 0),
		.vaddr = (uintptr_t)at, .iova = iova, .size = bytes,
	};

	return ioctl(container, VFIO_IOMMU_MAP_DMA, &arg) ? -errno : 0;
}

int container_map(int container, uint64_t iova, uint64_t bytes, const void *at)
{
	return container_map_prot(container, iova, bytes, at, true);
}

static int64_t unmap(int container, uint64_t iova, uint64_t bytes, uint32_t flags)
{
	struct vfio_iommu_type1_dma_unmap arg = {
		.argsz = sizeof(arg), .flags = flags, .iova = iova, .size = bytes,
	};

	return ioctl(container, VFIO_IOMMU_UNMAP_DMA, &arg) ? -errno : (int64_t)arg.size;
}

int64_t container_unmap(int container, uint64_t iova, uint64_t bytes)
{
	return unmap(container, iova, bytes, 0);
}

int64_t container_unmap_all(int container)
{
	return unmap(container, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL);
}
