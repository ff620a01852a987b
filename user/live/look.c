// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "live/look.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/wire.h"
#include "live/clock.h"
#include "live/host.h"
#include "live/reserved.h"

#define BUDGET_NS 200000000ULL
#define WAIT_US 500
#define DIFFERS_WAIT_US 2000
#define DIFFERS_HOLDS 3		/* times: a device is moved in several steps */

/* One reading. */
struct take {
	struct look *look;
	struct peek_device dev;
	struct peek_owner owner;
	struct host_domain domain;
	struct lookup *out;
};

/* ---- books ---- */

static struct lookup_area area_of(const struct peek_area *a)
{
	return (struct lookup_area){
		.first = a->first, .last = a->last, .prot = a->prot & 3, .tgid = a->tgid,
		.vaddr = a->flags & PEEK_AREA_NO_VADDR ? 0 : a->vaddr, .valid = true,
	};
}

struct taking {
	struct lookup_area *first;
	bool unsure;		/* it is just changing */
};

/* Only the first one is wanted. */
static int take_first(void *arg, const struct peek_area *a)
{
	struct taking *t = arg;

	if (a->flags & PEEK_AREA_EMPTY)
		return 0;
	*t->first = area_of(a);
	t->unsure = a->flags & PEEK_AREA_UNSURE;
	return 1;
}

/* The lowest area that has a byte of [@from, @to], if there is one. *@busy: the book is being changed. */
static int first_area(const struct take *t, uint64_t from, uint64_t to, struct lookup_area *out, bool *busy)
{
	struct peek_book ask = { .domain = t->domain.at.domain, .from = from, .to = to };
	struct taking taking = { .first = out };
	struct peek *p = t->look->p;
	int err = 0;

	*out = (struct lookup_area){ 0 };
	*busy = false;
	if (lookup_has_slots(t->out)) {
		err = peek_owned(p, &t->owner, &ask, take_first, &taking);
		*busy = ask.busy || !ask.has_domain || taking.unsure;
	} else if (t->out->book == LOOKUP_DMA_API) {
		ask.book = t->domain.at.cookie;
		err = peek_iovas(p, &ask, take_first, &taking);
	}
	return err < 0 ? err : 0;
}

static void choose_book(struct take *t)
{
	if (peek_has_book(&t->owner))
		t->out->book = t->owner.kind == PEEK_OWNER_VFIO ? LOOKUP_VFIO : LOOKUP_IOMMUFD;
	else if (t->domain.at.cookie)
		t->out->book = LOOKUP_DMA_API;
	else
		t->out->book = LOOKUP_NO_BOOK;
}

/* The highest area that begins below @iova: its last byte is where an answer turns into none. */
static int nearest_below(const struct take *t, uint64_t iova, struct lookup_area *out)
{
	uint64_t from = 0, to = iova - 1;
	struct lookup_area area;
	bool busy;
	int err;

	if (!iova)
		return 0;
	while (from <= to) {
		uint64_t middle = from + (to - from) / 2;

		err = first_area(t, middle, iova - 1, &area, &busy);
		if (err)
			return err;
		if (area.valid) {
			*out = area;
			if (area.last >= iova - 1)
				break;
			from = area.last + 1;
		} else if (!middle) {
			break;
		} else {
			to = middle - 1;
		}
	}
	return 0;
}

/* Outside of the marks: what lies near is told for orientation. */
static int read_neighbours(const struct take *t)
{
	struct lookup *out = t->out;
	bool busy;
	int err = 0;

	if (out->book == LOOKUP_NO_BOOK || out->holds.valid)
		return 0;
	if (out->iova != UINT64_MAX)
		err = first_area(t, out->iova + 1, UINT64_MAX, &out->above, &busy);
	return err ?: nearest_below(t, out->iova, &out->below);
}

static void read_comm(struct lookup_area *area)
{
	char path[32];
	FILE *f;

	if (!area->tgid)
		return;
	snprintf(path, sizeof(path), "/proc/%u/comm", area->tgid);
	f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(area->comm, sizeof(area->comm), f))
		area->comm[strcspn(area->comm, "\n")] = '\0';
	fclose(f);
}

/* ---- what sysfs says ---- */

static int keep_reserved(void *arg, const struct reserved *r)
{
	struct lookup *out = arg;

	if (out->iova < r->first || out->iova > r->last)
		return 0;
	out->reserved_first = r->first;
	out->reserved_last = r->last;
	memcpy(out->reserved, r->kind, sizeof(out->reserved));
	return 1;
}

/* ---- device and domain ---- */

static int read_place(struct take *t)
{
	struct lookup_place *pl = &t->out->place;
	const struct peek_device *dev = &t->dev;
	int err;

	memset(pl, 0, sizeof(*pl));
	memcpy(pl->device, dev->name, sizeof(pl->device));
	memcpy(pl->driver, dev->driver, sizeof(pl->driver));
	memcpy(pl->iommu, dev->iommu_name, sizeof(pl->iommu));
	pl->device[sizeof(pl->device) - 1] = pl->driver[sizeof(pl->driver) - 1] = '\0';
	pl->iommu[sizeof(pl->iommu) - 1] = '\0';
	pl->group = dev->group;
	pl->sid = dev->sid;
	pl->kind = dev->kind;
	pl->dev_flags = dev->ev_flags;
	pl->domain = dev->domain;
	pl->owned = dev->owner;
	err = host_root(t->look->p, dev, &pl->root);
	pl->root_known = !err;
	if (err)
		memset(&pl->root, 0, sizeof(pl->root));
	return err == -EOPNOTSUPP || err == -EFAULT ? 0 : err;
}

static uint64_t limit(uint64_t last, uint32_t width)
{
	uint64_t top = width && width < 64 ? (1ULL << width) - 1 : UINT64_MAX;

	return last < top ? last : top;
}

