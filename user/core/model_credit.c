// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What a record may cost. Some walk over much: a flush of everything over all caches, a doubt over
 * all ranges. A trace may be made of nothing else, and must not take the square of its length.
 *
 * So walks take their steps from a credit, which each record adds to. Real recordings never
 * use it up; in one that does, the walk ends, and with it everything that was known: that
 * is never wrong, and what is told afterwards rests on what is heard afterwards.
 */
#include "model_priv.h"

#define CREDIT_MAX (16 << 20)
#define CREDIT_OF_RECORD 512

void credit_init(struct model *m)
{
	m->credit = CREDIT_MAX;
	m->live.credit = &m->credit;
	m->gone.credit = &m->credit;
}

void credit_add(struct model *m)
{
	if (m->credit < CREDIT_MAX)
		m->credit += CREDIT_OF_RECORD;
}

bool model_affords(struct model *m, uint64_t n)
{
	if (m->credit >= 0 && (uint64_t)m->credit >= n) {
		m->credit -= n;
		return true;
	}
	m->unknown++;
	m->cut_short++;
	return false;
}

/* As model_doubt(), but debts stay where they are, unsure: this must not be a walk. */
static void credit_gone(struct model *m)
{
	m->sure_epoch = ++m->epoch;
	if (m->now > m->doubt_end_ns)
		m->doubt_end_ns = m->now;
}

bool model_steps(struct model *m, unsigned int n)
{
	if (model_affords(m, n))
		return true;
	credit_gone(m);
	return false;
}

bool model_step(struct model *m)
{
	return model_steps(m, 1);
}
