// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include "verbs.h"

void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program, what, strerror(errno));
	exit(1);
}

uint64_t number(const char *word)
{
	static const char units[] = "KMG";
	const char *unit;
	uint64_t value;
	char *end;

	errno = 0;
	value = strtoull(word, &end, 0);
	unit = *end ? strchr(units, *end) : NULL;
	if (errno || end == word || (*end && (!unit || end[1]))) {
		fprintf(stderr, "%s: '%s' is not a number\n", program, word);
		exit(2);
	}
	return unit ? value << (10 * (unit - units + 1)) : value;
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

void *memory(uint64_t size, int flags)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

void print_verbs(void)
{
	const struct verb *verb;

	for (verb = verbs; verb->name; verb++)
		fprintf(stderr, "  %-10s %s\n", verb->name, verb->arguments);
}

static const struct verb *find_verb(const char *name)
{
	const struct verb *verb;

	for (verb = verbs; verb->name; verb++)
		if (!strcmp(verb->name, name))
			return verb;
	fprintf(stderr, "%s: unknown verb '%s'\n", program, name);
	usage();
	return NULL;
}

void run_verbs(struct user *u, int nwords, char **words)
{
	const struct verb *verb;
	int i;

	for (i = 0; i < nwords; i += verb->run(u, words + i)) {
		verb = find_verb(words[i]);
		if (nwords - i - 1 < verb->words)
			usage();
	}
}
