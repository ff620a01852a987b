// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * How /dev/refiommu takes its arguments, and what becomes of objects: sizes, flags, padding, ids,
 * ends. What the calls do is the other files' matter.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "ref.h"
#include "test.h"

/* A call with its argument's size and where in it is something that must be zero. */
struct call {
	unsigned long call;
	uint32_t bytes;
	int flags; /* offset, or -1 */
	int padding;
};

#define CALL(number, type, flags_at, padding_at) \
	{ number, sizeof(struct type), flags_at, padding_at }

static const struct call calls[] = {
	CALL(REFIOMMU_INFO, refiommu_info, offsetof(struct refiommu_info, flags), -1),
	CALL(REFIOMMU_DESTROY, refiommu_destroy, -1, -1),
	CALL(REFIOMMU_INSTANCE_CREATE, refiommu_instance_create,
	     offsetof(struct refiommu_instance_create, flags), -1),
	CALL(REFIOMMU_ENDPOINT_CREATE, refiommu_endpoint_create,
	     offsetof(struct refiommu_endpoint_create, flags), -1),
	CALL(REFIOMMU_DEVICE_ADD, refiommu_device_add, offsetof(struct refiommu_device_add, flags),
	     -1),
	CALL(REFIOMMU_DMA, refiommu_dma, offsetof(struct refiommu_dma, flags), -1),
	CALL(REFIOMMU_DMAAPI, refiommu_dmaapi, -1, -1),
	CALL(REFIOMMU_INJECT, refiommu_inject, -1, offsetof(struct refiommu_inject, padding)),
	CALL(REFIOMMU_LOOKUP, refiommu_lookup, offsetof(struct refiommu_lookup, flags),
	     offsetof(struct refiommu_lookup, padding)),
	CALL(REFIOMMU_IOVA_TO_PHYS, refiommu_iova_to_phys,
	     offsetof(struct refiommu_iova_to_phys, flags),
	     offsetof(struct refiommu_iova_to_phys, padding)),
	CALL(REFIOMMU_IOAS_ALLOC, refiommu_ioas_alloc, offsetof(struct refiommu_ioas_alloc, flags),
	     offsetof(struct refiommu_ioas_alloc, padding)),
	CALL(REFIOMMU_IOAS_MAP, refiommu_ioas_map, offsetof(struct refiommu_ioas_map, flags), -1),
	CALL(REFIOMMU_IOAS_UNMAP, refiommu_ioas_unmap, offsetof(struct refiommu_ioas_unmap, flags),
	     -1),
	CALL(REFIOMMU_IOAS_ATTACH, refiommu_ioas_attach, -1,
	     offsetof(struct refiommu_ioas_attach, padding)),
	CALL(REFIOMMU_IOAS_DETACH, refiommu_ioas_detach, -1, -1),
	CALL(REFIOMMU_IOAS_RANGES, refiommu_ioas_ranges, -1,
	     offsetof(struct refiommu_ioas_ranges, padding)),
	CALL(REFIOMMU_IOAS_RESERVE, refiommu_ioas_reserve, -1, -1),
	CALL(REFIOMMU_IOAS_REPLAY, refiommu_ioas_replay,
	     offsetof(struct refiommu_ioas_replay, flags), -1),
	CALL(REFIOMMU_IOAS_EVENTS, refiommu_ioas_events, -1, -1),
	CALL(REFIOMMU_IOAS_INVALIDATE, refiommu_ioas_invalidate, -1, -1),
	CALL(REFIOMMU_IOAS_NEST, refiommu_ioas_nest, offsetof(struct refiommu_ioas_nest, flags),
	     -1),
};

/* A file, and a fully equipped world in another. */
FIXTURE(abi)
{
	struct ref_world world;
	int fd;
};

FIXTURE_SETUP(abi)
{
	const struct ref_kind kind = REF_VTD48;

	REF_NEED_MODULE();
	ASSERT_EQ(0, ref_world_make(&self->world, &kind));
	self->fd = ref_open();
	ASSERT_GE(self->fd, 0);
}

FIXTURE_TEARDOWN(abi)
{
}

