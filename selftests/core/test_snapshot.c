// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Records become a snapshot, or say that they are none; and who is who in two of them. */
#include "snap_story.h"

#define P1 0x1000
#define P2 0x2000
#define P3 0x3000
#define DMA (DOMAIN_PAGING | DOMAIN_DMA_API)

static const struct walk_run page = { .iova = 0x1000, .last = 0x1fff, .paddr = 0x5000, .prot = RW };

/* A domain of one page, read. */
static void domain_with_page(struct snapshot *s, uint64_t domain, uint32_t type, uint64_t root)
{
	snap_domain(s, domain, type);
	snap_read(s, domain, EV_READ_BEGIN, root, 0);
	snap_run(s, domain, &page);
	snap_read(s, domain, EV_READ_END, root, 0);
}

/* ---- collecting ---- */

static void gathered(void **state)
{
	struct snapshot s;

	(void)state;
	snapshot_init(&s);
	snap_device(&s, 2, "b", "nvme", P1);
	domain_with_page(&s, P1, DMA, 0x9000);
	snap_device(&s, 1, "a", "", P1);
	snap_device(&s, 3, "c", "", 0);
	snap_end(&s);
	assert_true(s.whole);
	assert_int_equal(s.odd, 0);
	assert_int_equal(s.ndomains, 1);
	assert_int_equal(s.domains[0].state, SNAP_READ);
	assert_int_equal(s.domains[0].root, 0x9000);
	assert_int_equal(s.domains[0].table.nruns, 1);
	assert_int_equal(s.ndevices, 3);
	assert_string_equal(s.devices[0].name, "a");
	assert_string_equal(s.devices[1].driver, "nvme");
	assert_ptr_equal(s.devices[1].domain, &s.domains[0]);
	assert_null(s.devices[2].domain);
	snapshot_drain(&s);
}

/* What a reading says of itself, and what is not one. */
static void states(void **state)
{
	static const struct { uint32_t flags; enum snap_state state; } all[] = {
		{ 0, SNAP_READ },
		{ EV_READ_NO_TABLE, SNAP_NONE },
		{ EV_READ_UNKNOWN, SNAP_UNKNOWN },
		{ EV_READ_CUT, SNAP_CUT },
	};
	struct snapshot s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		snapshot_init(&s);
		snap_read(&s, P1, EV_READ_BEGIN, 0, 0);
		assert_int_equal(s.domains[0].state, SNAP_UNREAD);
		snap_read(&s, P1, EV_READ_END, 0, all[i].flags);
		assert_int_equal(s.domains[0].state, all[i].state);
		snapshot_drain(&s);
	}
}

/* Spans come in any order; they are in order, and one where they meet. */
static void flux_in_order(void **state)
{
	struct snapshot s;
	const struct reading *r;

	(void)state;
	snapshot_init(&s);
	snap_read(&s, P1, EV_READ_BEGIN, 0, 0);
	snap_flux(&s, P1, 60, UINT64_MAX);
	snap_flux(&s, P1, 50, 69);
	snap_flux(&s, P1, 20, 39);
	snap_flux(&s, P1, 55, 58);
	snap_flux(&s, P1, 0, 0);
	snap_read(&s, P1, EV_READ_END, 0, 0);
	r = &s.domains[0].table;
	assert_int_equal(r->nflux, 3);
	assert_int_equal(r->flux[0].last, 0);
	assert_int_equal(r->flux[1].first, 20);
	assert_int_equal(r->flux[1].last, 39);
	assert_int_equal(r->flux[2].first, 50);
	assert_int_equal(r->flux[2].last, UINT64_MAX);
	snapshot_drain(&s);
}

static void read_again(void **state)
{
	struct snapshot s;

	(void)state;
	snapshot_init(&s);
	domain_with_page(&s, P1, DMA, 0x9000);
	snap_read(&s, P1, EV_READ_BEGIN, 0xa000, 0);
	assert_int_equal(s.domains[0].table.nruns, 0);
	snap_read(&s, P1, EV_READ_END, 0xa000, 0);
	assert_int_equal(s.domains[0].root, 0xa000);
	assert_int_equal(s.ndomains, 1);
	snapshot_drain(&s);
}

