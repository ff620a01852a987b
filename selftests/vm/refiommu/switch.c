// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A device moves from address space to address space: at no time is it in two of them, and when
 * the move fails, it is in one or in none.
 *
 * Address space A maps pages 0 and 1, B maps pages 1 and 2 to other memory: page 0 shows A, page 2
 * shows B, page 1 shows which of them.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>
#include "ref.h"
#include "test.h"

#define AT REF_IOVA
#define PAGES(n) ((n) * REF_PAGE)

enum view { VIEW_NONE, VIEW_A, VIEW_B, VIEW_UNION, VIEW_STRANGE };

FIXTURE(switch)
{
	struct ref_world w; /* w.ioas is A */
	int b;
};

FIXTURE_VARIANT(switch)
{
	struct ref_kind kind;
};

REF_VARIANTS(switch);

FIXTURE_SETUP(switch)
{
	struct ref_world *w = &self->w;

	REF_NEED_MODULE();
	ASSERT_EQ(0, ref_world_make(w, &variant->kind));
	self->b = ref_ioas(w->fd, 0);
	ASSERT_GT(self->b, 0);
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(2), w->mem));
	ASSERT_EQ(0, ref_map(w->fd, self->b, AT + PAGES(1), PAGES(2), w->mem + PAGES(8)));
}

FIXTURE_TEARDOWN(switch)
{
}

/* What a device's DMA sees. */
static enum view view_of(const struct ref_world *w, int endpoint)
{
	bool a = ref_sees(w->fd, endpoint, AT, w->mem);
	bool a1 = ref_sees(w->fd, endpoint, AT + PAGES(1), w->mem + PAGES(1));
	bool b1 = ref_sees(w->fd, endpoint, AT + PAGES(1), w->mem + PAGES(8));
	bool b = ref_sees(w->fd, endpoint, AT + PAGES(2), w->mem + PAGES(9));

	if (a && b)
		return VIEW_UNION;
	if (a && a1 && !b1)
		return VIEW_A;
	if (b && b1 && !a1)
		return VIEW_B;
	return a || b || a1 || b1 ? VIEW_STRANGE : VIEW_NONE;
}

/* What the tables say, without caches. */
static enum view table_of(const struct ref_world *w, int endpoint)
{
	bool a = ref_lookup_paddr(w->fd, endpoint, AT) == ref_paddr(w->mem);
	bool b = ref_lookup_paddr(w->fd, endpoint, AT + PAGES(2)) == ref_paddr(w->mem + PAGES(9));

	return a && b ? VIEW_UNION : a ? VIEW_A : b ? VIEW_B : VIEW_NONE;
}

TEST_F(switch, from_a_to_b_and_back)
{
	const struct ref_world *w = &self->w;
	int turn;

	for (turn = 0; turn < 8; turn++) {
		EXPECT_EQ(VIEW_A, view_of(w, w->endpoint));
		EXPECT_EQ(VIEW_A, table_of(w, w->endpoint));
		EXPECT_EQ(-EALREADY, ref_attach(w->fd, w->ioas, w->endpoint));
		ASSERT_EQ(0, ref_attach(w->fd, self->b, w->endpoint));
		EXPECT_EQ(VIEW_B, view_of(w, w->endpoint));
		EXPECT_EQ(VIEW_B, table_of(w, w->endpoint));
		ASSERT_EQ(0, ref_attach(w->fd, w->ioas, w->endpoint));
	}
}

