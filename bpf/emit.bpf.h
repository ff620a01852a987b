/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Records out of the kernel: which execution context are we in, reserve room in this CPU's
 * ring, fill, take a sequence number, stamp. A record that finds no room leaves a gap in the
 * sequence and is counted.
 *
 * The ring is memory that the consumer maps (user/live/rings.c), because BPF's own ring buffer
 * costs a hundred instructions more for each record. Its invariants:
 * - only this CPU moves the head, and only by a compare-and-swap, because an interrupt may nest
 *   anywhere: room is a record's alone from there;
 * - between tail and head stand records, one behind the other; where one is reserved and not yet
 *   written, its time is 0, because the consumer leaves nothing but zeroes behind the tail;
 * - the time is written last. The consumer stops at the first record without one.
 * So each emit_reserve() must be followed by an emit_submit() on every path: the verifier does not see
 * to it, and a record that is never stamped would hold up the ring until it is full (lost, and counted).
 * x86 keeps the order of stores.
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

/* arch/x86: struct page * to physical address. The array's place is fixed at boot. */
static __always_inline u64 page_phys(u64 page)
{
	return (page - config.vmemmap) / bpf_core_type_size(struct page) << 12;
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

	if (!(count & (PREEMPT_NMI_MASK | PREEMPT_HARDIRQ_MASK | PREEMPT_SOFTIRQ_SERVING)))
		return EV_CTX_TASK;
	if (count & PREEMPT_NMI_MASK)
		return EV_CTX_NMI;
	if (count & PREEMPT_HARDIRQ_MASK)
		return EV_CTX_HARDIRQ;
	return EV_CTX_SOFTIRQ;
}

static __always_inline struct cpu_state *cpu_state(u32 cpu)
{
	return bpf_map_lookup_elem(&cpu_states, &cpu);
}

/* The consumer polls: it is woken only for what cannot wait, as a ring that fills up. */
static __noinline int wake_consumer(void)
{
	u64 any = 0;

	/* Without room there, it has been woken and is on its way. */
	bpf_ringbuf_output(&wake, &any, sizeof(any), BPF_RB_FORCE_WAKEUP);
	return 0;
}

static __noinline int wake_if_behind(void)
{
	struct cpu_state *st = cpu_state(bpf_get_smp_processor_id());

	if (st && st->head - st->tail >= config.wake_bytes)
		wake_consumer();
	return 0;
}

#define RING_TRIES 8

/* A try fails when an interrupt came between two instructions and wrote. */
static __always_inline bool ring_take(struct cpu_state *st, u64 size, u64 *pos)
{
	volatile struct cpu_state *at = st;
	u32 i;

	for (i = 0; i < RING_TRIES; i++) {
		u64 head = at->head;

		/* Signed: since the head was read, others may have written, and the tail passed it. */
		if ((s64)(head + size - at->tail) > (s64)config.ring_bytes)
			return false;
		if (__sync_val_compare_and_swap(&st->head, head, head + size) == head) {
			*pos = head;
			return true;
		}
	}
	return false;
}

/* Room for @size bytes, a constant up to RING_SLACK. */
static __always_inline struct ev_hdr *ring_reserve(struct cpu_state *st, u32 cpu, u64 size)
{
	struct ring_chunk *chunk;
	u64 pos = 0;
	u32 key;

	if (!ring_take(st, size, &pos))
		return NULL;
	key = pos / RING_CHUNK & ((1U << config.chunks_lg2) - 1);
	key |= cpu << config.chunks_lg2;
	chunk = bpf_map_lookup_elem(&rings, &key);
	return chunk ? (void *)&chunk->bytes[pos & (RING_CHUNK - 8)] : NULL;
}

struct emit {
	struct cpu_state *st;
	u64 seq;		/* once it is submitted */
};

static __always_inline u64 next_seq(struct cpu_state *st)
{
	return __sync_fetch_and_add(&st->seq, 1);	/* an interrupt may nest here */
}

/*
 * Reserves @size bytes (a constant, multiple of 8) and fills the header but for number and time. Those
 * come together at the end: a program may be preempted while others of its CPU write thousands of
 * records (7.2), and a number that comes so much later than its neighbours would be taken for lost.
 */
static __always_inline void *emit_reserve(struct emit *e, u32 type, u64 size, u32 flags)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct cpu_state *st = cpu_state(cpu);
	struct ev_hdr *h;

	if (!st || !st->listening)
		return NULL;
	e->st = st;
	h = ring_reserve(st, cpu, size);
	if (!h) {
		next_seq(st);
		__sync_fetch_and_add(&st->lost, 1);
		return NULL;
	}
	h->type = type;
	h->len = size;
	h->cpu = cpu;
	h->flags = flags;
	return h;
}

/* From here on the record is the consumer's. */
static __always_inline void emit_stamp(struct emit *e, struct ev_hdr *h)
{
	u64 now;

	e->seq = next_seq(e->st);
	h->seq = e->seq;
	now = bpf_ktime_get_ns();
	asm volatile("" : : : "memory");
	*(volatile u64 *)&h->time_ns = now;
}

static __always_inline void emit_submit(struct emit *e, void *rec)
{
	emit_stamp(e, rec);
	if (!(e->seq & 63))
		wake_if_behind();
}

/* For the few records that the consumer must see at once. */
static __always_inline void emit_submit_now(struct emit *e, void *rec)
{
	emit_stamp(e, rec);
	wake_consumer();
}

/* Under a device filter: does @key, a device or a domain, belong to it? */
static __always_inline bool wanted_key(u64 key)
{
	return !config.filter_device || bpf_map_lookup_elem(&wanted, &key);
}

#endif
