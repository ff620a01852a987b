// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "live/settle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event.h"
#include "live/clock.h"

#define SPANS_MAX 4096		/* places that are read again; more: the last one takes the rest */
#define NEAR (1ULL << 21)	/* differences that are as near are one place */
#define TRIES 400
#define TRY_US 500
#define HOLDS 2			/* times that a difference must hold */
#define CALM_TRIES 100		/* for a moment without calls */
#define BUDGET_NS 20000000000ULL	/* of a domain; later each place has HOLDS tries */

/* ---- one reading ---- */

static int add_run(void *arg, const struct walk_run *run)
{
	return reading_add_run(arg, run);
}

struct adding {
	struct reading *r;
	enum book book;
	uint64_t first, last;
	bool unsure;		/* an area there is just changing */
};

static int add_area(void *arg, const struct peek_area *a)
{
	struct adding *add = arg;
	struct book_area area = {
		.first = a->first, .last = a->last, .paddr = AREA_PADDR_UNKNOWN,
		.vaddr = a->flags & PEEK_AREA_NO_VADDR ? 0 : a->vaddr, .prot = a->prot & 3,
		.tgid = a->tgid,
	};
	int err;

	add->unsure |= a->flags & PEEK_AREA_UNSURE;
	if (a->flags & (PEEK_AREA_EMPTY | PEEK_AREA_UNSURE))
		return 0;
	if (area.first < add->first) {
		if (area.vaddr)
			area.vaddr += add->first - area.first;
		area.first = add->first;
	}
	if (area.last > add->last)
		area.last = add->last;
	err = area.first <= area.last ? reading_add_area(add->r, add->book, &area) : 0;
	/* The tree was turned while it was read: what is missing now is read again. */
	return err == -EINVAL ? 0 : err;
}

/* Areas from a file, as far as they lie in [first, last]. */
static int add_expected(const struct reading *from, uint64_t first, uint64_t last,
			struct reading *r)
{
	size_t i;
	int err = 0;

	r->books |= 1U << BOOK_FILE;
	for (i = 0; i < from->nareas[BOOK_FILE] && !err; i++) {
		struct book_area a = from->areas[BOOK_FILE][i];

		if (a.last < first || a.first > last)
			continue;
		if (a.first < first) {
			a.paddr += a.paddr != AREA_PADDR_UNKNOWN ? first - a.first : 0;
			a.first = first;
		}
		if (a.last > last)
			a.last = last;
		err = reading_add_area(r, BOOK_FILE, &a);
	}
	return err;
}

/* *@busy: somebody is changing the book. */
static int read_books(struct peek *p, struct settled *s, uint64_t first, uint64_t last,
		      struct reading *r, bool *busy)
{
	struct adding add = { .r = r, .first = first, .last = last };
	struct peek_book ask = { .domain = s->domain.at.domain, .from = first, .to = last };
	int err = 0;

	*busy = false;
	if (s->expected)
		err = add_expected(s->expected, first, last, r);
	if (err)
		return err;
	if (peek_has_book(&s->owner)) {
		add.book = s->owner.kind == PEEK_OWNER_IOMMUFD ? BOOK_IOMMUFD : BOOK_VFIO;
		r->books |= 1U << add.book;
		err = peek_owned(p, &s->owner, &ask, add_area, &add);
		*busy = ask.busy || !ask.has_domain || add.unsure;
		err = err ?: process_read(p, &s->process, r);
	} else if (s->domain.at.cookie) {
		ask.book = s->domain.at.cookie;
		add.book = BOOK_IOVA;
		r->books |= 1U << BOOK_IOVA;
		err = peek_iovas(p, &ask, add_area, &add);
	}
	return err;
}

static int no_area(void *arg, const struct peek_area *area)
{
	(void)arg;
	(void)area;
	return 1;
}

static int book_busy(struct peek *p, const struct settled *s, bool *busy)
{
	struct peek_book ask = { .domain = s->domain.at.domain };
	int err;

	*busy = false;
	if (!peek_has_book(&s->owner))
		return 0;
	err = peek_owned(p, &s->owner, &ask, no_area, NULL);
	*busy = ask.busy || !ask.has_domain;
	return err < 0 ? err : 0;
}

static int read_table(struct peek *p, const struct settled *s, uint64_t first, uint64_t last,
		      struct reading *r, struct walk_count *count)
{
	struct walk_memory mem = peek_memory(p);

	return walk_range(&s->domain.table, &mem, first, last, 0, add_run, r, count);
}

