// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * VFIO type1 over refiommu: the kernel's own user of address spaces, its replay into a second
 * domain, and what stock kernels before 7.1 do wrong at the end of the 64-bit space.
 */
#include <sys/mman.h>
#include <unistd.h>
#include "container.h"
#include "ref.h"
#include "test.h"

#define AT 0x10000000ULL /* what all formats translate, and not where type1 probes */
#define PAGES(n) ((n) * REF_PAGE)
#define PAIRS 20000

FIXTURE(vfio)
{
	int fd;
	struct ref_kind kind;
	struct container_device device;
	int container;
	uint8_t *mem;
};

FIXTURE_VARIANT(vfio)
{
	struct ref_kind kind;
};

REF_VARIANTS(vfio);

FIXTURE_SETUP(vfio)
{
	int instance;

	REF_NEED_MODULE();
	if (!container_here())
		SKIP(return, "no /dev/vfio/vfio: this kernel has no VFIO type1");
	self->fd = ref_open();
	ASSERT_GE(self->fd, 0);
	self->kind = variant->kind;
	self->mem = ref_pages(REF_WORLD_PAGES);
	instance = ref_instance(self->fd, &variant->kind, 0);
	ASSERT_GT(instance, 0);
	ASSERT_EQ(0, container_device(self->fd, instance, &self->device));
	self->container = container_open();
	ASSERT_GE(self->container, 0);
	ASSERT_EQ(0, container_add(self->container, &self->device));
}

FIXTURE_TEARDOWN(vfio)
{
}

/* What VFIO maps is what the endpoint sees. */
TEST_F(vfio, map_and_unmap)
{
	const uint64_t at = AT;
	const int ep = self->device.endpoint;

	ASSERT_EQ(0, container_map(self->container, at, PAGES(8), self->mem));
	EXPECT_TRUE(ref_sees(self->fd, ep, at, self->mem));
	EXPECT_TRUE(ref_sees(self->fd, ep, at + PAGES(7), self->mem + PAGES(7)));
	EXPECT_TRUE(ref_sees_nothing(self->fd, ep, at + PAGES(8)));
	EXPECT_EQ(0, ref_fill(self->fd, ep, at, at + 7, 9));
	EXPECT_EQ(9, *(uint64_t *)self->mem);
	EXPECT_EQ(ref_paddr(self->mem + PAGES(3)), ref_lookup_paddr(self->fd, ep, at + PAGES(3)));
	EXPECT_EQ(-EEXIST, container_map(self->container, at, PAGES(1), self->mem));
	EXPECT_EQ((int64_t)PAGES(8), container_unmap(self->container, at, PAGES(8)));
	EXPECT_TRUE(ref_sees_nothing(self->fd, ep, at));
	EXPECT_TRUE(ref_sees_nothing(self->fd, ep, at + PAGES(7)));
}

/* The group is VFIO's as long as it is in a container, and the endpoint is, too. */
TEST_F(vfio, group_is_owned)
{
	int device;

	EXPECT_EQ(-EBUSY, ref_attach(self->fd, ref_ioas(self->fd, 0), self->device.endpoint));
	device = container_use(&self->device);
	ASSERT_GE(device, 0);
	EXPECT_EQ(-EBUSY, ref_destroy(self->fd, self->device.endpoint));
	close(device);
	close(self->device.group_fd);
	close(self->container);
	EXPECT_EQ(0, ref_destroy(self->fd, self->device.endpoint));
}

TEST_F(vfio, pairs)
{
	struct refiommu_info before, now;
	int pair, page;

	ASSERT_EQ(0, ref_info(self->fd, &before));
	for (pair = 0; pair < PAIRS; pair++) {
		page = pair % REF_WORLD_PAGES;
		ASSERT_EQ(0, container_map(self->container, AT + PAGES(page), PAGES(1),
					   self->mem + PAGES(page)));
		if (pair % 500 == 0)
			EXPECT_TRUE(ref_sees(self->fd, self->device.endpoint,
					     AT + PAGES(page), self->mem + PAGES(page)));
		ASSERT_EQ((int64_t)PAGES(1),
			  container_unmap(self->container, AT + PAGES(page), PAGES(1)));
	}
	EXPECT_TRUE(ref_sees_nothing(self->fd, self->device.endpoint, AT));
	ASSERT_EQ(0, ref_info(self->fd, &now));
	EXPECT_EQ(before.out_domains, now.out_domains);
	EXPECT_EQ(before.out_iotlb_entries, now.out_iotlb_entries);
}

