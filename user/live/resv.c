// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The kernel has no event for reserved ranges (live/reserved.h). So a group is read when a device of it
 * is heard for the first time, or again after it left, or another one at its address; the reader
 * of the trace forgets what it knew at the same records (model_resv.c). What is read is a few
 * milliseconds younger than the event, and carries the time of the reading.
 */
#include "live/resv.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "live/reserved.h"

#define RANGES_MAX	102	/* as many as a page of text can hold */

/*
 * Rings are read one after the other: what one CPU says may be older than what another one said
 * just before. So who left stays here, and times decide.
 */
struct member {
	uint64_t dev;
	uint64_t seen_ns;	/* the newest record of it as a device */
	uint64_t left_ns;	/* 0: it is there */
	int32_t group;
	char name[32];
};

struct resv_reader {
	struct member *members;
	size_t n, room;
	int32_t *changed;	/* groups */
	size_t nchanged, changed_room;
};

struct resv_reader *resv_reader_new(void)
{
	return calloc(1, sizeof(struct resv_reader));
}

/* ---- who came, who went ---- */

/* Without memory a group stays unread, which is no more than ignorance. */
static void group_changed(struct resv_reader *r, int32_t group)
{
	size_t i;

	for (i = 0; i < r->nchanged; i++) {
		if (r->changed[i] == group)
			return;
	}
	if (r->nchanged == r->changed_room) {
		size_t room = r->changed_room * 2 + 16;
		int32_t *changed = realloc(r->changed, room * sizeof(*changed));

		if (!changed)
			return;
		r->changed = changed;
		r->changed_room = room;
	}
	r->changed[r->nchanged++] = group;
}

static struct member *member_find(const struct resv_reader *r, uint64_t dev)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		if (r->members[i].dev == dev)
			return &r->members[i];
	}
	return NULL;
}

static struct member *member_new(struct resv_reader *r)
{
	if (r->n == r->room) {
		size_t room = r->room * 2 + 64;
		struct member *members = realloc(r->members, room * sizeof(*members));

		if (!members)
			return NULL;
		r->members = members;
		r->room = room;
	}
	memset(&r->members[r->n], 0, sizeof(*r->members));
	return &r->members[r->n++];
}

static void hear_device(struct resv_reader *r, const struct ev_device *rec)
{
	struct member *m = member_find(r, rec->dev);
	bool known = m && !m->left_ns && m->group == rec->group &&
		     !memcmp(m->name, rec->name, sizeof(m->name));

	if (m && rec->h.time_ns <= m->left_ns)
		return;
	if (!m)
		m = member_new(r);
	if (m) {
		m->dev = rec->dev;
		m->group = rec->group;
		m->left_ns = 0;
		if (rec->h.time_ns > m->seen_ns)
			m->seen_ns = rec->h.time_ns;
		memcpy(m->name, rec->name, sizeof(m->name));
	}
	if (!known && rec->group >= 0)
		group_changed(r, rec->group);
}

static void hear_release(struct resv_reader *r, const struct ev_attach *rec)
{
	struct member *m = member_find(r, rec->dev);

	if (!m)
		m = member_new(r);
	if (m) {
		m->dev = rec->dev;
		if (rec->op.h.time_ns > m->seen_ns)
			m->left_ns = rec->op.h.time_ns;
	}
	if (rec->group >= 0)
		group_changed(r, rec->group);
}

void resv_reader_hear(struct resv_reader *r, const struct ev_hdr *rec)
{
	if (rec->type == EV_DEVICE)
		hear_device(r, (const struct ev_device *)rec);
	else if (rec->type == EV_ATTACH && !(rec->flags & EVF_STATE) &&
		 ((const struct ev_attach *)rec)->hook == HOOK_RELEASE)
		hear_release(r, (const struct ev_attach *)rec);
}

/* ---- what sysfs says ---- */

static uint32_t type_of(const char *word)
{
	static const char *const words[] = {
		[EV_RESV_DIRECT] = "direct",
		[EV_RESV_RELAXABLE] = "direct-relaxable",
		[EV_RESV_RESERVED] = "reserved",
		[EV_RESV_MSI] = "msi",
	};
	uint32_t type;

	for (type = 1; type < sizeof(words) / sizeof(words[0]); type++) {
		if (!strcmp(words[type], word))
			return type;
	}
	return EV_RESV_NONE;
}

struct group_ranges {
	struct ev_resv *recs;
	int n;
};

static int add_range(void *arg, const struct reserved *r)
{
	struct group_ranges *g = arg;
	uint32_t type = type_of(r->kind);

	if (!type || g->n == RANGES_MAX)
		return -EINVAL;
	g->recs[g->n++] = (struct ev_resv){ .first = r->first, .last = r->last, .type = type };
	return 0;
}

/* Return: number of ranges; -1 if they are not known. */
static int read_group(int32_t group, struct ev_resv *recs)
{
	struct group_ranges g = { .recs = recs };

	return reserved_read(group, add_range, &g) ? -1 : g.n;
}

static int tell_group(int32_t group, resv_say_fn say, void *arg)
{
	struct ev_resv recs[RANGES_MAX] = { { .type = EV_RESV_NONE } };
	int i, n = read_group(group, recs), err = 0;

	if (n < 0)
		return 0;
	for (i = 0; i < (n ? n : 1) && !err; i++) {
		recs[i].group = group;
		recs[i].index = i;
		recs[i].count = n;
		err = say(arg, &recs[i]);
	}
	return err;
}

int resv_reader_tell(struct resv_reader *r, resv_say_fn say, void *arg)
{
	int err = 0;

	while (r->nchanged && !err)
		err = tell_group(r->changed[--r->nchanged], say, arg);
	return err;
}

void resv_reader_free(struct resv_reader *r)
{
	if (!r)
		return;
	free(r->members);
	free(r->changed);
	free(r);
}
