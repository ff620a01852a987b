// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The reader's half of bpf/emit.bpf.h, which has the invariants. What was read is cleared before the
 * tail moves over it: any place may become a record's first word, and a record without a time is
 * one that is still being written.
 */
#include "live/rings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "live/progress.h"

#define TURN_RECORDS 16384	/* per ring and turn: then the caller may look around */
#define LAST_TRIES 200
#define LAST_WAIT_US 10000

struct rings {
	struct rings_at at;
	live_sink sink;
	void *arg;
	int epoll_fd;
	struct ring_buffer *wake;
	unsigned char *bytes;
	size_t mapped;
	uint64_t *records;	/* of each CPU, handed over so far */
	struct progress *progress;	/* of each CPU */
	int handed;
	bool behind;
};

static int on_wake(void *ctx, void *data, size_t len)
{
	(void)ctx;
	(void)data;
	(void)len;
	return 0;
}

static int map_rings(struct rings *r)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *at;

	r->mapped = ((size_t)r->at.count << r->at.chunks_lg2) * sizeof(struct ring_chunk);
	r->mapped = (r->mapped + page - 1) / page * page;
	at = mmap(NULL, r->mapped, PROT_READ | PROT_WRITE, MAP_SHARED, r->at.data_fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	r->bytes = at;
	return 0;
}

static int open_wake(struct rings *r)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };

	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll_fd < 0)
		return -errno;
	if (epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, r->at.wake_fd, &ev))
		return -errno;
	r->wake = ring_buffer__new(r->at.wake_fd, on_wake, NULL, NULL);
	return r->wake ? 0 : -errno;
}

int rings_new(const struct rings_at *at, live_sink sink, void *arg, struct rings **out)
{
	struct rings *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->at = *at;
	r->sink = sink;
	r->arg = arg;
	r->epoll_fd = -1;
	r->records = calloc(at->count, sizeof(*r->records));
	r->progress = calloc(at->count, sizeof(*r->progress));
	err = r->records && r->progress ? map_rings(r) : -ENOMEM;
	if (!err)
		err = open_wake(r);
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

static struct ev_hdr *record_at(const struct rings *r, unsigned int cpu, uint64_t pos)
{
	size_t chunk = pos / RING_CHUNK % (1UL << r->at.chunks_lg2);

	chunk += (size_t)cpu << r->at.chunks_lg2;
	return (void *)(r->bytes + chunk * sizeof(struct ring_chunk) + pos % RING_CHUNK);
}

/* The record at the tail, if there is one and it is complete. 0 or -errno. */
static int hand_one(struct rings *r, unsigned int cpu, uint64_t *tail)
{
	struct ev_hdr *rec = record_at(r, cpu, *tail);
	size_t len;
	int err;

	if (!__atomic_load_n(&rec->time_ns, __ATOMIC_ACQUIRE))
		return -EAGAIN;
	len = rec->len;
	if (len < sizeof(*rec) || len > RING_SLACK || len % 8)
		return -EBADMSG;
	err = r->sink(r->arg, rec);
	memset(rec, 0, len);
	*tail += len;
	__atomic_store_n(&r->at.cpus[cpu].tail, *tail, __ATOMIC_RELEASE);
	return err == -EAGAIN ? -EIO : err;
}

static int ring_drain(struct rings *r, unsigned int cpu, uint64_t now_ns)
{
	uint64_t head = __atomic_load_n(&r->at.cpus[cpu].head, __ATOMIC_ACQUIRE);
	uint64_t tail = r->at.cpus[cpu].tail;
	unsigned int turn = 0;
	int err = 0;

	progress_turn(&r->progress[cpu], tail, head, now_ns);
	while (tail != head && turn < TURN_RECORDS && !err) {
		err = hand_one(r, cpu, &tail);
		turn += !err;
	}
	progress_read(&r->progress[cpu], tail);
	r->handed += turn;
	r->records[cpu] += turn;
	r->behind |= turn == TURN_RECORDS;
	return err == -EAGAIN ? 0 : err;
}

int rings_drain(struct rings *r, uint64_t now_ns)
{
	struct epoll_event ev;
	unsigned int cpu;
	int err = 0;

	epoll_wait(r->epoll_fd, &ev, 1, 0);
	ring_buffer__consume(r->wake);
	r->handed = 0;
	r->behind = false;
	for (cpu = 0; cpu < r->at.count && !err; cpu++)
		err = ring_drain(r, cpu, now_ns);
	return err ?: r->handed;
}

bool rings_behind(const struct rings *r)
{
	return r->behind;
}

uint64_t rings_complete_ns(const struct rings *r)
{
	uint64_t ns = UINT64_MAX;
	unsigned int cpu;

	for (cpu = 0; cpu < r->at.count; cpu++) {
		if (r->progress[cpu].complete_ns < ns)
			ns = r->progress[cpu].complete_ns;
	}
	return ns;
}

/* Is what was reserved written and handed over, and each number a record or counted as lost? */
static bool is_whole(const struct rings *r)
{
	const struct cpu_state *st;
	unsigned int cpu;

	for (cpu = 0; cpu < r->at.count; cpu++) {
		st = &r->at.cpus[cpu];
		if (st->head != st->tail || r->records[cpu] + st->lost != st->seq)
			return false;
	}
	return true;
}

int rings_drain_last(struct rings *r)
{
	int n, i;

	for (i = 0; i < LAST_TRIES; i++) {
		do {
			n = rings_drain(r, rings_complete_ns(r));
		} while (n > 0);
		if (n < 0 || is_whole(r))
			break;
		usleep(LAST_WAIT_US);
	}
	return n;
}

void rings_free(struct rings *r)
{
	if (!r)
		return;
	ring_buffer__free(r->wake);
	if (r->epoll_fd >= 0)
		close(r->epoll_fd);
	if (r->bytes)
		munmap(r->bytes, r->mapped);
	free(r->records);
	free(r->progress);
	free(r);
}
