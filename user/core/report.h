/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the checkers found, and how much was heard.
 *
 * Invariants
 * - Findings stay in the order of their discovery and are never moved or freed before
 *   the report is; a later loss can retract one, a later event can lower its grade.
 * - The same id, domain, range and cause are one finding with a count.
 * - A finding that is not allowed to be made (loss, start, stop) is counted instead.
 */
#ifndef IOMMUSCOPE_REPORT_H
#define IOMMUSCOPE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "omap.h"
#include "wire.h"

enum finding_id {
	FINDING_MAP_OVERLAP,
	FINDING_MAP_WIDE,
	FINDING_UNMAP_SHORT,
	FINDING_UNMAP_WIDE,
	FINDING_LEAK_ON_FREE,
	FINDING_STALE_IOTLB,
	FINDING_FLUSH_SHORT,
	FINDING_DMA_UNMAP_MISMATCH,
	FINDING_CALLER_RACE,
	FINDING_TABLE_FREED_EARLY,
	FINDING_MAP_NOT_SYNCED,
	FINDING_STALE_AFTER_SWITCH,
	FINDING_UNION_AFTER_REPLAY,
	FINDING_REPLAY_MISSING,
	FINDING_REPLAY_REFUSED,
	FINDING_MAP_OUTSIDE,
	FINDING_UNMAP_NOTHING,
	FINDING_FREED_WHILE_MAPPED,
	FINDING_LAZY_EXPOSURE,
	FINDING_FAULT_AFTER_UNMAP,
	FINDING_FAULT_WHILE_LIVE,
	FINDING_LEFT_MAPPED,
	FINDING_TABLE_MISSING,
	FINDING_TABLE_EXTRA,
	FINDING_TABLE_DIFFERS,
	FINDING_ROOT_DIFFERS,
	FINDING_INTENT_DIFFERS,
	FINDING_ORACLE_DIFFERS,
	FINDING_COUNT,
};

enum grade { GRADE_NOTE, GRADE_EXPOSURE, GRADE_VIOLATION };

/* A record that a finding rests on. */
struct ref {
	const char *role;	/* static: "map", "unmap", "flush", "intent", ... */
	uint16_t kind;		/* enum ev_type */
	uint16_t cpu;
	uint32_t pid;		/* 0 unknown */
	uint64_t seq;
	uint64_t time_ns;
	uint64_t caller;	/* kernel address that the call came from; 0 unknown */
	uint64_t cause;		/* intent around it, or 0 */
};

enum detail_kind { DETAIL_HEX, DETAIL_DEC, DETAIL_TEXT, DETAIL_NAME };

struct detail {
	const char *key;	/* static */
	const char *text;	/* static; DETAIL_TEXT */
	char name[25];		/* DETAIL_NAME: a copy */
	uint64_t value;
	enum detail_kind kind;
};

#define FINDING_REFS 6
#define FINDING_DETAILS 12

struct finding {
	enum finding_id id;
	enum grade grade;
	bool retracted;
	bool ranged;		/* [iova, last] means something */
	bool waits;		/* a command that pays was queued, its completion is not heard yet */
	uint32_t domain_gen;
	uint64_t begin_ns;	/* of the operation that showed it */
	uint64_t time_ns;	/* of its record */
	uint64_t domain;	/* pointer, or 0 */
	uint64_t device;	/* pointer, or 0 */
	uint64_t iommu;		/* of the cache that is stale, or 0 */
	uint64_t container;	/* or 0 */
	uint32_t cache_kind;	/* enum cache_kind, with @iommu */
	uint32_t cache_id;	/* did or sid, with @iommu */
	uint64_t iova;
	uint64_t last;
	uint64_t cause;		/* intent, or 0 */
	uint64_t count;		/* times seen */
	unsigned int nrefs;
	unsigned int ndetails;
	struct ref refs[FINDING_REFS];
	struct detail details[FINDING_DETAILS];
	struct finding *next;	/* in order of discovery */
	struct finding *prev;
	uint64_t upto_ns;	/* the latest @time_ns of this and all before */
	struct finding *twin;	/* of one hash; private */
};

