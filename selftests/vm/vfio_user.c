// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A small VFIO type1 user for the tests: opens one device through the legacy
 * container and group, then does what the words on its command line say, in order.
 * For each thing done it prints one line of key=value pairs, which the tests
 * compare with the trace. It stops at the first thing that fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "hammer.h"
#include "type1.h"
#include "verbs.h"

#define SMALL_SIZE 4096UL
#define HUGE_SIZE (2UL << 20)
#define GIGA_PAGES (30 << MAP_HUGE_SHIFT)
#define LOOP_IOVA 0x10000000ULL
#define LOOP_SIZE 4096ULL

#define MAPS_MAX 16	/* that are remembered */

struct mapped {
	char *vaddr;
	uint64_t iova, size;
};

struct user {
	struct mapped maps[MAPS_MAX];
	unsigned int nmaps;
	int container;
	int group;
	int device;
	int joined;	/* a second group, or -1 */
	const char *bdf;
};

static void open_all(struct user *u);

const char program[] = "vfio_user";

/* Words that are not a permission belong to the next verb. */
static uint32_t permission(const char *word)
{
	if (word && !strcmp(word, "r"))
		return VFIO_DMA_MAP_FLAG_READ;
	if (word && !strcmp(word, "w"))
		return VFIO_DMA_MAP_FLAG_WRITE;
	if (word && !strcmp(word, "rw"))
		return TYPE1_RW;
	return 0;
}

/* Each page gets its memory when it is written; every other page first, so no two are neighbours. */
static void touch_scattered(char *mem, uint64_t size)
{
	uint64_t start, i;

	for (start = 0; start < 2; start++)
		for (i = start * SMALL_SIZE; i < size; i += 2 * SMALL_SIZE)
			memset(mem + i, 0x5a, SMALL_SIZE);
}

/*
 * Kernels make huge pages of large areas unless told not to. 512 small ones in a row are as bad:
 * type1 unmaps them in one call, and the kernel before 7.2 then frees tables early (docs/bugs.md).
 */
static void *small_memory(uint64_t size)
{
	void *mem = memory((size + SMALL_SIZE - 1) & ~(SMALL_SIZE - 1), 0);

	if (mem == MAP_FAILED)
		die("mmap");
	madvise(mem, size, MADV_NOHUGEPAGE);
	touch_scattered(mem, size);
	return mem;
}

/* Huge pages of the pool, or whatever the kernel makes of an aligned area. */
static void *huge_memory(uint64_t size, const char **kind)
{
	uintptr_t start;
	void *mem;

	*kind = "hugetlb";
	mem = memory(size, MAP_HUGETLB | MAP_POPULATE);
	if (mem != MAP_FAILED)
		return mem;

	*kind = "thp";
	mem = memory(size + HUGE_SIZE, 0);
	if (mem == MAP_FAILED)
		die("mmap");
	start = ((uintptr_t)mem + HUGE_SIZE - 1) & ~(HUGE_SIZE - 1);
	if (madvise((void *)start, size, MADV_HUGEPAGE))
		die("madvise");
	memset((void *)start, 0x5a, size);
	return (void *)start;
}

static void dma_map(const struct user *u, void *vaddr, uint64_t size, uint64_t iova, uint32_t flags)
{
	if (type1_map(u->container, vaddr, size, iova, flags))
		die("VFIO_IOMMU_MAP_DMA");
}

/* As many single pages as the kernel takes, from LOOP_IOVA on. */
static int do_many(struct user *u, char **words)
{
	uint64_t made = 0, count = number(words[1]);
	void *vaddr = small_memory(LOOP_SIZE);

	errno = 0;
	while (made < count && !type1_map(u->container, vaddr, LOOP_SIZE,
					  LOOP_IOVA + made * LOOP_SIZE, VFIO_DMA_MAP_FLAG_READ))
		made++;
	printf("many pid=%d made=%" PRIu64 " count=%" PRIu64 " error=%d\n", getpid(), made, count,
	       errno);
	return 2;
}

