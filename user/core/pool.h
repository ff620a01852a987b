/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Objects of one size without an allocator's header each; freed together. */
#ifndef IOMMUSCOPE_POOL_H
#define IOMMUSCOPE_POOL_H

#include <stddef.h>

struct pool_chunk;

struct pool {
	size_t size;
	size_t chunk_bytes;	/* of the next one */
	void *free;
	struct pool_chunk *chunks;
};

/** pool_init() - @size: bytes per object, at least that of a pointer, at most some hundred. */
void pool_init(struct pool *p, size_t size);

/** pool_get() - Return: an object with undefined content, or NULL without memory. */
void *pool_get(struct pool *p);

/** pool_put() - Give @obj back to the pool it came from. */
void pool_put(struct pool *p, void *obj);

/** pool_drain() - Free everything; objects still in use are gone, too. */
void pool_drain(struct pool *p);

#endif
