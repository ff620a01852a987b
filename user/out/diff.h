/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What is different between two snapshots, for people and for programs. */
#ifndef IOMMUSCOPE_OUT_DIFF_H
#define IOMMUSCOPE_OUT_DIFF_H

#include <stdbool.h>
#include <stdio.h>

#include "core/delta.h"

struct out_diff {
	FILE *to;
	const char *before, *after;	/* paths */
	const struct matched *matched;
};

/* What it came to. */
struct diff_sum {
	uint64_t domains;	/* of one or both */
	uint64_t domains_changed;	/* came and went included */
	uint64_t uncompared;	/* tables that could not be */
	uint64_t devices;
	uint64_t devices_changed;
	struct delta_count pages;	/* of all domains */
};

/** diff_differs() - Is anything different? diff_unsure(): is there something that nobody can say? */
bool diff_differs(const struct diff_sum *sum);
bool diff_unsure(const struct diff_sum *sum);

/** diff_sum_domain(), diff_sum_device() - For the outputs: count one. */
void diff_sum_domain(struct diff_sum *sum, const struct domain_pair *p,
		     const struct delta_count *pages);
void diff_sum_device(struct diff_sum *sum, const struct device_pair *p);

/** diff_kind_word() - "mapped", ...; diff_change_word(): of one bit of DELTA_* */
const char *diff_kind_word(enum delta_kind kind);
const char *diff_change_word(uint32_t bit);

/** text_diff(), json_diff() - All of it; @sum is filled. */
void text_diff(const struct out_diff *o, struct diff_sum *sum);
void json_diff(const struct out_diff *o, struct diff_sum *sum);

#endif
