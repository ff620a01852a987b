// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Random operations on three address spaces and two devices, compared with a plain model: one entry
 * per page. Each result is compared with what the model says it must be; lookups and DMA with what
 * is in it. REF_SEED=N in the environment repeats a run, REF_OPS=N makes it longer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ref.h"
#include "test.h"

#define PAGES(n) ((n) * REF_PAGE)
#define SPOTS 192 /* pages that are mapped and looked at */
#define SPACES 3
#define DEVICES 2

enum { TRACKED, SPLITTING, UNTRACKED };

static const uint32_t flags_of[SPACES] = { 0, REFIOMMU_IOAS_SPLIT, REFIOMMU_IOAS_UNTRACKED };

/* A page as the model knows it. */
struct spot {
	bool mapped;
	uint32_t prot;
	unsigned int memory; /* page of the buffer */
	unsigned int begin, end; /* spots of its mapping */
};

struct model {
	struct spot spot[SPACES][SPOTS];
	int in[DEVICES]; /* space, or -1 */
	bool had_device[SPACES];
};

FIXTURE(random)
{
	int fd;
	struct ref_kind kind;
	uint64_t base; /* IOVA of spot 0 */
	int space[SPACES];
	int device[DEVICES];
	uint8_t *mem;
	uint64_t paddr[SPOTS];
	struct model model;
	struct refiommu_info before;
};

FIXTURE_VARIANT(random)
{
	struct ref_kind kind;
};

REF_VARIANTS(random);

typedef FIXTURE_DATA(random) World;
typedef struct __test_metadata Meta;

FIXTURE_SETUP(random)
{
	unsigned int at;

	REF_NEED_MODULE();
	self->fd = ref_open();
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, ref_info(self->fd, &self->before));
	self->kind = variant->kind;
	self->mem = ref_pages(SPOTS);
	ASSERT_NE(NULL, self->mem);
	for (at = 0; at < SPOTS; at++)
		self->paddr[at] = ref_paddr(self->mem + PAGES(at));
	for (at = 0; at < SPACES; at++)
		self->space[at] = ref_ioas(self->fd, flags_of[at]);
	for (at = 0; at < DEVICES; at++) {
		int instance = ref_instance(self->fd, &variant->kind, at ? 1ULL << 12 : 0);

		self->device[at] = ref_endpoint(self->fd, instance, 0, REFIOMMU_DRIVER_NONE);
		ASSERT_GT(self->device[at], 0);
		self->model.in[at] = -1;
	}
}

FIXTURE_TEARDOWN(random)
{
}

static unsigned int any(unsigned int below)
{
	return random() % below;
}

static uint64_t first_of(const World *self, unsigned int spot)
{
	return self->base + PAGES((uint64_t)spot);
}

static uint64_t last_of(const World *self, unsigned int spot)
{
	return first_of(self, spot) + 0xfff;
}

/* A range of spots; most are short. */
static void any_range(unsigned int *begin, unsigned int *end)
{
	*begin = any(SPOTS);
	*end = *begin + any(any(4) ? 8 : SPOTS);
	if (*end >= SPOTS)
		*end = SPOTS - 1;
}

/* Often the range of a mapping that exists. */
static void likely_range(const struct spot *spot, unsigned int *begin, unsigned int *end)
{
	any_range(begin, end);
	if (any(4) && spot[*begin].mapped) {
		*end = spot[*begin].end;
		*begin = spot[*begin].begin;
	}
}

static unsigned int count_mapped(const struct spot *spot, unsigned int begin, unsigned int end)
{
	unsigned int at, count = 0;

	for (at = begin; at <= end; at++)
		count += spot[at].mapped;
	return count;
}

/* Does the range cut a mapping? */
static bool cuts(const struct spot *spot, unsigned int begin, unsigned int end)
{
	return (spot[begin].mapped && spot[begin].begin < begin) ||
	       (spot[end].mapped && spot[end].end > end);
}

static void model_clear(struct spot *spot, unsigned int begin, unsigned int end)
{
	unsigned int at;

	/* What remains on either side is a mapping of its own. */
	if (spot[begin].mapped)
		for (at = spot[begin].begin; at < begin; at++)
			spot[at].end = begin - 1;
	if (spot[end].mapped)
		for (at = spot[end].end; at > end; at--)
			spot[at].begin = end + 1;
	for (at = begin; at <= end; at++)
		spot[at].mapped = false;
}

