// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Replay: a new domain is made to say what the address space means; each type of reserved range is
 * skipped, set up or mapped as it must be.
 */
#include "ref.h"
#include "test.h"

#define AT 0x400000ULL
#define PAGES(n) ((n) * REF_PAGE)

/*
 * One range of each type, 16 pages each. The direct ones are where a PC has no memory, or a user
 * could not reserve them; and the core lets nobody own a device that has one itself: ranges.c.
 */
#define DIRECT 0xa0000ULL
#define RELAXABLE 0xb0000ULL
#define RESERVED 0x250000ULL
#define MSI 0x270000ULL
#define SW_MSI 0x290000ULL
#define RANGE_BYTES 0x10000ULL

static const struct refiommu_range ranges[] = {
	{ DIRECT, DIRECT + 0xffff, REFIOMMU_RANGE_DIRECT, REF_RW },
	{ RELAXABLE, RELAXABLE + 0xffff, REFIOMMU_RANGE_DIRECT_RELAXABLE, REF_RW },
	{ RESERVED, RESERVED + 0xffff, REFIOMMU_RANGE_RESERVED, 0 },
	{ MSI, MSI + 0xffff, REFIOMMU_RANGE_MSI, 0 },
	{ SW_MSI, SW_MSI + 0xffff, REFIOMMU_RANGE_SW_MSI, 0 },
};

FIXTURE(replay)
{
	struct ref_world w;
	int second; /* endpoint of another IOMMU of this format, with all ranges but DIRECT */
};

FIXTURE_VARIANT(replay)
{
	struct ref_kind kind;
};

REF_VARIANTS(replay);

FIXTURE_SETUP(replay)
{
	struct ref_world *w = &self->w;
	int instance;

	REF_NEED_MODULE();
	ASSERT_EQ(0, ref_world_make(w, &variant->kind));
	instance = ref_instance_ranges(w->fd, &variant->kind, ranges + 1, ARRAY_SIZE(ranges) - 1);
	ASSERT_GT(instance, 0);
	self->second = ref_endpoint(w->fd, instance, 0, REFIOMMU_DRIVER_NONE);
	ASSERT_GT(self->second, 0);
}

FIXTURE_TEARDOWN(replay)
{
}

/* A device behind another IOMMU sees what was mapped before it came. */
TEST_F(replay, second_iommu)
{
	const struct ref_world *w = &self->w;
	int endpoint[REF_NR_FORMATS];
	uint32_t at;

	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(8), w->mem));
	ASSERT_EQ(0, ref_map_prot(w->fd, w->ioas, AT + PAGES(16), AT + PAGES(17) - 1,
				  w->mem + PAGES(8), REFIOMMU_PROT_READ));
	for (at = 0; at < REF_NR_FORMATS; at++) {
		endpoint[at] = ref_endpoint(w->fd, ref_instance(w->fd, &ref_formats[at].kind, 0), 0,
					    REFIOMMU_DRIVER_NONE);
		ASSERT_EQ(0, ref_attach(w->fd, w->ioas, endpoint[at]));
		EXPECT_TRUE(ref_sees(w->fd, endpoint[at], AT, w->mem));
		EXPECT_TRUE(ref_sees(w->fd, endpoint[at], AT + PAGES(7), w->mem + PAGES(7)));
		EXPECT_TRUE(ref_sees_nothing(w->fd, endpoint[at], AT + PAGES(8)));
		EXPECT_TRUE(ref_sees(w->fd, endpoint[at], AT + PAGES(16), w->mem + PAGES(8)));
		EXPECT_EQ(REFIOMMU_FAULT_PERMISSION,
			  ref_fill(w->fd, endpoint[at], AT + PAGES(16), AT + PAGES(16) + 7, 0));
	}
	/* What is mapped and unmapped from now on is so for all. */
	ASSERT_EQ((int64_t)PAGES(8), ref_unmap_exact(w->fd, w->ioas, AT, PAGES(8)));
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT + PAGES(1), PAGES(1), w->mem + PAGES(9)));
	for (at = 0; at < REF_NR_FORMATS; at++) {
		EXPECT_TRUE(ref_sees_nothing(w->fd, endpoint[at], AT));
		EXPECT_TRUE(ref_sees(w->fd, endpoint[at], AT + PAGES(1), w->mem + PAGES(9)));
	}
}

