// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A random machine against the slow checker of reference.c: two devices of the DMA API, strict and
 * lazy, one of a VFIO container, one of an address space of refiommu. Most of what they do is
 * right; one step in so many is one of the faults that the findings name. Engine and reference
 * must find the same, page by page.
 *
 * SEEDS=N: as many machines (50). SEED=N: that one, with its findings printed.
 */
#include "reference.h"
#include "story.h"

#define OWNERS 4
#define FIRST_DEV 0x10
#define MAPPINGS 24
#define PIECES 3

enum mode { STRICT, LAZY, VFIO, REF };

/* Where two CPUs race: a device and a domain of their own, and few pages. */
#define RACE_DEV 0x8
#define RACE_DOMAIN 0x5000
#define RACE_PAGES 8

struct mapping {
	uint64_t first, pages;	/* pages; 0: none */
	uint64_t piece[PIECES];	/* pages of each action */
	unsigned int npieces;
	uint64_t id;
	uint32_t dir;
};

/* A device with its domain, and whoever uses it. */
struct owner {
	enum mode mode;
	uint64_t dev, domain, iommu;
	uint32_t did;
	bool fresh;		/* nothing was mapped in this domain */
	struct mapping maps[MAPPINGS];
	bool used[REFERENCE_PAGES];	/* by a mapping, or waiting for a flush */
	bool waiting[REFERENCE_PAGES];
};

struct world {
	struct engine *e;
	struct reference *ref;
	uint64_t random, now, seq, ids;
	uint32_t dids;
	struct owner owners[OWNERS];
	struct owner race;
	uint64_t raced[RACE_PAGES];	/* end of the last operation on each page */
};

static uint64_t draw(struct world *w, uint64_t below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random % below;
}

/* One in @n. */
static bool chance(struct world *w, uint64_t n)
{
	return !draw(w, n);
}

/* ---- records ---- */

static void emit(struct world *w, uint16_t type, void *rec, size_t len, uint16_t flags)
{
	struct ev_hdr *h = rec;

	h->type = type;
	h->len = len;
	h->flags = flags;
	h->seq = w->seq++;
	h->time_ns = w->now += 10;
	assert_int_equal(engine_feed(w->e, rec, len), 0);
	reference_feed(w->ref, rec);
}

#define EMIT(w, type, rec, flags) emit(w, type, &(rec), sizeof(rec), flags)

/* Something begins now, and ends with its record. */
static uint64_t begin(struct world *w)
{
	return w->now += 10;
}

static struct ev_op op_at(uint64_t begin_ns, uint64_t id, uint64_t cause)
{
	return (struct ev_op){ .begin_ns = begin_ns, .id = id, .cause = cause, .outer = cause,
			       .pid = 100, .tgid = 100 };
}

static void send_map(struct world *w, const struct owner *o, uint64_t page, uint64_t pages,
		     uint32_t prot, uint64_t cause)
{
	struct ev_map r = { .op = op_at(begin(w), 0, cause), .domain = o->domain,
			    .iova = page * PAGE, .size = pages * PAGE,
			    .paddr = 0x40000000 + page * PAGE, .prot = prot };

	EMIT(w, EV_MAP, r, 0);
}

static void send_flush(struct world *w, const struct owner *o, uint32_t did, uint64_t page,
		       unsigned int lg2_pages)
{
	struct ev_qi r = { .begin_ns = begin(w), .iommu = o->iommu, .qw0 = QI_PAGES(did),
			   .qw1 = page * PAGE | lg2_pages, .count = 1 };
	struct ev_ref_flush f = { .begin_ns = r.begin_ns, .domain = o->domain, .did = did,
				  .kind = EV_REF_FLUSH_RANGE, .first = page * PAGE,
				  .last = (page + (1ULL << lg2_pages)) * PAGE - 1 };

	if (o->mode == REF)
		EMIT(w, EV_REF_FLUSH, f, 0);
	else
		EMIT(w, EV_QI, r, 0);
}

static void send_flush_all(struct world *w, const struct owner *o)
{
	struct ev_qi context = { .begin_ns = begin(w), .iommu = o->iommu, .qw0 = 0x11, .count = 1 };
	struct ev_qi r = { .begin_ns = w->now + 20, .iommu = o->iommu, .qw0 = QI_GLOBAL, .count = 1 };
	struct ev_ref_flush entry = { .begin_ns = w->now, .dev = o->dev,
				      .kind = EV_REF_FLUSH_CONTEXT };
	struct ev_ref_flush f = { .begin_ns = w->now + 20, .domain = o->domain, .did = o->did,
				  .kind = EV_REF_FLUSH_DOMAIN };

	if (o->mode == REF)
		EMIT(w, EV_REF_FLUSH, entry, 0);
	else
		EMIT(w, EV_QI, context, 0);
	w->now += 10;
	if (o->mode == REF)
		EMIT(w, EV_REF_FLUSH, f, 0);
	else
		EMIT(w, EV_QI, r, 0);
}

