// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "live/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/intent.h"

#define PAGE_LG2 12
#define PAGE_LAST 0xfffULL
#define ENTRIES 512		/* read at once */

/* Documentation/admin-guide/mm/pagemap.rst */
#define PM_PRESENT (1ULL << 63)
#define PM_FRAME ((1ULL << 55) - 1)

/* /proc may number processes otherwise than the kernel does (PID namespaces): then it says nothing. */
static bool has_kernels_numbers(struct peek *p)
{
	uint32_t self = peek_self(p);
	char text[32];
	ssize_t len = readlink("/proc/self", text, sizeof(text) - 1);

	if (len <= 0 || !self)
		return false;
	text[len] = 0;
	return strtoul(text, NULL, 10) == self;
}

/* -1: there is none. */
static int open_pagemap(uint32_t tgid)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%u/pagemap", tgid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int add_page(struct reading *r, const struct book_area *slot, uint64_t iova, uint64_t frame)
{
	size_t n = r->nareas[BOOK_PROCESS];
	struct book_area *before = n ? &r->areas[BOOK_PROCESS][n - 1] : NULL;
	struct book_area area = {
		.first = iova, .last = iova | PAGE_LAST, .paddr = frame << PAGE_LG2,
		.vaddr = slot->vaddr + (iova - slot->first), .tgid = slot->tgid,
	};
	int err;

	if (area.last > slot->last)
		area.last = slot->last;
	if (before && before->last + 1 == area.first && before->tgid == area.tgid &&
	    before->vaddr + (area.first - before->first) == area.vaddr &&
	    before->paddr + (area.first - before->first) == area.paddr) {
		before->last = area.last;
		return 0;
	}
	err = reading_add_area(r, BOOK_PROCESS, &area);
	return err == -EINVAL ? 0 : err;
}

/* 1: page numbers are hidden from us; 0; -ENOMEM. */
static int add_entries(struct reading *r, const struct book_area *slot, uint64_t iova,
		       const uint64_t *entries, size_t count)
{
	size_t i;
	int err = 0;

	for (i = 0; i < count && !err; i++) {
		if (!(entries[i] & PM_PRESENT))
			continue;
		/* Nobody has page 0. */
		err = entries[i] & PM_FRAME ?
		      add_page(r, slot, iova + (i << PAGE_LG2), entries[i] & PM_FRAME) : 1;
	}
	return err;
}

static int read_slot(struct reading *r, const struct book_area *slot, int fd)
{
	uint64_t entries[ENTRIES], done = 0, pages = ((slot->last - slot->first) >> PAGE_LG2) + 1;
	ssize_t got;
	int err = 0;

	while (done < pages && !err) {
		uint64_t want = pages - done < ENTRIES ? pages - done : ENTRIES;

		got = pread(fd, entries, want * sizeof(*entries),
			    ((slot->vaddr >> PAGE_LG2) + done) * sizeof(*entries));
		if (got < (ssize_t)sizeof(*entries))
			return 0;
		got /= sizeof(*entries);
		err = add_entries(r, slot, slot->first + (done << PAGE_LG2), entries, got);
		done += got;
	}
	return err;
}

static int read_slots(struct process *s, struct reading *r)
{
	enum book slots = reading_slots(r);
	uint32_t tgid = 0;
	int fd = -1, err = 0;
	size_t i;

	for (i = 0; i < r->nareas[slots] && !err; i++) {
		const struct book_area *slot = &r->areas[slots][i];

		if (!slot->vaddr || !slot->tgid || slot->first & PAGE_LAST ||
		    slot->vaddr & PAGE_LAST)
			continue;
		if (slot->tgid != tgid) {
			if (fd >= 0)
				close(fd);
			tgid = slot->tgid;
			fd = open_pagemap(tgid);
			s->denied |= fd < 0 && (errno == EACCES || errno == EPERM);
		}
		err = fd < 0 ? 0 : read_slot(r, slot, fd);
	}
	if (fd >= 0)
		close(fd);
	s->denied |= err > 0;
	return err < 0 ? err : 0;
}

int process_read(struct peek *p, struct process *s, struct reading *r)
{
	int err;

	if (!s->asked)
		s->denied = !has_kernels_numbers(p);
	s->asked = true;
	if (s->denied)
		return 0;
	err = read_slots(s, r);
	if (s->denied)
		r->nareas[BOOK_PROCESS] = 0;
	r->books &= ~(1U << BOOK_PROCESS);
	if (!s->denied)
		r->books |= 1U << BOOK_PROCESS;
	return err;
}

/* ---- pins ---- */

static int ask_pins(struct peek *p, struct intent_page *pages, size_t count)
{
	struct peek_pin *pins = calloc(count, sizeof(*pins));
	size_t i;
	int err;

	if (!pins)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		pins[i].pfn = pages[i].pfn;
	err = peek_pins(p, pins, count);
	for (i = 0; i < count && !err; i++)
		pages[i].state = pins[i].flags & PEEK_PIN_UNKNOWN ? PAGE_UNKNOWN :
				 intent_state(&pages[i], pins[i].flags & PEEK_PIN_LARGE,
					      pins[i].pins);
	free(pins);
	return err;
}

int process_judge(struct peek *p, struct reading *r)
{
	struct intent_page *pages = NULL;
	size_t count = 0;
	int err;

	if (!(r->books >> BOOK_PROCESS & 1))
		return 0;
	err = intent_pages(r, &pages, &count);
	if (!err && count)
		err = ask_pins(p, pages, count) ?: intent_judge(r, pages, count);
	free(pages);
	return err;
}
