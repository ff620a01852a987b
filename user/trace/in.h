/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One stream file being read.
 *
 * Two cursors: the scout checks packets and records and notes their numbers; the
 * delivery follows at least IN_AHEAD records behind it (less at the end), so that it
 * knows which numbers are lost and which are only late. What lies between the two is
 * in @buf; @slots says where. The file is untrusted, and may change while it is read.
 */
#ifndef IOMMUSCOPE_TRACE_IN_H
#define IOMMUSCOPE_TRACE_IN_H

#include <stdbool.h>

#include "trace/holes.h"
#include "trace/layout.h"

#define IN_AHEAD	1024u	/* a number is lost if it is not among so many records */
#define IN_SLOTS	2048u	/* IN_AHEAD and a packet full; a power of two */

/* What the stream has to say next. */
enum in_next {
	IN_START,	/* nothing looked for yet */
	IN_RECORD,	/* @rec */
	IN_GAP,		/* @gap; then go on */
	IN_DAMAGE,	/* @err and @why at @scout_off; then IN_CUT */
	IN_CUT,		/* nothing more: damage */
	IN_ABRUPT,	/* nothing more: no EV_STREAM_END, the recorder was killed */
	IN_END,		/* nothing more */
};

struct in_slot {
	uint64_t off;		/* in the file */
	uint64_t time_ns;
};

struct in_stream {
	/* What comes next, set by in_open() and in_advance(). */
	enum in_next next;
	uint64_t key_ns;	/* its place in the merge */
	uint16_t cpu;
	const struct ev_hdr *rec;
	struct gap gap;

	int fd;			/* -1: no file */
	uint16_t abi;
	const uint8_t *uuid;
	uint64_t horizon_ns;	/* until where the whole trace is known to be written */
	uint64_t last_ns;	/* delivered, records or gaps */

	uint8_t *buf;
	size_t buf_size, buf_len;
	uint64_t buf_off;	/* of @buf in the file; a multiple of the packet size */

	uint64_t scout_off;	/* of the next packet */
	uint64_t scout_ns;	/* time of the last record */
	bool done;		/* no further packet; true until in_open() */
	bool ended;		/* EV_STREAM_END was seen */
	int err;		/* why the scout stopped; 0 at the end of the file */
	const char *why;

	uint64_t scouted, delivered;	/* records */
	struct in_slot *slots;		/* of [delivered, scouted), by index modulo IN_SLOTS */
	struct holes holes;
};

/**
 * in_open() - Prepare a stream; in_advance() must come next
 * @s:     zeroed, with @cpu, @abi and @uuid set, and @done
 * @dirfd: of the trace
 *
 * Return: 0, -EBADMSG (no regular file), -ENOMEM, or -errno.
 */
int in_open(struct in_stream *s, int dirfd);

/**
 * in_peek() - Look at the last packet of the file
 * @s:     open, nothing read yet
 * @ended: set if the last record is EV_STREAM_END
 *
 * Return: the packet's horizon, 0 if there is no sound last packet.
 */
uint64_t in_peek(struct in_stream *s, bool *ended);

/**
 * in_advance() - Drop what @s->next says, find what comes after it
 *
 * Invalidates @s->rec. The first call finds the first thing.
 */
void in_advance(struct in_stream *s);

void in_free(struct in_stream *s);

#endif