/* How much was heard, and how much could not be judged. */
struct tally {
	uint64_t records[64];	/* by enum ev_type */
	uint64_t malformed;
	uint64_t overflow;	/* intents whose iova + size wraps: the caller's mistake */
	uint64_t gaps;		/* engine_gap() calls */
	uint64_t lost;		/* records, by gaps */
	uint64_t missed;	/* calls, by EV_MISSED of exit programs */
	uint64_t missed_entry;	/* of entry programs: begin and cause only */
	uint64_t missed_adds;	/* calls of rows on which nothing rests */
	uint64_t skips;		/* EV_SKIP */
	uint64_t suppressed;	/* findings not made because of loss, start or stop */
	uint64_t retracted;	/* findings taken back by a later loss */
	uint64_t cut_short;	/* walks that had no steps left: what they would have seen is unsure */
	uint64_t dropped;	/* findings beyond the limit of the list */
	uint64_t unknown;	/* judgements left open: content, begin or flush unknown */
	uint64_t switches;	/* changes of a device's domain that could be judged */
	uint64_t needs_table;	/* unmaps that removed more than asked: ask the page table */
};

struct report {
	struct finding *first;
	struct finding **tail;
	struct omap twins;
	uint64_t stored;
	uint64_t newest_ns;	/* time of the newest finding */
	struct finding *newest;
	struct finding *settled;	/* this and all before stay as they are, or NULL */
	int64_t credit;		/* findings that walks may still look at */
	int64_t steps;		/* that checkers may still take through the model */
	bool quiet;		/* count as suppressed */
	struct tally tally;
};

/** finding_name() - Return: the stable id, e.g. "stale-iotlb". */
const char *finding_name(enum finding_id id);

/** grade_name() - Return: "note", "exposure" or "violation". */
const char *grade_name(enum grade grade);

void report_init(struct report *rep);
void report_drain(struct report *rep);

/**
 * report_add() - Store a copy of @f, or count it with its twin
 * @rep: the report
 * @f:   zeroed, then filled by the caller
 *
 * Return: 0 or -ENOMEM.
 */
int report_add(struct report *rep, const struct finding *f);

/**
 * report_next() - Walk the findings that stand, in order of discovery
 * @rep:  the report
 * @prev: NULL for the first
 *
 * Return: the next, or NULL.
 */
const struct finding *report_next(const struct report *rep, const struct finding *prev);

/** report_count() - Return: findings that stand with @grade or worse. */
uint64_t report_count(const struct report *rep, enum grade grade);

/** report_tally() - Return: the counters. */
const struct tally *report_tally(const struct report *rep);

/** typedef report_match_fn - Return: true to select @f. */
typedef bool (*report_match_fn)(void *arg, const struct finding *f);

/** report_turn() - A record came: walks may look at more, see report.c. */
void report_turn(struct report *rep);

/**
 * report_step() - May a checker's walk through the model go on?
 *
 * Return: false, and counted as unknown, if steps are used up: see report_turn().
 */
bool report_step(struct report *rep);

/**
 * report_retract() - Take back what @match selects
 * @rep:      the report
 * @since_ns: only of this time or later
 * @match:    selects; NULL selects all
 * @arg:      for @match
 */
void report_retract(struct report *rep, uint64_t since_ns, report_match_fn match, void *arg);

/** report_fold() - As report_retract(): another finding says it. Counts nowhere. */
void report_fold(struct report *rep, uint64_t since_ns, report_match_fn match, void *arg);

/**
 * report_soften() - Make notes of what @match selects
 * @rep:      the report
 * @since_ns: only of this time or later
 * @match:    selects
 * @arg:      for @match
 * @id:       what they are called from now on; FINDING_COUNT keeps the name
 * @why:      static text, kept as the detail "why"
 */
void report_soften(struct report *rep, uint64_t since_ns, report_match_fn match, void *arg,
		   enum finding_id id, const char *why);

/** finding_ref() - Add a reference; silently full after FINDING_REFS. */
void finding_ref(struct finding *f, const char *role, const struct ref *r);

/** finding_op() - Add a reference to @op. */
void finding_op(struct finding *f, const char *role, const struct op *op);

void finding_hex(struct finding *f, const char *key, uint64_t value);
void finding_dec(struct finding *f, const char *key, uint64_t value);
void finding_text(struct finding *f, const char *key, const char *text);
void finding_name_of(struct finding *f, const char *key, const char *name);

#endif