/* The last page of the 64-bit space can be replayed, too. */
TEST_F(replay, top_of_space)
{
	const struct ref_kind other = REF_AMDV1;
	const struct ref_world *w = &self->w;
	int ioas = ref_ioas(w->fd, 0), endpoint[2];

	endpoint[0] = ref_endpoint(w->fd, ref_instance(w->fd, &other, 0), 0, REFIOMMU_DRIVER_NONE);
	endpoint[1] = ref_endpoint(w->fd, ref_instance(w->fd, &other, 1 << 12), 0,
				   REFIOMMU_DRIVER_NONE);
	ASSERT_EQ(0, ref_map(w->fd, ioas, ~0x1fffULL, PAGES(2), w->mem));
	ASSERT_EQ(0, ref_attach(w->fd, ioas, endpoint[0]));
	ASSERT_EQ(0, ref_attach(w->fd, ioas, endpoint[1]));
	EXPECT_TRUE(ref_sees(w->fd, endpoint[0], ~0xfffULL, w->mem + PAGES(1)));
	EXPECT_TRUE(ref_sees(w->fd, endpoint[1], ~0x1fffULL, w->mem));
	EXPECT_TRUE(ref_sees(w->fd, endpoint[1], ~0xfffULL, w->mem + PAGES(1)));
	ASSERT_EQ((int64_t)PAGES(2), ref_unmap_all(w->fd, ioas));
	EXPECT_TRUE(ref_sees_nothing(w->fd, endpoint[0], ~0ULL));
	EXPECT_TRUE(ref_sees_nothing(w->fd, endpoint[1], ~0ULL));
}

/* Is the range mapped 1:1 for the device, from its first to its last byte? */
static bool is_identity(const struct ref_world *w, int endpoint, uint64_t first)
{
	return ref_lookup_paddr(w->fd, endpoint, first) == first &&
	       ref_lookup_paddr(w->fd, endpoint, first + 0xffff) == first + 0xffff;
}

static bool is_empty(const struct ref_world *w, int endpoint, uint64_t first)
{
	return ref_sees_nothing(w->fd, endpoint, first) &&
	       ref_sees_nothing(w->fd, endpoint, first + 0xffff) &&
	       ref_lookup_paddr(w->fd, endpoint, first) == ~0ULL;
}

/* A user's address space maps none of them. */
TEST_F(replay, types_for_a_user)
{
	const struct ref_world *w = &self->w;
	struct refiommu_ioas_replay counts, before;
	uint32_t at;

	ASSERT_EQ(0, ref_replay(w->fd, w->ioas, 0, &before));
	ASSERT_EQ(0, ref_attach(w->fd, w->ioas, self->second));
	for (at = 0; at < ARRAY_SIZE(ranges); at++)
		EXPECT_TRUE(is_empty(w, self->second, ranges[at].first));
	ASSERT_EQ(0, ref_replay(w->fd, w->ioas, self->second, &counts));
	EXPECT_EQ(0, counts.out_mapped);
	EXPECT_EQ(0, counts.out_present);
	EXPECT_EQ(1, counts.out_setup);
	/* Reserved, MSI; and what the format itself excludes, for either device. */
	EXPECT_LE(2 + before.out_skipped, counts.out_skipped);
	EXPECT_GE(2 + 2 * before.out_skipped, counts.out_skipped);
}