/* Of the runs that were just read. 0; 1: not now; -errno. */
static int read_oracle(const struct settled *s, uint64_t first, uint64_t last, struct reading *r)
{
	return s->oracle ? oracle_read(s->oracle, &s->domain, first, last, r) : 0;
}

/* A second reading that could not be read each time is none. */
static void drop_oracle(struct settled *s)
{
	unsigned int book;

	for (book = 0; book < BOOK_COUNT; book++) {
		if (!book_is_oracle(book) || !s->oracle || s->oracle->books >> book & 1)
			continue;
		s->reading.nareas[book] = 0;
		s->reading.books &= ~(1U << book);
	}
}

/* Spans of the whole reading that matter in a part of it. */
static int copy_direct(struct reading *to, const struct reading *from)
{
	size_t i;
	int err = 0;

	for (i = 0; i < from->ndirect && !err; i++)
		err = reading_add_direct(to, from->direct[i].first, from->direct[i].last);
	return err;
}

/* ---- where both sides differ ---- */

struct places {
	struct read_span *spans;
	size_t count;
};

static int note_place(void *arg, const struct diff *d)
{
	struct places *at = arg;
	struct read_span *last = at->count ? &at->spans[at->count - 1] : NULL;

	if (last && (d->first - last->last <= NEAR || at->count == SPANS_MAX)) {
		last->first = d->first < last->first ? d->first : last->first;
		last->last = d->last > last->last ? d->last : last->last;
	} else {
		at->spans[at->count++] = (struct read_span){ d->first, d->last };
	}
	return 0;
}

static uint64_t differences(const struct reading *r, diff_fn fn, void *arg)
{
	struct compared c;
	uint64_t sum = 0;
	unsigned int book;

	for (book = 0; book < BOOK_COUNT; book++) {
		if (!(r->books >> book & 1))
			continue;
		reading_compare(r, book, fn, arg, &c);
		sum += c.diffs;
	}
	return sum;
}

/* ---- again, between two marks ---- */

/* Both are lists of @count areas, of which all bytes mean something. */
static bool same_areas(const struct reading *a, const struct reading *b, enum book book)
{
	return a->nareas[book] == b->nareas[book] &&
	       (!a->nareas[book] || !memcmp(a->areas[book], b->areas[book],
					    a->nareas[book] * sizeof(*a->areas[book])));
}

/*
 * Where the process has another page than the table: are there pins, and do slots, process and pages stay as they
 * were before the table was read? 1: yes; 0: no; -errno.
 */
static int process_still(struct peek *p, struct settled *s, const struct read_span *at,
			 struct reading *r)
{
	struct reading again = { 0 };
	struct compared c;
	bool busy;
	int err;

	if (reading_compare(r, BOOK_PROCESS, NULL, NULL, &c) || !c.diffs)
		return 1;
	err = read_books(p, s, at->first, at->last, &again, &busy);
	if (!err)
		err = !busy && same_areas(r, &again, reading_slots(r)) && same_areas(r, &again, BOOK_PROCESS);
	reading_drain(&again);
	return err <= 0 ? err : process_judge(p, r) ?: 1;
}

/* 1: read while all was still; 0: not; -errno. AMD-Vi's table may have grown: the root is read with the rest. */
static int read_still(struct peek *p, struct settled *s, const struct read_span *at,
		      struct reading *r, struct walk_count *count)
{
	const struct ops_keys keys = peek_keys(s->domain.at.domain, &s->owner);
	struct ops *ops = peek_ops(p);
	struct ops_mark before, after;
	bool busy;
	int err;

	reading_drain(r);
	if (!ops_mark(ops, &keys, &before)) {
		err = ops_lost(ops, &before) ? ops_watch(ops, &keys) : 0;
		return err;
	}
	err = copy_direct(r, &s->reading) ?:
	      host_domain(p, keys.domain, s->domain.at.kind, &s->domain) ?:
	      read_books(p, s, at->first, at->last, r, &busy);
	if (err || busy)
		return err;
	err = read_table(p, s, at->first, at->last, r, count);
	if (err == -EINVAL)
		return 0;	/* no such table: the domain is going */
	if (err)
		return err;
	err = process_still(p, s, at, r);
	if (err <= 0)
		return err;
	err = read_oracle(s, at->first, at->last, r);
	if (err)
		return err < 0 ? err : 0;
	err = book_busy(p, s, &busy);
	if (err || busy)
		return err;
	return ops_mark(ops, &keys, &after) && ops_same(&before, &after);
}

