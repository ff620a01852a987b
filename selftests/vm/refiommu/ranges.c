// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Permitted and reserved ranges: what the formats, the instances and the user take away, and what
 * remains as their intersection.
 */
#include <string.h>
#include "ref.h"
#include "test.h"

#define AT REF_IOVA
#define NO_RAM 0xa0000ULL /* physical addresses of graphics, in every PC */
#define MSI_FIRST 0xfee00000ULL
#define MSI_LAST 0xfeefffffULL

FIXTURE(ranges)
{
	struct ref_world w;
	struct refiommu_range got[8];
};

FIXTURE_VARIANT(ranges)
{
	struct ref_kind kind;
};

REF_VARIANTS(ranges);

FIXTURE_SETUP(ranges)
{
	REF_NEED_MODULE();
	ASSERT_EQ(0, ref_world_make(&self->w, &variant->kind));
}

FIXTURE_TEARDOWN(ranges)
{
}

static int permitted(const struct ref_world *w, int ioas, struct refiommu_range *got)
{
	return ref_ranges(w->fd, ioas, REFIOMMU_RANGES_PERMITTED, got, 8);
}

/* What a format translates is what it permits. */
TEST_F(ranges, permitted_is_the_format)
{
	const struct ref_world *w = &self->w;
	bool tce = variant->kind.format == REFIOMMU_FORMAT_TCE;
	int nr = permitted(w, w->ioas, self->got);

	ASSERT_EQ(tce ? 2 : 1, nr);
	EXPECT_EQ(0, self->got[0].first);
	EXPECT_EQ(variant->kind.top, self->got[nr - 1].last);
	EXPECT_EQ(0, self->got[0].type);
	EXPECT_EQ(0, self->got[0].prot);
	if (tce) {
		EXPECT_EQ((1ULL << 30) - 1, self->got[0].last);
		EXPECT_EQ(1ULL << 59, self->got[1].first);
	}
}

TEST_F(ranges, without_a_device_all_is_permitted)
{
	const struct ref_world *w = &self->w;
	int ioas = ref_ioas(w->fd, 0);

	ASSERT_EQ(1, permitted(w, ioas, self->got));
	EXPECT_EQ(0, self->got[0].first);
	EXPECT_EQ(~0ULL, self->got[0].last);
	/* A detached device's limits are gone, too. */
	ASSERT_EQ(0, ref_detach(w->fd, w->endpoint));
	ASSERT_EQ(1, permitted(w, w->ioas, self->got));
	EXPECT_EQ(~0ULL, self->got[0].last);
}

/* Room for fewer than there are: as many as fit, and how many there are. */
TEST_F(ranges, too_little_room)
{
	const struct ref_world *w = &self->w;
	struct refiommu_ioas_ranges arg = {
		.size = sizeof(arg), .ioas_id = w->ioas, .which = REFIOMMU_RANGES_PERMITTED,
		.ranges = (uintptr_t)self->got,
	};
	uint32_t nr = permitted(w, w->ioas, self->got);

	EXPECT_EQ(-EMSGSIZE, ref_call(w->fd, REFIOMMU_IOAS_RANGES, &arg));
	EXPECT_EQ(nr, arg.out_nr);
	ASSERT_EQ(0, ref_reserve(w->fd, w->ioas, REFIOMMU_RANGE_RESERVED, 0x5000, 0x5fff));
	memset(self->got, 0xff, sizeof(self->got));
	arg.nr = 1;
	EXPECT_EQ(-EMSGSIZE, ref_call(w->fd, REFIOMMU_IOAS_RANGES, &arg));
	EXPECT_EQ(nr + 1, arg.out_nr);
	EXPECT_EQ(0x4fff, self->got[0].last);
	EXPECT_EQ(~0ULL, self->got[1].first);
	arg.nr = 8;
	arg.which = 3;
	EXPECT_EQ(-EINVAL, ref_call(w->fd, REFIOMMU_IOAS_RANGES, &arg));
	arg.which = REFIOMMU_RANGES_PERMITTED;
	arg.ranges = 8;
	EXPECT_EQ(-EFAULT, ref_call(w->fd, REFIOMMU_IOAS_RANGES, &arg));
}

