/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* --verify-every: page tables are read again and again while a session listens. */
#ifndef IOMMUSCOPE_EVERY_H
#define IOMMUSCOPE_EVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "live/live.h"
#include "live/looker.h"

#define EVERY_MAX_S 86400

struct every {
	unsigned int seconds;	/* 0: never; the option */
	/* The rest is private. */
	struct looker *looker;
	struct observe_options look;
	uint64_t began_ns;	/* the last look */
	bool slow;		/* said so */
	bool failed;		/* a look was not whole; said so */
	bool died;
	uint64_t looks;		/* that came whole to their end */
};

/** every_open() - Before the session opens anything. Return: 0 or an exit status; said why. */
int every_open(struct every *e, const struct live_options *opt);

/** every_fd() - For poll(); -1: nothing to wait for. */
int every_fd(const struct every *e);

/**
 * every_turn() - Take what was read, stamp it; begin a look if it is time
 *
 * After the rings were drained, and before anybody is told up to when all has come.
 *
 * Return: 0 or -errno of the session's sink. Want of a reading ends no recording: it is said.
 */
int every_turn(struct every *e, struct live *live, uint64_t now_ns);

/**
 * every_end() - Say how often tables were read, when the session has ended
 *
 * Return: EXIT_CLEAN; EXIT_LOST: never wholly, or who reads has died.
 */
int every_end(const struct every *e);

/** every_close() - At once, also in the middle of a look. */
void every_close(struct every *e);

#endif
