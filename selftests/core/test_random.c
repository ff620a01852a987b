// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A random machine (random.h) against the slow checker (reference.h): the engine must find the
 * same, page by page, cache by cache and word by word.
 *
 * Every kind of finding must really occur: a machine that never makes one proves nothing. How
 * many machines had each is printed.
 *
 * SEEDS=N: as many machines (50). SEED=N: that one, with all differences printed.
 */
#include "random.h"

#define STEPS 2500

/* What is compared, and must occur in 50 machines. @what: as the finding puts it. */
static const struct wanted {
	uint32_t id;
	uint32_t grade;
	const char *what;
} wanted[] = {
	{ FINDING_MAP_OVERLAP, GRADE_VIOLATION, NULL },
	{ FINDING_MAP_WIDE, GRADE_VIOLATION, NULL },
	{ FINDING_UNMAP_SHORT, GRADE_VIOLATION, NULL },
	{ FINDING_UNMAP_WIDE, GRADE_VIOLATION, NULL },
	{ FINDING_UNMAP_NOTHING, GRADE_NOTE, NULL },
	{ FINDING_LEAK_ON_FREE, GRADE_VIOLATION, NULL },
	{ FINDING_LEFT_MAPPED, GRADE_NOTE, NULL },
	{ FINDING_STALE_IOTLB, GRADE_VIOLATION, NULL },
	{ FINDING_FLUSH_SHORT, GRADE_VIOLATION, NULL },
	{ FINDING_TABLE_FREED_EARLY, GRADE_VIOLATION, NULL },
	{ FINDING_MAP_NOT_SYNCED, GRADE_VIOLATION, "none" },
	{ FINDING_MAP_NOT_SYNCED, GRADE_VIOLATION, "short" },
	{ FINDING_STALE_AFTER_SWITCH, GRADE_VIOLATION, "context cache" },
	{ FINDING_STALE_AFTER_SWITCH, GRADE_VIOLATION, "context cache of an alias" },
	{ FINDING_STALE_AFTER_SWITCH, GRADE_VIOLATION, "PASID cache" },
	{ FINDING_STALE_AFTER_SWITCH, GRADE_VIOLATION, "device table entry" },
	{ FINDING_STALE_AFTER_SWITCH, GRADE_VIOLATION, "device table entry of an alias" },
	{ FINDING_STALE_AFTER_SWITCH, GRADE_VIOLATION, "IOTLB" },
	{ FINDING_STALE_AFTER_SWITCH, GRADE_VIOLATION,
	  "IOTLB flushed before the entry, not after it" },
	{ FINDING_STALE_AFTER_SWITCH, GRADE_VIOLATION, "device TLB" },
	{ FINDING_STALE_AFTER_SWITCH, GRADE_NOTE, "device TLB" },
	{ FINDING_STALE_AFTER_SWITCH, GRADE_VIOLATION, "domain id reused" },
	{ FINDING_UNION_AFTER_REPLAY, GRADE_VIOLATION, NULL },
	{ FINDING_REPLAY_MISSING, GRADE_VIOLATION, NULL },
	{ FINDING_REPLAY_REFUSED, GRADE_VIOLATION, NULL },
	{ FINDING_REPLAY_REFUSED, GRADE_EXPOSURE, NULL },
	{ FINDING_MAP_OUTSIDE, GRADE_VIOLATION, NULL },
	{ FINDING_FREED_WHILE_MAPPED, GRADE_VIOLATION, "mapped" },
	{ FINDING_FREED_WHILE_MAPPED, GRADE_NOTE, "mapped" },
	{ FINDING_FREED_WHILE_MAPPED, GRADE_VIOLATION, "unmapped, not flushed" },
	{ FINDING_LAZY_EXPOSURE, GRADE_EXPOSURE, "count" },
	{ FINDING_LAZY_EXPOSURE, GRADE_EXPOSURE, "bytes" },
	{ FINDING_LAZY_EXPOSURE, GRADE_EXPOSURE, "longest_ns" },
	{ FINDING_LAZY_EXPOSURE, GRADE_VIOLATION, "the device is untrusted" },
	{ FINDING_LAZY_EXPOSURE, GRADE_VIOLATION, "the device used it" },
	{ FINDING_LAZY_EXPOSURE, GRADE_VIOLATION, "never flushed" },
	{ FINDING_DMA_UNMAP_MISMATCH, GRADE_VIOLATION,
	  "unmapped with another call than it was mapped with" },
	{ FINDING_DMA_UNMAP_MISMATCH, GRADE_VIOLATION, "unmapped with another size" },
	{ FINDING_DMA_UNMAP_MISMATCH, GRADE_VIOLATION, "unmapped with another number of entries" },
	{ FINDING_DMA_UNMAP_MISMATCH, GRADE_VIOLATION, "freed with another CPU address" },
	{ FINDING_DMA_UNMAP_MISMATCH, GRADE_VIOLATION, "unmapped with another direction" },
	{ FINDING_DMA_UNMAP_MISMATCH, GRADE_NOTE, "unmapped with other attributes" },
	{ FINDING_DMA_UNMAP_MISMATCH, GRADE_VIOLATION, "unmapped twice" },
	{ FINDING_DMA_UNMAP_MISMATCH, GRADE_VIOLATION, "unmapped, but never mapped" },
	{ FINDING_DMA_UNMAP_MISMATCH, GRADE_VIOLATION,
	  "unmapped what says that the map failed" },
	{ FINDING_DMA_UNMAP_MISMATCH, GRADE_VIOLATION, "mapped memory of the stack" },
	{ FINDING_DMA_UNMAP_MISMATCH, GRADE_VIOLATION, "mapped kernel code" },
	{ FINDING_DMA_UNMAP_MISMATCH, GRADE_VIOLATION,
	  "mapped read-only kernel data for writing" },
	{ FINDING_DMA_UNMAP_MISMATCH, GRADE_NOTE,
	  "mapped while a mapping of the same cache line lives" },
	{ FINDING_DMA_UNMAP_MISMATCH, GRADE_NOTE, "memory mapped as a resource" },
	{ FINDING_DMA_UNMAP_MISMATCH, GRADE_VIOLATION, "synced, but not mapped" },
	{ FINDING_DMA_UNMAP_MISMATCH, GRADE_VIOLATION, "synced beyond the end of the mapping" },
	{ FINDING_DMA_UNMAP_MISMATCH, GRADE_VIOLATION, "synced in another direction" },
	{ FINDING_DMA_UNMAP_MISMATCH, GRADE_VIOLATION, "synced with another number of entries" },
};

