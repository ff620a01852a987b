// SPDX-License-Identifier: GPL-2.0-only
/*
 * Notifications: what changed in an address space, for whoever keeps a copy of it.
 *
 * A ring of REF_EVENTS. A change joins the newest event if the two touch and are equal in kind
 * and permission. The last free place is for a LOST event: it takes in all that comes until
 * some event is read, so that nothing is ever lost without a word.
 */
#include <linux/uaccess.h>
#include "ioas.h"

static struct refiommu_event *event_at(struct ref_ioas *ioas, unsigned int nr)
{
	lockdep_assert_held(&ioas->lock);
	return &ioas->events[(ioas->first_event + nr) % REF_EVENTS];
}

static bool event_join(struct refiommu_event *event, const struct refiommu_event *more)
{
	if (event->kind != more->kind || event->prot != more->prot)
		return false;
	if (event->last != U64_MAX && event->last + 1 == more->first) {
		event->last = more->last;
		return true;
	}
	if (more->last != U64_MAX && more->last + 1 == event->first) {
		event->first = more->first;
		return true;
	}
	return false;
}

void ref_notify(struct ref_ioas *ioas, u32 kind, u64 first, u64 last, u32 prot)
{
	struct refiommu_event event = { .first = first, .last = last, .kind = kind, .prot = prot };
	struct refiommu_event *newest;

	lockdep_assert_held(&ioas->lock);
	if (!ioas->events)
		return;
	newest = ioas->nr_events ? event_at(ioas, ioas->nr_events - 1) : NULL;
	if (newest && event_join(newest, &event))
		return;
	if (ioas->nr_events == REF_EVENTS) {
		newest->first = min(newest->first, first);
		newest->last = max(newest->last, last);
		return;
	}
	if (ioas->nr_events == REF_EVENTS - 1) {
		event.kind = REFIOMMU_EVENT_LOST;
		event.prot = 0;
	}
	*event_at(ioas, ioas->nr_events++) = event;
}

static int events_take(struct ref_ioas *ioas, struct refiommu_ioas_events *arg)
{
	struct refiommu_event __user *to = u64_to_user_ptr(arg->events);
	unsigned int i, nr;

	lockdep_assert_held(&ioas->lock);
	if (!ioas->events)
		return -EOPNOTSUPP;
	nr = min(arg->nr, ioas->nr_events);
	for (i = 0; i < nr; i++)
		if (copy_to_user(to + i, event_at(ioas, i), sizeof(*to)))
			return -EFAULT;
	ioas->first_event = (ioas->first_event + nr) % REF_EVENTS;
	ioas->nr_events -= nr;
	arg->out_nr = nr;
	return 0;
}

int ref_ioas_events(struct ref_ctx *ctx, struct refiommu_ioas_events *arg)
{
	struct ref_ioas *ioas = ref_ioas_get_own(ctx, arg->ioas_id);
	int err;

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	scoped_guard(mutex, &ioas->lock)
		err = events_take(ioas, arg);
	ref_object_put(&ioas->object);
	return err;
}
