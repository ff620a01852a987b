// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Every allocation fails once: a scenario runs again and again, and in run N the kernel's fault
 * injection refuses the Nth allocation (Documentation/fault-injection). Whatever that breaks, the
 * call says so with a fitting errno, nothing leaks, nothing is left attached, and the same scenario
 * works right after. It ends with the run in which no allocation was left to fail, and all went
 * well. Needs a kernel with FAULT_INJECTION: `scripts/kernels get own`.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "ref.h"
#include "test.h"

#define MOST_RUNS 5000

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -EIO : 0;
}

/* Allocations that may wait count, too, and those of any size. */
static int prepare(void)
{
	int err = write_text("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");

	write_text("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	write_text("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N");
	write_text("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	write_text("/sys/kernel/debug/failslab/verbose", "0");
	write_text("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	return err;
}

static int set_group_type(uint32_t group, const char *type)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%u/type", group);
	return write_text(path, type);
}

static bool default_is_identity(void)
{
	char line[4096] = "";
	int fd = open("/proc/cmdline", O_RDONLY);
	bool found = fd >= 0 && read(fd, line, sizeof(line) - 1) > 0 && strstr(line, "iommu=pt");

	if (fd >= 0)
		close(fd);
	return found;
}

static int fail_nth(int fd, unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	return pwrite(fd, text, len, 0) == len ? 0 : -errno;
}

/* Runs until the next failure, 0: it came. */
static int fail_left(int fd)
{
	char text[16] = "";

	return pread(fd, text, sizeof(text) - 1, 0) < 0 ? -1 : atoi(text);
}

/* ---- scenarios: -errno at the first call that fails; all end with the file ---- */

static const struct ref_kind vtd48 = REF_VTD48, amdv1 = REF_AMDV1, tce = REF_TCE;

static int scenario_map(int fd, uint8_t *mem, const struct ref_kind *kind, uint32_t flags)
{
	struct refiommu_lookup look;
	int instance = ref_instance(fd, kind, 0);
	int endpoint, ioas, err;
	int64_t bytes;

	if (instance < 0)
		return instance;
	endpoint = ref_endpoint(fd, instance, 0, REFIOMMU_DRIVER_NONE);
	if (endpoint < 0)
		return endpoint;
	ioas = ref_ioas(fd, flags);
	if (ioas < 0)
		return ioas;
	err = ref_attach(fd, ioas, endpoint);
	if (!err)
		err = ref_map(fd, ioas, REF_IOVA, 16 * REF_PAGE, mem);
	if (!err)
		err = ref_fill(fd, endpoint, REF_IOVA, REF_IOVA + REF_PAGE - 1, 1);
	if (!err)
		err = ref_lookup(fd, ioas, 0, REF_IOVA, &look);
	if (err)
		return err;
	bytes = ref_unmap_all(fd, ioas);
	if (bytes != 16 * REF_PAGE)
		return bytes < 0 ? bytes : -EBADE;
	return ref_detach(fd, endpoint);
}

static int map_tracked(int fd, uint8_t *mem, int given)
{
	return scenario_map(fd, mem, &vtd48, REFIOMMU_IOAS_NOTIFY);
}

static int map_split(int fd, uint8_t *mem, int given)
{
	return scenario_map(fd, mem, &amdv1, REFIOMMU_IOAS_SPLIT);
}

static int map_untracked(int fd, uint8_t *mem, int given)
{
	return scenario_map(fd, mem, &tce, REFIOMMU_IOAS_UNTRACKED);
}

/* A mapping is replayed for a device of another IOMMU, then that moves to a second space. */
static int replay_and_switch(int fd, uint8_t *mem, int given)
{
	int first = ref_instance(fd, &vtd48, 0), second = ref_instance(fd, &amdv1, 0);
	int a, b, e, f, err;

	if (first < 0 || second < 0)
		return first < 0 ? first : second;
	e = ref_endpoint(fd, first, 0, REFIOMMU_DRIVER_NONE);
	f = e < 0 ? e : ref_endpoint(fd, second, 1, REFIOMMU_DRIVER_NONE);
	a = f < 0 ? f : ref_ioas(fd, 0);
	b = a < 0 ? a : ref_ioas(fd, 0);
	if (b < 0)
		return b;
	err = ref_attach(fd, a, e);
	if (!err)
		err = ref_map(fd, a, REF_IOVA, 4 * REF_PAGE, mem);
	if (!err)
		err = ref_map(fd, b, REF_IOVA, REF_PAGE, mem);
	if (!err)
		err = ref_attach(fd, a, f);
	if (!err)
		err = ref_attach(fd, b, f);
	return err;
}

static int nest(int fd, uint8_t *mem, int given)
{
	int instance = ref_instance(fd, &amdv1, 0);
	int endpoint, parent, child, err;

	endpoint = instance < 0 ? instance : ref_endpoint(fd, instance, 0, REFIOMMU_DRIVER_NONE);
	parent = endpoint < 0 ? endpoint : ref_ioas(fd, 0);
	if (parent < 0)
		return parent;
	err = ref_map(fd, parent, 0, 16 * REF_PAGE, mem);
	if (err)
		return err;
	child = ref_nest(fd, parent, &vtd48, REF_PAGE);
	if (child < 0)
		return child;
	err = ref_attach(fd, child, endpoint);
	return err ? err : ref_invalidate(fd, child, 0, ~0ULL);
}

/* The group gets a domain of the DMA API before anything fails: see FIXTURE_SETUP. */
static int dma_api_given(int fd)
{
	struct refiommu_endpoint_create arg = { .size = sizeof(arg), .group = 1 };
	int err;

	arg.instance_id = ref_instance(fd, &vtd48, 0);
	err = ref_call(fd, REFIOMMU_ENDPOINT_CREATE, &arg);
	if (!err)
		err = set_group_type(arg.out_group, "DMA");
	return err ? err : ref_endpoint(fd, arg.instance_id, 1, REFIOMMU_DRIVER_DMA);
}

static int dma_api(int fd, uint8_t *mem, int endpoint)
{
	struct refiommu_dmaapi arg = { .nents = 4 };
	int err;

	err = ref_dmaapi(fd, endpoint, REFIOMMU_DMAAPI_ALLOC, 0, 8192, &arg);
	if (err)
		return err;
	err = ref_dmaapi(fd, endpoint, REFIOMMU_DMAAPI_MAP, 0, 4096, &arg);
	if (err)
		return err;
	memset(&arg, 0, sizeof(arg));
	arg.nents = 4;
	return ref_dmaapi(fd, endpoint, REFIOMMU_DMAAPI_MAP_SG, 0, 0, &arg);
}

/*
 * Making a VFIO device is not swept: when vfio_create_group() of 6.12 fails, it releases a group
 * that still names its iommu_group, warns, and leaks the reference.
 */

/* ---- the sweep ---- */

FIXTURE(failnth)
{
	struct refiommu_info before;
	uint8_t *mem;
	int fd; /* watches the counters */
	int nth;
};

FIXTURE_VARIANT(failnth)
{
	int (*given)(int fd); /* an endpoint, made while nothing fails; or NULL */
	int (*scenario)(int fd, uint8_t *mem, int endpoint);
};

FIXTURE_VARIANT_ADD(failnth, map_tracked) { .scenario = map_tracked };
FIXTURE_VARIANT_ADD(failnth, map_split) { .scenario = map_split };
FIXTURE_VARIANT_ADD(failnth, map_untracked) { .scenario = map_untracked };
FIXTURE_VARIANT_ADD(failnth, replay_and_switch) { .scenario = replay_and_switch };
FIXTURE_VARIANT_ADD(failnth, nest) { .scenario = nest };
FIXTURE_VARIANT_ADD(failnth, dma_api) {
	.given = dma_api_given, .scenario = dma_api
};

FIXTURE_SETUP(failnth)
{
	REF_NEED_MODULE();
	self->nth = open("/proc/thread-self/fail-nth", O_RDWR);
	if (self->nth < 0 || prepare())
		SKIP(return, "a kernel without fault injection; scripts/kernels get own");
	if (!default_is_identity())
		SKIP(return, "not booted with iommu=pt: 6.12 dies in free_iova_rcaches() "
		     "when an allocation of a new DMA domain fails");
	self->fd = ref_open();
	ASSERT_LE(0, self->fd);
	self->mem = ref_pages(16);
	ASSERT_NE(NULL, self->mem);
	ASSERT_EQ(0, ref_info(self->fd, &self->before));
}

FIXTURE_TEARDOWN(failnth)
{
}

/*
 * What an allocation that failed may look like from outside. EINVAL is what device_add() says when
 * there was no memory for the device's name.
 */
static bool is_fitting(int err)
{
	return err == -ENOMEM || err == -EIO || err == -EFAULT || err == -ENODEV || err == -EINVAL;
}

/* One run: 0 when no allocation was left to fail. */
static int run(struct __test_metadata *_metadata, FIXTURE_DATA(failnth) *self,
	       const FIXTURE_VARIANT(failnth) *variant, int n)
{
	int err, left, endpoint = 0, fd = ref_open();

	ASSERT_LE(0, fd);
	if (variant->given)
		endpoint = variant->given(fd);
	ASSERT_LE(0, endpoint);
	ASSERT_EQ(0, fail_nth(self->nth, n));
	err = variant->scenario(fd, self->mem, endpoint);
	left = fail_left(self->nth);
	fail_nth(self->nth, 0);
	close(fd);
	ASSERT_TRUE(ref_settles(self->fd, &self->before))
	{
		TH_LOG("allocation %d: something is left behind, after error %d", n, err);
	}
	ASSERT_TRUE(!err || (!left && is_fitting(err)))
	{
		TH_LOG("allocation %d: error %d", n, err);
	}
	return !left;
}

TEST_F_TIMEOUT(failnth, sweep, 600)
{
	int n = 1;

	/* The first time fills caches that later runs find filled. */
	run(_metadata, self, variant, MOST_RUNS);
	while (n < MOST_RUNS && run(_metadata, self, variant, n))
		n++;
	EXPECT_LT(5, n);
	EXPECT_GT(MOST_RUNS, n);
	TH_LOG("%d allocations failed, one at a time", n - 1);
}

TEST_HARNESS_MAIN
