// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Usage: standing FOLDER
 *
 * For the matrix of planted bugs and findings, the half that 'iommuscope verify' sees: tables that are wrong because a
 * bug was on when they were written, and stay so. For each format and each way to use it there is one
 * address space, in which each bug has a place of its own; all bugs are off again when it says "stands", and it
 * stands until it is killed.
 *
 * FOLDER/cases gets lines 'case BUG FORMAT DRIVER FIRST LAST DEVICE': a finding about that device in [FIRST, LAST] is the
 * bug's. FOLDER/DEVICE.expect: what its table should hold, for --expect; VFIO's list needs none.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "container.h"
#include "ref.h"

#define PAGES(n) ((n) * REF_PAGE)
#define SMALL (1ULL << 12)
#define TOP (~(uint64_t)0 - PAGES(2) + 1)
#define PLACE (2 * REF_HUGE)	/* from one bug's to the next one's */
#define UNCACHED 64		/* pages: the DMA API's allocator takes so many back at once */
#define ROUNDS 8

static const char *folder;
static FILE *cases;

/* One address space, in a domain of its own. */
struct space {
	const char *driver;
	const char *format;
	char device[32];
	FILE *expect;		/* NULL: none is needed */
	uint64_t next;		/* place */
	int fd, ioas, container;
};

static void die(const char *what)
{
	fprintf(stderr, "standing: %s\n", what);
	exit(1);
}

static void need(int err, const char *what)
{
	if (err < 0)
		die(what);
}

/* ---- what is told ---- */

static FILE *create(const char *name, const char *end)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s%s", folder, name, end);
	f = fopen(path, "we");
	if (!f)
		die(path);
	return f;
}

static void say_case(const struct space *s, const char *bug, uint64_t first, uint64_t bytes)
{
	fprintf(cases, "case %s %s %s 0x%" PRIx64 " 0x%" PRIx64 " %s\n", bug, s->format, s->driver,
		first, first + (bytes - 1), s->device);
}

static uint64_t place(struct space *s, const char *bug)
{
	s->next += PLACE;
	say_case(s, bug, s->next, PLACE);
	return s->next;
}

/* @at: where it leads; NULL: anywhere */
static void expect(struct space *s, uint64_t first, uint64_t bytes, const void *at,
		   const char *prot)
{
	if (!s->expect)
		return;
	fprintf(s->expect, "0x%" PRIx64 "-0x%" PRIx64 " prot=%s", first, first + (bytes - 1), prot);
	if (at)
		fprintf(s->expect, " paddr=0x%" PRIx64, ref_paddr(at));
	fputc('\n', s->expect);
}

/* ---- devices ---- */

static int make_device(struct space *s, const struct ref_named_kind *f, uint64_t pgsizes,
		       uint32_t driver)
{
	struct refiommu_endpoint_create arg = { .size = sizeof(arg), .driver = driver };

	s->format = f->name;
	s->fd = ref_open();
	need(s->fd, "the module");
	arg.instance_id = ref_instance(s->fd, &f->kind, pgsizes);
	need(ref_call(s->fd, REFIOMMU_ENDPOINT_CREATE, &arg), "a device");
	snprintf(s->device, sizeof(s->device), "refiommu-endpoint.%u", arg.out_device);
	s->expect = create(s->device, ".expect");
	return arg.out_id;
}

static void make_ioas(struct space *s, const struct ref_named_kind *f, uint64_t pgsizes,
		      uint32_t flags)
{
	int endpoint = make_device(s, f, pgsizes, REFIOMMU_DRIVER_NONE);

	s->driver = "ioas";
	s->ioas = ref_ioas(s->fd, flags);
	need(ref_attach(s->fd, s->ioas, endpoint), "attach");
}

static void make_container(struct space *s, const struct ref_named_kind *f)
{
	struct container_device device;

	s->driver = "vfio";
	s->format = f->name;
	s->fd = ref_open();
	need(container_device(s->fd, ref_instance(s->fd, &f->kind, SMALL), &device), "a device");
	snprintf(s->device, sizeof(s->device), "refiommu-endpoint.%u", device.number);
	s->container = container_open();
	need(container_add(s->container, &device), "a container");
}

/* ---- own address spaces and VFIO ---- */

static void map(struct space *s, uint64_t iova, uint64_t bytes, const void *at, uint32_t prot)
{
	need(s->ioas ? ref_map_prot(s->fd, s->ioas, iova, iova + (bytes - 1), at, prot) :
		       container_map_prot(s->container, iova, bytes, at, prot & REFIOMMU_PROT_WRITE),
	     "map");
}

/* With a bug on it may fail. */
static void unmap(struct space *s, uint64_t iova, uint64_t bytes)
{
	if (s->ioas)
		ref_unmap_exact(s->fd, s->ioas, iova, bytes);
	else
		container_unmap(s->container, iova, bytes);
}

