/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The command that a recording runs. */
#ifndef IOMMUSCOPE_CHILD_H
#define IOMMUSCOPE_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid;		/* 0: none was started */
	int status;		/* of wait(), once it ended */
	bool ended;
	bool signalled;		/* it has been told to end */
};

/**
 * child_start() - Run @argv with the default signals
 *
 * Return: 0, or -errno of fork() or of exec (-ENOENT: no such command).
 */
int child_start(struct child *c, char **argv);

static inline bool child_running(const struct child *c)
{
	return c->pid && !c->ended;
}

/** child_reap() - Return: true once it has ended; @c->status is set. */
bool child_reap(struct child *c);

#endif
