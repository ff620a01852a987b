/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A VFIO container with type1 over groups of refiommu.
 */
#ifndef REF_CONTAINER_H
#define REF_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>

/* A group of an endpoint with REFIOMMU_DRIVER_VFIO; @instance as from ref_instance(). */
struct container_device {
	int endpoint;
	uint32_t group;
	uint32_t number; /* of refiommu-endpoint.N */
	int group_fd;
};

/* Is there VFIO type1 on this machine? */
bool container_here(void);
/* Makes the endpoint. -errno. */
int container_device(int fd, int instance, struct container_device *device);
/* An empty container, or -errno. */
int container_open(void);
/* Puts the device's group in; the first one chooses type1v2. -errno. */
int container_add(int container, struct container_device *device);
/* The device's file, so that it is in use; or -errno. */
int container_use(const struct container_device *device);
int container_map(int container, uint64_t iova, uint64_t bytes, const void *at);
/* The same, to be read, or to be read and written. */
int container_map_prot(int container, uint64_t iova, uint64_t bytes, const void *at, bool write);
/* Bytes that VFIO says it removed, or -errno. */
int64_t container_unmap(int container, uint64_t iova, uint64_t bytes);
int64_t container_unmap_all(int container);

#endif /* REF_CONTAINER_H */