TEST_F(abi, info_says_what_it_is)
{
	struct refiommu_info info;

	ASSERT_EQ(0, ref_info(self->fd, &info));
	EXPECT_EQ(REFIOMMU_VERSION, info.out_version);
	EXPECT_EQ(0, info.out_bugs);
	EXPECT_LT(0, info.out_domains);
	EXPECT_LT(0, info.out_table_pages);
}

/* All formats that the tests know, and what is said to be there is. */
TEST_F(abi, info_says_which_formats)
{
	struct refiommu_info info;
	struct ref_kind any = { };
	unsigned int at;

	ASSERT_EQ(0, ref_info(self->fd, &info));
	for (at = 0; at < REF_NR_FORMATS; at++) {
		EXPECT_NE(0, info.out_formats & 1U << ref_formats[at].kind.format) {
			TH_LOG("%s", ref_formats[at].name);
		}
	}
	for (any.format = 0; any.format < 32; any.format++) {
		EXPECT_EQ(info.out_formats >> any.format & 1, ref_instance(self->fd, &any, 0) > 0) {
			TH_LOG("format %u", any.format);
		}
	}
}

/* Shorter than the first version of the struct: nothing of it is believed. */
TEST_F(abi, short_size_is_refused)
{
	uint8_t arg[1024];
	uint32_t at, bytes;

	for (at = 0; at < ARRAY_SIZE(calls); at++) {
		for (bytes = 0; bytes < calls[at].bytes; bytes += 4) {
			memset(arg, 0, sizeof(arg));
			memcpy(arg, &bytes, sizeof(bytes));
			EXPECT_EQ(-EINVAL, ref_call(self->fd, calls[at].call, arg)) {
				TH_LOG("call %u, size %u", at, bytes);
			}
		}
	}
}

/* Longer is allowed if what is not known is zero. */
TEST_F(abi, long_size_with_zeros_is_taken)
{
	struct { struct refiommu_info info; uint64_t more[64]; } arg = { };

	arg.info.size = sizeof(arg);
	ASSERT_EQ(0, ref_call(self->fd, REFIOMMU_INFO, &arg));
	EXPECT_EQ(REFIOMMU_VERSION, arg.info.out_version);
	arg.more[63] = 1;
	EXPECT_EQ(-E2BIG, ref_call(self->fd, REFIOMMU_INFO, &arg));
}

TEST_F(abi, unknown_tail_is_refused_by_every_call)
{
	uint8_t arg[1024];
	uint32_t at, bytes;

	for (at = 0; at < ARRAY_SIZE(calls); at++) {
		memset(arg, 0, sizeof(arg));
		bytes = calls[at].bytes + 8;
		memcpy(arg, &bytes, sizeof(bytes));
		arg[bytes - 1] = 1;
		EXPECT_EQ(-E2BIG, ref_call(self->fd, calls[at].call, arg)) {
			TH_LOG("call %u", at);
		}
	}
}

/* A size that is absurd must not make the kernel copy it. */
TEST_F(abi, huge_size_is_refused)
{
	uint8_t arg[1024] = { 0xff, 0xff, 0xff, 0xff };
	uint32_t at;
	int err;

	for (at = 0; at < ARRAY_SIZE(calls); at++) {
		err = ref_call(self->fd, calls[at].call, arg);
		EXPECT_TRUE(err == -E2BIG || err == -EFAULT || err == -EINVAL) {
			TH_LOG("call %u: %d", at, err);
		}
	}
}

TEST_F(abi, unknown_flags_are_refused)
{
	uint8_t arg[1024];
	uint32_t at, flags = 1U << 31;

	for (at = 0; at < ARRAY_SIZE(calls); at++) {
		if (calls[at].flags < 0)
			continue;
		memset(arg, 0, sizeof(arg));
		memcpy(arg, &calls[at].bytes, sizeof(uint32_t));
		memcpy(arg + calls[at].flags, &flags, sizeof(flags));
		EXPECT_EQ(-EOPNOTSUPP, ref_call(self->fd, calls[at].call, arg)) {
			TH_LOG("call %u", at);
		}
	}
}

