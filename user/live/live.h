/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The live source: loads and attaches the programs of the hook table, reads the state
 * at the start, and hands every record to a sink, ring by ring. What a ring or the
 * kernel lost is counted and handed over as records too.
 */
#ifndef IOMMUSCOPE_LIVE_H
#define IOMMUSCOPE_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "live/hooks.h"

struct live;

struct live_options {
	const char *device;	/* BDF or name, or NULL: only this device */
	uint32_t tgid;		/* 0: any process */
	uint32_t off;		/* EV_FILTER_INTENT | _ACTION | _FLUSH: witnesses not wanted */
	bool only_state;	/* load what reads the state, attach nothing */
	bool stacks;		/* a call stack behind each operation */
	bool dma_debug;		/* what of the DMA API costs more: syncs of each packet, limits */
	bool verbose;		/* what libbpf and the verifier say, on stderr */
	size_t ring_bytes;	/* per CPU; a power of two of at least a page */
};

struct live_hook {
	enum ev_hook_state state;
	const char *function;	/* heard, or the first candidate */
	int err;		/* EV_HOOK_REFUSED: -errno */
};

/* Receives a record; 0 or -errno, which ends the poll. */
typedef int (*live_sink)(void *arg, const struct ev_hdr *rec);

/**
 * live_check() - Can anything be heard here at all?
 * @text: filled on failure with what is missing and the remedy
 *
 * Return: 0, -EPERM (rights), -ENOENT (no BTF) or -EOPNOTSUPP.
 */
int live_check(char *text, size_t len);

/** live_missing_symbol() - why symbols_find() did not find a symbol of the kernel, and the remedy */
void live_missing_symbol(char *text, size_t len);

/** live_cannot_load() - @what could not be loaded: -errno @err in words, with the remedy if there is one */
void live_cannot_load(const char *what, int err, char *text, size_t len);

/**
 * live_open() - Load and attach the programs; they write nothing yet
 * @opt:  options
 * @sink: where records go; the hook table's rows are the first
 * @arg:  for @sink
 * @out:  set on success
 * @text: filled on failure, for people
 *
 * A hook that this kernel lacks or refuses is a state of its row, not a failure.
 *
 * Return: 0, -ENODEV (no such device), -EPERM, or -errno.
 */
int live_open(const struct live_options *opt, live_sink sink, void *arg, struct live **out,
	      char *text, size_t len);

/**
 * live_start() - Listen, then read the state at the start
 *
 * Return: 0 or -errno.
 */
int live_start(struct live *l);

/** live_fd() - Readable when a ring fills up or a module came; drain at least every 100 ms anyway. */
int live_fd(const struct live *l);

/**
 * live_drain() - Hand over what the rings hold now; attach pending hooks
 *
 * Bounded: a ring that fills as fast as it is read does not keep the caller.
 *
 * Return: number of records handed over, or -errno of the sink.
 */
int live_drain(struct live *l);

/** live_complete_ns() - Return: all records that were made before have been handed over. */
uint64_t live_complete_ns(const struct live *l);

/** live_behind() - Did the last drain stop early, with records left in a ring? */
bool live_behind(const struct live *l);

/** live_mark() - Put an EV_MARK into the records. 0 or -errno of the sink. */
int live_mark(struct live *l, uint32_t kind, uint64_t value);

/** live_say() - Put a record of the recorder's own into the records, with time and number of now. 0 or -errno of the sink. */
int live_say(struct live *l, struct ev_hdr *rec);

/**
 * live_tick() - Once a second: read the kernel's counters of skipped programs
 *
 * After a loss the state is read again. Ends with an EV_MARK_TICK.
 *
 * Return: 0 or -errno.
 */
int live_tick(struct live *l);

/**
 * live_stop() - Listen no more, hand over all that is left; live_free() detaches
 *
 * Return: 0 or -errno of the sink.
 */
int live_stop(struct live *l);

/* Possible CPUs of this machine: as many rings and streams there are. */
unsigned int live_possible_cpus(void);

/** live_has_device() - Is @name, a name in sysfs, a member of an IOMMU group? */
bool live_has_device(const char *name);

/* Per CPU, valid after live_stop(): records lost, and sequence numbers used. */
const uint64_t *live_lost(const struct live *l);
const uint64_t *live_next(const struct live *l);

/** live_reads_state() - Can the state at the start be read on this kernel? */
bool live_reads_state(const struct live *l);

/* State of row @id of the hook table. */
const struct live_hook *live_hook(const struct live *l, unsigned int id);

/** live_free() - Detaches, which takes seconds. @l may be NULL. */
void live_free(struct live *l);

#endif
