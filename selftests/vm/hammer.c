// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The arena is eight pages: two of the first thread, two of the second beside them, four for
 * both. A range stays within one of the three, so the first two are neighbours and never meet.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "hammer.h"
#include "verbs.h"

#define PAGE 4096ULL
#define ARENA_IOVA 0x60000000ULL
#define ARENA_PAGES 8
#define THREADS 2
#define OWN_PAGES 2

struct thread {
	pthread_t id;
	struct user *user;
	const struct hammer *ops;
	unsigned char *arena;	/* memory of page i of the arena is page i here */
	unsigned int seed;
	unsigned int number;
	uint64_t end_ns;
	uint64_t maps;
	uint64_t unmaps;
	uint64_t refused;
};

/* Held by the other one, not there, or a part of something larger. */
static bool explained(int err)
{
	return err == EEXIST || err == ENOENT || err == EINVAL || err == EBUSY;
}

/* Nothing there was unmapped: some say so by 0 bytes. */
static int unmap(struct thread *t, uint64_t iova, uint64_t size)
{
	int64_t done = t->ops->unmap(t->user, iova, size);

	if (!done)
		errno = ENOENT;
	return done > 0 ? 0 : -1;
}

static void strike(struct thread *t, unsigned int first, unsigned int count, bool map)
{
	uint64_t iova = ARENA_IOVA + first * PAGE, size = count * PAGE;
	int ret;

	if (map)
		ret = t->ops->map(t->user, t->arena + first * PAGE, size, iova);
	else
		ret = unmap(t, iova, size);
	if (!ret)
		++*(map ? &t->maps : &t->unmaps);
	else if (explained(errno))
		t->refused++;
	else
		die("hammer");
}

static void *work(void *arg)
{
	unsigned int own, first, span, random;
	struct thread *t = arg;

	while (now_ns() < t->end_ns) {
		random = rand_r(&t->seed);
		own = random & 1;
		span = own ? OWN_PAGES : ARENA_PAGES - THREADS * OWN_PAGES;
		first = (random >> 1) % span;
		strike(t, first + (own ? t->number * OWN_PAGES : THREADS * OWN_PAGES),
		       1 + (random >> 8) % (span - first), random >> 16 & 1);
	}
	return NULL;
}

static void say(const struct thread *t)
{
	printf("hammer pid=%d thread=%u maps=%" PRIu64 " unmaps=%" PRIu64 " refused=%" PRIu64 "\n",
	       getpid(), t->number, t->maps, t->unmaps, t->refused);
}

void hammer(struct user *u, const struct hammer *ops, unsigned int seconds)
{
	struct thread threads[THREADS] = { 0 }, *t;
	void *arena = memory(ARENA_PAGES * PAGE, MAP_POPULATE);

	if (arena == MAP_FAILED)
		die("mmap");
	for (t = threads; t < threads + THREADS; t++) {
		t->user = u;
		t->ops = ops;
		t->arena = arena;
		t->number = t - threads;
		t->seed = t->number + 1;
		t->end_ns = now_ns() + seconds * 1000000000ULL;
		errno = pthread_create(&t->id, NULL, work, t);
		if (errno)
			die("pthread_create");
	}
	for (t = threads; t < threads + THREADS; t++) {
		pthread_join(t->id, NULL);
		say(t);
	}
}
