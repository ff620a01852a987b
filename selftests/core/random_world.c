// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The random machine: how it begins, what it does next, and two CPUs that race. */
#include "random.h"

#include "random_memory.h"

#define RACE_PAGES 8

/* ---- two CPUs, equal and neighbouring pages ---- */

/*
 * Each operation began before the last one on any of its pages had ended: there is always an
 * order in which all went well.
 */
static void step_race(struct world *w)
{
	uint64_t first = draw(w, RACE_PAGES), pages = 1 + draw(w, RACE_PAGES - first), p, begin_ns;
	struct ev_map map = { .domain = w->race.ptr, .iova = first * PAGE, .size = pages * PAGE,
			      .prot = 3 };
	struct ev_unmap unmap = { .domain = w->race.ptr, .iova = first * PAGE,
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
}

static void race_emit(struct world *w, struct ev_hdr *h, uint16_t type, uint16_t len,
		      uint64_t time_ns)
{
	h->type = type;
	h->len = len;
	h->seq = w->seq++;
	h->time_ns = time_ns;
	assert_int_equal(engine_feed(w->e, h, len), 0);
}

/* A page is mapped again while its unmap is running, whose record comes last. */
static void race_explained(struct world *w)
{
	uint64_t iova = (RACE_PAGES + draw(w, 4)) * PAGE, t = w->now;
	struct ev_unmap clear = { .op = op_at(t + 1, 0, 0), .domain = w->race.ptr, .iova = iova,
				  .size = PAGE, .done = PAGE };
	struct ev_map map = { .op = op_at(t + 11, 0, 0), .domain = w->race.ptr, .iova = iova,
			      .size = PAGE, .prot = 3 };
	struct ev_unmap unmap = clear;

	race_emit(w, &clear.op.h, EV_UNMAP, sizeof(clear), t + 5);
	race_emit(w, &map.op.h, EV_MAP, sizeof(map), t + 15);
	map.op.begin_ns = t + 25;
	race_emit(w, &map.op.h, EV_MAP, sizeof(map), t + 30);
	unmap.op.begin_ns = t + 20;
	race_emit(w, &unmap.op.h, EV_UNMAP, sizeof(unmap), t + 35);
	w->now = t + 40;
}

/* ---- steps ---- */

static void step_of(struct world *w, struct owner *o)
{
	uint64_t what = draw(w, 200);

	/* While it is blocked, its driver goes on. */
	if (o->mode <= LAZY && o->seats[0].parked && chance(w, 8)) {
		step_park(w, o);
		return;
	}
	if (what < 75)
		step_map(w, o);
	else if (what < 135)
		step_unmap(w, o);
	else if (what < 150)
		step_queue(w, o);
	else if (what < 160)
		step_sync(w, o);
	else if (what < 172)
		step_free(w, o);
	else if (what < 178)
		step_use(w, o);
	else if (what < 186)
		step_habit(w, o);
	else if (what < 192)
		step_space(w, o);
	else if (what < 197)
		step_park(w, o);
	else
		step_replace(w, o);
}

void world_step(struct world *w)
{
	if (chance(w, 12))
		chance(w, 4) ? race_explained(w) : step_race(w);
	else if (chance(w, 40))
		send_tick(w, chance(w, 3) ? 10 : 1000000000);
	else
		step_of(w, &w->owners[draw(w, OWNERS)]);
}

/* ---- the begin ---- */

static void hear(struct world *w, uint32_t hook, const char *function)
{
	struct ev_hook r = { .hook = hook, .state = EV_HOOK_HEARD };

	snprintf(r.function, sizeof(r.function), "%s", function);
	EMIT(w, EV_HOOK, r, 0);
}

static void send_area(struct world *w, uint32_t kind, uint64_t first, uint64_t last)
{
	struct ev_area r = { .kind = kind, .first = first, .last = last };

	EMIT(w, EV_AREA, r, 0);
}

static void send_task(struct world *w)
{
	struct ev_task task = { .pid = 100, .tgid = 100, .comm = "random" };
	struct ev_task_stack stack = { .pid = 100, .count = 1, .page = { MEMORY_STACK } };

	EMIT(w, EV_TASK, task, 0);
	EMIT(w, EV_TASK_STACK, stack, 0);
}

static void send_mmus(struct world *w)
{
	unsigned int i;

	for (i = 0; i < MMUS; i++) {
		const struct mmu *u = &w->mmus[i];
		struct ev_iommu r = { .iommu = u->ptr, .driver_kind = u->kind,
				      .flags = (u->caching ? EV_IOMMU_CACHING : 0) |
					       (u->scalable ? EV_IOMMU_SCALABLE : 0) };
		struct ev_domain blocked = { .domain = 0xb00000 + i * 0x1000 };

		if (u->kind == EV_DRIVER_REF)
			continue;
		EMIT(w, EV_IOMMU, r, 0);
		EMIT(w, EV_DOMAIN, blocked, 0);
	}
}

static const struct mmu all_mmus[MMUS] = {
	{ .ptr = 0x1100, .kind = EV_DRIVER_VTD, .caching = true },
	{ .ptr = 0x2200, .kind = EV_DRIVER_VTD, .ats = true },
	{ .ptr = 0x3300, .kind = EV_DRIVER_VTD, .scalable = true, .ats = true },
	{ .ptr = 0x4400, .kind = EV_DRIVER_AMD, .caching = true },
	{ .ptr = 0x5500, .kind = EV_DRIVER_AMD },
	{ .ptr = 1, .kind = EV_DRIVER_REF },
	{ .ptr = 2, .kind = EV_DRIVER_REF },
};

static const struct {
	enum mode mode;
	unsigned int mmu;
	uint64_t limit, low;
} all_owners[OWNERS] = {
	{ STRICT, 0, 250, 2 },
	{ LAZY, 1, 250, 0 },
	{ VFIO, 2, 250, 0 },
	{ IOAS, 5, 250, 0 },
	{ STRICT, 3, 128, 0 },
	{ LAZY, 6, 250, 0 },
	{ VFIO, 0, 250, 0 },
	{ LAZY, 4, 250, 0 },
};

static void owner_begin(struct world *w, unsigned int nr)
{
	struct owner *o = &w->owners[nr];
	unsigned int i;

	o->mode = all_owners[nr].mode;
	o->mmu = &w->mmus[all_owners[nr].mmu];
	o->limit = all_owners[nr].limit;
	o->low = all_owners[nr].low;
	o->box = BOX + nr * 0x100;
	o->fresh = true;
	for (i = 0; i < SEATS; i++) {
		o->seats[i].home.ptr = 0xd00000 + nr * 0x10000 + i * 0x1000;
		o->seats[i].home.type = DOMAIN_PAGING | DOMAIN_DMA_API;
		o->user[i].ptr = 0xd08000 + nr * 0x10000 + i * 0x1000;
		o->user[i].type = DOMAIN_PAGING;
		if (!i || o->mode > LAZY)
			seat_new(w, o, &o->seats[i]);
	}
}

void world_begin(struct world *w, uint64_t seed)
{
	struct ev_mark r = { .kind = EV_MARK_ATTACHED };
	unsigned int i;

	memset(w, 0, sizeof(*w));
	w->random = seed * 0x9e3779b97f4a7c15ULL + 1;
	w->now = 1000;
	w->ref = reference_new();
	assert_non_null(w->ref);
	assert_int_equal(engine_new(&w->e), 0);
	w->nosync = chance(w, 2);
	memcpy(w->mmus, all_mmus, sizeof(w->mmus));
	hear(w, HOOK_MAP, w->nosync ? "iommu_map_nosync" : "iommu_map");
	hear(w, HOOK_RELEASE, "iommu_release_device");
	hear(w, HOOK_PAGE_FREE, "mm_page_free");
	hear(w, HOOK_ATS_OFF, "pci_disable_ats");
	EMIT(w, EV_MARK, r, 0);
	send_area(w, EV_AREA_RAM, 0, MEMORY_END);
	send_area(w, EV_AREA_TEXT, MEMORY_TEXT, MEMORY_TEXT + 0xfffff);
	send_area(w, EV_AREA_RODATA, MEMORY_RODATA, MEMORY_RODATA + 0xfffff);
	send_task(w);
	send_mmus(w);
	w->race = (struct place){ .ptr = 0x50000 };
	for (i = 0; i < OWNERS; i++)
		owner_begin(w, i);
}