static void out_of_order(void **state)
{
	struct snapshot s;

	(void)state;
	snapshot_init(&s);
	snap_run(&s, P1, &page);			/* no reading */
	assert_int_equal(s.odd, 1);
	snap_read(&s, P1, EV_READ_END, 0, 0);		/* no begin */
	assert_int_equal(s.odd, 2);
	snap_read(&s, P1, EV_READ_BEGIN, 0, 0);
	snap_run(&s, P2, &page);			/* another's */
	assert_int_equal(s.odd, 3);
	snap_run(&s, P1, &page);
	snap_run(&s, P1, &page);			/* again */
	assert_int_equal(s.odd, 4);
	snap_read(&s, P1, EV_READ_END, 0, 0);
	assert_int_equal(s.domains[0].state, SNAP_ODD);
	assert_int_equal(s.domains[0].table.nruns, 1);
	snapshot_take(&s, "short", 5);
	assert_int_equal(s.odd, 5);
	assert_false(s.whole);
	snapshot_drain(&s);
}

/* Moves that failed and PASIDs say nothing of where a device is; nor is there one that nobody described. */
static void not_a_place(void **state)
{
	struct ev_attach a = { .dev = 1, .domain = P2, .pasid = EV_TAG_NO_PASID, .ret = -16 };
	struct snapshot s;

	(void)state;
	snapshot_init(&s);
	snap_device(&s, 1, "a", "", P1);
	snap_record(&s, EV_ATTACH, &a, sizeof(a));
	a.ret = 0;
	a.pasid = 5;
	snap_record(&s, EV_ATTACH, &a, sizeof(a));
	a.pasid = EV_TAG_NO_PASID;
	a.dev = 7;
	snap_record(&s, EV_ATTACH, &a, sizeof(a));
	snap_end(&s);
	assert_int_equal(s.ndevices, 1);
	assert_int_equal(s.devices[0].domain->ptr, P1);
	snapshot_drain(&s);
}

/* ---- who is who ---- */

struct both {
	struct snapshot a, b;
	struct matched m;
};

static void begin(struct both *t)
{
	memset(t, 0, sizeof(*t));
}

static void match(struct both *t, bool partial)
{
	snap_end(&t->a);
	snap_end(&t->b);
	assert_int_equal(snapshots_match(&t->a, &t->b, partial, &t->m), 0);
}

static void end(struct both *t)
{
	matched_drain(&t->m);
	snapshot_drain(&t->a);
	snapshot_drain(&t->b);
}

/* The @i-th pair is these two (0: none), changed like this. */
static void pair_is(const struct both *t, size_t i, uint64_t before, uint64_t after, uint32_t changes)
{
	const struct domain_pair *p = &t->m.domains[i];

	assert_true(i < t->m.ndomains);
	assert_int_equal(p->before ? p->before->ptr : 0, before);
	assert_int_equal(p->after ? p->after->ptr : 0, after);
	assert_int_equal(p->changes, changes);
}

static void device_is(const struct both *t, size_t i, uint32_t changes)
{
	assert_true(i < t->m.ndevices);
	assert_int_equal(t->m.devices[i].changes, changes);
}

static void the_same(void **state)
{
	struct both t;

	(void)state;
	begin(&t);
	snap_device(&t.a, 1, "a", "", P1);
	domain_with_page(&t.a, P1, DMA, 0x9000);
	snap_device(&t.b, 1, "a", "", P1);
	domain_with_page(&t.b, P1, DMA, 0x9000);
	match(&t, false);
	assert_int_equal(t.m.ndomains, 1);
	pair_is(&t, 0, P1, P1, 0);
	device_is(&t, 0, 0);
	assert_true(pair_has_tables(&t.m.domains[0]));
	assert_null(pair_obstacle(&t.m.domains[0]));
	end(&t);
}

