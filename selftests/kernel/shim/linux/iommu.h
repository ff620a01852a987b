/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef SHIM_IOMMU_H
#define SHIM_IOMMU_H

struct iommu_domain;
struct device;

#endif
