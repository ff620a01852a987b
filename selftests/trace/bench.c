// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * How fast are writer and reader? bench [RECORDS [CPUS]]. Not a test: prints numbers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bpf/event.h"
#include "util.h"

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

static double write_trace(const char *path, uint64_t n, unsigned int cpus)
{
	struct trace_writer *w = util_create(path, cpus);
	double begin = seconds();
	struct ev_map m;
	uint64_t i;

	for (i = 0; i < n; i++) {
		util_map(&m, i % cpus, i / cpus, 1000 + i * 200);
		trace_write(w, &m);
	}
	trace_close(w, NULL, NULL);
	return seconds() - begin;
}

static double read_trace(const char *path, uint64_t *records)
{
	double begin = seconds();
	struct trace_reader *r;
	struct trace_item item;
	struct trace_error err;
	uint64_t sum = 0;

	if (trace_open(path, &r, &err))
		exit(1);
	for (*records = 0; trace_next(r, &item, &err) > 0; ++*records)
		sum += ((const struct ev_hdr *)item.rec)->seq;
	trace_free(r);
	begin = seconds() - begin;
	return sum ? begin : 0;
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 0) : 5000000, records;
	unsigned int cpus = argc > 2 ? strtoul(argv[2], NULL, 0) : 4;
	char *path = util_tmp();
	double t;

	t = write_trace(path, n, cpus);
	printf("write %.2f M records/s\n", n / t / 1e6);
	read_trace(path, &records);
	t = read_trace(path, &records);
	printf("read %.2f M records/s (%llu records, %u CPUs)\n", records / t / 1e6,
	       (unsigned long long)records, cpus);
	util_rm(path);
	return 0;
}
