/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A reading that can be trusted. Table and books are read one after the other while the kernel goes on. So
 * wherever they differ, that place is read again, between two marks (live/ops.h) that say that nothing changed in
 * between, until it is the same twice; what never holds still is in flux.
 */
#ifndef IOMMUSCOPE_SETTLE_H
#define IOMMUSCOPE_SETTLE_H

#include "core/reading.h"
#include "live/host.h"
#include "live/oracle.h"
#include "live/process.h"

/* A domain that is being looked at. */
struct settled {
	struct host_domain domain;
	struct peek_owner owner;	/* its book is read, if it has one */
	struct reading reading;
	struct walk_count walked;
	struct process process;	/* its pages are read with the owner's book */
	const struct reading *expected;	/* BOOK_FILE of this one is a book; NULL: none */
	struct oracle *oracle;	/* second readings, begun for this domain; NULL: none */
	uint64_t begin_ns;
	bool traced;		/* beside a recording: was it calm, too? */
	uint32_t flags;		/* EV_READ_* */
};

/**
 * settle() - Read table and books of @s->domain into @s->reading
 * @s: domain and owner filled; reading holds the direct ranges
 *
 * Return: 0 or -errno.
 */
int settle(struct peek *p, struct settled *s);

#endif
