// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Two snapshots that are anything, compared: bytes become records of the kinds that a snapshot has, with few
 * pointers, names and addresses, so that they meet; some stay raw.
 *
 * Every device and domain is in one pair; deltas come in order, and where one is told both sides do differ.
 */
#include "core/delta.h"
#include "core/wire.h"
#include "input.h"

/* Close to each other and to both ends of the space; page @to_last gives last bytes. */
static uint64_t draw(struct input *in, uint64_t to_last)
{
	uint8_t b = take(in, 1);

	switch (b >> 6) {
	case 0:
		return (b & 63) * 0x1000ULL + to_last;
	case 1:
		return -((b & 63) * 0x1000ULL) + to_last - 0x1000;
	case 2:
		return b & 63;
	default:
		return take(in, 8);
	}
}

static void feed(struct snapshot *s, uint16_t type, void *rec, uint16_t len)
{
	struct ev_hdr *h = rec;

	h->type = type;
	h->len = len;
	CHECK(snapshot_take(s, rec, len) == 0);
}

static void feed_run(struct snapshot *s, struct input *in, uint64_t domain)
{
	struct ev_run r = { .domain = domain, .iova = draw(in, 0), .last = draw(in, 0xfff),
			    .paddr = draw(in, 0), .raw = take(in, 1), .level = take(in, 1) % 3,
			    .prot = take(in, 1), .kind = take(in, 1) % 8 ? 0 : take(in, 1) };

	feed(s, EV_RUN, &r, sizeof(r));
}

static void feed_one(struct snapshot *s, struct input *in)
{
	uint8_t what = take(in, 1);
	uint64_t domain = what >> 6;
	struct ev_device dev = { .dev = take(in, 1) % 8, .name = { 'a' + take(in, 1) % 4 } };
	struct ev_attach at = { .dev = dev.dev, .domain = domain, .pasid = EV_TAG_NO_PASID };
	struct ev_domain d = { .domain = domain, .type = what };
	struct ev_read read = { .domain = domain, .flags = take(in, 1) % 16, .phase = what & 1 };
	struct ev_span span = { .domain = domain };

	switch (what & 15) {
	case 0 ... 1:
		feed(s, EV_READ, &read, sizeof(read));
		break;
	case 2:
		feed(s, EV_DEVICE, &dev, sizeof(dev));
		break;
	case 3:
		feed(s, EV_ATTACH, &at, sizeof(at));
		break;
	case 4:
		feed(s, EV_DOMAIN, &d, sizeof(d));
		break;
	case 5:
		span.first = draw(in, 0);
		span.last = draw(in, 0xfff);
		span.kind = take(in, 1) % 8;
		feed(s, EV_SPAN, &span, sizeof(span));
		break;
	case 6:
		snapshot_take(s, in->at, in->left < 64 ? in->left : 64);
		take(in, 8);
		break;
	default:
		feed_run(s, in, domain);
	}
}

/* ---- invariants ---- */

static const struct walk_run *run_at(const struct reading *r, uint64_t iova)
{
	size_t i;

	for (i = 0; i < r->nruns; i++)
		if (r->runs[i].iova <= iova && iova <= r->runs[i].last)
			return &r->runs[i];
	return NULL;
}

struct heard {
	const struct reading *r[2];
	uint64_t n, last;
};

static void check_place(const struct heard *h, const struct delta *d, uint64_t iova)
{
	const struct walk_run *a = run_at(h->r[0], iova), *b = run_at(h->r[1], iova);
	bool leaf_a = a && a->kind == WALK_LEAF, leaf_b = b && b->kind == WALK_LEAF;

	CHECK(a || b);
	CHECK((d->kind == DELTA_MALFORMED) == ((a && !leaf_a) || (b && !leaf_b)));
	if (d->kind == DELTA_MAPPED || d->kind == DELTA_UNMAPPED)
		CHECK(d->kind == DELTA_MAPPED ? !a : !b);
	if (d->kind == DELTA_ELSEWHERE)
		CHECK(delta_paddr(a, iova) != delta_paddr(b, iova));
	if (d->kind == DELTA_PROT)
		CHECK(a->prot != b->prot && delta_paddr(a, iova) == delta_paddr(b, iova));
}

static int hear(void *arg, const struct delta *d)
{
	struct heard *h = arg;

	CHECK(d->first <= d->last);
	CHECK(!h->n || d->first > h->last);
	h->last = d->last;
	h->n++;
	check_place(h, d, d->first);
	check_place(h, d, d->last);
	CHECK(run_at(h->r[0], d->first) == d->before && run_at(h->r[1], d->first) == d->after);
	return 0;
}

static void check_tables(const struct domain_pair *p)
{
	struct heard h = { { &p->before->table, &p->after->table }, 0, 0 };
	struct delta_count count;

	CHECK(readings_delta(h.r[0], h.r[1], hear, &h, &count) == 0);
	CHECK(count.told == h.n);
	CHECK(readings_delta(h.r[0], h.r[0], NULL, NULL, &count) == 0);
	CHECK(!count.told && !count.flux);
}

static void check_match(const struct snapshot *a, const struct snapshot *b, bool partial)
{
	size_t i, before = 0, after = 0, listed = 0, dev_before = 0, dev_after = 0;
	const struct device_pair *d;
	struct matched m;

	CHECK(snapshots_match(a, b, partial, &m) == 0);
	for (i = 0; i < m.ndomains; i++) {
		before += !!m.domains[i].before;
		after += !!m.domains[i].after;
		for (d = m.domains[i].devices; d; d = d->next)
			listed++;
		if (pair_has_tables(&m.domains[i]))
			check_tables(&m.domains[i]);
		CHECK(!pair_obstacle(&m.domains[i]) || !pair_has_tables(&m.domains[i]));
	}
	for (i = 0; i < m.ndevices; i++) {
		dev_before += !!m.devices[i].before;
		dev_after += !!m.devices[i].after;
	}
	CHECK(before == a->ndomains && after == b->ndomains);
	CHECK(dev_before == a->ndevices && dev_after == b->ndevices);
	CHECK(listed <= m.ndevices);
	matched_drain(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snapshot a, b;
	struct input in;

	snapshot_init(&a);
	snapshot_init(&b);
	for (in = (struct input){ data, size / 2 }; in.left;)
		feed_one(&a, &in);
	for (in = (struct input){ data + size / 2, size - size / 2 }; in.left;)
		feed_one(&b, &in);
	snapshot_finish(&a);
	snapshot_finish(&b);
	check_match(&a, &b, size & 1);
	check_match(&a, &a, false);
	snapshot_drain(&a);
	snapshot_drain(&b);
	return 0;
}
