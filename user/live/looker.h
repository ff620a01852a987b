/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Looks at page tables (live/observe.h) beside a recording, in a process of its own: rings go on being
 * emptied while tables are read, and a look can be broken off at any moment.
 *
 * Records come without time and number: who takes them stamps them (live_say()). A look at a domain reads
 * nothing before the taker was handed its beginning, so that what is heard later is younger.
 */
#ifndef IOMMUSCOPE_LIVE_LOOKER_H
#define IOMMUSCOPE_LIVE_LOOKER_H

#include <stdbool.h>
#include <stddef.h>

#include "live/observe.h"

struct looker;

/**
 * looker_new() - Load the programs, and start the process
 * @opt:     strings must live on
 * @verbose: what libbpf and the verifier say, on stderr
 * @text:    filled on failure, for people
 *
 * Before anything else is opened that the process should not keep open.
 *
 * Return: 0 or -errno.
 */
int looker_new(const struct observe_options *opt, bool verbose, struct looker **out, char *text,
	       size_t len);

/** looker_fd() - Readable when records have come. */
int looker_fd(const struct looker *l);

/** looker_start() - Begin a look; the one before is over. 0 or -errno. */
int looker_start(struct looker *l);

/** looker_busy() - Is a look under way? */
bool looker_busy(const struct looker *l);

/**
 * looker_take() - Hand over what has come, without waiting
 * @sink: receives readings and roots; may change the record; 0 or -errno, which ends the call
 *
 * Return: 0, -EPIPE: the process has died, -EIO: it could not look (once for each look), or what @sink returned.
 */
int looker_take(struct looker *l, int (*sink)(void *arg, struct ev_hdr *rec), void *arg);

/** looker_free() - Ends the process, whatever it does. @l may be NULL. */
void looker_free(struct looker *l);

#endif
