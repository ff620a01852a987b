/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One look at the machine: its devices, their domains, what each domain's table translates, what the
 * kernel's books say that it should, and where the hardware looks. Handed over as records
 * (bpf/event_read.h), so that who judges a recording judges this as well.
 */
#ifndef IOMMUSCOPE_OBSERVE_H
#define IOMMUSCOPE_OBSERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "live/host.h"
#include "live/oracle.h"

/* Receives a record; 0 or -errno, which ends the look. */
typedef int (*observe_sink)(void *arg, const struct ev_hdr *rec);

struct observe_options {
	const char *device;	/* only this one and its domain; NULL: all */
	int32_t group;		/* only this one; -1: all */
	const struct reading *expected;	/* its BOOK_FILE is compared with each domain; NULL: none */
	bool traced;		/* beside a recording: a reading's begin is handed over before anything is read */
	uint32_t tgid;		/* only domains in which this process has mapped something; 0: all */
	struct oracle *oracle;	/* ask these, too; NULL: nobody */
};

/**
 * observe() - Look once
 * @p:    opened with @watch
 * @sink: receives the records: devices, domains, attachments, then a reading of each domain, then roots
 * @seen: devices that the options let in
 *
 * Return: 0; -EAGAIN: groups were being changed all the time, some are missing (the rest was handed over);
 * or -errno.
 */
int observe(struct peek *p, const struct observe_options *opt, observe_sink sink, void *arg,
	    size_t *seen);

#endif