/* ---- faults of the flushing code ---- */

enum flaw { FLAW_NONE, FLAW_NO_FLUSH, FLAW_SHORT_FLUSH, FLAW_OTHER_DID };

static enum flaw draw_flaw(struct world *w)
{
	return chance(w, 12) ? 1 + draw(w, 3) : FLAW_NONE;
}

/* Page by page, so that any range can be covered exactly. */
static void flush_range(struct world *w, const struct owner *o, uint64_t page, uint64_t pages,
			enum flaw fault)
{
	uint64_t i, skip = fault == FLAW_SHORT_FLUSH ? draw(w, pages) : ~0ULL;
	uint32_t did = o->did + (fault == FLAW_OTHER_DID ? 100 : 0);

	for (i = 0; i < pages && fault != FLAW_NO_FLUSH; i++)
		if (i != skip)
			send_flush(w, o, did, page + i, 0);
}

/* ---- mapping ---- */

static bool is_free(const struct owner *o, uint64_t page, uint64_t pages)
{
	uint64_t i;

	for (i = page; i < page + pages; i++)
		if (o->used[i])
			return false;
	return true;
}

static struct mapping *empty_slot(struct owner *o)
{
	unsigned int i;

	for (i = 0; i < MAPPINGS; i++)
		if (!o->maps[i].pages)
			return &o->maps[i];
	return NULL;
}

static void cut_pieces(struct world *w, struct mapping *m)
{
	uint64_t left = m->pages;

	for (m->npieces = 0; left && m->npieces < PIECES - 1; m->npieces++) {
		m->piece[m->npieces] = 1 + draw(w, left);
		left -= m->piece[m->npieces];
	}
	if (left)
		m->piece[m->npieces++] = left;
}

static uint32_t prot_of(uint32_t dir)
{
	return dir == 1 ? 1 : dir == 2 ? 2 : 3;
}

static void send_intent(struct world *w, const struct owner *o, const struct mapping *m, bool map,
			uint64_t begin_ns, uint64_t id)
{
	struct ev_op op = op_at(begin_ns, id, 0);
	struct ev_dma dma = { .op = op, .dev = o->dev, .addr = m->first * PAGE,
			      .size = m->pages * PAGE, .dir = m->dir };
	struct ev_vfio vfio = { .op = op, .container = BOX, .iova = m->first * PAGE,
				.size = m->pages * PAGE, .done = m->pages * PAGE,
				.vfio_flags = map ? prot_of(m->dir) : 0 };
	struct ev_ref_intent ref = { .op = op, .first = m->first * PAGE,
				     .last = (m->first + m->pages) * PAGE - 1,
				     .kind = map ? EV_REF_MAP : EV_REF_UNMAP,
				     .prot = prot_of(m->dir), .ioas = 1 };

	if (o->mode == REF)
		EMIT(w, EV_REF_INTENT, ref, 0);
	else if (o->mode == VFIO)
		EMIT(w, map ? EV_VFIO_MAP : EV_VFIO_UNMAP, vfio, 0);
	else
		EMIT(w, map ? EV_DMA_MAP : EV_DMA_UNMAP, dma, 0);
}

static void do_map(struct world *w, struct owner *o)
{
	uint64_t page, pages = 1 + draw(w, 8), at = draw(w, REFERENCE_PAGES - 16), begin_ns;
	struct mapping *m = empty_slot(o);
	uint32_t prot;
	unsigned int i;

	/* Faults: over what lives or waits; with more permission than asked. */
	if (!m || (!is_free(o, at, pages) && !(o->mode < VFIO && chance(w, 25))))
		return;
	for (i = 0; i < MAPPINGS; i++)
		if (o->maps[i].pages && o->maps[i].first == at)
			return;		/* one mapping at an address, in any book */
	*m = (struct mapping){ .first = at, .pages = pages, .id = ++w->ids, .dir = draw(w, 3) };
	cut_pieces(w, m);
	begin_ns = begin(w);
	prot = chance(w, 30) ? 3 : prot_of(m->dir);
	for (page = at, i = 0; i < m->npieces; page += m->piece[i++])
		send_map(w, o, page, m->piece[i], prot, m->id);
	send_intent(w, o, m, true, begin_ns, m->id);
	for (page = at; page < at + pages; page++) {
		o->used[page] = true;
		o->waiting[page] = false;
	}
	o->fresh = false;
}

