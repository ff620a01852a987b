// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "out/stacks.h"

#include <errno.h>
#include <stdlib.h>

#include "core/omap.h"
#include "out/out.h"

struct wanted {
	uint64_t key;
	bool taken;
	struct ev_stack stack;
};

struct stacks {
	struct omap by_record;	/* key_of() -> struct wanted */
};

/* A CPU that numbers 2^48 records would run for years. */
static uint64_t key_of(uint16_t cpu, uint64_t seq)
{
	return (uint64_t)cpu << 48 ^ seq;
}

static int want(struct stacks *s, const struct ref *r)
{
	uint64_t key = key_of(r->cpu, r->seq);
	struct wanted *w;

	if (omap_get(&s->by_record, key))
		return 0;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->key = key;
	if (omap_put(&s->by_record, key, w)) {
		free(w);
		return -ENOMEM;
	}
	return 0;
}

int stacks_new(const struct report *rep, struct stacks **out)
{
	struct stacks *s = calloc(1, sizeof(*s));
	const struct finding *f;
	unsigned int i;
	int err = s ? 0 : -ENOMEM;

	for (f = report_next(rep, NULL); f && !err; f = report_next(rep, f)) {
		for (i = 0; i < f->nrefs && !err; i++)
			err = want(s, &f->refs[i]);
	}
	if (err)
		stacks_free(s);
	else
		*out = s;
	return err;
}

void stacks_take(struct stacks *s, const struct ev_stack *rec)
{
	struct wanted *w = omap_get(&s->by_record, key_of(rec->h.cpu, rec->of_seq));

	if (!w || w->taken)
		return;
	w->taken = true;
	w->stack = *rec;
	if (w->stack.count > EV_STACK_DEPTH)
		w->stack.count = EV_STACK_DEPTH;
}

const struct ev_stack *stacks_find(const struct stacks *s, uint16_t cpu, uint64_t seq)
{
	const struct wanted *w = s ? omap_get(&s->by_record, key_of(cpu, seq)) : NULL;

	return w && w->taken ? &w->stack : NULL;
}

const struct ev_stack *out_stack(const struct out *o, const struct ref *r)
{
	return stacks_find(o->stacks, r->cpu, r->seq);
}

void stacks_free(struct stacks *s)
{
	struct wanted *w;

	if (!s)
		return;
	for (w = omap_ceil(&s->by_record, 0); w; w = omap_ceil(&s->by_record, 0)) {
		omap_del(&s->by_record, w->key);
		free(w);
	}
	free(s);
}
