/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What kernel_types.h is, for the drivers of IOMMUs and their tables. */
#ifndef IOMMUSCOPE_KERNEL_IOMMUS_H
#define IOMMUSCOPE_KERNEL_IOMMUS_H

#include "kernel_types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/linux/generic_pt: tables of 6.19+ */
struct pt_common {
	unsigned long top_of_table;
};

struct pt_vtdss {
	struct pt_common common;
};

struct pt_x86_64 {
	struct pt_common common;
};

struct pt_amdv1 {
	struct pt_common common;
};

struct pt_iommu_vtdss {
	struct pt_vtdss vtdss_pt;
};

struct pt_iommu_x86_64 {
	struct pt_x86_64 x86_64_pt;
};

struct pt_iommu_amdv1 {
	struct pt_amdv1 amdpt;
};

/* drivers/iommu/intel/iommu.h */
struct intel_iommu {
	void *reg;		/* ioremapped registers */
	u64 cap;
	u64 ecap;
	int seq_id;
	unsigned char name[13];
	void *qi;		/* NULL: register-based invalidation */
	struct iommu_device iommu;
};

struct dmar_domain {
	struct xarray iommu_array;
	struct iommu_domain domain;
};

struct dmar_domain___gaw {		/* until the tables became generic (7.x) */
	int gaw;		/* lowered at attach; geometry is not, from 6.12 on */
};

struct dmar_domain___6_1 {
	int flags;
};

struct dmar_domain___first_level {	/* 6.2+ */
	u8 use_first_level:1;
};

struct dmar_domain___own {		/* tables of the driver's own: before 6.19 */
	void *pgd;
	int agaw;
};

struct dmar_domain___generic {
	struct pt_iommu_x86_64 fspt;
	struct pt_iommu_vtdss sspt;
};

struct iommu_domain_info {
	u16 did;
};

struct device_domain_info {
	u8 bus;
	u8 devfn;
	u8 ats_enabled:1;
	struct intel_iommu *iommu;
	void *pasid_table;
};

struct qi_desc {
	u64 qw0;
	u64 qw1;
};

/* drivers/iommu/amd/amd_iommu_types.h */
struct amd_iommu_pci_seg {
	u16 *alias_table;
};

struct amd_iommu {
	struct amd_iommu_pci_seg *pci_seg;
	u8 *mmio_base;
	u8 *evt_buf;
	struct iommu_device iommu;
	int index;
	u32 cap;
	u64 features;
};

struct iommu_cmd {
	u32 data[4];
};

struct protection_domain {
	struct iommu_domain domain;
	u16 id;
};

struct protection_domain___pd_mode {	/* 6.10+; 6.1 knows the v2 table by its flags */
	int pd_mode;
};

struct protection_domain___6_1 {
	unsigned long flags;
};

struct amd_io_pgtable {
	int mode;
	u64 *root;
	u64 *pgd;		/* of a v2 table */
};

struct protection_domain___own {	/* tables of the driver's own: before 6.19 */
	struct amd_io_pgtable iop;
};

struct protection_domain___generic {
	struct pt_iommu_amdv1 amdv1;
	struct pt_iommu_x86_64 amdv2;
};

struct iommu_dev_data {
	u16 devid;
};

struct iommu_dev_data___bits {		/* 6.10+ */
	u8 ats_enabled:1;
};

struct ats___6_1 {
	bool enabled;
};

struct iommu_dev_data___6_1 {
	struct ats___6_1 ats;
};

#pragma clang attribute pop

#endif
