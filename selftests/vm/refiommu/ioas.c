// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Map and unmap: each rule and each errno of the contract, in every format.
 */
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "ref.h"
#include "test.h"

#define AT REF_IOVA
#define PAGES(n) ((n) * REF_PAGE)

FIXTURE(ioas)
{
	struct ref_world w;
};

FIXTURE_VARIANT(ioas)
{
	struct ref_kind kind;
};

REF_VARIANTS(ioas);

FIXTURE_SETUP(ioas)
{
	REF_NEED_MODULE();
	ASSERT_EQ(0, ref_world_make(&self->w, &variant->kind));
}

FIXTURE_TEARDOWN(ioas)
{
}

/* What is mapped is what DMA sees, and the lookups agree with it. */
TEST_F(ioas, map_shows_memory)
{
	const struct ref_world *w = &self->w;
	struct refiommu_lookup lookup;
	uint64_t at;

	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(8), w->mem));
	for (at = 0; at < PAGES(8); at += REF_PAGE) {
		EXPECT_TRUE(ref_sees(w->fd, w->endpoint, AT + at, w->mem + at));
		EXPECT_EQ(ref_paddr(w->mem + at), ref_lookup_paddr(w->fd, w->ioas, AT + at));
		EXPECT_EQ(ref_paddr(w->mem + at), ref_lookup_paddr(w->fd, w->endpoint, AT + at));
	}
	ASSERT_EQ(0, ref_lookup(w->fd, w->ioas, 0, AT + 5, &lookup));
	EXPECT_EQ(REF_RW, lookup.out_prot);
	EXPECT_EQ(ref_paddr(w->mem + 5), lookup.out_paddr);
	EXPECT_TRUE(ref_sees_nothing(w->fd, w->endpoint, AT - 1));
	EXPECT_TRUE(ref_sees_nothing(w->fd, w->endpoint, AT + PAGES(8)));
}

TEST_F(ioas, map_refuses_nonsense)
{
	const struct ref_world *w = &self->w;
	const int fd = w->fd, ioas = w->ioas;

	EXPECT_EQ(-EOVERFLOW, ref_map_prot(fd, ioas, AT, AT - 1, w->mem, REF_RW));
	EXPECT_EQ(-EOVERFLOW, ref_map_prot(fd, ioas, ~0xfffULL, 0xfff, w->mem, REF_RW));
	EXPECT_EQ(-EINVAL, ref_map_prot(fd, ioas, AT + 1, AT + 0xfff, w->mem, REF_RW));
	EXPECT_EQ(-EINVAL, ref_map_prot(fd, ioas, AT, AT + 0x1000, w->mem, REF_RW));
	EXPECT_EQ(-EINVAL, ref_map_prot(fd, ioas, AT, AT + 0xffe, w->mem, REF_RW));
	EXPECT_EQ(-EINVAL, ref_map_prot(fd, ioas, AT, AT + 0xfff, w->mem + 1, REF_RW));
	EXPECT_EQ(-EINVAL, ref_map_prot(fd, ioas, AT, AT + 0xfff, w->mem, 0));
	EXPECT_NE(0, ref_map_prot(fd, ioas, AT, AT + 0xfff, w->mem, 4 | REF_RW));
	EXPECT_EQ(-EINVAL, ref_map_prot(fd, ioas, 0, REFIOMMU_MAP_MAX + 0xfff, w->mem, REF_RW));
	EXPECT_GT(0, ref_map_prot(fd, ioas, 0, ~0ULL, w->mem, REF_RW));
	/* The process's side wraps. */
	EXPECT_EQ(-EOVERFLOW, ref_map(fd, ioas, AT, PAGES(2), (void *)~0xfffUL));
	EXPECT_TRUE(ref_sees_nothing(fd, w->endpoint, AT));
}

TEST_F(ioas, map_outside_is_refused)
{
	const struct ref_world *w = &self->w;
	const uint64_t top = variant->kind.top;

	if (top == ~0ULL) {
		EXPECT_EQ(0, ref_map(w->fd, w->ioas, top - 0xfff, REF_PAGE, w->mem));
		return;
	}
	EXPECT_EQ(-ERANGE, ref_map(w->fd, w->ioas, top + 1, REF_PAGE, w->mem));
	EXPECT_EQ(-ERANGE, ref_map(w->fd, w->ioas, top - 0xfff, PAGES(2), w->mem));
	EXPECT_EQ(-ERANGE, ref_map(w->fd, w->ioas, ~0xfffULL, REF_PAGE, w->mem));
	EXPECT_EQ(0, ref_map(w->fd, w->ioas, top - 0xfff, REF_PAGE, w->mem));
}

