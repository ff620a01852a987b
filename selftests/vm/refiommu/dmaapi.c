// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The kernel's DMA API on an endpoint: what a driver maps is what the device sees, and no more;
 * with strict and with lazy flushing.
 */
#include <string.h>
#include <unistd.h>
#include "ref.h"
#include "test.h"

#define PAGES(n) ((n) * REF_PAGE)

enum { BOTH, TO_DEVICE, FROM_DEVICE };

FIXTURE(dmaapi)
{
	int fd;
	int instance;
	int endpoint;
	struct refiommu_dmaapi arg;
	struct refiommu_info before;
};

FIXTURE_VARIANT(dmaapi)
{
	struct ref_kind kind;
};

REF_VARIANTS(dmaapi);

FIXTURE_SETUP(dmaapi)
{
	REF_NEED_MODULE();
	self->fd = ref_open();
	ASSERT_GE(self->fd, 0);
	self->instance = ref_instance(self->fd, &variant->kind, 0);
	ASSERT_GT(self->instance, 0);
	self->endpoint = ref_endpoint(self->fd, self->instance, 0, REFIOMMU_DRIVER_DMA);
	ASSERT_GT(self->endpoint, 0);
	ASSERT_EQ(0, ref_info(self->fd, &self->before));
}

FIXTURE_TEARDOWN(dmaapi)
{
}

static int dma_map(FIXTURE_DATA(dmaapi) *self, uint32_t op, uint32_t dir, uint64_t bytes,
		   uint64_t offset)
{
	self->arg = (struct refiommu_dmaapi){ .offset = offset };
	return ref_dmaapi(self->fd, self->endpoint, op, dir, bytes, &self->arg);
}

static int dma_unmap(FIXTURE_DATA(dmaapi) *self, uint32_t handle)
{
	struct refiommu_dmaapi arg = { .handle = handle };

	return ref_dmaapi(self->fd, self->endpoint, REFIOMMU_DMAAPI_UNMAP, 0, 0, &arg);
}

/* The CPU's view of a handle's memory. */
static int cpu(FIXTURE_DATA(dmaapi) *self, uint32_t op, uint32_t handle, uint64_t offset,
	       void *data, uint64_t bytes)
{
	struct refiommu_dmaapi arg = {
		.handle = handle, .offset = offset, .data = (uintptr_t)data,
	};

	return ref_dmaapi(self->fd, self->endpoint, op, 0, bytes, &arg);
}

/* Device and CPU see the same memory, both ways. */
static void exchange(struct __test_metadata *_metadata, FIXTURE_DATA(dmaapi) *self, uint64_t bytes)
{
	uint64_t value = 0x1111222233334444ULL, seen = 0, addr = self->arg.out_addr;
	uint32_t handle = self->arg.out_handle;

	ASSERT_EQ(0, cpu(self, REFIOMMU_DMAAPI_CPU_WRITE, handle, bytes - 8, &value, 8));
	EXPECT_EQ(0, ref_read64(self->fd, self->endpoint, addr + bytes - 8, &seen));
	EXPECT_EQ(value, seen);
	EXPECT_EQ(0, ref_fill(self->fd, self->endpoint, addr, addr + 7, 42));
	ASSERT_EQ(0, cpu(self, REFIOMMU_DMAAPI_CPU_READ, handle, 0, &seen, 8));
	EXPECT_EQ(42, seen);
}

TEST_F(dmaapi, coherent_memory)
{
	ASSERT_EQ(0, dma_map(self, REFIOMMU_DMAAPI_ALLOC, 0, PAGES(3), 0));
	EXPECT_EQ(1, self->arg.out_handle);
	exchange(_metadata, self, PAGES(3));
	ASSERT_EQ(0, dma_unmap(self, 1));
	EXPECT_TRUE(ref_sees_nothing(self->fd, self->endpoint, self->arg.out_addr));
	EXPECT_EQ(-ENOENT, dma_unmap(self, 1));
}

