// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* A chained hash table that doubles when there are two ranges to a chain. */
#include <errno.h>
#include <stdlib.h>

#include "frame.h"

#define LEAST_CLASS 12
#define LEAST_SIZE 1024
#define REHASH_AHEAD 16
#define LOOK_STEPS 4	/* of the credit: who is told may make a finding */

static unsigned int class_of(const struct range *r)
{
	uint64_t more = r->last - r->iova;
	unsigned int k = more ? 64 - __builtin_clzll(more) : 0;

	return k < LEAST_CLASS ? LEAST_CLASS : k < FRAME_CLASSES ? k : FRAME_CLASSES - 1;
}

static size_t slot_of(const struct frames *f, uint64_t block, unsigned int k)
{
	uint64_t h = (block ^ (uint64_t)k << 52) * 0x9e3779b97f4a7c15ULL;

	return (h ^ h >> 32) & (f->size - 1);
}

static size_t slot_for(const struct frames *f, const struct range *r)
{
	unsigned int k = class_of(r);

	return slot_of(f, r->paddr >> k, k);
}

/* All that one page is mapped at is one chain: it must not be walked to take one out. */
static void chain_push(struct frames *f, struct range *r)
{
	struct range **head = &f->table[slot_for(f, r)];

	r->peer = *head;
	r->held = head;
	if (r->peer)
		r->peer->held = &r->peer;
	*head = r;
}

static void rehash(struct frames *f, struct range **old, size_t n)
{
	struct range *r, *next;
	size_t i;

	for (i = 0; i < n; i++) {
		if (i + REHASH_AHEAD < n)
			__builtin_prefetch(old[i + REHASH_AHEAD]);
		for (r = old[i]; r; r = next) {
			next = r->peer;
			chain_push(f, r);
		}
	}
}

/* Return: is there a table? One that cannot grow has longer chains. */
static bool make_room(struct frames *f)
{
	size_t n = f->size, size = n ? n * 2 : LEAST_SIZE;
	struct range **old = f->table, **table;

	if (n && f->count < n * 2)
		return true;
	table = calloc(size, sizeof(*table));
	if (!table)
		return n;
	f->table = table;
	f->size = size;
	rehash(f, old, n);
	free(old);
	return true;
}

void frames_prefetch(const struct frames *f, uint64_t paddr, uint64_t bytes)
{
	const struct range like = { .paddr = paddr, .last = bytes - 1 };

	if (f->on && f->size)
		__builtin_prefetch(&f->table[slot_for(f, &like)], 1);
}

void frames_add(struct frames *f, struct range *r)
{
	uint64_t end;

	if (!f || !f->on || r->paddr == PADDR_UNKNOWN ||
	    __builtin_add_overflow(r->paddr, r->last - r->iova, &end) || !make_room(f))
		return;
	chain_push(f, r);
	r->flags |= RANGE_FRAMED;
	f->used[class_of(r)]++;
	f->classes |= 1ULL << class_of(r);
	f->count++;
}

void frames_del(struct frames *f, struct range *r)
{
	if (!(r->flags & RANGE_FRAMED))
		return;
	*r->held = r->peer;
	if (r->peer)
		r->peer->held = r->held;
	r->flags &= ~RANGE_FRAMED;
	if (!--f->used[class_of(r)])
		f->classes &= ~(1ULL << class_of(r));
	f->count--;
}

struct walk {
	uint64_t paddr;
	uint64_t last;
	frame_fn fn;
	void *arg;
};

static bool may_look(const struct frames *f)
{
	return !f->credit || (*f->credit -= LOOK_STEPS) >= 0;
}

/* Those of one chain whose key is @block of class @k; others of the chain have their own turn. */
static int walk_chain(const struct frames *f, const struct walk *w, uint64_t block, unsigned int k)
{
	struct range *r = f->table[slot_of(f, block, k)];
	int ret = 0;

	for (; r && !ret; r = r->peer) {
		if (!may_look(f))
			return -E2BIG;
		if (r->paddr >> k == block && class_of(r) == k && r->paddr <= w->last &&
		    r->paddr + (r->last - r->iova) >= w->paddr)
			ret = w->fn(w->arg, r);
	}
	return ret;
}

static int walk_all(const struct frames *f, const struct walk *w)
{
	struct range *r;
	size_t i;
	int ret = 0;

	for (i = 0; i < f->size && !ret; i++) {
		for (r = f->table[i]; r && !ret; r = r->peer) {
			if (!may_look(f))
				return -E2BIG;
			if (r->paddr <= w->last && r->paddr + (r->last - r->iova) >= w->paddr)
				ret = w->fn(w->arg, r);
		}
	}
	return ret;
}

int frames_each(const struct frames *f, uint64_t paddr, uint64_t last, frame_fn fn, void *arg)
{
	struct walk w = { .paddr = paddr, .last = last, .fn = fn, .arg = arg };
	uint64_t block, left;
	unsigned int k;
	int ret = 0;

	if (!f->count)
		return 0;
	if ((last - paddr) >> LEAST_CLASS >= f->size)
		return walk_all(f, &w);
	for (left = f->classes; left && !ret; left &= left - 1) {
		k = __builtin_ctzll(left);
		block = paddr >> k;
		for (block -= !!block; block <= last >> k && !ret; block++)
			ret = walk_chain(f, &w, block, k);
	}
	return ret;
}

void frames_free(struct frames *f)
{
	free(f->table);
	f->table = NULL;
	f->size = 0;
	f->count = 0;
}