/* Something of the range is mapped: on every side, inside, around. Nothing changes. */
TEST_F(ioas, map_over_is_refused)
{
	static const struct { int first, pages; } over[] = {
		{ 0, 4 }, { -1, 2 }, { 3, 2 }, { 1, 1 }, { -1, 6 }, { -4, 5 }, { 0, 1 }, { 3, 1 },
	};
	const struct ref_world *w = &self->w;
	uint32_t at;

	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(4), w->mem));
	for (at = 0; at < ARRAY_SIZE(over); at++) {
		EXPECT_EQ(-EEXIST, ref_map(w->fd, w->ioas, AT + PAGES((int64_t)over[at].first),
					   PAGES(over[at].pages), w->mem + PAGES(8)));
	}
	for (at = 0; at < 4; at++)
		EXPECT_TRUE(ref_sees(w->fd, w->endpoint, AT + PAGES(at), w->mem + PAGES(at)));
	EXPECT_TRUE(ref_sees_nothing(w->fd, w->endpoint, AT - 1));
	EXPECT_TRUE(ref_sees_nothing(w->fd, w->endpoint, AT + PAGES(4)));
	/* Neighbours are no overlap. */
	EXPECT_EQ(0, ref_map(w->fd, w->ioas, AT - REF_PAGE, REF_PAGE, w->mem));
	EXPECT_EQ(0, ref_map(w->fd, w->ioas, AT + PAGES(4), REF_PAGE, w->mem));
}

/* Half of the memory is not there: nothing is mapped, nothing stays pinned. */
TEST_F(ioas, map_is_all_or_nothing)
{
	const struct ref_world *w = &self->w;
	struct refiommu_info before, now;

	ASSERT_EQ(0, ref_info(w->fd, &before));
	ASSERT_EQ(0, munmap(w->mem + PAGES(4), PAGES(4)));
	EXPECT_EQ(-EFAULT, ref_map(w->fd, w->ioas, AT, PAGES(8), w->mem));
	EXPECT_TRUE(ref_sees_nothing(w->fd, w->endpoint, AT));
	EXPECT_EQ(0, ref_unmap_all(w->fd, w->ioas));
	ASSERT_EQ(0, ref_info(w->fd, &now));
	EXPECT_EQ(before.out_pinned_pages, now.out_pinned_pages);
}

TEST_F(ioas, map_of_read_only_memory)
{
	const struct ref_world *w = &self->w;

	ASSERT_EQ(0, mprotect(w->mem, PAGES(2), PROT_READ));
	EXPECT_EQ(-EFAULT, ref_map(w->fd, w->ioas, AT, PAGES(2), w->mem));
	EXPECT_EQ(0, ref_map_prot(w->fd, w->ioas, AT, AT + PAGES(2) - 1, w->mem,
				  REFIOMMU_PROT_READ));
	EXPECT_TRUE(ref_sees(w->fd, w->endpoint, AT, w->mem));
}

/* A device can do what the permission says, and a lookup says the same. */
TEST_F(ioas, permissions_hold)
{
	const struct ref_world *w = &self->w;
	struct refiommu_lookup lookup;
	uint64_t value;
	uint32_t prot;

	for (prot = 1; prot <= REF_RW; prot++) {
		uint64_t iova = AT + PAGES(prot);

		ASSERT_EQ(0, ref_map_prot(w->fd, w->ioas, iova, iova + 0xfff, w->mem, prot));
		ASSERT_EQ(0, ref_lookup(w->fd, w->endpoint, 0, iova, &lookup));
		EXPECT_EQ(ref_prot(&variant->kind, prot), lookup.out_prot);
		EXPECT_EQ(ref_read_fault(&variant->kind, prot),
			  ref_read64(w->fd, w->endpoint, iova, &value));
		EXPECT_EQ(prot & REFIOMMU_PROT_WRITE ? 0 : REFIOMMU_FAULT_PERMISSION,
			  ref_fill(w->fd, w->endpoint, iova, iova + 7, 0));
	}
}

