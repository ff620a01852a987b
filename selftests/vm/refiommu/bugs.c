// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Planted bugs of page tables and domains; and whether each switch that there is has a test.
 */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include "planted.h"

FIXTURE(bugs) { };
FIXTURE_VARIANT(bugs) { struct ref_kind kind; };
REF_VARIANTS(bugs);

FIXTURE_SETUP(bugs)
{
	BUGS_NEED_SWITCHES();
}

FIXTURE_TEARDOWN(bugs)
{
	ref_bugs_off();
}

/* Bugs of large pages, and of tables that come and go below the root. */
FIXTURE(bugs_large) { };
FIXTURE_VARIANT(bugs_large) { struct ref_kind kind; };
REF_VARIANTS_LARGE(bugs_large);

FIXTURE_SETUP(bugs_large)
{
	BUGS_NEED_SWITCHES();
}

FIXTURE_TEARDOWN(bugs_large)
{
	ref_bugs_off();
}

/* Bugs at the end of the 64-bit space. */
FIXTURE(bugs_top) { };
FIXTURE_VARIANT(bugs_top) { struct ref_kind kind; };
REF_VARIANTS_TOP(bugs_top);

FIXTURE_SETUP(bugs_top)
{
	BUGS_NEED_SWITCHES();
}

FIXTURE_TEARDOWN(bugs_top)
{
	ref_bugs_off();
}

/* A switch without a test here, in bugs_tlb.c or in bugs_ioas.c proves nothing. */
TEST_F(bugs, each_has_a_test)
{
	static const char * const tested[] = {
		"no-flush", "flush-short", "flush-wrong-domain", "flush-mask-small",
		"no-context-flush", "did-reuse", "unmap-half", "unmap-whole-large",
		"large-no-flush", "overwrite", "wrong-paddr", "extra-write", "wrap",
		"table-freed-early", "leak-on-free", "lost-update", "iova-to-phys-lies",
		"switch-keeps-old", "replay-skips-one", "replay-adds-one", "map-msi", "unpin-early",
		"pin-dropped",
	};
	DIR *dir = opendir(REF_BUGS);
	struct dirent *entry;
	unsigned int at, found = 0;

	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		for (at = 0; at < ARRAY_SIZE(tested); at++)
			if (!strcmp(tested[at], entry->d_name))
				break;
		EXPECT_LT(at, ARRAY_SIZE(tested)) {
			TH_LOG("%s has no test", entry->d_name);
		}
		found++;
	}
	EXPECT_EQ(ARRAY_SIZE(tested), found);
}

/*
 * A world whose memory is contiguous and mapped in small pages: one call of the driver for all of
 * it.
 */
static int contiguous_world(struct ref_world *w, const struct ref_kind *kind)
{
	int err = ref_world_make_with(w, kind, SMALL, 0);

	if (err)
		return err;
	w->mem = ref_huge(REF_HUGE);
	return w->mem ? 0 : bug_seen(w, -ENOMEM);
}

/* Unmap says that all is gone, and the second half is not. */
static int look_at_second_half(const struct ref_kind *kind)
{
	struct ref_world w;
	int err, seen;

	err = contiguous_world(&w, kind);
	if (err)
		return err;
	if (ref_map(w.fd, w.ioas, AT, PAGES(8), w.mem) ||
	    ref_unmap_exact(w.fd, w.ioas, AT, PAGES(8)) != (int64_t)PAGES(8))
		return bug_seen(&w, -EIO);
	seen = ref_lookup_paddr(w.fd, w.endpoint, AT + PAGES(7)) == ref_paddr(w.mem + PAGES(7)) &&
	       ref_sees(w.fd, w.endpoint, AT + PAGES(7), w.mem + PAGES(7));
	if (!ref_sees_nothing(w.fd, w.endpoint, AT))
		seen = -EIO;
	return bug_seen(&w, seen);
}

TEST_F(bugs, unmap_half)
{
	off_on_off(_metadata, "unmap-half", look_at_second_half, &variant->kind);
}

