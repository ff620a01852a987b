// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "cmd/session.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/cmd.h"

enum { OPT_EXIT_STATUS = 512, OPT_RING_SIZE, OPT_DURATION, OPT_DMA_DEBUG, OPT_VERIFY_EVERY };

static const struct argp_option option_table[] = {
	{ "device", 'd', "DEVICE", 0, "only this device and its domains: 0000:00:02.0 or a name", 0 },
	{ "pid", 'p', "PID", 0, "only what this process does itself (not interrupts)", 0 },
	{ "events", 'e', "KINDS", 0, "only these witnesses, of intent,action,flush", 0 },
	{ "dma-debug", OPT_DMA_DEBUG, NULL, 0, "what of the DMA API costs more: limits of scatterlists, and before Linux 6.10 each sync", 0 },
	{ "duration", OPT_DURATION, "SECONDS", 0, "stop after this time", 0 },
	{ "verify-every", OPT_VERIFY_EVERY, "SECONDS", 0, "read the page tables as often, and compare them with what was heard and with the kernel's books", 0 },
	{ "ring-size", OPT_RING_SIZE, "BYTES", 0, "ring of each CPU, 4K or more [4M]", 0 },
	{ "exit-status", OPT_EXIT_STATUS, "OF", 0, "'check' (default), or 'cmd' for COMMAND's status", 0 },
	{ "verbose", 'v', NULL, 0, "what libbpf and the kernel's verifier say", 0 },
	{ 0 },
};

uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* ---- options ---- */

