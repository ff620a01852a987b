// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "cmd/every.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "cmd/cmd.h"

#define S_NS 1000000000ULL

int every_open(struct every *e, const struct live_options *opt)
{
	char text[256];

	if (!e->seconds)
		return 0;
	e->look = (struct observe_options){ .device = opt->device, .group = -1, .traced = true };
	if (looker_new(&e->look, opt->verbose, &e->looker, text, sizeof(text)))
		return say_error("--verify-every: %s", text);
	if (opt->tgid || opt->off & EV_FILTER_ACTION)
		say_error("not all maps and unmaps are recorded: tables are compared with the kernel's books, not with the trace");
	return 0;
}

int every_fd(const struct every *e)
{
	return e->looker ? looker_fd(e->looker) : -1;
}

struct taking {
	struct live *live;
	int err;		/* of the session's sink */
};

static int take(void *arg, struct ev_hdr *rec)
{
	struct taking *t = arg;

	t->err = live_say(t->live, rec);
	return t->err;
}

/* It can look no more; what is heard goes on. */
static void give_up(struct every *e)
{
	say_error("who reads the page tables has died: they are not read any more");
	e->died = true;
	every_close(e);
}

static int take_all(struct every *e, struct live *live)
{
	struct taking t = { .live = live };
	bool was_busy = looker_busy(e->looker);
	int err = looker_take(e->looker, take, &t);

	if (t.err)
		return t.err;
	if (err == -EIO && !e->failed)
		say_error("the page tables could not all be read; they are tried again");
	e->failed |= err == -EIO;
	e->looks += !err && was_busy && !looker_busy(e->looker);
	if (err && err != -EIO)
		give_up(e);
	return 0;
}

static void begin(struct every *e, uint64_t now_ns)
{
	if (e->began_ns && now_ns - e->began_ns < e->seconds * S_NS)
		return;
	if (!looker_busy(e->looker)) {
		e->began_ns = now_ns;
		if (looker_start(e->looker))
			give_up(e);
	} else if (!e->slow) {
		e->slow = true;
		say_error("reading the page tables takes longer than %u s: the next reading begins when one has ended",
			  e->seconds);
	}
}

int every_turn(struct every *e, struct live *live, uint64_t now_ns)
{
	int err;

	if (!e->looker)
		return 0;
	err = take_all(e, live);
	if (!err && e->looker)
		begin(e, now_ns);
	return err;
}

int every_end(const struct every *e)
{
	if (!e->seconds)
		return EXIT_CLEAN;
	fprintf(stderr, "page tables were read %" PRIu64 " times%s\n", e->looks,
		e->looks == 1 ? ": nothing is compared with what was heard before the second time" : "");
	return e->died || !e->looks ? EXIT_LOST : EXIT_CLEAN;
}

void every_close(struct every *e)
{
	looker_free(e->looker);
	e->looker = NULL;
}
