/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * State that all programs share. The object may be loaded more than once (modules come
 * later): the first load creates these maps, the others are handed the same
 * (bpf_map__reuse_fd). The loader sizes those that depend on the number of CPUs.
 */
#ifndef IOMMUSCOPE_MAPS_BPF_H
#define IOMMUSCOPE_MAPS_BPF_H

#include "config.bpf.h"
#include "event.h"

/* One call in flight: its entry was heard, its exit not yet. */
struct frame {
	u64 sp;			/* address of the trampoline's context: names the call */
	u64 begin_ns;
	u64 id;			/* of an intent, else 0 */
	u64 cause;		/* innermost intent around this call, or 0 */
	u64 around;		/* outermost intent around this call, or 0 */
	u64 object;		/* domain, device, ...: for EV_SKIP */
	u64 iova;
	u64 size;
	u64 last;		/* the rest: only for who cannot see it again at the exit */
	u64 vaddr;
	u32 hook;
	u32 prot;
	u32 enclosing;		/* hook of the call around this one, or HOOK_COUNT */
	u32 pad;
};

#define SCOPE_DEPTH 8		/* power of two */

/* The calls in flight of one execution context: a task, or one CPU's interrupts. */
struct scope {
	u32 depth;
	u32 introduced;		/* EV_TASK was written */
	u64 here;		/* scratch: makes an address out of a context pointer */
	struct frame frames[SCOPE_DEPTH];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct scope);
} task_scopes SEC(".maps");

#define SCOPES_NEAR 2048	/* power of two */

/*
 * The scopes of tasks that came while their place was free, found without the price of task
 * storage. A place belongs to one task until its end, and a task that found it taken stays with its
 * storage: nobody ever moves, so nobody needs a lock.
 */
struct near_scope {
	u64 owner;		/* task_key(); 0 free */
	struct scope scope;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SCOPES_NEAR);
	__type(key, u32);
	__type(value, struct near_scope);
} near_scopes SEC(".maps");

/* [cpu * 3 + context - 1]: softirq, hardirq, NMI. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scope);
} irq_scopes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct cpu_state);
} cpu_states SEC(".maps");

_Static_assert(RING_SLACK >= EV_LEN_MAX, "a record ends within its chunk's slack");

/* [cpu << chunks_lg2 | chunk]: the rings, see emit.bpf.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct ring_chunk);
} rings SEC(".maps");

/* Nothing is read from it: writing to it wakes the consumer. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} wake SEC(".maps");

/* Filled only under a device filter: device and domain pointers that are wanted. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, u32);
} wanted SEC(".maps");

/* frame.bpf.h: bits of page frames. The loader knows how many there are. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} frames SEC(".maps");
/* Addresses whose name was told. @symbols_near is a quick answer for most calls. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, u32);
} symbols_told SEC(".maps");

#define SYMBOLS_NEAR 1024	/* power of two */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SYMBOLS_NEAR);
	__type(key, u32);
	__type(value, u64);
} symbols_near SEC(".maps");

/*
 * The file operations of VFIO's containers, once one was looked at closely; 0 not yet. The module
 * may go, and another one come to its place: module_free() forgets it.
 */
static u64 container_ops;

#endif