static void op_map(Meta *_metadata, World *self, unsigned int space)
{
	struct spot *spot = self->model.spot[space];
	unsigned int begin, end, memory, at;
	uint32_t prot = ref_prot(&self->kind, 1 + any(REF_RW));
	int expected = 0;

	any_range(&begin, &end);
	memory = any(SPOTS - (end - begin));
	if (space == UNTRACKED && !self->model.had_device[space])
		expected = -ENODEV;
	else if (count_mapped(spot, begin, end))
		expected = -EEXIST;
	ASSERT_EQ(expected, ref_map_prot(self->fd, self->space[space], first_of(self, begin),
					 last_of(self, end), self->mem + PAGES(memory), prot)) {
		TH_LOG("map of %u..%u in space %u", begin, end, space);
	}
	for (at = begin; !expected && at <= end; at++)
		spot[at] = (struct spot){ true, prot, memory + at - begin, begin, end };
}

static int64_t expect_exact(const struct spot *spot, unsigned int space, unsigned int begin,
			    unsigned int end)
{
	unsigned int count = count_mapped(spot, begin, end);

	if (space == UNTRACKED)
		return -EOPNOTSUPP;
	if (!count)
		return -ENOENT;
	if (count != end - begin + 1 || cuts(spot, begin, end))
		return -EINVAL;
	return PAGES(count);
}

static int64_t expect_inexact(const struct spot *spot, unsigned int space, unsigned int begin,
			      unsigned int end)
{
	if (space == TRACKED && cuts(spot, begin, end))
		return -EINVAL;
	return PAGES(count_mapped(spot, begin, end));
}

static void op_unmap(Meta *_metadata, World *self, unsigned int space, uint32_t form)
{
	struct spot *spot = self->model.spot[space];
	unsigned int begin, end;
	int64_t expected;

	likely_range(spot, &begin, &end);
	expected = form == REFIOMMU_UNMAP_EXACT ? expect_exact(spot, space, begin, end) :
						  expect_inexact(spot, space, begin, end);
	ASSERT_EQ(expected, ref_unmap(self->fd, self->space[space], form, first_of(self, begin),
				      last_of(self, end))) {
		TH_LOG("form %u of %u..%u in space %u", form, begin, end, space);
	}
	if (expected > 0)
		model_clear(spot, begin, end);
}

static void op_unmap_all(Meta *_metadata, World *self, unsigned int space)
{
	struct spot *spot = self->model.spot[space];

	ASSERT_EQ((int64_t)PAGES(count_mapped(spot, 0, SPOTS - 1)),
		  ref_unmap_all(self->fd, self->space[space]));
	model_clear(spot, 0, SPOTS - 1);
}

/* Without a device an address space permits more, but here all maps are where all formats reach. */
static void op_attach(Meta *_metadata, World *self, unsigned int device, unsigned int space)
{
	int expected = self->model.in[device] == (int)space ? -EALREADY : 0;

	ASSERT_EQ(expected, ref_attach(self->fd, self->space[space], self->device[device]));
	self->model.in[device] = space;
	self->model.had_device[space] = true;
}

static void op_detach(Meta *_metadata, World *self, unsigned int device)
{
	ASSERT_EQ(self->model.in[device] < 0 ? -ENOENT : 0,
		  ref_detach(self->fd, self->device[device]));
	self->model.in[device] = -1;
}

/* A device sees what its space has at a spot, and in no space nothing. */
static void check_device(Meta *_metadata, World *self, unsigned int device, unsigned int at)
{
	const int in = self->model.in[device];
	const struct spot *spot = &self->model.spot[in < 0 ? 0 : in][at];
	bool mapped = in >= 0 && spot->mapped;
	struct refiommu_dma dma;
	struct refiommu_lookup l;

	ASSERT_EQ(mapped, !ref_probe(self->fd, self->device[device], first_of(self, at), &dma)) {
		TH_LOG("device %u in %d, spot %u", device, in, at);
	}
	ASSERT_EQ(0, dma.out_flags & ~(uint32_t)REFIOMMU_DMA_FAULTED);
	ASSERT_EQ(mapped ? self->paddr[spot->memory] : ~0ULL, dma.out_paddr);
	ASSERT_EQ(0, ref_lookup(self->fd, self->device[device], 0, last_of(self, at), &l));
	ASSERT_EQ(mapped, !!(l.out_flags & REFIOMMU_LOOKUP_PRESENT));
	if (mapped) {
		ASSERT_EQ(self->paddr[spot->memory] + 0xfff, l.out_paddr);
		ASSERT_EQ(spot->prot, l.out_prot);
	}
}

