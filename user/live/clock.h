/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef IOMMUSCOPE_LIVE_CLOCK_H
#define IOMMUSCOPE_LIVE_CLOCK_H

#include <stdint.h>
#include <time.h>

/** now_ns() - The clock of all records: CLOCK_MONOTONIC, as bpf_ktime_get_ns(). */
static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

#endif