static int read_domain(struct take *t)
{
	struct lookup_place *pl = &t->out->place;
	int err = host_domain(t->look->p, t->dev.domain, t->dev.kind, &t->domain);

	if (err)
		return err;
	pl->type = t->domain.at.type;
	pl->did = t->domain.at.did;
	pl->first = t->domain.at.aperture_start;
	pl->last = limit(t->domain.at.aperture_end, t->domain.at.width);
	pl->table = t->domain.table;
	return 0;
}

static int read_path(struct take *t, const struct walk_table *table, struct walk_path *path, bool *walked)
{
	struct walk_memory mem = peek_memory(t->look->p);
	int err;

	*walked = false;
	if (table->format == WALK_NONE)
		return 0;
	err = walk_lookup(table, &mem, t->out->iova, path);
	*walked = !err;
	return err == -ERANGE ? 0 : err;
}

static int read_books_path(struct take *t)
{
	struct walk_table *table = &t->out->place.table;
	int err = read_path(t, table, &t->out->path, &t->out->walked);

	if (err != -EINVAL)
		return err;
	/* Levels that no table has: it is being changed, or what is known of this driver is wrong. */
	*table = (struct walk_table){ .format = WALK_NONE };
	return 0;
}

/* ---- between two marks ---- */

static int watch(struct look *look, const struct ops_keys *keys)
{
	int err = ops_watch(peek_ops(look->p), keys);

	look->watched = err ? (struct ops_keys){ 0 } : *keys;
	return err;
}

/* Domain, book and table. *@busy: the book was being changed. */
static int read_all(struct take *t, bool *busy)
{
	struct lookup *out = t->out;
	struct lookup_area again;
	bool busy_then = false;
	int err = read_domain(t);

	if (err)
		return err;
	choose_book(t);
	err = first_area(t, out->iova, out->iova, &out->holds, busy) ?: read_books_path(t);
	if (!err && lookup_has_slots(out))
		err = first_area(t, out->iova, out->iova, &again, &busy_then);
	*busy |= busy_then;
	return err;
}

/* 1: all was still; 0: not; -errno. */
static int read_still(struct take *t)
{
	struct ops *ops = peek_ops(t->look->p);
	struct ops_mark before, after;
	const struct ops_keys keys = t->look->watched;
	bool calm = ops_mark(ops, &keys, &before), busy = false;
	int err = 0;

	if (ops_lost(ops, &before)) {
		err = watch(t->look, &keys);
		calm = ops_mark(ops, &keys, &before);
	}
	err = err ?: read_all(t, &busy);
	if (err || !calm || busy)
		return err;
	return ops_mark(ops, &keys, &after) && ops_same(&before, &after);
}

/* Is the device still where it was? 1, 0, -errno. */
static int stays(const struct take *t)
{
	struct peek_device now;
	int err = host_find(t->look->p, t->look->device, &now);

	if (err)
		return err == -EAGAIN ? 0 : err;
	return now.dev == t->dev.dev && now.domain == t->dev.domain && now.flags == t->dev.flags &&
	       now.owner == t->dev.owner;
}

static int judge(struct take *t)
{
	struct lookup *out = t->out;
	int err;

	out->hw_walked = false;
	lookup_judge(out);
	if (out->way != LOOKUP_WAY_DIFFERS || out->place.root.kind != ROOT_TABLE)
		return 0;
	err = read_path(t, &out->place.root.table, &out->hw_path, &out->hw_walked);
	lookup_judge(out);
	return err == -EINVAL ? 0 : err;
}

/* 1: a reading that holds; 0: one that does not; -EAGAIN: none now; -errno. */
static int take(struct take *t)
{
	int err = host_find(t->look->p, t->look->device, &t->dev), still;
	struct ops_keys keys;

	if (err)
		return err;
	if (!t->dev.domain || t->dev.flags & PEEK_DEV_PARKED)
		return -EAGAIN;
	t->owner = (struct peek_owner){ .owner = t->dev.owner, .group_at = t->dev.group_at,
					.domain = t->dev.domain };
	err = t->dev.owner ? peek_owner(t->look->p, &t->owner) : 0;
	keys = peek_keys(t->dev.domain, &t->owner);
	if (!err && memcmp(&t->look->watched, &keys, sizeof(keys)))
		err = watch(t->look, &keys);
	err = err ?: read_place(t);
	if (err)
		return err;
	still = read_still(t);
	err = still < 0 ? still : judge(t);
	return err < 0 || !still ? err : stays(t);
}

static int finish(struct take *t)
{
	struct lookup *out = t->out;
	int err = read_neighbours(t);

	if (lookup_has_slots(out) && out->holds.valid)
		read_comm(&out->holds);
	reserved_read(out->place.group, keep_reserved, out);
	return err;
}

int look_up(struct look *look, uint64_t iova, struct lookup *out)
{
	struct take t = { .look = look, .out = out };
	uint64_t end_ns = now_ns() + BUDGET_NS;
	bool seen = false;
	int got, held = 0;

	memset(out, 0, sizeof(*out));
	out->iova = iova;
	for (;;) {
		got = take(&t);
		if (got < 0 && got != -EAGAIN)
			return got;
		seen |= got >= 0;
		held = got > 0 ? held + 1 : 0;
		if (held && (out->way != LOOKUP_WAY_DIFFERS || held == DIFFERS_HOLDS))
			return finish(&t);
		if (now_ns() > end_ns)
			break;
		usleep(held ? DIFFERS_WAIT_US : WAIT_US);
	}
	if (!seen)
		return -EAGAIN;
	out->flux = true;
	return got < 0 ? 0 : finish(&t);
}