/* The same memory, small pages without neighbours, again and again: many entries for little memory. */
static int do_rows(struct user *u, char **words)
{
	uint64_t size = number(words[1]), count = number(words[2]), iova = number(words[3]), i;
	void *vaddr = small_memory(size);

	for (i = 0; i < count; i++)
		dma_map(u, vaddr, size, iova + i * size, TYPE1_RW);
	printf("rows pid=%d size=%" PRIu64 " count=%" PRIu64 "\n", getpid(), size, count);
	return 4;
}

static uint64_t dma_unmap(const struct user *u, uint64_t iova, uint64_t size, uint32_t flags)
{
	int64_t done = type1_unmap(u->container, iova, size, flags);

	if (done < 0)
		die("VFIO_IOMMU_UNMAP_DMA");
	return done;
}

static void say_map(const void *vaddr, uint64_t size, uint64_t iova, uint32_t flags,
		    const char *pages)
{
	printf("map pid=%d vaddr=%p iova=0x%" PRIx64 " size=%" PRIu64 " flags=%u pages=%s\n",
	       getpid(), vaddr, iova, size, flags, pages);
}

static void say_unmap(uint64_t iova, uint64_t size, uint32_t flags, uint64_t done)
{
	printf("unmap pid=%d iova=0x%" PRIx64 " size=%" PRIu64 " flags=%u done=%" PRIu64 "\n",
	       getpid(), iova, size, flags, done);
}

/* Each verb returns how many words it used, itself included. */

static void remember(struct user *u, void *vaddr, uint64_t iova, uint64_t size)
{
	if (u->nmaps < MAPS_MAX)
		u->maps[u->nmaps++] = (struct mapped){ vaddr, iova, size };
}

static int map_memory(struct user *u, char **words, void *vaddr, const char *pages)
{
	uint64_t size = number(words[1]), iova = number(words[2]);
	uint32_t asked = permission(words[3]);
	uint32_t flags = asked ? asked : TYPE1_RW;

	dma_map(u, vaddr, size, iova, flags);
	remember(u, vaddr, iova, size);
	say_map(vaddr, size, iova, flags, pages);
	return asked ? 4 : 3;
}

static int do_map(struct user *u, char **words)
{
	return map_memory(u, words, small_memory(number(words[1])), "small");
}

static int do_hugemap(struct user *u, char **words)
{
	const char *pages;
	void *vaddr = huge_memory(number(words[1]), &pages);

	return map_memory(u, words, vaddr, pages);
}

static int do_map_away(struct user *u, char **words)
{
	uint64_t size = number(words[1]), iova = number(words[2]);
	void *vaddr = small_memory(size);

	if (type1_map_away(u->container, vaddr, size, iova, TYPE1_RW))
		die("VFIO_IOMMU_MAP_DMA");
	say_map(vaddr, size, iova, TYPE1_RW, "small");
	return 3;
}

/* Pages of 1 GiB, of which there must be some in the pool. */
static int do_gigamap(struct user *u, char **words)
{
	void *vaddr = memory(number(words[1]), MAP_HUGETLB | GIGA_PAGES | MAP_POPULATE);

	if (vaddr == MAP_FAILED)
		die("mmap of 1 GiB pages");
	return map_memory(u, words, vaddr, "giga");
}

/* The process forgets the memory; the pin is all that keeps its pages. */
static int do_map_drop(struct user *u, char **words)
{
	uint64_t size = number(words[1]);
	void *vaddr = small_memory(size);
	int used = map_memory(u, words, vaddr, "small");

	if (munmap(vaddr, size))
		die("munmap");
	return used;
}

