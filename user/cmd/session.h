/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A time of listening, while a command runs or until a signal: what record and live share,
 * with their options. Where the records go is the caller's.
 */
#ifndef IOMMUSCOPE_SESSION_H
#define IOMMUSCOPE_SESSION_H

#include <argp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "cmd/child.h"
#include "cmd/every.h"
#include "live/live.h"

struct session {
	/* Options. */
	struct live_options opt;
	char **command;		/* NULL: none */
	unsigned int duration_s;	/* 0: until a signal */
	bool status_of_cmd;
	struct every every;

	/* Set before session_run(). */
	live_sink sink;
	int (*turned)(void *arg, uint64_t drained_ns);	/* all that is older has come; may be NULL */
	int (*ticked)(void *arg, uint64_t drained_ns);	/* once a second; may be NULL */
	void *arg;
	const char *greeting;	/* on stderr when everything is heard; may be NULL */

	/* The rest is the session's. */
	struct live *live;
	struct child child;
	int signal_fd;
	sigset_t old_mask;
	uint64_t began_ns;
	uint64_t ticked_ns;
	uint64_t drained_ns;
	bool stop;
};

/* Its input is a struct session; the parent's options come first. */
extern const struct argp session_argp;

#define SESSION_INIT { .opt.ring_bytes = 4 << 20 }

/**
 * session_find_device() - Is there a device behind an IOMMU called *@name in sysfs?
 * @name: may point to NULL: no matter; 00:02.0 becomes 0000:00:02.0
 *
 * Return: 0 or an exit status; said why.
 */
int session_find_device(const char **name);

/** session_check() - Are device and process there? Return: 0 or an exit status; said why. */
int session_check(struct session *s);

/** session_open() - Load the programs. Return: 0 or an exit status; said why. */
int session_open(struct session *s);

/**
 * session_run() - Listen until the end
 *
 * Whatever happens, the rings are emptied and their counters read at the end.
 *
 * Return: 0 or an exit status; said why.
 */
int session_run(struct session *s);

/** session_end() - Call after what came of it is safe: signals are let in again. */
void session_end(struct session *s);

/** session_status() - The command's status if that was asked for, else @status, or that of --verify-every if it is clean. */
int session_status(const struct session *s, int status);

/** session_print_child() - How the command ended, on stderr. */
void session_print_child(const struct session *s);

/** clock_ns() - Return: @clock in ns. */
uint64_t clock_ns(clockid_t clock);

#endif
