// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Life of the model, and the table that says who applies what. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model_priv.h"

typedef int (*apply_fn)(struct model *m, const struct op *op);

static int apply_task(struct model *m, const struct op *op)
{
	struct task *t = omap_get(&m->tasks, op->u.task.pid);

	if (!t) {
		t = calloc(1, sizeof(*t));
		if (!t)
			return -ENOMEM;
		if (omap_put(&m->tasks, op->u.task.pid, t)) {
			free(t);
			return -ENOMEM;
		}
	}
	if (t->tgid != op->u.task.tgid || memcmp(t->comm, op->u.task.comm, sizeof(op->u.task.comm)))
		t->nstack = 0;	/* of whoever had the number before */
	t->pid = op->u.task.pid;
	t->tgid = op->u.task.tgid;
	memcpy(t->comm, op->u.task.comm, sizeof(op->u.task.comm));
	return 0;
}

static int apply_task_stack(struct model *m, const struct op *op)
{
	struct task *t = omap_get(&m->tasks, op->u.task_stack.pid);

	if (!t)
		return 0;
	t->nstack = op->u.task_stack.count < EV_STACK_PAGES ? op->u.task_stack.count :
							      EV_STACK_PAGES;
	memcpy(t->stack, op->u.task_stack.page, sizeof(t->stack));
	return 0;
}

static int apply_area(struct model *m, const struct op *op)
{
	const struct ev_area *a = &op->u.area;

	if (m->nareas < AREAS && a->first <= a->last)
		m->areas[m->nareas++] = (struct area){ a->first, a->last, a->kind };
	return 0;
}

bool model_area(const struct model *m, uint64_t first, uint64_t last, uint32_t kind)
{
	unsigned int i;

	for (i = 0; i < m->nareas; i++) {
		const struct area *a = &m->areas[i];

		if (a->kind == kind && a->first <= last && first <= a->last)
			return true;
	}
	return false;
}

/* An address may get another name: its module went and another came. */
static int apply_symbol(struct model *m, const struct op *op)
{
	struct symbol *s = omap_get(&m->symbols, op->u.symbol.addr);

	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return -ENOMEM;
		if (omap_put(&m->symbols, op->u.symbol.addr, s)) {
			free(s);
			return -ENOMEM;
		}
	}
	s->addr = op->u.symbol.addr;
	memcpy(s->name, op->u.symbol.name, sizeof(op->u.symbol.name));
	return 0;
}

static const apply_fn appliers[] = {
	[EV_TASK] = apply_task,
	[EV_SYMBOL] = apply_symbol,
	[EV_TASK_STACK] = apply_task_stack,
	[EV_AREA] = apply_area,
	[EV_READ] = apply_read,
	[EV_RUN] = apply_run,
	[EV_BOOK] = apply_book,
	[EV_SPAN] = apply_span,
	[EV_ROOT] = apply_root,
	[EV_DEVICE] = apply_device,
	[EV_ALIAS] = apply_alias,
	[EV_DOMAIN] = apply_domain,
	[EV_TAG] = apply_tag,
	[EV_REF_TAG] = apply_ref_tag,
	[EV_IOMMU] = apply_iommu,
	[EV_UNBIND] = apply_unbind,
	[EV_RESV] = apply_resv,
	[EV_HOOK] = apply_hook,
	[EV_MARK] = apply_mark,
	[EV_ALLOC] = apply_alloc,
	[EV_FREE] = apply_free,
	[EV_ATTACH] = apply_attach,
	[EV_MAP] = apply_map,
	[EV_UNMAP] = apply_unmap,
	[EV_PAGE_FREE] = apply_page_free,
	[EV_TABLE] = apply_table,
	[EV_VFIO_MAP] = apply_vfio,
	[EV_VFIO_UNMAP] = apply_vfio,
	[EV_VFIO_ATTACH] = apply_vfio,
	[EV_VFIO_DETACH] = apply_vfio,
	[EV_DMA_MAP] = apply_dma_map,
	[EV_DMA_UNMAP] = apply_dma_unmap,
	[EV_REF_INTENT] = apply_ref_intent,
	[EV_REF_REPLAY] = apply_ref_replay,
	[EV_QI] = apply_qi,
	[EV_AMD_CMD] = apply_amd_cmd,
	[EV_AMD_WAIT] = apply_amd_wait,
	[EV_REF_FLUSH] = apply_ref_flush,
	[EV_FAULT] = apply_fault,
};

int model_apply(struct model *m, const struct op *op)
{
	m->now = op->end;
	m->begin = op->begin;
	m->op = op;
	m->npieces = 0;
	m->faults->told = NULL;
	credit_add(m);
	if (op->kind >= sizeof(appliers) / sizeof(appliers[0]) || !appliers[op->kind])
		return 0;

	return appliers[op->kind](m, op);
}

int model_new(struct model **out)
{
	struct model *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->intents = calloc(INTENTS, sizeof(*m->intents));
	m->faults = calloc(1, sizeof(*m->faults));
	if (!m->intents || !m->faults) {
		free(m->intents);
		free(m->faults);
		free(m);
		return -ENOMEM;
	}
	m->epoch = 1;
	m->sure_epoch = 1;
	m->edge_ns = UINT64_MAX;
	m->last_domain = &m->first_domain;
	m->last_device = &m->first_device;
	m->last_iommu = &m->first_iommu;
	m->last_container = &m->first_container;
	pool_init(&m->ranges, sizeof(struct range));
	pool_init(&m->owes, sizeof(struct owe));
	pool_init(&m->entries, sizeof(struct dma_entry));
	pool_init(&m->cause_pool, sizeof(struct cause));
	lingers_init(m);
	credit_init(m);
	m->places = 1;
	m->missing = NEED_PAGES;	/* until its hook says that it hears */
	*out = m;
	return 0;
}

static void tasks_free(struct model *m)
{
	struct task *t;

	for (t = omap_ceil(&m->tasks, 0); t; t = omap_ceil(&m->tasks, 0)) {
		omap_del(&m->tasks, t->pid);
		free(t);
	}
}

static void symbols_free(struct model *m)
{
	struct symbol *s;

	for (s = omap_ceil(&m->symbols, 0); s; s = omap_ceil(&m->symbols, 0)) {
		omap_del(&m->symbols, s->addr);
		free(s);
	}
}

void model_free(struct model *m)
{
	if (!m)
		return;

	objects_free(m);
	ioases_free(m);
	groups_free(m);
	omap_clear(&m->lines);
	tasks_free(m);
	symbols_free(m);
	causes_free(m);
	pool_drain(&m->ranges);
	pool_drain(&m->owes);
	pool_drain(&m->entries);
	pool_drain(&m->cause_pool);
	pool_drain(&m->linger_pool);
	frames_free(&m->live);
	frames_free(&m->gone);
	free(m->gaps);
	free(m->pieces);
	free(m->intents);
	free(m->faults);
	reading_drain(&m->reading);
	free(m);
}

const struct task *model_task(const struct model *m, uint32_t pid)
{
	return omap_get(&m->tasks, pid);
}

const char *model_symbol(const struct model *m, uint64_t addr)
{
	const struct symbol *s = addr ? omap_get(&m->symbols, addr) : NULL;

	return s ? s->name : NULL;
}

bool model_sure_op(const struct model *m, const struct op *op)
{
	/* The state at the start was read, it did not happen. */
	uint64_t begin = op->flags & EVF_STATE ? op->end : op->begin;

	return m->attached && !m->stopped && !m->gaps_open && begin > m->doubt_end_ns;
}