/* Another boot: all pointers differ, or are each other's. */
static void other_pointers(void **state)
{
	struct both t;

	(void)state;
	begin(&t);
	snap_device(&t.a, 1, "a", "", P1);
	snap_device(&t.a, 2, "b", "", P2);
	snap_device(&t.b, 1, "a", "", P2);
	snap_device(&t.b, 2, "b", "", P1);
	match(&t, false);
	assert_int_equal(t.m.ndomains, 2);
	pair_is(&t, 0, P1, P2, DELTA_REPLACED);
	pair_is(&t, 1, P2, P1, DELTA_REPLACED);
	device_is(&t, 0, 0);
	end(&t);
}

/* Its device took another domain: one change of each kind. */
static void given_to_a_user(void **state)
{
	struct both t;

	(void)state;
	begin(&t);
	snap_device(&t.a, 1, "a", "e1000e", P1);
	domain_with_page(&t.a, P1, DMA, 0x9000);
	snap_device(&t.b, 1, "a", "vfio-pci", P2);
	domain_with_page(&t.b, P2, DOMAIN_PAGING, 0xa000);
	match(&t, false);
	pair_is(&t, 0, P1, P2, DELTA_REPLACED | DELTA_TYPE | DELTA_TABLE);
	device_is(&t, 0, DELTA_DRIVER);
	end(&t);
}

/* One of two devices moves to the domain of a third: both domains stay who they are. */
static void moved(void **state)
{
	struct both t;

	(void)state;
	begin(&t);
	snap_device(&t.a, 1, "a", "", P1);
	snap_device(&t.a, 2, "b", "", P1);
	snap_device(&t.a, 3, "c", "", P2);
	snap_device(&t.b, 1, "a", "", P1);
	snap_device(&t.b, 2, "b", "", P2);
	snap_device(&t.b, 3, "c", "", P2);
	match(&t, false);
	assert_int_equal(t.m.ndomains, 2);
	pair_is(&t, 0, P1, P1, 0);
	pair_is(&t, 1, P2, P2, 0);
	device_is(&t, 0, 0);
	device_is(&t, 1, DELTA_MOVED);
	device_is(&t, 2, 0);
	assert_string_equal(t.m.domains[1].devices->after->name, "b");
	assert_string_equal(t.m.domains[1].devices->next->after->name, "c");
	assert_null(t.m.domains[1].devices->next->next);
	end(&t);
}

/* More devices in common win over the pointer. */
static void majority(void **state)
{
	struct both t;

	(void)state;
	begin(&t);
	snap_device(&t.a, 1, "a", "", P1);
	snap_device(&t.a, 2, "b", "", P1);
	snap_device(&t.a, 3, "c", "", P1);
	snap_device(&t.b, 1, "a", "", P1);
	snap_device(&t.b, 2, "b", "", P2);
	snap_device(&t.b, 3, "c", "", P2);
	match(&t, false);
	pair_is(&t, 0, P1, P2, DELTA_REPLACED);
	pair_is(&t, 1, 0, P1, DELTA_CAME);
	device_is(&t, 0, DELTA_MOVED);
	device_is(&t, 1, 0);
	end(&t);
}

/* The last device of a domain moved into another one's: the first has gone. */
static void left(void **state)
{
	struct both t;

	(void)state;
	begin(&t);
	snap_device(&t.a, 1, "a", "", P1);
	snap_device(&t.a, 2, "b", "", P2);
	snap_device(&t.b, 1, "a", "", P2);
	snap_device(&t.b, 2, "b", "", P2);
	match(&t, false);
	pair_is(&t, 0, P1, 0, DELTA_WENT);
	pair_is(&t, 1, P2, P2, 0);
	device_is(&t, 0, DELTA_MOVED);
	assert_null(t.m.domains[0].devices);
	end(&t);
}

/* No device in common: the pointer decides. */
static void by_pointer(void **state)
{
	struct both t;

	(void)state;
	begin(&t);
	snap_device(&t.a, 1, "a", "", P1);
	snap_device(&t.b, 2, "b", "", P1);
	match(&t, false);
	assert_int_equal(t.m.ndomains, 1);
	pair_is(&t, 0, P1, P1, 0);
	device_is(&t, 0, DELTA_WENT);
	device_is(&t, 1, DELTA_CAME);
	end(&t);
}