/* Other pages behind the addresses of a map. */
static int do_replace(struct user *u, char **words)
{
	uint64_t iova = number(words[1]), size = number(words[2]);
	unsigned int i;
	char *at;

	for (i = 0; i < u->nmaps; i++) {
		const struct mapped *m = &u->maps[i];

		if (iova < m->iova || iova - m->iova >= m->size)
			continue;
		at = m->vaddr + (iova - m->iova);
		if (madvise(at, size, MADV_DONTNEED))
			die("madvise");
		memset(at, 0x33, size);
	}
	printf("replace pid=%d iova=0x%" PRIx64 " size=%" PRIu64 "\n", getpid(), iova, size);
	return 3;
}

/* A child has the same memory and lives on; then all that is mapped is written here. */
static int do_fork(struct user *u, char **words)
{
	pid_t child = fork();
	unsigned int i;

	(void)words;
	if (child < 0)
		die("fork");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	for (i = 0; i < u->nmaps; i++)
		memset(u->maps[i].vaddr, 0x44, u->maps[i].size);
	printf("fork pid=%d child=%d\n", getpid(), child);
	return 1;
}

static int do_unmap(struct user *u, char **words)
{
	uint64_t iova = number(words[1]), size = number(words[2]);

	say_unmap(iova, size, 0, dma_unmap(u, iova, size, 0));
	return 3;
}

static int do_unmap_all(struct user *u, char **words)
{
	uint32_t flags = VFIO_DMA_UNMAP_FLAG_ALL;

	(void)words;
	say_unmap(0, 0, flags, dma_unmap(u, 0, 0, flags));
	return 1;
}

static void say_loop(const void *vaddr, uint64_t count, uint64_t begin_ns)
{
	printf("loop pid=%d vaddr=%p iova=0x%llx size=%llu count=%" PRIu64 " ns=%" PRIu64 "\n",
	       getpid(), vaddr, LOOP_IOVA, LOOP_SIZE, count, now_ns() - begin_ns);
}

static void map_and_unmap(const struct user *u, void *vaddr)
{
	dma_map(u, vaddr, LOOP_SIZE, LOOP_IOVA, TYPE1_RW);
	dma_unmap(u, LOOP_IOVA, LOOP_SIZE, 0);
}

static int do_loop(struct user *u, char **words)
{
	uint64_t i, count = number(words[1]);
	void *vaddr = small_memory(LOOP_SIZE);
	uint64_t begin_ns = now_ns();

	for (i = 0; i < count; i++)
		map_and_unmap(u, vaddr);
	say_loop(vaddr, count, begin_ns);
	return 2;
}

static int do_storm(struct user *u, char **words)
{
	uint64_t count = 0, begin_ns = now_ns();
	uint64_t end_ns = begin_ns + number(words[1]) * 1000000000ULL;
	void *vaddr = small_memory(LOOP_SIZE);

	while (now_ns() < end_ns) {
		map_and_unmap(u, vaddr);
		count++;
	}
	say_loop(vaddr, count, begin_ns);
	return 2;
}

static int hammer_map(struct user *u, void *mem, uint64_t size, uint64_t iova)
{
	return type1_map(u->container, mem, size, iova, TYPE1_RW);
}

static int64_t hammer_unmap(struct user *u, uint64_t iova, uint64_t size)
{
	return type1_unmap(u->container, iova, size, 0);
}

/* Two threads here, and two of a second process with the same container. */
static int do_hammer(struct user *u, char **words)
{
	static const struct hammer ops = { hammer_map, hammer_unmap };
	pid_t child = fork();
	int status;

	if (child < 0)
		die("fork");
	hammer(u, &ops, number(words[1]));
	if (!child)
		_exit(fflush(stdout));
	if (waitpid(child, &status, 0) != child || status)
		die("the second process");
	dma_unmap(u, 0, 1ULL << 32, 0);
	return 2;
}

/* Whatever is still mapped stays mapped: the kernel has to clean up. */
static void close_all(struct user *u)
{
	close(u->device);
	close(u->group);
	if (u->joined >= 0)
		close(u->joined);
	close(u->container);
	u->device = u->group = u->container = u->joined = -1;
}

static int do_close(struct user *u, char **words)
{
	(void)words;
	close_all(u);
	printf("close pid=%d\n", getpid());
	return 1;
}

