// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * 100,000 random calls: numbers, sizes, flags and pointers of all kinds, with enough right ones
 * among them to get somewhere. The module must survive, and hold nothing when the file is closed.
 * REF_SEED=N repeats a run, REF_OPS=N sets its length.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "ref.h"
#include "test.h"

#define SECONDS 240
#define MOST_IDS (8 * REF_NR_FORMATS) /* what a test begins with, and some more */

/*
 * Sizes of the structs, and offsets of ids in them, so that calls often come past the first
 * checks.
 */
struct shape {
	unsigned int nr;
	uint32_t bytes;
	int ids[2];
	int ranges; /* offset of first, last; -1: none */
	int pointer; /* -1: none */
};

#define S(type) sizeof(struct type)
#define O(type, member) offsetof(struct type, member)

static const struct shape shapes[] = {
	{ 0, S(refiommu_info), { -1, -1 }, -1, -1 },
	{ 1, S(refiommu_destroy), { O(refiommu_destroy, id), -1 }, -1, -1 },
	{ 2, S(refiommu_instance_create), { -1, -1 }, -1, O(refiommu_instance_create, ranges) },
	{ 3, S(refiommu_endpoint_create), { O(refiommu_endpoint_create, instance_id), -1 }, -1,
	  -1 },
	{ 5, S(refiommu_dma), { O(refiommu_dma, endpoint_id), -1 }, O(refiommu_dma, first),
	  O(refiommu_dma, data) },
	{ 6, S(refiommu_dmaapi), { O(refiommu_dmaapi, endpoint_id), -1 }, -1,
	  O(refiommu_dmaapi, data) },
	{ 7, S(refiommu_inject), { O(refiommu_inject, endpoint_id), -1 }, -1, -1 },
	{ 8, S(refiommu_lookup), { O(refiommu_lookup, id), O(refiommu_lookup, endpoint_id) },
	  -1, -1 },
	{ 9, S(refiommu_iova_to_phys), { -1, -1 }, -1, O(refiommu_iova_to_phys, iovas) },
	{ 16, S(refiommu_ioas_alloc), { -1, -1 }, -1, -1 },
	{ 17, S(refiommu_ioas_map), { O(refiommu_ioas_map, ioas_id), -1 },
	  O(refiommu_ioas_map, first), O(refiommu_ioas_map, uaddr) },
	{ 18, S(refiommu_ioas_unmap), { O(refiommu_ioas_unmap, ioas_id), -1 },
	  O(refiommu_ioas_unmap, first), -1 },
	{ 19, S(refiommu_ioas_attach),
	  { O(refiommu_ioas_attach, ioas_id), O(refiommu_ioas_attach, endpoint_id) }, -1, -1 },
	{ 20, S(refiommu_ioas_detach), { O(refiommu_ioas_detach, endpoint_id), -1 }, -1, -1 },
	{ 21, S(refiommu_ioas_ranges), { O(refiommu_ioas_ranges, ioas_id), -1 }, -1,
	  O(refiommu_ioas_ranges, ranges) },
	{ 22, S(refiommu_ioas_reserve), { O(refiommu_ioas_reserve, ioas_id), -1 },
	  O(refiommu_ioas_reserve, first), -1 },
	{ 23, S(refiommu_ioas_replay),
	  { O(refiommu_ioas_replay, ioas_id), O(refiommu_ioas_replay, endpoint_id) }, -1, -1 },
	{ 24, S(refiommu_ioas_events), { O(refiommu_ioas_events, ioas_id), -1 }, -1,
	  O(refiommu_ioas_events, events) },
	{ 25, S(refiommu_ioas_invalidate), { O(refiommu_ioas_invalidate, ioas_id), -1 },
	  O(refiommu_ioas_invalidate, first), -1 },
	{ 26, S(refiommu_ioas_nest), { O(refiommu_ioas_nest, parent_id), -1 }, -1,
	  O(refiommu_ioas_nest, root_gpa) },
};

FIXTURE(fuzz)
{
	int watcher; /* another file, for the counters */
	int fd;
	uint8_t *mem;
	struct refiommu_info before;
	unsigned long calls, went_well;
};

FIXTURE_SETUP(fuzz)
{
	REF_NEED_MODULE();
	self->watcher = ref_open();
	self->fd = ref_open();
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, ref_info(self->watcher, &self->before));
	self->mem = ref_pages(REF_WORLD_PAGES);
}

FIXTURE_TEARDOWN(fuzz)
{
}

typedef FIXTURE_DATA(fuzz) World;

/* Not random(): two threads draw. */
static uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static uint64_t any_value(uint64_t *s)
{
	static const uint64_t special[] = {
		0, 1, 2, 3, 0xfff, 0x1000, ~0ULL, ~0xfffULL, 1ULL << 31, 1ULL << 32, 1ULL << 39,
		1ULL << 59, 1ULL << 63, (1ULL << 48) - 1, 0x7fffffff,
	};
	uint64_t value = draw(s);

	switch (draw(s) % 4) {
	case 0: return special[value % ARRAY_SIZE(special)];
	case 1: return value % 16;
	case 2: return value >> value % 64;
	default: return value;
	}
}

/* Whole pages, mostly few, mostly at one place; sometimes anything. */
static void any_range(uint64_t *s, uint8_t *arg)
{
	uint64_t first = REF_IOVA + draw(s) % 32 * REF_PAGE;
	uint64_t last = first + (1 + draw(s) % 8) * REF_PAGE - 1;

	if (draw(s) % 8 == 0)
		first = any_value(s);
	if (draw(s) % 8 == 0)
		last = any_value(s);
	memcpy(arg, &first, 8);
	memcpy(arg + 8, &last, 8);
}

