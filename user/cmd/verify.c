// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * verify: one look at the page tables in use, against what the kernel keeps of who asked for what. The
 * look becomes records, and the engine that judges recordings judges them.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "cmd/cmd.h"
#include "cmd/session.h"
#include "core/engine.h"
#include "core/expect.h"
#include "live/live.h"
#include "live/observe.h"
#include "out/out.h"

enum { OPT_ALL = 256, OPT_FAIL_ON, OPT_EXPECT, OPT_ORACLE, OPT_DEBUGFS };

static const struct argp_option option_table[] = {
	{ "all", OPT_ALL, NULL, 0, "every domain that a device is in", 0 },
	{ "device", 'd', "DEVICE", 0, "the domain of this device (0000:00:02.0)", 0 },
	{ "group", 'g', "GROUP", 0, "the domain of this IOMMU group", 0 },
	{ "pid", 'p', "PID", 0, "domains in which this process has mapped something (VFIO, iommufd)", 0 },
	{ "expect", OPT_EXPECT, "FILE", 0, "with --device or --group: exactly what FILE says is mapped", 0 },
	{ "oracle", OPT_ORACLE, "COUNT", OPTION_ARG_OPTIONAL, "ask the kernel how it reads these tables: iommu_iova_to_phys() "
	  "(of refiommu's domains, if that is loaded; COUNT addresses by chance [1000])", 0 },
	{ "oracle-debugfs", OPT_DEBUGFS, NULL, 0, "the same of Intel's dump in debugfs, which on a busy machine may crash the "
	  "kernel (see the manual)", 0 },
	{ "fail-on", OPT_FAIL_ON, "IDS", 0, FAIL_ON_HELP, 0 },
	{ "json", 'j', NULL, 0, "one JSON object per line", 0 },
	{ "verbose", 'v', NULL, 0, "what libbpf and the verifier say, on stderr", 0 },
	{ 0 },
};

#define RANDOM_DEFAULT 1000
#define RANDOM_MAX 10000000

struct options {
	struct observe_options look;
	struct reading expected;
	const char *expect;	/* file */
	uint64_t fail_on;
	struct oracle oracle;
	bool chosen;
	bool json;
	bool verbose;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_ALL:
		break;
	case 'd':
		o->look.device = arg;
		break;
	case 'g':
		if (!parse_group(arg, &o->look.group))
			argp_error(state, "--group '%s': the number of an IOMMU group", arg);
		break;
	case 'p':
		if (!parse_u32(arg, &o->look.tgid) || !o->look.tgid)
			argp_error(state, "--pid '%s': a number above 0", arg);
		break;
	case OPT_EXPECT:
		o->expect = arg;
		return 0;
	case OPT_ORACLE:
		if (arg && (!parse_u32(arg, &o->oracle.random) || o->oracle.random > RANDOM_MAX))
			argp_error(state, "--oracle '%s': how many addresses, at most %u", arg, RANDOM_MAX);
		o->oracle.phys = true;
		o->look.oracle = &o->oracle;
		return 0;
	case OPT_DEBUGFS:
		o->oracle.debugfs = true;
		o->look.oracle = &o->oracle;
		return 0;
	case OPT_FAIL_ON:
		if (!parse_findings(arg, &o->fail_on))
			argp_error(state, "--fail-on '%s': ids of findings, as docs/findings.md has them", arg);
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "what is '%s'? verify takes options only", arg);
		return 0;
	case ARGP_KEY_END:
		if (!o->chosen)
			argp_error(state, "what? --all, --device, --group or --pid");
		if (o->expect && !o->look.device && o->look.group < 0)
			argp_error(state, "--expect is about one domain: name it with --device or --group");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	o->chosen = true;
	return 0;
}

#define EXPECT_BYTES_MAX (64UL << 20)

/* Regular or not: a pipe is as good. */
static int read_expected(struct options *o)
{
	char error[EXPECT_ERROR_BYTES];
	size_t len = 0, room = 1 << 16;
	char *text = malloc(room);
	FILE *f = strcmp(o->expect, "-") ? fopen(o->expect, "re") : stdin;
	int status = EXIT_CLEAN;

	if (!f) {
		free(text);
		return say_error("%s: %s", o->expect, strerror(errno));
	}
	while (text && !feof(f) && !ferror(f) && len < EXPECT_BYTES_MAX) {
		if (len == room)
			text = reallocarray(text, room *= 2, 1);
		if (text)
			len += fread(text + len, 1, room - len, f);
	}
	if (!text)
		status = say_error("out of memory");
	else if (ferror(f))
		status = say_error("%s: %s", o->expect, strerror(errno));
	else if (len >= EXPECT_BYTES_MAX)
		status = say_error("%s: more than 64 MiB", o->expect);
	else if (expect_parse(text, len, &o->expected, error, sizeof(error)))
		status = say_error("%s: %s", o->expect, error);
	if (f != stdin)
		fclose(f);
	free(text);
	o->look.expected = &o->expected;
	return status;
}

