// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Bytes become a stream of records with headers that look valid, so that the fuzzer gets
 * past the length check and into the model: small sets of pointers, pages and times are
 * drawn so that records meet. Some bytes become gaps, and some records stay raw. Readings of tables come as a whole,
 * since their records mean nothing alone.
 *
 *   clang -fsanitize=fuzzer,address,undefined -I. -Iuser fuzz_engine.c user/core/[a-z]*.c -lJudy
 */
#include "core/engine.h"
#include "core/model.h"
#include "core/report.h"
#include "core/wire.h"
#include "input.h"

/* Few values, close to each other and to both ends of the space. */
static uint64_t draw(struct input *in)
{
	uint8_t b = take(in, 1);

	switch (b >> 6) {
	case 0:
		return b & 7;
	case 1:
		return (b & 63) * 0x1000ULL;
	case 2:
		return -((b & 63) * 0x1000ULL);
	default:
		return b & 32 ? take(in, 8) : (b & 15) * 0x1000ULL + 0x1000;
	}
}

static void must(int ok)
{
	if (!ok)
		abort();
}

static void fill_body(struct input *in, uint8_t *rec, size_t len)
{
	size_t at;

	for (at = sizeof(struct ev_hdr); at + 8 <= len; at += 8) {
		uint64_t v = draw(in);

		memcpy(rec + at, &v, sizeof(v));
	}
}

static void time_op(struct input *in, uint8_t *rec, size_t len, uint64_t now)
{
	uint8_t b = take(in, 1);
	uint64_t begin = b & 0x80 ? 0 : now - (b & 0x7f);

	if (len >= sizeof(struct ev_op))
		memcpy(rec + offsetof(struct ev_op, begin_ns), &begin, sizeof(begin));
}

static void feed_record(struct engine *e, struct input *in, uint64_t *now)
{
	uint8_t rec[EV_LEN_MAX] = { 0 };
	struct ev_hdr h = { .type = take(in, 1) % 58, .flags = take(in, 2) };
	size_t len = wire_len(h.type);
	int ret;

	h.cpu = take(in, 1) % 3;
	h.len = len ?: 24;
	*now += take(in, 1);
	h.time_ns = *now;
	fill_body(in, rec, h.len);
	time_op(in, rec, h.len, *now);
	memcpy(rec, &h, sizeof(h));
	ret = engine_feed(e, rec, h.len);
	must(ret == 0 || ret == -74 || ret == -75);	/* EBADMSG, EOVERFLOW */
}

static void feed_raw(struct engine *e, struct input *in)
{
	uint8_t rec[EV_LEN_MAX];
	size_t len = take(in, 1), got = len < in->left ? len : in->left;

	memcpy(rec, in->at, got);
	in->at += got;
	in->left -= got;
	engine_feed(e, rec, got);
}

static void feed_as(struct engine *e, void *rec, uint16_t type, uint64_t now)
{
	struct ev_hdr *h = rec;
	int ret;

	*h = (struct ev_hdr){ .time_ns = now, .type = type, .len = wire_len(type),
			      .cpu = EV_CPU_USER, .flags = EVF_STATE };
	ret = engine_feed(e, rec, h->len);
	must(ret == 0 || ret == -74 || ret == -75);
}

/* A run or an area above the last one, now and then not. */
static void feed_piece(struct engine *e, struct input *in, uint64_t domain, uint64_t *at, uint64_t now)
{
	uint8_t b = take(in, 1);
	uint64_t first = *at + (b & 3) * 0x1000, last = first + ((b >> 2 & 3) + 1) * 0x1000 - 1;
	struct ev_run run = { .domain = domain, .iova = first, .last = last, .paddr = draw(in),
			      .level = 1, .page_lg2 = 12, .prot = b & 3, .kind = draw(in) & 7 };
	struct ev_book area = { .domain = domain, .first = first, .last = last, .paddr = draw(in),
				.book = b >> 5, .prot = b >> 2 & 3 };
	struct ev_span span = { .domain = domain, .first = draw(in), .last = draw(in),
				.kind = b >> 6 & 1 };

	if (b & 0x10)
		feed_as(e, &run, EV_RUN, now);
	if (b & 0x20)
		feed_as(e, &area, EV_BOOK, now);
	if (b >= 0xc0)
		feed_as(e, &span, EV_SPAN, now);
	*at = b == 0x10 ? draw(in) : last + 1;
}