/* The kernel's view: direct ranges are there, one to one, and are not the user's mappings. */
TEST_F(replay, types_for_direct)
{
	const struct ref_world *w = &self->w;
	int ioas = ref_ioas(w->fd, REFIOMMU_IOAS_DIRECT);
	struct refiommu_ioas_replay counts;
	struct refiommu_lookup lookup;

	ASSERT_EQ(0, ref_reserve(w->fd, ioas, REFIOMMU_RANGE_DIRECT, DIRECT, DIRECT + 0xffff));
	ASSERT_EQ(0, ref_map(w->fd, ioas, AT, PAGES(2), w->mem));
	ASSERT_EQ(0, ref_attach(w->fd, ioas, self->second));
	EXPECT_TRUE(is_identity(w, self->second, DIRECT));
	EXPECT_TRUE(is_identity(w, self->second, RELAXABLE));
	EXPECT_TRUE(is_empty(w, self->second, RESERVED));
	EXPECT_TRUE(is_empty(w, self->second, MSI));
	EXPECT_TRUE(is_empty(w, self->second, SW_MSI));
	EXPECT_TRUE(ref_sees(w->fd, self->second, AT, w->mem));
	ASSERT_EQ(0, ref_lookup(w->fd, ioas, 0, DIRECT, &lookup));
	EXPECT_EQ(0, lookup.out_flags & REFIOMMU_LOOKUP_MAPPING);
	EXPECT_EQ(-ERANGE, ref_map(w->fd, ioas, DIRECT, PAGES(1), w->mem));
	EXPECT_EQ(-ERANGE, ref_map(w->fd, ioas, RELAXABLE, PAGES(1), w->mem));
	ASSERT_EQ(0, ref_replay(w->fd, ioas, 0, &counts));
	EXPECT_EQ(0, counts.out_mapped);
	EXPECT_EQ(PAGES(2) + 2 * RANGE_BYTES, counts.out_present);
	EXPECT_EQ(1, counts.out_setup);
	/* The user cannot take them away. */
	EXPECT_EQ((int64_t)PAGES(2), ref_unmap_all(w->fd, ioas));
	EXPECT_TRUE(is_identity(w, self->second, DIRECT));
	EXPECT_EQ(0, ref_unmap(w->fd, ioas, REFIOMMU_UNMAP_INEXACT, DIRECT, DIRECT + 0xffff));
	EXPECT_TRUE(is_identity(w, self->second, DIRECT));
}

/* The same of ranges that the user reserved before any device came. */
TEST_F(replay, reserved_by_the_user)
{
	const struct ref_world *w = &self->w;
	int plain = ref_ioas(w->fd, 0), direct = ref_ioas(w->fd, REFIOMMU_IOAS_DIRECT);
	struct refiommu_ioas_replay counts;
	uint32_t at;

	for (at = 0; at < ARRAY_SIZE(ranges); at++) {
		ASSERT_EQ(0, ref_reserve(w->fd, plain, ranges[at].type, ranges[at].first,
					 ranges[at].last));
		ASSERT_EQ(0, ref_reserve(w->fd, direct, ranges[at].type, ranges[at].first,
					 ranges[at].last));
	}
	ASSERT_EQ(0, ref_attach(w->fd, plain, w->endpoint));
	for (at = 0; at < ARRAY_SIZE(ranges); at++)
		EXPECT_TRUE(is_empty(w, w->endpoint, ranges[at].first));
	ASSERT_EQ(0, ref_attach(w->fd, direct, w->endpoint));
	EXPECT_TRUE(is_identity(w, w->endpoint, DIRECT));
	EXPECT_TRUE(is_identity(w, w->endpoint, RELAXABLE));
	EXPECT_TRUE(is_empty(w, w->endpoint, MSI));
	ASSERT_EQ(0, ref_replay(w->fd, direct, 0, &counts));
	EXPECT_EQ(2 * RANGE_BYTES, counts.out_present);
	/* Gone with the address space. */
	ASSERT_EQ(0, ref_detach(w->fd, w->endpoint));
	EXPECT_TRUE(is_empty(w, w->endpoint, DIRECT));
}

