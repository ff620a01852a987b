// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * features: the hook table on this kernel. Every program is really loaded and attached
 * for a moment, so that "heard" is what was seen and not what is hoped for.
 */
#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "cmd/cmd.h"
#include "live/live.h"
#include "out/words.h"

struct options {
	bool json;
	bool verbose;
};

static const struct argp_option option_table[] = {
	{ "json", 'j', NULL, 0, "one JSON object per hook and line", 0 },
	{ "verbose", 'v', NULL, 0, "what the kernel's verifier says of refused programs, on stderr", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'j':
		o->json = true;
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "what is '%s'? features takes no arguments", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void print_reason(const struct hook_row *row, const struct live_hook *h)
{
	switch (h->state) {
	case EV_HOOK_PENDING:
		printf("until module %s is loaded; without it: %s", row->module, row->lost);
		break;
	case EV_HOOK_MISSING:
		printf("lost: %s", row->lost);
		break;
	case EV_HOOK_REFUSED:
		if (row->needs && h->err == -ENOLINK)
			printf("left out, because %s was refused; lost: %s",
			       hook_table[row->needs].name, row->lost);
		else
			printf("the kernel refused it (%s); lost: %s", strerror(-h->err),
			       row->lost);
		break;
	case EV_HOOK_COVERED:
		printf("not needed on this kernel: the other hooks hear all there is");
		break;
	default:
		break;
	}
}

static void print_text(const struct hook_row *row, const struct live_hook *h)
{
	printf("%-7s  %-24s %-34s ", word_hook_state(h->state), row->name, h->function);
	print_reason(row, h);
	putchar('\n');
}

static void print_json(const struct hook_row *row, const struct live_hook *h)
{
	printf("{\"schema\":\"iommuscope.features/1\",\"hook\":\"%s\",\"witness\":\"%s\","
	       "\"state\":\"%s\",\"function\":\"%s\",\"module\":\"%s\",\"errno\":%d,\"lost\":\"%s\"}\n",
	       row->name, witness_name(row->witness), word_hook_state(h->state), h->function,
	       row->module ? row->module : "", h->err, row->lost);
}

static int drop(void *arg, const struct ev_hdr *rec)
{
	(void)arg;
	(void)rec;
	return 0;
}

int cmd_features(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse,
		.doc = "Prints what can be heard on this kernel: every hook is loaded and attached "
		       "for a moment.",
	};
	struct live_options opt = { .ring_bytes = 1 << 20, .dma_debug = true };
	struct options o = { 0 };
	struct utsname uts;
	struct live *l;
	char text[256];
	unsigned int id;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	opt.verbose = o.verbose;
	if (live_check(text, sizeof(text)) || live_open(&opt, drop, NULL, &l, text, sizeof(text)))
		return say_error("%s", text);
	if (live_start(l) || live_stop(l)) {
		live_free(l);
		return say_error("cannot read the state of the IOMMU groups");
	}
	if (!o.json && !uname(&uts))
		printf("kernel %s\n", uts.release);
	for (id = 0; id < HOOK_COUNT; id++) {
		if (o.json)
			print_json(&hook_table[id], live_hook(l, id));
		else
			print_text(&hook_table[id], live_hook(l, id));
	}
	if (!live_reads_state(l))
		say_error("the IOMMU groups cannot be read on this kernel: who is attached to what at the start stays unknown");
	live_free(l);
	return end_stdout() ? EXIT_CLEAN : EXIT_ERROR;
}
