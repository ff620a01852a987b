// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Address spaces that unmap differently: SPLIT, which may cut mappings, and UNTRACKED, where the
 * table is the truth.
 */
#include <string.h>
#include "ref.h"
#include "test.h"

#define AT REF_IOVA
#define PAGES(n) ((n) * REF_PAGE)

FIXTURE(split)
{
	struct ref_world w;
};

FIXTURE_VARIANT(split)
{
	struct ref_kind kind;
};

REF_VARIANTS(split);

FIXTURE_SETUP(split)
{
	REF_NEED_MODULE();
	ASSERT_EQ(0, ref_world_make_with(&self->w, &variant->kind, 0, REFIOMMU_IOAS_SPLIT));
}

FIXTURE_TEARDOWN(split)
{
}

/* From the middle, from both ends; what stays keeps its memory and its attribution. */
TEST_F(split, inexact_unmap_cuts)
{
	const struct ref_world *w = &self->w;
	const uint32_t form = REFIOMMU_UNMAP_INEXACT;
	struct refiommu_lookup lookup;
	int at;

	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(8), w->mem));
	EXPECT_EQ((int64_t)PAGES(2),
		  ref_unmap(w->fd, w->ioas, form, AT + PAGES(3), AT + PAGES(5) - 1));
	EXPECT_EQ((int64_t)PAGES(1),
		  ref_unmap(w->fd, w->ioas, form, AT - PAGES(4), AT + PAGES(1) - 1));
	EXPECT_EQ((int64_t)PAGES(1), ref_unmap(w->fd, w->ioas, form, AT + PAGES(7), ~0ULL));
	for (at = 0; at < 8; at++) {
		bool gone = at == 0 || at == 3 || at == 4 || at == 7;

		EXPECT_EQ(gone, ref_sees_nothing(w->fd, w->endpoint, AT + PAGES(at)));
		EXPECT_EQ(!gone, ref_sees(w->fd, w->endpoint, AT + PAGES(at), w->mem + PAGES(at)));
	}
	ASSERT_EQ(0, ref_lookup(w->fd, w->ioas, 0, AT + PAGES(6), &lookup));
	EXPECT_EQ(AT + PAGES(5), lookup.out_map_first);
	EXPECT_EQ(AT + PAGES(7) - 1, lookup.out_map_last);
	EXPECT_EQ((uintptr_t)w->mem + PAGES(5), lookup.out_map_uaddr);
	/* Both pieces are mappings now. */
	EXPECT_EQ((int64_t)PAGES(2), ref_unmap_exact(w->fd, w->ioas, AT + PAGES(1), PAGES(2)));
	EXPECT_EQ((int64_t)PAGES(2), ref_unmap_exact(w->fd, w->ioas, AT + PAGES(5), PAGES(2)));
}

/* Exact stays exact, also here. */
TEST_F(split, exact_unmap_does_not_cut)
{
	const struct ref_world *w = &self->w;

	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(4), w->mem));
	EXPECT_EQ(-EINVAL, ref_unmap_exact(w->fd, w->ioas, AT, PAGES(2)));
	EXPECT_EQ((int64_t)PAGES(4), ref_unmap_exact(w->fd, w->ioas, AT, PAGES(4)));
}

/* The price of splitting: no leaf is larger than 4 KiB. */
TEST_F(split, no_large_pages)
{
	const struct ref_world *w = &self->w;
	uint8_t *mem = ref_huge(REF_HUGE);
	struct refiommu_lookup lookup;
	struct refiommu_info before, now;

	if (!mem)
		SKIP(return, "no huge page of 2 MiB is free");
	ASSERT_EQ(0, ref_info(w->fd, &before));
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, REF_HUGE, REF_HUGE, mem));
	ASSERT_EQ(0, ref_lookup(w->fd, w->endpoint, 0, REF_HUGE + PAGES(5), &lookup));
	EXPECT_EQ(REF_PAGE, lookup.out_page_bytes);
	EXPECT_EQ((int64_t)PAGES(1), ref_unmap(w->fd, w->ioas, REFIOMMU_UNMAP_INEXACT,
					       REF_HUGE + PAGES(5), REF_HUGE + PAGES(6) - 1));
	EXPECT_TRUE(ref_sees_nothing(w->fd, w->endpoint, REF_HUGE + PAGES(5)));
	EXPECT_TRUE(ref_sees(w->fd, w->endpoint, REF_HUGE + PAGES(6), mem + PAGES(6)));
	EXPECT_EQ((int64_t)(REF_HUGE - REF_PAGE), ref_unmap_all(w->fd, w->ioas));
	ASSERT_EQ(0, ref_info(w->fd, &now));
	EXPECT_EQ(before.out_pinned_pages, now.out_pinned_pages);
}

FIXTURE(untracked)
{
	struct ref_world w;
};

FIXTURE_VARIANT(untracked)
{
	struct ref_kind kind;
};

REF_VARIANTS(untracked);

FIXTURE_SETUP(untracked)
{
	REF_NEED_MODULE();
	ASSERT_EQ(0, ref_world_make_with(&self->w, &variant->kind, 0, REFIOMMU_IOAS_UNTRACKED));
}

FIXTURE_TEARDOWN(untracked)
{
}

