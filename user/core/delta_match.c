// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Who is who in two snapshots. Each device in both is a vote for its two domains being one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delta.h"

#define NOBODY SIZE_MAX

/* Two domains with devices in common. */
struct bond {
	size_t a, b;		/* indices */
	size_t votes;
	bool same_ptr;
};

struct matching {
	const struct snapshot *a, *b;
	struct matched *out;
	struct bond *bonds;
	size_t nbonds;
	size_t *b_of, *a_of;	/* by index; NOBODY: none */
	bool partial;
};

/* ---- devices ---- */

static size_t index_of(const struct snapshot *s, const struct snap_device *dev)
{
	return dev->domain ? (size_t)(dev->domain - s->domains) : NOBODY;
}

static void add_bond(struct matching *m, const struct snap_device *x, const struct snap_device *y)
{
	if (!x->domain || !y->domain)
		return;
	m->bonds[m->nbonds++] = (struct bond){
		.a = index_of(m->a, x), .b = index_of(m->b, y), .votes = 1,
		.same_ptr = x->domain->ptr == y->domain->ptr,
	};
}

/* Both lists are in the order of names. */
static void pair_devices(struct matching *m)
{
	size_t i = 0, j = 0;

	while (i < m->a->ndevices || j < m->b->ndevices) {
		struct device_pair *p = &m->out->devices[m->out->ndevices++];
		int order = i == m->a->ndevices ? 1 : j == m->b->ndevices ? -1 :
			    strcmp(m->a->devices[i].name, m->b->devices[j].name);

		*p = (struct device_pair){ 0 };
		if (order <= 0)
			p->before = &m->a->devices[i++];
		if (order >= 0)
			p->after = &m->b->devices[j++];
		if (!order)
			add_bond(m, p->before, p->after);
	}
}

/* ---- domains ---- */

static int compare_place(const void *x, const void *y)
{
	const struct bond *p = x, *q = y;

	if (p->a != q->a)
		return p->a < q->a ? -1 : 1;
	return p->b < q->b ? -1 : p->b > q->b;
}

static int compare_weight(const void *x, const void *y)
{
	const struct bond *p = x, *q = y;

	if (p->votes != q->votes)
		return p->votes > q->votes ? -1 : 1;
	if (p->same_ptr != q->same_ptr)
		return p->same_ptr ? -1 : 1;
	return compare_place(x, y);
}

static void weigh_bonds(struct matching *m)
{
	size_t i, n = 0;

	if (!m->nbonds)
		return;
	qsort(m->bonds, m->nbonds, sizeof(*m->bonds), compare_place);
	for (i = 1; i < m->nbonds; i++) {
		if (!compare_place(&m->bonds[n], &m->bonds[i]))
			m->bonds[n].votes++;
		else
			m->bonds[++n] = m->bonds[i];
	}
	m->nbonds = n + 1;
	qsort(m->bonds, m->nbonds, sizeof(*m->bonds), compare_weight);
}

static void match(struct matching *m, size_t a, size_t b)
{
	if (m->b_of[a] != NOBODY || m->a_of[b] != NOBODY)
		return;
	m->b_of[a] = b;
	m->a_of[b] = a;
}

static void match_pointers(struct matching *m)
{
	size_t a, b;

	for (a = 0; a < m->a->ndomains; a++) {
		b = (uintptr_t)omap_get(&m->b->domain_at, m->a->domains[a].ptr);
		if (b)
			match(m, a, b - 1);
	}
}

static bool same_table(const struct snap_domain *x, const struct snap_domain *y)
{
	if (x->state == SNAP_UNREAD || y->state == SNAP_UNREAD)
		return true;	/* not known */
	if (x->state == SNAP_NONE || y->state == SNAP_NONE)
		return x->state == y->state;
	return x->root == y->root && x->levels == y->levels && x->format == y->format;
}

static uint32_t domain_changes(const struct matching *m, const struct domain_pair *p)
{
	const struct snap_domain *x = p->before, *y = p->after;

	if (!x || !y)
		return m->partial ? 0 : x ? DELTA_WENT : DELTA_CAME;
	return (x->ptr != y->ptr ? DELTA_REPLACED : 0) | (x->type != y->type ? DELTA_TYPE : 0) |
	       (same_table(x, y) ? 0 : DELTA_TABLE);
}