/* ---- unmapping ---- */

static void send_unmap(struct world *w, const struct owner *o, uint64_t page, uint64_t pages,
		       uint64_t done, uint16_t flags, uint64_t cause, enum flaw fault)
{
	struct ev_unmap r = { .op = op_at(begin(w), 0, cause), .domain = o->domain,
			      .iova = page * PAGE, .size = pages * PAGE, .done = done * PAGE };

	if (!(flags & EVF_FAST))
		flush_range(w, o, page, pages, fault);
	EMIT(w, EV_UNMAP, r, flags);
}

static uint16_t unmap_flags(struct world *w, const struct owner *o)
{
	switch (o->mode) {
	case LAZY:
		return EVF_FAST | EVF_QUEUED;
	case STRICT:
		return chance(w, 2) ? EVF_FAST : 0;
	default:
		return EVF_FAST;
	}
}

/* Faults of the driver: it stops early, it takes a neighbour too, a piece is forgotten. */
static void unmap_pieces(struct world *w, struct owner *o, const struct mapping *m, uint64_t id)
{
	uint16_t flags = unmap_flags(w, o);
	enum flaw fault = draw_flaw(w);
	uint64_t page = m->first, pages, done;
	unsigned int i;

	for (i = 0; i < m->npieces; page += m->piece[i++]) {
		pages = m->piece[i];
		done = chance(w, 40) ? draw(w, pages) : pages;
		if (o->mode == VFIO && chance(w, 40))
			continue;
		if (chance(w, 40) && page + pages < REFERENCE_PAGES)
			done = ++pages;
		send_unmap(w, o, page, pages, done, flags, id, fault);
		if (flags == EVF_FAST)
			flush_range(w, o, page, pages, fault);
	}
}

/* The pages are free for others at once, or wait for the queue's flush. */
static void release(struct world *w, struct owner *o, const struct mapping *m)
{
	uint64_t page;

	for (page = m->first; page < m->first + m->pages; page++) {
		if (o->mode == LAZY && !chance(w, 60))
			o->waiting[page] = true;
		else
			o->used[page] = false;
	}
}

static void do_unmap_one(struct world *w, struct owner *o, struct mapping *m)
{
	uint64_t begin_ns = begin(w), id = ++w->ids;

	unmap_pieces(w, o, m, id);
	/* Faults of the device's driver: another direction. */
	if (o->mode <= LAZY && chance(w, 30))
		m->dir = (m->dir + 1) % 3;
	send_intent(w, o, m, false, begin_ns, id);
	release(w, o, m);
	m->pages = 0;
}

static void do_unmap(struct world *w, struct owner *o)
{
	struct mapping *m = &o->maps[draw(w, MAPPINGS)];

	if (m->pages)
		do_unmap_one(w, o, m);
}

/* The flush queue's timer. */
static void do_queue(struct world *w, struct owner *o)
{
	uint64_t page;

	if (o->mode != LAZY)
		return;
	if (!chance(w, 20))
		send_flush_all(w, o);
	for (page = 0; page < REFERENCE_PAGES; page++) {
		if (!o->waiting[page])
			continue;
		o->waiting[page] = false;
		o->used[page] = false;
	}
}

/* ---- domains ---- */

static void send_domain(struct world *w, uint16_t type, const struct owner *o)
{
	struct ev_domain_op r = { .op = op_at(begin(w), 0, 0), .domain = o->domain,
				  .type = DOMAIN_PAGING | (o->mode < VFIO ? DOMAIN_DMA_API : 0) };

	EMIT(w, type, r, 0);
}

static void send_tag(struct world *w, const struct owner *o, uint32_t assigned)
{
	struct ev_tag r = { .domain = o->domain, .dev = o->dev, .iommu = o->iommu,
			    .driver_kind = EV_DRIVER_VTD, .did = o->did,
			    .pasid = EV_TAG_NO_PASID, .sid = o->dev };
	struct ev_ref_tag ref = { .domain = o->domain, .dev = o->dev, .did = o->did,
				  .assigned = assigned };

	if (o->mode == REF)
		EMIT(w, EV_REF_TAG, ref, 0);
	else if (assigned)
		EMIT(w, EV_TAG, r, 0);
}

