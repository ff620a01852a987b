/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the benchmarks of the engine share: a clock of CPU time, and records with a head. */
#ifndef IOMMUSCOPE_SELFTESTS_BENCH_H
#define IOMMUSCOPE_SELFTESTS_BENCH_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/engine.h"
#include "core/model.h"

struct bench {
	struct engine *e;
	uint64_t now;
	uint64_t seq;
	uint64_t id;
};

static inline double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static inline void feed(struct bench *b, uint16_t type, void *rec, size_t len, uint16_t flags)
{
	struct ev_hdr h = { .type = type, .len = len, .flags = flags };

	b->now += 100;
	h.time_ns = b->now - 10;
	h.seq = b->seq++;
	memcpy(rec, &h, sizeof(h));
	if (engine_feed(b->e, rec, len))
		abort();
}

#define FEED(b, type, rec, flags) feed(b, type, &(rec), sizeof(rec), flags)

#endif
