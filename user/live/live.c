// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A recording in progress. Order matters: attach first and read the state afterwards,
 * so that nothing falls between; records of the state carry EVF_STATE, and a move
 * heard before the state was read wins over it.
 */
#include "live/live.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "live/areas.h"
#include "live/clock.h"
#include "live/loader.h"
#include "live/misses.h"
#include "live/resv.h"
#include "live/rings.h"

struct live {
	struct loader ld;
	struct rings *rings;
	struct resv_reader *resv;
	live_sink sink;
	void *arg;
	uint64_t user_seq;
	struct cpu_state *cpus;	/* shared with the programs */
	size_t cpus_bytes;
	uint64_t *lost, *next;
	uint64_t tick_ns;	/* when the counters were last read */
	uint64_t losses;	/* records lost and exits skipped, as last read */
	bool module_came;	/* since the pending rows were last tried */
	bool module_went;	/* its addresses may get other names */
	bool unbound;		/* a driver let go: where its device is must be read again */
	bool pending;
};

static int hand_over(void *arg, const struct ev_hdr *rec)
{
	struct live *l = arg;

	if (rec->type == EV_MODULE)
		l->module_came = l->module_went = true;
	else if (rec->type == EV_UNBIND)
		l->unbound = true;
	resv_reader_hear(l->resv, rec);
	return l->sink(l->arg, rec);
}

int live_say(struct live *l, struct ev_hdr *rec)
{
	rec->cpu = EV_CPU_USER;
	rec->time_ns = now_ns();
	rec->seq = l->user_seq++;
	return l->sink(l->arg, rec);
}

static int say(struct live *l, void *rec, uint16_t type, uint16_t len)
{
	struct ev_hdr *h = rec;

	h->type = type;
	h->len = len;
	h->flags = 0;
	return live_say(l, h);
}

static int say_mark(struct live *l, uint32_t kind, uint64_t value)
{
	struct ev_mark m = { .kind = kind, .value = value };

	return say(l, &m, EV_MARK, sizeof(m));
}

static int say_hook(struct live *l, unsigned int id)
{
	const struct live_hook *h = &l->ld.hooks[id].pub;
	struct ev_hook rec = { .hook = id, .state = h->state };

	memccpy(rec.name, hook_table[id].name, 0, sizeof(rec.name));
	memccpy(rec.function, h->function, 0, sizeof(rec.function));
	return say(l, &rec, EV_HOOK, sizeof(rec));
}

static int say_resv(void *arg, struct ev_resv *rec)
{
	return say(arg, rec, EV_RESV, sizeof(*rec));
}

static int say_hooks(struct live *l)
{
	unsigned int id;
	int err = 0;

	for (id = 0; id < HOOK_COUNT && !err; id++)
		err = say_hook(l, id);
	return err;
}

static int say_filters(struct live *l)
{
	uint64_t value = l->ld.opt.off;

	value |= l->ld.opt.device ? EV_FILTER_DEVICE : 0;
	value |= l->ld.opt.tgid ? EV_FILTER_PID : 0;
	return value ? say_mark(l, EV_MARK_FILTER, value) : 0;
}

static int say_area(void *arg, struct ev_area *area)
{
	return say(arg, area, EV_AREA, sizeof(*area));
}

static void note_pending(struct live *l)
{
	unsigned int id;

	l->pending = false;
	for (id = 0; id < HOOK_COUNT; id++)
		if (l->ld.hooks[id].pub.state == EV_HOOK_PENDING)
			l->pending = true;
}

static int map_counters(struct live *l)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *at;

	l->cpus_bytes = (l->ld.cpus * sizeof(*l->cpus) + page - 1) / page * page;
	at = mmap(NULL, l->cpus_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		  l->ld.map_fds[MAP_CPU_STATES], 0);
	if (at == MAP_FAILED)
		return -errno;
	l->cpus = at;
	return 0;
}

/*
 * Attaching and detaching take seconds, in which some hooks hear and others do not:
 * the programs write nothing then.
 */
static void listen_all(struct live *l, uint32_t yes)
{
	unsigned int cpu;

	for (cpu = 0; cpu < l->ld.cpus; cpu++)
		__atomic_store_n(&l->cpus[cpu].listening, yes, __ATOMIC_SEQ_CST);
}

static int counters_new(struct live *l)
{
	l->lost = calloc(l->ld.cpus, sizeof(*l->lost));
	l->next = calloc(l->ld.cpus, sizeof(*l->next));
	l->resv = resv_reader_new();
	return l->lost && l->next && l->resv ? 0 : -ENOMEM;
}

