// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * live: live source -> merge -> engine; a finding is printed when it can be trusted. Nothing
 * is written.
 *
 * The kernel's counters of skipped programs are read once a second, and what they say may
 * take a finding back, as may a record that came late. So a finding waits for the second
 * reading after it.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "cmd/cmd.h"
#include "cmd/session.h"
#include "core/engine.h"
#include "out/out.h"
#include "trace/merge.h"

enum { OPT_FAIL_ON = 256 };

static const struct argp_option option_table[] = {
	{ "json", 'j', NULL, 0, "JSON, one object per line", 0 },
	{ "fail-on", OPT_FAIL_ON, "IDS", 0, FAIL_ON_HELP, 0 },
	{ 0 },
};

struct watcher {
	struct session session;
	struct check_options check;
	struct engine *engine;
	struct merge *merge;
	struct out out;
	struct out_source source;
	const struct finding *printed;	/* the last; findings stay where they are */
	uint64_t trusted_ns;	/* what was found before is printed */
	uint64_t ticked_ns;	/* the reading before that */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct watcher *w = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &w->session;
		return 0;
	case 'j':
		w->check.json = true;
		return 0;
	case OPT_FAIL_ON:
		if (!parse_findings(arg, &w->check.fail_on))
			argp_error(state, "--fail-on '%s': ids of findings, as docs/findings.md has them", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- records ---- */

static int add_record(void *arg, const struct ev_hdr *rec)
{
	struct watcher *w = arg;

	return merge_add(w->merge, rec);
}

/* Only want of memory ends it: what cannot be read the engine counts. */
static int feed_record(void *arg, const struct ev_hdr *rec)
{
	struct watcher *w = arg;

	return engine_feed(w->engine, rec, rec->len) == -ENOMEM ? -ENOMEM : 0;
}

static int feed_gap(void *arg, const struct gap *gap)
{
	struct watcher *w = arg;

	return engine_gap(w->engine, gap);
}

/* ---- findings ---- */

static void print_until(struct watcher *w, uint64_t before_ns)
{
	const struct finding *f;

	while ((f = report_next(w->out.report, w->printed)) && f->time_ns < before_ns) {
		w->printed = f;
		print_finding(&w->out, &w->check, f);
	}
	fflush(stdout);
}

static int on_turn(void *arg, uint64_t drained_ns)
{
	struct watcher *w = arg;
	int err = merge_drained(w->merge, drained_ns);

	if (!err)
		print_until(w, w->trusted_ns);
	return err;
}

static int on_tick(void *arg, uint64_t drained_ns)
{
	struct watcher *w = arg;

	w->trusted_ns = w->ticked_ns;
	w->ticked_ns = drained_ns;
	return 0;
}

/* ---- the whole ---- */

static int prepare(struct watcher *w)
{
	static const struct merge_sink sink = { feed_record, feed_gap };

	if (engine_new(&w->engine) ||
	    merge_new(live_possible_cpus(), &sink, w, &w->merge))
		return say_error("out of memory");
	w->out = (struct out){
		.to = stdout,
		.engine = w->engine,
		.model = engine_model(w->engine),
		.report = engine_report(w->engine),
		.source = &w->source,
	};
	return session_open(&w->session);
}

static int finish(struct watcher *w)
{
	struct merge_stats stats;

	if (merge_finish(w->merge, live_next(w->session.live)) || engine_finish(w->engine))
		return say_error("out of memory");
	merge_stats(w->merge, &stats);
	w->source.events = stats.records;
	w->source.lost = stats.lost;
	w->source.complete = true;
	print_until(w, UINT64_MAX);
	print_looks(&w->out, &w->check);
	session_print_child(&w->session);
	return print_summary(&w->out, &w->check);
}

static int watch(struct watcher *w)
{
	int status = prepare(w);

	if (!status)
		status = session_run(&w->session);
	if (!status)
		status = finish(w);
	session_end(&w->session);
	merge_free(w->merge);
	engine_free(w->engine);
	return status;
}

int cmd_live(int argc, char **argv)
{
	static const struct argp_child children[] = { { &session_argp, 0, "", 1 }, { 0 } };
	static const struct argp argp = {
		.options = option_table,
		.parser = parse,
		.children = children,
		.args_doc = "[-- COMMAND...]",
		.doc = "Prints findings while COMMAND runs, or until Ctrl-C, and a summary at the end. "
		       "Nothing is written to a file; 'iommuscope record' does that. With --verify-every page tables are "
		       "read as well, and differences told.\v"
		       "A finding is printed one to three seconds after it was made. A loss that is heard later may "
		       "still take it back: the summary counts those. "
		       "Exit status: 0 clean, 1 findings, 2 wrong usage or could not run, 3 no findings, "
		       "but events were lost.",
	};
	struct watcher w = { .session = SESSION_INIT };
	struct utsname uts;
	int status;

	uname(&uts);
	w.source.path = "live";
	w.source.kernel_release = uts.release;
	w.session.sink = add_record;
	w.session.turned = on_turn;
	w.session.ticked = on_tick;
	w.session.arg = &w;
	w.session.greeting = "listening; Ctrl-C ends it";
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &w);
	status = session_check(&w.session) ?: watch(&w);
	if (!end_stdout())
		status = EXIT_ERROR;
	return session_status(&w.session, status);
}
