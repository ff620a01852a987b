// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Packets and the records in them: pure functions over untrusted bytes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/schema.h"
#include "trace/layout.h"

#define LANES	4
#define ROUNDS	(TRACE_PACKET_BYTES / 8 / LANES)

void trace_stream_name(char name[TRACE_NAME_BYTES], uint16_t cpu)
{
	if (cpu == EV_CPU_USER)
		snprintf(name, TRACE_NAME_BYTES, "user");
	else
		snprintf(name, TRACE_NAME_BYTES, "cpu%u", cpu);
}

static uint64_t mix(uint64_t h, uint64_t word)
{
	h ^= word;
	h = h << 27 | h >> 37;
	return h * 0x9e3779b97f4a7c15ULL;
}

/* Four lanes, so that the multiplications overlap. Each step is a bijection. */
uint32_t trace_checksum(const void *packet)
{
	uint64_t h[LANES] = { 1, 2, 3, 4 };
	const uint64_t *word = packet;
	size_t i, lane;

	for (i = 0; i < ROUNDS - 1; i++, word += LANES) {
		for (lane = 0; lane < LANES; lane++)
			h[lane] = mix(h[lane], word[lane]);
	}
	for (lane = 0; lane < LANES - 1; lane++)
		h[lane] = mix(h[lane], word[lane]);

	h[0] = mix(mix(mix(h[0], h[1]), h[2]), h[3]);
	return h[0] ^ h[0] >> 32;
}

static int bad(const char **why, const char *text)
{
	*why = text;
	return -EBADMSG;
}

int trace_packet_open(struct trace_packet *p, const void *buf, const uint8_t uuid[16],
		      const char **why)
{
	struct trace_head head;
	struct trace_tail tail;

	memcpy(&head, buf, sizeof(head));
	memcpy(&tail, (const char *)buf + TRACE_CONTENT_END, sizeof(tail));
	if (head.magic != TRACE_MAGIC)
		return bad(why, "no packet starts here");
	if (memcmp(head.uuid, uuid, sizeof(head.uuid)))
		return bad(why, "the packet belongs to another trace");
	if (tail.zero || tail.checksum != trace_checksum(buf))
		return bad(why, "the checksum of the packet is wrong");
	if (head.stream_id || head.cpu_id != p->cpu || head.stream_instance_id != p->cpu)
		return bad(why, "the packet belongs to another stream");
	if (head.packet_size != TRACE_PACKET_BYTES * 8 ||
	    head.content_size > TRACE_CONTENT_END * 8 ||
	    head.content_size / 8 < sizeof(head) + sizeof(struct ev_hdr) ||
	    head.content_size % 64)
		return bad(why, "the packet has an impossible size");

	p->buf = buf;
	p->pos = sizeof(head);
	p->end = head.content_size / 8;
	p->horizon_ns = tail.horizon_ns;
	return 0;
}

/* A newer writer may have appended fields, an older one may lack some. */
static int len_sane(const struct ev_hdr *h, uint16_t abi)
{
	const struct schema *s;

	if (h->len < sizeof(*h) || h->len > EV_LEN_MAX || h->len % 8)
		return 0;

	s = schema_find(h->type);
	if (!s || h->len == s->len)
		return 1;

	return h->len > s->len ? abi > EVENT_ABI : abi < EVENT_ABI;
}

int trace_packet_next(struct trace_packet *p, const struct ev_hdr **rec, const char **why)
{
	const struct ev_hdr *h = (const void *)(p->buf + p->pos);
	uint32_t left = p->end - p->pos;

	if (!left)
		return 0;
	if (left < sizeof(*h))
		return bad(why, "a record ends behind its packet");
	if (!len_sane(h, p->abi))
		return bad(why, "a record has an impossible length");
	if (h->len > left)
		return bad(why, "a record ends behind its packet");
	if (h->cpu != p->cpu)
		return bad(why, "a record belongs to another CPU");
	if (h->seq == UINT64_MAX)
		return bad(why, "a record has an impossible sequence number");

	p->pos += h->len;
	*rec = h;
	return 1;
}