static int open_group(const char *bdf)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[PATH_MAX], link[PATH_MAX];
	ssize_t len;
	int group;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0)
		die(path);
	link[len] = '\0';
	group = type1_group(number(strrchr(link, '/') + 1));
	if (ioctl(group, VFIO_GROUP_GET_STATUS, &status))
		die("VFIO_GROUP_GET_STATUS");
	errno = EBUSY;
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		die("group is not viable");
	return group;
}

/* One more group in the container: a domain that it fits in, or one that is replayed into. */
static int do_join(struct user *u, char **words)
{
	u->joined = open_group(words[1]);
	type1_join(u->container, u->joined);
	printf("join pid=%d device=%s\n", getpid(), words[1]);
	return 2;
}

/* Closed and opened again; two slots each time, of which every other time one is unmapped. */
static int do_reopen(struct user *u, char **words)
{
	uint64_t i, resets = 0, count = number(words[1]);
	void *vaddr = small_memory(4 * LOOP_SIZE);

	for (i = 0; i < count; i++) {
		close_all(u);
		open_all(u);
		dma_map(u, vaddr, 4 * LOOP_SIZE, LOOP_IOVA, TYPE1_RW);
		resets += !ioctl(u->device, VFIO_DEVICE_RESET);
		dma_map(u, vaddr, LOOP_SIZE, 2 * LOOP_IOVA, TYPE1_RW);
		if (i & 1)
			dma_unmap(u, LOOP_IOVA, 4 * LOOP_SIZE, 0);
	}
	printf("reopen pid=%d count=%" PRIu64 " resets=%" PRIu64 "\n", getpid(), count, resets);
	return 2;
}

static int do_sleep(struct user *u, char **words)
{
	(void)u;
	sleep(number(words[1]));
	return 2;
}

const struct verb verbs[] = {
	{ "map",	"SIZE IOVA [r|w|rw]", 2, do_map },
	{ "hugemap",	"SIZE IOVA [r|w|rw]", 2, do_hugemap },
	{ "gigamap",	"SIZE IOVA [r|w|rw]", 2, do_gigamap },
	{ "mapdrop",	"SIZE IOVA [r|w|rw]", 2, do_map_drop },
	{ "mapaway",	"SIZE IOVA", 2, do_map_away },
	{ "replace",	"IOVA SIZE", 2, do_replace },
	{ "fork",	"", 0, do_fork },
	{ "many",	"COUNT", 1, do_many },
	{ "rows",	"SIZE COUNT IOVA", 3, do_rows },
	{ "unmap",	"IOVA SIZE", 2, do_unmap },
	{ "unmap-all",	"", 0, do_unmap_all },
	{ "loop",	"COUNT", 1, do_loop },
	{ "storm",	"SECONDS", 1, do_storm },
	{ "join",	"BDF", 1, do_join },
	{ "hammer",	"SECONDS", 1, do_hammer },
	{ "reopen",	"COUNT", 1, do_reopen },
	{ "sleep",	"SECONDS", 1, do_sleep },
	{ "close",	"", 0, do_close },
	{ NULL, NULL, 0, NULL },
};

void usage(void)
{
	fprintf(stderr, "usage: vfio_user BDF VERB [ARGUMENT...] [VERB...]\n");
	print_verbs();
	exit(2);
}

static void open_all(struct user *u)
{
	u->container = type1_open();
	u->group = open_group(u->bdf);
	type1_join(u->container, u->group);
	type1_choose(u->container);
	u->device = type1_device(u->group, u->bdf);
}

int main(int argc, char **argv)
{
	struct user u = { .container = -1, .group = -1, .device = -1, .joined = -1, .bdf = argv[1] };

	if (argc < 2)
		usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	open_all(&u);
	printf("open pid=%d device=%s\n", getpid(), u.bdf);
	run_verbs(&u, argc - 2, argv + 2);
	return 0;
}
