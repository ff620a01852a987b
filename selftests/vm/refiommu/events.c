// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Notifications: what changed, in order, neighbours joined, and the truth when too much happened.
 */
#include "ref.h"
#include "test.h"

#define AT REF_IOVA
#define PAGES(n) ((n) * REF_PAGE)
#define ROOM 512

FIXTURE(events)
{
	struct ref_world w;
	struct refiommu_event got[ROOM];
};

FIXTURE_SETUP(events)
{
	const struct ref_kind kind = REF_AMDV1;

	REF_NEED_MODULE();
	ASSERT_EQ(0, ref_world_make_with(&self->w, &kind, 0, REFIOMMU_IOAS_NOTIFY));
}

FIXTURE_TEARDOWN(events)
{
}

#define EXPECT_EVENT(event, kind_, first_, last_, prot_) do { \
	EXPECT_EQ(kind_, (event)->kind); \
	EXPECT_EQ(first_, (event)->first); \
	EXPECT_EQ(last_, (event)->last); \
	EXPECT_EQ(prot_, (event)->prot); \
} while (0)

static int take(const struct ref_world *w, struct refiommu_event *got)
{
	return ref_events(w->fd, w->ioas, got, ROOM);
}

TEST_F(events, only_where_asked_for)
{
	const struct ref_world *w = &self->w;

	EXPECT_EQ(-EOPNOTSUPP, ref_events(w->fd, ref_ioas(w->fd, 0), self->got, ROOM));
	EXPECT_EQ(0, take(w, self->got));
	EXPECT_EQ(0, ref_map(w->fd, w->ioas, AT, REF_PAGE, w->mem));
	EXPECT_EQ(0, ref_events(w->fd, w->ioas, self->got, 0));
	EXPECT_EQ(-EFAULT, ref_events(w->fd, w->ioas, (void *)8, 1));
}

TEST_F(events, map_and_unmap_in_order)
{
	const struct ref_world *w = &self->w;

	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(4), w->mem));
	ASSERT_EQ((int64_t)PAGES(4), ref_unmap_exact(w->fd, w->ioas, AT, PAGES(4)));
	ASSERT_EQ(2, take(w, self->got));
	EXPECT_EVENT(&self->got[0], REFIOMMU_EVENT_MAP, AT, AT + PAGES(4) - 1, REF_RW);
	EXPECT_EVENT(&self->got[1], REFIOMMU_EVENT_UNMAP, AT, AT + PAGES(4) - 1, 0);
	EXPECT_EQ(0, take(w, self->got));
}

/* Neighbours of one kind and permission are one event, from either side. */
TEST_F(events, neighbours_are_one)
{
	const struct ref_world *w = &self->w;

	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(1), w->mem));
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT + PAGES(1), PAGES(1), w->mem + PAGES(5)));
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT - PAGES(1), PAGES(1), w->mem));
	ASSERT_EQ(1, take(w, self->got));
	EXPECT_EVENT(&self->got[0], REFIOMMU_EVENT_MAP, AT - PAGES(1), AT + PAGES(2) - 1, REF_RW);
}

TEST_F(events, unequal_neighbours_are_two)
{
	const struct ref_world *w = &self->w;
	const uint64_t hole = AT + PAGES(4);

	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(1), w->mem));
	ASSERT_EQ(0, ref_map_prot(w->fd, w->ioas, AT + PAGES(1), AT + PAGES(2) - 1, w->mem,
				  REFIOMMU_PROT_READ));
	ASSERT_EQ(0, ref_map_prot(w->fd, w->ioas, hole, hole + 0xfff, w->mem, REFIOMMU_PROT_READ));
	ASSERT_EQ(3, take(w, self->got));
	EXPECT_EQ(REF_RW, self->got[0].prot);
	EXPECT_EVENT(&self->got[1], REFIOMMU_EVENT_MAP, AT + PAGES(1), AT + PAGES(2) - 1,
		     REFIOMMU_PROT_READ);
	EXPECT_EQ(hole, self->got[2].first);
}

