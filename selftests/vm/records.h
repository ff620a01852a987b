/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A whole trace in memory, in the order of its times, and sets of numbers. */
#ifndef IOMMUSCOPE_RECORDS_H
#define IOMMUSCOPE_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

union record {
	struct ev_hdr h;
	struct ev_op op;
	struct ev_device device;
	struct ev_domain domain;
	struct ev_tag tag;
	struct ev_hook hook;
	struct ev_missed missed;
	struct ev_mark mark;
	struct ev_stream_end end;
	struct ev_attach attach;
	struct ev_map map;
	struct ev_unmap unmap;
	struct ev_vfio vfio;
	struct ev_qi qi;
	struct ev_amd amd;
	struct ev_ref_intent ref_intent;
	struct ev_ref_replay ref_replay;
	struct ev_ref_flush ref_flush;
	unsigned char bytes[EV_LEN_MAX];
};

struct records {
	union record *rec;
	size_t count;
	size_t gaps;		/* places where records are missing */
};

/* Reads the trace directory @path; ends the program if that fails. */
void records_load(const char *path, struct records *r);
void records_free(struct records *r);

struct numbers {
	uint64_t *value;
	size_t count;
};

void numbers_add(struct numbers *set, uint64_t value);
void numbers_sort(struct numbers *set);
/* @set must be sorted. */
bool numbers_have(const struct numbers *set, uint64_t value);
void numbers_free(struct numbers *set);

/* An array of @count elements of @size bytes with room for one more; never fails. */
void *grow(void *array, size_t count, size_t size);

#endif
