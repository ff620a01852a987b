// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A user of the module refiommu for the tests of the collector: makes IOMMUs and devices at
 * /dev/refiommu, owns them through VFIO type1 or through an address space, and does what the
 * words on its command line say, in order. It stops at the first thing that fails.
 *
 * All objects end with the program; 'close' closes the container before that.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include "hammer.h"
#include "refiommu_user.h"
#include "type1.h"

#define PAGE 4096ULL
#define HUGE_SIZE (2UL << 20)
#define LOOP_IOVA 0x10000000ULL

const char program[] = "refiommu_user";

/* ---- memory ---- */

#define TRIES 8

/* Entries of /proc/self/pagemap, which root can read: bits 0 to 54 are the page's number. */
static bool is_contiguous(const void *mem, uint64_t size)
{
	uint64_t entry, first = 0, i;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	bool same = fd >= 0;

	for (i = 0; same && i < size / PAGE; i++) {
		same = pread(fd, &entry, sizeof(entry), ((uintptr_t)mem / PAGE + i) * sizeof(entry)) ==
		       sizeof(entry);
		entry <<= 9;
		first = i ? first : entry;
		same = same && entry == first + (i << 9);
	}
	if (fd >= 0)
		close(fd);
	return same;
}

/* NULL: there are not so many. */
static void *filled_pages(uint64_t size, int flags)
{
	void *mem = memory(size, flags);

	if (mem == MAP_FAILED)
		return NULL;
	if (!flags)
		madvise(mem, size, MADV_NOHUGEPAGE);
	memset(mem, 0x5a, size);
	return mem;
}

/* Of huge pages, where there are any, that are neighbours, if the pool has such: others are kept meanwhile. */
static void *filled_memory(uint64_t size)
{
	int flags = size % HUGE_SIZE ? 0 : MAP_HUGETLB, n = 0;
	void *others[TRIES], *mem = filled_pages(size, flags);

	if (!mem)
		die("mmap");
	while (flags && mem && n < TRIES && !is_contiguous(mem, size)) {
		others[n++] = mem;
		mem = filled_pages(size, flags);
	}
	if (!mem)
		mem = others[--n];
	while (n)
		munmap(others[--n], size);
	return mem;
}

/* ---- mappings: of the address space if there is one, else of the container ---- */

static int ioas_map(struct user *u, void *mem, uint64_t size, uint64_t iova)
{
	struct refiommu_ioas_map arg = {
		.size = sizeof(arg),
		.ioas_id = u->ioas,
		.prot = RW,
		.first = iova,
		.last = iova + (size - 1),
		.uaddr = (uintptr_t)mem,
	};

	return ioctl(u->ref, REFIOMMU_IOAS_MAP, &arg);
}

/* What was unmapped, or -1. */
static int64_t ioas_unmap(struct user *u, uint64_t iova, uint64_t size)
{
	struct refiommu_ioas_unmap arg = {
		.size = sizeof(arg),
		.ioas_id = u->ioas,
		.form = REFIOMMU_UNMAP_EXACT,
		.first = iova,
		.last = iova + (size - 1),
	};

	return ioctl(u->ref, REFIOMMU_IOAS_UNMAP, &arg) ? -1 : (int64_t)arg.out_bytes;
}

static int try_map(struct user *u, void *mem, uint64_t size, uint64_t iova)
{
	return u->ioas ? ioas_map(u, mem, size, iova) :
			 type1_map(u->container, mem, size, iova, TYPE1_RW);
}

static int64_t try_unmap(struct user *u, uint64_t iova, uint64_t size)
{
	return u->ioas ? ioas_unmap(u, iova, size) : type1_unmap(u->container, iova, size, 0);
}

static void map(struct user *u, void *mem, uint64_t size, uint64_t iova)
{
	if (try_map(u, mem, size, iova))
		die(u->ioas ? "REFIOMMU_IOAS_MAP" : "VFIO_IOMMU_MAP_DMA");
}

static uint64_t unmap(struct user *u, uint64_t iova, uint64_t size)
{
	int64_t done = try_unmap(u, iova, size);

	if (done < 0)
		die(u->ioas ? "REFIOMMU_IOAS_UNMAP" : "VFIO_IOMMU_UNMAP_DMA");
	return done;
}

