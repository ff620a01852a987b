// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * facts TRACE: what is in a trace, counted by its records alone, one fact a line, the
 * number last. The tests ask this instead of the tool that they test.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/schema.h"
#include "records.h"

static void fact(const char *what, const char *which, uint64_t count)
{
	printf("%s%s%s %" PRIu64 "\n", what, which ? " " : "", which ? which : "", count);
}

static size_t count_type(const struct records *r, unsigned int type)
{
	size_t i, count = 0;

	for (i = 0; i < r->count; i++)
		count += r->rec[i].h.type == type;
	return count;
}

static void say_types(const struct records *r)
{
	const struct schema *s;
	size_t i;

	for (i = 0; (s = schema_at(i)); i++)
		fact("record", s->name, count_type(r, s->type));
	fact("events", NULL, r->count);
}

static void say_losses(const struct records *r)
{
	uint64_t lost = 0, missed[2] = { 0 };
	const union record *rec;

	for (rec = r->rec; rec < r->rec + r->count; rec++) {
		if (rec->h.type == EV_STREAM_END)
			lost += rec->end.lost;
		else if (rec->h.type == EV_MISSED)
			missed[!!rec->missed.entry] += rec->missed.delta;
	}
	fact("gaps", NULL, r->gaps);
	fact("lost", NULL, lost);
	fact("missed", "exits", missed[0]);
	fact("missed", "entries", missed[1]);
	fact("skips", NULL, count_type(r, EV_SKIP));
}

/* An IOTLB invalidation: of VT-d (2, 6), of AMD (3) or of refiommu. */
static bool is_flush(const union record *rec)
{
	if (rec->h.type == EV_QI)
		return (rec->qi.qw0 & 0xf) == 2 || (rec->qi.qw0 & 0xf) == 6;
	if (rec->h.type == EV_REF_FLUSH)
		return rec->ref_flush.kind != EV_REF_FLUSH_CONTEXT;
	return rec->h.type == EV_AMD_CMD && rec->amd.qw0 >> 60 == 3;
}

/* Lingering: the most queued unmaps that waited for one flush. */
static void say_unmaps(const struct records *r)
{
	uint64_t queued = 0, synchronous = 0, waiting = 0, most = 0;
	const union record *rec;

	for (rec = r->rec; rec < r->rec + r->count; rec++) {
		if (is_flush(rec))
			waiting = 0;
		if (rec->h.type != EV_UNMAP)
			continue;
		if (rec->h.flags & EVF_QUEUED) {
			queued++;
			waiting++;
		} else {
			synchronous++;
		}
		most = waiting > most ? waiting : most;
	}
	fact("unmaps", "queued", queued);
	fact("unmaps", "synchronous", synchronous);
	fact("lingering", NULL, most);
}

/* Those that begin with struct ev_op; what was read at the start happened to nobody. */
static bool is_operation(const union record *rec)
{
	const struct schema *s = schema_find(rec->h.type);

	return s && s->nfields > 5 && !strcmp(s->fields[5].name, "tgid") &&
	       !(rec->h.flags & EVF_STATE);
}

/* Operations of each process, except those that only interrupted it. */
static void say_processes(const struct records *r)
{
	struct numbers tgids = { 0 };
	const union record *rec;
	size_t i, first;
	char text[24];

	for (rec = r->rec; rec < r->rec + r->count; rec++)
		if (is_operation(rec) && (rec->h.flags & EVF_CTX_MASK) == EV_CTX_TASK)
			numbers_add(&tgids, rec->op.tgid);
	numbers_sort(&tgids);
	for (i = first = 0; i < tgids.count; i++) {
		if (i + 1 < tgids.count && tgids.value[i] == tgids.value[i + 1])
			continue;
		snprintf(text, sizeof(text), "%" PRIu64, tgids.value[i]);
		fact("tgid", text, i + 1 - first);
		first = i + 1;
	}
	numbers_free(&tgids);
}

