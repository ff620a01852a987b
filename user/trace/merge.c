// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>

#include "bpf/event.h"
#include "trace/holes.h"
#include "trace/merge.h"
#include "trace/pending.h"

struct stream {
	uint16_t cpu;
	struct pending pending;
	struct holes holes;
	uint64_t arrived;	/* records ever added */
	uint64_t marked;	/* of these, when the rings were empty */
	uint64_t last_ns;	/* handed on, records or gaps */
	size_t due, done;	/* of @pending, in this turn */
};

struct merge {
	const struct merge_sink *sink;
	void *arg;
	struct merge_stats stats;
	uint64_t mark_ns;	/* when the rings were empty; 0: nobody said so yet */
	unsigned int count;	/* of @streams: one for each CPU, and the recorder's */
	struct stream streams[];
};

int merge_new(unsigned int cpus, const struct merge_sink *sink, void *arg, struct merge **out)
{
	struct merge *m = calloc(1, sizeof(*m) + (cpus + 1) * sizeof(m->streams[0]));
	unsigned int i;

	if (!m)
		return -ENOMEM;
	m->sink = sink;
	m->arg = arg;
	m->count = cpus + 1;
	for (i = 0; i < cpus; i++)
		m->streams[i].cpu = i;
	m->streams[cpus].cpu = EV_CPU_USER;
	*out = m;
	return 0;
}

void merge_free(struct merge *m)
{
	unsigned int i;

	if (!m)
		return;
	for (i = 0; i < m->count; i++) {
		pending_free(&m->streams[i].pending);
		holes_free(&m->streams[i].holes);
	}
	free(m);
}

void merge_stats(const struct merge *m, struct merge_stats *stats)
{
	*stats = m->stats;
}

int merge_add(struct merge *m, const struct ev_hdr *rec)
{
	unsigned int i = rec->cpu == EV_CPU_USER ? m->count - 1 : rec->cpu;
	struct stream *s = &m->streams[i];
	int err;

	if (i >= m->count || s->cpu != rec->cpu)
		return -EINVAL;
	err = holes_see(&s->holes, rec->seq, rec->time_ns, s->arrived);
	if (!err)
		err = pending_add(&s->pending, rec, rec->time_ns);
	if (!err)
		s->arrived++;
	return err;
}

static int hand_gap(struct merge *m, struct stream *s, uint64_t lost, uint64_t to_ns)
{
	struct gap gap = { .cpu = s->cpu, .from_ns = s->last_ns, .to_ns = to_ns, .lost = lost };

	m->stats.lost += lost;
	if (to_ns != UINT64_MAX && to_ns > s->last_ns)
		s->last_ns = to_ns;
	return m->sink->gap(m->arg, &gap);
}

/* What is missing among the records that came before the mark is lost. */
static int hand_gaps(struct merge *m)
{
	uint64_t lost, to_ns;
	unsigned int i;
	int err = 0;

	for (i = 0; i < m->count && !err; i++) {
		struct stream *s = &m->streams[i];

		lost = s->marked ? holes_take(&s->holes, s->marked - 1, &to_ns) : 0;
		if (lost)
			err = hand_gap(m, s, lost, to_ns);
	}
	return err;
}

/* The oldest record that is due; of equal ones that of the lowest CPU. CPUs are few. */
static struct stream *oldest(struct merge *m)
{
	uint64_t time_ns, best_ns = 0;
	struct stream *best = NULL;
	unsigned int i;

	for (i = 0; i < m->count; i++) {
		struct stream *s = &m->streams[i];

		if (s->done == s->due)
			continue;
		time_ns = pending_at(&s->pending, s->done)->time_ns;
		if (best && time_ns >= best_ns)
			continue;
		best = s;
		best_ns = time_ns;
	}
	return best;
}

static int hand_records(struct merge *m, uint64_t before_ns)
{
	struct stream *s;
	unsigned int i;
	int err = 0;

	for (i = 0; i < m->count; i++) {
		m->streams[i].due = pending_older(&m->streams[i].pending, before_ns);
		m->streams[i].done = 0;
	}
	while (!err && (s = oldest(m))) {
		const struct ev_hdr *rec = pending_at(&s->pending, s->done++);

		s->last_ns = rec->time_ns;
		m->stats.records++;
		err = m->sink->record(m->arg, rec);
	}
	for (i = 0; i < m->count; i++)
		pending_drop(&m->streams[i].pending, m->streams[i].done);
	return err;
}

static void set_mark(struct merge *m, uint64_t now_ns)
{
	unsigned int i;

	m->mark_ns = now_ns;
	for (i = 0; i < m->count; i++)
		m->streams[i].marked = m->streams[i].arrived;
}

int merge_drained(struct merge *m, uint64_t now_ns)
{
	int err;

	if (!m->mark_ns) {
		set_mark(m, now_ns);
		return 0;
	}
	if (now_ns < m->mark_ns + HOLES_NEST_NS)
		return 0;
	err = hand_gaps(m);
	if (!err)
		err = hand_records(m, m->mark_ns);
	set_mark(m, now_ns);
	return err;
}

/* Numbers behind the last record of a CPU. */
static int hand_tails(struct merge *m, const uint64_t *next)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i + 1 < m->count && !err; i++) {
		struct stream *s = &m->streams[i];

		if (next[i] > s->holes.next_seq)
			err = hand_gap(m, s, next[i] - s->holes.next_seq, UINT64_MAX);
	}
	return err;
}

int merge_finish(struct merge *m, const uint64_t *next)
{
	int err;

	set_mark(m, UINT64_MAX);
	err = hand_gaps(m);
	if (!err)
		err = hand_tails(m, next);
	return err ?: hand_records(m, UINT64_MAX);
}