static void relocate(struct world *w, const struct owner *o, uint64_t from, uint64_t to)
{
	struct ev_attach r = { .op = op_at(begin(w), ++w->ids, 0), .dev = o->dev, .domain = to,
			       .old = from, .pasid = EV_TAG_NO_PASID };
	struct ev_domain d = { .domain = to, .pgsize_bitmap = 0x40201000, .aperture_end = TOP,
			       .type = DOMAIN_PAGING | (o->mode < VFIO ? DOMAIN_DMA_API : 0) };

	if (from) {
		send_tag(w, o, 0);
		send_flush_all(w, o);
	} else {
		EMIT(w, EV_DOMAIN, d, 0);
		send_tag(w, o, 1);
	}
	EMIT(w, EV_ATTACH, r, 0);
}

static void enter(struct world *w, struct owner *o)
{
	o->did = ++w->dids;
	o->fresh = true;
	send_domain(w, EV_ALLOC, o);
	relocate(w, o, 0, o->domain);
}

/* Fault: the device is still in it. */
static void leave(struct world *w, struct owner *o)
{
	if (!chance(w, 10))
		relocate(w, o, o->domain, 0);
	send_domain(w, EV_FREE, o);
	memset(o->used, 0, sizeof(o->used));
	memset(o->waiting, 0, sizeof(o->waiting));
}

/* The user goes, and with it the domain. Fault of a driver: not all is unmapped. */
static void do_replace(struct world *w, struct owner *o)
{
	bool sloppy = chance(w, 4);
	struct ev_unbind r = { .dev = o->dev, .driver = "nvme" };
	unsigned int i;

	if (o->fresh)
		return;
	for (i = 0; i < MAPPINGS; i++)
		if (o->maps[i].pages && (o->mode >= VFIO || !sloppy || chance(w, 2)))
			do_unmap_one(w, o, &o->maps[i]);
	if (o->mode < VFIO)
		EMIT(w, EV_UNBIND, r, 0);
	leave(w, o);
	memset(o->maps, 0, sizeof(o->maps));
	/* Another device: books of the DMA API belong to one. */
	o->dev += OWNERS;
	enter(w, o);
}

/* ---- two CPUs, equal and neighbouring pages ---- */

/*
 * Each operation began before the last one on any of its pages had ended: there is always an
 * order in which all went well, whatever flushes come.
 */
static void do_race(struct world *w)
{
	uint64_t first = draw(w, RACE_PAGES), pages = 1 + draw(w, RACE_PAGES - first), p, begin_ns;
	struct ev_map map = { .domain = RACE_DOMAIN, .iova = first * PAGE, .size = pages * PAGE,
			      .prot = 3 };
	struct ev_unmap unmap = { .domain = RACE_DOMAIN, .iova = first * PAGE,
				  .size = pages * PAGE, .done = pages * PAGE };
	struct ev_hdr *h = chance(w, 2) ? &map.op.h : &unmap.op.h;

	begin_ns = w->now + 5;
	for (p = first; p < first + pages; p++)
		if (w->raced[p] && w->raced[p] - 5 < begin_ns)
			begin_ns = w->raced[p] - 5;
	map.op = op_at(begin_ns, 0, 0);
	unmap.op = op_at(begin_ns, 0, 0);
	h->type = h == &map.op.h ? EV_MAP : EV_UNMAP;
	h->len = h == &map.op.h ? sizeof(map) : sizeof(unmap);
	h->flags = h == &unmap.op.h && chance(w, 2) ? EVF_FAST : 0;
	h->seq = w->seq++;
	h->time_ns = w->now += 10;
	assert_int_equal(engine_feed(w->e, h, h->len), 0);
	for (p = first; p < first + pages; p++)
		w->raced[p] = w->now;
	if (chance(w, 3))
		send_flush(w, &w->race, w->race.did, first, 0);
}

static void step(struct world *w)
{
	struct owner *o = &w->owners[draw(w, OWNERS)];
	uint64_t what = draw(w, 100);

	if (chance(w, 8)) {
		do_race(w);
		return;
	}
	if (what < 48)
		do_map(w, o);
	else if (what < 90)
		do_unmap(w, o);
	else if (what < 99)
		do_queue(w, o);
	else if (o->dev < FIRST_DEV + 5 * OWNERS)
		do_replace(w, o);
}

/* ---- the comparison ---- */

static const uint32_t compared[] = {
	FINDING_MAP_OVERLAP, FINDING_MAP_WIDE, FINDING_UNMAP_SHORT, FINDING_UNMAP_WIDE,
	FINDING_LEAK_ON_FREE, FINDING_STALE_IOTLB, FINDING_FLUSH_SHORT,
	FINDING_DMA_UNMAP_MISMATCH,
};

static bool is_compared(const struct finding *f)
{
	unsigned int i;

	for (i = 0; i < sizeof(compared) / sizeof(compared[0]); i++)
		if (compared[i] == f->id)
			return f->grade == GRADE_VIOLATION;
	return false;
}

