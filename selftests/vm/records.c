// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "records.h"
#include "trace/trace.h"

/* Doubles at each power of two, so that the array needs no capacity of its own. */
void *grow(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	array = reallocarray(array, count ? 2 * count : 1, size);
	if (!array) {
		perror("records");
		exit(2);
	}
	return array;
}

static void add_record(struct records *r, const struct ev_hdr *rec)
{
	union record *copy;

	r->rec = grow(r->rec, r->count, sizeof(*r->rec));
	copy = &r->rec[r->count++];
	memset(copy, 0, sizeof(*copy));
	memcpy(copy, rec, rec->len < sizeof(*copy) ? rec->len : sizeof(*copy));
}

static void add_item(struct records *r, const struct trace_item *item)
{
	const struct gap *g = &item->gap;

	if (item->kind == TRACE_RECORD) {
		add_record(r, item->rec);
		return;
	}
	printf("gap: CPU %u, %llu records, %llu..%llu ns\n", g->cpu, (unsigned long long)g->lost,
	       (unsigned long long)g->from_ns, (unsigned long long)g->to_ns);
	r->gaps++;
}

static void fail(const char *path, const struct trace_error *err)
{
	fprintf(stderr, "%s: %s\n", path, err->text);
	exit(2);
}

void records_load(const char *path, struct records *r)
{
	struct trace_error err = { "" };
	struct trace_reader *reader;
	struct trace_item item;
	int ret;

	memset(r, 0, sizeof(*r));
	if (trace_open(path, &reader, &err))
		fail(path, &err);
	while ((ret = trace_next(reader, &item, &err)) > 0)
		add_item(r, &item);
	if (ret)
		fail(path, &err);
	trace_free(reader);
}

void records_free(struct records *r)
{
	free(r->rec);
}

void numbers_add(struct numbers *set, uint64_t value)
{
	set->value = grow(set->value, set->count, sizeof(*set->value));
	set->value[set->count++] = value;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void numbers_sort(struct numbers *set)
{
	if (set->count)
		qsort(set->value, set->count, sizeof(*set->value), by_value);
}

bool numbers_have(const struct numbers *set, uint64_t value)
{
	return set->count &&
	       bsearch(&value, set->value, set->count, sizeof(value), by_value);
}

void numbers_free(struct numbers *set)
{
	free(set->value);
}
