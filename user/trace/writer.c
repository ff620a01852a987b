// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The writer: puts the records of each CPU in order of time and hands them to out.c.
 *
 * Interrupts nest, so a CPU's records arrive slightly out of order: what is younger
 * than a window is held back. A record that comes too late even so is written with
 * the time of its predecessor, because CTF readers stop when time runs backwards.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/schema.h"
#include "trace/writer.h"

static int remember(struct trace_writer *w, int err)
{
	if (err && !w->err)
		w->err = err;
	return err;
}

/* Missing sequence numbers; a few too many while a record is overtaken by others. */
static uint64_t missing(const struct writer_stream *s)
{
	return s->next_seq > s->received ? s->next_seq - s->received : 0;
}

/* Losses from before the last drain have shown in every count since then. */
static void settle_discarded(struct writer_stream *s)
{
	if (s->lost_least > s->out.discarded)
		s->out.discarded = s->lost_least;
	s->lost_least = missing(s);
}

/* Drain again when as much has come as was kept: copying stays in proportion. */
static void set_drain(struct writer_stream *s)
{
	size_t bytes = 2 * s->pending.bytes;

	if (bytes < WRITER_DRAIN_BYTES)
		bytes = WRITER_DRAIN_BYTES;
	s->drain_at = bytes < WRITER_PENDING_MAX ? bytes : WRITER_PENDING_MAX;
}

/* Write the @n oldest records. */
static int write_oldest(struct trace_writer *w, struct writer_stream *s, size_t n)
{
	const struct ev_hdr *rec;
	int first = 0, err;
	size_t i;

	if (!n)
		return 0;

	settle_discarded(s);
	out_begin(&s->out, &w->batch);
	for (i = 0; i < n; i++) {
		rec = pending_at(&s->pending, i);
		s->floor_ns = rec->time_ns;
		err = out_add(&s->out, &w->batch, rec);
		first = first ? first : err;
	}
	err = out_end(&s->out, &w->batch);
	first = first ? first : err;

	pending_drop(&s->pending, n);
	set_drain(s);
	return remember(w, first);
}

static int drain(struct trace_writer *w, struct writer_stream *s, uint64_t now_ns)
{
	uint64_t until = now_ns > WRITER_WINDOW_NS ? now_ns - WRITER_WINDOW_NS : 0;

	return write_oldest(w, s, pending_older(&s->pending, until));
}

static struct writer_stream *find_stream(struct trace_writer *w, const struct ev_hdr *h)
{
	const struct schema *schema = schema_find(h->type);

	if (!schema || h->len != schema->len || h->seq == UINT64_MAX)
		return NULL;
	if (h->cpu == EV_CPU_USER)
		return &w->streams[w->cpus];

	return h->cpu < w->cpus ? &w->streams[h->cpu] : NULL;
}

static void count(struct trace_writer *w, struct writer_stream *s, const struct ev_hdr *h)
{
	uint64_t lost;

	s->received++;
	if (h->seq >= s->next_seq)
		s->next_seq = h->seq + 1;
	lost = missing(s);
	if (lost < s->lost_least)
		s->lost_least = lost;

	if (h->time_ns > s->newest_ns)
		s->newest_ns = h->time_ns;
	if (h->time_ns > w->newest_ns)
		w->newest_ns = h->time_ns;
}

static int hold_back(struct trace_writer *w, struct writer_stream *s, const struct ev_hdr *h)
{
	uint64_t time_ns = h->time_ns;
	int err;

	if (time_ns < s->floor_ns) {
		time_ns = s->floor_ns;
		s->late++;
	}
	err = pending_add(&s->pending, h, time_ns);
	if (err) {
		s->out.dropped++;
		s->out.torn = true;
	}
	return remember(w, err);
}

int trace_write(struct trace_writer *w, const void *rec)
{
	const struct ev_hdr *h = rec;
	struct writer_stream *s = find_stream(w, h);
	int err;

	if (!s)
		return -EINVAL;

	count(w, s, h);
	err = hold_back(w, s, h);
	if (err || s->pending.bytes < s->drain_at)
		return err;
	if (s->pending.bytes >= WRITER_PENDING_MAX)
		return write_oldest(w, s, s->pending.count);

	/* If all is younger than the window this writes nothing: ask again later. */
	set_drain(s);
	return drain(w, s, s->newest_ns);
}

static bool any_torn(const struct trace_writer *w)
{
	unsigned int i;

	for (i = 0; i <= w->cpus; i++) {
		if (w->streams[i].out.torn)
			return true;
	}
	return false;
}

/*
 * All streams are written up to @horizon_ns. Later packets say so; the user's last one
 * is repeated, so that it is known also if the recorder is killed now.
 */
static int set_horizon(struct trace_writer *w, uint64_t horizon_ns)
{
	struct out_stream *user = &w->streams[w->cpus].out;
	unsigned int i;

	if (any_torn(w))
		return 0;

	for (i = 0; i <= w->cpus; i++)
		w->streams[i].out.horizon_ns = horizon_ns;

	out_begin(user, &w->batch);
	return remember(w, out_end(user, &w->batch));
}

int trace_flush(struct trace_writer *w, uint64_t now_ns)
{
	int first = 0, err;
	unsigned int i;

	if (now_ns > w->newest_ns)
		w->newest_ns = now_ns;

	for (i = 0; i <= w->cpus; i++) {
		err = drain(w, &w->streams[i], now_ns);
		first = first ? first : err;
	}
	if (first || now_ns <= WRITER_WINDOW_NS)
		return first;

	return set_horizon(w, now_ns - WRITER_WINDOW_NS);
}

static void add_end(struct trace_writer *w, struct writer_stream *s, uint64_t lost)
{
	struct ev_stream_end end = {
		.h = {
			.type = EV_STREAM_END,
			.len = sizeof(end),
			.cpu = s->out.cpu,
			.time_ns = w->newest_ns,
			.seq = s->next_seq,
		},
		.next_seq = s->next_seq,
		.lost = lost + s->out.dropped,
		.late = s->late,
		.cpu = s->out.cpu,
	};

	s->lost_least = missing(s);
	remember(w, pending_add(&s->pending, &end.h, end.h.time_ns));
}

/* Every stream that had or lost a record gets an end. */
static void close_cpu(struct trace_writer *w, unsigned int i, const uint64_t *lost,
			 const uint64_t *next)
{
	struct writer_stream *s = &w->streams[i];
	/* Before the end is made: what it writes may be dropped, and the end counts it. */
	write_oldest(w, s, s->pending.count);

	if (next && next[i] > s->next_seq)
		s->next_seq = next[i];
	if (s->next_seq || (lost && lost[i])) {
		add_end(w, s, lost ? lost[i] : missing(s));
		write_oldest(w, s, s->pending.count);
	}
}

/* The end of the user's stream vouches for all others, so it comes last, if at all. */
static void close_user(struct trace_writer *w)
{
	struct writer_stream *s = &w->streams[w->cpus];

	write_oldest(w, s, s->pending.count);
	if (any_torn(w))
		return;

	add_end(w, s, missing(s));
	write_oldest(w, s, s->pending.count);
}

int trace_close(struct trace_writer *w, const uint64_t *lost, const uint64_t *next)
{
	unsigned int i;
	int err;

	if (!w)
		return 0;

	for (i = 0; i < w->cpus; i++)
		close_cpu(w, i, lost, next);
	close_user(w);

	err = w->err;
	for (i = 0; i <= w->cpus; i++) {
		out_free(&w->streams[i].out);
		pending_free(&w->streams[i].pending);
	}
	close(w->dirfd);
	free(w->batch.buf);
	free(w);
	return err;
}
