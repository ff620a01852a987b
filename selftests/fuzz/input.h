/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What a fuzzer gives, as numbers; what must hold. */
#ifndef IOMMUSCOPE_FUZZ_INPUT_H
#define IOMMUSCOPE_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
			abort(); \
		} \
	} while (0)

struct input {
	const uint8_t *at;
	size_t left;
};

/* The next @bytes, 8 at most; behind the end 0. */
__attribute__((unused)) static uint64_t take(struct input *in, size_t bytes)
{
	uint64_t v = 0;

	if (bytes > in->left)
		bytes = in->left;
	memcpy(&v, in->at, bytes);
	in->at += bytes;
	in->left -= bytes;
	return v;
}

#endif
