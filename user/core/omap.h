/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Ordered map from 64-bit keys to pointers: the six functions behind which the
 * choice of JudyL can be changed. Values are owned by the caller and are never NULL.
 *
 * One answer is remembered: checkers and model ask for the same place, one after the other.
 * Looking therefore writes, behind the const: a map is for one thread.
 */
#ifndef IOMMUSCOPE_OMAP_H
#define IOMMUSCOPE_OMAP_H

#include <stdint.h>

/* No key is in [low + 1, high]: the floor of each key in [low, high] is @value, with key @low. */
struct omap_memo {
	uint64_t low;
	uint64_t high;
	void *value;		/* NULL: nothing is remembered */
};

/* All zero is the empty map. */
struct omap {
	void *root;
	struct omap_memo memo;
};

/** omap_get() - Return: the value at exactly @key, or NULL. */
void *omap_get(const struct omap *m, uint64_t key);

/** omap_put() - Set @key to @value, replacing. Return: 0 or -ENOMEM (unchanged). */
int omap_put(struct omap *m, uint64_t key, void *value);

/** omap_del() - Forget @key; nothing happens if it is not there. */
void omap_del(struct omap *m, uint64_t key);

/** omap_floor() - Return: the value at the greatest key <= @key, or NULL. */
void *omap_floor(const struct omap *m, uint64_t key);

/** omap_ceil() - Return: the value at the least key >= @key, or NULL. */
void *omap_ceil(const struct omap *m, uint64_t key);

/** omap_clear() - Free the map, not the values; it is empty afterwards. */
void omap_clear(struct omap *m);

#endif