static void stand_correct(struct space *s, const uint8_t *mem)
{
	uint64_t at = place(s, "none");

	map(s, at, PAGES(8), mem, REF_RW);
	expect(s, at, PAGES(8), mem, "rw");
	map(s, at + PAGES(9), PAGES(1), mem, REFIOMMU_PROT_READ);
	expect(s, at + PAGES(9), PAGES(1), mem, "r");
	map(s, at + PAGES(16), PAGES(8), mem, REF_RW);
	unmap(s, at + PAGES(16), PAGES(8));
}

static void stand_unmap(struct space *s, const char *bug, uint64_t at, uint64_t bytes,
			const uint8_t *mem)
{
	map(s, at, bytes, mem, REF_RW);
	ref_bug(bug, true);
	unmap(s, at, bytes);
	ref_bug(bug, false);
}

static void stand_map(struct space *s, const char *bug, uint64_t bytes, const uint8_t *mem,
		      uint32_t prot)
{
	uint64_t at = place(s, bug);

	ref_bug(bug, true);
	map(s, at, bytes, mem, prot);
	ref_bug(bug, false);
	expect(s, at, bytes, mem, prot == REF_RW ? "rw" : "r");
}

/* The process puts another page there: only who is not pinned is a danger then. */
static void stand_replaced(struct space *s, const char *bug)
{
	uint64_t at = place(s, bug);
	uint8_t *mem = ref_pages(1);

	ref_bug(bug, true);
	map(s, at, PAGES(1), mem, REF_RW);
	ref_bug(bug, false);
	if (madvise(mem, PAGES(1), MADV_DONTNEED))
		die("madvise");
	*mem = 1;
}

static void stand_each(struct space *s, const struct ref_kind *kind, const uint8_t *mem)
{
	stand_correct(s, mem);
	stand_unmap(s, "unmap-half", place(s, "unmap-half"), PAGES(8), mem);
	/* Small pages would be unpinned twice by VFIO, and not at all; of a huge one that comes to the same. */
	stand_map(s, "wrong-paddr", PAGES(4), mem, REF_RW);
	stand_map(s, "extra-write", PAGES(1), mem, REFIOMMU_PROT_READ);
	if (kind->top != ~0ULL)
		return;
	say_case(s, "wrap", TOP, PAGES(2));
	stand_unmap(s, "wrap", TOP, PAGES(2), mem);
}

/* In one that splits, and has large pages. */
static void stand_large(struct space *s, const uint8_t *mem)
{
	uint64_t at = place(s, "none");

	map(s, at, REF_HUGE, mem, REF_RW);
	expect(s, at, REF_HUGE, mem, "rw");
	at = place(s, "unmap-whole-large");
	ref_bug("unmap-whole-large", true);
	map(s, at, REF_HUGE, mem, REF_RW);
	ref_unmap(s->fd, s->ioas, REFIOMMU_UNMAP_INEXACT, at + PAGES(5), at + PAGES(6) - 1);
	ref_bug("unmap-whole-large", false);
	expect(s, at, PAGES(5), mem, "rw");
	expect(s, at + PAGES(6), REF_HUGE - PAGES(6), mem + PAGES(6), "rw");
}

/* ---- the DMA API ---- */

static struct refiommu_dmaapi dma_map(struct space *s, int endpoint, const char *bug, uint32_t dir,
				      uint64_t pages)
{
	struct refiommu_dmaapi arg = { 0 };

	need(ref_dmaapi(s->fd, endpoint, REFIOMMU_DMAAPI_MAP, dir, PAGES(pages), &arg), "dma_map");
	say_case(s, bug, arg.out_addr, PAGES(pages));
	return arg;
}

static void dma_unmap(struct space *s, int endpoint, const char *bug, uint64_t handle)
{
	struct refiommu_dmaapi arg = { .handle = handle };

	ref_bug(bug, true);
	ref_dmaapi(s->fd, endpoint, REFIOMMU_DMAAPI_UNMAP, 0, 0, &arg);
	ref_bug(bug, false);
}

/* The first one gets the top of the space. What a bug leaves must not be given away again: unmaps come last. */
static void stand_dma(struct space *s, const struct ref_named_kind *f)
{
	int endpoint = make_device(s, f, SMALL, REFIOMMU_DRIVER_DMA);
	struct refiommu_dmaapi top, half, arg;

	s->driver = "dmaapi";
	top = dma_map(s, endpoint, "wrap", 0, UNCACHED);
	/* Between the two: neighbours that are left would be one finding. */
	arg = dma_map(s, endpoint, "none", 0, 1);
	expect(s, arg.out_addr, PAGES(1), NULL, "rw");
	half = dma_map(s, endpoint, "unmap-half", 0, UNCACHED);
	ref_bug("extra-write", true);
	arg = dma_map(s, endpoint, "extra-write", 1, 1);
	ref_bug("extra-write", false);
	expect(s, arg.out_addr, PAGES(1), NULL, "r");
	dma_unmap(s, endpoint, "unmap-half", half.out_handle);
	dma_unmap(s, endpoint, "wrap", top.out_handle);
}

