// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * snapshot: one look at the page tables in use, as a trace. What verify judges at once is written, for
 * 'check' and 'diff', here or elsewhere.
 *
 * Invariants
 * - The directory is made with the first device: who asked for something that is not there gets none.
 * - The mark behind the last record is written only if nothing is missing: without it a reader knows that
 *   the snapshot is not whole.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd/cmd.h"
#include "cmd/output.h"
#include "cmd/session.h"
#include "live/live.h"
#include "live/observe.h"

#define FLUSH_EVERY_NS 1000000000ULL

enum { OPT_ALL = 256 };

static const struct argp_option option_table[] = {
	{ "output", 'o', "DIR", 0, "directory to make [iommuscope-DATE-TIME]", 0 },
	{ "all", OPT_ALL, NULL, 0, "every domain that a device is in: the default", 0 },
	{ "device", 'd', "DEVICE", 0, "the domain of this device (0000:00:02.0)", 0 },
	{ "group", 'g', "GROUP", 0, "the domain of this IOMMU group", 0 },
	{ "verbose", 'v', NULL, 0, "what libbpf and the verifier say, on stderr", 0 },
	{ 0 },
};

struct options {
	struct observe_options look;
	const char *output;
	bool all;
	bool verbose;
};

/* What was written. */
struct taking {
	const struct options *o;
	struct trace_writer *writer;
	struct ev_mark first;	/* waits for the directory */
	struct ev_mark last;	/* waits for it to be true */
	uint64_t devices, domains, tables, runs, areas;
	uint64_t flushed_ns;
	bool said;		/* why it failed */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'o':
		o->output = arg;
		return 0;
	case OPT_ALL:
		o->all = true;
		return 0;
	case 'd':
		o->look.device = arg;
		return 0;
	case 'g':
		if (!parse_group(arg, &o->look.group))
			argp_error(state, "--group '%s': the number of an IOMMU group", arg);
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "what is '%s'? snapshot takes options only", arg);
		return 0;
	case ARGP_KEY_END:
		if (o->all && (o->look.device || o->look.group >= 0))
			argp_error(state, "--all, or one device, or one group?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- writing ---- */

static int create(struct taking *t)
{
	struct trace_env env = { .content = TRACE_SNAPSHOT };
	const struct options *o = t->o;
	char scope[96] = "all";

	if (o->look.device)
		snprintf(scope, sizeof(scope), "device %s", o->look.device);
	else if (o->look.group >= 0)
		snprintf(scope, sizeof(scope), "group %d", o->look.group);
	env.scope = scope;
	t->said = output_create(o->output, &env, &t->writer);
	return t->said ? -EIO : trace_write(t->writer, &t->first);
}

static void count(struct taking *t, const struct ev_hdr *rec)
{
	const struct ev_read *read = (const void *)rec;

	t->devices += rec->type == EV_DEVICE;
	t->domains += rec->type == EV_DOMAIN;
	t->runs += rec->type == EV_RUN;
	t->areas += rec->type == EV_BOOK;
	if (rec->type == EV_READ && read->phase == EV_READ_END && !(read->flags & EV_READ_NO_TABLE))
		t->tables++;
}

/* A snapshot whose writer is killed ends where it was last flushed. */
static int flush(struct taking *t, uint64_t now_ns)
{
	if (now_ns - t->flushed_ns < FLUSH_EVERY_NS)
		return 0;
	t->flushed_ns = now_ns;
	return trace_flush(t->writer, now_ns);
}

/* The sink of all records. */
static int write_record(void *arg, const struct ev_hdr *rec)
{
	struct taking *t = arg;

	if (rec->type == EV_MARK) {
		const struct ev_mark *mark = (const void *)rec;

		*(mark->kind == EV_MARK_STATE ? &t->last : &t->first) = *mark;
		return 0;
	}
	count(t, rec);
	return (t->writer ? 0 : create(t)) ?: trace_write(t->writer, rec) ?: flush(t, rec->time_ns);
}

/* ---- the whole ---- */

static int say_failure(const struct taking *t, const char *what, int err)
{
	if (t->said)
		return EXIT_ERROR;
	return say_error("%s: %s%s", what, strerror(-err),
			 t->writer ? "; the snapshot is not whole" : "");
}

static void say_result(const struct taking *t)
{
	printf("%s: %" PRIu64 " devices, %" PRIu64 " domains, %" PRIu64 " tables of %" PRIu64
	       " runs, %" PRIu64 " areas of books\n",
	       t->o->output, t->devices, t->domains, t->tables, t->runs, t->areas);
}

static int take(const struct options *o, struct peek *p)
{
	struct taking t = { .o = o };
	size_t seen = 0;
	int again = 0, write_err, err = observe(p, &o->look, write_record, &t, &seen);

	if (err == -EAGAIN) {
		again = err;
		err = 0;
	}
	if (!err && !again && t.writer)
		err = trace_write(t.writer, &t.last);
	write_err = trace_close(t.writer, NULL, NULL);
	if (err || write_err)
		return say_failure(&t, write_err ? o->output : "cannot read the page tables",
				   write_err ? write_err : err);
	if (!seen)
		return say_nothing_seen(o->look.device, o->look.group);
	say_result(&t);
	if (!again)
		return EXIT_CLEAN;
	say_error("some IOMMU groups were being changed all the time: the snapshot is not whole");
	return EXIT_LOST;
}

int cmd_snapshot(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse,
		.doc = "Writes one look at the page tables in use, with what the kernel keeps of who asked for what, "
		       "into a trace directory: for check and diff. Nothing is changed.\v"
		       "Exit status: 0 taken, 2 wrong usage or could not run, 3 taken, but not all could be read.",
	};
	struct options o = { .look.group = -1 };
	struct peek *p = NULL;
	char text[256];
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (!o.output)
		o.output = output_default();
	status = session_find_device(&o.look.device) ?: output_check(o.output);
	if (status)
		return status;
	signal(SIGXFSZ, SIG_IGN);
	if (live_check(text, sizeof(text)) || peek_open(true, o.verbose, &p, text, sizeof(text)))
		return say_error("%s", text);
	status = take(&o, p);
	peek_free(p);
	return end_stdout() ? status : EXIT_ERROR;
}
