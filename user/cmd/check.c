// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* check: the engine over recorded traces. Needs no rights but to read them. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cmd/cmd.h"
#include "core/engine.h"
#include "out/out.h"
#include "out/stacks.h"
#include "trace/trace.h"

enum { OPT_FAIL_ON = 256 };

static const struct argp_option option_table[] = {
	{ "json", 'j', NULL, 0, "one JSON object per line: findings, devices, domains, summary", 0 },
	{ "stat", 's', NULL, 0, "also every device, and the hooks that were not heard", 0 },
	{ "fail-on", OPT_FAIL_ON, "IDS", 0, FAIL_ON_HELP, 0 },
	{ 0 },
};

struct options {
	struct check_options check;
	char **paths;
	int npaths;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'j':
		o->check.json = true;
		return 0;
	case 's':
		o->check.stat = true;
		return 0;
	case OPT_FAIL_ON:
		if (!parse_findings(arg, &o->check.fail_on))
			argp_error(state, "--fail-on '%s': ids of findings, as docs/findings.md has them", arg);
		return 0;
	case ARGP_KEY_ARGS:
		o->paths = state->argv + state->next;
		o->npaths = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which trace? Give the directory that 'iommuscope record' wrote");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Only a snapshot that was taken to its end has this behind it. */
static bool is_end_of_state(const struct ev_hdr *rec)
{
	return rec->type == EV_MARK && ((const struct ev_mark *)rec)->kind == EV_MARK_STATE;
}

/* All records through the engine. 0, or -errno when nothing sensible can be said. */
static int feed(struct trace_reader *r, struct engine *e, struct out_source *src)
{
	bool ended = !src->snapshot;
	struct trace_error error;
	struct trace_item item;
	int err = 0, got;

	while ((got = trace_next(r, &item, &error))) {
		if (got < 0) {
			say_error("%s", error.text);
			src->cut = true;
			continue;
		}
		if (item.kind == TRACE_GAP)
			err = engine_gap(e, &item.gap);
		else
			err = engine_feed(e, item.rec, ((const struct ev_hdr *)item.rec)->len);
		if (err == -ENOMEM)
			return err;
		ended |= item.kind == TRACE_RECORD && is_end_of_state(item.rec);
	}
	src->complete = ended && trace_complete(r);
	if (!src->complete)
		engine_cut(e);
	return engine_finish(e);
}

void print_finding(const struct out *o, const struct check_options *opt, const struct finding *f)
{
	if (opt->json)
		json_finding(o, f);
	else
		text_finding(o, f);
}

bool report_fails(const struct report *rep, uint64_t fail_on)
{
	const struct finding *f = NULL;

	if (report_count(rep, GRADE_VIOLATION))
		return true;
	while (fail_on && (f = report_next(rep, f))) {
		if (fail_on >> f->id & 1)
			return true;
	}
	return false;
}

static int verdict(const struct out *o, const struct check_options *opt)
{
	if (report_fails(o->report, opt->fail_on))
		return EXIT_FINDINGS;
	return out_lost(o) ? EXIT_LOST : EXIT_CLEAN;
}

int print_summary(const struct out *o, const struct check_options *opt)
{
	if (opt->json)
		json_summary(o);
	else
		text_summary(o, opt->stat);
	return verdict(o, opt);
}

void print_looks(const struct out *o, const struct check_options *opt)
{
	struct out_looks sum;

	if (!o->source->snapshot && !out_has_looks(o))
		return;
	if (opt->json)
		json_looks(o, &sum);
	else
		text_looks(o, &sum);
}

/* As verify does, where there is nothing but what verify sees. */
static int print_snapshot(const struct out *o, const struct check_options *opt)
{
	print_looks(o, opt);
	if (out_lost(o))
		say_error("%s: this snapshot is not whole: it was cut, or never finished", o->source->path);
	return verdict(o, opt);
}

static int print_all(const struct out *o, const struct check_options *opt)
{
	const struct finding *f = NULL;

	while ((f = report_next(o->report, f)))
		print_finding(o, opt, f);
	if (o->source->snapshot)
		return print_snapshot(o, opt);
	print_looks(o, opt);
	return print_summary(o, opt);
}

static void describe(const struct trace_reader *r, const char *path, struct out_source *src)
{
	struct trace_stats stats;
	const char *release = trace_env_get(r, "kernel_release");

	trace_stats(r, &stats);
	src->path = path;
	src->kernel_release = release ? release : "unknown";
	src->command = trace_env_get(r, "command");
	src->events = stats.records;
	src->lost = stats.lost;
	src->unknown = stats.unknown;
}

static bool is_snapshot(const struct trace_reader *r)
{
	const char *content = trace_env_get(r, "content");

	return content && !strcmp(content, TRACE_SNAPSHOT);
}

/* The trace once more, for the stacks of what was found; without them it is a poorer story. */
static struct stacks *read_stacks(const char *path, const struct report *rep)
{
	struct trace_reader *r = NULL;
	struct stacks *s = NULL;
	struct trace_error error;
	struct trace_item item;
	int got;

	if (!report_tally(rep)->records[EV_STACK] || !report_next(rep, NULL))
		return NULL;
	if (stacks_new(rep, &s) || trace_open(path, &r, &error))
		return s;
	while ((got = trace_next(r, &item, &error))) {
		if (got > 0 && item.kind != TRACE_GAP)
			stacks_take(s, item.rec);
	}
	trace_free(r);
	return s;
}

int check_trace(const char *path, const struct check_options *opt)
{
	struct out_source src = { 0 };
	struct trace_reader *r = NULL;
	struct stacks *stacks = NULL;
	struct engine *e = NULL;
	struct trace_error error;
	int status;

	if (trace_open(path, &r, &error))
		return say_error("%s", error.text);
	src.snapshot = is_snapshot(r);
	if (engine_new(&e) || feed(r, e, &src)) {
		status = say_error("%s: out of memory", path);
	} else {
		stacks = read_stacks(path, engine_report(e));
		struct out o = {
			.to = stdout,
			.engine = e,
			.model = engine_model(e),
			.report = engine_report(e),
			.source = &src,
			.stacks = stacks,
		};

		describe(r, path, &src);
		status = print_all(&o, opt);
	}
	stacks_free(stacks);
	engine_free(e);
	trace_free(r);
	return status;
}

/* Of several traces the gravest result: findings, then error, then losses. */
static int worse(int a, int b)
{
	static const int rank[] = {
		[EXIT_CLEAN] = 0, [EXIT_LOST] = 1, [EXIT_ERROR] = 2, [EXIT_FINDINGS] = 3,
	};

	return rank[a] > rank[b] ? a : b;
}

int cmd_check(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse,
		.args_doc = "TRACE...",
		.doc = "Runs the checkers over recorded traces and prints what they found.\v"
		       "Exit status: 0 clean, 1 findings, 2 wrong usage or unreadable, 3 no findings, "
		       "but events were lost.",
	};
	struct options o = { 0 };
	int i, status = EXIT_CLEAN;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	for (i = 0; i < o.npaths; i++)
		status = worse(status, check_trace(o.paths[i], &o.check));
	return end_stdout() ? status : EXIT_ERROR;
}