/* A range that the user reserves is a hole, and a map that touches it fails. */
TEST_F(ranges, reserve_makes_a_hole)
{
	const struct ref_world *w = &self->w;
	static const uint32_t types[] = {
		REFIOMMU_RANGE_RESERVED, REFIOMMU_RANGE_MSI,
	};
	uint32_t at;

	for (at = 0; at < ARRAY_SIZE(types); at++) {
		uint64_t first = AT + at * 0x10000;

		ASSERT_EQ(0, ref_reserve(w->fd, w->ioas, types[at], first, first + 0x1fff));
		EXPECT_EQ(-ERANGE, ref_map(w->fd, w->ioas, first, REF_PAGE, w->mem));
		EXPECT_EQ(-ERANGE, ref_map(w->fd, w->ioas, first + 0x1000, REF_PAGE, w->mem));
		EXPECT_EQ(-ERANGE, ref_map(w->fd, w->ioas, first - 0x1000, 2 * REF_PAGE, w->mem));
		EXPECT_EQ(-ERANGE, ref_map(w->fd, w->ioas, first - 0x1000, 8 * REF_PAGE, w->mem));
		EXPECT_EQ(0, ref_map(w->fd, w->ioas, first - 0x1000, REF_PAGE, w->mem));
		EXPECT_EQ(0, ref_map(w->fd, w->ioas, first + 0x2000, REF_PAGE, w->mem));
	}
	ASSERT_LE(3, permitted(w, w->ioas, self->got));
	EXPECT_EQ(AT - 1, self->got[0].last);
	EXPECT_EQ(AT + 0x2000, self->got[1].first);
}

TEST_F(ranges, reserve_refuses)
{
	const struct ref_world *w = &self->w;
	const int fd = w->fd, ioas = w->ioas;

	ASSERT_EQ(0, ref_map(fd, ioas, AT, 2 * REF_PAGE, w->mem));
	EXPECT_EQ(-EADDRINUSE,
		  ref_reserve(fd, ioas, REFIOMMU_RANGE_RESERVED, AT + 0x1000, AT + 0x1fff));
	EXPECT_EQ(-EADDRINUSE, ref_reserve(fd, ioas, REFIOMMU_RANGE_MSI, 0, ~0ULL));
	ASSERT_EQ(0, ref_reserve(fd, ioas, REFIOMMU_RANGE_RESERVED, AT + 0x2000, AT + 0x3fff));
	EXPECT_EQ(-EEXIST, ref_reserve(fd, ioas, REFIOMMU_RANGE_MSI, AT + 0x3000, AT + 0x4fff));
	EXPECT_EQ(-EEXIST,
		  ref_reserve(fd, ioas, REFIOMMU_RANGE_RESERVED, AT + 0x2000, AT + 0x3fff));
	EXPECT_EQ(-EOVERFLOW, ref_reserve(fd, ioas, REFIOMMU_RANGE_MSI, AT + 0x8000, AT + 0x7fff));
	EXPECT_EQ(-EINVAL, ref_reserve(fd, ioas, REFIOMMU_RANGE_MSI, AT + 0x8001, AT + 0x8fff));
	EXPECT_EQ(-EINVAL, ref_reserve(fd, ioas, REFIOMMU_RANGE_MSI, AT + 0x8000, AT + 0x8ffe));
	EXPECT_EQ(-EINVAL, ref_reserve(fd, ioas, 0, AT + 0x8000, AT + 0x8fff));
	EXPECT_EQ(-EINVAL, ref_reserve(fd, ioas, 6, AT + 0x8000, AT + 0x8fff));
	/* What would have to be replayed cannot come while devices are there. */
	EXPECT_EQ(-EBUSY, ref_reserve(fd, ioas, REFIOMMU_RANGE_DIRECT, NO_RAM, NO_RAM + 0xfff));
	EXPECT_EQ(-EBUSY, ref_reserve(fd, ioas, REFIOMMU_RANGE_SW_MSI, AT + 0x8000, AT + 0x8fff));
	ASSERT_EQ(0, ref_detach(fd, w->endpoint));
	EXPECT_EQ(0, ref_reserve(fd, ioas, REFIOMMU_RANGE_DIRECT, NO_RAM, NO_RAM + 0xfff));
	/* The core cannot tell physical page 0 from none. */
	EXPECT_EQ(-EINVAL, ref_reserve(fd, ioas, REFIOMMU_RANGE_DIRECT, 0, 0xfff));
	/* The kernel's memory is not the user's to reach. */
	EXPECT_EQ(-EPERM, ref_reserve(fd, ioas, REFIOMMU_RANGE_DIRECT, AT + 0x8000, AT + 0x8fff));
	EXPECT_EQ(-EPERM, ref_reserve(fd, ioas, REFIOMMU_RANGE_DIRECT_RELAXABLE, AT, AT + 0xffff));
}

