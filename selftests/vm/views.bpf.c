// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Reads what refiommu shows to readers of kernel memory (kernel/refiommu_view.h): the view of the last domain that
 * a device was tagged with, its parent's, and that of the last device whose context was written.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "views.h"

#define FLUSH_CONTEXT 3	/* kernel/trace.h */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct iommu_domain {
	unsigned int type;
};

struct dev_iommu {
	void *priv;
};

struct device {
	struct dev_iommu *iommu;
};
#pragma clang attribute pop

struct views_domain domain, parent;
struct refiommu_device_view device;
__u64 failed;

static void note(long err)
{
	if (err)
		__sync_fetch_and_add(&failed, 1);
}

static void read_domain(struct views_domain *out, __u64 at)
{
	out->at = at;
	out->bytes = bpf_core_type_size(struct iommu_domain);
	note(bpf_probe_read_kernel(&out->view, sizeof(out->view), (void *)(at + out->bytes)));
}

/* TP_PROTO(u32 instance, struct iommu_domain *domain, u32 did, struct device *dev, bool assigned) */
SEC("raw_tp/refiommu_tag")
int views_tag(struct bpf_raw_tracepoint_args *ctx)
{
	if (!(__u8)ctx->args[4])
		return 0;
	read_domain(&domain, ctx->args[1]);
	if (domain.view.parent)
		read_domain(&parent, domain.view.parent);
	return 0;
}

/* TP_PROTO(u32 instance, u32 kind, domain, u32 did, u64 first, u64 last, struct device *dev, ...) */
SEC("raw_tp/refiommu_flush")
int views_flush(struct bpf_raw_tracepoint_args *ctx)
{
	struct device *dev = (void *)ctx->args[6];

	if ((__u32)ctx->args[1] != FLUSH_CONTEXT)
		return 0;
	note(bpf_probe_read_kernel(&device, sizeof(device), BPF_CORE_READ(dev, iommu, priv)));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
