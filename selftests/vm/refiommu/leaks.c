// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What a world takes it gives back, by the kernel's own books: objects of each slab cache, and pages.
 * Many worlds are made and ended, some to fill caches, then some to count. What the machine does by
 * itself meanwhile comes once; a leak comes again each time, so it is counted up to three times.
 * One object or one page lost by each world is what is looked for. A kernel with kmemleak is
 * asked instead: with KASAN the caches keep what was freed in quarantine.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "ref.h"
#include "test.h"

#define WARM_UP 60
#define CYCLES 600
#define MOST_CACHES 512

struct cache {
	char name[64];
	long objects;
};

struct books {
	struct cache caches[MOST_CACHES];
	int nr_caches;
	long pages; /* neither free, nor of files, nor of slabs */
};

static const struct ref_kind vtd48 = REF_VTD48, amdv1 = REF_AMDV1, tce = REF_TCE;

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}

/* Everything that objects end with a delay in: works, RCU, LRU batches, caches of files. */
static void settle(void)
{
	sync();
	write_text("/proc/sys/vm/drop_caches", "3");
	write_text("/proc/sys/vm/compact_memory", "1");
	sleep(2);
}

static long meminfo(const char *what)
{
	char line[128], name[64];
	long value, found = 0;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63[^:]: %ld", name, &value) == 2 && !strcmp(name, what))
			found = value;
	if (f)
		fclose(f);
	return found / 4;
}

/* Free pages that the CPUs keep for themselves; MemFree is without them. */
static long cpu_pages(void)
{
	FILE *f = fopen("/proc/zoneinfo", "r");
	long count, sum = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " count: %ld", &count) == 1)
			sum += count;
	if (f)
		fclose(f);
	return sum;
}

static int read_books(struct books *books)
{
	FILE *f = fopen("/proc/slabinfo", "r");
	struct cache *cache;
	char line[256];

	if (!f)
		return -errno;
	books->nr_caches = 0;
	while (fgets(line, sizeof(line), f) && books->nr_caches < MOST_CACHES) {
		cache = &books->caches[books->nr_caches];
		if (sscanf(line, "%63s %ld", cache->name, &cache->objects) == 2)
			books->nr_caches++;
	}
	fclose(f);
	books->pages = meminfo("MemTotal") - meminfo("MemFree") - meminfo("Buffers") -
		       meminfo("Cached") - meminfo("Slab") - meminfo("AnonPages") -
		       meminfo("Percpu") - cpu_pages();
	return books->nr_caches ? 0 : -ENODATA;
}

/* Two IOMMUs, a replay, a guest's table, a switch, and the DMA API; ended by the close. */
static int cycle(uint8_t *mem)
{
	struct refiommu_dmaapi arg = {};
	int fd = ref_open();
	int first = ref_instance(fd, &vtd48, 0), second = ref_instance(fd, &amdv1, 0);
	int third = ref_instance(fd, &tce, 0);
	int e = ref_endpoint(fd, first, 0, REFIOMMU_DRIVER_NONE);
	int f = ref_endpoint(fd, second, 1, REFIOMMU_DRIVER_NONE);
	int driver = ref_endpoint(fd, third, 0, REFIOMMU_DRIVER_DMA);
	int a = ref_ioas(fd, REFIOMMU_IOAS_NOTIFY), b = ref_ioas(fd, REFIOMMU_IOAS_SPLIT);
	int nested = ref_nest(fd, a, &vtd48, REF_IOVA);
	int err;

	if (fd < 0 || e < 0 || f < 0 || driver < 0 || b < 0 || nested < 0)
		return -EIO;
	err = ref_attach(fd, a, e) || ref_map(fd, a, REF_IOVA, 8 * REF_PAGE, mem) ||
	      ref_map(fd, b, REF_IOVA, 4 * REF_PAGE, mem) || ref_attach(fd, a, f) ||
	      ref_fill(fd, f, REF_IOVA, REF_IOVA + 2 * REF_PAGE - 1, 0) ||
	      ref_attach(fd, nested, e) || ref_probe(fd, e, REF_IOVA, NULL) < 0 ||
	      ref_attach(fd, b, e) ||
	      ref_unmap(fd, b, REFIOMMU_UNMAP_INEXACT, REF_IOVA + REF_PAGE,
			REF_IOVA + 2 * REF_PAGE - 1) != (int64_t)REF_PAGE ||
	      ref_dmaapi(fd, driver, REFIOMMU_DMAAPI_ALLOC, 0, 8192, &arg);
	close(fd);
	return err ? -EIO : 0;
}

