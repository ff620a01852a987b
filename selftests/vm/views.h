/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What views.bpf.c and views.c share: what was read, and where. */
#ifndef IOMMUSCOPE_VIEWS_H
#define IOMMUSCOPE_VIEWS_H

#include "kernel/refiommu_view.h"

/* @at: the struct iommu_domain; @bytes: its size here, as the kernel's type information says it */
struct views_domain {
	__u64 at;
	__u64 bytes;
	struct refiommu_view view;
};

#endif
