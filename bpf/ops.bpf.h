/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How many calls that change a page table have begun and ended, of the domains that a reader of tables is
 * looking at: who reads while no call is under way, and finds the counts as they were, has read
 * one state. All these functions have the domain as their first argument. The same of calls that change the areas of
 * iommufd's address spaces, which are their first argument or the second.
 */
#ifndef IOMMUSCOPE_OPS_BPF_H
#define IOMMUSCOPE_OPS_BPF_H

#include "config.bpf.h"
#include "peek_abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PEEK_OPS_DOMAINS);
	__type(key, u64);
	__type(value, struct peek_ops);
} peek_ops SEC(".maps");

/* Calls under way, by the address of their trampoline's context: entry and exit see the same one. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, u64);	/* number of the watch */
} peek_ops_under_way SEC(".maps");

static __always_inline int op_begins(u64 *args, u64 what)
{
	u64 call = (u64)args, watch;
	struct peek_ops *ops = bpf_map_lookup_elem(&peek_ops, &what);

	if (!ops)
		return 0;
	watch = ops->watch;
	if (bpf_map_update_elem(&peek_ops_under_way, &call, &watch, BPF_ANY))
		__sync_fetch_and_add(&ops->lost, 1);
	else
		__sync_fetch_and_add(&ops->begun, 1);
	return 0;
}

static __always_inline int op_ends(u64 *args, u64 what)
{
	u64 call = (u64)args;
	struct peek_ops *ops = bpf_map_lookup_elem(&peek_ops, &what);
	u64 *watch = ops ? bpf_map_lookup_elem(&peek_ops_under_way, &call) : NULL;

	if (!watch)
		return 0;
	if (*watch == ops->watch)
		__sync_fetch_and_add(&ops->ended, 1);
	bpf_map_delete_elem(&peek_ops_under_way, &call);
	return 0;
}

SEC("ops_begin")
int map_begins(u64 *args)
{
	return op_begins(args, args[0]);
}

SEC("ops_end")
int map_ends(u64 *args)
{
	return op_ends(args, args[0]);
}

SEC("ops_begin")
int map_nosync_begins(u64 *args)
{
	return op_begins(args, args[0]);
}

SEC("ops_end")
int map_nosync_ends(u64 *args)
{
	return op_ends(args, args[0]);
}

SEC("ops_begin")
int map_atomic_begins(u64 *args)
{
	return op_begins(args, args[0]);
}

SEC("ops_end")
int map_atomic_ends(u64 *args)
{
	return op_ends(args, args[0]);
}

SEC("ops_begin")
int map_sg_begins(u64 *args)
{
	return op_begins(args, args[0]);
}

SEC("ops_end")
int map_sg_ends(u64 *args)
{
	return op_ends(args, args[0]);
}

SEC("ops_begin")
int map_sg_atomic_begins(u64 *args)
{
	return op_begins(args, args[0]);
}

SEC("ops_end")
int map_sg_atomic_ends(u64 *args)
{
	return op_ends(args, args[0]);
}

SEC("ops_begin")
int unmap_begins(u64 *args)
{
	return op_begins(args, args[0]);
}

SEC("ops_end")
int unmap_ends(u64 *args)
{
	return op_ends(args, args[0]);
}

SEC("ops_begin")
int unmap_fast_begins(u64 *args)
{
	return op_begins(args, args[0]);
}

SEC("ops_end")
int unmap_fast_ends(u64 *args)
{
	return op_ends(args, args[0]);
}

/* ---- iommufd ---- */

SEC("ops_begin")
int iopt_map_user_begins(u64 *args)
{
	return op_begins(args, args[1]);
}

SEC("ops_end")
int iopt_map_user_ends(u64 *args)
{
	return op_ends(args, args[1]);
}

SEC("ops_begin")
int iopt_map_file_begins(u64 *args)
{
	return op_begins(args, args[1]);
}

SEC("ops_end")
int iopt_map_file_ends(u64 *args)
{
	return op_ends(args, args[1]);
}

SEC("ops_begin")
int iopt_map_pages_begins(u64 *args)
{
	return op_begins(args, args[0]);
}

SEC("ops_end")
int iopt_map_pages_ends(u64 *args)
{
	return op_ends(args, args[0]);
}

SEC("ops_begin")
int iopt_unmap_iova_begins(u64 *args)
{
	return op_begins(args, args[0]);
}

SEC("ops_end")
int iopt_unmap_iova_ends(u64 *args)
{
	return op_ends(args, args[0]);
}

SEC("ops_begin")
int iopt_unmap_all_begins(u64 *args)
{
	return op_begins(args, args[0]);
}

SEC("ops_end")
int iopt_unmap_all_ends(u64 *args)
{
	return op_ends(args, args[0]);
}

SEC("ops_begin")
int iopt_cut_iova_begins(u64 *args)
{
	return op_begins(args, args[0]);
}

SEC("ops_end")
int iopt_cut_iova_ends(u64 *args)
{
	return op_ends(args, args[0]);
}

#endif
