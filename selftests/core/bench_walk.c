// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What a walk costs for each entry: tables of 2^20 leaves of 4 KiB in a flat memory, with pages that are scattered (each
 * entry is a run, compared with what is expected of it) and in order (few runs). Instructions where the machine counts
 * them.
 */
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"
#include "core/walk.h"

#define LEAVES (1U << 20)
#define PAGES (LEAVES / 512 + 16)

/* An entry of a table of @level that leads to @to. */
typedef uint64_t (*word_fn)(uint64_t to, uint32_t level);

struct flat {
	uint64_t *words;
	uint64_t next;		/* page */
};

struct expected {
	uint64_t paddr[LEAVES];
	uint64_t pages, differs;
};

static int counter_fd = -1;
static uint64_t times = 20;

static void counter_open(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.exclude_kernel = 1,
	};

	counter_fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static uint64_t counter(void)
{
	uint64_t n;

	return counter_fd >= 0 && read(counter_fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static int flat_read(void *arg, uint64_t paddr, uint64_t page[WALK_PAGE_ENTRIES])
{
	struct flat *f = arg;

	if (paddr / WALK_PAGE_BYTES >= PAGES)
		return -1;
	memcpy(page, f->words + paddr / 8, WALK_PAGE_BYTES);
	return 0;
}

/* One entry for each level below @level, from page @table on; leaves at the bottom. */
static void fill(struct flat *f, uint64_t table, uint32_t level, word_fn word,
		 const uint64_t *paddr, uint64_t leaves)
{
	uint64_t span = 1ULL << 9 * (level - 1), i;

	for (i = 0; i < 512 && i * span < leaves; i++) {
		uint64_t to = level == 1 ? paddr[i] : f->next++ * WALK_PAGE_BYTES;

		f->words[table * 512 + i] = word(to, level);
		if (level > 1)
			fill(f, to / WALK_PAGE_BYTES, level - 1, word, paddr + i * span,
			     leaves - i * span < span ? leaves - i * span : span);
	}
}

static uint64_t vtd_word(uint64_t to, uint32_t level)
{
	(void)level;
	return to | 3;
}

static uint64_t x86_word(uint64_t to, uint32_t level)
{
	(void)level;
	return to | 0x27;
}

static uint64_t amd_word(uint64_t to, uint32_t level)
{
	return to | 1 | (uint64_t)(level - 1) << 9 | 3ULL << 61;
}

/* The least that a comparison does. */
static int compare(void *arg, const struct walk_run *run)
{
	struct expected *x = arg;
	uint64_t i = run->iova >> 12, n = (run->last - run->iova + 1) >> 12, k;

	x->pages += n;
	for (k = 0; k < n; k++)
		x->differs += x->paddr[i + k] != run->paddr + (k << 12);
	return 0;
}

static void bench(const char *name, const struct walk_table *t, struct flat *f,
		  struct expected *x)
{
	const struct walk_memory mem = { .read = flat_read, .arg = f };
	struct walk_count count = { 0 };
	uint64_t begin = counter();
	double s = seconds();
	uint64_t i;

	x->pages = x->differs = 0;
	for (i = 0; i < times; i++)
		if (walk_range(t, &mem, 0, ~0ULL, 0, compare, x, &count))
			abort();
	s = seconds() - s;
	if (!x->pages || x->differs || x->pages != (uint64_t)LEAVES * times || count.bad)
		abort();
	printf("%-28s %7.2f ns/entry %8.1f instructions/entry %9lu runs\n", name,
	       s * 1e9 / x->pages, (double)(counter() - begin) / x->pages,
	       (unsigned long)(count.runs / times));
}

static void bench_format(const char *name, struct walk_table t,
			 word_fn word, struct expected *x)
{
	struct flat f = { .words = calloc(PAGES, WALK_PAGE_BYTES), .next = 1 };

	if (!f.words)
		abort();
	fill(&f, 0, t.windows[0].levels, word, x->paddr, LEAVES);
	bench(name, &t, &f, x);
	free(f.words);
}

static void bench_all(const char *how, struct expected *x)
{
	printf("2^20 entries of 4 KiB, %s\n", how);
	bench_format("  VT-d second stage", walk_vtd_second(0, 4), vtd_word, x);
	bench_format("  x86 first stage", walk_x86(0, 4), x86_word, x);
	bench_format("  AMD v1", walk_amd_v1(0, 4), amd_word, x);
}

int main(int argc, char **argv)
{
	struct expected *x = calloc(1, sizeof(*x));
	uint64_t i;

	if (!x)
		abort();
	if (argc > 1)
		times = strtoul(argv[1], NULL, 10);
	counter_open();
	for (i = 0; i < LEAVES; i++)
		x->paddr[i] = (i * 2654435761U % (1U << 24)) << 12;
	bench_all("scattered", x);
	for (i = 0; i < LEAVES; i++)
		x->paddr[i] = (i + 0x100000) << 12;
	bench_all("in order", x);
	free(x);
	return 0;
}
