// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The list of findings. Looking for twins is hashed; taking back walks from the newest to the
 * oldest that may be concerned. Who began long ago concerns all of them: as in model_credit.c,
 * walks take their steps from a credit that each record adds to, and what none is left for is
 * taken back unseen.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

/* A flood of different findings says no more than its first part. */
#define FINDINGS_MAX 100000

#define CREDIT_MAX (16 << 20)
#define CREDIT_OF_RECORD 64
#define STEPS_OF_RECORD 512

static const char *const names[FINDING_COUNT] = {
	[FINDING_MAP_OVERLAP] = "map-overlap",
	[FINDING_MAP_WIDE] = "map-wide",
	[FINDING_UNMAP_SHORT] = "unmap-short",
	[FINDING_UNMAP_WIDE] = "unmap-wide",
	[FINDING_LEAK_ON_FREE] = "leak-on-free",
	[FINDING_STALE_IOTLB] = "stale-iotlb",
	[FINDING_FLUSH_SHORT] = "flush-short",
	[FINDING_DMA_UNMAP_MISMATCH] = "dma-unmap-mismatch",
	[FINDING_CALLER_RACE] = "caller-race",
	[FINDING_TABLE_FREED_EARLY] = "table-freed-early",
	[FINDING_MAP_NOT_SYNCED] = "map-not-synced",
	[FINDING_STALE_AFTER_SWITCH] = "stale-after-switch",
	[FINDING_UNION_AFTER_REPLAY] = "union-after-replay",
	[FINDING_REPLAY_MISSING] = "replay-missing",
	[FINDING_REPLAY_REFUSED] = "replay-refused",
	[FINDING_MAP_OUTSIDE] = "map-outside",
	[FINDING_UNMAP_NOTHING] = "unmap-nothing",
	[FINDING_FREED_WHILE_MAPPED] = "freed-while-mapped",
	[FINDING_LAZY_EXPOSURE] = "lazy-exposure",
	[FINDING_FAULT_AFTER_UNMAP] = "fault-after-unmap",
	[FINDING_FAULT_WHILE_LIVE] = "fault-while-live",
	[FINDING_LEFT_MAPPED] = "left-mapped",
	[FINDING_TABLE_MISSING] = "table-missing",
	[FINDING_TABLE_EXTRA] = "table-extra",
	[FINDING_TABLE_DIFFERS] = "table-differs",
	[FINDING_ROOT_DIFFERS] = "root-differs",
	[FINDING_INTENT_DIFFERS] = "intent-differs",
	[FINDING_ORACLE_DIFFERS] = "oracle-differs",
};

const char *finding_name(enum finding_id id)
{
	return (unsigned int)id < FINDING_COUNT ? names[id] : "unknown";
}

const char *grade_name(enum grade grade)
{
	static const char *const grades[] = { "note", "exposure", "violation" };

	return (unsigned int)grade < 3 ? grades[grade] : "unknown";
}

void report_init(struct report *rep)
{
	memset(rep, 0, sizeof(*rep));
	rep->tail = &rep->first;
	rep->credit = CREDIT_MAX;
	rep->steps = CREDIT_MAX;
}

void report_drain(struct report *rep)
{
	struct finding *f;

	while ((f = rep->first)) {
		rep->first = f->next;
		free(f);
	}
	omap_clear(&rep->twins);
	rep->tail = &rep->first;
	rep->newest = NULL;
	rep->settled = NULL;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ULL;
	return h ^ (h >> 29);
}

/* Two kinds of misuse of one mapping are two findings. */
static const char *finding_what(const struct finding *f)
{
	return f->ndetails && f->details[0].kind == DETAIL_TEXT ? f->details[0].text : NULL;
}

static uint64_t finding_hash(const struct finding *f)
{
	uint64_t h = mix(f->id + 1, f->domain);

	h = mix(h, f->domain_gen);
	h = mix(h, f->device);
	h = mix(h, f->iommu);
	h = mix(h, (uint64_t)f->cache_kind << 32 | f->cache_id);
	h = mix(h, f->container);
	h = mix(h, f->iova);
	h = mix(h, f->last);
	return mix(h, f->cause);
}

static bool finding_same(const struct finding *a, const struct finding *b)
{
	return a->id == b->id && a->domain == b->domain && a->domain_gen == b->domain_gen &&
	       a->device == b->device && a->iommu == b->iommu && a->iova == b->iova &&
	       a->container == b->container && a->cache_kind == b->cache_kind && a->cache_id == b->cache_id &&
	       a->last == b->last && a->cause == b->cause && a->grade == b->grade &&
	       finding_what(a) == finding_what(b);
}

static struct finding *find_twin(const struct report *rep, const struct finding *f, uint64_t hash)
{
	struct finding *t;

	for (t = omap_get(&rep->twins, hash); t; t = t->twin) {
		if (!t->retracted && finding_same(t, f))
			return t;
	}
	return NULL;
}

static int report_store(struct report *rep, const struct finding *f, uint64_t hash)
{
	struct finding *n = malloc(sizeof(*n));

	if (!n)
		return -ENOMEM;
	*n = *f;
	n->count = 1;
	n->retracted = false;
	n->next = NULL;
	n->prev = rep->newest;
	n->upto_ns = n->prev && n->prev->upto_ns > n->time_ns ? n->prev->upto_ns : n->time_ns;
	n->twin = omap_get(&rep->twins, hash);
	if (omap_put(&rep->twins, hash, n)) {
		free(n);
		return -ENOMEM;
	}
	*rep->tail = n;
	rep->tail = &n->next;
	rep->newest = n;
	rep->stored++;
	if (n->time_ns > rep->newest_ns)
		rep->newest_ns = n->time_ns;
	return 0;
}