/*
 * A page in the middle of contiguous memory is unmapped, where that is allowed: are the others
 * there?
 */
static int look_around_the_hole(const struct ref_kind *kind)
{
	uint8_t *mem = ref_huge(REF_HUGE);
	struct ref_world w;
	int err, seen;

	if (!mem)
		return -ENOMEM;
	err = ref_world_make_with(&w, kind, 0, REFIOMMU_IOAS_SPLIT);
	if (err)
		return err;
	if (ref_map(w.fd, w.ioas, REF_HUGE, REF_HUGE, mem) ||
	    ref_unmap(w.fd, w.ioas, REFIOMMU_UNMAP_INEXACT, REF_HUGE + PAGES(5),
		      REF_HUGE + PAGES(6) - 1) < 0)
		return bug_seen(&w, -EIO);
	seen = ref_sees_nothing(w.fd, w.endpoint, REF_HUGE + PAGES(4)) &&
	       ref_sees_nothing(w.fd, w.endpoint, 2 * REF_HUGE - 1);
	return bug_seen(&w, seen);
}

TEST_F(bugs_large, unmap_whole_large)
{
	off_on_off(_metadata, "unmap-whole-large", look_around_the_hole, &variant->kind);
}

/* A large page takes the place of an empty table that the device's caches know: is it seen? */
static int look_past_cached_table(const struct ref_kind *kind)
{
	uint8_t *mem = ref_huge(REF_HUGE);
	struct ref_world w;
	int err;

	if (!mem)
		return -ENOMEM;
	err = ref_world_make(&w, kind);
	if (err)
		return err;
	if (ref_map(w.fd, w.ioas, REF_HUGE, PAGES(1), w.mem) ||
	    ref_unmap_exact(w.fd, w.ioas, REF_HUGE, PAGES(1)) != (int64_t)PAGES(1) ||
	    ref_probe(w.fd, w.endpoint, REF_HUGE, NULL) != REFIOMMU_FAULT_NOT_PRESENT ||
	    ref_map(w.fd, w.ioas, REF_HUGE, REF_HUGE, mem) ||
	    ref_lookup_paddr(w.fd, w.ioas, REF_HUGE) != ref_paddr(mem))
		return bug_seen(&w, -EIO);
	return bug_seen(&w, !ref_sees(w.fd, w.endpoint, REF_HUGE, mem));
}

TEST_F(bugs_large, large_no_flush)
{
	off_on_off(_metadata, "large-no-flush", look_past_cached_table, &variant->kind);
}

/* Half an unmap leaves something in the table; the next map must find it, and be refused. */
static int look_over_live_entry(const struct ref_kind *kind)
{
	struct ref_world w;
	int err;

	err = contiguous_world(&w, kind);
	if (err)
		return err;
	err = ref_map(w.fd, w.ioas, AT, PAGES(8), w.mem);
	ref_bug("unmap-half", true);
	err = err ? err : ref_unmap_exact(w.fd, w.ioas, AT, PAGES(8)) != (int64_t)PAGES(8);
	ref_bug("unmap-half", false);
	if (err)
		return bug_seen(&w, -EIO);
	err = ref_map(w.fd, w.ioas, AT, PAGES(8), w.mem + PAGES(8));
	if (err)
		return bug_seen(&w, ref_lookup_paddr(w.fd, w.endpoint, AT + PAGES(7)) ==
				    ref_paddr(w.mem + PAGES(7)) ? 0 : -EIO);
	return bug_seen(&w, ref_lookup_paddr(w.fd, w.endpoint, AT + PAGES(7)) ==
			    ref_paddr(w.mem + PAGES(15)) ? 1 : -EIO);
}

TEST_F(bugs, overwrite)
{
	off_on_off(_metadata, "overwrite", look_over_live_entry, &variant->kind);
}

