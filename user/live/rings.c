// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "live/rings.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define TURN_RECORDS 16384	/* per ring and turn: then the caller may look around */

struct rings {
	live_sink sink;
	void *arg;
	int epoll_fd;
	int err;		/* of the sink */
	unsigned int turn;	/* records of this ring in this turn */
	int handed;
	bool behind;
	unsigned int count;
	struct {
		int fd;
		struct ring_buffer *rb;
	} cpu[];
};

static int on_record(void *ctx, void *data, size_t len)
{
	struct rings *r = ctx;
	const struct ev_hdr *rec = data;

	if (len < sizeof(*rec) || rec->len > len)
		return 0;
	r->err = r->sink(r->arg, rec);
	if (r->err)
		return r->err;
	r->handed++;
	return ++r->turn >= TURN_RECORDS ? -EAGAIN : 0;
}

static int ring_add(struct rings *r, int outer_fd, uint32_t cpu, size_t bytes)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "iommuscope", 0, 0, bytes, NULL);

	if (fd < 0)
		return -errno;
	r->cpu[r->count++].fd = fd;
	if (bpf_map_update_elem(outer_fd, &cpu, &fd, BPF_ANY))
		return -errno;
	if (epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, fd, &ev))
		return -errno;
	r->cpu[cpu].rb = ring_buffer__new(fd, on_record, r, NULL);
	return r->cpu[cpu].rb ? 0 : -errno;
}

int rings_new(int outer_fd, unsigned int cpus, size_t bytes, live_sink sink, void *arg,
	      struct rings **out)
{
	struct rings *r = calloc(1, sizeof(*r) + cpus * sizeof(r->cpu[0]));
	unsigned int cpu;
	int err = 0;

	if (!r)
		return -ENOMEM;
	r->sink = sink;
	r->arg = arg;
	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll_fd < 0)
		err = -errno;
	for (cpu = 0; cpu < cpus && !err; cpu++)
		err = ring_add(r, outer_fd, cpu, bytes);
	if (err) {
		rings_free(r);
		return err;
	}
	*out = r;
	return 0;
}

int rings_fd(const struct rings *r)
{
	return r->epoll_fd;
}

int rings_drain(struct rings *r)
{
	struct epoll_event ev[8];
	unsigned int i;

	while (epoll_wait(r->epoll_fd, ev, 8, 0) == 8)
		;
	r->handed = 0;
	r->behind = false;
	for (i = 0; i < r->count; i++) {
		int err;

		r->err = 0;
		r->turn = 0;
		err = ring_buffer__consume(r->cpu[i].rb);
		if (r->err)
			return r->err;
		if (err < 0 && err != -EAGAIN)
			return err;
		r->behind |= err == -EAGAIN;
	}
	return r->handed;
}

bool rings_behind(const struct rings *r)
{
	return r->behind;
}

void rings_free(struct rings *r)
{
	unsigned int i;

	if (!r)
		return;
	for (i = 0; i < r->count; i++) {
		ring_buffer__free(r->cpu[i].rb);
		close(r->cpu[i].fd);
	}
	if (r->epoll_fd >= 0)
		close(r->epoll_fd);
	free(r);
}