#define WANTED (sizeof(wanted) / sizeof(wanted[0]))

/* ---- findings of the engine as verdicts ---- */

static const struct detail *detail_of(const struct finding *f, const char *key)
{
	unsigned int i;

	for (i = 0; i < f->ndetails; i++)
		if (!strcmp(f->details[i].key, key))
			return &f->details[i];
	return NULL;
}

static const char *text_of(const struct finding *f)
{
	static const struct {
		uint32_t id;
		const char *key;
	} keys[] = {
		{ FINDING_MAP_NOT_SYNCED, "flush" },
		{ FINDING_STALE_AFTER_SWITCH, "what" },
		{ FINDING_FREED_WHILE_MAPPED, "was" },
		{ FINDING_LAZY_EXPOSURE, "when" },
		{ FINDING_DMA_UNMAP_MISMATCH, "what" },
	};
	unsigned int i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].id == f->id && detail_of(f, keys[i].key))
			return detail_of(f, keys[i].key)->text;
	return NULL;
}

/* Told of a device, at its address. */
static bool of_device(const struct finding *f)
{
	return f->id == FINDING_DMA_UNMAP_MISMATCH || f->id == FINDING_STALE_AFTER_SWITCH ||
	       (f->id == FINDING_LEAK_ON_FREE && f->ranged);
}

static uint64_t object_of(const struct finding *f)
{
	if (of_device(f))
		return f->device;
	if (f->id == FINDING_LEFT_MAPPED || (f->id == FINDING_REPLAY_REFUSED && f->container))
		return f->container;
	return f->domain + f->domain_gen;
}

static bool of_cache(const struct finding *f)
{
	return f->id == FINDING_STALE_IOTLB || f->id == FINDING_FLUSH_SHORT ||
	       f->id == FINDING_TABLE_FREED_EARLY || f->id == FINDING_MAP_NOT_SYNCED ||
	       f->id == FINDING_STALE_AFTER_SWITCH;
}

/* A domain's figures, each for itself. */
static void add_figures(struct verdicts *v, const struct finding *f)
{
	static const char *const keys[] = { "count", "bytes", "longest_ns" };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		struct verdict x = { .id = f->id, .grade = f->grade, .object = object_of(f),
				     .page = detail_of(f, keys[i])->value, .what = keys[i] };

		verdicts_add(v, &x);
	}
}

