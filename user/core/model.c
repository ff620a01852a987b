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
	t->pid = op->u.task.pid;
	t->tgid = op->u.task.tgid;
	memcpy(t->comm, op->u.task.comm, sizeof(op->u.task.comm));
	return 0;
}

static const apply_fn appliers[] = {
	[EV_TASK] = apply_task,
	[EV_DEVICE] = apply_device,
	[EV_DOMAIN] = apply_domain,
	[EV_TAG] = apply_tag,
	[EV_REF_TAG] = apply_ref_tag,
	[EV_UNBIND] = apply_unbind,
	[EV_HOOK] = apply_hook,
	[EV_MARK] = apply_mark,
	[EV_ALLOC] = apply_alloc,
	[EV_FREE] = apply_free,
	[EV_ATTACH] = apply_attach,
	[EV_MAP] = apply_map,
	[EV_UNMAP] = apply_unmap,
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
	m->npieces = 0;
	m->faults->last = NULL;
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

void model_free(struct model *m)
{
	if (!m)
		return;

	objects_free(m);
	tasks_free(m);
	causes_free(m);
	pool_drain(&m->ranges);
	pool_drain(&m->owes);
	pool_drain(&m->entries);
	pool_drain(&m->cause_pool);
	free(m->gaps);
	free(m->pieces);
	free(m->intents);
	free(m->faults);
	free(m);
}

const struct task *model_task(const struct model *m, uint32_t pid)
{
	return omap_get(&m->tasks, pid);
}

bool model_sure_op(const struct model *m, const struct op *op)
{
	/* The state at the start was read, it did not happen. */
	uint64_t begin = op->flags & EVF_STATE ? op->end : op->begin;

	return m->attached && !m->stopped && !m->gaps_open && begin > m->doubt_end_ns;
}
