/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * One stream file being written: records into packets, packets into the file.
 *
 * Invariants
 * - Between calls the file holds whole packets only, also after a failed write.
 * - The last packet, while there is room in it, is kept in @tail too; the next write
 *   repeats it with more records, at the same place. So a slow recording that is
 *   flushed every second does not grow by a packet every second.
 * - A record that did not reach the file is counted in @dropped.
 */
#ifndef IOMMUSCOPE_TRACE_OUT_H
#define IOMMUSCOPE_TRACE_OUT_H

#include <stdbool.h>

#include "trace/layout.h"

#define OUT_PACKETS	64u	/* written at once: 256 KiB */

/* Where packets are put together; one for all streams. */
struct out_batch {
	uint8_t *buf;		/* OUT_PACKETS packets */
	uint32_t packets;	/* begun */
	uint32_t fill;		/* bytes of the last one */
	uint64_t last_ns;	/* of its last record */
	uint32_t events[OUT_PACKETS];
};

struct out_stream {
	int dirfd;		/* of the trace; not owned */
	int fd;			/* -1 until the first write */
	uint16_t cpu;
	bool torn;		/* the last write failed: records are missing at the end */
	uint8_t uuid[16];
	uint64_t horizon_ns;	/* for the packets to come */
	uint64_t discarded;	/* for the packets to come, without @dropped */
	uint64_t dropped;
	uint64_t size;		/* of the file */
	uint64_t off;		/* of the packet that the next write begins with */
	uint8_t *tail;		/* that packet, or NULL as long as there was none */
	uint32_t tail_fill;	/* bytes, 0 if the packet is new */
	uint32_t tail_events;
	uint64_t tail_ns;	/* of its last record */
};

/**
 * out_begin(), out_add(), out_end() - Write records
 * @s:   the stream
 * @b:   scratch; holds nothing between out_end() and out_begin()
 * @rec: the record, not older than the one before
 *
 * Return: 0 or -errno of a write. After a failure go on as if there was none.
 */
void out_begin(struct out_stream *s, struct out_batch *b);
int out_add(struct out_stream *s, struct out_batch *b, const struct ev_hdr *rec);
int out_end(struct out_stream *s, struct out_batch *b);

/* Close the file. */
void out_free(struct out_stream *s);

#endif
