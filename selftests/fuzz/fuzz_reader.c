// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * libFuzzer: the trace reader. The first byte chooses what the rest is:
 *   0  a packet, for the pure parser
 *   1  the text of a metadata file, for the pure parser
 *   2  a stream file as it is, beside a sound one
 *   3  the same, but with sound packet heads and checksums
 *   4  a recipe for records with jumping times and numbers, on two CPUs
 * Apart from not crashing: time never runs backwards, gaps are not empty.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/schema.h"
#include "trace/layout.h"

#define CHECK(c)	do { if (!(c)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[64];
static uint8_t uuid[16];
static uint64_t packet[TRACE_PACKET_BYTES / 8];

static const char *in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void clean_up(void)
{
	static const char *const name[] = { "cpu0", "cpu1", "user", "metadata" };
	size_t i;

	for (i = 0; i < 4; i++)
		unlink(in_dir(name[i]));
	rmdir(dir);
}

/* A directory with sound metadata for two CPUs. */
static void make_dir(void)
{
	const struct trace_env env = { .cpus = 2 };
	struct trace_head head;
	struct trace_writer *w;
	FILE *f;

	snprintf(dir, sizeof(dir), "%s/fuzz-reader-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	CHECK(mkdtemp(dir));
	atexit(clean_up);
	CHECK(!trace_create(dir, &env, &w));
	CHECK(!trace_close(w, NULL, NULL));

	f = fopen(in_dir("user"), "r");
	CHECK(f && fread(&head, sizeof(head), 1, f) == 1);
	fclose(f);
	memcpy(uuid, head.uuid, sizeof(uuid));
}

static void seal(uint16_t cpu)
{
	struct trace_head *head = (void *)packet;
	struct trace_tail *tail = (void *)((char *)packet + TRACE_CONTENT_END);

	head->magic = TRACE_MAGIC;
	memcpy(head->uuid, uuid, sizeof(uuid));
	head->stream_id = 0;
	head->stream_instance_id = cpu;
	head->cpu_id = cpu;
	head->packet_size = TRACE_PACKET_BYTES * 8;
	tail->zero = 0;
	tail->checksum = trace_checksum(packet);
}

static void fuzz_packet(const uint8_t *data, size_t size)
{
	struct trace_packet p = { .cpu = 0, .abi = 1 + size % 2 };
	const struct ev_hdr *rec;
	const char *why = NULL;
	size_t n = 0;

	memset(packet, 0, sizeof(packet));
	memcpy(packet, data, size < sizeof(packet) ? size : sizeof(packet));
	if (size % 3)
		seal(0);
	if (trace_packet_open(&p, packet, uuid, &why)) {
		CHECK(why);
		return;
	}
	while (trace_packet_next(&p, &rec, &why) > 0) {
		CHECK((const uint8_t *)rec + rec->len <= p.buf + TRACE_CONTENT_END);
		CHECK(n++ < TRACE_PACKET_BYTES / sizeof(*rec));
	}
}

static void fuzz_facts(const uint8_t *data, size_t size)
{
	static const char start[] = "/* CTF 1.8 */\n";
	struct trace_facts f = { .count = 0 };
	const char *why = NULL;
	char *text = calloc(1, sizeof(start) + size);
	int ret;

	CHECK(text);
	memcpy(text, start, sizeof(start) - 1);
	memcpy(text + sizeof(start) - 1, data, size);
	ret = trace_facts_parse(&f, text, &why);
	CHECK(!ret || why);
	trace_facts_free(&f);
	free(text);
}

static void read_all(void)
{
	struct trace_reader *r;
	struct trace_error err;
	struct trace_item item;
	uint64_t now = 0, t;
	int ret, errors = 0;

	if (trace_open(dir, &r, &err))
		return;
	while ((ret = trace_next(r, &item, &err))) {
		if (ret < 0) {
			CHECK(++errors <= 3);
			continue;
		}
		t = item.kind == TRACE_GAP ? item.gap.from_ns :
		    ((const struct ev_hdr *)item.rec)->time_ns;
		CHECK(t >= now);
		CHECK(item.kind == TRACE_RECORD ||
		      (item.gap.lost && item.gap.to_ns >= item.gap.from_ns));
		now = t;
	}
	CHECK(!errors || !trace_complete(r));
	trace_free(r);
}

static void fuzz_file(const uint8_t *data, size_t size, int sound)
{
	FILE *f = fopen(in_dir("cpu0"), "w");
	struct trace_head *head = (void *)packet;
	size_t n;

	CHECK(f);
	for (; size; data += n, size -= n) {
		n = size < 512 ? size : 512;
		if (!sound) {
			fwrite(data, 1, n, f);
			continue;
		}
		memset(packet, 0, sizeof(packet));
		memcpy(head + 1, data, n);
		head->content_size = (sizeof(*head) + n) * 8;
		seal(0);
		fwrite(packet, 1, sizeof(packet), f);
	}
	fclose(f);
	read_all();
	unlink(in_dir("cpu0"));
}

/* Four bytes make a record: kind, time step, number, and when to end the packet. */
static void cook(const uint8_t *data, size_t size, uint16_t cpu, FILE *f)
{
	struct trace_head *head = (void *)packet;
	uint64_t time = 1000, seq = 0, rec[EV_LEN_MAX / 8] = { 0 };
	struct ev_hdr *h = (void *)rec;
	const struct schema *s;
	uint32_t fill = sizeof(*head);

	memset(packet, 0, sizeof(packet));
	for (; size >= 4; data += 4, size -= 4) {
		s = schema_at(data[0] % 25);
		time += data[1];
		*h = (struct ev_hdr) { .type = data[0] == 255 ? 99 : s->type,
				       .len = s->len, .cpu = cpu, .time_ns = time,
				       .seq = data[2] < 128 ? seq : seq + data[2] - 192 };
		seq = data[2] < 250 ? seq + 1 : seq << (data[2] - 249);
		if (h->seq == UINT64_MAX)
			h->seq = 0;
		memcpy((char *)packet + fill, rec, s->len);
		fill += s->len;
		if (fill + EV_LEN_MAX < TRACE_CONTENT_END && data[3] < 240 && size >= 8)
			continue;
		head->content_size = fill * 8;
		seal(cpu);
		fwrite(packet, 1, sizeof(packet), f);
		fill = sizeof(*head);
		memset(packet, 0, sizeof(packet));
	}
}

static void fuzz_recipe(const uint8_t *data, size_t size)
{
	FILE *f = fopen(in_dir("cpu0"), "w");

	CHECK(f);
	cook(data, size / 2, 0, f);
	fclose(f);
	f = fopen(in_dir("cpu1"), "w");
	CHECK(f);
	cook(data + size / 2, size / 2, 1, f);
	fclose(f);
	read_all();
	unlink(in_dir("cpu0"));
	unlink(in_dir("cpu1"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!*dir)
		make_dir();
	if (!size)
		return 0;

	switch (data[0] % 5) {
	case 0:
		fuzz_packet(data + 1, size - 1);
		break;
	case 1:
		fuzz_facts(data + 1, size - 1);
		break;
	case 4:
		fuzz_recipe(data + 1, size - 1);
		break;
	default:
		fuzz_file(data + 1, size - 1, data[0] % 5 == 3);
		break;
	}
	return 0;
}
