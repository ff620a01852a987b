// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * show: the state of the IOMMU groups, as 'live' reads it at its start, and nothing else: no hook is
 * loaded, nothing is attached. The records go through the engine, whose model is printed with
 * what sysfs and /proc add.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/session.h"
#include "cmd/show_facts.h"
#include "trace/merge.h"

enum { OPT_RESV = 256 };

static const struct argp_option option_table[] = {
	{ "device", 'd', "DEVICE", 0, "only this device: 0000:00:02.0 or a name", 0 },
	{ "group", 'g', "NUMBER", 0, "only this IOMMU group", 0 },
	{ "resv", OPT_RESV, NULL, 0, "reserved ranges of the groups, too", 0 },
	{ "json", 'j', NULL, 0, "one JSON object per line: IOMMUs, domains, groups, devices", 0 },
	{ "verbose", 'v', NULL, 0, "what libbpf and the kernel's verifier say", 0 },
	{ 0 },
};

struct options {
	const char *device;
	int32_t group;	/* -1: all */
	bool resv;
	bool json;
	bool verbose;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'd':
		o->device = arg;
		return 0;
	case 'g':
		if (!parse_group(arg, &o->group))
			argp_error(state, "--group '%s': a number", arg);
		return 0;
	case OPT_RESV:
		o->resv = true;
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "what is '%s'? A device is named by --device", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int check_group(const struct options *o)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d", o->group);
	if (o->group < 0 || !access(path, F_OK))
		return 0;
	return say_error("there is no IOMMU group %d (ls /sys/kernel/iommu_groups)", o->group);
}

/* Not an error: this machine's DMA simply goes its own way. */
static int say_no_groups(const struct options *o)
{
	fputs("no IOMMU group: nothing translates or limits the DMA of this machine's devices. Turn the IOMMU on in "
	      "the firmware (VT-d, AMD-Vi), and boot with intel_iommu=on on Intel; iommu=off and "
	      "amd_iommu=off must not be there\n",
	      o->json ? stderr : stdout);
	return end_stdout() ? EXIT_CLEAN : EXIT_ERROR;
}

/* ---- reading ---- */

struct state_reader {
	struct engine *engine;
	struct merge *merge;
	struct live *live;
	struct merge_stats stats;
};

static int add_record(void *arg, const struct ev_hdr *rec)
{
	struct state_reader *r = arg;

	return merge_add(r->merge, rec);
}

static int feed_record(void *arg, const struct ev_hdr *rec)
{
	struct state_reader *r = arg;

	return engine_feed(r->engine, rec, rec->len) == -ENOMEM ? -ENOMEM : 0;
}

static int feed_gap(void *arg, const struct gap *gap)
{
	struct state_reader *r = arg;

	return engine_gap(r->engine, gap);
}

#define DEVICE_BYTES 1024	/* of its records; one program writes all, into one ring */
#define RING_MIN (256UL << 10)
#define RING_MAX (1UL << 30)

static size_t ring_for(size_t devices)
{
	size_t bytes = RING_MIN;

	while (bytes < RING_MAX && bytes < devices * DEVICE_BYTES)
		bytes *= 2;
	return bytes;
}

static int open_reader(struct state_reader *r, const struct options *o, size_t devices)
{
	static const struct merge_sink sink = { feed_record, feed_gap };
	const struct live_options opt = {
		.only_state = true,
		.verbose = o->verbose,
		.ring_bytes = ring_for(devices),
	};
	char text[256];

	if (engine_new(&r->engine) || merge_new(live_possible_cpus(), &sink, r, &r->merge))
		return say_error("out of memory");
	if (live_check(text, sizeof(text)) ||
	    live_open(&opt, add_record, r, &r->live, text, sizeof(text)))
		return say_error("%s", text);
	if (!live_reads_state(r->live))
		return say_error("the IOMMU groups cannot be read on this kernel (-v tells more)");
	return 0;
}

static int read_state(struct state_reader *r, const struct options *o, size_t devices)
{
	int status = open_reader(r, o, devices), err;

	if (status)
		return status;
	err = live_start(r->live) ?: live_stop(r->live);
	if (!err)
		err = merge_finish(r->merge, live_next(r->live)) ?: engine_finish(r->engine);
	if (err)
		return say_error("cannot read the state of the IOMMU groups: %s", strerror(-err));
	merge_stats(r->merge, &r->stats);
	return 0;
}

static void close_reader(struct state_reader *r)
{
	live_free(r->live);
	merge_free(r->merge);
	engine_free(r->engine);
}

/* ---- printing ---- */

/* What is not there is said, so that nobody takes the list for all there is. */
static int say_missing(const struct show *s, const struct state_reader *r, size_t groups)
{
	bool all = !s->device && s->group < 0;
	size_t listed = show_groups(s);

	if (r->stats.lost) {
		say_error("%" PRIu64 " records were lost: the list is not complete", r->stats.lost);
		return EXIT_LOST;
	}
	if (!all && !listed)
		return say_error("there it is, but without a domain, or just being moved from one to another: nothing to show");
	if (all && listed < groups)
		say_error("%zu IOMMU groups are not listed: they have no domain, or were just being changed",
			  groups - listed);
	return EXIT_CLEAN;
}

static int print(const struct options *o, const struct state_reader *r, size_t groups)
{
	struct show_facts facts = { 0 };
	struct show s = {
		.to = stdout,
		.model = engine_model(r->engine),
		.facts = &facts,
		.device = o->device,
		.group = o->group,
		.resv = o->resv,
	};
	int status;

	if (facts_read(&facts) || show_rows(&s)) {
		status = say_error("out of memory");
	} else {
		if (o->json)
			json_show(&s);
		else
			text_show(&s);
		status = say_missing(&s, r, groups);
	}
	free(s.rows);
	facts_free(&facts);
	return status;
}

int cmd_show(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse,
		.doc = "Prints the IOMMUs, their domains, the IOMMU groups in these and the devices in "
		       "those, as a tree. Reads only.\v"
		       "Exit status: 0 printed, or there is no IOMMU group; 2 wrong usage, no such device or group, or "
		       "could not run; 3 the list is not complete.",
	};
	struct options o = { .group = -1 };
	struct state_reader r = { 0 };
	size_t groups, devices;
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	groups = facts_groups(&devices);
	if (!groups)
		return say_no_groups(&o);
	status = session_find_device(&o.device) ?: check_group(&o);
	if (!status)
		status = read_state(&r, &o, devices);
	if (!status)
		status = print(&o, &r, groups);
	close_reader(&r);
	return end_stdout() ? status : EXIT_ERROR;
}
