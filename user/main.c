// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* A table of subcommands; nothing else. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"

static const struct command commands[] = {
	{ "record", cmd_record, "record I/O mapping events, and check them when done" },
	{ "live", cmd_live, "print findings as they are made" },
	{ "check", cmd_check, "run the checkers over a recorded trace" },
	{ "verify", cmd_verify, "compare the page tables in use with what was asked for" },
	{ "show", cmd_show, "IOMMUs, domains, groups and devices as a tree" },
	{ "lookup", cmd_lookup, "how an address of a device is translated now, and who asked for it" },
	{ "snapshot", cmd_snapshot, "write the page tables in use into a trace" },
	{ "diff", cmd_diff, "compare two snapshots" },
	{ "features", cmd_features, "what can be heard on this kernel, and what not, and why" },
};

static int usage(FILE *to)
{
	size_t i;

	fputs("Usage: iommuscope COMMAND [OPTION]...\n\n"
	      "Traces and verifies the I/O mappings of this machine.\n\nCommands:\n",
	      to);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fputs("\n'iommuscope COMMAND --help' tells the options; 'man iommuscope' the rest.\n"
	      "Exit status: 0 clean, 1 findings, 2 wrong usage or could not run, 3 events lost.\n",
	      to);
	return to == stdout ? EXIT_CLEAN : EXIT_ERROR;
}

/* argp's usage lines begin with argv[0]. */
static int run(const struct command *c, int argc, char **argv)
{
	static char name[64];

	snprintf(name, sizeof(name), "iommuscope %s", c->name);
	argv[0] = name;
	argp_err_exit_status = EXIT_ERROR;
	return c->run(argc, argv);
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 2)
		return usage(stderr);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return usage(stdout);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("iommuscope " VERSION);
		return EXIT_CLEAN;
	}
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return run(&commands[i], argc - 1, argv + 1);
	say_error("no such command: %s", argv[1]);
	return usage(stderr);
}
