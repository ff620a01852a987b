/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A page table that is read again and again beside a recording, against the live ranges that the recording
 * made of what it heard. A part of the model: who reads it includes model.h.
 *
 * A difference is a suspect first. It stands if the next reading sees the same, and no call touched the
 * place from the first reading's begin to the second one's end.
 *
 * Why that is enough: a call that is not heard yet when a reading ends may have changed what the reading
 * saw. At one moment of the second reading no call was under way (EV_READ_CALM): each call that the first
 * reading can have seen half done had ended by then, and has been heard before the second one's end.
 *
 * Invariants
 * - Suspects, unknown spans and those of one reading that are compared rise and are disjoint.
 * - What is in no live range and in no unknown span is surely not mapped, as long as @known_epoch is sure.
 */
#ifndef IOMMUSCOPE_WATCH_H
#define IOMMUSCOPE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reading.h"

struct domain;
struct model;
struct op;

enum suspect_state {
	SUSPECT_NEW,		/* seen once */
	SUSPECT_STANDS,		/* seen twice */
	SUSPECT_OURS,		/* the same, but the kernel's own books agree with the table: we missed something */
	SUSPECT_UNSURE,		/* the same, but calls for that place ran side by side */
};

struct suspect {
	enum diff_kind kind;
	enum suspect_state state;
	uint64_t first;
	uint64_t last;		/* inclusive */
	uint64_t seen_ns;	/* end of the reading that saw it first */
	struct book_area area;	/* what the trace says; last < first: nothing */
	struct walk_run run;	/* what the table says; last < iova: nothing */
};

/* Spans that are gathered. */
struct spans {
	struct read_span *at;
	size_t count;
	size_t room;
};

struct watch {
	bool open;		/* a reading has begun and not ended */
	bool calm;		/* the last one was EV_READ_CALM */
	bool all_touched;	/* too many to be kept */
	uint64_t begin_ns;	/* of that reading */
	uint32_t begin_epoch;
	uint32_t known_epoch;	/* of the last reading that told what is mapped; 0: none did */
	struct spans touched;	/* by calls since @begin_ns, in any order */
	struct spans unknown;
	struct suspect *suspects;	/* of the last reading, that nothing touched since */
	size_t nsuspects;
	size_t suspects_room;
};

#endif