/* A keeps another device: only the mover's context may change, and all of its caches must. */
TEST_F(switch, while_a_keeps_a_device)
{
	const struct ref_world *w = &self->w;
	int stays = ref_endpoint(w->fd, w->instance, 0, REFIOMMU_DRIVER_NONE);
	int comes = ref_endpoint(w->fd, w->instance, 0, REFIOMMU_DRIVER_NONE);

	ASSERT_EQ(0, ref_attach(w->fd, w->ioas, stays));
	ASSERT_EQ(0, ref_attach(w->fd, self->b, comes));
	EXPECT_EQ(VIEW_A, view_of(w, w->endpoint));
	EXPECT_EQ(VIEW_A, view_of(w, stays));
	EXPECT_EQ(VIEW_B, view_of(w, comes));
	ASSERT_EQ(0, ref_attach(w->fd, self->b, w->endpoint));
	EXPECT_EQ(VIEW_B, view_of(w, w->endpoint));
	EXPECT_EQ(VIEW_A, view_of(w, stays));
	EXPECT_EQ(VIEW_B, view_of(w, comes));
	/* What A does now is no longer the mover's matter. */
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT + PAGES(4), PAGES(1), w->mem));
	EXPECT_TRUE(ref_sees_nothing(w->fd, w->endpoint, AT + PAGES(4)));
	EXPECT_TRUE(ref_sees(w->fd, stays, AT + PAGES(4), w->mem));
}

/* After a detach the device is the kernel's: in its default domain, and A is not seen. */
TEST_F(switch, to_the_default_domain)
{
	const struct ref_world *w = &self->w;
	struct refiommu_lookup lookup;

	EXPECT_EQ(VIEW_A, view_of(w, w->endpoint));
	ASSERT_EQ(0, ref_detach(w->fd, w->endpoint));
	EXPECT_EQ(-ENOENT, ref_detach(w->fd, w->endpoint));
	EXPECT_EQ(VIEW_NONE, view_of(w, w->endpoint));
	ASSERT_EQ(0, ref_lookup(w->fd, w->endpoint, 0, AT, &lookup));
	EXPECT_EQ(0, lookup.out_flags & REFIOMMU_LOOKUP_MAPPING);
	ASSERT_EQ(0, ref_attach(w->fd, self->b, w->endpoint));
	EXPECT_EQ(VIEW_B, view_of(w, w->endpoint));
}

/* Makes the default domain of an unattached endpoint's group the identity; -errno. */
static int make_identity(int group)
{
	char path[64];
	int fd, err;

	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d/type", group);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	err = write(fd, "identity", 8) == 8 ? 0 : -errno;
	close(fd);
	return err;
}

/* Identity is a domain, too: before and after it is nothing of A, and inside A nothing of it. */
TEST_F(switch, from_and_to_identity)
{
	struct refiommu_endpoint_create arg = {
		.size = sizeof(arg), .instance_id = self->w.instance,
	};
	const struct ref_world *w = &self->w;
	struct refiommu_lookup lookup;
	struct refiommu_dma dma;
	uint64_t paddr;
	int err;

	ASSERT_EQ(0, ref_call(w->fd, REFIOMMU_ENDPOINT_CREATE, &arg));
	err = make_identity(arg.out_group);
	if (err)
		SKIP(return, "the group's default domain cannot become the identity: %d", err);
	paddr = ref_paddr(w->mem + PAGES(20));
	EXPECT_EQ(0, ref_probe(w->fd, arg.out_id, paddr, &dma));
	EXPECT_EQ(paddr, dma.out_paddr);
	EXPECT_TRUE(ref_sees(w->fd, arg.out_id, paddr, w->mem + PAGES(20)));
	ASSERT_EQ(0, ref_lookup(w->fd, arg.out_id, 0, paddr, &lookup));
	EXPECT_EQ(REFIOMMU_LOOKUP_IDENTITY, lookup.out_flags & REFIOMMU_LOOKUP_IDENTITY);

	ASSERT_EQ(0, ref_attach(w->fd, w->ioas, arg.out_id));
	EXPECT_TRUE(ref_sees_nothing(w->fd, arg.out_id, paddr));
	EXPECT_EQ(VIEW_A, view_of(w, arg.out_id));
	ASSERT_EQ(0, ref_detach(w->fd, arg.out_id));
	EXPECT_NE(VIEW_A, view_of(w, arg.out_id));
	EXPECT_TRUE(ref_sees(w->fd, arg.out_id, paddr, w->mem + PAGES(20)));
}

/* A device that does DMA all the time, and what it saw. */
struct looker {
	const struct ref_world *w;
	int endpoint;
	atomic_bool stop;
	unsigned long reads, unions, stale;
};

