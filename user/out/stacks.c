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

/* The last piece of a scatterlist that one CPU has told: a stack behind it is all pieces'. */
struct sg_last {
	uint64_t cpu;
	uint64_t seq;
	uint64_t sg_id;
	struct omap wanted;	/* of that scatterlist: seq -> struct wanted */
};

struct stacks {
	struct omap by_record;	/* key_of() -> struct wanted */
	struct omap by_cpu;	/* CPU -> struct sg_last */
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

static void give(struct wanted *w, const struct ev_stack *rec)
{
	if (!w || w->taken)
		return;
	w->taken = true;
	w->stack = *rec;
	if (w->stack.count > EV_STACK_DEPTH)
		w->stack.count = EV_STACK_DEPTH;
}

static void take_stack(struct stacks *s, const struct ev_stack *rec)
{
	struct sg_last *p = omap_get(&s->by_cpu, rec->h.cpu);
	struct wanted *w;

	give(omap_get(&s->by_record, key_of(rec->h.cpu, rec->of_seq)), rec);
	if (!p || p->seq != rec->of_seq)
		return;
	while ((w = omap_ceil(&p->wanted, 0))) {
		give(w, rec);
		omap_del(&p->wanted, w->key);
	}
}

static struct sg_last *last_of(struct stacks *s, uint16_t cpu)
{
	struct sg_last *p = omap_get(&s->by_cpu, cpu);

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (p && omap_put(&s->by_cpu, cpu, p)) {
		free(p);
		return NULL;
	}
	if (p)
		p->cpu = cpu;
	return p;
}

/* Without memory its stack is missing, no more. */
static void take_piece(struct stacks *s, const struct ev_map *rec)
{
	uint64_t key = key_of(rec->op.h.cpu, rec->op.h.seq);
	struct wanted *w = omap_get(&s->by_record, key);
	struct sg_last *p = last_of(s, rec->op.h.cpu);

	if (!p)
		return;
	if (p->sg_id != rec->op.id)
		omap_clear(&p->wanted);
	p->sg_id = rec->op.id;
	p->seq = rec->op.h.seq;
	if (w)
		omap_put(&p->wanted, key, w);
}

void stacks_take(struct stacks *s, const struct ev_hdr *rec)
{
	if (rec->type == EV_STACK && rec->len >= sizeof(struct ev_stack))
		take_stack(s, (const struct ev_stack *)rec);
	else if (rec->type == EV_MAP && rec->flags & EVF_SG && rec->len >= sizeof(struct ev_map))
		take_piece(s, (const struct ev_map *)rec);
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
	struct sg_last *p;

	if (!s)
		return;
	while ((p = omap_ceil(&s->by_cpu, 0))) {
		omap_del(&s->by_cpu, p->cpu);
		omap_clear(&p->wanted);
		free(p);
	}
	for (w = omap_ceil(&s->by_record, 0); w; w = omap_ceil(&s->by_record, 0)) {
		omap_del(&s->by_record, w->key);
		free(w);
	}
	free(s);
}
