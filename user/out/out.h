/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Results for people and for programs. Reads the model and the report, changes nothing.
 * An output is a pair of functions: one for a finding, one for the rest.
 */
#ifndef IOMMUSCOPE_OUT_H
#define IOMMUSCOPE_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/model.h"
#include "core/report.h"
#include "out/words.h"

/* What a checked source was, besides its records. */
struct out_source {
	const char *path;
	const char *kernel_release;
	const char *command;	/* recorded, or NULL */
	uint64_t events;	/* records delivered, all kinds */
	uint64_t lost;		/* records that rings lost */
	uint64_t unknown;	/* records of newer kinds, skipped */
	bool complete;		/* the recorder ended in order */
	bool cut;		/* a stream is damaged; read as far as it goes */
	bool snapshot;		/* of what there was at one time: not a recording */
};

struct stacks;

struct out {
	FILE *to;
	const struct engine *engine;
	const struct model *model;
	const struct report *report;
	const struct out_source *source;
	const struct stacks *stacks;	/* NULL: none were recorded */
};

/** out_stack() - Return: the stack of the record that @r refers to, or NULL. */
const struct ev_stack *out_stack(const struct out *o, const struct ref *r);

/** out_lost() - Was anything lost that a clean result would have to know? */
bool out_lost(const struct out *o);

void text_finding(const struct out *o, const struct finding *f);

/** text_story() - The records that @f rests on, in time order. */
void text_story(const struct out *o, const struct finding *f);

/** text_summary() - Devices, domains, events, losses, verdict. @stat: every counter too. */
void text_summary(const struct out *o, bool stat);

void json_finding(const struct out *o, const struct finding *f);
void json_summary(const struct out *o);

/* How much of the state was known at the end: counted from the model. */
struct out_known {
	uint64_t domains_born;	/* heard from their allocation on */
	uint64_t domains_found;	/* there before the recording: what they held then is unknown */
	uint64_t ranges_sure;	/* live at the end */
	uint64_t ranges_unsure;
	uint64_t devices;	/* behind an IOMMU whose flushes this program reads */
	uint64_t devices_tagged;	/* of these, whose caches are known */
};

/** out_known() - Walk the model. Once, for the summary. */
void out_known(const struct out *o, struct out_known *k);

/** text_known(), json_known() - The part of the summary about it. */
void text_known(const struct out *o);
void json_known(const struct out *o);

/* What a look at the page tables came to, over all domains. */
struct out_looks {
	uint64_t domains;	/* looked at */
	uint64_t checked;	/* compared with at least one book, which said something */
	uint64_t without;	/* that have no table: identity, blocked */
	uint64_t unchecked;
	uint64_t pages;		/* of 4 KiB, compared */
	uint64_t leaves;
	uint64_t flux;
	uint64_t roots;
	uint64_t no_process;	/* domains with VFIO's list, but not the process's pages */
	uint64_t asked;		/* tables of which second readings were asked for */
	uint64_t oracles;	/* second readings that there were */
};

/** out_has_looks() - Was any table read? */
bool out_has_looks(const struct out *o);

/** text_looks(), json_looks() - Each domain that was looked at, and the sum. */
void text_looks(const struct out *o, struct out_looks *sum);
void json_looks(const struct out *o, struct out_looks *sum);

/** text_faults(), json_faults() - The faults that were kept; JSON: one line each. */
void text_faults(const struct out *o);
void json_faults(const struct out *o);

/* ---- words, shared by the outputs ---- */

/** word_intent() - How people call an intent of type @kind. */
const char *word_intent(unsigned int kind);

#define SCHEMA "iommuscope.check/1"

/** put_json() - A JSON string: what is not printable ASCII is escaped byte by byte. */
void put_json(FILE *to, const char *text);

/** put_plain() - Text of others (comm, command line) without control characters. */
void put_plain(FILE *to, const char *text);

/** out_device_name() - "0000:00:02.0", or "?" if @dev was never introduced. */
const char *out_device_name(const struct out *o, uint64_t dev);

/** out_off_first() - Is @i the first checker of its name that is off? @st is set if so. */
bool out_off_first(const struct out *o, size_t i, struct checker_status *st);

/** out_seconds() - @time_ns since the recording began, in seconds. */
double out_seconds(const struct out *o, uint64_t time_ns);

#endif