/* The permission belongs to direct ranges alone. */
TEST_F(ranges, reserve_permissions)
{
	struct refiommu_ioas_reserve arg = {
		.size = sizeof(arg), .ioas_id = ref_ioas(self->w.fd, 0),
		.type = REFIOMMU_RANGE_MSI, .prot = REFIOMMU_PROT_READ,
		.first = NO_RAM, .last = NO_RAM + 0xfff,
	};

	EXPECT_EQ(-EINVAL, ref_call(self->w.fd, REFIOMMU_IOAS_RESERVE, &arg));
	arg.type = REFIOMMU_RANGE_DIRECT;
	arg.prot = 8;
	EXPECT_GT(0, ref_call(self->w.fd, REFIOMMU_IOAS_RESERVE, &arg));
	arg.prot = REFIOMMU_PROT_READ;
	EXPECT_EQ(0, ref_call(self->w.fd, REFIOMMU_IOAS_RESERVE, &arg));
}

/*
 * An instance's ranges count while one of its devices is attached; every type is told as what it
 * is.
 */
TEST_F(ranges, instance_ranges)
{
	static const struct refiommu_range ranges[] = {
		{ 0x30000, 0x3ffff, REFIOMMU_RANGE_RESERVED, 0 },
		{ 0x50000, 0x5ffff, REFIOMMU_RANGE_MSI, 0 },
		{ 0x70000, 0x7ffff, REFIOMMU_RANGE_SW_MSI, 0 },
		{ NO_RAM, NO_RAM + 0xffff, REFIOMMU_RANGE_DIRECT_RELAXABLE, REFIOMMU_PROT_READ },
	};
	const struct ref_world *w = &self->w;
	int ioas, instance, endpoint, nr, at;
	bool excluded;

	instance = ref_instance_ranges(w->fd, &variant->kind, ranges, ARRAY_SIZE(ranges));
	ASSERT_GT(instance, 0);
	endpoint = ref_endpoint(w->fd, instance, 0, REFIOMMU_DRIVER_NONE);
	ioas = ref_ioas(w->fd, 0);
	ASSERT_EQ(0, ref_attach(w->fd, ioas, endpoint));
	nr = ref_ranges(w->fd, ioas, REFIOMMU_RANGES_RESERVED, self->got, 8);
	ASSERT_GE(nr, (int)ARRAY_SIZE(ranges));
	for (at = 0; at < (int)ARRAY_SIZE(ranges); at++) {
		EXPECT_EQ(ranges[at].first, self->got[at].first);
		EXPECT_EQ(ranges[at].last, self->got[at].last);
		EXPECT_EQ(ranges[at].type, self->got[at].type);
		EXPECT_EQ(ranges[at].prot, self->got[at].prot);
		excluded = ranges[at].type != REFIOMMU_RANGE_DIRECT_RELAXABLE;
		EXPECT_EQ(excluded ? -ERANGE : 0,
			  ref_map(w->fd, ioas, ranges[at].first, REF_PAGE, w->mem)) {
			TH_LOG("type %u", ranges[at].type);
		}
	}
	ASSERT_EQ(0, ref_detach(w->fd, endpoint));
	EXPECT_EQ(0, ref_ranges(w->fd, ioas, REFIOMMU_RANGES_RESERVED, self->got, 8));
	EXPECT_EQ(0, ref_map(w->fd, ioas, ranges[1].first, REF_PAGE, w->mem));
}