/* The ends of the 64-bit space are no neighbours. */
TEST_F(events, top_and_zero_do_not_touch)
{
	const struct ref_world *w = &self->w;

	ASSERT_EQ(0, ref_map(w->fd, w->ioas, ~0xfffULL, PAGES(1), w->mem));
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, 0, PAGES(1), w->mem));
	ASSERT_EQ(2, take(w, self->got));
	EXPECT_EVENT(&self->got[0], REFIOMMU_EVENT_MAP, ~0xfffULL, ~0ULL, REF_RW);
	EXPECT_EVENT(&self->got[1], REFIOMMU_EVENT_MAP, 0, 0xfff, REF_RW);
}

/* What failed did not happen. */
TEST_F(events, failures_are_no_events)
{
	const struct ref_world *w = &self->w;

	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(2), w->mem));
	ASSERT_EQ(1, take(w, self->got));
	EXPECT_EQ(-EEXIST, ref_map(w->fd, w->ioas, AT, PAGES(1), w->mem));
	EXPECT_EQ(-EFAULT, ref_map(w->fd, w->ioas, 0, PAGES(1), NULL));
	EXPECT_EQ(-EINVAL, ref_unmap_exact(w->fd, w->ioas, AT, PAGES(1)));
	EXPECT_EQ(0, ref_unmap(w->fd, w->ioas, REFIOMMU_UNMAP_INEXACT, 0, 0xfff));
	EXPECT_EQ(0, take(w, self->got));
}

/* Unmap of everything tells what was there. */
TEST_F(events, unmap_all_covers_what_was_there)
{
	const struct ref_world *w = &self->w;
	int nr, at;

	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(2), w->mem));
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT + PAGES(8), PAGES(2), w->mem));
	ASSERT_EQ(2, take(w, self->got));
	ASSERT_EQ((int64_t)PAGES(4), ref_unmap_all(w->fd, w->ioas));
	nr = take(w, self->got);
	ASSERT_LT(0, nr);
	for (at = 0; at < nr; at++) {
		EXPECT_EQ(REFIOMMU_EVENT_UNMAP, self->got[at].kind);
		EXPECT_LE(self->got[at].first, self->got[at].last);
	}
	EXPECT_GE(AT, self->got[0].first);
	EXPECT_LE(AT + PAGES(10) - 1, self->got[nr - 1].last);
}

/* Too many to keep: one event says where one must look again, and nothing lies outside of it. */
TEST_F(events, lost_events_are_told)
{
	const struct ref_world *w = &self->w;
	uint64_t iova, last = AT + PAGES(2 * 599) + 0xfff;
	bool lost = false;
	int nr, at, covered = 0;

	for (iova = AT; iova < last; iova += PAGES(2))
		ASSERT_EQ(0, ref_map(w->fd, w->ioas, iova, PAGES(1), w->mem));
	nr = take(w, self->got);
	ASSERT_LT(0, nr);
	ASSERT_LT(nr, 600);
	for (at = 0; at < nr; at++)
		lost |= self->got[at].kind == REFIOMMU_EVENT_LOST;
	EXPECT_TRUE(lost);
	/* Each change is in an event, its own or that of the loss. */
	for (iova = AT; iova < last; iova += PAGES(2)) {
		for (at = 0; at < nr; at++) {
			if (self->got[at].first <= iova && iova + 0xfff <= self->got[at].last)
				break;
		}
		covered += at < nr;
	}
	EXPECT_EQ(600, covered);
	EXPECT_EQ(0, take(w, self->got));
	/* And then it goes on. */
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, 0, PAGES(1), w->mem));
	ASSERT_EQ(1, take(w, self->got));
	EXPECT_EVENT(&self->got[0], REFIOMMU_EVENT_MAP, 0, 0xfff, REF_RW);
}

/* A reader with little room gets the oldest first. */
TEST_F(events, little_room)
{
	const struct ref_world *w = &self->w;

	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(1), w->mem));
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT + PAGES(4), PAGES(1), w->mem));
	ASSERT_EQ(1, ref_events(w->fd, w->ioas, self->got, 1));
	EXPECT_EQ(AT, self->got[0].first);
	ASSERT_EQ(1, ref_events(w->fd, w->ioas, self->got, 1));
	EXPECT_EQ(AT + PAGES(4), self->got[0].first);
	EXPECT_EQ(0, ref_events(w->fd, w->ioas, self->got, 1));
}

TEST_HARNESS_MAIN