/* Contiguous memory in small pages: does each IOVA lead to its page? */
static int look_at_each_page(const struct ref_kind *kind)
{
	int err, at, wrong = 0;
	struct ref_world w;

	err = contiguous_world(&w, kind);
	if (err)
		return err;
	err = ref_map(w.fd, w.ioas, AT, PAGES(16), w.mem);
	for (at = 0; !err && at < 16; at++) {
		const uint8_t *page = w.mem + PAGES(at);

		wrong += ref_lookup_paddr(w.fd, w.endpoint, AT + PAGES(at)) != ref_paddr(page) &&
			 ref_sees(w.fd, w.endpoint, AT + PAGES(at), page - PAGES(1));
	}
	return bug_seen(&w, err ? err : wrong == 8 ? 1 : wrong ? -EIO : 0);
}

TEST_F(bugs, wrong_paddr)
{
	off_on_off(_metadata, "wrong-paddr", look_at_each_page, &variant->kind);
}

/* A device writes where it may read. */
static int look_writes(const struct ref_kind *kind)
{
	struct refiommu_lookup l;
	struct ref_world w;
	int err, seen;

	err = ref_world_make(&w, kind);
	if (err)
		return err;
	if (ref_map_prot(w.fd, w.ioas, AT, AT + 0xfff, w.mem, REFIOMMU_PROT_READ) ||
	    ref_lookup(w.fd, w.endpoint, 0, AT, &l))
		return bug_seen(&w, -EIO);
	seen = !ref_fill(w.fd, w.endpoint, AT, AT + 7, 7) && *(uint64_t *)w.mem == 7;
	return bug_seen(&w, seen == (l.out_prot == REF_RW) ? seen : -EIO);
}

TEST_F(bugs, extra_write)
{
	off_on_off(_metadata, "extra-write", look_writes, &variant->kind);
}

/* The end of the 64-bit space is unmapped, it says. */
static int look_at_the_end(const struct ref_kind *kind)
{
	const uint64_t iova = ~0x1fffULL;
	struct ref_world w;
	int err, seen;

	err = ref_world_make(&w, kind);
	if (err)
		return err;
	if (ref_map(w.fd, w.ioas, iova, PAGES(2), w.mem) ||
	    ref_unmap_exact(w.fd, w.ioas, iova, PAGES(2)) != (int64_t)PAGES(2))
		return bug_seen(&w, -EIO);
	seen = ref_sees(w.fd, w.endpoint, iova + PAGES(1), w.mem + PAGES(1));
	return bug_seen(&w,
			seen == (ref_lookup_paddr(w.fd, w.endpoint, ~0ULL) != ~0ULL) ? seen : -EIO);
}

TEST_F(bugs_top, wrap)
{
	off_on_off(_metadata, "wrap", look_at_the_end, &variant->kind);
}

/*
 * With unpin-early a flush comes late, and the device's caches still know the table that was
 * emptied: has its page been freed meanwhile?
 */
static int look_into_cached_table(const struct ref_kind *kind)
{
	struct refiommu_dma dma = { .out_flags = 0 };
	struct ref_world w;
	int err;

	err = contiguous_world(&w, kind);
	if (err)
		return err;
	ref_bug("unpin-early", true);
	err = ref_map(w.fd, w.ioas, REF_HUGE, REF_HUGE, w.mem) ||
	      ref_probe(w.fd, w.endpoint, REF_HUGE, NULL) ||
	      ref_unmap_exact(w.fd, w.ioas, REF_HUGE, REF_HUGE) != (int64_t)REF_HUGE ||
	      ref_probe(w.fd, w.endpoint, REF_HUGE + PAGES(1), &dma) <= 0;
	ref_bug("unpin-early", false);
	if (err)
		return bug_seen(&w, -EIO);
	return bug_seen(&w, !!(dma.out_flags & REFIOMMU_DMA_FREED));
}

TEST_F(bugs_large, table_freed_early)
{
	off_on_off(_metadata, "table-freed-early", look_into_cached_table, &variant->kind);
}

