/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the files of the model share among themselves. All return 0 or -ENOMEM. */
#ifndef IOMMUSCOPE_MODEL_PRIV_H
#define IOMMUSCOPE_MODEL_PRIV_H

#include "model.h"

/* model_credit.c: walks that a trace can make long */
void credit_init(struct model *m);
void credit_add(struct model *m);
/* May the walk go on? If not, nothing that was known is sure any more. */
bool model_step(struct model *m);
/* The same for what costs as much as @n steps. */
bool model_steps(struct model *m, unsigned int n);
/* The same for what may as well be left out: what was known stays sure. */
bool model_affords(struct model *m, uint64_t n);

/* model_object.c: find or create */
struct domain *domain_get(struct model *m, uint64_t ptr);
struct device *device_get(struct model *m, uint64_t ptr);
struct iommu *iommu_get(struct model *m, uint64_t ptr);
struct container *container_get(struct model *m, uint64_t ptr);
void domains_touch(struct domain **domains, unsigned int *n, struct domain *d);
void objects_free(struct model *m);

/* model_bind.c: who is who */
int apply_device(struct model *m, const struct op *op);
int apply_alias(struct model *m, const struct op *op);
int apply_read(struct model *m, const struct op *op);
int apply_run(struct model *m, const struct op *op);
int apply_book(struct model *m, const struct op *op);
int apply_root(struct model *m, const struct op *op);
int apply_span(struct model *m, const struct op *op);
int apply_domain(struct model *m, const struct op *op);
int apply_alloc(struct model *m, const struct op *op);
int apply_free(struct model *m, const struct op *op);
int apply_attach(struct model *m, const struct op *op);
bool state_is_late(const struct model *m, const struct device *dev, uint32_t pasid,
		   const struct op *op);

/* model_cache.c */
int apply_tag(struct model *m, const struct op *op);
int apply_ref_tag(struct model *m, const struct op *op);
int apply_iommu(struct model *m, const struct op *op);
bool cache_owes(const struct model *m, const struct cache *c, const struct op *op);
void cache_destroy(struct model *m, struct cache *c);
void device_leave_caches(struct model *m, struct device *dev, const struct domain *keep,
			 uint32_t pasid);
void device_doubt_caches(struct model *m, struct device *dev);
/* Those of its PASIDs only. */
void device_doubt_pasids(struct model *m, struct device *dev);
/* @op says that @dev is in @d: what its tags of refiommu said is so still, or again. */
void device_renew_caches(struct model *m, struct device *dev, const struct domain *d,
			 const struct op *op);
/* An invalidation of @d by @u names @did. */
void caches_recall(struct model *m, struct domain *d, const struct iommu *u, uint32_t did);

/* model_flush.c */
int apply_qi(struct model *m, const struct op *op);
int apply_amd_cmd(struct model *m, const struct op *op);
int apply_amd_wait(struct model *m, const struct op *op);
int apply_ref_flush(struct model *m, const struct op *op);
void iommu_doubt(struct model *m, struct iommu *mmu);

/* model_switch.c */
void entry_note(struct model *m, const struct flush *f);
/* A flush of @iommu was lost, which no tag has named yet. */
void entries_doubt(struct model *m, uint64_t iommu);
void wide_note(struct model *m, struct iommu *u, const struct flush *f);
void ghost_new(struct model *m, const struct cache *c, const struct device *dev);
void ghost_drop(struct iommu *u, uint32_t did);
void ghosts_free(struct iommu *u);
void leave_begin(struct model *m, struct device *dev, const struct op *op);
void leaves_end(struct model *m, const struct domain *d);
void leaves_expire(struct model *m);

/* model_debt.c */
void debts_open(struct model *m, struct domain *d, const struct op *op);
void debts_open_absent(struct model *m, struct domain *d, const struct op *op);
void debts_close_absent(struct model *m, struct domain *d, uint64_t iova, uint64_t last);
void debts_close(struct model *m, struct domain *d, uint64_t iova, uint64_t last);
void debts_forget(struct model *m, struct cache *c);
void cache_pay(struct model *m, struct cache *c, const struct flush *f);
bool flush_reaches(const struct flush *f, const struct cache *c);

