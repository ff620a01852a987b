/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The kernel's counters of skipped programs, which are the only word about them. */
#ifndef IOMMUSCOPE_LIVE_MISSES_H
#define IOMMUSCOPE_LIVE_MISSES_H

#include <stdint.h>

#include "live/loader.h"

/** misses_of() - Return: how often the kernel skipped @prog; 0 for none. */
uint64_t misses_of(const struct bpf_program *prog);

/** misses_forget() - What was skipped before we listened is no loss. */
void misses_forget(struct loader *ld);

/** misses_sum() - Return: the skips, as last read, that leave open who is attached where. */
uint64_t misses_sum(const struct loader *ld);

/** gaps_end() - Make every CPU write records: a gap lasts until its CPU's next one. */
void gaps_end(struct loader *ld);

#endif