/* The three forms on three neighbouring mappings of two pages. */
static void map_three(struct __test_metadata *_metadata, const struct ref_world *w)
{
	int at;

	for (at = 0; at < 3; at++)
		ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT + PAGES(2 * at), PAGES(2),
				     w->mem + PAGES(2 * at)));
}

TEST_F(ioas, unmap_exact)
{
	const struct ref_world *w = &self->w;
	const int fd = w->fd, ioas = w->ioas;

	map_three(_metadata, w);
	EXPECT_EQ(-ENOENT, ref_unmap_exact(fd, ioas, AT + PAGES(6), PAGES(2)));
	EXPECT_EQ(-ENOENT, ref_unmap_exact(fd, ioas, 0, PAGES(8)));
	/* A part, a part more, a hole at either end: never. */
	EXPECT_EQ(-EINVAL, ref_unmap_exact(fd, ioas, AT, REF_PAGE));
	EXPECT_EQ(-EINVAL, ref_unmap_exact(fd, ioas, AT + REF_PAGE, PAGES(2)));
	EXPECT_EQ(-EINVAL, ref_unmap_exact(fd, ioas, AT, PAGES(3)));
	EXPECT_EQ(-EINVAL, ref_unmap_exact(fd, ioas, AT, PAGES(7)));
	EXPECT_EQ(-EINVAL, ref_unmap_exact(fd, ioas, AT - REF_PAGE, PAGES(3)));
	/* One mapping, then a hole between two, then both of them. */
	EXPECT_EQ((int64_t)PAGES(2), ref_unmap_exact(fd, ioas, AT + PAGES(2), PAGES(2)));
	EXPECT_TRUE(ref_sees_nothing(fd, w->endpoint, AT + PAGES(2)));
	EXPECT_TRUE(ref_sees_nothing(fd, w->endpoint, AT + PAGES(4) - 1));
	EXPECT_EQ(-EINVAL, ref_unmap_exact(fd, ioas, AT, PAGES(6)));
	EXPECT_TRUE(ref_sees(fd, w->endpoint, AT + REF_PAGE, w->mem + REF_PAGE));
	EXPECT_TRUE(ref_sees(fd, w->endpoint, AT + PAGES(4), w->mem + PAGES(4)));
}

/* Exact means whole mappings, not one mapping. */
TEST_F(ioas, unmap_exact_of_several)
{
	const struct ref_world *w = &self->w;

	map_three(_metadata, w);
	EXPECT_EQ((int64_t)PAGES(6), ref_unmap_exact(w->fd, w->ioas, AT, PAGES(6)));
	EXPECT_EQ(-ENOENT, ref_unmap_exact(w->fd, w->ioas, AT, PAGES(6)));
}

TEST_F(ioas, unmap_inexact)
{
	const struct ref_world *w = &self->w;
	const int fd = w->fd, ioas = w->ioas;
	const uint32_t form = REFIOMMU_UNMAP_INEXACT;

	EXPECT_EQ(0, ref_unmap(fd, ioas, form, 0, ~0ULL));
	map_three(_metadata, w);
	EXPECT_EQ(0, ref_unmap(fd, ioas, form, AT + PAGES(6), ~0ULL));
	EXPECT_EQ(-EINVAL, ref_unmap(fd, ioas, form, AT, AT + PAGES(3) - 1));
	EXPECT_EQ(-EINVAL, ref_unmap(fd, ioas, form, AT + PAGES(1), ~0ULL));
	EXPECT_EQ((int64_t)PAGES(2),
		  ref_unmap(fd, ioas, form, AT + PAGES(2), AT + PAGES(4) - 1));
	/* Holes are no matter. */
	EXPECT_EQ((int64_t)PAGES(4), ref_unmap(fd, ioas, form, 0, ~0ULL));
	EXPECT_EQ(0, ref_unmap(fd, ioas, form, 0, ~0ULL));
}