/* A user's relaxable range is a place as any other. */
/* Whoever came first: what one device wants, all domains show, and none once it has gone. */
TEST_F(replay, direct_in_all_domains)
{
	const struct ref_world *w = &self->w;
	int ioas = ref_ioas(w->fd, REFIOMMU_IOAS_DIRECT);
	struct refiommu_ioas_replay counts;

	ASSERT_EQ(0, ref_attach(w->fd, ioas, w->endpoint));
	EXPECT_TRUE(is_empty(w, w->endpoint, RELAXABLE));
	ASSERT_EQ(0, ref_attach(w->fd, ioas, self->second));
	EXPECT_TRUE(is_identity(w, self->second, RELAXABLE));
	EXPECT_TRUE(is_identity(w, w->endpoint, RELAXABLE));
	ASSERT_EQ(0, ref_replay(w->fd, ioas, 0, &counts));
	EXPECT_EQ(0, counts.out_mapped);
	ASSERT_EQ(0, ref_detach(w->fd, self->second));
	EXPECT_TRUE(is_empty(w, w->endpoint, RELAXABLE));
}

TEST_F(replay, relaxable_is_the_users)
{
	const struct ref_world *w = &self->w;

	ASSERT_EQ(0, ref_map(w->fd, w->ioas, RELAXABLE, PAGES(2), w->mem));
	ASSERT_EQ(0, ref_attach(w->fd, w->ioas, self->second));
	EXPECT_TRUE(ref_sees(w->fd, self->second, RELAXABLE, w->mem));
	EXPECT_TRUE(ref_sees_nothing(w->fd, self->second, RELAXABLE + PAGES(2)));
}

/* A mapping under a reserved or MSI range keeps the device out. */
TEST_F(replay, excluded_ranges_keep_out)
{
	static const uint64_t places[] = { RESERVED, MSI, SW_MSI };
	const struct ref_world *w = &self->w;
	uint32_t at;

	for (at = 0; at < ARRAY_SIZE(places); at++) {
		ASSERT_EQ(0, ref_map(w->fd, w->ioas, places[at] + 0xf000, PAGES(1), w->mem));
		EXPECT_EQ(-EADDRINUSE, ref_attach(w->fd, w->ioas, self->second));
		ASSERT_EQ((int64_t)PAGES(1), ref_unmap_all(w->fd, w->ioas));
	}
	EXPECT_EQ(0, ref_attach(w->fd, w->ioas, self->second));
}

/* What the call counts: everything is there; of one device, or of all. */
TEST_F(replay, counts)
{
	const struct ref_world *w = &self->w;
	struct refiommu_ioas_replay counts;

	ASSERT_EQ(0, ref_replay(w->fd, w->ioas, 0, &counts));
	EXPECT_EQ(0, counts.out_mapped);
	EXPECT_EQ(0, counts.out_present);
	EXPECT_EQ(0, counts.out_setup);
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(3), w->mem));
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT + PAGES(8), PAGES(2), w->mem));
	ASSERT_EQ(0, ref_attach(w->fd, w->ioas, self->second));
	ASSERT_EQ(0, ref_replay(w->fd, w->ioas, w->endpoint, &counts));
	EXPECT_EQ(0, counts.out_mapped);
	EXPECT_EQ(PAGES(5), counts.out_present);
	ASSERT_EQ(0, ref_replay(w->fd, w->ioas, 0, &counts));
	EXPECT_EQ(0, counts.out_mapped);
	EXPECT_EQ(PAGES(10), counts.out_present);
	EXPECT_EQ(-ENOENT, ref_replay(w->fd, w->ioas, 4711, &counts));
	/* An address space without devices has nothing to say it to. */
	ASSERT_EQ(0, ref_detach(w->fd, w->endpoint));
	ASSERT_EQ(0, ref_detach(w->fd, self->second));
	ASSERT_EQ(0, ref_replay(w->fd, w->ioas, 0, &counts));
	EXPECT_EQ(0, counts.out_present);
}

TEST_HARNESS_MAIN
