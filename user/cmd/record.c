// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * record: live source -> trace directory, while a command runs or until a signal; then
 * the checkers over what was written. Nothing is written past the writer: what the
 * report says is what anybody finds in the file later.
 */
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/child.h"
#include "cmd/cmd.h"
#include "live/live.h"
#include "trace/trace.h"

enum { OPT_EXIT_STATUS = 256, OPT_RING_SIZE, OPT_DURATION };

static const struct argp_option option_table[] = {
	{ "output", 'o', "DIR", 0, "trace directory to make [iommuscope-DATE-TIME]", 0 },
	{ "device", 'd', "DEVICE", 0, "only this device and its domains: 0000:00:02.0 or a name", 0 },
	{ "pid", 'p', "PID", 0, "only what this process does itself (not interrupts)", 0 },
	{ "events", 'e', "KINDS", 0, "only these witnesses, of intent,action,flush", 0 },
	{ "duration", OPT_DURATION, "SECONDS", 0, "stop after this time", 0 },
	{ "ring-size", OPT_RING_SIZE, "BYTES", 0, "ring of each CPU, 4K or more [4M]", 0 },
	{ "exit-status", OPT_EXIT_STATUS, "OF", 0, "'check' (default), or 'cmd' for COMMAND's status", 0 },
	{ "json", 'j', NULL, 0, "the result as JSON, one object per line", 0 },
	{ "verbose", 'v', NULL, 0, "what libbpf and the kernel's verifier say", 0 },
	{ 0 },
};

struct options {
	struct live_options live;
	struct check_options check;
	const char *output;
	char **command;
	unsigned int duration_s;
	bool status_of_cmd;
};

struct recorder {
	const struct options *opt;
	struct trace_writer *writer;
	struct live *live;
	struct child child;
	int signal_fd;
	sigset_t old_mask;
	int write_err;		/* the first; recording goes on, what is lost is counted */
	uint64_t began_ns;
	uint64_t ticked_ns;
	uint64_t drained_ns;	/* when the rings were last known to be empty */
	bool stop;
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void parse_events(struct options *o, char *arg, struct argp_state *state)
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
	o->live.off = off;
}

static void parse_ring_size(struct options *o, const char *arg, struct argp_state *state)
{
	unsigned long long bytes;

	if (!parse_bytes(arg, &bytes) || bytes < 4096 || bytes > 1ULL << 30 || bytes & (bytes - 1))
		argp_error(state, "--ring-size '%s': a power of two from 4K to 1G", arg);
	o->live.ring_bytes = bytes;
}

