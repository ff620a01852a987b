// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Traces made to be slow: each repeats what costs most once, with as much state as possible. A
 * hundred thousand records must take seconds. Prints one line each, with the goal.
 *
 *   bench_hostile [thousand records [name]]
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "core/report.h"

#define DOM	0xd000000ULL
#define DEV	0xe000000ULL
#define MMU	0x1100ULL
#define DID	7
#define PAGE	4096ULL
#define GOAL_S	10

static void do_tag(struct bench *b, uint64_t domain, uint64_t dev, uint32_t did, uint32_t sid)
{
	struct ev_tag r = { .domain = domain, .dev = dev, .iommu = MMU, .did = did,
			    .driver_kind = EV_DRIVER_VTD, .pasid = EV_TAG_NO_PASID, .sid = sid,
			    .ats = sid != ~0U };

	FEED(b, EV_TAG, r, 0);
}

static void do_attach(struct bench *b, uint64_t domain, uint64_t dev)
{
	struct ev_attach r = { .op.begin_ns = b->now, .dev = dev, .domain = domain,
			       .pasid = EV_TAG_NO_PASID };

	FEED(b, EV_ATTACH, r, 0);
}

static void do_map_to(struct bench *b, uint64_t iova, uint64_t size, uint64_t paddr)
{
	struct ev_map r = { .op.begin_ns = b->now, .domain = DOM, .iova = iova, .size = size,
			    .paddr = paddr, .prot = 3 };

	FEED(b, EV_MAP, r, 0);
}

static void do_map(struct bench *b, uint64_t iova)
{
	do_map_to(b, iova, PAGE, iova + (1ULL << 40));
}

/* @begin 1: it says that it began before everything. */
static void do_unmap(struct bench *b, uint64_t iova, uint64_t size, uint16_t flags, uint64_t begin)
{
	struct ev_unmap r = { .op.begin_ns = begin, .domain = DOM, .iova = iova, .size = size,
			      .done = size };

	FEED(b, EV_UNMAP, r, flags);
}

static void do_dma(struct bench *b, uint16_t type, uint64_t addr)
{
	struct ev_dma r = { .op.begin_ns = b->now, .dev = DEV, .addr = addr, .size = PAGE };

	FEED(b, type, r, 0);
}

static void do_free(struct bench *b, uint64_t paddr, uint64_t bytes)
{
	struct ev_page_free r = { .paddr = paddr, .bytes = bytes };

	FEED(b, EV_PAGE_FREE, r, 0);
}

static void do_flush(struct bench *b, uint64_t qw0, uint64_t qw1)
{
	struct ev_qi r = { .begin_ns = b->now, .iommu = MMU, .qw0 = qw0, .qw1 = qw1, .count = 1 };

	FEED(b, EV_QI, r, 0);
}

static void flush_page(struct bench *b, uint64_t iova)
{
	do_flush(b, 0x32 | DID << 16, iova);
}

static void flush_global(struct bench *b)
{
	do_flush(b, 0x12, 0);
}

static void begin(struct bench *b)
{
	struct ev_mark mark = { .kind = EV_MARK_ATTACHED };
	struct ev_hook pages = { .hook = HOOK_PAGE_FREE, .state = EV_HOOK_HEARD };

	memset(b, 0, sizeof(*b));
	b->now = 1000;
	if (engine_new(&b->e))
		abort();
	FEED(b, EV_HOOK, pages, 0);
	FEED(b, EV_MARK, mark, 0);
	do_attach(b, DOM, DEV);
	do_tag(b, DOM, DEV, DID, ~0U);
}

/* ---- traces, of about @n records ---- */

static void many_caches(struct bench *b, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n / 2; i++)
		do_tag(b, DOM + (i + 1) * 64, DEV + (i + 1) * 64, 100 + i, ~0U);
	for (i = 0; i < n / 2; i++)
		flush_global(b);
}

