// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A table of 24 pages that calls change while it is read, page by page, beside a recording that hears each call
 * when it returns, or loses it. What is found must have been changed behind the kernel's back; and a change
 * that stays must be found.
 *
 * SEEDS: how many worlds.
 */
#include "story_reading.h"

#define PAGES 24
#define CALLS 4
#define STEPS 400

/* A call: it begins, changes the table, and returns. */
struct call {
	bool on, done;
	bool maps;
	unsigned int page;
	uint64_t begin;
	uint64_t paddr;		/* of a map */
};

struct world {
	struct story s;
	uint64_t table[PAGES];		/* where each page leads; 0 nowhere */
	bool mapped[PAGES];		/* by calls that returned */
	bool tampered[PAGES];		/* since the last call */
	unsigned int mended[PAGES];	/* the reading in which a call did away with that */
	unsigned int readings;		/* begun */
	struct call calls[CALLS];
	unsigned int under_way;
	bool reading, calm;
	unsigned int at;		/* pages that this reading has read */
	uint64_t seen[PAGES];
	uint64_t told;			/* findings that were looked at */
	unsigned int frames;
	bool changes;			/* behind the kernel's back, all the time */
	uint64_t seed;
};

static uint64_t rnd_state;

static uint64_t rnd(uint64_t below)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return ((rnd_state * 0x2545f4914f6cdd1dULL) >> 16) % below;
}

static uint64_t iova_of(unsigned int page)
{
	return 0x100000 + page * PAGE;
}

/* ---- calls ---- */

static bool busy(const struct world *w, unsigned int page)
{
	unsigned int i;

	for (i = 0; i < CALLS; i++)
		if (w->calls[i].on && w->calls[i].page == page)
			return true;
	return false;
}

static void call_begins(struct world *w, struct call *c, unsigned int page)
{
	if (busy(w, page))
		return;
	*c = (struct call){ .on = true, .page = page, .maps = !w->mapped[page], .begin = w->s.now++ };
	w->under_way++;
}

static void call_works(struct world *w, struct call *c)
{
	c->done = true;
	w->table[c->page] = c->maps ? 0x40000000 + PAGE * 2 * w->frames++ : 0;
	c->paddr = w->table[c->page];
	if (w->tampered[c->page])
		w->mended[c->page] = w->readings;
	w->tampered[c->page] = false;
}

static void call_is_heard(struct world *w, const struct call *c)
{
	struct ev_map map = { .domain = DOM, .iova = iova_of(c->page), .size = PAGE,
			      .paddr = c->paddr, .prot = 3 };

	w->s.next.begin = c->begin;
	w->s.next.end = w->s.now;
	if (c->maps) {
		op_fill(&w->s, &map.op);
		SEND(&w->s, EV_MAP, map);
	} else {
		w->s.next.flags = EVF_FAST;
		unmap(&w->s, iova_of(c->page), PAGE);
	}
}

static void call_returns(struct world *w, struct call *c, bool lost)
{
	w->mapped[c->page] = c->maps;
	if (lost) {
		gap(&w->s, w->s.now, w->s.now + 1);
		w->s.now += 3;
	} else {
		call_is_heard(w, c);
	}
	c->on = false;
	w->under_way--;
}

static void step_call(struct world *w, unsigned int losses)
{
	struct call *c = &w->calls[rnd(CALLS)];

	if (!c->on)
		call_begins(w, c, rnd(PAGES));
	else if (!c->done)
		call_works(w, c);
	else
		call_returns(w, c, losses && !rnd(losses));
}

/* ---- readings ---- */

static void reading_begins(struct world *w)
{
	read_is(&w->s, DOM, EV_READ_BEGIN, 0, EV_READ_TRACED);
	w->reading = true;
	w->readings++;
	w->calm = false;
	w->at = 0;
}

static void reading_ends(struct world *w)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		if (w->seen[i])
			run_is(&w->s, DOM, iova_of(i), 1, w->seen[i], 3, WALK_LEAF);
	read_is(&w->s, DOM, EV_READ_END, 0, EV_READ_TRACED | (w->calm ? EV_READ_CALM : 0));
	w->reading = false;
}

