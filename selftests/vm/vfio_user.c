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
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/vfio.h>

#define HUGE_SIZE (2UL << 20)
#define LOOP_IOVA 0x10000000ULL
#define LOOP_SIZE 4096ULL

struct user {
	int container;
	int group;
	int device;
};

static void die(const char *what)
{
	fprintf(stderr, "vfio_user: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* "4096", "0x1000", "4K", "2M", "1G" */
static uint64_t number(const char *word)
{
	static const char units[] = "KMG";
	const char *unit;
	uint64_t value;
	char *end;

	errno = 0;
	value = strtoull(word, &end, 0);
	unit = *end ? strchr(units, *end) : NULL;
	if (errno || end == word || (*end && (!unit || end[1]))) {
		fprintf(stderr, "vfio_user: '%s' is not a number\n", word);
		exit(2);
	}
	return unit ? value << (10 * (unit - units + 1)) : value;
}

/* Words that are not a permission belong to the next verb. */
static uint32_t permission(const char *word)
{
	if (word && !strcmp(word, "r"))
		return VFIO_DMA_MAP_FLAG_READ;
	if (word && !strcmp(word, "w"))
		return VFIO_DMA_MAP_FLAG_WRITE;
	if (word && !strcmp(word, "rw"))
		return VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
	return 0;
}

static void *memory(uint64_t size, int flags)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

/* Kernels make huge pages of large areas unless told not to. */
static void *small_memory(uint64_t size)
{
	void *mem = memory(size, 0);

	if (mem == MAP_FAILED)
		die("mmap");
	madvise(mem, size, MADV_NOHUGEPAGE);
	memset(mem, 0x5a, size);
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
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = flags,
		.vaddr = (uintptr_t)vaddr,
		.iova = iova,
		.size = size,
	};

	if (ioctl(u->container, VFIO_IOMMU_MAP_DMA, &map))
		die("VFIO_IOMMU_MAP_DMA");
}

static uint64_t dma_unmap(const struct user *u, uint64_t iova, uint64_t size, uint32_t flags)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.flags = flags,
		.iova = iova,
		.size = size,
	};

	if (ioctl(u->container, VFIO_IOMMU_UNMAP_DMA, &unmap))
		die("VFIO_IOMMU_UNMAP_DMA");
	return unmap.size;
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

static int map_memory(const struct user *u, char **words, void *vaddr, const char *pages)
{
	uint64_t size = number(words[1]), iova = number(words[2]);
	uint32_t asked = permission(words[3]);
	uint32_t flags = asked ? asked : VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;

	dma_map(u, vaddr, size, iova, flags);
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

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void say_loop(const void *vaddr, uint64_t count, uint64_t begin_ns)
{
	printf("loop pid=%d vaddr=%p iova=0x%llx size=%llu count=%" PRIu64 " ns=%" PRIu64 "\n",
	       getpid(), vaddr, LOOP_IOVA, LOOP_SIZE, count, now_ns() - begin_ns);
}

static void map_and_unmap(const struct user *u, void *vaddr)
{
	dma_map(u, vaddr, LOOP_SIZE, LOOP_IOVA,
		VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE);
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

/* Whatever is still mapped stays mapped: the kernel has to clean up. */
static int do_close(struct user *u, char **words)
{
	(void)words;
	close(u->device);
	close(u->group);
	close(u->container);
	u->device = u->group = u->container = -1;
	printf("close pid=%d\n", getpid());
	return 1;
}

static int do_sleep(struct user *u, char **words)
{
	(void)u;
	sleep(number(words[1]));
	return 2;
}

static const struct verb {
	const char *name;
	const char *arguments;
	int words;	/* that must follow */
	int (*run)(struct user *u, char **words);
} verbs[] = {
	{ "map",	"SIZE IOVA [r|w|rw]", 2, do_map },
	{ "hugemap",	"SIZE IOVA [r|w|rw]", 2, do_hugemap },
	{ "unmap",	"IOVA SIZE", 2, do_unmap },
	{ "unmap-all",	"", 0, do_unmap_all },
	{ "loop",	"COUNT", 1, do_loop },
	{ "storm",	"SECONDS", 1, do_storm },
	{ "sleep",	"SECONDS", 1, do_sleep },
	{ "close",	"", 0, do_close },
};

#define NVERBS (sizeof(verbs) / sizeof(verbs[0]))

static void usage(void)
{
	size_t i;

	fprintf(stderr, "usage: vfio_user BDF VERB [ARGUMENT...] [VERB...]\n");
	for (i = 0; i < NVERBS; i++)
		fprintf(stderr, "  %-10s %s\n", verbs[i].name, verbs[i].arguments);
	exit(2);
}

static const struct verb *find_verb(const char *name)
{
	size_t i;

	for (i = 0; i < NVERBS; i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	fprintf(stderr, "vfio_user: unknown verb '%s'\n", name);
	usage();
	return NULL;
}

static void open_group(struct user *u, const char *bdf)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[PATH_MAX], link[PATH_MAX];
	ssize_t len;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0)
		die(path);
	link[len] = '\0';
	snprintf(path, sizeof(path), "/dev/vfio/%.16s", strrchr(link, '/') + 1);

	u->group = open(path, O_RDWR | O_CLOEXEC);
	if (u->group < 0)
		die(path);
	if (ioctl(u->group, VFIO_GROUP_GET_STATUS, &status))
		die("VFIO_GROUP_GET_STATUS");
	errno = EBUSY;
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		die("group is not viable");
}

static void open_all(struct user *u, const char *bdf)
{
	u->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (u->container < 0)
		die("/dev/vfio/vfio");
	open_group(u, bdf);
	if (ioctl(u->group, VFIO_GROUP_SET_CONTAINER, &u->container))
		die("VFIO_GROUP_SET_CONTAINER");
	if (ioctl(u->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		die("VFIO_SET_IOMMU");
	u->device = ioctl(u->group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (u->device < 0)
		die("VFIO_GROUP_GET_DEVICE_FD");
	printf("open pid=%d device=%s\n", getpid(), bdf);
}

int main(int argc, char **argv)
{
	struct user u = { -1, -1, -1 };
	const struct verb *verb;
	int i;

	if (argc < 2)
		usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	open_all(&u, argv[1]);
	for (i = 2; i < argc; i += verb->run(&u, argv + i)) {
		verb = find_verb(argv[i]);
		if (argc - i - 1 < verb->words)
			usage();
	}
	return 0;
}
