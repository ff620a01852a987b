// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A small user of iommufd for the tests: binds one device to a context of several address spaces, attaches it to the
 * last of them, then does what the words on its command line say, in order. For each thing done it prints
 * one line of key=value pairs. It stops at the first thing that fails.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "hammer.h"
#include "iommufd.h"
#include "verbs.h"

#define PAGE 4096ULL
#define HUGE (2ULL << 20)
#define STORM_IOVA 0x50000000ULL
#define OTHERS 3	/* address spaces that the device is not attached to */
#define MAPS_MAX 64	/* that are remembered */

struct mapped {
	char *vaddr;
	uint64_t iova, size;
};

struct user {
	struct mapped maps[MAPS_MAX];
	unsigned int nmaps;
	int fd;
	int device;
	uint32_t ioas;
};

const char program[] = "iommufd_user";

/* Words that are not a permission belong to the next verb. */
static uint32_t permission(const char *word)
{
	if (word && !strcmp(word, "r"))
		return IOMMUFD_READ;
	if (word && !strcmp(word, "w"))
		return IOMMUFD_WRITE;
	return word && !strcmp(word, "rw") ? IOMMUFD_RW : 0;
}

/* Of small pages, or at the begin of a huge one. */
static char *filled(uint64_t size, int advice)
{
	char *mem = memory(size + HUGE, 0);

	if (mem == MAP_FAILED)
		die("mmap");
	mem = (char *)(((uintptr_t)mem + HUGE - 1) & ~(HUGE - 1));
	madvise(mem, size, advice);
	memset(mem, 0x5a, size);
	return mem;
}

static void map(struct user *u, char *mem, uint64_t size, uint64_t iova, uint32_t prot)
{
	if (iommufd_map(u->fd, u->ioas, mem, size, iova, prot))
		die("IOMMU_IOAS_MAP");
	if (u->nmaps < MAPS_MAX)
		u->maps[u->nmaps++] = (struct mapped){ mem, iova, size };
	printf("map pid=%d vaddr=%p iova=0x%" PRIx64 " size=%" PRIu64 " prot=%u\n", getpid(), mem,
	       iova, size, prot);
}

static int do_map_of(struct user *u, char **words, int advice)
{
	uint64_t size = number(words[1]);
	uint32_t prot = permission(words[3]);

	map(u, filled(size, advice), size, number(words[2]), prot ? prot : IOMMUFD_RW);
	return prot ? 4 : 3;
}

static int do_map(struct user *u, char **words)
{
	return do_map_of(u, words, MADV_NOHUGEPAGE);
}

static int do_hugemap(struct user *u, char **words)
{
	return do_map_of(u, words, MADV_HUGEPAGE);
}

/* Areas of one to five pages, in turn to be read and written, only read, only written; holes between some. */
static int do_mixed(struct user *u, char **words)
{
	static const uint32_t prots[] = { IOMMUFD_RW, IOMMUFD_READ, IOMMUFD_WRITE };
	uint64_t i, pages = 0, count = number(words[1]), iova = number(words[2]);
	char *mem = filled(count * 5 * PAGE, MADV_NOHUGEPAGE);

	for (i = 0; i < count; i++) {
		uint64_t size = (1 + i % 5) * PAGE;

		/* Not always from the first page of what is one area of the process. */
		if (iommufd_map(u->fd, u->ioas, mem + pages * PAGE, size, iova, prots[i % 3]))
			die("IOMMU_IOAS_MAP");
		pages += size / PAGE;
		iova += size + (i % 4 ? 0 : PAGE);
	}
	printf("mixed pid=%d areas=%" PRIu64 " pages=%" PRIu64 " last=0x%" PRIx64 "\n", getpid(), count,
	       pages, iova - 1);
	return 3;
}