static void parse_events(struct session *s, char *arg, struct argp_state *state)
{
	static const struct {
		const char *name;
		uint32_t off;
	} kinds[] = {
		{ "intent", EV_FILTER_INTENT },
		{ "action", EV_FILTER_ACTION },
		{ "flush", EV_FILTER_FLUSH },
	};
	uint32_t off = EV_FILTER_INTENT | EV_FILTER_ACTION | EV_FILTER_FLUSH;
	char *word, *save = NULL;
	size_t i;

	for (word = strtok_r(arg, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		for (i = 0; i < 3 && strcmp(word, kinds[i].name); i++)
			;
		if (i == 3)
			argp_error(state, "no such kind of event: '%s' (intent, action, flush)", word);
		else
			off &= ~kinds[i].off;
	}
	if (off == (EV_FILTER_INTENT | EV_FILTER_ACTION | EV_FILTER_FLUSH))
		argp_error(state, "--events names no kind (intent, action, flush)");
	s->opt.off = off;
}

static void parse_ring_size(struct session *s, const char *arg, struct argp_state *state)
{
	unsigned long long bytes;

	if (!parse_bytes(arg, &bytes) || bytes < 4096 || bytes > 1ULL << 30 || bytes & (bytes - 1))
		argp_error(state, "--ring-size '%s': a power of two from 4K to 1G", arg);
	s->opt.ring_bytes = bytes;
}

static void parse_positive(const char *name, const char *arg, unsigned int *to,
			   struct argp_state *state)
{
	if (!parse_u32(arg, to) || !*to)
		argp_error(state, "--%s '%s': a whole number above 0", name, arg);
}

static void parse_every(struct session *s, const char *arg, struct argp_state *state)
{
	parse_positive("verify-every", arg, &s->every.seconds, state);
	if (s->every.seconds > EVERY_MAX_S)
		argp_error(state, "--verify-every '%s': seconds, from 1 to %d", arg, EVERY_MAX_S);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct session *s = state->input;

	switch (key) {
	case 'd':
		s->opt.device = arg;
		return 0;
	case 'p':
		parse_positive("pid", arg, &s->opt.tgid, state);
		return 0;
	case 'e':
		parse_events(s, arg, state);
		return 0;
	case 'v':
		s->opt.verbose = true;
		return 0;
	case OPT_DMA_DEBUG:
		s->opt.dma_debug = true;
		return 0;
	case OPT_DURATION:
		parse_positive("duration", arg, &s->duration_s, state);
		return 0;
	case OPT_VERIFY_EVERY:
		parse_every(s, arg, state);
		return 0;
	case OPT_RING_SIZE:
		parse_ring_size(s, arg, state);
		return 0;
	case OPT_EXIT_STATUS:
		if (strcmp(arg, "cmd") && strcmp(arg, "check"))
			argp_error(state, "--exit-status is 'check' or 'cmd', not '%s'", arg);
		s->status_of_cmd = !strcmp(arg, "cmd");
		return 0;
	case ARGP_KEY_ARGS:
		s->command = state->argv + state->next;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp session_argp = { .options = option_table, .parser = parse };

int session_find_device(const char **name)
{
	static char longer[64];

	if (!*name || live_has_device(*name))
		return 0;
	snprintf(longer, sizeof(longer), "0000:%s", *name);
	if (!live_has_device(longer))
		return say_error("%s: no such device in any IOMMU group (ls /sys/kernel/iommu_groups/*/devices)",
				 *name);
	*name = longer;
	return 0;
}

/* Said before the programs are loaded, which takes seconds. */
static int check_process(const struct session *s)
{
	if (!s->opt.tgid || !kill(s->opt.tgid, 0) || errno == EPERM)
		return 0;
	return say_error("there is no process %u", s->opt.tgid);
}

int session_check(struct session *s)
{
	return session_find_device(&s->opt.device) ?: check_process(s);
}

/* ---- listening ---- */

int session_open(struct session *s)
{
	char text[256];

	if (live_check(text, sizeof(text)))
		return say_error("%s", text);
	if (every_open(&s->every, &s->opt))
		return EXIT_ERROR;
	if (live_open(&s->opt, s->sink, s->arg, &s->live, text, sizeof(text)))
		return say_error("%s", text);
	return 0;
}

/* SIGINT and SIGTERM end the session in order; a command is told too. */
static int open_signals(sigset_t *old_mask)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, old_mask);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/*
 * While a command runs, Ctrl-C reaches it as well: the session ends with it. A second
 * signal ends the session anyway.
 */
static void on_signal(struct session *s, uint32_t signo)
{
	if (signo == SIGCHLD)
		return;
	if (child_running(&s->child) && !s->child.signalled) {
		if (signo != SIGINT)
			kill(s->child.pid, signo);
		s->child.signalled = true;
		return;
	}
	s->stop = true;
}

static void read_signals(struct session *s)
{
	struct signalfd_siginfo info;

	while (read(s->signal_fd, &info, sizeof(info)) == sizeof(info))
		on_signal(s, info.ssi_signo);
	if (s->command && child_reap(&s->child))
		s->stop = true;
}

#define TICK_NS 1000000000ULL
#define POLL_MS 20

static int tick(struct session *s, uint64_t now_ns)
{
	int err;

	if (now_ns - s->ticked_ns < TICK_NS)
		return 0;
	s->ticked_ns = now_ns;
	err = live_tick(s->live);
	if (!err && s->ticked)
		err = s->ticked(s->arg, s->drained_ns);
	return err;
}

static int turn(struct session *s)
{
	struct pollfd fds[] = {
		{ .fd = live_fd(s->live), .events = POLLIN },
		{ .fd = s->signal_fd, .events = POLLIN },
		{ .fd = every_fd(&s->every), .events = POLLIN },
	};
	uint64_t now_ns;
	int n;

	poll(fds, 3, live_behind(s->live) ? 0 : POLL_MS);
	now_ns = clock_ns(CLOCK_MONOTONIC);
	n = live_drain(s->live);
	if (n >= 0)
		n = every_turn(&s->every, s->live, now_ns);
	if (n < 0)
		return n;
	if (live_complete_ns(s->live) > s->drained_ns) {
		s->drained_ns = live_complete_ns(s->live);
		n = s->turned ? s->turned(s->arg, s->drained_ns) : 0;
		if (n < 0)
			return n;
	}
	read_signals(s);
	if (s->duration_s && now_ns - s->began_ns >= s->duration_s * TICK_NS)
		s->stop = true;
	return tick(s, now_ns);
}

static int run_command(struct session *s)
{
	int err;

	if (!s->command)
		return 0;
	err = child_start(&s->child, s->command);
	if (err)
		return say_error("%s: %s", s->command[0], strerror(-err));
	live_mark(s->live, EV_MARK_CMD_BEGIN, s->child.pid);
	return 0;
}

static int begin(struct session *s)
{
	if (s->greeting)
		fprintf(stderr, "%s\n", s->greeting);
	return run_command(s);
}

static int listen_on(struct session *s)
{
	int err = live_start(s->live), status;

	s->began_ns = clock_ns(CLOCK_MONOTONIC);
	if (!live_reads_state(s->live))
		say_error("the IOMMU groups cannot be read on this kernel: who is attached to what stays unknown");
	if (err)
		status = say_error("cannot read the state of the IOMMU groups: %s", strerror(-err));
	else
		status = begin(s);
	while (!s->stop && !status && !err)
		err = turn(s);
	every_close(&s->every);
	if (s->child.ended)
		live_mark(s->live, EV_MARK_CMD_END, s->child.status);
	err = live_stop(s->live) ?: err;
	if (err && !status)
		status = say_error("recording ended early: %s", strerror(-err));
	return status;
}

int session_run(struct session *s)
{
	s->signal_fd = open_signals(&s->old_mask);
	if (s->signal_fd < 0)
		return say_error("signalfd: %s", strerror(errno));
	return listen_on(s);
}

/* Who pressed Ctrl-C twice still wants the report. */
void session_end(struct session *s)
{
	if (s->signal_fd > 0) {
		read_signals(s);
		close(s->signal_fd);
		sigprocmask(SIG_SETMASK, &s->old_mask, NULL);
	}
	every_close(&s->every);
	live_free(s->live);
	s->live = NULL;
}

int session_status(const struct session *s, int status)
{
	int every = every_end(&s->every);

	if (status == EXIT_CLEAN)
		status = every;
	if (!s->status_of_cmd || !s->child.ended || status == EXIT_ERROR)
		return status;
	return WIFEXITED(s->child.status) ? WEXITSTATUS(s->child.status) :
					    128 + WTERMSIG(s->child.status);
}

void session_print_child(const struct session *s)
{
	const struct child *c = &s->child;

	if (!s->command)
		return;
	fflush(stdout);
	if (child_running(c))
		fprintf(stderr, "%s (pid %d) is still running\n", s->command[0], c->pid);
	else if (WIFSIGNALED(c->status))
		fprintf(stderr, "%s was killed by signal %d\n", s->command[0], WTERMSIG(c->status));
	else
		fprintf(stderr, "%s ended with status %d\n", s->command[0], WEXITSTATUS(c->status));
}
