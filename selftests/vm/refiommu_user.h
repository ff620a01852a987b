/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* refiommu_user in two files: its IOMMUs and devices, and what is mapped for them. */
#ifndef REFIOMMU_USER_H
#define REFIOMMU_USER_H

#include <stdint.h>

#include "kernel/refiommu.h"
#include "verbs.h"

#define FDS 16
#define RW (REFIOMMU_PROT_READ | REFIOMMU_PROT_WRITE)

struct user {
	int ref;
	int container;
	int fds[FDS];		/* groups and devices of the container */
	int nfds;
	uint32_t ioas;		/* 0: none */
	uint32_t endpoint;	/* the last that was made */
	void *mem;		/* the last that was mapped */
	uint64_t mem_size;
	uint32_t instance;	/* its IOMMU; 0: none */
};

/* Of /dev/refiommu; ends the program if it fails: @what. */
void call(struct user *u, unsigned long nr, void *arg, const char *what);

/* Verbs about devices: words that they took. */
int do_vfio(struct user *u, char **words);
int do_space(struct user *u, char **words);
int do_attach(struct user *u, char **words);
int do_detach(struct user *u, char **words);
int do_replay(struct user *u, char **words);
int do_ioas(struct user *u, char **words);
int do_device(struct user *u, char **words);
int do_driver(struct user *u, char **words);
int do_switch(struct user *u, char **words);
int do_destroy(struct user *u, char **words);

#endif /* REFIOMMU_USER_H */
