// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/in.h"

#define READ_BYTES	(128u << 10)

int in_open(struct in_stream *s, int dirfd)
{
	char name[TRACE_NAME_BYTES];
	struct stat st;

	trace_stream_name(name, s->cpu);
	s->fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (s->fd < 0)
		return -errno;
	if (fstat(s->fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;

	s->slots = malloc(IN_SLOTS * sizeof(*s->slots));
	if (!s->slots)
		return -ENOMEM;

	s->done = false;
	return 0;
}

uint64_t in_peek(struct in_stream *s, bool *ended)
{
	uint64_t packet[TRACE_PACKET_BYTES / 8];
	struct trace_packet p = { .cpu = s->cpu, .abi = s->abi };
	const struct ev_hdr *rec = NULL;
	const char *why;
	struct stat st;

	*ended = false;
	if (fstat(s->fd, &st) || st.st_size < TRACE_PACKET_BYTES)
		return 0;
	if (pread(s->fd, packet, sizeof(packet), st.st_size - st.st_size % sizeof(packet) -
		  sizeof(packet)) != sizeof(packet))
		return 0;
	if (trace_packet_open(&p, packet, s->uuid, &why))
		return 0;

	while (trace_packet_next(&p, &rec, &why) > 0)
		;
	*ended = rec && rec->type == EV_STREAM_END;
	return p.horizon_ns;
}

/* Forget what was delivered and make room for READ_BYTES behind the rest. */
static int make_room(struct in_stream *s)
{
	uint64_t keep = s->scout_off;
	size_t drop, size;
	uint8_t *grown;

	if (s->delivered < s->scouted)
		keep = s->slots[s->delivered % IN_SLOTS].off & -(uint64_t)TRACE_PACKET_BYTES;

	drop = keep - s->buf_off;
	if (drop)
		memmove(s->buf, s->buf + drop, s->buf_len - drop);
	s->buf_len -= drop;
	s->buf_off = keep;

	if (s->buf_size - s->buf_len >= READ_BYTES)
		return 0;
	size = s->buf_len + 2 * READ_BYTES;
	grown = realloc(s->buf, size);
	if (!grown)
		return -ENOMEM;

	s->buf = grown;
	s->buf_size = size;
	return 0;
}

static int refill(struct in_stream *s)
{
	ssize_t n;
	int err;

	err = make_room(s);
	if (err)
		return err;

	while (s->buf_len < s->buf_size) {
		n = pread(s->fd, s->buf + s->buf_len, s->buf_size - s->buf_len,
			  s->buf_off + s->buf_len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		s->buf_len += n;
	}
	return 0;
}

/* The packet at @scout_off, or NULL when the stream stops here. */
static const uint8_t *scout_packet(struct in_stream *s)
{
	uint64_t end = s->buf_off + s->buf_len;

	if (end - s->scout_off < TRACE_PACKET_BYTES) {
		s->err = refill(s);
		if (s->err) {
			s->why = "cannot read on";
			return NULL;
		}
		end = s->buf_off + s->buf_len;
	}
	if (end - s->scout_off >= TRACE_PACKET_BYTES)
		return s->buf + (s->scout_off - s->buf_off);

	if (end != s->scout_off) {
		s->err = -EBADMSG;
		s->why = "the file ends inside a packet: it was cut short";
	}
	return NULL;
}

static int note(struct in_stream *s, const struct ev_hdr *rec, uint64_t off)
{
	struct in_slot *slot = &s->slots[s->scouted % IN_SLOTS];

	if (rec->time_ns < s->scout_ns) {
		s->why = "time runs backwards";
		return -EBADMSG;
	}
	if (holes_see(&s->holes, rec->seq, rec->time_ns, s->scouted)) {
		s->why = "cannot read on";
		return -ENOMEM;
	}

	slot->off = off;
	slot->time_ns = rec->time_ns;
	s->scout_ns = rec->time_ns;
	s->scouted++;
	s->ended |= rec->type == EV_STREAM_END;
	return 0;
}

/* Check one packet and note its records; those before a damage stay good. */
static int scout(struct in_stream *s)
{
	struct trace_packet p = { .cpu = s->cpu, .abi = s->abi };
	const struct ev_hdr *rec;
	const uint8_t *packet;
	int more;

	packet = scout_packet(s);
	if (!packet)
		return 1;

	s->err = trace_packet_open(&p, packet, s->uuid, &s->why);
	if (s->err)
		return s->err;

	while ((more = trace_packet_next(&p, &rec, &s->why)) > 0) {
		s->err = note(s, rec, s->scout_off + ((const uint8_t *)rec - packet));
		if (s->err)
			return s->err;
	}
	s->err = more;
	s->scout_off += TRACE_PACKET_BYTES;
	return more;
}

/* Behind the last record. */
static void find_end(struct in_stream *s)
{
	if (s->err) {
		s->next = IN_DAMAGE;
	} else if (s->ended) {
		s->next = IN_END;
	} else {
		s->next = IN_ABRUPT;
		if (s->horizon_ns > s->last_ns)
			s->last_ns = s->horizon_ns;
	}
	s->key_ns = s->last_ns;
}

static void find_record(struct in_stream *s)
{
	const struct in_slot *slot = &s->slots[s->delivered % IN_SLOTS];

	s->next = IN_RECORD;
	s->key_ns = slot->time_ns;
	s->rec = (const void *)(s->buf + (slot->off - s->buf_off));
}

/* Is there a loss in front of the next record? */
static bool find_gap(struct in_stream *s)
{
	if (!s->holes.count)
		return false;

	s->gap.lost = holes_take(&s->holes, s->delivered, &s->gap.to_ns);
	if (!s->gap.lost)
		return false;

	/* What is missing may have come behind the end of a stream that was cut. */
	if (s->done && !s->ended && s->scouted - s->delivered < IN_AHEAD)
		s->gap.to_ns = UINT64_MAX;
	s->gap.from_ns = s->last_ns;
	s->gap.cpu = s->cpu;
	s->next = IN_GAP;
	s->key_ns = s->last_ns;
	return true;
}

void in_advance(struct in_stream *s)
{
	if (s->next == IN_DAMAGE) {
		s->next = IN_CUT;
		return;
	}
	if (s->next == IN_RECORD) {
		s->last_ns = s->key_ns;
		s->delivered++;
	}

	while (!s->done && s->scouted - s->delivered < IN_AHEAD)
		s->done = scout(s);

	if (s->delivered == s->scouted)
		find_end(s);
	else if (!find_gap(s))
		find_record(s);
}

void in_free(struct in_stream *s)
{
	if (s->fd >= 0)
		close(s->fd);
	free(s->buf);
	free(s->slots);
	holes_free(&s->holes);
}
