// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * compare TRACE TABLE: does the trace hold exactly the maps and unmaps that the
 * oracle heard, and does it know each one's domain, and a device of it?
 *
 * One iommu_map_sg() may be heard as one event or as several, so maps are compared
 * page by page: every split of the same pages is the same here. Unmaps are compared
 * as they are. Each distinct thing has one entry with a count of either side.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "records.h"

#define PAGE 4096ULL
#define SHOWN 10

struct entry {
	uint64_t key[3];	/* map: iova, paddr, 0 of a page; unmap: iova, size, done */
	uint64_t trace;
	uint64_t oracle;
};

struct ledger {
	const char *name;
	struct entry *entry;
	size_t count;
	uint64_t trace;		/* events, before they were split into pages */
	uint64_t oracle;
};

static void ledger_add(struct ledger *l, struct entry e)
{
	l->entry = grow(l->entry, l->count, sizeof(*l->entry));
	l->entry[l->count++] = e;
}

static void add_map(struct ledger *l, uint64_t iova, uint64_t paddr, uint64_t size,
		    uint64_t trace, uint64_t oracle)
{
	uint64_t at;

	if (size % PAGE)
		printf("odd size: iova 0x%" PRIx64 " size 0x%" PRIx64 "\n", iova, size);
	for (at = 0; at < size; at += PAGE)
		ledger_add(l, (struct entry){ { iova + at, paddr + at, 0 }, trace, oracle });
	l->trace += trace;
	l->oracle += oracle;
}

static void add_unmap(struct ledger *l, uint64_t iova, uint64_t size, uint64_t done,
		      uint64_t trace, uint64_t oracle)
{
	ledger_add(l, (struct entry){ { iova, size, done }, trace, oracle });
	l->trace += trace;
	l->oracle += oracle;
}

static int by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int i;

	for (i = 0; i < 3; i++)
		if (x->key[i] != y->key[i])
			return x->key[i] < y->key[i] ? -1 : 1;
	return 0;
}

/* One entry per key from here on. */
static void ledger_fold(struct ledger *l)
{
	size_t i, kept = 0;

	if (!l->count)
		return;
	qsort(l->entry, l->count, sizeof(*l->entry), by_key);
	for (i = 1; i < l->count; i++) {
		if (by_key(&l->entry[kept], &l->entry[i])) {
			l->entry[++kept] = l->entry[i];
			continue;
		}
		l->entry[kept].trace += l->entry[i].trace;
		l->entry[kept].oracle += l->entry[i].oracle;
	}
	l->count = kept + 1;
}

static size_t ledger_differences(struct ledger *l)
{
	const struct entry *e;
	size_t differences = 0;

	ledger_fold(l);
	for (e = l->entry; e < l->entry + l->count; e++) {
		if (e->trace == e->oracle || differences++ >= SHOWN)
			continue;
		printf("%s 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 ": trace %" PRIu64
		       ", oracle %" PRIu64 "\n", l->name, e->key[0], e->key[1], e->key[2],
		       e->trace, e->oracle);
	}
	printf("%s: trace %" PRIu64 ", oracle %" PRIu64 ", distinct %zu, different %zu\n",
	       l->name, l->trace, l->oracle, l->count, differences);
	return differences;
}

/* The kernels up to 6.12 trace a map only when it succeeded. */
static void read_trace(const struct records *r, struct ledger *maps, struct ledger *unmaps)
{
	const union record *rec;

	for (rec = r->rec; rec < r->rec + r->count; rec++) {
		if (rec->h.type == EV_MAP && !rec->map.ret)
			add_map(maps, rec->map.iova, rec->map.paddr, rec->map.size, 1, 0);
		else if (rec->h.type == EV_UNMAP)
			add_unmap(unmaps, rec->unmap.iova, rec->unmap.size, rec->unmap.done, 1, 0);
	}
}

/* Returns what the oracle lost itself; ends the program if the table is not whole. */
static uint64_t read_table(const char *path, struct ledger *maps, struct ledger *unmaps)
{
	uint64_t a, b, c, count, lost = 0;
	int whole = 0, fields;
	char kind[8];
	FILE *in = fopen(path, "r");

	if (!in) {
		perror(path);
		exit(2);
	}
	while ((fields = fscanf(in, "%7s %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNu64 "\n",
				kind, &a, &b, &c, &count)) >= 2) {
		if (fields == 5 && !strcmp(kind, "map"))
			add_map(maps, a, b, c, 0, count);
		else if (fields == 5 && !strcmp(kind, "unmap"))
			add_unmap(unmaps, a, b, c, 0, count);
		else if (!strcmp(kind, "lost") && ++whole)
			lost = a;
	}
	fclose(in);
	if (!whole) {
		fprintf(stderr, "%s: the table is not whole\n", path);
		exit(2);
	}
	return lost;
}

/* Domains that were introduced and that a device with a name was attached to. */
static void known_domains(const struct records *r, struct numbers *attached)
{
	struct numbers domains = { 0 }, devices = { 0 };
	const union record *rec;

	for (rec = r->rec; rec < r->rec + r->count; rec++) {
		if (rec->h.type == EV_DOMAIN)
			numbers_add(&domains, rec->domain.domain);
		else if (rec->h.type == EV_DEVICE && rec->device.name[0])
			numbers_add(&devices, rec->device.dev);
	}
	numbers_sort(&domains);
	numbers_sort(&devices);
	for (rec = r->rec; rec < r->rec + r->count; rec++)
		if (rec->h.type == EV_ATTACH && !rec->attach.ret &&
		    numbers_have(&domains, rec->attach.domain) &&
		    numbers_have(&devices, rec->attach.dev))
			numbers_add(attached, rec->attach.domain);
	numbers_sort(attached);
	numbers_free(&domains);
	numbers_free(&devices);
}

static size_t strangers(const struct records *r)
{
	struct numbers known = { 0 };
	const union record *rec;
	uint64_t domain;
	size_t count = 0;

	known_domains(r, &known);
	for (rec = r->rec; rec < r->rec + r->count; rec++) {
		if (rec->h.type != EV_MAP && rec->h.type != EV_UNMAP)
			continue;
		domain = rec->h.type == EV_MAP ? rec->map.domain : rec->unmap.domain;
		if (numbers_have(&known, domain) || count++ >= SHOWN)
			continue;
		printf("domain 0x%" PRIx64 " of CPU %u, record %" PRIu64 " has no known device\n",
		       domain, rec->h.cpu, (uint64_t)rec->h.seq);
	}
	printf("without a domain and device: %zu\n", count);
	numbers_free(&known);
	return count;
}

int main(int argc, char **argv)
{
	struct ledger maps = { .name = "map" }, unmaps = { .name = "unmap" };
	struct records r;
	uint64_t lost;
	size_t wrong;

	if (argc != 3) {
		fprintf(stderr, "usage: compare TRACE TABLE\n");
		return 2;
	}
	records_load(argv[1], &r);
	read_trace(&r, &maps, &unmaps);
	lost = read_table(argv[2], &maps, &unmaps);

	wrong = ledger_differences(&maps) + ledger_differences(&unmaps) + strangers(&r);
	printf("lost: trace %zu gaps, oracle %" PRIu64 "\n", r.gaps, lost);
	if (!maps.trace || !unmaps.trace)
		printf("nothing to compare\n");
	wrong += r.gaps + lost;
	records_free(&r);
	free(maps.entry);
	free(unmaps.entry);
	return wrong || !maps.trace || !unmaps.trace;
}
