/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Chance that can be repeated: xorshift64*. */
#ifndef IOMMUSCOPE_TEST_RND_H
#define IOMMUSCOPE_TEST_RND_H

#include <stdint.h>

/* Of rnd(); who wants to repeat something sets it, not to 0. */
__attribute__((unused)) static uint64_t rnd_state = 88172645463325252ULL;

static inline uint64_t rnd_step(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545f4914f6cdd1dULL;
}

__attribute__((unused)) static uint64_t rnd(uint64_t below)
{
	return (rnd_step(&rnd_state) >> 16) % below;
}

#endif
