// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/out.h"

#define HEAD	((uint32_t)sizeof(struct trace_head))

static uint8_t *last_packet(struct out_batch *b)
{
	return b->buf + (size_t)(b->packets - 1) * TRACE_PACKET_BYTES;
}

static void packet_begin(struct out_batch *b)
{
	b->packets++;
	b->fill = HEAD;
	b->events[b->packets - 1] = 0;
}

void out_begin(struct out_stream *s, struct out_batch *b)
{
	b->packets = 0;
	if (!s->tail_fill)
		return;

	packet_begin(b);
	memcpy(last_packet(b), s->tail, s->tail_fill);
	b->fill = s->tail_fill;
	b->last_ns = s->tail_ns;
	b->events[0] = s->tail_events;
}

/* Complete the head of the last packet and clear what is behind its records. */
static void packet_seal(struct out_stream *s, struct out_batch *b)
{
	uint8_t *packet = last_packet(b);
	struct trace_head *h = (void *)packet;
	struct trace_tail *t = (void *)(packet + TRACE_CONTENT_END);
	const struct ev_hdr *first = (const void *)(packet + HEAD);

	memset(packet + b->fill, 0, TRACE_PACKET_BYTES - b->fill);
	*h = (struct trace_head) {
		.magic = TRACE_MAGIC,
		.stream_instance_id = s->cpu,
		.cpu_id = s->cpu,
		.timestamp_begin = first->time_ns,
		.timestamp_end = b->last_ns,
		.events_discarded = s->discarded + s->dropped,
		.packet_seq_num = s->off / TRACE_PACKET_BYTES + b->packets - 1,
		.content_size = b->fill * 8,
		.packet_size = TRACE_PACKET_BYTES * 8,
	};
	memcpy(h->uuid, s->uuid, sizeof(h->uuid));
	t->horizon_ns = s->horizon_ns;
	t->checksum = trace_checksum(packet);
}

static int open_file(struct out_stream *s)
{
	char name[TRACE_NAME_BYTES];

	if (s->fd >= 0)
		return 0;

	trace_stream_name(name, s->cpu);
	s->fd = openat(s->dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (s->fd < 0)
		return -errno;

	/* Against a umask that takes our own bits; no such thing on some file systems. */
	(void)!fchmod(s->fd, 0600);
	return 0;
}

static int write_all(int fd, const uint8_t *buf, size_t len, uint64_t off, size_t *done)
{
	ssize_t n;

	for (*done = 0; *done < len; *done += n) {
		n = pwrite(fd, buf + *done, len - *done, off + *done);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return n ? -errno : -EIO;
	}
	return 0;
}

/* A write stopped after @done bytes: cut the file to whole packets, count the rest. */
static void give_up(struct out_stream *s, struct out_batch *b, size_t done)
{
	char name[TRACE_NAME_BYTES];
	uint64_t good = s->off + done / TRACE_PACKET_BYTES * TRACE_PACKET_BYTES;
	uint32_t i;

	for (i = done / TRACE_PACKET_BYTES; i < b->packets; i++)
		s->dropped += b->events[i];

	/* An untouched tail is still in the file, as it was. */
	if (!done && s->tail_fill) {
		s->dropped -= s->tail_events;
		good = s->size;
	}

	s->torn = true;
	s->size = s->off = good;
	s->tail_fill = 0;
	if (s->fd < 0)
		return;
	if (good) {
		/* Cutting needs no space; if it fails the reader cuts instead. */
		if (ftruncate(s->fd, good))
			return;
	} else {
		trace_stream_name(name, s->cpu);
		unlinkat(s->dirfd, name, 0);
		close(s->fd);
		s->fd = -1;
	}
}

/* Write all packets of the batch. The last may be written again, if it has room. */
static int batch_write(struct out_stream *s, struct out_batch *b)
{
	size_t done = 0, len = (size_t)b->packets * TRACE_PACKET_BYTES;
	int err;

	err = open_file(s);
	if (!err)
		err = write_all(s->fd, b->buf, len, s->off, &done);
	if (err) {
		give_up(s, b, done);
		return err;
	}

	s->torn = false;
	s->size = s->off + len;
	s->off = s->size;
	s->tail_fill = 0;
	return 0;
}

int out_add(struct out_stream *s, struct out_batch *b, const struct ev_hdr *rec)
{
	int err = 0;

	if (!b->packets) {
		packet_begin(b);
	} else if (b->fill + rec->len > TRACE_CONTENT_END) {
		packet_seal(s, b);
		if (b->packets == OUT_PACKETS) {
			err = batch_write(s, b);
			b->packets = 0;
		}
		packet_begin(b);
	}

	memcpy(last_packet(b) + b->fill, rec, rec->len);
	b->fill += rec->len;
	b->last_ns = rec->time_ns;
	b->events[b->packets - 1]++;
	return err;
}

/* Keep the packet that was just written as the one that the next write repeats. */
static void keep_tail(struct out_stream *s, struct out_batch *b)
{
	if (!s->tail)
		s->tail = malloc(TRACE_PACKET_BYTES);
	if (!s->tail)
		return;

	memcpy(s->tail, last_packet(b), b->fill);
	s->tail_fill = b->fill;
	s->tail_ns = b->last_ns;
	s->tail_events = b->events[b->packets - 1];
	s->off = s->size - TRACE_PACKET_BYTES;
}

int out_end(struct out_stream *s, struct out_batch *b)
{
	int err;

	if (!b->packets)
		return 0;

	packet_seal(s, b);
	err = batch_write(s, b);
	if (!err)
		keep_tail(s, b);
	return err;
}

void out_free(struct out_stream *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	free(s->tail);
	s->tail = NULL;
}