TEST_F(ioas, unmap_refuses_nonsense)
{
	const struct ref_world *w = &self->w;
	const int fd = w->fd, ioas = w->ioas;
	struct refiommu_ioas_unmap arg;
	uint32_t form;

	map_three(_metadata, w);
	for (form = REFIOMMU_UNMAP_EXACT; form <= REFIOMMU_UNMAP_INEXACT; form++) {
		EXPECT_EQ(-EOVERFLOW, ref_unmap(fd, ioas, form, AT, AT - 1));
		EXPECT_EQ(-EINVAL, ref_unmap(fd, ioas, form, AT + 1, AT + 0xfff));
		EXPECT_EQ(-EINVAL, ref_unmap(fd, ioas, form, AT, AT + 0x1000));
	}
	EXPECT_EQ(-EINVAL, ref_unmap(fd, ioas, REFIOMMU_UNMAP_ALL, 0x1000, ~0ULL));
	EXPECT_EQ(-EINVAL, ref_unmap(fd, ioas, REFIOMMU_UNMAP_ALL, 0, ~0ULL - 0x1000));
	EXPECT_EQ(-EINVAL, ref_unmap(fd, ioas, 0, AT, AT + 0xfff));
	EXPECT_EQ(-EINVAL, ref_unmap(fd, ioas, 4, AT, AT + 0xfff));
	/* A failed unmap says that it removed nothing. */
	arg = (struct refiommu_ioas_unmap){
		.size = sizeof(arg), .ioas_id = ioas, .form = REFIOMMU_UNMAP_EXACT,
		.first = AT, .last = AT + 0xfff, .out_bytes = 4711,
	};
	EXPECT_EQ(-EINVAL, ref_call(fd, REFIOMMU_IOAS_UNMAP, &arg));
	EXPECT_EQ(0, arg.out_bytes);
	EXPECT_EQ((int64_t)PAGES(6), ref_unmap_all(fd, ioas));
}

TEST_F(ioas, unmap_all)
{
	const struct ref_world *w = &self->w;
	const uint64_t top = variant->kind.top - 0xfff;
	struct refiommu_info before, now;

	ASSERT_EQ(0, ref_info(w->fd, &before));
	EXPECT_EQ(0, ref_unmap_all(w->fd, w->ioas));
	map_three(_metadata, w);
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, 0, REF_PAGE, w->mem));
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, top, REF_PAGE, w->mem));
	EXPECT_TRUE(ref_sees(w->fd, w->endpoint, top, w->mem));
	EXPECT_EQ((int64_t)PAGES(8), ref_unmap_all(w->fd, w->ioas));
	EXPECT_TRUE(ref_sees_nothing(w->fd, w->endpoint, 0));
	EXPECT_TRUE(ref_sees_nothing(w->fd, w->endpoint, top));
	EXPECT_EQ(0, ref_unmap_all(w->fd, w->ioas));
	ASSERT_EQ(0, ref_info(w->fd, &now));
	EXPECT_EQ(before.out_pinned_pages, now.out_pinned_pages);
	EXPECT_EQ(before.out_iotlb_entries, now.out_iotlb_entries);
}

/* The last page that the format has; with AMD v1 that is the end of the 64-bit space. */
TEST_F(ioas, last_page)
{
	const struct ref_world *w = &self->w;
	const uint64_t top = variant->kind.top;
	struct refiommu_ioas_replay counts;
	uint64_t value = 0;

	ASSERT_EQ(0, ref_map(w->fd, w->ioas, top - 0x1fff, PAGES(2), w->mem));
	EXPECT_EQ(-EEXIST, ref_map(w->fd, w->ioas, top - 0xfff, REF_PAGE, w->mem));
	EXPECT_EQ(ref_paddr(w->mem + REF_PAGE) + 0xfff, ref_lookup_paddr(w->fd, w->ioas, top));
	EXPECT_EQ(ref_paddr(w->mem), ref_lookup_paddr(w->fd, w->endpoint, top - 0x1fff));
	EXPECT_EQ(0, ref_probe(w->fd, w->endpoint, top, NULL));
	ASSERT_EQ(0, ref_fill(w->fd, w->endpoint, top - 0x1fff, top, 0x1122334455667788ULL));
	memcpy(&value, w->mem + PAGES(2) - 8, sizeof(value));
	EXPECT_EQ(0x1122334455667788ULL, value);
	ASSERT_EQ(0, ref_replay(w->fd, w->ioas, 0, &counts));
	EXPECT_EQ(PAGES(2), counts.out_present);
	EXPECT_EQ(0, counts.out_mapped);
	EXPECT_EQ(-EINVAL, ref_unmap_exact(w->fd, w->ioas, top - 0xfff, REF_PAGE));
	EXPECT_EQ((int64_t)PAGES(2), ref_unmap_exact(w->fd, w->ioas, top - 0x1fff, PAGES(2)));
	EXPECT_TRUE(ref_sees_nothing(w->fd, w->endpoint, top));
	EXPECT_TRUE(ref_sees_nothing(w->fd, w->endpoint, top - 0x1fff));
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, top - 0xfff, REF_PAGE, w->mem));
	EXPECT_EQ((int64_t)REF_PAGE,
		  ref_unmap(w->fd, w->ioas, REFIOMMU_UNMAP_INEXACT, top - 0x1fff, top));
}

