// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* A free list over chunks; the last object freed is the next one handed out. */
#include <stdlib.h>

#include "pool.h"

#define CHUNK_BYTES 16384

struct pool_chunk {
	struct pool_chunk *next;
	char objects[];
};

void pool_init(struct pool *p, size_t size)
{
	p->size = (size + 7) / 8 * 8;
	p->free = NULL;
	p->chunks = NULL;
}

void pool_put(struct pool *p, void *obj)
{
	*(void **)obj = p->free;
	p->free = obj;
}

static int pool_grow(struct pool *p)
{
	size_t n = CHUNK_BYTES / p->size ?: 1;
	struct pool_chunk *c = malloc(sizeof(*c) + n * p->size);

	if (!c)
		return -1;

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