static int open_rings(struct live *l)
{
	const struct rings_at at = {
		.data_fd = l->ld.map_fds[MAP_RINGS],
		.wake_fd = l->ld.map_fds[MAP_WAKE],
		.cpus = l->cpus,
		.count = l->ld.cpus,
		.chunks_lg2 = l->ld.config.chunks_lg2,
	};

	return rings_new(&at, hand_over, l, &l->rings);
}

int live_open(const struct live_options *opt, live_sink sink, void *arg, struct live **out,
	      char *text, size_t len)
{
	struct live *l = calloc(1, sizeof(*l));
	int err;

	snprintf(text, len, "out of memory");
	if (!l)
		return -ENOMEM;
	l->sink = sink;
	l->arg = arg;
	err = loader_init(&l->ld, opt);
	if (!err)
		err = counters_new(l);
	if (!err)
		err = loader_load_all(&l->ld);
	if (!err)
		err = map_counters(l);
	if (!err)
		err = open_rings(l);
	if (err) {
		if (l->ld.symbolless)
			live_missing_symbol(text, len);
		else
			live_cannot_load("the programs", err, text, len);
		live_free(l);
		return err;
	}
	note_pending(l);
	*out = l;
	return 0;
}

#define STATE_TRIES 8	/* a group may be busy, or go away under the walk and end it */
#define STATE_WAIT_US 2000

static int read_state(struct live *l)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int i;

	for (i = 0; i < STATE_TRIES && l->ld.state_read; i++) {
		if (bpf_prog_test_run_opts(bpf_program__fd(l->ld.state_read), &opts))
			return -errno;
		if (!opts.retval)
			return 0;
		usleep(STATE_WAIT_US);
	}
	return l->ld.state_read ? -EAGAIN : 0;
}

bool live_reads_state(const struct live *l)
{
	return l->ld.state_read;
}

/* All that may have made the reader unsure of who is attached where. */
static uint64_t losses_now(const struct live *l)
{
	uint64_t losses = misses_sum(&l->ld);
	unsigned int i;

	for (i = 0; i < l->ld.cpus; i++)
		losses += l->cpus[i].lost;
	return losses;
}

int live_start(struct live *l)
{
	int err;

	misses_forget(&l->ld);
	l->losses = losses_now(l);
	listen_all(l, 1);
	l->tick_ns = now_ns();
	err = say_hooks(l);
	if (!err)
		err = say_filters(l);
	if (!err)
		err = say_mark(l, EV_MARK_ATTACHED, 0);
	if (!err)
		err = areas_read(say_area, l);
	if (!err)
		err = read_state(l);
	if (err == -EAGAIN) {
		l->unbound = true;	/* the rest at the next tick */
		err = 0;
	}
	if (!err)
		err = live_drain(l) < 0 ? -EIO : 0;
	return err ?: say_mark(l, EV_MARK_STATE, 0);
}

int live_fd(const struct live *l)
{
	return rings_fd(l->rings);
}

/* A module that came may bring functions that a row waits for. */
static int try_pending(struct live *l)
{
	bool came[HOOK_COUNT] = { false }, any = false;
	unsigned int id;
	int err;

	l->module_came = false;
	for (id = 0; id < HOOK_COUNT; id++) {
		struct live_hook *h = &l->ld.hooks[id].pub;

		came[id] = h->state == EV_HOOK_PENDING && loader_module_live(hook_table[id].module);
		any |= came[id];
		if (came[id])
			h->state = EV_HOOK_HEARD;
	}
	if (!any)
		return 0;
	err = loader_load(&l->ld);
	for (id = 0; id < HOOK_COUNT && err; id++)
		if (came[id])
			loader_refuse(&l->ld.hooks[id], err);
	for (id = 0, err = 0; id < HOOK_COUNT && err >= 0; id++) {
		if (!came[id])
			continue;
		loader_attach_row(&l->ld, id);
		err = rings_drain(l->rings, now_ns());	/* each may take a second */
	}
	note_pending(l);
	for (id = 0; id < HOOK_COUNT && err >= 0; id++)
		if (came[id])
			err = say_hook(l, id);
	return err < 0 ? err : 0;
}

uint64_t live_complete_ns(const struct live *l)
{
	return rings_complete_ns(l->rings);
}

bool live_behind(const struct live *l)
{
	return rings_behind(l->rings);
}

int live_drain(struct live *l)
{
	int n = rings_drain(l->rings, now_ns());
	int err = n >= 0 && l->pending && l->module_came ? try_pending(l) : 0;

	if (n >= 0 && !err)
		err = resv_reader_tell(l->resv, say_resv, l);
	return err ?: n;
}