/*
 * Two probes are not one moment: the device may move between them. But it does not move there and
 * back within one phase, so what is seen before and after the other one was there with it.
 */
static atomic_ulong phase;

static bool there(struct looker *l, uint64_t iova)
{
	struct refiommu_dma dma;
	bool seen = !ref_probe(l->w->fd, l->endpoint, iova, &dma);

	l->stale += !!(dma.out_flags & (REFIOMMU_DMA_STALE_IOTLB | REFIOMMU_DMA_STALE_CONTEXT));
	return seen;
}

static void *look(void *arg)
{
	struct looker *l = arg;
	unsigned long before;
	bool both;

	while (!atomic_load(&l->stop)) {
		before = atomic_load(&phase);
		both = there(l, AT) && there(l, AT + PAGES(2)) && there(l, AT);
		l->unions += both && before == atomic_load(&phase);
		l->reads++;
	}
	return NULL;
}

/* No DMA sees both, while it moves 200 times; and none goes through a stale cache. */
TEST_F(switch, dma_during_switches)
{
	struct looker l = { .w = &self->w, .endpoint = self->w.endpoint };
	const struct ref_world *w = &self->w;
	pthread_t thread;
	int turn;

	ASSERT_EQ(0, pthread_create(&thread, NULL, look, &l));
	for (turn = 0; turn < 200; turn++) {
		ASSERT_EQ(0, ref_attach(w->fd, turn & 1 ? w->ioas : self->b, w->endpoint));
		atomic_fetch_add(&phase, 1);
	}
	while (l.reads < 100)
		usleep(1000);
	atomic_store(&l.stop, true);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, l.unions);
	EXPECT_EQ(0, l.stale);
	EXPECT_EQ(VIEW_A, view_of(w, w->endpoint));
}

/* A refused attach: the mover is blocked and belongs to nobody, or is where it was. */
TEST_F(switch, failure_leaves_no_mix)
{
	const struct ref_world *w = &self->w;
	enum view view;

	ASSERT_EQ(0, ref_inject(w->fd, w->endpoint, 1));
	EXPECT_EQ(-EIO, ref_attach(w->fd, self->b, w->endpoint));
	view = view_of(w, w->endpoint);
	EXPECT_TRUE(view == VIEW_NONE || view == VIEW_A);
	if (view == VIEW_NONE) {
		/* A holds nothing of it; the blocked group can go back to the kernel, once. */
		EXPECT_EQ(0, ref_destroy(w->fd, w->ioas));
		EXPECT_EQ(0, ref_detach(w->fd, w->endpoint));
		EXPECT_EQ(-ENOENT, ref_detach(w->fd, w->endpoint));
	}
	/* Later it works. */
	ASSERT_EQ(0, ref_attach(w->fd, self->b, w->endpoint));
	EXPECT_EQ(VIEW_B, view_of(w, w->endpoint));
	EXPECT_EQ(0, ref_detach(w->fd, w->endpoint));
	EXPECT_EQ(0, ref_destroy(w->fd, self->b));
}

/*
 * A group of three where the first, second or third refuses: each in one of A, B, nothing, never
 * between.
 */
TEST_F(switch, failure_in_a_group)
{
	const struct ref_world *w = &self->w;
	int member[3], refuses, at;
	enum view view, first;

	for (at = 0; at < 3; at++)
		member[at] = ref_endpoint(w->fd, w->instance, 5, REFIOMMU_DRIVER_NONE);
	for (refuses = 0; refuses < 3; refuses++) {
		ASSERT_EQ(0, ref_attach(w->fd, w->ioas, member[0]));
		for (at = 0; at < 3; at++)
			EXPECT_EQ(VIEW_A, view_of(w, member[at]));
		ASSERT_EQ(0, ref_inject(w->fd, member[refuses], 1));
		EXPECT_EQ(-EIO, ref_attach(w->fd, self->b, member[1]));
		first = view_of(w, member[0]);
		for (at = 0; at < 3; at++) {
			view = view_of(w, member[at]);
			EXPECT_TRUE(view == VIEW_NONE || view == VIEW_A || view == VIEW_B);
			EXPECT_EQ(first, view);
		}
		ASSERT_EQ(0, ref_attach(w->fd, self->b, member[2]));
		for (at = 0; at < 3; at++)
			EXPECT_EQ(VIEW_B, view_of(w, member[at]));
		ASSERT_EQ(0, ref_detach(w->fd, member[refuses]));
		EXPECT_EQ(VIEW_NONE, view_of(w, member[2]));
	}
}

