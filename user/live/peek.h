/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel's memory, read on demand: pages of tables, registers, and where devices and domains have
 * their tables. Nothing is written. What is read may change meanwhile.
 */
#ifndef IOMMUSCOPE_PEEK_H
#define IOMMUSCOPE_PEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/walk.h"
#include "live/ops.h"
#include "peek_abi.h"

struct peek;

/**
 * peek_open() - Load the programs
 * @watch:   those that count changes of tables, too, and attach them: for peek_ops()
 * @verbose: what libbpf and the verifier say, on stderr
 * @text:    filled on failure, for people
 *
 * Return: 0 or -errno.
 */
int peek_open(bool watch, bool verbose, struct peek **out, char *text, size_t len);

/**
 * peek_read() - Copy kernel memory
 * @addr:  kernel address
 * @bytes: 1 ... PEEK_BYTES. Registers: 4 or 8, aligned, read at once
 *
 * Return: 0, or -errno: -EFAULT nothing can be read there.
 */
int peek_read(struct peek *p, uint64_t addr, void *to, size_t bytes);

/**
 * peek_memory() - Physical memory, for walks
 *
 * Only what the kernel's own map of memory has, and only up to the end of RAM: what an entry points at
 * must never make a walk read a device's registers.
 */
struct walk_memory peek_memory(struct peek *p);

/** peek_paddr_ignore() - Bits of addresses in entries that are no part of the address: memory encryption. */
uint64_t peek_paddr_ignore(const struct peek *p);

/** peek_phys() - Physical address of @addr in the kernel's map of memory; ~0 if it is not there. */
uint64_t peek_phys(const struct peek *p, uint64_t addr);

/* Told about each device behind an IOMMU; not 0 ends it. */
typedef int (*peek_device_fn)(void *arg, const struct peek_device *dev);

/**
 * peek_devices() - All devices of IOMMU groups, in the order of the groups
 *
 * Return: 0; -EAGAIN: groups were being changed all the time, some may be missing; -errno; or what @fn
 * returned.
 */
int peek_devices(struct peek *p, peek_device_fn fn, void *arg);

/** peek_domain() - Fill @d; @d->domain and @d->kind say which. 0 or -errno. */
int peek_domain(struct peek *p, struct peek_domain *d);

/** peek_owner() - Fill @ask: who owns the DMA of a group. 0 or -errno. */
int peek_owner(struct peek *p, struct peek_owner *ask);

/* Has @owner a book, that says what should be mapped? */
static inline bool peek_has_book(const struct peek_owner *owner)
{
	return owner->kind != PEEK_OWNER_NONE && owner->book;
}

/* What changes @domain, and the book of its @owner. */
static inline struct ops_keys peek_keys(uint64_t domain, const struct peek_owner *owner)
{
	return (struct ops_keys){
		.domain = domain, .iopt = owner->kind == PEEK_OWNER_IOMMUFD ? owner->book : 0,
	};
}

/* Told about each area, in rising order; not 0 ends it. */
typedef int (*peek_area_fn)(void *arg, const struct peek_area *area);

/**
 * peek_owned() - What a container of VFIO type1, or an IOAS of iommufd, was asked to map
 * @owner: peek_has_book()
 * @ask:   domain, and the addresses of interest; @ask->busy and @ask->has_domain are filled
 *
 * Return: 0, -errno, or what @fn returned.
 */
int peek_owned(struct peek *p, const struct peek_owner *owner, struct peek_book *ask, peek_area_fn fn,
	       void *arg);

/** peek_iovas() - The same of the addresses that the DMA API gave away in a domain, reserved ones among them. */
int peek_iovas(struct peek *p, struct peek_book *ask, peek_area_fn fn, void *arg);

/**
 * peek_pins() - How often DMA has pinned pages of RAM
 * @pins:  pfn filled; beyond RAM nothing is known
 * @count: any
 *
 * Return: 0 or -errno.
 */
int peek_pins(struct peek *p, struct peek_pin *pins, size_t count);

/** peek_self() - Our process's number, as the kernel has it; 0 if it does not say. */
uint32_t peek_self(struct peek *p);

/** peek_ops() - Who counts changes of tables. */
struct ops *peek_ops(struct peek *p);

/** peek_free() - @p may be NULL. */
void peek_free(struct peek *p);

#endif