#define KMEMLEAK "/sys/kernel/debug/kmemleak"

/* Can it be asked? It is there and says EBUSY when it is not on. */
static bool has_kmemleak(void)
{
	int fd = open(KMEMLEAK, O_RDWR);
	bool on = fd >= 0 && write(fd, "scan", 4) == 4;

	if (fd >= 0)
		close(fd);
	return on;
}

/* Lines of kmemleak that name the module. */
static int unreferenced(void)
{
	char line[256];
	int found = 0;
	FILE *f;

	write_text(KMEMLEAK, "scan");
	write_text(KMEMLEAK, "scan");
	f = fopen(KMEMLEAK, "r");
	while (f && fgets(line, sizeof(line), f))
		found += !!strstr(line, "[refiommu]");
	if (f)
		fclose(f);
	return found;
}

FIXTURE(leaks)
{
	uint8_t *mem;
	struct books *before;
	struct books *after;
};

FIXTURE_SETUP(leaks)
{
	int i;

	REF_NEED_MODULE();
	self->mem = ref_pages(16);
	self->before = calloc(2, sizeof(*self->before));
	self->after = self->before + 1;
	ASSERT_NE(NULL, self->mem);
	ASSERT_NE(NULL, self->before);
	for (i = 0; i < WARM_UP; i++)
		ASSERT_EQ(0, cycle(self->mem));
}

FIXTURE_TEARDOWN(leaks)
{
}

static int count(FIXTURE_DATA(leaks) *self)
{
	int i, err = 0;

	settle();
	err = read_books(self->before);
	for (i = 0; i < CYCLES && !err; i++)
		err = cycle(self->mem);
	settle();
	return err ? err : read_books(self->after);
}

/* Objects that a cache has more now; 0 for one that is new. */
static long growth(const struct books *before, const struct cache *cache)
{
	int i;

	for (i = 0; i < before->nr_caches; i++)
		if (!strcmp(cache->name, before->caches[i].name))
			return cache->objects - before->caches[i].objects;
	return 0;
}

/* What has grown by half an object a world, or more; NULL: nothing. */
static const char *grown(const struct books *before, const struct books *after)
{
	const struct cache *cache;

	if (after->pages - before->pages >= CYCLES / 2)
		return "pages";
	for (cache = after->caches; cache < after->caches + after->nr_caches; cache++)
		/* vmap_area: of the DMA API's memory; the kernel frees these in its own time. */
		if (growth(before, cache) >= CYCLES / 2 && strcmp(cache->name, "vmap_area"))
			return cache->name;
	return NULL;
}

TEST_F_TIMEOUT(leaks, what_is_taken_is_given_back, 600)
{
	const char *what = NULL;
	int round;

	if (has_kmemleak()) {
		ASSERT_EQ(0, count(self));
		EXPECT_EQ(0, unreferenced());
		return;
	}
	for (round = 0; round < 3; round++) {
		ASSERT_EQ(0, count(self));
		what = grown(self->before, self->after);
		if (!what)
			break;
		TH_LOG("round %d: more %s (%ld pages)", round, what,
		       self->after->pages - self->before->pages);
	}
	EXPECT_EQ(NULL, what);
}

/* The books do show it: each world leaves at least two tables. */
TEST_F_TIMEOUT(leaks, a_leak_would_be_seen, 600)
{
	int err;

	if (ref_bug("leak-on-free", true))
		SKIP(return, "no switches of planted bugs: debugfs is not mounted");
	err = count(self);
	ASSERT_EQ(0, ref_bug("leak-on-free", false));
	ASSERT_EQ(0, err);
	EXPECT_GE(self->after->pages - self->before->pages, CYCLES);
}

TEST_HARNESS_MAIN