/* Two devices of one group, whose drivers map at the same time; see bugs.c. */
struct mapper {
	int fd;
	int endpoint;
	struct refiommu_dmaapi arg;
	int err;
	pthread_barrier_t *start;
};

static void *map_once(void *arg)
{
	struct mapper *m = arg;

	pthread_barrier_wait(m->start);
	m->err = ref_dmaapi(m->fd, m->endpoint, REFIOMMU_DMAAPI_MAP, 0, REF_PAGE, &m->arg);
	return NULL;
}

/* Was one lost? */
static bool map_twice(struct mapper m[2])
{
	pthread_barrier_t start;
	pthread_t thread[2];
	int at;

	pthread_barrier_init(&start, NULL, 2);
	for (at = 0; at < 2; at++) {
		m[at].start = &start;
		if (pthread_create(&thread[at], NULL, map_once, &m[at]))
			die("a thread");
	}
	for (at = 0; at < 2; at++)
		pthread_join(thread[at], NULL);
	if (m[0].err || m[1].err)
		die("dma_map");
	return ref_lookup_paddr(m[0].fd, m[0].endpoint, m[0].arg.out_addr) == ~0ULL ||
	       ref_lookup_paddr(m[1].fd, m[1].endpoint, m[1].arg.out_addr) == ~0ULL;
}

/* Who comes last is left to chance: tried again with another device, until a table was lost. */
static void stand_lost(struct space *s, const struct ref_named_kind *f)
{
	struct refiommu_endpoint_create arg;
	struct mapper m[2];
	int round, at;

	s->driver = "dmaapi";
	s->format = f->name;
	for (round = 0; round < ROUNDS; round++) {
		memset(m, 0, sizeof(m));
		s->fd = ref_open();
		arg = (struct refiommu_endpoint_create){ .size = sizeof(arg), .group = 1,
							 .driver = REFIOMMU_DRIVER_DMA };
		arg.instance_id = ref_instance(s->fd, &f->kind, 0);
		for (at = 0; at < 2; at++) {
			need(ref_call(s->fd, REFIOMMU_ENDPOINT_CREATE, &arg), "a device");
			m[at].fd = s->fd;
			m[at].endpoint = arg.out_id;
		}
		ref_bug("lost-update", true);
		if (map_twice(m))
			break;
		ref_bug("lost-update", false);
		close(s->fd);
	}
	ref_bug("lost-update", false);
	if (round == ROUNDS)
		return;
	snprintf(s->device, sizeof(s->device), "refiommu-endpoint.%u", arg.out_device);
	s->expect = create(s->device, ".expect");
	for (at = 0; at < 2; at++) {
		say_case(s, "lost-update", m[at].arg.out_addr, REF_PAGE);
		expect(s, m[at].arg.out_addr, REF_PAGE, NULL, "rw");
	}
}

/* ---- all ---- */

static void stand(const struct ref_named_kind *f)
{
	struct space spaces[5] = { 0 };
	const uint8_t *mem = ref_huge(REF_HUGE);
	unsigned int i;

	if (!mem)
		die("no huge page");
	make_ioas(&spaces[0], f, SMALL, 0);
	stand_each(&spaces[0], &f->kind, mem);
	make_container(&spaces[1], f);
	stand_each(&spaces[1], &f->kind, mem);
	stand_replaced(&spaces[1], "pin-dropped");
	if (!(f->kind.flags & REF_KIND_SMALL)) {
		make_ioas(&spaces[2], f, 0, REFIOMMU_IOAS_SPLIT);
		stand_large(&spaces[2], mem);
	}
	stand_dma(&spaces[3], f);
	stand_lost(&spaces[4], f);
	for (i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
		if (spaces[i].expect)
			fclose(spaces[i].expect);
}

/* One of each layout. */
static bool is_of_matrix(const char *name)
{
	return !strcmp(name, "vtd48") || !strcmp(name, "amdv1") || !strcmp(name, "tce");
}

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc != 2) {
		fprintf(stderr, "Usage: standing FOLDER\n");
		return 2;
	}
	folder = argv[1];
	cases = create("cases", "");
	for (i = 0; i < REF_NR_FORMATS; i++)
		if (is_of_matrix(ref_formats[i].name))
			stand(&ref_formats[i]);
	fclose(cases);
	printf("stands\n");
	fflush(stdout);
	pause();
	return 0;
}