TEST_F(dmaapi, streaming_memory)
{
	static const uint64_t sizes[] = { 8, 4096, 4104, PAGES(16) };
	uint32_t at;

	for (at = 0; at < ARRAY_SIZE(sizes); at++) {
		ASSERT_EQ(0, dma_map(self, REFIOMMU_DMAAPI_MAP, BOTH, sizes[at], 0));
		exchange(_metadata, self, sizes[at]);
		ASSERT_EQ(0, dma_unmap(self, self->arg.out_handle));
		EXPECT_TRUE(ref_sees_nothing(self->fd, self->endpoint, self->arg.out_addr));
	}
}

/* The direction is the permission. */
TEST_F(dmaapi, directions)
{
	uint64_t value, addr;

	ASSERT_EQ(0, dma_map(self, REFIOMMU_DMAAPI_MAP, TO_DEVICE, 4096, 0));
	addr = self->arg.out_addr;
	EXPECT_EQ(0, ref_read64(self->fd, self->endpoint, addr, &value));
	EXPECT_EQ(REFIOMMU_FAULT_PERMISSION, ref_fill(self->fd, self->endpoint, addr, addr + 7, 0));
	ASSERT_EQ(0, dma_map(self, REFIOMMU_DMAAPI_MAP, FROM_DEVICE, 4096, 0));
	addr = self->arg.out_addr;
	EXPECT_EQ(0, ref_fill(self->fd, self->endpoint, addr, addr + 7, 0));
	EXPECT_EQ(ref_read_fault(&variant->kind, REFIOMMU_PROT_WRITE),
		  ref_read64(self->fd, self->endpoint, addr, &value));
}

/* A piece of a page: the device gets its offset, and pages around it as whole pages. */
TEST_F(dmaapi, offset_in_a_page)
{
	ASSERT_EQ(0, dma_map(self, REFIOMMU_DMAAPI_MAP, BOTH, 4096, 0x100));
	EXPECT_EQ(0x100, self->arg.out_addr & 0xfff);
	exchange(_metadata, self, 4096);
	EXPECT_TRUE(
		ref_sees_nothing(self->fd, self->endpoint, (self->arg.out_addr & ~0xfffULL) - 1));
	EXPECT_EQ(-EINVAL, dma_map(self, REFIOMMU_DMAAPI_MAP, BOTH, 64, 4096));
}

/* Eight pages as one segment, written by the CPU, read by the device. */
static void map_sg(struct __test_metadata *_metadata, FIXTURE_DATA(dmaapi) *self)
{
	struct refiommu_dmaapi *arg = &self->arg;
	uint64_t at, seen, value;

	*arg = (struct refiommu_dmaapi){ .nents = 8 };
	ASSERT_EQ(0, ref_dmaapi(self->fd, self->endpoint, REFIOMMU_DMAAPI_MAP_SG, BOTH, 0, arg));
	ASSERT_EQ(1, arg->out_nents) {
		TH_LOG("an IOMMU joins pages to one segment");
	}
	for (at = 0; at < 8; at++) {
		value = 1000 + at;
		ASSERT_EQ(0, cpu(self, REFIOMMU_DMAAPI_CPU_WRITE, arg->out_handle, PAGES(at),
				 &value, 8));
		EXPECT_EQ(0,
			  ref_read64(self->fd, self->endpoint, arg->out_addr + PAGES(at), &seen));
		EXPECT_EQ(value, seen);
	}
	ASSERT_EQ(0, dma_unmap(self, arg->out_handle));
}

TEST_F(dmaapi, scatter_gather)
{
	uint64_t at;

	/* Takes the highest addresses: see below. */
	ASSERT_EQ(0, dma_map(self, REFIOMMU_DMAAPI_ALLOC, BOTH, PAGES(1), 0));
	map_sg(_metadata, self);
	for (at = 0; at < 8; at++)
		EXPECT_TRUE(
			ref_sees_nothing(self->fd, self->endpoint, self->arg.out_addr + PAGES(at)));
}

/*
 * Where IOVAs go to 2^64, the first segment ends there. Stock kernels compute its end, get 0, take
 * that for "nothing was mapped" and unmap nothing (iommu_dma_unmap_sg()). What this kernel does
 * shows.
 */