static int do_map(struct user *u, char **words)
{
	uint64_t size = number(words[1]), iova = number(words[2]);

	u->mem = filled_memory(size);
	u->mem_size = size;
	map(u, u->mem, size, iova);
	printf("map iova=0x%" PRIx64 " size=%" PRIu64 "\n", iova, size);
	return 3;
}

static int do_unmap(struct user *u, char **words)
{
	uint64_t iova = number(words[1]), size = number(words[2]);
	uint64_t done = unmap(u, iova, size);

	printf("unmap iova=0x%" PRIx64 " size=%" PRIu64 " done=%" PRIu64 "\n", iova, size, done);
	return 3;
}

#define SCATTER_BYTES (8 * HUGE_SIZE)

/* Repeatable. */
static uint32_t next_number(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/*
 * COUNT mappings from IOVA on, of all sizes and with holes of all sizes between them, or none: single pages, runs of
 * pages, large pages. All are of the same memory.
 */
static int do_scatter(struct user *u, char **words)
{
	uint64_t count = number(words[1]), iova = number(words[2]), i, size, at;
	uint32_t state = 1, r;

	u->mem_size = SCATTER_BYTES;
	u->mem = filled_memory(u->mem_size);
	for (i = 0; i < count; i++) {
		r = next_number(&state);
		size = r % 16 ? (r % 3 ? PAGE : PAGE << (r >> 4) % 7) : HUGE_SIZE;
		if (size == HUGE_SIZE)
			iova = (iova + HUGE_SIZE - 1) / HUGE_SIZE * HUGE_SIZE;
		at = next_number(&state) % ((SCATTER_BYTES - size) / size + 1) * size;
		map(u, (uint8_t *)u->mem + at, size, iova);
		iova += size + (next_number(&state) % 4) * PAGE;
		if (!(r >> 8 & 0x1ff))
			iova += HUGE_SIZE << (r >> 4) % 9;
	}
	printf("scatter count=%" PRIu64 " last=0x%" PRIx64 "\n", count, iova);
	return 3;
}

/* Huge pages go back to their pool, others to the allocator. */
static int do_munmap(struct user *u, char **words)
{
	(void)words;
	if (!u->mem || munmap(u->mem, u->mem_size))
		die("munmap");
	printf("munmap size=%" PRIu64 "\n", u->mem_size);
	u->mem = NULL;
	return 1;
}

/* Other pages at the same addresses: what was mapped still leads to the old ones. */
static int do_replace(struct user *u, char **words)
{
	(void)words;
	if (!u->mem || madvise(u->mem, u->mem_size, MADV_DONTNEED))
		die("replace");
	memset(u->mem, 0xa5, u->mem_size);
	printf("replace size=%" PRIu64 "\n", u->mem_size);
	return 1;
}

static int do_loop(struct user *u, char **words)
{
	uint64_t i, count = number(words[1]), begin_ns = now_ns();
	void *mem = filled_memory(PAGE);

	for (i = 0; i < count; i++) {
		map(u, mem, PAGE, LOOP_IOVA);
		if (unmap(u, LOOP_IOVA, PAGE) != PAGE)
			die("unmap did less");
	}
	printf("loop count=%" PRIu64 " ns=%" PRIu64 "\n", count, now_ns() - begin_ns);
	return 2;
}

static int do_hammer(struct user *u, char **words)
{
	static const struct hammer ops = { try_map, try_unmap };

	hammer(u, &ops, number(words[1]));
	return 2;
}

/* By the device's kernel driver; which uses the memory for nothing. */
static void map_and_unmap(struct user *u, uint32_t op, uint32_t pages)
{
	struct refiommu_dmaapi arg = {
		.size = sizeof(arg),
		.endpoint_id = u->endpoint,
		.op = op,
		.bytes = pages * PAGE,
		.nents = pages,
	};

	call(u, REFIOMMU_DMAAPI, &arg, "REFIOMMU_DMAAPI map");
	arg = (struct refiommu_dmaapi){
		.size = sizeof(arg),
		.endpoint_id = u->endpoint,
		.op = REFIOMMU_DMAAPI_UNMAP,
		.handle = arg.out_handle,
	};
	call(u, REFIOMMU_DMAAPI, &arg, "REFIOMMU_DMAAPI unmap");
}

static int do_dmaapi(struct user *u, char **words)
{
	uint64_t i, count = number(words[1]);

	for (i = 0; i < count; i++)
		map_and_unmap(u, REFIOMMU_DMAAPI_MAP, 1);
	printf("dmaapi count=%" PRIu64 "\n", count);
	return 2;
}

static int do_dmasg(struct user *u, char **words)
{
	map_and_unmap(u, REFIOMMU_DMAAPI_MAP_SG, number(words[1]));
	return 2;
}

/* ---- devices at work ---- */

static int do_dma(struct user *u, char **words)
{
	struct refiommu_dma arg = {
		.size = sizeof(arg),
		.endpoint_id = u->endpoint,
		.op = REFIOMMU_DMA_FILL,
		.first = number(words[1]),
	};

	arg.last = arg.first + (number(words[2]) - 1);
	call(u, REFIOMMU_DMA, &arg, "REFIOMMU_DMA");
	printf("dma done=%llu flags=%u reason=%u\n", (unsigned long long)arg.out_done,
	       arg.out_flags, arg.out_reason);
	return 3;
}

static int do_bug(struct user *u, char **words)
{
	char path[128];
	int fd;

	(void)u;
	snprintf(path, sizeof(path), "/sys/kernel/debug/refiommu/bugs/%s", words[1]);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, words[2], 1) != 1)
		die(path);
	close(fd);
	return 3;
}