static void parse_positive(const char *name, const char *arg, unsigned int *to,
			   struct argp_state *state)
{
	if (!parse_u32(arg, to) || !*to)
		argp_error(state, "--%s '%s': a number above 0", name, arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'o':
		o->output = arg;
		return 0;
	case 'd':
		o->live.device = arg;
		return 0;
	case 'p':
		parse_positive("pid", arg, &o->live.tgid, state);
		return 0;
	case 'e':
		parse_events(o, arg, state);
		return 0;
	case 'j':
		o->check.json = true;
		return 0;
	case 'v':
		o->live.verbose = true;
		return 0;
	case OPT_DURATION:
		parse_positive("duration", arg, &o->duration_s, state);
		return 0;
	case OPT_RING_SIZE:
		parse_ring_size(o, arg, state);
		return 0;
	case OPT_EXIT_STATUS:
		if (strcmp(arg, "cmd") && strcmp(arg, "check"))
			argp_error(state, "--exit-status is 'check' or 'cmd', not '%s'", arg);
		o->status_of_cmd = !strcmp(arg, "cmd");
		return 0;
	case ARGP_KEY_ARGS:
		o->command = state->argv + state->next;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* A full disk ends nothing: what is lost is counted, and said once. */
static void note_write(struct recorder *r, int err)
{
	if (!err || r->write_err)
		return;
	r->write_err = err;
	say_error("%s: %s; recording goes on, but events are lost from here", r->opt->output,
		  strerror(-err));
}

/* The sink of all records. */
static int write_record(void *arg, const struct ev_hdr *rec)
{
	struct recorder *r = arg;

	note_write(r, trace_write(r->writer, rec));
	return 0;
}

/* SIGINT and SIGTERM end the recording in order; a command is told too. */
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
 * While a command runs, Ctrl-C reaches it as well: the recording ends with it. A second
 * signal ends the recording anyway.
 */
static void on_signal(struct recorder *r, uint32_t signo)
{
	if (signo == SIGCHLD)
		return;
	if (child_running(&r->child) && !r->child.signalled) {
		if (signo != SIGINT)
			kill(r->child.pid, signo);
		r->child.signalled = true;
		return;
	}
	r->stop = true;
}

static void read_signals(struct recorder *r)
{
	struct signalfd_siginfo info;

	while (read(r->signal_fd, &info, sizeof(info)) == sizeof(info))
		on_signal(r, info.ssi_signo);
	if (r->opt->command && child_reap(&r->child))
		r->stop = true;
}

#define TICK_NS 1000000000ULL
#define POLL_MS 20

static int turn(struct recorder *r)
{
	struct pollfd fds[] = {
		{ .fd = live_fd(r->live), .events = POLLIN },
		{ .fd = r->signal_fd, .events = POLLIN },
	};
	uint64_t now;
	int n;

	poll(fds, 2, live_behind(r->live) ? 0 : POLL_MS);
	now = now_ns(CLOCK_MONOTONIC);	/* before the drain: trace_flush() builds on it */
	n = live_drain(r->live);
	if (n < 0)
		return n;
	if (!live_behind(r->live))
		r->drained_ns = now;
	read_signals(r);
	if (r->opt->duration_s && now - r->began_ns >= r->opt->duration_s * TICK_NS)
		r->stop = true;
	if (now - r->ticked_ns < TICK_NS)
		return 0;
	r->ticked_ns = now;
	n = live_tick(r->live);
	note_write(r, trace_flush(r->writer, r->drained_ns));
	return n;
}

static int run_command(struct recorder *r)
{
	int err;

	if (!r->opt->command)
		return 0;
	err = child_start(&r->child, r->opt->command);
	if (err)
		return say_error("%s: %s", r->opt->command[0], strerror(-err));
	live_mark(r->live, EV_MARK_CMD_BEGIN, r->child.pid);
	return 0;
}

/* Whatever happens, the rings are emptied and their counters read at the end. */
static int run(struct recorder *r)
{
	int err = live_start(r->live), status = 0;

	r->began_ns = now_ns(CLOCK_MONOTONIC);
	if (!live_reads_state(r->live))
		say_error("the IOMMU groups cannot be read on this kernel: who is attached to what stays unknown");
	if (err)
		status = say_error("cannot read the state of the IOMMU groups: %s", strerror(-err));
	else
		status = run_command(r);
	while (!r->stop && !status && !err)
		err = turn(r);
	if (r->child.ended)
		live_mark(r->live, EV_MARK_CMD_END, r->child.status);
	err = live_stop(r->live) ?: err;
	if (err && !status)
		status = say_error("recording ended early: %s", strerror(-err));
	return status;
}

static char *join(char **words)
{
	size_t len = 1;
	char **w, *text;

	for (w = words; w && *w; w++)
		len += strlen(*w) + 1;
	text = calloc(1, len);
	for (w = words; text && w && *w; w++) {
		strcat(text, *w);
		if (w[1])
			strcat(text, " ");
	}
	return text;
}

static int create(struct recorder *r)
{
	struct utsname uts;
	char *command = join(r->opt->command);
	struct trace_env env = {
		.version = VERSION,
		.command = r->opt->command ? command : NULL,
		.cpus = live_possible_cpus(),
		.clock_offset_ns = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_MONOTONIC),
	};
	int err;

	uname(&uts);
	env.kernel_release = uts.release;
	env.hostname = uts.nodename;
	err = trace_create(r->opt->output, &env, &r->writer);
	free(command);
	if (err == -EEXIST)
		return say_error("%s exists already: choose another directory with -o", r->opt->output);
	return err ? say_error("%s: %s", r->opt->output, strerror(-err)) : 0;
}

static void print_child(const struct recorder *r)
{
	const struct child *c = &r->child;

	fflush(stdout);
	if (child_running(c))
		fprintf(stderr, "%s (pid %d) is still running\n", r->opt->command[0], c->pid);
	else if (WIFSIGNALED(c->status))
		fprintf(stderr, "%s was killed by signal %d\n", r->opt->command[0], WTERMSIG(c->status));
	else
		fprintf(stderr, "%s ended with status %d\n", r->opt->command[0], WEXITSTATUS(c->status));
}

static int record(struct recorder *r)
{
	char text[256];
	int status;

	if (live_check(text, sizeof(text)) ||
	    live_open(&r->opt->live, write_record, r, &r->live, text, sizeof(text)))
		return say_error("%s", text);
	status = create(r);
	if (!status) {
		r->signal_fd = open_signals(&r->old_mask);
		status = r->signal_fd < 0 ? say_error("signalfd: %s", strerror(errno)) : run(r);
		note_write(r, trace_close(r->writer, live_lost(r->live), live_next(r->live)));
		read_signals(r);	/* who pressed Ctrl-C twice still wants the report */
		close(r->signal_fd);
		sigprocmask(SIG_SETMASK, &r->old_mask, NULL);
	}
	live_free(r->live);
	return status;
}

static int report(struct recorder *r)
{
	int status;

	if (r->opt->command)
		print_child(r);
	status = check_trace(r->opt->output, &r->opt->check);
	return status == EXIT_CLEAN && r->write_err ? EXIT_LOST : status;
}

static const char *default_output(void)
{
	static char name[64];
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(name, sizeof(name), "iommuscope-%Y%m%d-%H%M%S", &tm);
	return name;
}

/* A device behind an IOMMU, by its name in sysfs; 00:02.0 is short for 0000:00:02.0. */
static int check_device(struct options *o)
{
	static char longer[64];

	if (!o->live.device || live_has_device(o->live.device))
		return 0;
	snprintf(longer, sizeof(longer), "0000:%s", o->live.device);
	if (!live_has_device(longer))
		return say_error("%s: no such device in any IOMMU group (ls /sys/kernel/iommu_groups/*/devices)",
				 o->live.device);
	o->live.device = longer;
	return 0;
}

/* Said before the programs are loaded, which takes seconds. */
static int check_process(const struct options *o)
{
	if (!o->live.tgid || !kill(o->live.tgid, 0) || errno == EPERM)
		return 0;
	return say_error("there is no process %u", o->live.tgid);
}

/* trace_create() takes a new or an empty directory. */
static int check_output(const char *path)
{
	DIR *dir = opendir(path);
	unsigned int entries = 0;

	if (!dir)
		return errno == ENOENT ? 0 : say_error("%s: %s", path, strerror(errno));
	while (readdir(dir))
		entries++;
	closedir(dir);
	if (entries <= 2)
		return 0;
	return say_error("%s exists already: choose another directory with -o", path);
}

int cmd_record(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse,
		.args_doc = "[-- COMMAND...]",
		.doc = "Records I/O mapping events while COMMAND runs, or until Ctrl-C, and checks them.\v"
		       "Exit status: 0 clean, 1 findings, 2 wrong usage or could not run, 3 no findings, "
		       "but events were lost. COMMAND's status is printed and stored.",
	};
	struct options o = { .live.ring_bytes = 4 << 20 };
	struct recorder r = { .opt = &o };
	int status;

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &o);
	if (!o.output)
		o.output = default_output();
	status = check_device(&o);
	if (!status)
		status = check_process(&o);
	if (!status)
		status = check_output(o.output);
	if (!status)
		status = record(&r);
	if (!status)
		status = report(&r);
	if (!end_stdout())
		status = EXIT_ERROR;
	if (o.status_of_cmd && r.child.ended && status != EXIT_ERROR)
		return WIFEXITED(r.child.status) ? WEXITSTATUS(r.child.status) :
						   128 + WTERMSIG(r.child.status);
	return status;
}