static int append(struct reading *to, const struct reading *from)
{
	unsigned int book;
	int err = 0;
	size_t i;

	for (i = 0; i < from->nruns && !err; i++)
		err = reading_add_run(to, &from->runs[i]);
	for (book = 0; book < BOOK_COUNT; book++)
		for (i = 0; i < from->nareas[book] && !err; i++)
			err = reading_add_area(to, book, &from->areas[book][i]);
	return err;
}

static int digest(void *arg, const struct diff *d)
{
	const uint64_t words[] = { d->first, d->last, (uint64_t)d->kind << 8 | d->book };
	uint64_t *sum = arg;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]) && d->book != BOOK_PROCESS; i++) {
		*sum = (*sum ^ words[i]) * 0x9e3779b97f4a7c15ULL;
		*sum ^= *sum >> 29;
	}
	return 0;
}

/* *@held: times in a row that @r differed as it does now; *@sum: where. false: it does not differ. */
static bool still_differs(const struct reading *r, int *held, uint64_t *sum)
{
	uint64_t now = 0;

	if (!differences(r, digest, &now))
		return false;
	*held = *held && now == *sum ? *held + 1 : 1;
	*sum = now;
	return true;
}

/*
 * Until it agrees, or differs HOLDS times in the same places while nothing moved. 1: it does; 0: never still.
 *
 * Why the same: no mark tells that the allocator's tree was turned while it was read (addresses are given back long
 * after the unmap), and an area that was not found then would be a difference, each time another one.
 */
static int settle_place(struct peek *p, struct settled *s, const struct read_span *at,
			uint64_t end_ns, struct reading *patch)
{
	struct walk_count count = { 0 };
	struct reading r = { 0 };
	bool agrees = false;
	int i, err = 0, held = 0;
	uint64_t sum = 0;

	for (i = 0; i < TRIES && (i < HOLDS || now_ns() <= end_ns); i++) {
		err = read_still(p, s, at, &r, &count);
		if (err > 0)
			agrees = !still_differs(&r, &held, &sum);
		if (err < 0 || agrees || held == HOLDS)
			break;
		usleep(TRY_US);
	}
	if (err >= 0)
		err = agrees || held == HOLDS ? append(patch, &r) ?: 1 : 0;
	reading_drain(&r);
	return err;
}

static int settle_places(struct peek *p, struct settled *s, struct places *at)
{
	uint64_t end_ns = now_ns() + BUDGET_NS;
	struct reading patch = { 0 };
	size_t i, settled = 0;
	int err = 0;

	for (i = 0; i < at->count && err >= 0; i++) {
		err = settle_place(p, s, &at->spans[i], end_ns, &patch);
		if (err > 0)
			at->spans[settled++] = at->spans[i];
		else if (!err)
			err = reading_add_flux(&s->reading, at->spans[i].first, at->spans[i].last);
	}
	if (err >= 0)
		err = reading_patch(&s->reading, at->spans, settled, &patch);
	reading_drain(&patch);
	return err;
}

static int read_all(struct peek *p, struct settled *s)
{
	struct places at = { 0 };
	bool busy;
	int err = read_books(p, s, 0, UINT64_MAX, &s->reading, &busy) ?:
		  read_table(p, s, 0, UINT64_MAX, &s->reading, &s->walked) ?:
		  read_oracle(s, 0, UINT64_MAX, &s->reading);

	if (err)
		return err;
	at.spans = calloc(SPANS_MAX, sizeof(*at.spans));
	if (!at.spans)
		return -ENOMEM;
	if (differences(&s->reading, note_place, &at)) {
		at.count = spans_order(at.spans, at.count);
		err = settle_places(p, s, &at);
	}
	free(at.spans);
	drop_oracle(s);
	return err < 0 ? err : 0;
}

/* Is there a moment in which no call that changes the table is under way? */
static void find_calm(struct peek *p, struct settled *s, const struct ops_keys *keys)
{
	struct ops_mark mark;
	int i;

	for (i = 0; i < CALM_TRIES && !(s->flags & EV_READ_CALM); i++) {
		if (ops_mark(peek_ops(p), keys, &mark))
			s->flags |= EV_READ_CALM;
		else
			usleep(TRY_US);
	}
}

int settle(struct peek *p, struct settled *s)
{
	const struct ops_keys keys = peek_keys(s->domain.at.domain, &s->owner);
	int err = ops_watch(peek_ops(p), &keys);

	if (!err && s->traced)
		find_calm(p, s, &keys);
	err = err ?: read_all(p, s);
	ops_unwatch(peek_ops(p), &keys);
	/* No such table, or out of order: the domain went while it was read, and its memory is another's. */
	if (s->walked.cut || err == -EINVAL)
		s->flags |= EV_READ_CUT;
	return err == -EINVAL ? 0 : err;
}