static void caches_of_one(struct bench *b, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n / 2; i++)
		do_tag(b, DOM, DEV + (i + 1) * 64, 100 + i, ~0U);
	for (i = 0; i < n / 4; i++) {
		do_map(b, i * PAGE);
		do_unmap(b, i * PAGE, PAGE, EVF_FAST | EVF_QUEUED, b->now);
	}
}

static void peers(struct bench *b, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n / 2; i++)
		do_tag(b, DOM + (i + 1) * 64, DEV, DID, ~0U);
	for (i = 0; i < n / 2; i++)
		flush_page(b, i * PAGE);
}

/* Freed while a debt is open, then flushed page by page. */
static void exposures(struct bench *b, uint64_t n)
{
	uint64_t i, pages = n * 2 / 3;

	for (i = 0; i < pages; i++)
		do_map(b, i * PAGE);
	do_unmap(b, 0, pages * PAGE, EVF_FAST | EVF_QUEUED, b->now);
	do_free(b, 1ULL << 40, pages * PAGE);
	for (i = 0; i < n / 3; i++)
		flush_page(b, i * PAGE);
}

/* One large piece, freed again and again. */
static void exposed_again(struct bench *b, uint64_t n)
{
	uint64_t i;

	do_map_to(b, 0, n * PAGE, 1ULL << 40);
	do_unmap(b, 0, n * PAGE, EVF_FAST | EVF_QUEUED, b->now);
	for (i = 0; i < n / 2; i++)
		do_free(b, 1ULL << 40, n * PAGE);
	for (i = 0; i < n / 2; i++)
		flush_page(b, i * PAGE);
}

/* Findings, and unmaps that may explain them. */
static void findings(struct bench *b, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n / 3; i++) {
		do_map(b, i * PAGE);
		do_free(b, (1ULL << 40) + i * PAGE, PAGE);
	}
	for (i = 0; i < n / 3; i++)
		do_unmap(b, (n + i) * PAGE, PAGE, EVF_FAST, 1);
}

/* The same, but what explains is a move. */
static void findings_moved(struct bench *b, uint64_t n)
{
	struct ev_attach r = { .op.begin_ns = 1, .dev = DEV + 64, .domain = DOM + 64,
			       .pasid = EV_TAG_NO_PASID };
	uint64_t i;

	for (i = 0; i < n / 3; i++) {
		do_map(b, i * PAGE);
		do_free(b, (1ULL << 40) + i * PAGE, PAGE);
	}
	for (i = 0; i < n / 3; i++)
		FEED(b, EV_ATTACH, r, 0);
}

/* One page, mapped everywhere. */
static void one_frame(struct bench *b, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n / 2; i++)
		do_map_to(b, i * PAGE, PAGE, 1ULL << 40);
	for (i = 0; i < n / 2; i++)
		do_free(b, 1ULL << 40, PAGE);
}

/* All of the memory, freed at once. */
static void all_frames(struct bench *b, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n / 2; i++)
		do_map_to(b, i * PAGE, PAGE, i * PAGE * 2);
	for (i = 0; i < n / 2; i++)
		do_free(b, 1ULL << 50, 1ULL << 50);
}

/* Without translation addresses may be shared. */
static void one_address(struct bench *b, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n / 2; i++)
		do_dma(b, EV_DMA_MAP, 0x1000);
	for (i = 0; i < n / 2; i++)
		do_dma(b, EV_DMA_UNMAP, 0x1000);
}

/* Each unmap asks the last flushes whether they came in time. */
static void old_unmaps(struct bench *b, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < 600; i++)
		flush_page(b, i * PAGE);
	for (i = 0; i < n / 2; i++) {
		do_map(b, i * PAGE);
		do_unmap(b, i * PAGE, PAGE, EVF_FAST | EVF_QUEUED, b->now - 1);
	}
}

static void devices(struct bench *b, uint64_t n)
{
	struct ev_domain_op op = { .domain = DOM + 64 };
	uint64_t i;

	for (i = 0; i < n / 2; i++)
		do_attach(b, DOM, DEV + i * 64);
	for (i = 0; i < n / 4; i++) {
		FEED(b, EV_ALLOC, op, 0);
		FEED(b, EV_FREE, op, 0);
	}
}

