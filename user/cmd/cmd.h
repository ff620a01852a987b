/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the subcommands share. main.c has their table. */
#ifndef IOMMUSCOPE_CMD_H
#define IOMMUSCOPE_CMD_H

#include <stdbool.h>
#include <stdint.h>

struct finding;
struct out;

/* Exit status of every command. */
enum {
	EXIT_CLEAN = 0,
	EXIT_FINDINGS = 1,	/* also when events were lost */
	EXIT_ERROR = 2,		/* wrong usage, or could not run */
	EXIT_LOST = 3,		/* no findings, but events were lost */
};

struct report;

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
};

int cmd_record(int argc, char **argv);
int cmd_live(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_features(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_lookup(int argc, char **argv);
int cmd_snapshot(int argc, char **argv);
int cmd_diff(int argc, char **argv);

struct check_options {
	bool json;
	bool stat;
	uint64_t fail_on;	/* bits of enum finding_id: failures whatever their grade */
};

#define FAIL_ON_HELP "these findings (map-overlap,...) fail, whatever their grade"

/** report_fails() - Are there violations, or one of @fail_on? */
bool report_fails(const struct report *rep, uint64_t fail_on);

/** parse_findings() - Bits of the ids in @text, a list with commas, or false. */
bool parse_findings(const char *text, uint64_t *out);

/**
 * check_trace() - Check one trace directory and print the result on stdout
 * @path: trace directory
 *
 * Return: an exit status.
 */
int check_trace(const char *path, const struct check_options *opt);

/** print_finding(), print_summary() - On stdout. The summary's return is an exit status. */
void print_finding(const struct out *o, const struct check_options *opt, const struct finding *f);
int print_summary(const struct out *o, const struct check_options *opt);

/** print_looks() - On stdout, what readings of tables came to; nothing if there was none. */
void print_looks(const struct out *o, const struct check_options *opt);

/** say_error() - "iommuscope: TEXT" on stderr. Returns EXIT_ERROR. */
int say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** say_nothing_seen() - Why a look at @device or @group (-1: neither) saw no device. Returns EXIT_ERROR. */
int say_nothing_seen(const char *device, int32_t group);

/** end_stdout() - Flush stdout; false, and said on stderr, if it could not all be written. */
bool end_stdout(void);

/** parse_u32(), parse_bytes() - Whole argument, or false. Bytes take K, M, G. */
bool parse_u32(const char *text, unsigned int *out);
bool parse_group(const char *text, int32_t *out);	/* the number of an IOMMU group */
bool parse_bytes(const char *text, unsigned long long *out);

#endif