/* The address space says which mapping it is, with and without a device. */
static void check_space(Meta *_metadata, World *self, unsigned int space, unsigned int at)
{
	const struct spot *spot = &self->model.spot[space][at];
	struct refiommu_lookup l;
	int err = ref_lookup(self->fd, self->space[space], 0, first_of(self, at), &l);

	ASSERT_TRUE(!err || err == -ENODEV);
	if (!err)
		ASSERT_EQ(spot->mapped, !!(l.out_flags & REFIOMMU_LOOKUP_PRESENT));
	ASSERT_EQ(spot->mapped && space != UNTRACKED, !!(l.out_flags & REFIOMMU_LOOKUP_MAPPING));
	if (!spot->mapped || space == UNTRACKED)
		return;
	ASSERT_EQ(first_of(self, spot->begin), l.out_map_first);
	ASSERT_EQ(last_of(self, spot->end), l.out_map_last);
	ASSERT_EQ((uintptr_t)self->mem + PAGES(spot->memory - (at - spot->begin)), l.out_map_uaddr);
}

/* DMA changes and reads the memory itself. */
static void op_dma(Meta *_metadata, World *self, unsigned int device)
{
	const int in = self->model.in[device];
	unsigned int at = any(SPOTS);
	const struct spot *spot = &self->model.spot[in < 0 ? 0 : in][at];
	bool mapped = in >= 0 && spot->mapped;
	uint64_t value = random(), seen, iova = first_of(self, at) + 8 * any(512);
	bool may_write = mapped && spot->prot & REFIOMMU_PROT_WRITE;
	bool may_read = mapped && spot->prot & REFIOMMU_PROT_READ;

	ASSERT_EQ(may_write, !ref_fill(self->fd, self->device[device], iova, iova + 7, value));
	if (may_write)
		ASSERT_EQ(value, *(uint64_t *)(self->mem + PAGES(spot->memory) + (iova & 0xfff)));
	ASSERT_EQ(may_read, !ref_read64(self->fd, self->device[device], iova, &seen));
	if (may_read)
		ASSERT_EQ(*(uint64_t *)(self->mem + PAGES(spot->memory) + (iova & 0xfff)), seen);
}

static void any_op(Meta *_metadata, World *self)
{
	unsigned int what = any(100), space = any(SPACES), device = any(DEVICES);

	if (what < 40)
		op_map(_metadata, self, space);
	else if (what < 55)
		op_unmap(_metadata, self, space, REFIOMMU_UNMAP_EXACT);
	else if (what < 72)
		op_unmap(_metadata, self, space, REFIOMMU_UNMAP_INEXACT);
	else if (what < 73)
		op_unmap_all(_metadata, self, space);
	else if (what < 81)
		op_attach(_metadata, self, device, space);
	else if (what < 83)
		op_detach(_metadata, self, device);
	else
		op_dma(_metadata, self, device);
}

static unsigned long setting(const char *name, unsigned long otherwise)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 0) : otherwise;
}

static void check_all(Meta *_metadata, World *self)
{
	unsigned int at, which;

	for (at = 0; at < SPOTS; at++) {
		for (which = 0; which < DEVICES; which++)
			check_device(_metadata, self, which, at);
		for (which = 0; which < SPACES; which++)
			check_space(_metadata, self, which, at);
	}
}

static void operations(Meta *_metadata, World *self)
{
	unsigned long seed = setting("REF_SEED", time(NULL)), ops = setting("REF_OPS", 10000), op;
	struct refiommu_info now;
	unsigned int which;

	TH_LOG("REF_SEED=%lu", seed);
	srandom(seed);
	for (op = 0; op < ops; op++) {
		any_op(_metadata, self);
		check_device(_metadata, self, any(DEVICES), any(SPOTS));
		check_space(_metadata, self, any(SPACES), any(SPOTS));
		if (op % 500 == 0)
			check_all(_metadata, self);
	}
	check_all(_metadata, self);
	for (which = 0; which < SPACES; which++)
		op_unmap_all(_metadata, self, which);
	check_all(_metadata, self);
	ASSERT_EQ(0, ref_info(self->fd, &now));
	EXPECT_EQ(self->before.out_pinned_pages, now.out_pinned_pages);
}

/* Where tables of all levels end and begin. */
TEST_F_TIMEOUT(random, operations_at_an_edge, 280)
{
	self->base = self->kind.edge - PAGES(SPOTS / 2);
	operations(_metadata, self);
}

TEST_F_TIMEOUT(random, operations_at_the_top, 280)
{
	self->base = self->kind.top - (PAGES(SPOTS) - 1);
	operations(_metadata, self);
}

TEST_HARNESS_MAIN
