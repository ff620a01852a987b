// SPDX-License-Identifier: GPL-2.0-only
/*
 * What readers of kernel memory find, with the layout that refiommu.h promises: the module has no
 * type information that a BPF program could use.
 *
 * A domain's view is written once: format, windows and roots never change, and an id stays until
 * the end. The magic comes last and goes first. A device's view follows endpoint->context, under
 * the same lock; readers take no lock, hence its sequence number.
 */
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include "core.h"

static_assert(sizeof(struct refiommu_view_window) == 32);
static_assert(sizeof(struct refiommu_view_table) == 72);
static_assert(offsetof(struct refiommu_view, parent) == 80);
static_assert(sizeof(struct refiommu_view) == 96);
static_assert(offsetof(struct refiommu_device_view, table) == 24);
static_assert(offsetof(struct refiommu_device_view, guest) == 96);
static_assert(sizeof(struct refiommu_device_view) == 168);
static_assert(offsetof(struct ref_domain, domain) == 0);
static_assert(offsetof(struct ref_domain, view) == sizeof(struct iommu_domain));
static_assert(REFIOMMU_VIEW_WINDOWS == REF_MAX_WINDOWS);

/* A window without a root (of a guest's TCE table the second) is left out: it maps nothing. */
static void view_table(struct refiommu_view_table *view, const struct ref_layout *layout)
{
	*view = (struct refiommu_view_table){ .format = layout->format->id };
	for (unsigned int i = 0; i < layout->geo.nr_windows; i++) {
		const struct ref_window *window = &layout->geo.windows[i];

		if (!layout->roots[i])
			continue;
		view->windows[view->nr_windows++] = (struct refiommu_view_window){
			.first = window->first,
			.last = window->last,
			.root = layout->roots[i],
			.levels = window->levels,
			.index_lg2 = window->index_lg2,
		};
	}
}

void ref_view_show_domain(struct ref_domain *domain)
{
	struct refiommu_view *view = &domain->view;

	view_table(&view->table, domain->parent ? &domain->guest : &domain->table.layout);
	view->parent = domain->parent ? (uintptr_t)&domain->parent->domain : 0;
	view->did = domain->did;
	view->instance = domain->instance->nr;
	/* Who sees the magic sees the rest. */
	smp_store_release(&view->magic, REFIOMMU_VIEW_MAGIC);
}

void ref_view_hide_domain(struct ref_domain *domain)
{
	WRITE_ONCE(domain->view.magic, 0);
}

void ref_view_show_endpoint(struct ref_endpoint *endpoint)
{
	endpoint->view.instance = endpoint->instance->nr;
	/* As above. */
	smp_store_release(&endpoint->view.magic, REFIOMMU_DEVICE_VIEW_MAGIC);
}

void ref_view_hide_endpoint(struct ref_endpoint *endpoint)
{
	WRITE_ONCE(endpoint->view.magic, 0);
}

static void view_domain(struct refiommu_device_view *view, const struct ref_domain *domain)
{
	const struct ref_domain *owner = domain->parent ?: domain;

	view->kind = domain->parent ? REFIOMMU_CONTEXT_NESTED : REFIOMMU_CONTEXT_TABLE;
	view->did = domain->did;
	view->table = owner->view.table;
	if (domain->parent)
		view->guest = domain->view.table;
}

static void view_context(struct refiommu_device_view *view, struct ref_instance *instance,
			 struct ref_context context)
{
	const struct ref_domain *domain;

	view->did = 0;
	view->table = (struct refiommu_view_table){};
	view->guest = (struct refiommu_view_table){};
	switch (context.kind) {
	case REF_CONTEXT_NONE:
		view->kind = REFIOMMU_CONTEXT_NONE;
		break;
	case REF_CONTEXT_BLOCKED:
		view->kind = REFIOMMU_CONTEXT_BLOCKED;
		break;
	case REF_CONTEXT_IDENTITY:
		view->kind = REFIOMMU_CONTEXT_IDENTITY;
		break;
	case REF_CONTEXT_DOMAIN:
		domain = xa_load(&instance->domains, context.did);
		/* So an access finds an id without a domain. */
		view->kind = REFIOMMU_CONTEXT_BLOCKED;
		if (domain)
			view_domain(view, domain);
		break;
	}
}

void ref_view_set_context(struct ref_endpoint *endpoint)
{
	struct refiommu_device_view *view = &endpoint->view;

	lockdep_assert_held(&endpoint->instance->lock);

	WRITE_ONCE(view->seq, view->seq + 1);
	smp_wmb(); /* who sees any of the rest sees the odd number, or the one after */
	view_context(view, endpoint->instance, endpoint->context);
	smp_wmb(); /* who sees the even number sees all of the rest */
	WRITE_ONCE(view->seq, view->seq + 1);
}