int report_add(struct report *rep, const struct finding *f)
{
	uint64_t hash = finding_hash(f);
	struct finding *twin;

	if (rep->quiet) {
		rep->tally.suppressed++;
		return 0;
	}
	twin = find_twin(rep, f, hash);
	if (twin) {
		twin->count++;
		return 0;
	}
	if (rep->stored >= FINDINGS_MAX) {
		rep->tally.dropped++;
		return 0;
	}
	return report_store(rep, f, hash);
}

const struct finding *report_next(const struct report *rep, const struct finding *prev)
{
	const struct finding *f = prev ? prev->next : rep->first;

	while (f && f->retracted)
		f = f->next;
	return f;
}

uint64_t report_count(const struct report *rep, enum grade grade)
{
	const struct finding *f;
	uint64_t n = 0;

	for (f = report_next(rep, NULL); f; f = report_next(rep, f))
		n += f->grade >= grade;
	return n;
}

const struct tally *report_tally(const struct report *rep)
{
	return &rep->tally;
}

/* ---- taking back ---- */

void report_turn(struct report *rep)
{
	if (rep->credit < CREDIT_MAX)
		rep->credit += CREDIT_OF_RECORD;
	if (rep->steps < CREDIT_MAX)
		rep->steps += STEPS_OF_RECORD;
}

bool report_step(struct report *rep)
{
	if (rep->steps > 0) {
		rep->steps--;
		return true;
	}
	rep->tally.unknown++;
	rep->tally.cut_short++;
	return false;
}

/* What a walk could not look at might be explained: nothing of it stands. */
static void settle_all(struct report *rep)
{
	struct finding *f;

	rep->tally.cut_short++;
	for (f = rep->newest; f != rep->settled; f = f->prev) {
		rep->tally.retracted += !f->retracted;
		f->retracted = true;
	}
	rep->settled = rep->newest;
}

/* From @f on backwards, the first that stands and may be of @since_ns or later. */
static struct finding *standing(struct report *rep, struct finding *f, uint64_t since_ns)
{
	for (; f && f != rep->settled && f->upto_ns >= since_ns; f = f->prev) {
		if (--rep->credit < 0) {
			settle_all(rep);
			return NULL;
		}
		if (!f->retracted)
			return f;
	}
	return NULL;
}

void report_retract(struct report *rep, uint64_t since_ns, report_match_fn match, void *arg)
{
	struct finding *f = standing(rep, rep->newest, since_ns);

	for (; f; f = standing(rep, f->prev, since_ns)) {
		if (match && !match(arg, f))
			continue;
		f->retracted = true;
		rep->tally.retracted++;
	}
}

void report_fold(struct report *rep, uint64_t since_ns, report_match_fn match, void *arg)
{
	struct finding *f = standing(rep, rep->newest, since_ns);

	for (; f; f = standing(rep, f->prev, since_ns)) {
		if (match(arg, f))
			f->retracted = true;
	}
}

void report_soften(struct report *rep, uint64_t since_ns, report_match_fn match, void *arg,
		   enum finding_id id, const char *why)
{
	struct finding *f = standing(rep, rep->newest, since_ns);

	for (; f; f = standing(rep, f->prev, since_ns)) {
		if (f->grade == GRADE_NOTE || !match(arg, f))
			continue;
		f->grade = GRADE_NOTE;
		if (id != FINDING_COUNT)
			f->id = id;
		finding_text(f, "why", why);
	}
}

void finding_ref(struct finding *f, const char *role, const struct ref *r)
{
	if (f->nrefs == FINDING_REFS)
		return;

	f->refs[f->nrefs] = *r;
	f->refs[f->nrefs++].role = role;
}

void finding_op(struct finding *f, const char *role, const struct op *op)
{
	struct ref r = {
		.kind = op->kind,
		.cpu = op->cpu,
		.pid = op->pid,
		.seq = op->seq,
		.time_ns = op->end,
		.cause = op->cause,
	};

	if (op->kind == EV_DMA_MAP || op->kind == EV_DMA_UNMAP || op->kind == EV_DMA_SYNC)
		r.caller = op->u.dma.caller;
	finding_ref(f, role, &r);
}

static void detail_add(struct finding *f, const struct detail *d)
{
	if (f->ndetails < FINDING_DETAILS)
		f->details[f->ndetails++] = *d;
}

void finding_hex(struct finding *f, const char *key, uint64_t value)
{
	detail_add(f, &(struct detail){ .key = key, .kind = DETAIL_HEX, .value = value });
}

void finding_dec(struct finding *f, const char *key, uint64_t value)
{
	detail_add(f, &(struct detail){ .key = key, .kind = DETAIL_DEC, .value = value });
}

void finding_text(struct finding *f, const char *key, const char *text)
{
	detail_add(f, &(struct detail){ .key = key, .kind = DETAIL_TEXT, .text = text });
}

void finding_name_of(struct finding *f, const char *key, const char *name)
{
	struct detail d = { .key = key, .kind = DETAIL_NAME };

	memcpy(d.name, name, strnlen(name, sizeof(d.name) - 1));
	detail_add(f, &d);
}
