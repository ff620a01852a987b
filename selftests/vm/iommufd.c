// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/types.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "iommufd.h"
#include "verbs.h"

#define CALL(nr) _IO(';', nr)
#define IOAS_ALLOC CALL(0x81)
#define IOAS_COPY CALL(0x83)
#define IOAS_MAP CALL(0x85)
#define IOAS_UNMAP CALL(0x86)
#define HWPT_ALLOC CALL(0x89)
#define BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)
#define ATTACH_IOMMUFD_PT _IO(VFIO_TYPE, VFIO_BASE + 19)

struct ioas_alloc {
	__u32 size, flags, ioas;
};

struct ioas_map {
	__u32 size, flags, ioas, reserved;
	__aligned_u64 vaddr, length, iova;
};

struct ioas_copy {
	__u32 size, flags, to_ioas, from_ioas;
	__aligned_u64 length, to, from;
};

struct ioas_unmap {
	__u32 size, ioas;
	__aligned_u64 iova, length;
};

struct hwpt_alloc {
	__u32 size, flags, device, pt, hwpt, reserved, data_type, data_len;
	__aligned_u64 data;
};

struct bind {
	__u32 argsz, flags;
	__s32 iommufd;
	__u32 device;
};

struct attach {
	__u32 argsz, flags, pt;
};

int iommufd_open(void)
{
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("/dev/iommu");
	return fd;
}

uint32_t iommufd_ioas(int fd)
{
	struct ioas_alloc a = { .size = sizeof(a) };

	if (ioctl(fd, IOAS_ALLOC, &a))
		die("IOMMU_IOAS_ALLOC");
	return a.ioas;
}

uint32_t iommufd_hwpt(int fd, uint32_t ioas, uint32_t device)
{
	struct hwpt_alloc a = { .size = sizeof(a), .device = device, .pt = ioas };

	if (ioctl(fd, HWPT_ALLOC, &a))
		die("IOMMU_HWPT_ALLOC");
	return a.hwpt;
}

int iommufd_device(const char *bdf)
{
	char pattern[96], path[64];
	int device, tries;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "/sys/bus/pci/devices/%.32s/vfio-dev/vfio*", bdf);
	if (glob(pattern, 0, NULL, &found))
		die(pattern);
	snprintf(path, sizeof(path), "/dev/vfio/devices/%.32s", strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
	for (tries = 0; tries < 100; tries++) {
		device = open(path, O_RDWR | O_CLOEXEC);
		if (device >= 0)
			return device;
		if (errno != ENOENT)
			break;
		usleep(10000);
	}
	die(path);
	return -1;
}

uint32_t iommufd_bind(int fd, int device)
{
	struct bind b = { .argsz = sizeof(b), .iommufd = fd };

	if (ioctl(device, BIND_IOMMUFD, &b))
		die("VFIO_DEVICE_BIND_IOMMUFD");
	return b.device;
}

void iommufd_attach(int device, uint32_t pt)
{
	struct attach a = { .argsz = sizeof(a), .pt = pt };

	if (ioctl(device, ATTACH_IOMMUFD_PT, &a))
		die("VFIO_DEVICE_ATTACH_IOMMUFD_PT");
}

int iommufd_map(int fd, uint32_t ioas, const void *mem, uint64_t size, uint64_t iova, uint32_t prot)
{
	struct ioas_map m = {
		.size = sizeof(m), .flags = prot | IOMMUFD_FIXED, .ioas = ioas,
		.vaddr = (uintptr_t)mem, .length = size, .iova = iova,
	};

	return ioctl(fd, IOAS_MAP, &m);
}

int iommufd_copy(int fd, uint32_t ioas, uint64_t from, uint64_t size, uint64_t to, uint32_t prot)
{
	struct ioas_copy c = {
		.size = sizeof(c), .flags = prot | IOMMUFD_FIXED, .to_ioas = ioas, .from_ioas = ioas,
		.length = size, .to = to, .from = from,
	};

	return ioctl(fd, IOAS_COPY, &c);
}

int64_t iommufd_unmap(int fd, uint32_t ioas, uint64_t iova, uint64_t size)
{
	struct ioas_unmap u = { .size = sizeof(u), .ioas = ioas, .iova = iova, .length = size };

	return ioctl(fd, IOAS_UNMAP, &u) ? -1 : (int64_t)u.length;
}
