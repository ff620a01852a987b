// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Counts iommu:map and iommu:unmap in hash maps, where no consumer can be too slow.
 *
 * Raw tracepoints with arguments by position, so that no kernel type is needed. One
 * map per tracepoint: an unmap that interrupts a map finds its own buckets unlocked.
 * What is not counted all the same is: in @failed here, in recursion_misses by the kernel.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "oracle.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 18);
	__type(key, struct oracle_key);
	__type(value, __u64);
} maps SEC(".maps"), unmaps SEC(".maps");

__u64 failed;

static void count(void *table, struct bpf_raw_tracepoint_args *ctx)
{
	struct oracle_key key = { { ctx->args[0], ctx->args[1], ctx->args[2] } };
	__u64 one = 1, *seen = bpf_map_lookup_elem(table, &key);

	if (!seen && !bpf_map_update_elem(table, &key, &one, BPF_NOEXIST))
		return;
	if (!seen)
		seen = bpf_map_lookup_elem(table, &key);
	__sync_fetch_and_add(seen ? seen : &failed, 1);
}

/* TP_PROTO(unsigned long iova, phys_addr_t paddr, size_t size) */
SEC("raw_tp/map")
int oracle_map(struct bpf_raw_tracepoint_args *ctx)
{
	count(&maps, ctx);
	return 0;
}

/* TP_PROTO(unsigned long iova, size_t size, size_t unmapped_size) */
SEC("raw_tp/unmap")
int oracle_unmap(struct bpf_raw_tracepoint_args *ctx)
{
	count(&unmaps, ctx);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