/* Maps and unmaps by who caused them: calls at /dev/refiommu, their replays, VFIO's attach, others. */
static void say_causes(const struct records *r)
{
	struct numbers intents = { 0 }, replays = { 0 }, attaches = { 0 };
	uint64_t count[5] = { 0 };
	const union record *rec;

	for (rec = r->rec; rec < r->rec + r->count; rec++) {
		if (rec->h.type == EV_REF_INTENT)
			numbers_add(&intents, rec->op.id);
		else if (rec->h.type == EV_REF_REPLAY && rec->ref_replay.step == EV_REPLAY_END)
			numbers_add(&replays, rec->op.id);
		else if (rec->h.type == EV_VFIO_ATTACH)
			numbers_add(&attaches, rec->op.id);
	}
	numbers_sort(&intents);
	numbers_sort(&replays);
	numbers_sort(&attaches);
	for (rec = r->rec; rec < r->rec + r->count; rec++) {
		if (rec->h.type != EV_MAP && rec->h.type != EV_UNMAP)
			continue;
		if (numbers_have(&intents, rec->op.cause))
			count[0]++;
		else if (numbers_have(&replays, rec->op.cause))
			count[1]++;
		else if (numbers_have(&attaches, rec->op.cause))
			count[2]++;
		else
			count[rec->op.cause ? 3 : 4]++;
	}
	fact("caused", "ref_intent", count[0]);
	fact("caused", "ref_replay", count[1]);
	fact("caused", "vfio_attach", count[2]);
	fact("caused", "other", count[3]);
	fact("caused", "nobody", count[4]);
	numbers_free(&attaches);
	numbers_free(&intents);
	numbers_free(&replays);
}

static bool is_intent(const union record *rec)
{
	return rec->h.type == EV_VFIO_MAP || rec->h.type == EV_VFIO_UNMAP ||
	       rec->h.type == EV_REF_INTENT;
}

/* Requests that began before another thread's ended. */
static void say_overlaps(const struct records *r)
{
	const union record *rec, *last = NULL;
	uint64_t count = 0;

	for (rec = r->rec; rec < r->rec + r->count; rec++) {
		if (!is_intent(rec))
			continue;
		if (last && rec->op.begin_ns < last->h.time_ns && rec->op.pid != last->op.pid)
			count++;
		last = rec;
	}
	fact("overlapping requests", NULL, count);
}

/* The domains that a device was attached to. */
static void domains_of(const struct records *r, uint64_t dev, struct numbers *domains)
{
	const union record *rec;

	for (rec = r->rec; rec < r->rec + r->count; rec++)
		if (rec->h.type == EV_ATTACH && rec->attach.dev == dev)
			numbers_add(domains, rec->attach.domain);
	numbers_sort(domains);
}

static bool named_before(const struct records *r, const union record *rec)
{
	const union record *at;

	for (at = r->rec; at < rec; at++)
		if (at->h.type == EV_DEVICE && at->device.dev == rec->device.dev)
			return true;
	return false;
}

/* Maps and unmaps in its domains. */
static void say_device(const struct records *r, const struct ev_device *d)
{
	char name[sizeof(d->name) + 1] = "";
	struct numbers domains = { 0 };
	const union record *rec;
	uint64_t count = 0;

	memcpy(name, d->name, sizeof(d->name));
	domains_of(r, d->dev, &domains);
	for (rec = r->rec; rec < r->rec + r->count; rec++)
		if (rec->h.type == EV_MAP)
			count += numbers_have(&domains, rec->map.domain);
		else if (rec->h.type == EV_UNMAP)
			count += numbers_have(&domains, rec->unmap.domain);
	if (count)
		fact("device", name, count);
	numbers_free(&domains);
}

static void say_devices(const struct records *r)
{
	const union record *rec;

	for (rec = r->rec; rec < r->rec + r->count; rec++)
		if (rec->h.type == EV_DEVICE && !named_before(r, rec))
			say_device(r, &rec->device);
}

static void say_hooks(const struct records *r)
{
	static const char * const states[] = {
		"heard", "pending", "missing", "refused", "off", "covered",
	};
	const union record *rec;

	for (rec = r->rec; rec < r->rec + r->count; rec++)
		if (rec->h.type == EV_HOOK)
			printf("hook %.24s %.40s %s\n", rec->hook.name, rec->hook.function,
			       rec->hook.state < 6 ? states[rec->hook.state] : "?");
}

static void say_marks(const struct records *r)
{
	static const char * const kinds[] = {
		"?", "attached", "state", "stop", "cmd-begin", "cmd-end", "filter",
	};
	const union record *rec;

	for (rec = r->rec; rec < r->rec + r->count; rec++)
		if (rec->h.type == EV_MARK)
			fact("mark", kinds[rec->mark.kind < 7 ? rec->mark.kind : 0],
			     rec->mark.value);
}

int main(int argc, char **argv)
{
	struct records r;

	if (argc != 2) {
		fprintf(stderr, "usage: facts TRACE\n");
		return 2;
	}
	records_load(argv[1], &r);
	say_types(&r);
	say_losses(&r);
	say_unmaps(&r);
	say_processes(&r);
	say_causes(&r);
	say_overlaps(&r);
	say_devices(&r);
	say_hooks(&r);
	say_marks(&r);
	records_free(&r);
	return 0;
}
