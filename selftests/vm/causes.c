// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * causes TRACE LOG: LOG is what vfio_user printed. Every ioctl it reports must be in
 * the trace, with the very core calls that it caused, and these must tile its range:
 * no hole, no overlap, nothing outside. What an unmap removed must have been flushed
 * from every cache of its domain before the ioctl returned.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flushes.h"
#include "records.h"

struct asked {
	unsigned int type;	/* EV_VFIO_MAP or EV_VFIO_UNMAP */
	uint32_t pid;
	uint64_t vaddr;		/* maps only */
	uint64_t iova;
	uint64_t size;
};

struct trace {
	struct records all;
	const union record **caused;	/* maps and unmaps with a cause, by cause and iova */
	size_t ncaused;
	bool *used;		/* of all.rec: matched by an earlier line */
	size_t ioctls, calls, flushes;
};

static uint64_t iova_of(const union record *rec)
{
	return rec->h.type == EV_MAP ? rec->map.iova : rec->unmap.iova;
}

static uint64_t done_of(const union record *rec)
{
	return rec->h.type == EV_MAP ? rec->map.size : rec->unmap.done;
}

static int by_cause(const void *a, const void *b)
{
	const union record *x = *(const union record **)a, *y = *(const union record **)b;

	if (x->op.cause != y->op.cause)
		return x->op.cause < y->op.cause ? -1 : 1;
	return (iova_of(x) > iova_of(y)) - (iova_of(x) < iova_of(y));
}

static void index_causes(struct trace *t)
{
	const union record *rec;

	for (rec = t->all.rec; rec < t->all.rec + t->all.count; rec++) {
		if ((rec->h.type != EV_MAP && rec->h.type != EV_UNMAP) || !rec->op.cause)
			continue;
		t->caused = grow(t->caused, t->ncaused, sizeof(*t->caused));
		t->caused[t->ncaused++] = rec;
	}
	if (t->ncaused)
		qsort(t->caused, t->ncaused, sizeof(*t->caused), by_cause);
}