/* From here on @a_of has the pair of each domain of the second. */
static void pair_domains(struct matching *m)
{
	struct domain_pair *p = m->out->domains;
	size_t i;

	for (i = 0; i < m->a->ndomains; i++)
		*p++ = (struct domain_pair){
			.before = &m->a->domains[i],
			.after = m->b_of[i] == NOBODY ? NULL : &m->b->domains[m->b_of[i]],
		};
	for (i = 0; i < m->b->ndomains; i++)
		if (m->a_of[i] == NOBODY) {
			m->a_of[i] = p - m->out->domains;
			*p++ = (struct domain_pair){ .after = &m->b->domains[i] };
		}
	m->out->ndomains = p - m->out->domains;
	for (p = m->out->domains, i = 0; i < m->out->ndomains; i++, p++)
		p->changes = domain_changes(m, p);
}

/* ---- devices, once it is known which domain is which ---- */

static bool has_moved(const struct matching *m, const struct device_pair *p)
{
	size_t a = index_of(m->a, p->before), b = index_of(m->b, p->after);

	if (a == NOBODY || b == NOBODY)
		return a != b;
	return m->b_of[a] != b;
}

/* The pair of domains to list it with, or NULL. */
static struct domain_pair *home_of(const struct matching *m, const struct device_pair *p)
{
	size_t at = p->after ? index_of(m->b, p->after) : index_of(m->a, p->before);
	struct domain_pair *home;

	if (at == NOBODY)
		return NULL;
	home = &m->out->domains[p->after ? m->a_of[at] : at];
	return p->after || !home->after ? home : NULL;
}

static void list_devices(struct matching *m)
{
	size_t i;

	for (i = m->out->ndevices; i--;) {
		struct device_pair *p = &m->out->devices[i];
		struct domain_pair *home = home_of(m, p);

		if (!home)
			continue;
		p->next = home->devices;
		home->devices = p;
	}
}

static uint32_t device_changes(const struct matching *m, const struct device_pair *p)
{
	if (!p->before || !p->after)
		return m->partial ? 0 : p->before ? DELTA_WENT : DELTA_CAME;
	return (has_moved(m, p) ? DELTA_MOVED : 0) |
	       (strcmp(p->before->driver, p->after->driver) ? DELTA_DRIVER : 0) |
	       (p->before->group != p->after->group ? DELTA_GROUP : 0);
}

/* ---- all ---- */

static size_t *new_indices(size_t count)
{
	size_t i, *list = malloc((count + 1) * sizeof(*list));

	for (i = 0; list && i < count; i++)
		list[i] = NOBODY;
	return list;
}

static int allocate(struct matching *m)
{
	size_t domains = m->a->ndomains + m->b->ndomains;
	size_t devices = m->a->ndevices + m->b->ndevices;

	m->out->domains = calloc(domains + 1, sizeof(*m->out->domains));
	m->out->devices = calloc(devices + 1, sizeof(*m->out->devices));
	m->bonds = calloc(devices + 1, sizeof(*m->bonds));
	m->b_of = new_indices(m->a->ndomains);
	m->a_of = new_indices(m->b->ndomains);
	return m->out->domains && m->out->devices && m->bonds && m->b_of && m->a_of ? 0 : -ENOMEM;
}

static void match_all(struct matching *m)
{
	size_t i;

	pair_devices(m);
	weigh_bonds(m);
	for (i = 0; i < m->nbonds; i++)
		match(m, m->bonds[i].a, m->bonds[i].b);
	match_pointers(m);
	pair_domains(m);
	list_devices(m);
	for (i = 0; i < m->out->ndevices; i++)
		m->out->devices[i].changes = device_changes(m, &m->out->devices[i]);
}

int snapshots_match(const struct snapshot *before, const struct snapshot *after, bool partial,
		    struct matched *out)
{
	struct matched made = { 0 };
	struct matching m = { .a = before, .b = after, .out = &made, .partial = partial };
	int err = allocate(&m);

	if (!err)
		match_all(&m);
	free(m.bonds);
	free(m.b_of);
	free(m.a_of);
	if (err)
		matched_drain(&made);
	else
		*out = made;
	return err;
}

void matched_drain(struct matched *m)
{
	free(m->domains);
	free(m->devices);
	*m = (struct matched){ 0 };
}

static const char *obstacle(const struct snap_domain *d)
{
	static const char *const words[] = {
		[SNAP_UNREAD] = "its table was not read",
		[SNAP_UNKNOWN] = "the format of its table is not known",
		[SNAP_CUT] = "its table could not be read to the end",
		[SNAP_ODD] = "its reading is out of order: damaged",
		[SNAP_NONE] = NULL,
		[SNAP_READ] = NULL,
	};

	return words[d->state];
}

const char *pair_obstacle(const struct domain_pair *p)
{
	const char *why;

	if (!p->before || !p->after)
		return NULL;
	why = obstacle(p->before);
	return why ? why : obstacle(p->after);
}

bool pair_has_tables(const struct domain_pair *p)
{
	return p->before && p->after && p->before->state == SNAP_READ &&
	       p->after->state == SNAP_READ;
}