/* A device with a direct range must keep it, so the core lets nobody own it; VFIO cannot, too. */
TEST_F(ranges, direct_devices_are_not_owned)
{
	static const struct refiommu_range direct = {
		NO_RAM, NO_RAM + 0xffff, REFIOMMU_RANGE_DIRECT, REF_RW,
	};
	const struct ref_world *w = &self->w;
	int instance, endpoint;

	instance = ref_instance_ranges(w->fd, &variant->kind, &direct, 1);
	endpoint = ref_endpoint(w->fd, instance, 0, REFIOMMU_DRIVER_NONE);
	ASSERT_GT(endpoint, 0);
	EXPECT_EQ(-EINVAL, ref_attach(w->fd, w->ioas, endpoint));
	EXPECT_EQ(-ENOENT, ref_detach(w->fd, endpoint));
	EXPECT_EQ(0, ref_map(w->fd, w->ioas, direct.first, REF_PAGE, w->mem));
	EXPECT_TRUE(ref_sees(w->fd, w->endpoint, direct.first, w->mem));
}

/* Two devices behind different IOMMUs: what both permit. */
TEST_F(ranges, intersection)
{
	static const struct refiommu_range msi = { MSI_FIRST, MSI_LAST, REFIOMMU_RANGE_MSI, 0 };
	const struct ref_kind other = REF_VTD48;
	const struct ref_world *w = &self->w;
	uint64_t top = variant->kind.top;
	int instance, endpoint, nr;

	instance = ref_instance_ranges(w->fd, &other, &msi, 1);
	endpoint = ref_endpoint(w->fd, instance, 0, REFIOMMU_DRIVER_NONE);
	ASSERT_EQ(0, ref_attach(w->fd, w->ioas, endpoint));
	nr = permitted(w, w->ioas, self->got);
	if (variant->kind.format == REFIOMMU_FORMAT_TCE) {
		ASSERT_EQ(1, nr);
		EXPECT_EQ((1ULL << 30) - 1, self->got[0].last);
		EXPECT_EQ(-ERANGE, ref_map(w->fd, w->ioas, 1ULL << 59, REF_PAGE, w->mem));
		return;
	}
	ASSERT_EQ(2, nr);
	EXPECT_EQ(MSI_FIRST - 1, self->got[0].last);
	EXPECT_EQ(MSI_LAST + 1, self->got[1].first);
	EXPECT_EQ(top < other.top ? top : other.top, self->got[1].last);
	EXPECT_EQ(-ERANGE, ref_map(w->fd, w->ioas, MSI_FIRST, REF_PAGE, w->mem));
	EXPECT_EQ(-ERANGE, ref_map(w->fd, w->ioas, MSI_FIRST - REF_PAGE, 2 * REF_PAGE, w->mem));
	EXPECT_EQ(0, ref_map(w->fd, w->ioas, MSI_LAST + 1, REF_PAGE, w->mem));
}

/* A new device that does not permit what is mapped is refused, and nothing has changed. */
TEST_F(ranges, mappings_in_the_way)
{
	static const struct refiommu_range msi = {
		AT + 0x1000, AT + 0x1fff, REFIOMMU_RANGE_MSI, 0,
	};
	const struct ref_world *w = &self->w;
	int instance, endpoint;
	struct refiommu_info before;

	instance = ref_instance_ranges(w->fd, &variant->kind, &msi, 1);
	endpoint = ref_endpoint(w->fd, instance, 0, REFIOMMU_DRIVER_NONE);
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, 4 * REF_PAGE, w->mem));
	ASSERT_EQ(0, ref_info(w->fd, &before));
	EXPECT_EQ(-EADDRINUSE, ref_attach(w->fd, w->ioas, endpoint));
	EXPECT_TRUE(ref_settles(w->fd, &before));
	EXPECT_EQ(-ENOENT, ref_detach(w->fd, endpoint));
	EXPECT_EQ(0, ref_ranges(w->fd, w->ioas, REFIOMMU_RANGES_RESERVED, self->got, 8) -
		  (variant->kind.format == REFIOMMU_FORMAT_TCE));
	EXPECT_TRUE(ref_sees(w->fd, w->endpoint, AT + 0x1000, w->mem + 0x1000));
	EXPECT_EQ(4 * (int64_t)REF_PAGE, ref_unmap_all(w->fd, w->ioas));
	EXPECT_EQ(0, ref_attach(w->fd, w->ioas, endpoint));
}

TEST_HARNESS_MAIN
