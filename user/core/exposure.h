/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Pages that were freed while a cache still held their translation, legally: their unmap was
 * queued. Each is open until the last cache was told to forget it; what is then known of all of a
 * domain are figures and the longest one.
 */
#ifndef IOMMUSCOPE_EXPOSURE_H
#define IOMMUSCOPE_EXPOSURE_H

#include <stdbool.h>
#include <stdint.h>

/* A record, for the story. */
struct told {
	uint64_t seq;
	uint64_t time_ns;
	uint32_t pid;
	uint16_t cpu;
	uint16_t kind;		/* enum ev_type; 0: none */
};

struct exposure {
	uint64_t iova;		/* of what was freed */
	uint64_t last;
	uint64_t paddr;
	uint64_t device;	/* behind a cache that held it */
	uint64_t cause;
	struct told map, unmap, freed;
	uint32_t epoch;
	unsigned int ticks;	/* of the recorder since then: proof that time passed in order */
	bool reported;
	struct exposure *next;
};

/* Durations from 0 to 2^64-1, sixteen steps to each power of two. */
#define EXPOSURE_STEPS 16
#define EXPOSURE_SLOTS (61 * EXPOSURE_STEPS)

struct exposures {
	struct exposure *open;
	uint64_t nopen;
	uint64_t count;		/* that ended with a flush */
	uint64_t bytes;
	uint64_t unjudged;	/* the domain died, or something was lost meanwhile */
	uint64_t longest_ns;
	struct exposure longest;
	struct told flush;	/* that ended the longest */
	uint32_t slots[EXPOSURE_SLOTS];
};

/** exposures_add_ns() - One more lasted @ns. */
void exposures_add_ns(struct exposures *x, uint64_t ns);

/** exposures_p99_ns() - Return: what 99 of 100 did not exceed; up to 1/16 too much. */
uint64_t exposures_p99_ns(const struct exposures *x);

#endif