/* An IOMMU of another kind comes into the container: type1 makes a domain for it and replays. */
TEST_F(vfio, second_instance_is_replayed)
{
	const struct ref_kind other = REF_AMDV1;
	const int ep = self->device.endpoint;
	struct container_device second;
	const uint64_t at = AT;
	struct refiommu_info before, now;

	ASSERT_EQ(0, container_map(self->container, at, PAGES(8), self->mem));
	ASSERT_EQ(0,
		  container_map(self->container, at + PAGES(16), PAGES(2), self->mem + PAGES(8)));
	ASSERT_EQ(0, ref_info(self->fd, &before));
	ASSERT_EQ(0,
		  container_device(self->fd, ref_instance(self->fd, &other, 1ULL << 12), &second));
	ASSERT_EQ(0, container_add(self->container, &second));
	ASSERT_EQ(0, ref_info(self->fd, &now));
	EXPECT_LT(before.out_domains, now.out_domains);
	/* Both see the same memory; what one writes the other reads. */
	EXPECT_TRUE(ref_sees(self->fd, second.endpoint, at + PAGES(7), self->mem + PAGES(7)));
	EXPECT_TRUE(ref_sees(self->fd, second.endpoint, at + PAGES(17), self->mem + PAGES(9)));
	EXPECT_TRUE(ref_sees_nothing(self->fd, second.endpoint, at + PAGES(8)));
	EXPECT_EQ(0, ref_fill(self->fd, ep, at, at + 7, 0x77));
	EXPECT_TRUE(ref_sees(self->fd, second.endpoint, at, self->mem));
	/* Unmaps reach both. */
	EXPECT_EQ((int64_t)PAGES(8), container_unmap(self->container, at, PAGES(8)));
	EXPECT_TRUE(ref_sees_nothing(self->fd, ep, at));
	EXPECT_TRUE(ref_sees_nothing(self->fd, second.endpoint, at));
	EXPECT_TRUE(ref_sees(self->fd, ep, at + PAGES(16), self->mem + PAGES(8)));
	EXPECT_EQ((int64_t)PAGES(2), container_unmap_all(self->container));
	EXPECT_TRUE(ref_sees_nothing(self->fd, second.endpoint, at + PAGES(16)));
}

/* The container is closed with everything mapped. */
TEST_F(vfio, close_with_mappings)
{
	struct refiommu_info before, now;
	struct container_device second;
	const struct ref_kind kind = REF_VTD48;
	int container, instance = ref_instance(self->fd, &kind, 0);

	ASSERT_EQ(0, container_device(self->fd, instance, &second));
	ASSERT_EQ(0, ref_info(self->fd, &before));
	container = container_open();
	ASSERT_EQ(0, container_add(container, &second));
	ASSERT_EQ(0, container_map(container, AT, PAGES(16), self->mem));
	EXPECT_TRUE(ref_sees(self->fd, second.endpoint, AT, self->mem));
	ASSERT_EQ(0, ref_info(self->fd, &now));
	EXPECT_LT(before.out_table_pages, now.out_table_pages);
	close(second.group_fd);
	close(container);
	EXPECT_TRUE(ref_sees_nothing(self->fd, second.endpoint, AT));
	EXPECT_TRUE(ref_settles(self->fd, &before));
}

/*
 * Huge pages: type1 gives contiguous memory in one piece, the table has a large leaf, all bytes go
 * again.
 */
TEST_F(vfio, large_pages)
{
	uint8_t *mem = ref_huge(2 * REF_HUGE);
	const int ep = self->device.endpoint;
	struct refiommu_lookup l;

	if (!mem)
		SKIP(return, "no huge pages of 2 MiB are free");
	ASSERT_EQ(0, container_map(self->container, AT, 2 * REF_HUGE, mem));
	ASSERT_EQ(0, ref_lookup(self->fd, ep, 0, AT + REF_HUGE + 0x5678, &l));
	EXPECT_EQ(ref_paddr(mem + REF_HUGE + 0x5678), l.out_paddr);
	EXPECT_EQ(!!(variant->kind.flags & REF_KIND_SMALL), l.out_page_bytes < REF_HUGE);
	EXPECT_TRUE(ref_sees(self->fd, ep, AT + 3 * REF_PAGE, mem + 3 * REF_PAGE));
	EXPECT_EQ((int64_t)(2 * REF_HUGE), container_unmap(self->container, AT, 2 * REF_HUGE));
	EXPECT_TRUE(ref_sees_nothing(self->fd, ep, AT));
	EXPECT_TRUE(ref_sees_nothing(self->fd, ep, AT + 2 * REF_HUGE - 1));
}

