/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Two threads that map and unmap neighbouring and equal ranges of one address space at the
 * same time, each as it likes: what the other did meanwhile is refused, or it is not.
 */
#ifndef HAMMER_H
#define HAMMER_H

#include <stdint.h>

struct user;

struct hammer {
	int (*map)(struct user *u, void *mem, uint64_t size, uint64_t iova);	/* 0 or -1, errno */
	int64_t (*unmap)(struct user *u, uint64_t iova, uint64_t size);	/* bytes or -1, errno */
};

/* For that long; prints what succeeded, and ends the program at an errno that no race explains. */
void hammer(struct user *u, const struct hammer *ops, unsigned int seconds);

#endif /* HAMMER_H */