static void came_and_went(void **state)
{
	int partial;

	(void)state;
	for (partial = 0; partial < 2; partial++) {
		struct both t;

		begin(&t);
		snap_device(&t.a, 1, "a", "", P1);
		snap_device(&t.b, 2, "b", "", P3);
		snap_device(&t.b, 3, "c", "", 0);
		match(&t, partial);
		pair_is(&t, 0, P1, 0, partial ? 0 : DELTA_WENT);
		pair_is(&t, 1, 0, P3, partial ? 0 : DELTA_CAME);
		device_is(&t, 0, partial ? 0 : DELTA_WENT);
		device_is(&t, 2, partial ? 0 : DELTA_CAME);
		assert_non_null(t.m.domains[0].devices->before);
		end(&t);
	}
}

/* Into a domain, and out of every. */
static void nowhere(void **state)
{
	struct both t;

	(void)state;
	begin(&t);
	snap_device(&t.a, 1, "a", "", P1);
	snap_device(&t.a, 2, "b", "", 0);
	snap_device(&t.a, 3, "c", "", 0);
	snap_device(&t.b, 1, "a", "", 0);
	snap_device(&t.b, 2, "b", "", P1);
	snap_device(&t.b, 3, "c", "", 0);
	match(&t, false);
	pair_is(&t, 0, P1, P1, 0);
	device_is(&t, 0, DELTA_MOVED);
	device_is(&t, 1, DELTA_MOVED);
	device_is(&t, 2, 0);
	end(&t);
}

/* A table of which one side knows nothing is not compared, and is no change. */
static void not_compared(void **state)
{
	struct both t;

	(void)state;
	begin(&t);
	snap_device(&t.a, 1, "a", "", P1);
	snap_device(&t.a, 2, "b", "", P2);
	snap_device(&t.a, 3, "c", "", P3);
	snap_device(&t.b, 1, "a", "", P1);
	snap_device(&t.b, 2, "b", "", P2);
	snap_device(&t.b, 3, "c", "", P3);
	domain_with_page(&t.a, P1, DMA, 0x9000);
	domain_with_page(&t.a, P2, DMA, 0x9000);
	domain_with_page(&t.a, P3, DMA, 0x9000);
	snap_domain(&t.b, P1, DMA);
	snap_domain(&t.b, P2, DMA);
	snap_domain(&t.b, P3, DMA);
	snap_read(&t.b, P2, EV_READ_BEGIN, 0x9000, EV_READ_CUT);
	snap_read(&t.b, P2, EV_READ_END, 0x9000, EV_READ_CUT);
	snap_read(&t.b, P3, EV_READ_BEGIN, 0, EV_READ_NO_TABLE);
	snap_read(&t.b, P3, EV_READ_END, 0, EV_READ_NO_TABLE);
	match(&t, false);
	pair_is(&t, 0, P1, P1, 0);
	assert_non_null(pair_obstacle(&t.m.domains[0]));
	pair_is(&t, 1, P2, P2, 0);
	assert_non_null(pair_obstacle(&t.m.domains[1]));
	pair_is(&t, 2, P3, P3, DELTA_TABLE);
	assert_null(pair_obstacle(&t.m.domains[2]));
	assert_false(pair_has_tables(&t.m.domains[2]));
	end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gathered),
		cmocka_unit_test(states),
		cmocka_unit_test(flux_in_order),
		cmocka_unit_test(read_again),
		cmocka_unit_test(out_of_order),
		cmocka_unit_test(not_a_place),
		cmocka_unit_test(the_same),
		cmocka_unit_test(other_pointers),
		cmocka_unit_test(given_to_a_user),
		cmocka_unit_test(moved),
		cmocka_unit_test(majority),
		cmocka_unit_test(left),
		cmocka_unit_test(by_pointer),
		cmocka_unit_test(came_and_went),
		cmocka_unit_test(nowhere),
		cmocka_unit_test(not_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
