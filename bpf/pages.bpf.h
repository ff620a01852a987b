/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Is a page pinned? As folio_maybe_dma_pinned() of include/linux/mm.h says it (6.1 to 7.2): a small page has
 * GUP_PIN_COUNTING_BIAS references for each pin, a large one counts pins. A page that is
 * pinned stays what it is: it is neither split nor freed, and its count is never frozen at 0. Of others, what is
 * read may be of two owners.
 */
#ifndef IOMMUSCOPE_PAGES_BPF_H
#define IOMMUSCOPE_PAGES_BPF_H

#include "config.bpf.h"
#include "peek_abi.h"

#define PIN_BIAS_LG2 10			/* GUP_PIN_COUNTING_BIAS */
#define MASKS_FROM 0xffffff0000000000ULL	/* vmemmap ends below */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PEEK_PINS);
	__type(key, u32);
	__type(value, struct peek_pin);
} peek_pins_map SEC(".maps");

static __always_inline u64 page_flag(u64 page, u32 bit)
{
	u64 flags = 0;

	/* Its first word; 6.18+: inside of a struct. */
	bpf_probe_read_kernel(&flags, sizeof(flags), (void *)page);
	return flags >> bit & 1;
}

/* The word that says whether @page is a tail. */
static __always_inline u64 page_info(u64 page)
{
	struct page___info *new = (void *)page;

	return bpf_core_field_exists(new->compound_info) ?
	       BPF_CORE_READ(new, compound_info) : BPF_CORE_READ((struct page *)page, compound_head);
}

/* The head's address, or (7.2, if hugetlb's tails share their memory) a mask that makes it of the tail's. */
static __always_inline u64 page_head(u64 page, u64 info)
{
	if (!(info & 1))
		return page;
	return info >= MASKS_FROM ? page & info : info - 1;
}

static __always_inline void read_pins(struct peek_pin *pin)
{
	u64 page = config.vmemmap + pin->pfn * bpf_core_type_size(struct page);
	u64 info, head, probe;

	pin->pins = 0;
	pin->flags = PEEK_PIN_UNKNOWN;
	if (bpf_probe_read_kernel(&probe, sizeof(probe), (void *)page) ||
	    page_flag(page, bpf_core_enum_value(enum pageflags, PG_reserved)))
		return;
	info = page_info(page);
	head = page_head(page, info);
	if (page_flag(head, bpf_core_enum_value(enum pageflags, PG_head))) {
		pin->flags = PEEK_PIN_LARGE;
		pin->pins = BPF_CORE_READ((struct folio *)head, _pincount.counter);
	} else if (head == page) {
		pin->flags = 0;
		pin->pins = (u32)BPF_CORE_READ((struct page *)page, _refcount.counter) >> PIN_BIAS_LG2;
	}
	if (page_info(page) != info)
		pin->flags = PEEK_PIN_UNKNOWN;
}

static long pins_step(u32 i, void *unused)
{
	struct peek_pin *pin = bpf_map_lookup_elem(&peek_pins_map, &i);

	if (!pin)
		return 1;
	read_pins(pin);
	return 0;
}

SEC("syscall")
int peek_pins(struct peek_pins *ask)
{
	bpf_loop(ask->count, pins_step, NULL, 0);
	ask->tgid = bpf_get_current_pid_tgid() >> 32;
	return 0;
}

#endif