/* Without devices there is intent only, and all 64 bits of it. */
TEST_F(ioas, map_before_any_device)
{
	const struct ref_world *w = &self->w;
	int ioas = ref_ioas(w->fd, 0);
	struct refiommu_lookup lookup;

	ASSERT_GT(ioas, 0);
	ASSERT_EQ(0, ref_map(w->fd, ioas, ~0x1fffULL, PAGES(2), w->mem));
	EXPECT_EQ(-EEXIST, ref_map(w->fd, ioas, ~0xfffULL, REF_PAGE, w->mem));
	EXPECT_EQ(-ENODEV, ref_lookup(w->fd, ioas, 0, ~0ULL, &lookup));
	EXPECT_EQ(REFIOMMU_LOOKUP_MAPPING, lookup.out_flags & REFIOMMU_LOOKUP_MAPPING);
	EXPECT_EQ(~0x1fffULL, lookup.out_map_first);
	EXPECT_EQ(~0ULL, lookup.out_map_last);
	EXPECT_EQ((uintptr_t)w->mem, lookup.out_map_uaddr);
	EXPECT_EQ((int64_t)PAGES(2), ref_unmap_exact(w->fd, ioas, ~0x1fffULL, PAGES(2)));
	EXPECT_EQ(-ENODEV, ref_lookup(w->fd, ioas, 0, ~0ULL, &lookup));
	EXPECT_EQ(0, lookup.out_flags & REFIOMMU_LOOKUP_MAPPING);
}

/* Pages are counted while they are pinned; the same page twice is two. */
TEST_F(ioas, pinned_pages_are_counted)
{
	const struct ref_world *w = &self->w;
	struct refiommu_info before, now;

	ASSERT_EQ(0, ref_info(w->fd, &before));
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(4), w->mem));
	ASSERT_EQ(0, ref_map(w->fd, w->ioas, AT + PAGES(8), PAGES(4), w->mem));
	ASSERT_EQ(0, ref_info(w->fd, &now));
	EXPECT_EQ(8, now.out_pinned_pages - before.out_pinned_pages);
	EXPECT_EQ((int64_t)PAGES(8), ref_unmap_all(w->fd, w->ioas));
	ASSERT_EQ(0, ref_info(w->fd, &now));
	EXPECT_EQ(before.out_pinned_pages, now.out_pinned_pages);
}

static int drop_ipc_lock(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return -errno;
	data[0].effective &= ~(1U << CAP_IPC_LOCK);
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

TEST_F(ioas, locked_memory_is_limited)
{
	const struct rlimit limit = { PAGES(8), PAGES(8) };
	const struct ref_world *w = &self->w;

	ASSERT_EQ(0, drop_ipc_lock());
	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &limit));
	EXPECT_EQ(-ENOMEM, ref_map(w->fd, w->ioas, AT, PAGES(9), w->mem));
	EXPECT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(8), w->mem));
	EXPECT_EQ(-ENOMEM, ref_map(w->fd, w->ioas, AT + PAGES(8), REF_PAGE, w->mem));
	EXPECT_TRUE(ref_sees_nothing(w->fd, w->endpoint, AT + PAGES(8)));
	/* What is unmapped may be locked again. */
	EXPECT_EQ((int64_t)PAGES(8), ref_unmap_all(w->fd, w->ioas));
	EXPECT_EQ(0, ref_map(w->fd, w->ioas, AT, PAGES(8), w->mem));
}

TEST_HARNESS_MAIN
