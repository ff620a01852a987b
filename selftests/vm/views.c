// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * views: makes IOMMUs, devices and domains at /dev/refiommu, reads their views from kernel memory with a BPF
 * program, and compares them with what the calls of the module say. Prints what differs, and counts.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/libbpf.h>

#include "refiommu/ref.h"
#include "views.h"
#include "views.skel.h"

#define GPA 0x10000000ULL	/* of a guest's memory, whose root is first; in every format's window */

static struct views_bpf *skel;
static const char *format;
static unsigned int checks, failures;

static void expect(bool good, const char *what)
{
	checks++;
	if (good)
		return;
	failures++;
	printf("FAIL: %s: %s\n", format, what);
}

static bool is_none(const struct refiommu_view_table *table)
{
	static const struct refiommu_view_table none;

	return !memcmp(table, &none, sizeof(none));
}

static bool same_table(const struct refiommu_view_table *a, const struct refiommu_view_table *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* The first entry that a lookup reads must be where the view says. */
static void check_window(int fd, int endpoint, const struct refiommu_view_window *window,
			 uint64_t iova)
{
	unsigned int shift = 12 + window->index_lg2 * (window->levels - 1);
	struct refiommu_lookup lookup;

	if (ref_lookup(fd, endpoint, 0, iova, &lookup) || !lookup.out_nr_levels) {
		expect(false, "there is no lookup");
		return;
	}
	expect(lookup.out_levels[0].level == window->levels, "levels");
	expect(lookup.out_levels[0].entry_addr ==
	       window->root + ((iova - window->first) >> shift) * 8, "root");
}

static void check_device(uint32_t kind)
{
	expect(skel->bss->device.magic == REFIOMMU_DEVICE_VIEW_MAGIC, "the device's magic");
	expect(!(skel->bss->device.seq & 1), "the device's sequence number");
	expect(skel->bss->device.kind == kind, "the device's kind of context");
}

/* The device is in a paging domain of ours, the last that was assigned. */
static void check_paging(const struct ref_world *w, const struct ref_kind *kind)
{
	const struct refiommu_view *view = &skel->bss->domain.view;
	const struct refiommu_view_table *table = &view->table;
	uint32_t i;

	check_device(REFIOMMU_CONTEXT_TABLE);
	expect(view->magic == REFIOMMU_VIEW_MAGIC, "the domain's magic");
	expect(!view->parent, "no parent");
	expect(table->format == kind->format, "format");
	expect(view->did && view->did == skel->bss->device.did, "domain id");
	expect(view->instance == skel->bss->device.instance, "instance");
	expect(same_table(table, &skel->bss->device.table), "the context's table");
	expect(is_none(&skel->bss->device.guest), "no guest's table");
	expect(table->nr_windows && table->windows[table->nr_windows - 1].last == kind->top,
	       "windows");
	for (i = 0; i < table->nr_windows; i++) {
		check_window(w->fd, w->endpoint, &table->windows[i], table->windows[i].first);
		check_window(w->fd, w->endpoint, &table->windows[i], table->windows[i].last);
	}
}

/* A device that refuses its new address space stays blocked. */
static void check_blocked(const struct ref_world *w)
{
	int other = ref_ioas(w->fd, 0);

	ref_inject(w->fd, w->endpoint, 1);
	expect(ref_attach(w->fd, other, w->endpoint) == -EIO, "the switch fails");
	check_device(REFIOMMU_CONTEXT_BLOCKED);
	expect(!skel->bss->device.did && is_none(&skel->bss->device.table), "nothing else");
}

static void check_detached(const struct ref_world *w)
{
	uint32_t old = skel->bss->device.did;

	expect(!ref_detach(w->fd, w->endpoint), "detach");
	expect(skel->bss->device.kind == REFIOMMU_CONTEXT_IDENTITY ||
	       (skel->bss->device.did && skel->bss->device.did != old), "the default domain");
}

static void check_nested(const struct ref_world *w, const struct ref_kind *kind)
{
	const struct refiommu_view *view = &skel->bss->domain.view;
	const struct refiommu_device_view *device = &skel->bss->device;
	int nested;

	expect(!ref_map(w->fd, w->ioas, GPA, REF_WORLD_PAGES * REF_PAGE, w->mem), "map");
	nested = ref_nest(w->fd, w->ioas, kind, GPA);
	expect(!ref_attach(w->fd, nested, w->endpoint), "attach");
	check_device(REFIOMMU_CONTEXT_NESTED);
	expect(view->magic == REFIOMMU_VIEW_MAGIC && view->did == device->did, "domain id");
	expect(view->parent && view->parent == skel->bss->parent.at, "parent");
	expect(skel->bss->parent.view.magic == REFIOMMU_VIEW_MAGIC, "the parent's magic");
	expect(same_table(&device->table, &skel->bss->parent.view.table), "second stage");
	expect(same_table(&device->guest, &view->table), "first stage");
	expect(view->table.format == kind->format && view->table.nr_windows == 1 &&
	       view->table.windows[0].root == GPA, "the guest's root");
}

static void check_format(const struct ref_named_kind *named)
{
	struct ref_world w;

	format = named->name;
	if (ref_world_make(&w, &named->kind)) {
		expect(false, "no IOMMU can be made");
		return;
	}
	check_paging(&w, &named->kind);
	check_detached(&w);
	check_nested(&w, &named->kind);
	check_blocked(&w);
	printf("%s: root 0x%llx, %u windows, domain id %u, %llu bytes of struct iommu_domain\n",
	       format, (unsigned long long)skel->bss->parent.view.table.windows[0].root,
	       skel->bss->parent.view.table.nr_windows, skel->bss->parent.view.did,
	       (unsigned long long)skel->bss->parent.bytes);
}

int main(void)
{
	unsigned int i;

	skel = views_bpf__open_and_load();
	if (!skel || views_bpf__attach(skel)) {
		fprintf(stderr, "views: %s\n", strerror(errno));
		return 125;
	}
	for (i = 0; i < REF_NR_FORMATS; i++)
		check_format(&ref_formats[i]);
	expect(!skel->bss->failed, "memory that could not be read");
	printf("views checks=%u failures=%u\n", checks, failures);
	views_bpf__destroy(skel);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
