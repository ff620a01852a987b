// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/holes.h"

/* A new hole at position @i. */
static int insert(struct holes *h, size_t i, const struct hole *hole)
{
	size_t slots = h->slots ? h->slots * 2 : 16;
	struct hole *grown;

	if (h->count == h->slots) {
		grown = realloc(h->list, slots * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		h->list = grown;
		h->slots = slots;
	}

	memmove(&h->list[i + 1], &h->list[i], (h->count - i) * sizeof(*hole));
	h->list[i] = *hole;
	h->count++;
	return 0;
}

static void remove_holes(struct holes *h, size_t i, size_t n)
{
	h->count -= n;
	memmove(&h->list[i], &h->list[i + n], (h->count - i) * sizeof(*h->list));
}

/* The first hole that ends behind @seq. */
static size_t find(const struct holes *h, uint64_t seq)
{
	size_t low = 0, high = h->count, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (h->list[mid].end <= seq)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int fill(struct holes *h, uint64_t seq, uint64_t time_ns)
{
	size_t i = find(h, seq);
	struct hole *hole, below;

	if (i == h->count || h->list[i].first > seq) {
		h->again++;
		return 0;
	}

	hole = &h->list[i];
	if (hole->end - hole->first == 1) {
		remove_holes(h, i, 1);
		return 0;
	}
	if (seq == hole->first) {
		hole->first++;
		return 0;
	}
	if (seq == hole->end - 1) {
		hole->end--;
		hole->to_ns = time_ns;
		return 0;
	}

	below = *hole;
	below.end = seq;
	below.to_ns = time_ns;
	hole->first = seq + 1;
	return insert(h, i, &below);
}

/* This record was made by what may have overtaken, or run inside, what is missing. */
static void widen(struct holes *h, uint64_t seq, uint64_t time_ns)
{
	struct hole *hole;
	size_t i;

	for (i = h->count; i-- > 0;) {
		hole = &h->list[i];
		if (seq >= hole->end && seq - hole->end >= HOLES_CONTEXTS)
			break;
		if (seq >= hole->end && time_ns - hole->to_ns < HOLES_NEST_NS)
			hole->to_ns = time_ns;
	}
}

int holes_see(struct holes *h, uint64_t seq, uint64_t time_ns, uint64_t index)
{
	struct hole hole = { h->next_seq, seq, time_ns, index };

	if (h->count)
		widen(h, seq, time_ns);
	if (seq < hole.first)
		return fill(h, seq, time_ns);

	h->next_seq = seq + 1;
	return seq == hole.first ? 0 : insert(h, h->count, &hole);
}

uint64_t holes_take(struct holes *h, uint64_t index, uint64_t *to_ns)
{
	uint64_t lost = 0, to = 0;
	size_t i;

	for (i = 0; i < h->count && h->list[i].opener <= index; i++) {
		lost += h->list[i].end - h->list[i].first;
		if (h->list[i].to_ns > to)
			to = h->list[i].to_ns;
	}
	if (!i)
		return 0;

	remove_holes(h, 0, i);
	*to_ns = to;
	return lost;
}

void holes_free(struct holes *h)
{
	free(h->list);
	memset(h, 0, sizeof(*h));
}