/* model_frame.c */
int apply_page_free(struct model *m, const struct op *op);
void lingers_init(struct model *m);
void frames_listen(struct model *m, bool on);
/* The unmap just applied to @d has opened its debts. */
void lingers_note(struct model *m, const struct domain *d);
void exposures_settle(struct model *m, struct domain *d, const struct flush *f);
void exposures_cut(struct domain *d, uint64_t iova, uint64_t last);
void exposures_tick(struct model *m);
void exposures_free(struct domain *d);

/* model_map.c */
int apply_map(struct model *m, const struct op *op);
int apply_unmap(struct model *m, const struct op *op);
void ranges_doubt(struct model *m, struct domain *d, uint64_t iova, uint64_t last);

/* model_watch.c */
int spans_add(struct spans *s, uint64_t first, uint64_t last);
void spans_free(struct spans *s);
int watch_open(struct model *m, struct domain *d);
/* No reading is open any more. */
void watch_shut(struct model *m);
/* What it costs to judge the reading of @d that was gathered. */
uint64_t watch_steps(const struct model *m, const struct domain *d);
void watch_free(struct model *m, struct domain *d);
/* A call changes what [iova, last] translates. */
void watch_touch(struct domain *d, uint64_t iova, uint64_t last);
/* And what there is now is not known. */
void watch_doubt(struct domain *d, uint64_t iova, uint64_t last);

/* model_traced.c: the open reading of @d has ended */
int watch_judge(struct model *m, struct domain *d, const struct op *op);

/* model_table.c */
int apply_table(struct model *m, const struct op *op);
void replaced_done(struct domain *d, const struct op *map);

/* model_cause.c */
int cause_map(struct model *m, struct domain *d, const struct op *op);
int cause_unmap(struct model *m, const struct op *op);
int cause_hand_up(struct model *m, uint64_t inner, uint64_t outer);
int cause_refused(struct model *m, struct domain *d, const struct op *op);
int cause_attach(struct model *m, struct domain *d, const struct op *op);
void cause_replayed(struct model *m, uint64_t id);
void cause_done(struct model *m, uint64_t id);
void intent_note(struct model *m, const struct op *op, uint64_t object);
void causes_free(struct model *m);

/* model_ioas.c */
int apply_ref_intent(struct model *m, const struct op *op);
int apply_ref_replay(struct model *m, const struct op *op);
void ioases_doubt(struct model *m);
void ioases_free(struct model *m);

/* model_resv.c */
int apply_resv(struct model *m, const struct op *op);
int domain_resv_update(struct model *m, struct domain *d);
int device_enter_group(struct model *m, struct device *dev, int32_t nr);
void device_leave_group(struct model *m, struct device *dev);
int group_forget(struct model *m, int32_t nr);
void groups_free(struct model *m);

/* model_dma.c */
int apply_dma_map(struct model *m, const struct op *op);
int apply_dma_unmap(struct model *m, const struct op *op);
int apply_unbind(struct model *m, const struct op *op);
void dma_doubt(struct model *m, struct device *dev, uint64_t iova, uint64_t last);
void dma_book_free(struct device *dev);

/* model_fault.c */
int apply_fault(struct model *m, const struct op *op);
/* @op removed m->pieces. */
void pasts_note(struct model *m, struct domain *d, const struct op *op);

/* model_vfio.c */
int apply_vfio(struct model *m, const struct op *op);
void container_slots_free(struct container *c);
/* @d has died: was it the last domain of a container? */
void containers_leave(struct model *m, const struct domain *d);

/* model_loss.c */
int apply_hook(struct model *m, const struct op *op);
int apply_mark(struct model *m, const struct op *op);

#endif