/* Reserved ranges of the instance are not for VFIO's users, too. */
TEST_F(vfio, reserved_ranges)
{
	static const struct refiommu_range ranges[] = {
		{ 0x8000000, 0x80fffff, REFIOMMU_RANGE_MSI, 0 },
	};
	struct container_device second;
	int container = container_open();
	int instance = ref_instance_ranges(self->fd, &variant->kind, ranges, 1);

	ASSERT_EQ(0, container_device(self->fd, instance, &second));
	ASSERT_EQ(0, container_add(container, &second));
	EXPECT_EQ(-EINVAL, container_map(container, 0x8000000, PAGES(1), self->mem));
	EXPECT_EQ(-EINVAL, container_map(container, 0x7fff000, PAGES(2), self->mem));
	EXPECT_EQ(0, container_map(container, 0x7fff000, PAGES(1), self->mem));
	EXPECT_EQ(0, container_map(container, 0x8100000, PAGES(1), self->mem));
	close(second.group_fd);
	close(container);
}

FIXTURE(vfio_top)
{
	int fd;
	struct container_device device;
	int container;
	uint8_t *mem;
};

FIXTURE_SETUP(vfio_top)
{
	const struct ref_kind kind = REF_AMDV1;

	REF_NEED_MODULE();
	if (!container_here())
		SKIP(return, "no /dev/vfio/vfio: this kernel has no VFIO type1");
	self->fd = ref_open();
	self->mem = ref_pages(4);
	ASSERT_EQ(0, container_device(self->fd, ref_instance(self->fd, &kind, 0), &self->device));
	self->container = container_open();
	ASSERT_EQ(0, container_add(self->container, &self->device));
}

FIXTURE_TEARDOWN(vfio_top)
{
}

/*
 * The last two pages of the 64-bit space. Up to 7.0 type1 computes iova + size, which is 0: an
 * unmap says that it removed nothing, which is true, and that it worked, which is not. Fixed in 7.1
 * (ef270ec44637); which kernel this is shows in what it does.
 */
TEST_F(vfio_top, last_two_pages)
{
	const uint64_t at = ~0x1fffULL;
	const int ep = self->device.endpoint;
	int64_t bytes;

	ASSERT_EQ(0, container_map(self->container, at, PAGES(2), self->mem));
	EXPECT_TRUE(ref_sees(self->fd, ep, at + PAGES(1), self->mem + PAGES(1)));
	bytes = container_unmap(self->container, at, PAGES(2));
	if (bytes == (int64_t)PAGES(2)) {
		TH_LOG("this kernel is right: all is removed");
		EXPECT_EQ(~0ULL, ref_lookup_paddr(self->fd, ep, at));
		EXPECT_TRUE(ref_sees_nothing(self->fd, ep, at + PAGES(1)));
		EXPECT_EQ(0, container_map(self->container, at, PAGES(2), self->mem));
		EXPECT_EQ((int64_t)PAGES(2), container_unmap_all(self->container));
		return;
	}
	TH_LOG("this kernel has the bug: success, %lld bytes", (long long)bytes);
	EXPECT_EQ(0, bytes);
	EXPECT_EQ(ref_paddr(self->mem), ref_lookup_paddr(self->fd, ep, at));
	EXPECT_EQ(ref_paddr(self->mem + PAGES(1)), ref_lookup_paddr(self->fd, ep, at + PAGES(1)));
	EXPECT_TRUE(ref_sees(self->fd, ep, at, self->mem));
	/*
	 * VFIO has forgotten it: unmap of all finds nothing, and a new map is refused by the
	 * table.
	 */
	EXPECT_EQ(0, container_unmap_all(self->container));
	EXPECT_GT(0, container_map(self->container, at, PAGES(2), self->mem));
	EXPECT_TRUE(ref_sees(self->fd, ep, at, self->mem));
}

/* Two pages that end just before: right everywhere. */
TEST_F(vfio_top, all_but_the_last_page)
{
	const uint64_t at = ~0x2fffULL;

	ASSERT_EQ(0, container_map(self->container, at, PAGES(2), self->mem));
	EXPECT_TRUE(ref_sees(self->fd, self->device.endpoint, at + PAGES(1), self->mem + PAGES(1)));
	EXPECT_EQ((int64_t)PAGES(2), container_unmap(self->container, at, PAGES(2)));
	EXPECT_TRUE(ref_sees_nothing(self->fd, self->device.endpoint, at));
	EXPECT_TRUE(ref_sees_nothing(self->fd, self->device.endpoint, at + PAGES(1)));
}

TEST_HARNESS_MAIN