static void devices_freed(struct bench *b, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n / 2; i++)
		do_attach(b, DOM + 64, DEV + 64 + i * 64);
	do_map(b, 0);
	for (i = 0; i < n / 2; i++)
		do_free(b, 1ULL << 40, PAGE);
}

static void faults(struct bench *b, uint64_t n)
{
	struct ev_fault f = { .driver_kind = EV_DRIVER_VTD, .iommu = MMU };
	uint64_t i;

	for (i = 0; i < n / 2; i++)
		do_attach(b, DOM, DEV + i * 64);
	for (i = 0; i < n / 2; i++)
		FEED(b, EV_FAULT, f, 0);
}

static void domains(struct bench *b, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n / 2; i++) {
		struct ev_map r = { .op.begin_ns = b->now, .domain = DOM + i * 64, .iova = 0,
				    .size = PAGE, .prot = 3 };

		FEED(b, EV_MAP, r, 0);
	}
	for (i = 0; i < n / 2; i++) {
		struct ev_mark mark = { .kind = EV_MARK_TICK };

		FEED(b, EV_MARK, mark, 0);
	}
}

static void splits(struct bench *b, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n / 2; i++)
		do_map(b, i * PAGE);
	for (i = 0; i < n / 2; i++) {
		/* It says that it removed more than asked: all around is in doubt. */
		struct ev_unmap r = { .op.begin_ns = b->now, .domain = DOM, .iova = n * PAGE,
				      .size = PAGE, .done = 1ULL << 60 };

		FEED(b, EV_UNMAP, r, EVF_FAST);
	}
}

static void rollbacks(struct bench *b, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n / 2; i++)
		do_map(b, i * PAGE);
	for (i = 0; i < n / 2; i++)
		do_unmap(b, 0, n * PAGE, EVF_ROLLBACK, b->now);
}

/* What is owed is asked for by each unmap of all. */
static void owed(struct bench *b, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n / 3; i++)
		do_map(b, i * 2 * PAGE);
	for (i = 0; i < n / 3; i++)
		do_unmap(b, i * 2 * PAGE, PAGE, EVF_FAST, b->now);
	for (i = 0; i < n / 3; i++)
		do_unmap(b, 0, 2 * n * PAGE, 0, b->now);
}

/* A driver that comes and goes, and leaves everything. */
static void unbinds(struct bench *b, uint64_t n)
{
	struct ev_unbind r = { .dev = DEV, .driver = "nvme" };
	uint64_t i;

	for (i = 0; i < n / 2; i++)
		do_dma(b, EV_DMA_MAP, i * PAGE);
	for (i = 0; i < n / 2; i++)
		FEED(b, EV_UNBIND, r, 0);
}

/* Many groups in one domain, and each is read again. */
static void groups(struct bench *b, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n / 3; i++) {
		struct ev_attach a = { .op.begin_ns = b->now, .dev = DEV + i * 64, .domain = DOM,
				       .pasid = EV_TAG_NO_PASID, .group = i };

		FEED(b, EV_ATTACH, a, 0);
	}
	for (i = 0; i < n * 2 / 3; i++) {
		struct ev_resv r = { .last = 0xfff, .type = EV_RESV_MSI, .group = i / 2, .count = 1 };

		FEED(b, EV_RESV, r, 0);
	}
}

/* Lazy domains, and each page that is freed opens another exposure in the last. */
static void exposures_apart(struct bench *b, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n / 2; i++)
		do_attach(b, DOM + i * 64, DEV + i * 64);
	do_map(b, 0);
	do_unmap(b, 0, PAGE, EVF_FAST | EVF_QUEUED, b->now);
	for (i = 0; i < n / 2; i++)
		do_free(b, 1ULL << 40, PAGE);
}

