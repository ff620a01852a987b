// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * lookup: how the kernel and the hardware translate an address of a device now, entry by entry, and who asked
 * for it.
 */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/session.h"
#include "live/live.h"
#include "live/look.h"
#include "out/lookup.h"

static const struct argp_option option_table[] = {
	{ "json", 'j', NULL, 0, "one JSON object per address, a line each", 0 },
	{ "verbose", 'v', NULL, 0, "what libbpf and the verifier say, on stderr", 0 },
	{ 0 },
};

struct options {
	const char *device;
	uint64_t *iovas;	/* room for each argument there is */
	size_t count;
	bool json;
	bool verbose;
};

/* Hexadecimal with 0x, or decimal; nothing else, whole, and of 64 bits. */
static bool parse_iova(const char *text, uint64_t *out)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	char *end;

	if (!*digits || strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits))
		return false;
	errno = 0;
	*out = strtoull(digits, &end, hex ? 16 : 10);
	return !errno && !*end;
}

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
		if (!o->device)
			o->device = arg;
		else if (!parse_iova(arg, &o->iovas[o->count++]))
			argp_error(state, "'%s': an IOVA is hexadecimal with 0x, or decimal, of 64 bits", arg);
		return 0;
	case ARGP_KEY_END:
		if (!o->count)
			argp_error(state, "which address of which device? DEVICE IOVA...");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int say_failed(const char *device, int err)
{
	if (err == -ENODEV)
		return say_error("%s: gone", device);
	if (err == -EAGAIN)
		return say_error("%s is in no domain, or is just being moved or reset: try again", device);
	return say_error("cannot read the page table: %s", strerror(-err));
}

static int look_up_all(const struct options *o, struct peek *p)
{
	struct look look = { .p = p, .device = o->device };
	struct lookup answers[2];
	int status = EXIT_CLEAN, err;
	size_t i;

	for (i = 0; i < o->count; i++) {
		struct lookup *now = &answers[i & 1], *before = i ? &answers[~i & 1] : NULL;

		err = look_up(&look, o->iovas[i], now);
		if (err)
			return say_failed(o->device, err);
		if (o->json)
			json_lookup(stdout, now);
		else
			text_lookup(stdout, now, before);
		if (!lookup_answered(now))
			status = EXIT_ERROR;
	}
	return status;
}

static int run(struct options *o)
{
	struct peek *p = NULL;
	char text[256];
	int status = session_find_device(&o->device);

	if (status)
		return status;
	if (live_check(text, sizeof(text)) || peek_open(true, o->verbose, &p, text, sizeof(text)))
		return say_error("%s", text);
	status = look_up_all(o, p);
	peek_free(p);
	return end_stdout() ? status : EXIT_ERROR;
}

int cmd_lookup(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse,
		.args_doc = "DEVICE IOVA...",
		.doc = "Says how an I/O virtual address of a device (0000:00:02.0, or a name of sysfs) is translated now: the "
		       "entries that the hardware goes by, each entry of the page table, the physical address, and who asked for "
		       "it. Nothing is changed.\v"
		       "Exit status: 0 answered, also if nothing is mapped there; 2 wrong usage, no such device, or "
		       "not to be told.",
	};
	struct options o = { .iovas = calloc(argc, sizeof(*o.iovas)) };
	int status;

	if (!o.iovas)
		return say_error("out of memory");
	argp_parse(&argp, argc, argv, 0, NULL, &o);
	status = run(&o);
	free(o.iovas);
	return status;
}
