// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "live/oracle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/dump.h"
#include "kernel/refiommu.h"

#define CALL_MAX 65536		/* addresses, struct refiommu_iova_to_phys */
#define BUSY_TRIES 200
#define BUSY_US 1000
#define DUMPS_MAX 64		/* of a domain */
#define DUMP_BYTES_MAX (256UL << 20)

void oracle_open(struct oracle *o)
{
	o->module = o->phys ? open("/dev/refiommu", O_RDWR | O_CLOEXEC) : -1;
}

void oracle_close(struct oracle *o)
{
	asked_free(&o->asked);
	if (o->module >= 0)
		close(o->module);
	o->module = -1;
}

void oracle_begin(struct oracle *o, const char *device)
{
	asked_free(&o->asked);
	o->dumps = 0;
	o->books = 0;
	snprintf(o->device, sizeof(o->device), "%s", device ? device : "");
}

/* ---- iommu_iova_to_phys() ---- */

/* 0; 1: busy all the time; -ENOENT, -EOPNOTSUPP, ...: cannot be asked. */
static int call(const struct oracle *o, uint64_t domain, const uint64_t *iovas, uint64_t *paddrs,
		uint32_t count)
{
	struct refiommu_iova_to_phys arg = {
		.size = sizeof(arg), .domain = domain, .iovas = (uintptr_t)iovas,
		.paddrs = (uintptr_t)paddrs, .nr = count,
	};
	int i;

	for (i = 0; i < BUSY_TRIES; i++) {
		if (!ioctl(o->module, REFIOMMU_IOVA_TO_PHYS, &arg))
			return 0;
		if (errno != EBUSY)
			return -errno;
		usleep(BUSY_US);
	}
	return 1;
}

static int call_all(const struct oracle *o, uint64_t domain, const uint64_t *iovas,
		    uint64_t *paddrs, size_t count)
{
	size_t done = 0;
	int err = 0;

	/* Nothing to ask: is it known at all? */
	if (!count)
		return call(o, domain, &(uint64_t){ 0 }, &(uint64_t){ 0 }, 1);
	for (; done < count && !err; done += CALL_MAX)
		err = call(o, domain, iovas + done, paddrs + done,
			   count - done < CALL_MAX ? count - done : CALL_MAX);
	return err;
}

/* The first of the addresses that is not below @iova. */
static size_t at_or_above(const struct asked *a, uint64_t iova)
{
	size_t low = 0, high = a->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (a->iovas[middle] < iova)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int read_phys(const struct oracle *o, const struct host_domain *d, uint64_t first,
		     uint64_t last, struct reading *r)
{
	size_t from = at_or_above(&o->asked, first);
	size_t count = (last == UINT64_MAX ? o->asked.count : at_or_above(&o->asked, last + 1)) - from;
	uint64_t *paddrs = calloc(count + 1, sizeof(*paddrs));
	int err;

	if (!paddrs)
		return -ENOMEM;
	err = call_all(o, d->at.domain, o->asked.iovas + from, paddrs, count);
	if (!err)
		err = asked_answer(r, o->asked.iovas + from, paddrs, count);
	free(paddrs);
	return err;
}

/* ---- debugfs ---- */

/* All of it, for free(). NULL with errno. */
static char *read_file(const char *path, size_t *len)
{
	size_t room = 1 << 16;
	char *text = malloc(room), *more;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 || !text ? -1 : 1;

	for (*len = 0; got > 0; *len += got) {
		if (*len == room) {
			more = room < DUMP_BYTES_MAX ? realloc(text, room *= 2) : NULL;
			if (!more) {
				got = -1;
				break;
			}
			text = more;
		}
		got = read(fd, text + *len, room - *len);
		if (got <= 0)
			break;
	}
	if (fd >= 0)
		close(fd);
	if (got < 0) {
		free(text);
		return NULL;
	}
	return text;
}

static int read_dump(struct oracle *o, const struct host_domain *d, uint64_t first, uint64_t last,
		     struct reading *r)
{
	char path[128], *text;
	size_t len;
	int err;

	snprintf(path, sizeof(path), "/sys/kernel/debug/iommu/intel/%s/domain_translation_struct",
		 o->device);
	text = read_file(path, &len);
	if (!text)
		return -ENOENT;
	o->dumps++;
	err = dump_parse(text, len, o->device, d->table.windows[0].root, first, last, r);
	free(text);
	return err;
}

/* ---- both ---- */

/* @err of a book that was there is "not now"; of another one there is none. */
static int judge(struct oracle *o, enum book book, bool begins, int err, struct reading *r)
{
	if (err == -ENOMEM)
		return err;
	if (!err && begins)
		o->books |= 1U << book;
	if (err)
		r->books &= ~(1U << book);
	return err && !begins ? 1 : 0;
}

static bool has(const struct oracle *o, enum book book)
{
	return o->books >> book & 1;
}

int oracle_read(struct oracle *o, const struct host_domain *d, uint64_t first, uint64_t last,
		struct reading *r)
{
	bool begins = !o->asked.iovas;
	int err = 0;

	if (begins)
		err = asked_choose(r, &d->table, o->random, d->table.windows[0].root, &o->asked);
	if (!err && (begins ? o->module >= 0 : has(o, BOOK_IOVA_TO_PHYS)))
		err = judge(o, BOOK_IOVA_TO_PHYS, begins, read_phys(o, d, first, last, r), r);
	if (o->dumps == DUMPS_MAX)
		o->books &= ~(1U << BOOK_DEBUGFS);
	if (!err && o->debugfs && (begins ? !!o->device[0] : has(o, BOOK_DEBUGFS)))
		err = judge(o, BOOK_DEBUGFS, begins, read_dump(o, d, first, last, r), r);
	return err;
}