static void step_reading(struct world *w)
{
	if (!w->reading) {
		reading_begins(w);
	} else if (w->at < PAGES) {
		w->seen[w->at] = w->table[w->at];
		w->at++;
	} else {
		reading_ends(w);
	}
}

static void whole_reading(struct world *w)
{
	do {
		step_reading(w);
		w->calm |= !w->under_way;
	} while (w->reading);
}

/* ---- what was found ---- */

static void look_at(const struct world *w, const struct finding *f)
{
	unsigned int first = (f->iova - iova_of(0)) / PAGE, last = (f->last - iova_of(0)) / PAGE, i;

	/* A kernel that maps over what it did not write is told, too. */
	if (strncmp(finding_name(f->id), "table-", 6) && w->changes)
		return;
	for (i = first; i <= last; i++)
		if (!w->tampered[i] && (!w->mended[i] || w->readings - w->mended[i] > 1))
			fail_msg("seed %llu: %s at page %u, which nobody changed",
				 (unsigned long long)w->seed, finding_name(f->id), i);
}

static void look_at_new(struct world *w)
{
	const struct report *rep = engine_report(w->s.e);
	const struct finding *f;
	uint64_t n = 0;

	for (f = report_next(rep, NULL); f; f = report_next(rep, f))
		if (++n > w->told)
			look_at(w, f);
	w->told = n;
}

static void tamper(struct world *w, unsigned int page)
{
	if (busy(w, page))
		return;
	w->table[page] = w->table[page] ? w->table[page] ^ PAGE : 0x80000000;
	w->tampered[page] = true;
}

/* Each world is one of calls and losses only, of changes too, or none of either. */
static void run_world(struct world *w, unsigned int losses, unsigned int tampers)
{
	unsigned int i;

	for (i = 0; i < STEPS; i++) {
		w->s.now++;
		if (rnd(3))
			step_reading(w);
		else
			step_call(w, losses);
		if (tampers && !rnd(tampers))
			tamper(w, rnd(PAGES));
		w->calm |= !w->under_way;
		look_at_new(w);
	}
}

static void come_to_rest(struct world *w)
{
	unsigned int i;

	for (i = 0; i < CALLS; i++) {
		if (!w->calls[i].on)
			continue;
		if (!w->calls[i].done)
			call_works(w, &w->calls[i]);
		call_returns(w, &w->calls[i], false);
	}
	while (w->reading)
		step_reading(w);
}

/* Two readings learn all; a change after them is found by the second reading behind it. */
static void must_find(struct world *w, unsigned int page)
{
	const struct finding *f, *found = NULL;

	whole_reading(w);
	whole_reading(w);
	look_at_new(w);
	tamper(w, page);
	whole_reading(w);
	whole_reading(w);
	for (f = report_next(engine_report(w->s.e), NULL); f; f = report_next(engine_report(w->s.e), f))
		if (f->iova <= iova_of(page) && f->last >= iova_of(page))
			found = f;
	if (!found)
		fail_msg("seed %llu: the change of page %u is not found",
			 (unsigned long long)w->seed, page);
	look_at_new(w);
}

static void world(uint64_t seed)
{
	struct world w = { .seed = seed, .changes = seed & 4 };

	rnd_state = seed * 0x9e3779b97f4a7c15ULL + 1;
	story_begin(&w.s);
	if (seed & 1)
		alloc_domain(&w.s, DOM);
	describe_domain(&w.s, DOM, DOMAIN_PAGING);
	run_world(&w, seed & 2 ? 20 : 0, w.changes ? 60 : 0);
	come_to_rest(&w);
	must_find(&w, rnd(PAGES));
	story_end(&w.s);
}

static void worlds(void **state)
{
	const char *seeds = getenv("SEEDS");
	uint64_t seed, count = seeds ? strtoull(seeds, NULL, 0) : 400;

	(void)state;
	for (seed = 1; seed <= count; seed++)
		world(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worlds),
	};

	return cmocka_run_group_tests_name("core.traced_random", tests, NULL, NULL);
}
