/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Intents, and what they caused. An intent's record comes at its end, behind those of the
 * actions inside it.
 */
#ifndef IOMMUSCOPE_CAUSE_H
#define IOMMUSCOPE_CAUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "range.h"

struct domain;
struct model;

/* An intent that ended lately. */
struct intent {
	uint64_t id;
	uint64_t object;	/* device or container */
	uint64_t iova;
	uint64_t last;
	uint64_t begin;
	uint64_t end;
	uint64_t seq;
	uint32_t pid;
	uint16_t cpu;
	uint16_t kind;		/* enum ev_type */
};

#define INTENTS 4096

/* A known-live part that an unmap removed. */
struct piece {
	struct domain *domain;
	struct range range;	/* clipped to what was removed */
	bool sure;
	uint64_t seq;		/* of the unmap */
	uint64_t end;
	uint32_t pid;
	uint16_t cpu;
};

#define CAUSE_PIECES 8
#define CAUSE_DOMAINS 4

/* The actions that an intent caused, until its own record comes. */
struct cause {
	uint64_t id;
	bool mapped[4];		/* by prot & 3: an example in @maps */
	bool overflow;		/* more was removed than @pieces hold */
	int32_t refused;	/* -errno of the first map that failed, told by @refusal; 0 none */
	bool refused_free;	/* surely nothing was there */
	unsigned int npieces;
	unsigned int ndomains;
	struct cause *prev;
	struct cause *next;
	struct domain *domains[CAUSE_DOMAINS];
	struct piece maps[4];
	struct piece refusal;
	struct piece pieces[CAUSE_PIECES];
};

/**
 * model_intent() - Return: the intent @id if it ended lately or is kept, or NULL
 *
 * A kept one that has not ended yet has kind 0.
 */
const struct intent *model_intent(const struct model *m, uint64_t id);

/** model_keep_intent() - A finding names @id: do not forget it. Return: 0 or -ENOMEM. */
int model_keep_intent(struct model *m, uint64_t id);

/** model_cause() - Return: what intent @id has caused so far, or NULL. */
const struct cause *model_cause(const struct model *m, uint64_t id);

#endif
