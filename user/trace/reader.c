// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The merge: a heap of streams by the time of what each has to say next; equal times
 * by CPU. A gap sorts at the time of the last record in front of it, so it comes
 * before everything that happened meanwhile on other CPUs.
 */
#include <errno.h>
#include <string.h>

#include "core/schema.h"
#include "trace/reader.h"

static bool before(const struct reader_entry *a, const struct reader_entry *b)
{
	if (a->key_ns != b->key_ns)
		return a->key_ns < b->key_ns;
	return a->s->cpu < b->s->cpu;
}

/* The entry at @i may be too late for its place. */
static void sift_down(struct trace_reader *r, size_t i)
{
	struct reader_entry *heap = r->heap, entry = heap[i];
	size_t child;

	while ((child = 2 * i + 1) < r->heap_count) {
		if (child + 1 < r->heap_count && before(&heap[child + 1], &heap[child]))
			child++;
		if (!before(&heap[child], &entry))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = entry;
}

static bool is_live(const struct in_stream *s)
{
	return s->next == IN_RECORD || s->next == IN_GAP || s->next == IN_DAMAGE;
}

static void advance(struct trace_reader *r, struct reader_entry *e)
{
	r->live -= is_live(e->s);
	in_advance(e->s);
	r->live += is_live(e->s);
	e->key_ns = e->s->key_ns;
}

static void start(struct trace_reader *r)
{
	size_t i;

	for (i = 0; i < r->count; i++) {
		r->heap[i].s = r->streams[i];
		advance(r, &r->heap[i]);
	}
	r->heap_count = r->count;
	for (i = r->count; i-- > 0;)
		sift_down(r, i);
}

static void pop(struct trace_reader *r)
{
	r->heap[0] = r->heap[--r->heap_count];
	sift_down(r, 0);
}

static int give_gap(struct trace_reader *r, struct trace_item *item, const struct gap *gap)
{
	r->stats.gaps++;
	r->stats.lost += gap->lost;
	item->kind = TRACE_GAP;
	item->rec = NULL;
	item->gap = *gap;
	return 1;
}

/* Nothing more comes from this CPU; how much is missing cannot be known. */
static int give_rest(struct trace_reader *r, struct trace_item *item,
		     const struct in_stream *s)
{
	const struct gap gap = {
		.from_ns = s->last_ns, .to_ns = UINT64_MAX, .lost = 1, .cpu = s->cpu,
	};

	pop(r);
	return give_gap(r, item, &gap);
}

static int give_damage(struct trace_reader *r, const struct in_stream *s,
		       struct trace_error *err)
{
	char name[TRACE_NAME_BYTES];

	r->complete = false;
	trace_stream_name(name, s->cpu);
	return reader_fail(err, s->err, "%s/%s, packet at byte %llu: %s%s%s; what follows is lost",
			   r->path, name, (unsigned long long)s->scout_off, s->why,
			   s->err == -EBADMSG ? "" : ": ",
			   s->err == -EBADMSG ? "" : strerror(-s->err));
}

/* Returns 0 for a record that a newer version wrote. */
static int give_record(struct trace_reader *r, struct trace_item *item,
		       const struct ev_hdr *rec)
{
	if (!schema_find(rec->type)) {
		r->stats.unknown++;
		return 0;
	}
	if (rec->type == EV_STREAM_END && rec->len >= sizeof(struct ev_stream_end))
		r->stats.late += ((const struct ev_stream_end *)rec)->late;

	r->stats.records++;
	item->kind = TRACE_RECORD;
	item->rec = rec;
	return 1;
}

/* What the top of the heap says; 0 if it is nothing for the caller. */
static int give(struct trace_reader *r, struct trace_item *item, struct trace_error *err)
{
	const struct in_stream *s = r->heap[0].s;

	r->advance = is_live(s);
	switch (s->next) {
	case IN_RECORD:
		return give_record(r, item, s->rec);
	case IN_GAP:
		return give_gap(r, item, &s->gap);
	case IN_DAMAGE:
		return give_damage(r, s, err);
	case IN_CUT:
		return give_rest(r, item, s);
	case IN_ABRUPT:
		r->complete = false;
		/* Only if others go on: else the recording just ends here. */
		if (r->live)
			return give_rest(r, item, s);
		break;
	default:
		break;
	}
	pop(r);
	return 0;
}

int trace_next(struct trace_reader *r, struct trace_item *item, struct trace_error *err)
{
	int ret = 0;

	if (r->count && !r->started) {
		r->started = true;
		start(r);
	}

	while (!ret) {
		if (r->advance) {
			r->advance = false;
			advance(r, &r->heap[0]);
			sift_down(r, 0);
		}
		if (!r->heap_count)
			return 0;
		ret = give(r, item, err);
	}
	return ret;
}

const char *trace_env_get(const struct trace_reader *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->facts.count; i++) {
		if (!strcmp(r->facts.list[i].name, name))
			return r->facts.list[i].value;
	}
	return NULL;
}

int trace_complete(const struct trace_reader *r)
{
	return r->complete;
}

void trace_stats(const struct trace_reader *r, struct trace_stats *stats)
{
	size_t i;

	*stats = r->stats;
	stats->again = 0;
	for (i = 0; i < r->count; i++)
		stats->again += r->streams[i]->holes.again;
}