TEST_F(abi, padding_must_be_zero)
{
	uint8_t arg[1024];
	uint32_t at;

	for (at = 0; at < ARRAY_SIZE(calls); at++) {
		if (calls[at].padding < 0)
			continue;
		memset(arg, 0, sizeof(arg));
		memcpy(arg, &calls[at].bytes, sizeof(uint32_t));
		arg[calls[at].padding] = 1;
		EXPECT_EQ(-EINVAL, ref_call(self->fd, calls[at].call, arg)) {
			TH_LOG("call %u", at);
		}
	}
}

TEST_F(abi, bad_pointers_are_refused)
{
	uint8_t *end = mmap(NULL, 2 * REF_PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t at;

	ASSERT_NE(MAP_FAILED, (void *)end);
	ASSERT_EQ(0, munmap(end + REF_PAGE, REF_PAGE));
	end += REF_PAGE - sizeof(uint32_t);
	for (at = 0; at < ARRAY_SIZE(calls); at++) {
		memcpy(end, &calls[at].bytes, sizeof(uint32_t));
		EXPECT_EQ(-EFAULT, ref_call(self->fd, calls[at].call, NULL));
		EXPECT_EQ(-EFAULT, ref_call(self->fd, calls[at].call, (void *)~0xfffUL));
		EXPECT_EQ(-EFAULT, ref_call(self->fd, calls[at].call, end)) {
			TH_LOG("call %u", at);
		}
	}
}

TEST_F(abi, unknown_calls_are_refused)
{
	struct refiommu_info info = { .size = sizeof(info) };
	unsigned int nr;

	for (nr = 26 + 1; nr < 64; nr++)
		EXPECT_EQ(-ENOTTY, ref_call(self->fd, _IO(REFIOMMU_MAGIC, nr), &info));
	EXPECT_EQ(-ENOTTY, ref_call(self->fd, _IO(0x42, 0), &info));
}

/* Every call that names an object, with ids that nothing has. */
TEST_F(abi, unknown_ids_are_refused)
{
	static const uint32_t ids[] = { 0, 4711, ~0U, 1U << 31 };
	struct refiommu_ioas_replay counts;
	struct refiommu_lookup lookup;
	struct refiommu_range range;
	struct refiommu_event event;
	const struct ref_kind kind = REF_VTD48;
	const int fd = self->fd;
	uint32_t at, id;

	for (at = 0; at < ARRAY_SIZE(ids); at++) {
		id = ids[at];
		EXPECT_EQ(-ENOENT, ref_destroy(fd, id));
		EXPECT_EQ(-ENOENT, ref_endpoint(fd, id, 0, 0));
		EXPECT_EQ(-ENOENT, ref_probe(fd, id, 0, NULL));
		EXPECT_EQ(-ENOENT, ref_inject(fd, id, 1));
		EXPECT_EQ(-ENOENT, ref_lookup(fd, id, 0, 0, &lookup));
		EXPECT_EQ(-ENOENT, ref_map(fd, id, 0, REF_PAGE, self->world.mem));
		EXPECT_EQ(-ENOENT, ref_unmap_all(fd, id));
		EXPECT_EQ(-ENOENT, ref_detach(fd, id));
		EXPECT_EQ(-ENOENT, ref_ranges(fd, id, REFIOMMU_RANGES_PERMITTED, &range, 1));
		EXPECT_EQ(-ENOENT, ref_reserve(fd, id, REFIOMMU_RANGE_MSI, 0, 0xfff));
		EXPECT_EQ(-ENOENT, ref_replay(fd, id, 0, &counts));
		EXPECT_EQ(-ENOENT, ref_events(fd, id, &event, 1));
		EXPECT_EQ(-ENOENT, ref_invalidate(fd, id, 0, ~0ULL));
		EXPECT_EQ(-ENOENT, ref_nest(fd, id, &kind, REF_IOVA));
		EXPECT_EQ(-ENOENT, ref_attach(fd, id, id));
	}
}

/* An object of another kind is no such object, too. */
TEST_F(abi, kinds_are_not_mixed_up)
{
	const struct ref_world *w = &self->world;

	EXPECT_EQ(-ENOENT, ref_attach(w->fd, w->endpoint, w->ioas));
	EXPECT_EQ(-ENOENT, ref_attach(w->fd, w->instance, w->endpoint));
	EXPECT_EQ(-ENOENT, ref_map(w->fd, w->endpoint, 0, REF_PAGE, w->mem));
	EXPECT_EQ(-ENOENT, ref_map(w->fd, w->instance, 0, REF_PAGE, w->mem));
	EXPECT_EQ(-ENOENT, ref_endpoint(w->fd, w->ioas, 0, 0));
	EXPECT_EQ(-ENOENT, ref_probe(w->fd, w->ioas, 0, NULL));
	EXPECT_EQ(-ENOENT, ref_detach(w->fd, w->ioas));
	EXPECT_EQ(-ENOENT, ref_inject(w->fd, w->instance, 0));
}

/* Objects that stand on others keep them alive. */
TEST_F(abi, objects_in_use_are_busy)
{
	const struct ref_world *w = &self->world;
	const struct ref_kind kind = REF_VTD48;
	int nested;

	EXPECT_EQ(-EBUSY, ref_destroy(w->fd, w->instance));
	EXPECT_EQ(-EBUSY, ref_destroy(w->fd, w->endpoint));
	EXPECT_EQ(-EBUSY, ref_destroy(w->fd, w->ioas));
	ASSERT_EQ(0, ref_detach(w->fd, w->endpoint));
	nested = ref_nest(w->fd, w->ioas, &kind, REF_IOVA);
	ASSERT_GT(nested, 0);
	EXPECT_EQ(-EBUSY, ref_destroy(w->fd, w->ioas));
	EXPECT_EQ(0, ref_destroy(w->fd, nested));
	EXPECT_EQ(0, ref_destroy(w->fd, w->ioas));
	EXPECT_EQ(-EBUSY, ref_destroy(w->fd, w->instance));
	EXPECT_EQ(0, ref_destroy(w->fd, w->endpoint));
	EXPECT_EQ(0, ref_destroy(w->fd, w->instance));
	EXPECT_EQ(-ENOENT, ref_destroy(w->fd, w->instance));
}

/* Mappings do not keep an address space: they end with it. */
TEST_F(abi, destroy_drops_mappings)
{
	struct refiommu_info before;
	int ioas;

	ASSERT_EQ(0, ref_info(self->fd, &before));
	ioas = ref_ioas(self->fd, 0);
	ASSERT_GT(ioas, 0);
	ASSERT_EQ(0, ref_map(self->fd, ioas, 0, 8 * REF_PAGE, self->world.mem));
	ASSERT_EQ(0, ref_destroy(self->fd, ioas));
	EXPECT_TRUE(ref_settles(self->fd, &before));
}

TEST_F(abi, files_do_not_see_each_other)
{
	const struct ref_world *w = &self->world;
	struct refiommu_lookup lookup;

	EXPECT_EQ(-ENOENT, ref_destroy(self->fd, w->ioas));
	EXPECT_EQ(-ENOENT, ref_probe(self->fd, w->endpoint, 0, NULL));
	EXPECT_EQ(-ENOENT, ref_lookup(self->fd, w->ioas, 0, 0, &lookup));
	EXPECT_EQ(-ENOENT, ref_attach(self->fd, w->ioas, w->endpoint));
	/* Both count their ids from 1. */
	EXPECT_EQ(1, ref_ioas(self->fd, 0));
}

/* A file's end is the end of all: attached, mapped, cached, nested. */
TEST_F(abi, close_ends_everything)
{
	const struct ref_kind kind = REF_AMDV1;
	struct refiommu_info before, full;
	struct ref_world w;

	ASSERT_EQ(0, ref_info(self->fd, &before));
	ASSERT_EQ(0, ref_world_make(&w, &kind));
	ASSERT_EQ(0, ref_map(w.fd, w.ioas, REF_IOVA, 16 * REF_PAGE, w.mem));
	ASSERT_EQ(0, ref_fill(w.fd, w.endpoint, REF_IOVA, REF_IOVA + 0xffff, 1));
	ASSERT_GT(ref_nest(w.fd, w.ioas, &kind, REF_IOVA), 0);
	ASSERT_EQ(0, ref_info(self->fd, &full));
	EXPECT_EQ(16, full.out_pinned_pages - before.out_pinned_pages);
	EXPECT_LT(before.out_table_pages, full.out_table_pages);
	EXPECT_LT(before.out_domains, full.out_domains);
	EXPECT_LT(before.out_iotlb_entries, full.out_iotlb_entries);
	ASSERT_EQ(0, close(w.fd));
	EXPECT_TRUE(ref_settles(self->fd, &before));
}

TEST_F(abi, many_cycles_leak_nothing)
{
	struct refiommu_info before;
	struct ref_world w;
	int cycle;

	ASSERT_EQ(0, ref_info(self->fd, &before));
	for (cycle = 0; cycle < 60; cycle++) {
		ASSERT_EQ(0, ref_world_make(&w, &ref_formats[cycle % REF_NR_FORMATS].kind));
		ASSERT_EQ(0, ref_map(w.fd, w.ioas, REF_IOVA, REF_PAGE, w.mem));
		ASSERT_EQ(0, close(w.fd));
		ASSERT_EQ(0, munmap(w.mem, REF_WORLD_PAGES * REF_PAGE));
	}
	EXPECT_TRUE(ref_settles(self->fd, &before));
}

/* A file that is passed to another process lives on with it; its mappings keep their pages. */
TEST_F(abi, file_outlives_its_opener)
{
	const struct ref_kind kind = REF_VTD48;
	int pipefd[2], status;
	struct ref_world w;
	uint64_t mark;
	char word;
	pid_t pid;

	ASSERT_EQ(0, ref_world_make(&w, &kind));
	ASSERT_EQ(0, pipe(pipefd));
	pid = fork();
	if (!pid) {
		uint8_t *mem = ref_pages(1);

		mark = ref_mark(mem);
		if (ref_map(w.fd, w.ioas, REF_IOVA, REF_PAGE, mem))
			_exit(1);
		word = write(pipefd[1], &mark, sizeof(mark)) != sizeof(mark);
		_exit(word);
	}
	ASSERT_EQ((ssize_t)sizeof(mark), read(pipefd[0], &mark, sizeof(mark)));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	EXPECT_TRUE(ref_sees(w.fd, w.endpoint, REF_IOVA, &mark));
	EXPECT_EQ((int64_t)REF_PAGE, ref_unmap_exact(w.fd, w.ioas, REF_IOVA, REF_PAGE));
}

/* What an instance can be; the formats' own limits. */
TEST_F(abi, instances_that_cannot_be)
{
	static const struct ref_kind bad[] = {
		{ 0, 0 }, { 1000, 0 }, { ~0U, 48 },
		{ REFIOMMU_FORMAT_VTD, 38 }, { REFIOMMU_FORMAT_VTD, 64 },
		{ REFIOMMU_FORMAT_VTD, 12 },
		{ REFIOMMU_FORMAT_AMDV1, 12 }, { REFIOMMU_FORMAT_AMDV1, 65 },
		{ REFIOMMU_FORMAT_AMDV1, 22 }, { REFIOMMU_FORMAT_AMDV1, 66 },
		{ REFIOMMU_FORMAT_TCE, 30 },
	};
	static const struct ref_kind good[] = {
		{ REFIOMMU_FORMAT_VTD, 0 }, { REFIOMMU_FORMAT_VTD, 39 },
		{ REFIOMMU_FORMAT_VTD, 57 },
		{ REFIOMMU_FORMAT_AMDV1, 0 }, { REFIOMMU_FORMAT_AMDV1, 21 },
		{ REFIOMMU_FORMAT_AMDV1, 57 }, { REFIOMMU_FORMAT_AMDV1, 64 },
		{ REFIOMMU_FORMAT_TCE, 0 },
	};
	const struct ref_kind vtd = REF_VTD48;
	uint32_t at;

	for (at = 0; at < ARRAY_SIZE(bad); at++) {
		EXPECT_EQ(-EINVAL, ref_instance(self->fd, &bad[at], 0)) {
			TH_LOG("format %u width %u", bad[at].format, bad[at].width);
		}
	}
	for (at = 0; at < ARRAY_SIZE(good); at++)
		EXPECT_LT(0, ref_instance(self->fd, &good[at], 0));
	for (at = 0; at < REF_NR_FORMATS; at++)
		EXPECT_LT(0, ref_instance(self->fd, &ref_formats[at].kind, 0));
	EXPECT_EQ(-EINVAL, ref_instance(self->fd, &vtd, 1ULL << 21));
	EXPECT_EQ(-EINVAL, ref_instance(self->fd, &vtd, 1ULL << 12 | 1ULL << 13));
	EXPECT_LT(0, ref_instance(self->fd, &vtd, 1ULL << 12 | 1ULL << 30));
}

TEST_F(abi, instance_ranges_that_cannot_be)
{
	const struct ref_kind kind = REF_VTD48;
	struct refiommu_range ranges[REFIOMMU_MAX_RANGES + 1] = {
		{ 0x1000, 0x1fff, REFIOMMU_RANGE_MSI, 0 },
		{ 0x1000, 0x2fff, REFIOMMU_RANGE_RESERVED, 0 },
	};

	/* Overlap, unknown type, wrap, too many, not readable. */
	EXPECT_EQ(-EINVAL, ref_instance_ranges(self->fd, &kind, ranges, 2));
	ranges[1] = (struct refiommu_range){ 0x2000, 0x2fff, 77, 0 };
	EXPECT_EQ(-EINVAL, ref_instance_ranges(self->fd, &kind, ranges, 2));
	ranges[1] = (struct refiommu_range){ 0x2000, 0x1fff, REFIOMMU_RANGE_MSI, 0 };
	EXPECT_NE(0, ref_instance_ranges(self->fd, &kind, ranges, 2) < 0);
	EXPECT_EQ(-EINVAL, ref_instance_ranges(self->fd, &kind, ranges, REFIOMMU_MAX_RANGES + 1));
	EXPECT_EQ(-EFAULT, ref_instance_ranges(self->fd, &kind, (void *)8, 1));
	ranges[1] = (struct refiommu_range){ 0x2000, 0x2fff, REFIOMMU_RANGE_RESERVED, 0 };
	EXPECT_LT(0, ref_instance_ranges(self->fd, &kind, ranges, 2));
	/* A device gets the kernel's memory from nobody. */
	ranges[1] = (struct refiommu_range){ 0x100000, 0x1fffff, REFIOMMU_RANGE_DIRECT, REF_RW };
	EXPECT_EQ(-EPERM, ref_instance_ranges(self->fd, &kind, ranges, 2));
}

TEST_F(abi, endpoints_that_cannot_be)
{
	const struct ref_world *w = &self->world;

	EXPECT_EQ(-EINVAL, ref_endpoint(w->fd, w->instance, 0, 3));
	EXPECT_EQ(-EINVAL, ref_endpoint(w->fd, w->instance, 0, ~0U));
	EXPECT_LT(0, ref_endpoint(w->fd, w->instance, 7, REFIOMMU_DRIVER_NONE));
	EXPECT_LT(0, ref_endpoint(w->fd, w->instance, 7, REFIOMMU_DRIVER_NONE));
}

/* A DMA driver may not move in where somebody owns the group. */
TEST_F(abi, dma_driver_in_an_owned_group)
{
	const struct ref_world *w = &self->world;
	int first = ref_endpoint(w->fd, w->instance, 9, REFIOMMU_DRIVER_NONE);

	ASSERT_GT(first, 0);
	ASSERT_EQ(0, ref_attach(w->fd, w->ioas, first));
	EXPECT_EQ(-EBUSY, ref_endpoint(w->fd, w->instance, 9, REFIOMMU_DRIVER_DMA));
	ASSERT_EQ(0, ref_detach(w->fd, first));
	EXPECT_LT(0, ref_endpoint(w->fd, w->instance, 9, REFIOMMU_DRIVER_DMA));
	/* And now nobody may own it. */
	EXPECT_EQ(-EBUSY, ref_attach(w->fd, w->ioas, first));
}

TEST_HARNESS_MAIN