static int do_close(struct user *u, char **words)
{
	(void)words;
	while (u->nfds)
		close(u->fds[--u->nfds]);
	close(u->container);
	u->container = -1;
	printf("close\n");
	return 1;
}

static int do_sleep(struct user *u, char **words)
{
	(void)u;
	usleep(number(words[1]) * 1000);
	return 2;
}

const struct verb verbs[] = {
	{ "vfio",	"FORMAT", 1, do_vfio },
	{ "ioas",	"FORMAT", 1, do_ioas },
	{ "space",	"", 0, do_space },
	{ "attach",	"", 0, do_attach },
	{ "detach",	"", 0, do_detach },
	{ "replay",	"", 0, do_replay },
	{ "device",	"BDF", 1, do_device },
	{ "driver",	"FORMAT", 1, do_driver },
	{ "switch",	"", 0, do_switch },
	{ "destroy",	"", 0, do_destroy },
	{ "map",	"SIZE IOVA", 2, do_map },
	{ "scatter",	"COUNT IOVA", 2, do_scatter },
	{ "unmap",	"IOVA SIZE", 2, do_unmap },
	{ "munmap",	"", 0, do_munmap },
	{ "replace",	"", 0, do_replace },
	{ "loop",	"COUNT", 1, do_loop },
	{ "hammer",	"SECONDS", 1, do_hammer },
	{ "dmaapi",	"COUNT", 1, do_dmaapi },
	{ "dmasg",	"PAGES", 1, do_dmasg },
	{ "dma",	"IOVA SIZE", 2, do_dma },
	{ "bug",	"NAME 0|1", 2, do_bug },
	{ "sleep",	"MILLISECONDS", 1, do_sleep },
	{ "close",	"", 0, do_close },
	{ NULL, NULL, 0, NULL },
};

void usage(void)
{
	fprintf(stderr, "usage: refiommu_user VERB [ARGUMENT...] [VERB...]\n"
			"FORMAT: vtd or amd, and 'lazy', 'msi', 'relaxable'; 'same': that of before\n");
	print_verbs();
	exit(2);
}

int main(int argc, char **argv)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct user u = { .container = -1 };

	if (argc < 2)
		usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	u.ref = open("/dev/refiommu", O_RDWR | O_CLOEXEC);
	if (u.ref < 0)
		die("/dev/refiommu");
	run_verbs(&u, argc - 1, argv + 1);
	return 0;
}
