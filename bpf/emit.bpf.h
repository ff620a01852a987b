/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Records out of the kernel: which execution context are we in, take a sequence
 * number, reserve room in this CPU's ring, stamp, submit. A record that finds no room
 * leaves a gap in the sequence and is counted.
 */
#ifndef IOMMUSCOPE_EMIT_BPF_H
#define IOMMUSCOPE_EMIT_BPF_H

#include "maps.bpf.h"

/*
 * Named once in each program if possible: for each place where one is, the verifier walks
 * through all of the kernel's BTF (find_btf_percpu_datasec(), 6.5 million instructions). So the loader says which.
 */
extern const int __preempt_count __ksym __weak;
extern const struct pcpu_hot pcpu_hot __ksym __weak;

/* arch/x86: struct page * to physical address. Fixed at boot. */
static __always_inline u64 vmemmap_start(void)
{
	return config.vmemmap;
}

static __always_inline u64 page_phys(u64 page, u64 vmemmap)
{
	return (page - vmemmap) / bpf_core_type_size(struct page) << 12;
}

#define PREEMPT_SOFTIRQ_SERVING	0x00000100	/* include/linux/preempt.h */
#define PREEMPT_HARDIRQ_MASK	0x000f0000
#define PREEMPT_NMI_MASK	0x00f00000

static __always_inline u32 preempt_count(void)
{
	if (config.preempt == PREEMPT_HOT)
		return ((const struct pcpu_hot *)bpf_this_cpu_ptr(&pcpu_hot))->preempt_count;
	if (config.preempt == PREEMPT_OWN)
		return *(const int *)bpf_this_cpu_ptr(&__preempt_count);
	return 0;
}

static __always_inline u32 context_now(void)
{
	u32 count = preempt_count();

	if (count & PREEMPT_NMI_MASK)
		return EV_CTX_NMI;
	if (count & PREEMPT_HARDIRQ_MASK)
		return EV_CTX_HARDIRQ;
	if (count & PREEMPT_SOFTIRQ_SERVING)
		return EV_CTX_SOFTIRQ;
	return EV_CTX_TASK;
}

static __always_inline struct cpu_state *cpu_state(u32 cpu)
{
	return bpf_map_lookup_elem(&cpu_states, &cpu);
}

/* Wakes the consumer only for a ring that fills up: it polls on its own otherwise. */
static __always_inline u64 wake_flags(void *ring, u64 seq)
{
	if ((seq & 63) || bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) < config.wake_bytes)
		return BPF_RB_NO_WAKEUP;
	return BPF_RB_FORCE_WAKEUP;
}

struct emit {
	void *ring;
	u64 seq;
};

/*
 * Reserves @size bytes (a constant) and fills the header but for the time. The
 * sequence number is taken atomically, because an interrupt may nest here.
 */
static __always_inline void *emit_reserve(struct emit *e, u32 type, u64 size, u32 flags)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct cpu_state *st = cpu_state(cpu);
	struct ev_hdr *h;

	if (!st || !st->listening)
		return NULL;
	e->seq = __sync_fetch_and_add(&st->seq, 1);
	e->ring = bpf_map_lookup_elem(&rings, &cpu);
	h = e->ring ? bpf_ringbuf_reserve(e->ring, size, 0) : NULL;
	if (!h) {
		__sync_fetch_and_add(&st->lost, 1);
		return NULL;
	}
	h->type = type;
	h->len = size;
	h->cpu = cpu;
	h->flags = flags;
	h->seq = e->seq;
	return h;
}

static __always_inline void emit_submit(struct emit *e, void *rec)
{
	struct ev_hdr *h = rec;

	h->time_ns = bpf_ktime_get_ns();
	bpf_ringbuf_submit(rec, wake_flags(e->ring, e->seq));
}

/* For the few records that the consumer must see at once. */
static __always_inline void emit_submit_now(void *rec)
{
	struct ev_hdr *h = rec;

	h->time_ns = bpf_ktime_get_ns();
	bpf_ringbuf_submit(rec, BPF_RB_FORCE_WAKEUP);
}

/* Under a device filter: does @key, a device or a domain, belong to it? */
static __always_inline bool wanted_key(u64 key)
{
	return !config.filter_device || bpf_map_lookup_elem(&wanted, &key);
}

#endif
