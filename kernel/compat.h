/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where kernels from 6.12 to 7.2 differ. No other file of the module names a version.
 */
#ifndef REFIOMMU_COMPAT_H
#define REFIOMMU_COMPAT_H

#include <linux/iommu.h>
#include <linux/version.h>

#define REF_KERNEL (LINUX_VERSION_MAJOR * 1000 + LINUX_VERSION_PATCHLEVEL)

#if REF_KERNEL < 6012
#error refiommu needs Linux 6.12 or newer: before, a machine could have one IOMMU driver only.
#endif

/*
 * iommu_domain_ops.attach_dev of all our domains. From 6.19 on it is told the old domain; we know
 * it from the device's context.
 */
int ref_domain_attach(struct iommu_domain *domain, struct device *dev);

#if REF_KERNEL >= 6019
static inline int ref_attach_dev(struct iommu_domain *domain, struct device *dev,
				 struct iommu_domain *old)
{
	return ref_domain_attach(domain, dev);
}
#else
static inline int ref_attach_dev(struct iommu_domain *domain, struct device *dev)
{
	return ref_domain_attach(domain, dev);
}
#endif

#endif /* REFIOMMU_COMPAT_H */