/* Index of the first call caused by @id, or of where it would be. */
static size_t first_caused(const struct trace *t, uint64_t id)
{
	size_t low = 0, high = t->ncaused, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (t->caused[middle]->op.cause < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_asked(const union record *rec, const struct asked *a)
{
	return rec->h.type == a->type && rec->op.tgid == a->pid && !rec->vfio.ret &&
	       rec->vfio.iova == a->iova && rec->vfio.size == a->size &&
	       (a->type == EV_VFIO_UNMAP || rec->vfio.vaddr == a->vaddr);
}

/* The first such ioctl that no earlier line claimed. */
static const union record *find_ioctl(struct trace *t, const struct asked *a)
{
	size_t i;

	for (i = 0; i < t->all.count; i++) {
		if (t->used[i] || !is_asked(&t->all.rec[i], a))
			continue;
		t->used[i] = true;
		t->ioctls++;
		return &t->all.rec[i];
	}
	printf("not in the trace: %s pid %u vaddr 0x%" PRIx64 " iova 0x%" PRIx64 " size %" PRIu64
	       "\n", a->type == EV_VFIO_MAP ? "map" : "unmap", a->pid, a->vaddr, a->iova,
	       a->size);
	return NULL;
}

static bool check_call(const union record *ioctl, const union record *call)
{
	unsigned int type = ioctl->h.type == EV_VFIO_MAP ? EV_MAP : EV_UNMAP;

	if (call->h.type == type && call->op.outer == ioctl->op.id &&
	    call->op.begin_ns >= ioctl->op.begin_ns && call->h.time_ns <= ioctl->h.time_ns &&
	    (type == EV_UNMAP || !call->map.ret))
		return true;
	printf("ioctl %" PRIu64 ": a caused call (type %u, iova 0x%" PRIx64
	       ") is not of its kind, failed, or is not inside it\n",
	       (uint64_t)ioctl->op.id, call->h.type, iova_of(call));
	return false;
}

/* [@iova, @iova + @size) is tiled by the calls; @last_call gets one of them. */
static bool check_tiles(struct trace *t, const union record *ioctl, uint64_t iova, uint64_t size,
			const union record **last_call)
{
	uint64_t at = iova;
	size_t i;

	*last_call = NULL;
	for (i = first_caused(t, ioctl->op.id);
	     i < t->ncaused && t->caused[i]->op.cause == ioctl->op.id; i++) {
		*last_call = t->caused[i];
		if (!check_call(ioctl, *last_call))
			return false;
		if (iova_of(*last_call) != at)
			break;
		at += done_of(*last_call);
		t->calls++;
	}
	if (at - iova == size && i == first_caused(t, ioctl->op.id + 1))
		return true;
	printf("ioctl %" PRIu64 ": its calls end at 0x%" PRIx64 ", not at 0x%" PRIx64 "\n",
	       (uint64_t)ioctl->op.id, at, iova + size);
	return false;
}

static bool check_flushes(struct trace *t, const union record *ioctl, const union record *unmap,
			  uint64_t iova, uint64_t size)
{
	struct flush_need need = {
		.domain = unmap->unmap.domain,
		.first = iova,
		.last = iova + size - 1,
		.from_ns = ioctl->op.begin_ns,
		.to_ns = ioctl->h.time_ns,
	};

	return flushes_cover(&t->all, &need, &t->flushes);
}

static bool check_asked(struct trace *t, const struct asked *a)
{
	const union record *call, *ioctl = find_ioctl(t, a);
	uint64_t size;

	if (!ioctl)
		return false;
	size = a->type == EV_VFIO_MAP ? a->size : ioctl->vfio.done;
	/* UNMAP_FLAG_ALL asks for no range: its calls need not touch each other. */
	if (!a->size)
		return true;
	if (!check_tiles(t, ioctl, a->iova, size, &call))
		return false;
	return a->type == EV_VFIO_MAP || !size || check_flushes(t, ioctl, call, a->iova, size);
}

static uint64_t value_of(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? strtoull(at + strlen(key), NULL, 0) : 0;
}

static bool check_line(struct trace *t, const char *line)
{
	struct asked map = {
		.type = EV_VFIO_MAP,
		.pid = value_of(line, " pid="),
		.vaddr = value_of(line, " vaddr="),
		.iova = value_of(line, " iova="),
		.size = value_of(line, " size="),
	};
	struct asked unmap = map;
	uint64_t count = value_of(line, " count=");
	bool good = true;

	unmap.type = EV_VFIO_UNMAP;
	if (!strncmp(line, "map ", 4))
		return check_asked(t, &map);
	if (!strncmp(line, "unmap ", 6))
		return check_asked(t, &unmap);
	for (; good && !strncmp(line, "loop ", 5) && count; count--)
		good = check_asked(t, &map) && check_asked(t, &unmap);
	return good;
}

static size_t check_log(struct trace *t, const char *path)
{
	FILE *in = fopen(path, "r");
	size_t wrong = 0;
	char line[256];

	if (!in) {
		perror(path);
		exit(2);
	}
	while (fgets(line, sizeof(line), in))
		if (!check_line(t, line)) {
			printf("  at: %s", line);
			wrong++;
		}
	fclose(in);
	return wrong;
}

int main(int argc, char **argv)
{
	struct trace t = { 0 };
	size_t wrong;

	if (argc != 3) {
		fprintf(stderr, "usage: causes TRACE LOG\n");
		return 2;
	}
	records_load(argv[1], &t.all);
	index_causes(&t);
	t.used = calloc(t.all.count + 1, sizeof(*t.used));
	if (!t.used)
		return 2;
	wrong = check_log(&t, argv[2]);
	printf("ioctls %zu, caused calls %zu, flushes %zu, wrong lines %zu\n",
	       t.ioctls, t.calls, t.flushes, wrong);
	if (!t.ioctls)
		printf("nothing to compare\n");
	wrong += !t.ioctls;
	free(t.used);
	free(t.caused);
	records_free(&t.all);
	return wrong != 0;
}