static uint64_t any_pointer(const World *self, uint64_t *s)
{
	uint64_t inside = (uintptr_t)self->mem + draw(s) % 32 * REF_PAGE;

	return draw(s) % 8 ? inside : any_value(s);
}

static void fill(const World *self, uint64_t *s, const struct shape *shape, uint8_t *arg,
		 uint32_t bytes)
{
	uint32_t at, id, word;

	memset(arg, 0, bytes);
	/* Small words everywhere: kinds, flags, numbers. */
	for (at = 4; at + 4 <= shape->bytes; at += 4) {
		word = draw(s) % 4 ? draw(s) % 5 : any_value(s);
		if (draw(s) % 3)
			memcpy(arg + at, &word, 4);
	}
	for (at = 0; at < 2; at++) {
		id = draw(s) % 16 ? 1 + draw(s) % MOST_IDS : any_value(s);
		if (shape->ids[at] >= 0)
			memcpy(arg + shape->ids[at], &id, 4);
	}
	if (shape->ranges >= 0)
		any_range(s, arg + shape->ranges);
	if (shape->pointer >= 0) {
		uint64_t pointer = any_pointer(self, s);

		memcpy(arg + shape->pointer, &pointer, 8);
	}
	word = draw(s) % 16 ? shape->bytes : draw(s) % 512;
	memcpy(arg, &word, 4);
}

static void one_call(World *self, uint64_t *s)
{
	const struct shape *shape = &shapes[draw(s) % ARRAY_SIZE(shapes)];
	uint8_t arg[1024];
	void *at = arg;
	unsigned long call = _IO(REFIOMMU_MAGIC, shape->nr);

	fill(self, s, shape, arg, sizeof(arg));
	/* What keeps the machine busy and teaches nothing: gigabytes, and hundreds of devices. */
	if (shape->nr == 3 && draw(s) % 8)
		return;
	if (draw(s) % 64 == 0)
		at = (void *)any_value(s);
	if (draw(s) % 64 == 0)
		call = draw(s);
	self->went_well += ioctl(self->fd, call, at) >= 0;
	self->calls++;
}

static unsigned long setting(const char *name, unsigned long otherwise)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 0) : otherwise;
}

/* Objects to begin with, so that ids mean something at once. */
static void furnish(struct __test_metadata *_metadata, const World *self)
{
	uint32_t at;

	for (at = 0; at < REF_NR_FORMATS; at++) {
		int instance = ref_instance(self->fd, &ref_formats[at].kind, 0);

		ASSERT_GT(instance, 0);
		ASSERT_GT(ref_endpoint(self->fd, instance, 0, REFIOMMU_DRIVER_NONE), 0);
		ASSERT_GT(ref_endpoint(self->fd, instance, 1, REFIOMMU_DRIVER_NONE), 0);
		ASSERT_GT(ref_endpoint(self->fd, instance, 0, REFIOMMU_DRIVER_DMA), 0);
		ASSERT_GT(ref_ioas(self->fd, at % 3), 0);
	}
}

static void finish(struct __test_metadata *_metadata, World *self)
{
	TH_LOG("%lu calls, %lu of them went well", self->calls, self->went_well);
	EXPECT_LT(0, self->went_well);
	ASSERT_EQ(0, close(self->fd));
	EXPECT_TRUE(ref_settles(self->watcher, &self->before));
}

TEST_F_TIMEOUT(fuzz, random_calls, 280)
{
	unsigned long seed = setting("REF_SEED", time(NULL)), ops = setting("REF_OPS", 100000);
	uint64_t s = seed * 0x9e3779b97f4a7c15ULL | 1;
	time_t end = time(NULL) + SECONDS;

	TH_LOG("REF_SEED=%lu", seed);
	furnish(_metadata, self);
	while (self->calls < ops && time(NULL) < end)
		one_call(self, &s);
	EXPECT_EQ(ops, self->calls);
	finish(_metadata, self);
}

struct racer {
	World *self;
	uint64_t state;
};

static void *race(void *arg)
{
	struct racer *racer = arg;
	int call;

	for (call = 0; call < 10000; call++)
		one_call(racer->self, &racer->state);
	return NULL;
}

/* The same from four threads on one file: objects end while others use them. */
TEST_F_TIMEOUT(fuzz, random_calls_at_once, 280)
{
	unsigned long seed = setting("REF_SEED", time(NULL));
	struct racer racer[4];
	pthread_t thread[4];
	int at;

	TH_LOG("REF_SEED=%lu", seed);
	furnish(_metadata, self);
	for (at = 0; at < 4; at++) {
		racer[at] = (struct racer){ self, (seed + at) * 0x9e3779b97f4a7c15ULL | 1 };
		ASSERT_EQ(0, pthread_create(&thread[at], NULL, race, &racer[at]));
	}
	for (at = 0; at < 4; at++)
		pthread_join(thread[at], NULL);
	finish(_metadata, self);
}

/* A file is closed by one thread while another is in a call. */
TEST_F(fuzz, close_while_in_use)
{
	const struct ref_kind kind = REF_VTD48;
	struct racer racer;
	pthread_t thread;
	struct ref_world w;
	int turn;

	for (turn = 0; turn < 10; turn++) {
		ASSERT_EQ(0, ref_world_make(&w, &kind));
		self->fd = w.fd;
		racer = (struct racer){ self, 4711 + turn };
		ASSERT_EQ(0, pthread_create(&thread, NULL, race, &racer));
		usleep(20000);
		close(w.fd);
		pthread_join(thread, NULL);
	}
	EXPECT_TRUE(ref_settles(self->watcher, &self->before));
}

TEST_HARNESS_MAIN