static int do_copy(struct user *u, char **words)
{
	uint64_t from = number(words[1]), size = number(words[2]), to = number(words[3]);

	if (iommufd_copy(u->fd, u->ioas, from, size, to, IOMMUFD_RW))
		die("IOMMU_IOAS_COPY");
	printf("copy pid=%d from=0x%" PRIx64 " size=%" PRIu64 " to=0x%" PRIx64 "\n", getpid(), from,
	       size, to);
	return 4;
}

static int do_unmap(struct user *u, char **words)
{
	uint64_t iova = number(words[1]), size = number(words[2]);
	int64_t done = iommufd_unmap(u->fd, u->ioas, iova, size);

	if (done < 0)
		die("IOMMU_IOAS_UNMAP");
	printf("unmap pid=%d iova=0x%" PRIx64 " done=%" PRId64 "\n", getpid(), iova, done);
	return 3;
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

/* A domain of its own, in which all is that was mapped until now, takes the place of the first. */
static int do_hwpt(struct user *u, char **words)
{
	uint32_t hwpt, device = number(words[1]);

	hwpt = iommufd_hwpt(u->fd, u->ioas, device);
	iommufd_attach(u->device, hwpt);
	printf("hwpt pid=%d number=%u\n", getpid(), hwpt);
	return 2;
}

static int hammer_map(struct user *u, void *mem, uint64_t size, uint64_t iova)
{
	return iommufd_map(u->fd, u->ioas, mem, size, iova, IOMMUFD_RW);
}

static int64_t hammer_unmap(struct user *u, uint64_t iova, uint64_t size)
{
	return iommufd_unmap(u->fd, u->ioas, iova, size);
}

/* Two threads against each other; and many areas that come and go in between. */
static int do_storm(struct user *u, char **words)
{
	static const struct hammer ops = { hammer_map, hammer_unmap };
	uint64_t i, end_ns = now_ns() + number(words[1]) * 1000000000ULL;
	char *mem = filled(64 * PAGE, MADV_NOHUGEPAGE);

	printf("storm pid=%d\n", getpid());
	while (now_ns() < end_ns) {
		for (i = 0; i < 64; i++)
			hammer_map(u, mem + i * PAGE, PAGE, STORM_IOVA + (i * 37 % 64) * PAGE);
		hammer(u, &ops, 1);
		hammer_unmap(u, STORM_IOVA, 64 * PAGE);
	}
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
	{ "mixed",	"COUNT IOVA", 2, do_mixed },
	{ "copy",	"IOVA SIZE TO", 3, do_copy },
	{ "unmap",	"IOVA SIZE", 2, do_unmap },
	{ "replace",	"IOVA SIZE", 2, do_replace },
	{ "hwpt",	"DEVICE", 1, do_hwpt },
	{ "storm",	"SECONDS", 1, do_storm },
	{ "sleep",	"SECONDS", 1, do_sleep },
	{ NULL, NULL, 0, NULL },
};

void usage(void)
{
	fprintf(stderr, "usage: iommufd_user BDF VERB [ARGUMENT...] [VERB...]\n");
	print_verbs();
	exit(2);
}

/* What others have mapped is nothing that the device has. */
static void open_all(struct user *u, const char *bdf)
{
	uint32_t number;
	int i;

	u->fd = iommufd_open();
	for (i = 0; i < OTHERS; i++) {
		u->ioas = iommufd_ioas(u->fd);
		map(u, filled(PAGE, MADV_NOHUGEPAGE), PAGE, 0x7000000, IOMMUFD_RW);
	}
	u->ioas = iommufd_ioas(u->fd);
	u->device = iommufd_device(bdf);
	number = iommufd_bind(u->fd, u->device);
	iommufd_attach(u->device, u->ioas);
	printf("open pid=%d device=%s number=%u ioas=%u\n", getpid(), bdf, number, u->ioas);
	u->nmaps = 0;
}

int main(int argc, char **argv)
{
	struct user u = { .fd = -1, .device = -1 };

	if (argc < 2)
		usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	open_all(&u, argv[1]);
	run_verbs(&u, argc - 2, argv + 2);
	return 0;
}