TEST_F(untracked, combinations)
{
	const int fd = self->w.fd;

	EXPECT_GT(0, ref_ioas(fd, REFIOMMU_IOAS_UNTRACKED | REFIOMMU_IOAS_SPLIT));
	EXPECT_GT(0, ref_ioas(fd, REFIOMMU_IOAS_UNTRACKED | REFIOMMU_IOAS_DIRECT));
	EXPECT_LT(0, ref_ioas(fd, REFIOMMU_IOAS_UNTRACKED | REFIOMMU_IOAS_NOTIFY));
	EXPECT_LT(0, ref_ioas(fd, REFIOMMU_IOAS_SPLIT | REFIOMMU_IOAS_DIRECT));
}

/* There is no table before the first device. */
TEST_F(untracked, map_needs_a_device)
{
	int ioas = ref_ioas(self->w.fd, REFIOMMU_IOAS_UNTRACKED);

	ASSERT_GT(ioas, 0);
	EXPECT_EQ(-ENODEV, ref_map(self->w.fd, ioas, AT, REF_PAGE, self->w.mem));
}

TEST_F(untracked, map_and_unmap)
{
	const struct ref_world *w = &self->w;
	const uint32_t form = REFIOMMU_UNMAP_INEXACT;
	struct refiommu_lookup lookup;
	struct refiommu_info before, now;

	ASSERT_EQ(0, ref_info(w->fd, &before));
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(8), w->mem));
	EXPECT_EQ(-EEXIST, ref_map(w->fd, w->ioas, AT + PAGES(7), PAGES(2), w->mem));
	EXPECT_TRUE(ref_sees(w->fd, w->endpoint, AT + PAGES(3), w->mem + PAGES(3)));
	EXPECT_EQ(-EOPNOTSUPP, ref_unmap_exact(w->fd, w->ioas, AT, PAGES(8)));
	/* Any part may go. */
	EXPECT_EQ((int64_t)PAGES(2),
		  ref_unmap(w->fd, w->ioas, form, AT + PAGES(3), AT + PAGES(5) - 1));
	EXPECT_EQ(0, ref_unmap(w->fd, w->ioas, form, AT + PAGES(3), AT + PAGES(5) - 1));
	EXPECT_TRUE(ref_sees_nothing(w->fd, w->endpoint, AT + PAGES(3)));
	EXPECT_TRUE(ref_sees(w->fd, w->endpoint, AT + PAGES(5), w->mem + PAGES(5)));
	ASSERT_EQ(0, ref_lookup(w->fd, w->ioas, 0, AT, &lookup));
	EXPECT_EQ(0, lookup.out_flags & REFIOMMU_LOOKUP_MAPPING);
	EXPECT_EQ(ref_paddr(w->mem), lookup.out_paddr);
	EXPECT_EQ((int64_t)PAGES(6), ref_unmap_all(w->fd, w->ioas));
	EXPECT_EQ(0, ref_unmap_all(w->fd, w->ioas));
	ASSERT_EQ(0, ref_info(w->fd, &now));
	EXPECT_EQ(before.out_pinned_pages, now.out_pinned_pages);
}

/* The table outlives its last device, as a TCE table does, and is there for the next. */
TEST_F(untracked, table_survives_detach)
{
	const struct ref_world *w = &self->w;

	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(2), w->mem));
	ASSERT_EQ(0, ref_detach(w->fd, w->endpoint));
	EXPECT_EQ(ref_paddr(w->mem), ref_lookup_paddr(w->fd, w->ioas, AT));
	ASSERT_EQ(0, ref_attach(w->fd, w->ioas, w->endpoint));
	EXPECT_TRUE(ref_sees(w->fd, w->endpoint, AT + REF_PAGE, w->mem + REF_PAGE));
	EXPECT_EQ((int64_t)PAGES(2), ref_unmap_all(w->fd, w->ioas));
}

/* A second IOMMU is replayed from the first one's table. */
TEST_F(untracked, replay_reads_the_table)
{
	const struct ref_kind other = REF_AMDV1;
	const struct ref_world *w = &self->w;
	const uint64_t top = variant->kind.top - 0xfff;
	struct refiommu_ioas_replay counts;
	int instance, endpoint;

	EXPECT_EQ(-EOPNOTSUPP, ref_replay(w->fd, w->ioas, 0, &counts));
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(8), w->mem));
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, top, REF_PAGE, w->mem + PAGES(8)));
	ASSERT_EQ((int64_t)PAGES(1), ref_unmap(w->fd, w->ioas, REFIOMMU_UNMAP_INEXACT,
					       AT + PAGES(4), AT + PAGES(5) - 1));
	instance = ref_instance(w->fd, &other, 1ULL << 12);
	endpoint = ref_endpoint(w->fd, instance, 0, REFIOMMU_DRIVER_NONE);
	ASSERT_EQ(0, ref_attach(w->fd, w->ioas, endpoint));
	EXPECT_TRUE(ref_sees(w->fd, endpoint, AT + PAGES(3), w->mem + PAGES(3)));
	EXPECT_TRUE(ref_sees_nothing(w->fd, endpoint, AT + PAGES(4)));
	EXPECT_TRUE(ref_sees(w->fd, endpoint, AT + PAGES(7), w->mem + PAGES(7)));
	EXPECT_TRUE(ref_sees(w->fd, endpoint, top, w->mem + PAGES(8)));
	/* From now on both follow. */
	EXPECT_EQ((int64_t)PAGES(8), ref_unmap_all(w->fd, w->ioas));
	EXPECT_TRUE(ref_sees_nothing(w->fd, endpoint, AT));
	EXPECT_TRUE(ref_sees_nothing(w->fd, w->endpoint, AT));
}

TEST_HARNESS_MAIN
