/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Programs that do what the words on their command line say, in order: VERB [ARGUMENT...] each.
 * A program defines its own struct user, a table of verbs that ends with a name NULL, and usage().
 */
#ifndef VERBS_H
#define VERBS_H

#include <stdint.h>

struct user;

struct verb {
	const char *name;
	const char *arguments;
	int words;	/* that must follow */
	int (*run)(struct user *u, char **words);	/* words it took, its name included */
};

extern const char program[];
extern const struct verb verbs[];

/* Prints how it is used, and ends with 2. */
void usage(void);
void print_verbs(void);

/* Says what failed, and errno; ends with 1. */
void die(const char *what);

/* "4096", "0x1000", "4K", "2M", "1G"; ends with 2 if it is none. */
uint64_t number(const char *word);

/* Of a clock that only goes forward. */
uint64_t now_ns(void);

/* Private memory that nobody has touched; @flags: more for mmap(). MAP_FAILED. */
void *memory(uint64_t size, int flags);

/* All of them, from @words up to NULL. */
void run_verbs(struct user *u, int nwords, char **words);

#endif /* VERBS_H */
