/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the files of the model share among themselves. All return 0 or -ENOMEM. */
#ifndef IOMMUSCOPE_MODEL_PRIV_H
#define IOMMUSCOPE_MODEL_PRIV_H

#include "model.h"

/* model_object.c: find or create */
struct domain *domain_get(struct model *m, uint64_t ptr);
struct device *device_get(struct model *m, uint64_t ptr);
struct iommu *iommu_get(struct model *m, uint64_t ptr);
struct container *container_get(struct model *m, uint64_t ptr);
void objects_free(struct model *m);

/* model_bind.c: who is who */
int apply_device(struct model *m, const struct op *op);
int apply_domain(struct model *m, const struct op *op);
int apply_alloc(struct model *m, const struct op *op);
int apply_free(struct model *m, const struct op *op);
int apply_attach(struct model *m, const struct op *op);
bool state_is_late(const struct model *m, const struct device *dev, uint32_t pasid,
		   const struct op *op);

/* model_cache.c */
int apply_tag(struct model *m, const struct op *op);
int apply_ref_tag(struct model *m, const struct op *op);
bool driver_heard(const struct model *m, uint32_t driver_kind);
bool cache_heard(const struct model *m, const struct cache *c);
void cache_destroy(struct model *m, struct cache *c);
void device_leave_caches(struct model *m, struct device *dev, const struct domain *keep,
			 uint32_t pasid);
void device_doubt_caches(struct model *m, struct device *dev);
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

/* model_debt.c */
void debts_open(struct model *m, struct domain *d, const struct op *op);
void debts_close(struct model *m, struct domain *d, uint64_t iova, uint64_t last);
void debts_forget(struct model *m, struct cache *c);
void cache_pay(struct model *m, struct cache *c, const struct flush *f);
bool flush_reaches(const struct flush *f, const struct cache *c);

/* model_map.c */
int apply_map(struct model *m, const struct op *op);
int apply_unmap(struct model *m, const struct op *op);
void ranges_doubt(struct domain *d, uint64_t iova, uint64_t last);

/* model_cause.c */
int cause_map(struct model *m, struct domain *d, const struct op *op);
int cause_unmap(struct model *m, const struct op *op);
int cause_hand_up(struct model *m, uint64_t inner, uint64_t outer);
void cause_replayed(struct model *m, uint64_t id);
void cause_done(struct model *m, uint64_t id);
void intent_note(struct model *m, const struct op *op, uint64_t object);
int apply_ref_intent(struct model *m, const struct op *op);
int apply_ref_replay(struct model *m, const struct op *op);
void causes_free(struct model *m);

/* model_dma.c */
int apply_dma_map(struct model *m, const struct op *op);
int apply_dma_unmap(struct model *m, const struct op *op);
int apply_unbind(struct model *m, const struct op *op);
void dma_doubt(struct device *dev, uint64_t iova, uint64_t last);
void dma_book_free(struct device *dev);

/* model_fault.c */
int apply_fault(struct model *m, const struct op *op);
/* @op removed m->pieces. */
void pasts_note(struct model *m, struct domain *d, const struct op *op);

/* model_vfio.c */
int apply_vfio(struct model *m, const struct op *op);
void container_slots_free(struct container *c);

/* model_loss.c */
int apply_hook(struct model *m, const struct op *op);
int apply_mark(struct model *m, const struct op *op);

#endif