TEST_F(dmaapi, scatter_gather_at_the_end)
{
	int at, left = 0;

	map_sg(_metadata, self);
	for (at = 0; at < 8; at++)
		left += !ref_sees_nothing(self->fd, self->endpoint, self->arg.out_addr + PAGES(at));
	if (left)
		TH_LOG("this kernel has the bug: %d of 8 pages are left at %llx", left,
		       (unsigned long long)self->arg.out_addr);
	EXPECT_EQ(self->arg.out_addr + PAGES(8) == 0 && left ? 8 : 0, left);
}

TEST_F(dmaapi, sync)
{
	struct refiommu_dmaapi arg = { };
	uint32_t op;

	ASSERT_EQ(0, dma_map(self, REFIOMMU_DMAAPI_MAP, FROM_DEVICE, PAGES(2), 0));
	for (op = REFIOMMU_DMAAPI_SYNC_CPU; op <= REFIOMMU_DMAAPI_SYNC_DEVICE; op++) {
		arg.handle = self->arg.out_handle;
		EXPECT_EQ(0, ref_dmaapi(self->fd, self->endpoint, op, FROM_DEVICE, 0, &arg));
		arg.handle = 4711;
		EXPECT_EQ(-ENOENT, ref_dmaapi(self->fd, self->endpoint, op, FROM_DEVICE, 0, &arg));
	}
}

TEST_F(dmaapi, refused)
{
	struct refiommu_dmaapi *arg = &self->arg;
	uint64_t value;
	int none = ref_endpoint(self->fd, self->instance, 0, REFIOMMU_DRIVER_NONE);

	EXPECT_EQ(-EINVAL, dma_map(self, 0, 0, 4096, 0));
	EXPECT_EQ(-EINVAL, dma_map(self, 9, 0, 4096, 0));
	EXPECT_EQ(-EINVAL, dma_map(self, REFIOMMU_DMAAPI_MAP, 0, 0, 0));
	EXPECT_EQ(-EINVAL, dma_map(self, REFIOMMU_DMAAPI_MAP, 3, 4096, 0));
	EXPECT_EQ(-EINVAL, dma_map(self, REFIOMMU_DMAAPI_MAP, 0, REFIOMMU_DMAAPI_MAX + 1, 0));
	EXPECT_EQ(-EINVAL, dma_map(self, REFIOMMU_DMAAPI_ALLOC, 0, ~0ULL, 0));
	*arg = (struct refiommu_dmaapi){ .nents = 1025 };
	EXPECT_EQ(-EINVAL, ref_dmaapi(self->fd, self->endpoint, REFIOMMU_DMAAPI_MAP_SG, 0, 0, arg));
	*arg = (struct refiommu_dmaapi){ .nents = 0 };
	EXPECT_EQ(-EINVAL, ref_dmaapi(self->fd, self->endpoint, REFIOMMU_DMAAPI_MAP_SG, 0, 0, arg));
	*arg = (struct refiommu_dmaapi){ };
	EXPECT_EQ(-EOPNOTSUPP, ref_dmaapi(self->fd, none, REFIOMMU_DMAAPI_MAP, 0, 4096, arg));
	/* The CPU does not see beyond the memory. */
	ASSERT_EQ(0, dma_map(self, REFIOMMU_DMAAPI_MAP, 0, 4096, 0));
	EXPECT_EQ(-EINVAL, cpu(self, REFIOMMU_DMAAPI_CPU_READ, arg->out_handle, 4089, &value, 8));
	EXPECT_EQ(-EINVAL, cpu(self, REFIOMMU_DMAAPI_CPU_READ, arg->out_handle, ~0ULL, &value, 8));
	EXPECT_EQ(-EFAULT, cpu(self, REFIOMMU_DMAAPI_CPU_READ, arg->out_handle, 0, (void *)8, 8));
}

/* Handles are reused or not, but two live ones never share an address. */
TEST_F(dmaapi, many_handles)
{
	uint64_t addr[64];
	uint32_t handle[64], at, other;

	for (at = 0; at < 64; at++) {
		ASSERT_EQ(0, dma_map(self, REFIOMMU_DMAAPI_MAP, BOTH, PAGES(1 + at % 3), 0));
		addr[at] = self->arg.out_addr;
		handle[at] = self->arg.out_handle;
		for (other = 0; other < at; other++) {
			EXPECT_NE(addr[other], addr[at]);
			EXPECT_NE(handle[other], handle[at]);
		}
	}
	for (at = 0; at < 64; at += 2)
		ASSERT_EQ(0, dma_unmap(self, handle[at]));
	for (at = 0; at < 64; at++)
		EXPECT_EQ(at % 2 == 0, ref_sees_nothing(self->fd, self->endpoint, addr[at]));
}

