// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/event.h"
#include "trace/pending.h"

static int grow(void **mem, size_t *have, size_t want, size_t size)
{
	size_t n = *have ? *have : 64;
	void *grown;

	while (n < want)
		n *= 2;
	grown = realloc(*mem, n * size);
	if (!grown)
		return -ENOMEM;

	*mem = grown;
	*have = n;
	return 0;
}

static int make_room(struct pending *p, size_t len)
{
	int err = 0;

	if (p->bytes + len > p->arena_size)
		err = grow((void **)&p->arena, &p->arena_size, p->bytes + len, 1);
	if (!err && p->count == p->slots)
		err = grow((void **)&p->entries, &p->slots, p->count + 1,
			   sizeof(*p->entries));
	return err;
}

int pending_add(struct pending *p, const struct ev_hdr *rec, uint64_t time_ns)
{
	struct pending_entry *e;
	size_t i;
	int err;

	err = make_room(p, rec->len);
	if (err)
		return err;

	memcpy(p->arena + p->bytes, rec, rec->len);
	((struct ev_hdr *)(p->arena + p->bytes))->time_ns = time_ns;

	for (i = p->count; i && p->entries[i - 1].time_ns > time_ns; i--)
		;
	e = &p->entries[i];
	memmove(e + 1, e, (p->count - i) * sizeof(*e));
	e->time_ns = time_ns;
	e->offset = p->bytes;

	p->bytes += rec->len;
	p->count++;
	return 0;
}

const struct ev_hdr *pending_at(const struct pending *p, size_t i)
{
	return (const void *)(p->arena + p->entries[i].offset);
}

size_t pending_older(const struct pending *p, uint64_t time_ns)
{
	size_t low = 0, high = p->count, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (p->entries[mid].time_ns < time_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Records left in front of the oldest kept one (by arrival) are given back. */
void pending_drop(struct pending *p, size_t n)
{
	uint32_t front = p->bytes;
	size_t i;

	if (!n)
		return;
	p->count -= n;
	memmove(p->entries, p->entries + n, p->count * sizeof(*p->entries));

	for (i = 0; i < p->count; i++) {
		if (p->entries[i].offset < front)
			front = p->entries[i].offset;
	}
	if (!front)
		return;

	memmove(p->arena, p->arena + front, p->bytes - front);
	p->bytes -= front;
	for (i = 0; i < p->count; i++)
		p->entries[i].offset -= front;
}

void pending_free(struct pending *p)
{
	free(p->arena);
	free(p->entries);
	memset(p, 0, sizeof(*p));
}
