// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A free list over chunks; the last object freed is the next one handed out. Chunks get larger,
 * up to the size of a huge page: millions of objects, asked for in any order, then cost a miss in
 * the cache each, but not another for the page's address.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "pool.h"

#define CHUNK_BYTES 16384
#define HUGE_BYTES (2UL << 20)

struct pool_chunk {
	struct pool_chunk *next;
	char objects[];
};

void pool_init(struct pool *p, size_t size)
{
	p->size = (size + 7) / 8 * 8;
	p->chunk_bytes = CHUNK_BYTES;
	p->free = NULL;
	p->chunks = NULL;
}

void pool_put(struct pool *p, void *obj)
{
	*(void **)obj = p->free;
	p->free = obj;
}

/* An advice: without it everything works. */
static void *huge_alloc(void)
{
	void *mem = aligned_alloc(HUGE_BYTES, HUGE_BYTES);

	if (mem)
		madvise(mem, HUGE_BYTES, MADV_HUGEPAGE);
	return mem;
}

static int pool_grow(struct pool *p)
{
	size_t bytes = p->chunk_bytes, n = (bytes - sizeof(struct pool_chunk)) / p->size;
	struct pool_chunk *c = bytes == HUGE_BYTES ? huge_alloc() : malloc(bytes);

	if (!c)
		return -1;
	if (bytes < HUGE_BYTES)
		p->chunk_bytes = bytes * 2;

	c->next = p->chunks;
	p->chunks = c;
	while (n--)
		pool_put(p, c->objects + n * p->size);
	return 0;
}

void *pool_get(struct pool *p)
{
	void *obj;

	if (!p->free && pool_grow(p))
		return NULL;

	obj = p->free;
	p->free = *(void **)obj;
	return obj;
}

void pool_drain(struct pool *p)
{
	struct pool_chunk *c;

	while ((c = p->chunks)) {
		p->chunks = c->next;
		free(c);
	}
	p->free = NULL;
}
