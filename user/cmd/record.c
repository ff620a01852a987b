// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * record: live source -> trace directory, while a command runs or until a signal; then
 * the checkers over what was written. Nothing is written past the writer: what the
 * report says is what anybody finds in the file later.
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/output.h"
#include "cmd/session.h"

enum { OPT_FAIL_ON = 256, OPT_STACKS };

static const struct argp_option option_table[] = {
	{ "output", 'o', "DIR", 0, "trace directory to make [iommuscope-DATE-TIME]", 0 },
	{ "stacks", OPT_STACKS, NULL, 0, "the call stack of each operation too (costly)", 0 },
	{ "json", 'j', NULL, 0, "the result as JSON, one object per line", 0 },
	{ "fail-on", OPT_FAIL_ON, "IDS", 0, FAIL_ON_HELP, 0 },
	{ 0 },
};

struct recorder {
	struct session session;
	struct check_options check;
	const char *output;
	struct trace_writer *writer;
	int write_err;		/* the first; recording goes on, what is lost is counted */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct recorder *r = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &r->session;
		return 0;
	case 'o':
		r->output = arg;
		return 0;
	case 'j':
		r->check.json = true;
		return 0;
	case OPT_STACKS:
		r->session.opt.stacks = true;
		return 0;
	case OPT_FAIL_ON:
		if (!parse_findings(arg, &r->check.fail_on))
			argp_error(state, "--fail-on '%s': ids of findings, as docs/findings.md has them", arg);
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
	say_error("%s: %s; recording goes on, but events are lost from here", r->output,
		  strerror(-err));
}

/* The sink of all records. */
static int write_record(void *arg, const struct ev_hdr *rec)
{
	struct recorder *r = arg;

	note_write(r, trace_write(r->writer, rec));
	return 0;
}

static int flush(void *arg, uint64_t drained_ns)
{
	struct recorder *r = arg;

	note_write(r, trace_flush(r->writer, drained_ns));
	return 0;
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
	char *command = join(r->session.command);
	struct trace_env env = { .command = r->session.command ? command : NULL };
	int status = output_create(r->output, &env, &r->writer);

	free(command);
	return status;
}

static int record(struct recorder *r)
{
	struct session *s = &r->session;
	int status = session_open(s);

	if (!status)
		status = create(r);
	if (!status) {
		status = session_run(s);
		note_write(r, trace_close(r->writer, live_lost(s->live), live_next(s->live)));
	}
	session_end(s);
	return status;
}

static int report(struct recorder *r)
{
	int status;

	session_print_child(&r->session);
	status = check_trace(r->output, &r->check);
	return status == EXIT_CLEAN && r->write_err ? EXIT_LOST : status;
}

int cmd_record(int argc, char **argv)
{
	static const struct argp_child children[] = { { &session_argp, 0, "", 1 }, { 0 } };
	static const struct argp argp = {
		.options = option_table,
		.parser = parse,
		.children = children,
		.args_doc = "[-- COMMAND...]",
		.doc = "Records I/O mapping events while COMMAND runs, or until Ctrl-C, and checks them.\v"
		       "Exit status: 0 clean, 1 findings, 2 wrong usage or could not run, 3 no findings, "
		       "but events were lost. COMMAND's status is printed and stored.",
	};
	struct recorder r = { .session = SESSION_INIT };
	int status;

	r.session.sink = write_record;
	r.session.ticked = flush;
	r.session.arg = &r;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &r);
	if (!r.output)
		r.output = output_default();
	status = session_check(&r.session) ?: output_check(r.output);
	if (!status)
		status = record(&r);
	if (!status)
		status = report(&r);
	if (!end_stdout())
		status = EXIT_ERROR;
	return session_status(&r.session, status);
}