static void add_finding(struct verdicts *v, const struct finding *f)
{
	bool ranged = f->ranged && f->id != FINDING_REPLAY_REFUSED;
	uint64_t last = of_device(f) ? f->iova : f->last;
	struct verdict x = { .id = f->id, .grade = f->grade, .object = object_of(f),
			     .page = NO_PAGE, .cache = of_cache(f) ? f->cache_id : 0,
			     .what = text_of(f) };

	if (f->id == FINDING_LAZY_EXPOSURE && f->grade == GRADE_EXPOSURE) {
		add_figures(v, f);
		return;
	}
	if (!ranged)
		verdicts_add(v, &x);
	for (x.page = f->iova / PAGE; ranged && x.page <= last / PAGE; x.page++)
		verdicts_add(v, &x);
}

/* ---- the comparison ---- */

static void print(const char *who, const struct verdict *v)
{
	print_error("%s: %s %s object 0x%llx page 0x%llx cache 0x%llx %s\n", who,
		    grade_name(v->grade), finding_name(v->id), (unsigned long long)v->object,
		    (unsigned long long)v->page, (unsigned long long)v->cache, v->what ?: "");
}

/* Prints who found more. */
static unsigned int differences(const struct verdicts *a, const struct verdicts *b)
{
	unsigned int n = 0;
	size_t i = 0, j = 0;
	int order;

	while (i < a->count || j < b->count) {
		order = i == a->count ? 1 : j == b->count ? -1 :
			verdict_compare(&a->list[i], &b->list[j]);
		if (order < 0)
			print("only the engine", &a->list[i]);
		else if (order > 0)
			print("only the reference", &b->list[j]);
		i += order <= 0;
		j += order >= 0;
		n += !!order;
	}
	return n;
}

static bool is_wanted(const struct wanted *k, const struct verdict *v)
{
	return k->id == v->id && k->grade == v->grade &&
	       (!k->what || (v->what && !strcmp(k->what, v->what)));
}

static void note_occurrence(const struct verdicts *v, uint64_t seen[WANTED])
{
	size_t i, k;

	for (k = 0; k < WANTED; k++) {
		for (i = 0; i < v->count && !is_wanted(&wanted[k], &v->list[i]); i++)
			;
		seen[k] += i < v->count;
	}
}

static unsigned int compare_findings(struct world *w, uint64_t seen[WANTED])
{
	const struct report *rep = engine_report(w->e);
	const struct finding *f;
	struct verdicts v = { 0 };
	unsigned int n;

	for (f = report_next(rep, NULL); f; f = report_next(rep, f)) {
		if (f->id != FINDING_CALLER_RACE)
			add_finding(&v, f);
	}
	verdicts_settle(&v);
	note_occurrence(&v, seen);
	n = differences(&v, reference_verdicts(w->ref));
	verdicts_free(&v);
	return n;
}

static unsigned int run_world(uint64_t seed, uint64_t seen[WANTED])
{
	struct world *w = malloc(sizeof(*w));
	unsigned int i, n;

	assert_non_null(w);
	world_begin(w, seed);
	for (i = 0; i < STEPS; i++)
		world_step(w);
	assert_int_equal(engine_finish(w->e), 0);
	n = compare_findings(w, seen);
	engine_free(w->e);
	reference_free(w->ref);
	free(w);
	return n;
}

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

/* Return: how many never occurred. */
static unsigned int print_occurrence(const uint64_t seen[WANTED])
{
	unsigned int missing = 0;
	size_t k;

	for (k = 0; k < WANTED; k++) {
		print_message("# %6llu  %s, %s%s%s\n", (unsigned long long)seen[k],
			      finding_name(wanted[k].id), grade_name(wanted[k].grade),
			      wanted[k].what ? ": " : "", wanted[k].what ?: "");
		missing += !seen[k];
	}
	return missing;
}

static void engine_and_reference_agree(void **state)
{
	uint64_t seed = number("SEED", 0), seeds = number("SEEDS", 50), i;
	uint64_t seen[WANTED] = { 0 };
	unsigned int differ = 0, missing, n;

	(void)state;
	for (i = seed ?: 1; i <= (seed ?: seeds); i++) {
		n = run_world(i, seen);
		if (n)
			print_error("SEED=%llu: %u differences\n", (unsigned long long)i, n);
		differ += !!n;
	}
	missing = print_occurrence(seen);
	assert_int_equal(differ, 0);
	if (!seed && seeds >= 50)
		assert_int_equal(missing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_and_reference_agree),
	};

	return cmocka_run_group_tests_name("core.random", tests, NULL, NULL);
}