/* A scatterlist's map that caused one entry, while much is not told to a cache. */
static void not_told(struct bench *b, uint64_t n)
{
	struct ev_iommu u = { .iommu = MMU, .driver_kind = EV_DRIVER_VTD, .flags = EV_IOMMU_CACHING };
	uint64_t i;

	FEED(b, EV_IOMMU, u, 0);
	do_tag(b, DOM, DEV, DID, 0);
	for (i = 0; i < n / 3; i++)
		do_map(b, i * 2 * PAGE);
	for (i = 0; i < n / 3; i++) {
		struct ev_map r = { .op = { .begin_ns = b->now, .cause = i + 1 }, .domain = DOM,
				    .iova = 1, .size = 0 };
		struct ev_dma d = { .op = { .begin_ns = b->now, .id = i + 1 }, .dev = DEV,
				    .kind = EV_DMA_SG, .mapped = 1, .nents = 1, .addr = 1 };

		r.iova = (n + i) * 2 * PAGE;
		r.size = PAGE;
		FEED(b, EV_MAP, r, 0);
		FEED(b, EV_DMA_MAP, d, 0);
	}
}

/* An address space of many areas, replayed into a domain that has them, and again. */
static void replays(struct bench *b, uint64_t n)
{
	struct ev_ref_intent area = { .op.begin_ns = b->now, .kind = EV_REF_ALLOC, .ioas = 1 };
	struct ev_domain_op born = { .op.begin_ns = b->now, .domain = DOM,
				     .type = DOMAIN_PAGING };
	struct ev_ref_replay r = { .domain = DOM, .ioas = 1, .step = EV_REPLAY_BEGIN };
	uint64_t i;

	FEED(b, EV_ALLOC, born, 0);
	FEED(b, EV_REF_INTENT, area, 0);
	area.kind = EV_REF_MAP;
	for (i = 0; i < n / 3; i++) {
		area.op.id++;
		area.op.begin_ns = b->now;
		area.first = i * 2 * PAGE;
		area.last = area.first + PAGE - 1;
		area.bytes = PAGE;
		FEED(b, EV_REF_INTENT, area, 0);
		do_map(b, area.first);
	}
	r.op.id = area.op.id + 1;
	r.op.begin_ns = b->now;
	FEED(b, EV_REF_REPLAY, r, 0);
	r.step = EV_REPLAY_END;
	for (i = 0; i < n / 3; i++)
		FEED(b, EV_REF_REPLAY, r, 0);
}

static const struct trace {
	const char *name;
	void (*make)(struct bench *b, uint64_t n);
} traces[] = {
	{ "many caches, global flushes", many_caches },
	{ "many caches of one domain", caches_of_one },
	{ "many domains with one id", peers },
	{ "exposures, flushed one by one", exposures },
	{ "one exposure again and again", exposed_again },
	{ "findings, unmaps that explain", findings },
	{ "findings, moves that explain", findings_moved },
	{ "one page mapped everywhere", one_frame },
	{ "all memory freed again", all_frames },
	{ "one address of the DMA API", one_address },
	{ "unmaps that began long ago", old_unmaps },
	{ "many devices, domains end", devices },
	{ "many devices, pages freed", devices_freed },
	{ "many devices, faults", faults },
	{ "many domains, ticks", domains },
	{ "unmaps that doubt all", splits },
	{ "rollbacks of all", rollbacks },
	{ "all that is owed asked again", owed },
	{ "a driver that leaves everything", unbinds },
	{ "many groups in one domain", groups },
	{ "an exposure among many domains", exposures_apart },
	{ "much that a cache is not told", not_told },
	{ "replays of many areas", replays },
};

static void run(const struct trace *t, uint64_t n)
{
	struct bench b;
	double s;

	begin(&b);
	s = seconds();
	t->make(&b, n);
	engine_finish(b.e);
	s = seconds() - s;
	printf("%-34s %8.2f s (goal %d)\n", t->name, s, GOAL_S);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	uint64_t n = (argc > 1 ? atof(argv[1]) : 100) * 1000;
	size_t i;

	for (i = 0; i < sizeof(traces) / sizeof(traces[0]); i++) {
		if (argc > 2 && strcmp(argv[2], traces[i].name))
			continue;
		if (!fork()) {
			alarm(60);
			run(&traces[i], n);
			_exit(0);
		}
		wait(NULL);
	}
	return 0;
}