static void add_finding(struct verdicts *v, const struct finding *f)
{
	bool of_device = f->id == FINDING_DMA_UNMAP_MISMATCH ||
			 (f->id == FINDING_LEAK_ON_FREE && f->ranged);
	uint64_t page, object = of_device ? f->device : f->domain + f->domain_gen;
	uint64_t last = of_device ? f->iova : f->last;

	if (!f->ranged)
		verdicts_add(v, f->id, object, ~0ULL);
	for (page = f->iova / PAGE; f->ranged && page <= last / PAGE; page++)
		verdicts_add(v, f->id, object, page);
}

static void print(const char *who, const struct verdict *v)
{
	print_error("%s: %s object 0x%llx page 0x%llx\n", who, finding_name(v->id),
		    (unsigned long long)v->object, (unsigned long long)v->page);
}

static bool less(const struct verdict *a, const struct verdict *b)
{
	if (a->id != b->id)
		return a->id < b->id;
	return a->object != b->object ? a->object < b->object : a->page < b->page;
}

/* Prints who found more. */
static unsigned int differences(const struct verdicts *a, const struct verdicts *b)
{
	unsigned int n = 0;
	size_t i = 0, j = 0;

	while (i < a->count || j < b->count) {
		if (j == b->count || (i < a->count && less(&a->list[i], &b->list[j]))) {
			print("only the engine", &a->list[i++]);
			n++;
		} else if (i == a->count || less(&b->list[j], &a->list[i])) {
			print("only the reference", &b->list[j++]);
			n++;
		} else {
			i++;
			j++;
		}
	}
	return n;
}

static unsigned int compare_findings(struct world *w, uint64_t found[FINDING_COUNT])
{
	const struct report *rep = engine_report(w->e);
	const struct finding *f;
	struct verdicts v = { 0 };
	unsigned int n;

	for (f = report_next(rep, NULL); f; f = report_next(rep, f)) {
		if (f->grade == GRADE_VIOLATION)
			found[f->id]++;
		if (is_compared(f))
			add_finding(&v, f);
	}
	verdicts_settle(&v);
	n = differences(&v, reference_verdicts(w->ref));
	verdicts_free(&v);
	return n;
}

/* ---- worlds ---- */

#define STEPS 1500

static void world_begin(struct world *w, uint64_t seed)
{
	struct ev_mark r = { .kind = EV_MARK_ATTACHED };
	unsigned int i;

	memset(w, 0, sizeof(*w));
	w->random = seed * 0x9e3779b97f4a7c15ULL + 1;
	w->now = 1000;
	w->ref = reference_new();
	assert_non_null(w->ref);
	assert_int_equal(engine_new(&w->e), 0);
	EMIT(w, EV_MARK, r, 0);
	for (i = 0; i < OWNERS; i++) {
		struct owner *o = &w->owners[i];

		o->mode = i;
		o->dev = FIRST_DEV + i;
		o->domain = 0xd000 + i * 0x1000;
		o->iommu = i == REF ? 1 : i == VFIO ? 0x2200 : 0x1100;
	}
	w->race = (struct owner){ .dev = RACE_DEV, .domain = RACE_DOMAIN, .iommu = 0x1100 };
}

static unsigned int run_world(uint64_t seed, uint64_t found[FINDING_COUNT])
{
	struct world w;
	unsigned int i, n;

	world_begin(&w, seed);
	for (i = 0; i < OWNERS; i++) {
				enter(&w, &w.owners[i]);
	}
	for (i = 0; i < STEPS; i++)
		step(&w);
	assert_int_equal(engine_finish(w.e), 0);
	n = compare_findings(&w, found);
	engine_free(w.e);
	reference_free(w.ref);
	return n;
}

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static void engine_and_reference_agree(void **state)
{
	uint64_t seed = number("SEED", 0), seeds = number("SEEDS", 50), i;
	uint64_t found[FINDING_COUNT] = { 0 };
	unsigned int differ = 0, n;

	(void)state;
	for (i = seed ?: 1; i <= (seed ?: seeds); i++) {
		n = run_world(i, found);
		if (n)
			print_error("SEED=%llu: %u differences\n", (unsigned long long)i, n);
		differ += !!n;
	}
	assert_int_equal(differ, 0);
	/* Each kind of finding was really there. */
	for (i = 0; i < sizeof(compared) / sizeof(compared[0]) && !seed && seeds >= 50; i++)
		assert_true(found[compared[i]]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_and_reference_agree),
	};

	return cmocka_run_group_tests_name("core.random", tests, NULL, NULL);
}