/* A CPU that has nothing more to say would leave its gap open. */
static int end_gaps(struct live *l)
{
	int err = rings_drain(l->rings, now_ns());

	if (err >= 0)
		gaps_end(&l->ld);
	return err < 0 ? err : 0;
}

/*
 * After a loss the state is read again: what is attached is known anew from there. What
 * the walk itself loses does not start another; one that was not complete is tried again
 * at the next tick.
 */
static int heal(struct live *l)
{
	uint64_t before;
	int err;

	if (losses_now(l) == l->losses && !l->unbound)
		return 0;
	err = end_gaps(l);
	before = losses_now(l);
	l->unbound = !err && read_state(l);
	if (err || l->unbound)
		return err;
	l->losses = losses_now(l);
	return l->losses != before ? end_gaps(l) : 0;
}

static int say_missed(struct live *l, unsigned int id, uint64_t now, uint64_t *last, bool entry)
{
	struct ev_missed rec = {
		.from_ns = l->tick_ns,
		.hook = id,
		.entry = entry,
		.delta = now - *last,
		.total = now,
	};

	if (now == *last)
		return 0;
	*last = now;
	return say(l, &rec, EV_MISSED, sizeof(rec));
}

int live_tick(struct live *l)
{
	uint64_t began = now_ns();
	unsigned int id;
	int err = 0;

	for (id = 0; id < HOOK_COUNT && !err; id++) {
		struct hook_run *run = &l->ld.hooks[id];

		if (run->pub.state != EV_HOOK_HEARD)
			continue;
		/* Where there is no exit program, the entry program writes the record. */
		err = say_missed(l, id, misses_of(run->entry), &run->entry_missed,
				 hook_table[id].exit);
		if (!err)
			err = say_missed(l, id, misses_of(run->exit), &run->exit_missed, false);
	}
	l->tick_ns = began;
	if (l->module_went)
		loader_forget_symbols(&l->ld);
	l->module_went = false;
	if (l->pending)
		l->module_came = true;	/* a module may have been slow to become live */
	if (!err)
		err = heal(l);
	return err ?: say_mark(l, EV_MARK_TICK, began);
}

static void read_counters(struct live *l)
{
	unsigned int cpu;

	for (cpu = 0; cpu < l->ld.cpus; cpu++) {
		l->lost[cpu] = l->cpus[cpu].lost;
		l->next[cpu] = l->cpus[cpu].seq;
	}
}

/* Calls without a frame, as if their entry had been skipped: begin and cause are lost. */
static int say_frameless(struct live *l)
{
	uint64_t total = 0, before = 0;
	unsigned int cpu;

	for (cpu = 0; cpu < l->ld.cpus; cpu++)
		total += l->cpus[cpu].no_scope + l->cpus[cpu].overflow;
	return say_missed(l, HOOK_NONE, total, &before, true);
}

/*
 * No program runs any more that began while we listened: they run under rcu_read_lock(), and the
 * barrier is a synchronize_rcu() (kernel/sched/membarrier.c), but not with nohz_full= nor with one
 * processor. Taking the programs off waits as well, but for seconds, and else that has time until the
 * trace is closed.
 */
static void end_programs(struct live *l)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) == 1 ||
	    syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		loader_detach(&l->ld);
}

int live_stop(struct live *l)
{
	int err = say_mark(l, EV_MARK_STOP, 0);
	int n;

	if (!err)
		err = live_tick(l);
	if (!err)
		err = say_frameless(l);
	listen_all(l, 0);
	end_programs(l);
	n = rings_drain_last(l->rings);
	read_counters(l);
	if (!err && n < 0)
		err = n;
	return err;
}

unsigned int live_possible_cpus(void)
{
	int cpus = libbpf_num_possible_cpus();

	return cpus > 0 ? cpus : 1;
}

int live_mark(struct live *l, uint32_t kind, uint64_t value)
{
	return say_mark(l, kind, value);
}

const uint64_t *live_lost(const struct live *l)
{
	return l->lost;
}

const uint64_t *live_next(const struct live *l)
{
	return l->next;
}

const struct live_hook *live_hook(const struct live *l, unsigned int id)
{
	return &l->ld.hooks[id].pub;
}

void live_free(struct live *l)
{
	if (!l)
		return;
	loader_free(&l->ld);
	rings_free(l->rings);
	if (l->cpus)
		munmap(l->cpus, l->cpus_bytes);
	resv_reader_free(l->resv);
	free(l->lost);
	free(l->next);
	free(l);
}