static int feed(void *arg, const struct ev_hdr *rec)
{
	return engine_feed(arg, rec, rec->len) == -ENOMEM ? -ENOMEM : 0;
}

static int say_nothing(const struct options *o)
{
	if (o->look.tgid)
		return say_error("process %u has nothing mapped through VFIO or iommufd", o->look.tgid);
	return say_nothing_seen(o->look.device, o->look.group);
}

/* Who names a process wants to know that. */
static int say_no_process(void)
{
	say_error("which pages the process has could not be read (/proc/PID/pagemap; it needs CAP_SYS_ADMIN)");
	return EXIT_LOST;
}

/* Who asks for a second reading wants to know that there was none. */
static int say_no_oracle(const struct oracle *asked)
{
	if (asked->phys)
		say_error("iommu_iova_to_phys() could be asked of no table: refiommu is not loaded, or has none of these domains");
	if (asked->debugfs)
		say_error("no table has a dump in debugfs: the kernel has it only for VT-d, with CONFIG_INTEL_IOMMU_DEBUGFS");
	return EXIT_LOST;
}

static int print(const struct options *o, const struct engine *e)
{
	struct utsname uts;
	struct out_source source = { .path = "verify", .complete = true };
	const struct out out = {
		.to = stdout, .engine = e, .model = engine_model(e), .report = engine_report(e),
		.source = &source,
	};
	const struct check_options check = { .json = o->json };
	const struct finding *f = NULL;
	struct out_looks sum;

	uname(&uts);
	source.kernel_release = uts.release;
	while ((f = report_next(out.report, f)))
		print_finding(&out, &check, f);
	if (o->json)
		json_looks(&out, &sum);
	else
		text_looks(&out, &sum);
	if (report_fails(out.report, o->fail_on))
		return EXIT_FINDINGS;
	if (sum.asked && !sum.oracles)
		return say_no_oracle(&o->oracle);
	return o->look.tgid && sum.no_process ? say_no_process() : EXIT_CLEAN;
}

static int verify(const struct options *o, struct peek *p)
{
	struct engine *e = NULL;
	size_t seen = 0;
	int status, err = engine_new(&e);

	if (!err)
		err = observe(p, &o->look, feed, e, &seen);
	if (err == -EAGAIN)
		say_error("some IOMMU groups were being changed all the time: their devices are not looked at");
	else if (err)
		status = say_error("cannot read the page tables: %s", strerror(-err));
	if (!err || err == -EAGAIN) {
		engine_finish(e);
		status = seen ? print(o, e) : say_nothing(o);
		if (err && status == EXIT_CLEAN)
			status = EXIT_LOST;
	}
	engine_free(e);
	return status;
}

int cmd_verify(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse,
		.doc = "Reads the page tables in use and compares them with what the kernel keeps of who asked for "
		       "what: VFIO's list and iommufd's areas, with the pages that the process has at their addresses, and the "
		       "addresses that the DMA API gave away; and the table that each device's entry in the hardware's tables points at with that of its domain. "
		       "Nothing is changed.\v"
		       "Exit status: 0 no difference (what is unchecked or in flux is said), 1 findings, 2 wrong usage or could not "
		       "run, 3 no findings, but not all groups, or not the pages of --pid, could be read.",
	};
	struct options o = { .look.group = -1, .oracle.random = RANDOM_DEFAULT };
	struct peek *p = NULL;
	char text[256];
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if ((o.expect && read_expected(&o)) || session_find_device(&o.look.device))
		return EXIT_ERROR;
	if (live_check(text, sizeof(text)) || peek_open(true, o.verbose, &p, text, sizeof(text)))
		return say_error("%s", text);
	if (o.look.oracle)
		oracle_open(&o.oracle);
	status = verify(&o, p);
	if (o.look.oracle)
		oracle_close(&o.oracle);
	peek_free(p);
	reading_drain(&o.expected);
	return end_stdout() ? status : EXIT_ERROR;
}