/* A driver that leaves its mappings behind: they end with the endpoint. */
TEST_F(dmaapi, open_handles_end_with_the_endpoint)
{
	int endpoint = ref_endpoint(self->fd, self->instance, 0, REFIOMMU_DRIVER_DMA);
	int own = self->endpoint;

	self->endpoint = endpoint;
	ASSERT_EQ(0, dma_map(self, REFIOMMU_DMAAPI_MAP, BOTH, PAGES(4), 0));
	ASSERT_EQ(0, dma_map(self, REFIOMMU_DMAAPI_ALLOC, BOTH, PAGES(4), 0));
	self->endpoint = own;
	EXPECT_EQ(0, ref_destroy(self->fd, endpoint));
	EXPECT_TRUE(ref_settles(self->fd, &self->before));
}

/* Nobody can own the group of a device that a kernel driver uses. */
TEST_F(dmaapi, device_is_the_drivers)
{
	int ioas = ref_ioas(self->fd, 0);

	ASSERT_EQ(0, dma_map(self, REFIOMMU_DMAAPI_MAP, BOTH, PAGES(1), 0));
	EXPECT_EQ(-EBUSY, ref_attach(self->fd, ioas, self->endpoint));
	exchange(_metadata, self, PAGES(1));
}

/*
 * A device's direct ranges are in the kernel's own domain, and the DMA API never gives them away.
 */
TEST_F(dmaapi, direct_ranges)
{
	static const struct refiommu_range direct = {
		0xa0000, 0xaffff, REFIOMMU_RANGE_DIRECT, REF_RW,
	};
	int instance = ref_instance_ranges(self->fd, &variant->kind, &direct, 1);
	uint64_t iova;

	self->endpoint = ref_endpoint(self->fd, instance, 0, REFIOMMU_DRIVER_DMA);
	ASSERT_GT(self->endpoint, 0);
	for (iova = direct.first; iova < direct.last; iova += REF_PAGE)
		EXPECT_EQ(iova, ref_lookup_paddr(self->fd, self->endpoint, iova));
	EXPECT_EQ(~0ULL, ref_lookup_paddr(self->fd, self->endpoint, direct.last + 1));
	ASSERT_EQ(0, dma_map(self, REFIOMMU_DMAAPI_MAP, BOTH, PAGES(4), 0));
	exchange(_metadata, self, PAGES(4));
	EXPECT_EQ(direct.first, ref_lookup_paddr(self->fd, self->endpoint, direct.first));
}

/*
 * Lazy: after an unmap the device may still reach the page for a while, where the machine's policy
 * allows that; then it may not. A page that is reached meanwhile is told as stale.
 */
TEST_F(dmaapi, lazy_unmap_ends_some_time)
{
	struct refiommu_dma dma;
	int tries, stale = 0;

	self->instance = ref_instance_lazy(self->fd, &variant->kind);
	self->endpoint = ref_endpoint(self->fd, self->instance, 0, REFIOMMU_DRIVER_DMA);
	ASSERT_GT(self->endpoint, 0);
	ASSERT_EQ(0, dma_map(self, REFIOMMU_DMAAPI_MAP, BOTH, PAGES(1), 0));
	exchange(_metadata, self, PAGES(1));
	ASSERT_EQ(0, dma_unmap(self, self->arg.out_handle));
	for (tries = 0; tries < 300; tries++) {
		if (ref_probe(self->fd, self->endpoint, self->arg.out_addr, &dma))
			break;
		EXPECT_NE(0, dma.out_flags & REFIOMMU_DMA_STALE_IOTLB);
		stale++;
		usleep(10000);
	}
	EXPECT_TRUE(ref_sees_nothing(self->fd, self->endpoint, self->arg.out_addr));
	TH_LOG("reachable for %d probes after the unmap", stale);
}

TEST_HARNESS_MAIN