static void feed_reading(struct engine *e, struct input *in, uint64_t *now)
{
	uint64_t domain = draw(in), at = draw(in);
	struct ev_read r = { .domain = domain, .root = draw(in), .books = take(in, 1),
			     .format = take(in, 1) & 7, .levels = 3 };
	struct ev_root root = { .dev = draw(in), .domain = domain, .root = r.root, .levels = 3,
				.kind = draw(in) & 7, .format = draw(in) & 7, .flags = draw(in) & 15 };
	unsigned int n = take(in, 1) % 16;

	*now += 1;
	r.flags = n & EV_READ_TRACED;
	feed_as(e, &r, EV_READ, *now);
	while (n--) {
		feed_piece(e, in, domain, &at, *now);
		if (r.flags && n & 1)
			feed_record(e, in, now);	/* meanwhile */
	}
	r.phase = EV_READ_END;
	r.flags |= draw(in) & 3 ? EV_READ_CALM : draw(in) & 7;
	feed_as(e, &r, EV_READ, *now);
	feed_as(e, &root, EV_ROOT, *now);
}

static void feed_gap(struct engine *e, struct input *in, uint64_t now)
{
	struct gap g = { .from_ns = now + take(in, 1) - 16, .lost = 1 };

	g.to_ns = g.from_ns + take(in, 1);
	must(engine_gap(e, &g) == 0);
}

static void attached(struct engine *e)
{
	struct ev_mark r = { .h = { .type = EV_MARK, .len = sizeof(r), .time_ns = 1 },
			     .kind = EV_MARK_ATTACHED };
	struct ev_hook pages = { .h = { .type = EV_HOOK, .len = sizeof(pages), .time_ns = 1 },
				 .hook = HOOK_PAGE_FREE, .state = EV_HOOK_HEARD };

	must(engine_feed(e, &pages, sizeof(pages)) == 0);
	must(engine_feed(e, &r, sizeof(r)) == 0);
}

/* ---- invariants ---- */

static void check_ranges(const struct domain *d)
{
	const struct range *r, *prev = NULL;
	uint64_t n = 0;

	for (r = range_first(&d->ranges, 0, UINT64_MAX); r;
	     r = range_next(&d->ranges, r, UINT64_MAX)) {
		must(r->iova <= r->last);
		must(!prev || prev->last < r->iova);
		prev = r;
		n++;
	}
	must(n == d->ranges.count);
	must(!d->dead || !n);
}

/* Every range that says so is in the index, and nothing else is. */
static void check_frames(const struct model *m)
{
	const struct domain *d;
	const struct range *r;
	uint64_t n = 0;

	for (d = m->first_domain; d; d = d->next)
		for (r = range_first(&d->ranges, 0, UINT64_MAX); r;
		     r = range_next(&d->ranges, r, UINT64_MAX))
			n += !!(r->flags & RANGE_FRAMED);
	must(n == m->live.count);
	must(m->gone.count <= m->nlingers);
}

static void check_debts(const struct domain *d)
{
	const struct cache *c;
	const struct owe *o;
	uint64_t n, all = 0;

	for (c = d->caches; c; c = c->next) {
		must(c->nusers > 0);
		must(c->domain == d);
		n = 0;
		for (o = owe_first(c, 0, UINT64_MAX); o; o = owe_next(c, o, UINT64_MAX)) {
			must(o->from <= o->iova && o->iova <= o->last && o->last <= o->to);
			must(!range_first(&d->ranges, o->iova, o->last));
			n++;
		}
		must(n == c->nowes);
		all += n;
	}
	must(all == d->n.lingering);
	must(!d->dead || !d->caches);
}

static void check_watch(const struct model *m, const struct domain *d)
{
	const struct watch *w = d->watch;
	size_t i;

	if (!w)
		return;
	must(!d->dead);
	must(!w->open || m->watched == d);
	for (i = 0; i < w->nsuspects; i++) {
		must(w->suspects[i].first <= w->suspects[i].last);
		must(!i || w->suspects[i - 1].last < w->suspects[i].first);
	}
}

static void check_model(const struct model *m)
{
	const struct domain *d;
	const struct device *dev;

	for (d = m->first_domain; d; d = d->next) {
		check_ranges(d);
		check_watch(m, d);
		check_debts(d);
	}
	check_frames(m);
	for (dev = m->first_device; dev; dev = dev->next)
		must(!dev->dma.nlive == !omap_ceil(&dev->dma.live, 0));
}

static void check_report(const struct report *rep)
{
	const struct finding *f;

	for (f = report_next(rep, NULL); f; f = report_next(rep, f)) {
		must(f->id < FINDING_COUNT && f->count > 0 && !f->retracted);
		must(f->nrefs <= FINDING_REFS && f->ndetails <= FINDING_DETAILS);
		must(!f->ranged || f->iova <= f->last);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct engine *e;
	uint64_t now = 1000;

	must(engine_new(&e) == 0);
	attached(e);
	while (in.left) {
		uint8_t what = take(&in, 1);

		if (what < 8)
			feed_gap(e, &in, now);
		else if (what < 12)
			feed_raw(e, &in);
		else if (what < 32)
			feed_reading(e, &in, &now);
		else
			feed_record(e, &in, &now);
	}
	check_model(engine_model(e));
	must(engine_finish(e) == 0);
	check_report(engine_report(e));
	engine_free(e);
	return 0;
}
