// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "live/host.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "event.h"
#include "kernel/refiommu.h"

/* ---- the kernel's books ---- */

static struct walk_table table_of(const struct peek *p, const struct peek_domain *d)
{
	uint64_t root = d->table ? peek_phys(p, d->table) : ~0ULL;

	if (root == ~0ULL)
		return (struct walk_table){ .format = WALK_NONE };
	switch (d->format) {
	case PEEK_FORMAT_VTD_SECOND:
		return walk_vtd_second(root, d->levels);
	case PEEK_FORMAT_X86:
		return walk_x86(root, d->levels);
	case PEEK_FORMAT_AMD_V1:
		return walk_amd_v1(root, d->levels);
	default:
		return (struct walk_table){ .format = WALK_NONE };
	}
}

/* ---- refiommu, whose module has no type information: structures of fixed layout ---- */

static struct walk_table table_of_view(const struct refiommu_view_table *v)
{
	static const enum walk_format formats[] = {
		[REFIOMMU_FORMAT_VTD] = WALK_VTD_SECOND,
		[REFIOMMU_FORMAT_AMDV1] = WALK_AMD_V1,
		[REFIOMMU_FORMAT_TCE] = WALK_TCE,
	};
	struct walk_table t = { .format = WALK_NONE };
	unsigned int i;

	if (v->format >= sizeof(formats) / sizeof(formats[0]) || v->nr_windows > WALK_WINDOWS_MAX)
		return t;
	t.format = formats[v->format];
	t.nwindows = v->nr_windows;
	for (i = 0; i < v->nr_windows; i++)
		t.windows[i] = (struct walk_window){
			.first = v->windows[i].first, .last = v->windows[i].last,
			.root = v->windows[i].root, .levels = v->windows[i].levels,
			.index_lg2 = v->windows[i].index_lg2,
		};
	return t;
}

/* A nested domain's table is a guest's. */
static struct walk_table table_of_ref(struct peek *p, const struct peek_domain *d)
{
	struct refiommu_view view;

	if (peek_read(p, d->behind, &view, sizeof(view)) || view.magic != REFIOMMU_VIEW_MAGIC ||
	    view.parent)
		return (struct walk_table){ .format = WALK_NONE };
	return table_of_view(&view.table);
}

static enum root_kind kind_of_context(uint32_t kind)
{
	static const enum root_kind kinds[] = {
		[REFIOMMU_CONTEXT_NONE] = ROOT_ABSENT,
		[REFIOMMU_CONTEXT_BLOCKED] = ROOT_BLOCKED,
		[REFIOMMU_CONTEXT_IDENTITY] = ROOT_PASS,
		[REFIOMMU_CONTEXT_TABLE] = ROOT_TABLE,
		[REFIOMMU_CONTEXT_NESTED] = ROOT_NESTED,
	};

	return kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[kind] : ROOT_BAD;
}

#define VIEW_TRIES 100

static int root_of_ref(struct peek *p, const struct peek_device *dev, struct root *out)
{
	struct refiommu_device_view view;
	uint32_t seq;
	int i, err;

	for (i = 0; i < VIEW_TRIES; i++) {
		err = peek_read(p, dev->priv, &view, sizeof(view)) ?:
		      peek_read(p, dev->priv + offsetof(struct refiommu_device_view, seq), &seq,
				sizeof(seq));
		if (err)
			return err;
		if (view.magic != REFIOMMU_DEVICE_VIEW_MAGIC)
			return -EOPNOTSUPP;
		if (seq == view.seq && !(seq & 1))
			break;
	}
	*out = (struct root){ .kind = kind_of_context(view.kind), .did = view.did,
			      .table = table_of_view(&view.table) };
	return i < VIEW_TRIES ? 0 : -EAGAIN;
}

int host_domain(struct peek *p, uint64_t domain, uint32_t kind, struct host_domain *out)
{
	int err;

	out->at = (struct peek_domain){ .domain = domain, .kind = kind };
	err = peek_domain(p, &out->at);
	if (err)
		return err;
	out->table = kind == EV_DRIVER_REF ? table_of_ref(p, &out->at) : table_of(p, &out->at);
	out->table.paddr_ignore = peek_paddr_ignore(p);
	return 0;
}

/* ---- the hardware ---- */

#define VTD_GSTS	0x1c	/* VT-d specification 11.4.4.2; bit 31: translation is on */
#define VTD_RTADDR	0x20	/* 11.4.5 */
#define VTD_TRANSLATES	(1U << 31)
#define AMD_DEVTAB	0x00	/* AMD 48882, 3.4.1 */
#define AMD_CONTROL	0x18	/* 3.4.3; bit 0: the IOMMU is on */
#define AMD_ENABLED	1ULL

static int root_of_vtd(struct peek *p, const struct peek_device *dev, struct root *out)
{
	struct walk_memory mem;
	uint64_t rtaddr;
	uint32_t status;
	int err = peek_read(p, dev->regs + VTD_GSTS, &status, sizeof(status)) ?:
		  peek_read(p, dev->regs + VTD_RTADDR, &rtaddr, sizeof(rtaddr));

	if (err)
		return err;
	mem = peek_memory(p);
	if (status & VTD_TRANSLATES)
		root_vtd(rtaddr, &mem, dev->sid, ROOT_NO_PASID, out);
	else
		*out = (struct root){ .kind = ROOT_PASS, .did = ~0U };
	return 0;
}

static int root_of_amd(struct peek *p, const struct peek_device *dev, struct root *out)
{
	uint64_t devtab, control;
	struct walk_memory mem;
	int err = peek_read(p, dev->regs + AMD_CONTROL, &control, sizeof(control)) ?:
		  peek_read(p, dev->regs + AMD_DEVTAB, &devtab, sizeof(devtab));

	if (err)
		return err;
	mem = peek_memory(p);
	if (control & AMD_ENABLED)
		root_amd(devtab, peek_paddr_ignore(p), &mem, dev->sid, ROOT_NO_PASID, out);
	else
		*out = (struct root){ .kind = ROOT_PASS, .did = ~0U };
	return 0;
}

int host_root(struct peek *p, const struct peek_device *dev, struct root *out)
{
	if (dev->kind == EV_DRIVER_REF)
		return root_of_ref(p, dev, out);
	/* Another device's entry does its DMA. */
	if (!dev->regs || dev->sid == ~0U || dev->ev_flags & EV_DEV_PROXIED)
		return -EOPNOTSUPP;
	switch (dev->kind) {
	case EV_DRIVER_VTD:
		return root_of_vtd(p, dev, out);
	case EV_DRIVER_AMD:
		return root_of_amd(p, dev, out);
	default:
		return -EOPNOTSUPP;
	}
}

/* ---- devices ---- */

struct search {
	const char *name;
	struct peek_device *out;
};

bool host_is_called(const struct peek_device *dev, const char *name)
{
	return !strncmp(dev->name, name, sizeof(dev->name) - 1);
}

static int is_it(void *arg, const struct peek_device *dev)
{
	const struct search *s = arg;

	if (!host_is_called(dev, s->name))
		return 0;
	*s->out = *dev;
	return 1;
}

int host_find(struct peek *p, const char *name, struct peek_device *out)
{
	struct search s = { name, out };
	int got = peek_devices(p, is_it, &s);

	return got == 1 ? 0 : got ?: -ENODEV;
}
