// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * How many events per second of CPU time one core checks, and what a live range costs. The loads:
 * IOVAs recycled as the kernel's allocator does (strict and lazy flushing, with and
 * without intents, and with each page freed before its flush), and 4 million ranges in random
 * order. Freed pages are heard, so every range is in the index by page frame. Each load has a
 * process of its own; memory is what stays resident of it. Prints one line each, with the goal.
 *
 *   bench_engine [million pairs [million ranges [load]]]
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "core/report.h"
#include "rnd.h"

#define DOM	0xd000ULL
#define DEV	0xe000ULL
#define MMU	0x1100ULL
#define DID	7
#define PAGE	4096ULL
#define PADDR(iova) ((iova) + 0x100000000ULL)

static void begin(struct bench *b)
{
	struct ev_mark mark = { .kind = EV_MARK_ATTACHED };
	struct ev_tag tag = { .domain = DOM, .dev = DEV, .iommu = MMU, .did = DID,
			      .driver_kind = EV_DRIVER_VTD, .pasid = EV_TAG_NO_PASID, .sid = ~0U };

	struct ev_hook pages = { .hook = HOOK_PAGE_FREE, .state = EV_HOOK_HEARD };

	memset(b, 0, sizeof(*b));
	b->now = 1000;
	if (engine_new(&b->e))
		abort();
	FEED(b, EV_HOOK, pages, 0);
	FEED(b, EV_MARK, mark, 0);
	FEED(b, EV_TAG, tag, 0);
}

static void end(struct bench *b)
{
	if (report_next(engine_report(b->e), NULL)) {
		fprintf(stderr, "a finding in a clean load\n");
		exit(1);
	}
	engine_free(b->e);
}

static void do_map(struct bench *b, uint64_t iova, uint64_t cause)
{
	struct ev_map r = { .op.begin_ns = b->now, .op.cause = cause, .domain = DOM, .iova = iova,
			    .size = PAGE, .paddr = PADDR(iova), .prot = 3 };

	FEED(b, EV_MAP, r, 0);
}

static void do_unmap(struct bench *b, uint64_t iova, uint64_t cause, uint16_t flags)
{
	struct ev_unmap r = { .op.begin_ns = b->now, .op.cause = cause, .domain = DOM,
			      .iova = iova, .size = PAGE, .done = PAGE };

	FEED(b, EV_UNMAP, r, flags);
}

static void do_dma(struct bench *b, uint16_t type, uint64_t addr, uint64_t id)
{
	struct ev_dma r = { .op.begin_ns = b->now, .op.id = id, .dev = DEV, .addr = addr,
			    .size = PAGE };

	FEED(b, type, r, 0);
}

static void do_free(struct bench *b, uint64_t paddr)
{
	struct ev_page_free r = { .paddr = paddr, .bytes = PAGE };

	FEED(b, EV_PAGE_FREE, r, 0);
}

static void do_flush(struct bench *b, uint64_t qw0, uint64_t qw1)
{
	struct ev_qi r = { .begin_ns = b->now, .iommu = MMU, .qw0 = qw0, .qw1 = qw1, .count = 1 };

	FEED(b, EV_QI, r, 0);
}

#define GOAL_RECYCLED	5
#define GOAL_RANDOM	1
#define GOAL_BYTES	128

static void result(const char *what, uint64_t events, double s, int goal)
{
	printf("%-28s %8.2f M events/s (goal %d)  %6.0f ns/event\n", what, events / s * 1e-6, goal,
	       s / events * 1e9);
}

#define RING 256ULL	/* IOVAs in use at a time */

static uint64_t recycled(uint64_t i)
{
	return 0xfff00000ULL - (i * 7 % RING) * PAGE;
}

static void actions_only(uint64_t pairs)
{
	struct bench b;
	double t;
	uint64_t i, n0;

	begin(&b);
	n0 = b.seq;
	t = seconds();
	for (i = 0; i < pairs; i++) {
		do_map(&b, recycled(i), 0);
		do_unmap(&b, recycled(i), 0, EVF_FAST);
		do_flush(&b, 0x32 | DID << 16, recycled(i));
	}
	result("map, unmap, flush", b.seq - n0, seconds() - t, GOAL_RECYCLED);
	end(&b);
}

