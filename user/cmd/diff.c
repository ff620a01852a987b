// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* diff: two snapshots. Needs no rights but to read them. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "bpf/event.h"
#include "cmd/cmd.h"
#include "out/diff.h"
#include "trace/trace.h"

static const struct argp_option option_table[] = {
	{ "json", 'j', NULL, 0, "one JSON object per line: ranges, domains, devices, summary", 0 },
	{ 0 },
};

struct options {
	char *paths[2];
	bool json;
};

/* A snapshot that was read. */
struct side {
	const char *path;
	char scope[96];
	struct snapshot snap;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'j':
		o->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num >= 2)
			argp_error(state, "two snapshots, not more");
		o->paths[state->arg_num] = arg;
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num < 2)
			argp_error(state, "which two? Give the directories that 'iommuscope snapshot' wrote");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- reading ---- */

/* Nothing is said about what is not all there: what is missing would look unmapped. */
static int say_cut(const struct side *s)
{
	return say_error("%s: this snapshot is not whole: take another", s->path);
}

static int read_records(struct trace_reader *r, struct side *s)
{
	struct trace_error error;
	struct trace_item item;
	int got;

	while ((got = trace_next(r, &item, &error))) {
		if (got < 0)
			return say_error("%s", error.text);
		if (item.kind == TRACE_GAP)
			return say_cut(s);
		if (snapshot_take(&s->snap, item.rec, ((const struct ev_hdr *)item.rec)->len))
			return say_error("%s: out of memory", s->path);
	}
	if (!trace_complete(r) || !s->snap.whole)
		return say_cut(s);
	if (s->snap.odd)
		say_error("%s: %" PRIu64 " records make no sense: it is damaged, or made by a newer iommuscope",
			  s->path, s->snap.odd);
	return 0;
}

static int read_side(struct side *s)
{
	struct trace_reader *r = NULL;
	struct trace_error error;
	const char *content, *scope;
	int status;

	if (trace_open(s->path, &r, &error))
		return say_error("%s", error.text);
	content = trace_env_get(r, "content");
	scope = trace_env_get(r, "scope");
	if (!content || strcmp(content, TRACE_SNAPSHOT)) {
		status = say_error("%s: a recording, not a snapshot: see 'iommuscope check'", s->path);
	} else {
		snprintf(s->scope, sizeof(s->scope), "%s", scope ? scope : "");
		status = read_records(r, s);
	}
	trace_free(r);
	snapshot_finish(&s->snap);
	return status;
}

/* ---- comparing ---- */

static int print(const struct options *o, const struct side *s, const struct matched *m)
{
	const struct out_diff out = {
		.to = stdout, .before = s[0].path, .after = s[1].path, .matched = m,
	};
	struct diff_sum sum;

	if (o->json)
		json_diff(&out, &sum);
	else
		text_diff(&out, &sum);
	if (diff_differs(&sum))
		return EXIT_FINDINGS;
	return diff_unsure(&sum) || s[0].snap.odd || s[1].snap.odd ? EXIT_LOST : EXIT_CLEAN;
}

static int compare(const struct options *o, const struct side *s)
{
	bool partial = strcmp(s[0].scope, s[1].scope);
	struct matched m = { 0 };
	int status;

	if (partial)
		fprintf(stderr, "iommuscope: %s is of '%s', %s of '%s': what is in one of them only is not compared\n",
			s[0].path, s[0].scope, s[1].path, s[1].scope);
	if (snapshots_match(&s[0].snap, &s[1].snap, partial, &m))
		return say_error("out of memory");
	status = print(o, s, &m);
	matched_drain(&m);
	return status;
}

int cmd_diff(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse,
		.args_doc = "BEFORE AFTER",
		.doc = "Compares two snapshots: what was mapped and unmapped, leads elsewhere or has another "
		       "permission, and which devices and domains came, went or changed.\v"
		       "Exit status: 0 equal, 1 different, 2 wrong usage or unreadable, 3 no difference, but "
		       "not all could be compared.",
	};
	struct options o = { 0 };
	struct side sides[2] = { 0 };
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	sides[0].path = o.paths[0];
	sides[1].path = o.paths[1];
	status = read_side(&sides[0]) ?: read_side(&sides[1]) ?: compare(&o, sides);
	snapshot_drain(&sides[0].snap);
	snapshot_drain(&sides[1].snap);
	return end_stdout() ? status : EXIT_ERROR;
}