/* Domains come and go: do their tables go, too? */
static int look_for_lost_tables(const struct ref_kind *kind)
{
	struct refiommu_info before, after;
	struct ref_world w;
	int fd = ref_open(), err, tries, seen = 1;

	err = ref_info(fd, &before);
	err = err ? err : ref_world_make(&w, kind);
	err = err ? err : ref_map(w.fd, w.ioas, AT, PAGES(4), w.mem);
	if (err)
		return err;
	close(w.fd);
	for (tries = 0; tries < 20 && seen == 1; tries++) {
		err = ref_info(fd, &after);
		seen = err ? err : after.out_table_pages > before.out_table_pages;
		usleep(10000);
	}
	close(fd);
	return seen;
}

TEST_F(bugs_large, leak_on_free)
{
	off_on_off(_metadata, "leak-on-free", look_for_lost_tables, &variant->kind);
}

/* Two devices of one group, whose drivers map at the same time. */
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

/* Did both mappings survive? */
static int map_twice(const struct ref_kind *kind)
{
	int fd = ref_open(), instance = ref_instance(fd, kind, 0), at, lost = 0;
	struct mapper m[2] = { };
	pthread_barrier_t start;
	pthread_t thread[2];

	pthread_barrier_init(&start, NULL, 2);
	for (at = 0; at < 2; at++) {
		m[at].fd = fd;
		m[at].start = &start;
		m[at].endpoint = ref_endpoint(fd, instance, 1, REFIOMMU_DRIVER_DMA);
		pthread_create(&thread[at], NULL, map_once, &m[at]);
	}
	for (at = 0; at < 2; at++)
		pthread_join(thread[at], NULL);
	for (at = 0; at < 2; at++)
		lost += m[at].err ? 100 : ref_sees_nothing(fd, m[at].endpoint, m[at].arg.out_addr);
	close(fd);
	return lost < 100 ? lost : -EIO;
}

static int look_for_lost_update(const struct ref_kind *kind)
{
	int round, lost = 0;

	for (round = 0; round < 8 && !lost; round++)
		lost = map_twice(kind);
	return lost;
}

TEST_F(bugs_large, lost_update)
{
	off_on_off(_metadata, "lost-update", look_for_lost_update, &variant->kind);
}

/* Whoever asks the driver what is mapped is told something else: the replay does. */
static int look_through_the_driver(const struct ref_kind *kind)
{
	struct refiommu_ioas_replay counts;
	uint8_t *mem = ref_huge(REF_HUGE);
	struct ref_world w;
	int err;

	if (!mem)
		return -ENOMEM;
	err = ref_world_make(&w, kind);
	err = err ? err : ref_map(w.fd, w.ioas, REF_HUGE, REF_HUGE, mem);
	if (err)
		return err;
	err = ref_replay(w.fd, w.ioas, 0, &counts);
	if (ref_lookup_paddr(w.fd, w.endpoint, REF_HUGE + PAGES(5)) != ref_paddr(mem + PAGES(5)))
		return bug_seen(&w, -EIO);
	return bug_seen(&w, err == -EEXIST ? 1 : err ? err : counts.out_present != REF_HUGE);
}

TEST_F(bugs_large, iova_to_phys_lies)
{
	off_on_off(_metadata, "iova-to-phys-lies", look_through_the_driver, &variant->kind);
}

/*
 * Does a page that is mapped stay the process's own over a fork? Of one that is pinned the child gets a copy; one that is
 * not is shared, and who writes first gets the copy.
 */
static int look_after_a_fork(const struct ref_kind *kind)
{
	struct ref_world w;
	uint64_t before;
	pid_t child;
	int err;

	err = ref_world_make_with(&w, kind, SMALL, 0);
	err = err ? err : ref_map(w.fd, w.ioas, AT, PAGES(1), w.mem);
	if (err)
		return err;
	before = ref_paddr(w.mem);
	child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	*(volatile uint8_t *)w.mem += 1;
	err = ref_paddr(w.mem) != before;
	if (ref_lookup_paddr(w.fd, w.endpoint, AT) != before)
		err = -EIO;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return bug_seen(&w, err);
}

TEST_F(bugs, pin_dropped)
{
	off_on_off(_metadata, "pin-dropped", look_after_a_fork, &variant->kind);
}

TEST_HARNESS_MAIN