static void strict_dma(uint64_t pairs)
{
	struct bench b;
	double t;
	uint64_t i, n0;

	begin(&b);
	n0 = b.seq;
	t = seconds();
	for (i = 0; i < pairs; i++) {
		uint64_t iova = recycled(i);

		do_map(&b, iova, ++b.id);
		do_dma(&b, EV_DMA_MAP, iova, b.id);
		do_unmap(&b, iova, ++b.id, EVF_FAST);
		do_flush(&b, 0x32 | DID << 16, iova);
		do_dma(&b, EV_DMA_UNMAP, iova, b.id);
	}
	result("with DMA intents, strict", b.seq - n0, seconds() - t, GOAL_RECYCLED);
	end(&b);
}

static void lazy_dma(const char *what, uint64_t pairs, int freed)
{
	struct bench b;
	double t;
	uint64_t i, n0;

	begin(&b);
	n0 = b.seq;
	t = seconds();
	for (i = 0; i < pairs; i++) {
		uint64_t iova = 0x80000000ULL + i % 1024 * PAGE;

		do_map(&b, iova, ++b.id);
		do_dma(&b, EV_DMA_MAP, iova, b.id);
		do_unmap(&b, iova, ++b.id, EVF_FAST | EVF_QUEUED);
		do_dma(&b, EV_DMA_UNMAP, iova, b.id);
		if (freed)
			do_free(&b, PADDR(iova));
		if (i % 256 == 255)
			do_flush(&b, 0x22 | DID << 16, 0);
	}
	result(what, b.seq - n0, seconds() - t, GOAL_RECYCLED);
	end(&b);
}

static size_t memory(void)
{
	char text[128] = "";
	unsigned long size, resident = 0;
	int fd = open("/proc/self/statm", O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0 ||
	    sscanf(text, "%lu %lu", &size, &resident) != 2)
		abort();
	close(fd);
	return resident * PAGE;
}

static void shuffle(uint64_t *iova, uint64_t n, uint64_t *seed)
{
	uint64_t i;

	for (i = n - 1; i; i--) {
		uint64_t k = rnd_step(seed) % (i + 1), x = iova[i];

		iova[i] = iova[k];
		iova[k] = x;
	}
}

/* Each IOVA once, in random order, far apart: the worst the map can be given. */
static void many_ranges(uint64_t n)
{
	uint64_t i, seed = 88172645463325252ULL, *iova = malloc(n * sizeof(*iova));
	struct bench b;
	size_t before;
	double t;

	if (!iova)
		abort();
	for (i = 0; i < n; i++)
		iova[i] = (i * 3 + rnd_step(&seed) % 2) * PAGE;
	shuffle(iova, n, &seed);
	begin(&b);
	before = memory();
	t = seconds();
	for (i = 0; i < n; i++)
		do_map(&b, iova[i], 0);
	result("random maps", n, seconds() - t, GOAL_RANDOM);
	printf("%-28s %8.1f bytes (goal %d)\n", "per live range", (double)(memory() - before) / n,
	       GOAL_BYTES);
	shuffle(iova, n, &seed);
	t = seconds();
	for (i = 0; i < n; i++) {
		do_unmap(&b, iova[i], 0, EVF_FAST | EVF_QUEUED);
		if (i % 256 == 255)
			do_flush(&b, 0x22 | DID << 16, 0);
	}
	result("random unmaps", n + n / 256, seconds() - t, GOAL_RANDOM);
	end(&b);
	free(iova);
}

static void lazy_kept(uint64_t pairs)
{
	lazy_dma("with DMA intents, lazy", pairs, 0);
}

static void lazy_freed(uint64_t pairs)
{
	lazy_dma("and each page freed", pairs, 1);
}

static const struct load {
	const char *name;
	void (*run)(uint64_t n);
	int ranges;		/* n counts ranges, not pairs */
} loads[] = {
	{ "actions", actions_only, 0 },
	{ "strict", strict_dma, 0 },
	{ "lazy", lazy_kept, 0 },
	{ "freed", lazy_freed, 0 },
	{ "random", many_ranges, 1 },
};

/* What one load leaves to the allocator must not serve the next. */
static void run_apart(const struct load *l, uint64_t n)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		l->run(n);
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		exit(1);
}

int main(int argc, char **argv)
{
	uint64_t pairs = (argc > 1 ? atof(argv[1]) : 1) * 1e6;
	uint64_t ranges = (argc > 2 ? atof(argv[2]) : 4) * 1e6;
	size_t i;

	for (i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		uint64_t n = loads[i].ranges ? ranges : pairs;

		if (argc <= 3)
			run_apart(&loads[i], n);
		else if (!strcmp(argv[3], loads[i].name))
			loads[i].run(n);
	}
	return 0;
}
