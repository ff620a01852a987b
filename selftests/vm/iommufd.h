/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * iommufd and VFIO's device files, call by call. What fails ends the program, except maps and unmaps: there the
 * caller may know better. Debian's headers are older than these calls (include/uapi/linux/iommufd.h, vfio.h).
 */
#ifndef IOMMUFD_H
#define IOMMUFD_H

#include <stdint.h>

#define IOMMUFD_FIXED	1u	/* enum iommufd_ioas_map_flags */
#define IOMMUFD_WRITE	2u
#define IOMMUFD_READ	4u
#define IOMMUFD_RW	(IOMMUFD_READ | IOMMUFD_WRITE)

int iommufd_open(void);

/* Number of a new, empty address space. */
uint32_t iommufd_ioas(int fd);

/* Number of a domain for this device, with all that @ioas has. */
uint32_t iommufd_hwpt(int fd, uint32_t ioas, uint32_t device);

/* VFIO's file of the PCI device, which udev may be slow to show. */
int iommufd_device(const char *bdf);

/* The device is @fd's from now on. Its number there. */
uint32_t iommufd_bind(int fd, int device);

/* @pt: an address space or a domain. */
void iommufd_attach(int device, uint32_t pt);

/* 0 or -1 with errno. */
int iommufd_map(int fd, uint32_t ioas, const void *mem, uint64_t size, uint64_t iova, uint32_t prot);

/* What is mapped at @from, mapped at @to as well: both share their pages. 0 or -1 with errno. */
int iommufd_copy(int fd, uint32_t ioas, uint64_t from, uint64_t size, uint64_t to, uint32_t prot);

/* The bytes that were unmapped, or -1 with errno. */
int64_t iommufd_unmap(int fd, uint32_t ioas, uint64_t iova, uint64_t size);

#endif /* IOMMUFD_H */