/* The second attach from now is the one that fails; 0 takes the order back. */
TEST_F(switch, inject_counts)
{
	const struct ref_world *w = &self->w;

	ASSERT_EQ(0, ref_inject(w->fd, w->endpoint, 2));
	EXPECT_EQ(0, ref_attach(w->fd, self->b, w->endpoint));
	EXPECT_EQ(-EIO, ref_attach(w->fd, w->ioas, w->endpoint));
	EXPECT_EQ(0, ref_attach(w->fd, w->ioas, w->endpoint));
	ASSERT_EQ(0, ref_inject(w->fd, w->endpoint, 1));
	ASSERT_EQ(0, ref_inject(w->fd, w->endpoint, 0));
	EXPECT_EQ(0, ref_attach(w->fd, self->b, w->endpoint));
}

/* The default domain is no paging domain that a device may refuse: detach always works. */
TEST_F(switch, inject_spares_the_default)
{
	const struct ref_world *w = &self->w;

	ASSERT_EQ(0, ref_inject(w->fd, w->endpoint, 1));
	ASSERT_EQ(0, ref_detach(w->fd, w->endpoint));
	EXPECT_EQ(-EIO, ref_attach(w->fd, w->ioas, w->endpoint));
	EXPECT_EQ(0, ref_attach(w->fd, w->ioas, w->endpoint));
}

/* B does not permit the device's ranges: the device stays in A, and A keeps working. */
TEST_F(switch, refused_for_its_ranges)
{
	static const struct refiommu_range msi = {
		AT + 0x2000, AT + 0x2fff, REFIOMMU_RANGE_MSI, 0,
	};
	const struct ref_world *w = &self->w;
	int instance = ref_instance_ranges(w->fd, &variant->kind, &msi, 1);
	int endpoint = ref_endpoint(w->fd, instance, 0, REFIOMMU_DRIVER_NONE);

	ASSERT_EQ(0, ref_attach(w->fd, w->ioas, endpoint));
	EXPECT_EQ(VIEW_A, view_of(w, endpoint));
	EXPECT_EQ(-EADDRINUSE, ref_attach(w->fd, self->b, endpoint));
	EXPECT_EQ(VIEW_A, view_of(w, endpoint));
	EXPECT_EQ(VIEW_A, view_of(w, w->endpoint));
	EXPECT_EQ(-ERANGE, ref_map(w->fd, w->ioas, AT + 0x2000, REF_PAGE, w->mem));
	EXPECT_EQ(0, ref_map(w->fd, self->b, AT + 0x4000, REF_PAGE, w->mem));
}

/* Members of a group move together, whoever is named. */
TEST_F(switch, a_group_moves_as_one)
{
	const struct ref_world *w = &self->w;
	int one = ref_endpoint(w->fd, w->instance, 3, REFIOMMU_DRIVER_NONE);
	int two = ref_endpoint(w->fd, w->instance, 3, REFIOMMU_DRIVER_NONE);

	ASSERT_EQ(0, ref_attach(w->fd, w->ioas, one));
	EXPECT_EQ(-EALREADY, ref_attach(w->fd, w->ioas, two));
	EXPECT_EQ(VIEW_A, view_of(w, two));
	ASSERT_EQ(0, ref_attach(w->fd, self->b, two));
	EXPECT_EQ(VIEW_B, view_of(w, one));
	EXPECT_EQ(-EBUSY, ref_destroy(w->fd, one));
	ASSERT_EQ(0, ref_detach(w->fd, one));
	EXPECT_EQ(VIEW_NONE, view_of(w, two));
}

TEST_HARNESS_MAIN
