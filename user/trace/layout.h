/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Bytes of a stream file: shared by writer and reader. docs/trace-format.md.
 *
 * Invariants
 * - A stream file is a sequence of packets of exactly TRACE_PACKET_BYTES, at offsets
 *   that are multiples of it. A write() that is killed stops at a page boundary, so a
 *   packet is in the file whole or not at all.
 * - Records never straddle packets. A packet holds at least one; the rest is zero.
 */
#ifndef IOMMUSCOPE_TRACE_LAYOUT_H
#define IOMMUSCOPE_TRACE_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"
#include "trace/trace.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "records are little endian");

#define TRACE_FORMAT		1
#define TRACE_PACKET_BYTES	4096u
#define TRACE_MAGIC		0xc1fc1fc1u
#define TRACE_METADATA_MAX	(1u << 20)
#define TRACE_CPUS_MAX		EV_CPU_USER	/* CPU numbers are below this */
#define TRACE_NAME_BYTES	16		/* "cpu65534", "user" */

/* At the start of a packet: CTF packet header, then (from @cpu_id) CTF packet context. */
struct trace_head {
	uint32_t magic;
	uint8_t uuid[16];	/* of the trace, as in its metadata */
	uint32_t stream_id;	/* 0: the only stream class */
	uint32_t stream_instance_id;	/* CPU, or EV_CPU_USER */
	uint32_t cpu_id;	/* the same */
	uint64_t timestamp_begin;
	uint64_t timestamp_end;
	uint64_t events_discarded;	/* of this stream, up to here */
	uint64_t packet_seq_num;
	uint32_t content_size;	/* bits */
	uint32_t packet_size;	/* bits */
};
_Static_assert(sizeof(struct trace_head) == 72, "trace format");

/*
 * At the end of a packet, in what is padding to CTF: readers other than ours would
 * print these fields with every record, or warn about them.
 */
struct trace_tail {
	uint64_t horizon_ns;	/* everything older was written before this packet */
	uint32_t zero;
	uint32_t checksum;	/* trace_checksum() of all before it */
};
_Static_assert(sizeof(struct trace_tail) == 16, "trace format");

/* Where records may be. */
#define TRACE_CONTENT_END	(TRACE_PACKET_BYTES - (uint32_t)sizeof(struct trace_tail))

/* The name of a stream file. */
void trace_stream_name(char name[TRACE_NAME_BYTES], uint16_t cpu);

/* Over one packet of TRACE_PACKET_BYTES, 8-byte aligned, without its last 8 bytes. */
uint32_t trace_checksum(const void *packet);

/* A packet under the cursor of a reader. */
struct trace_packet {
	const uint8_t *buf;
	uint64_t horizon_ns;	/* see struct trace_tail */
	uint32_t pos;		/* of the next record */
	uint32_t end;		/* of the content, bytes */
	uint16_t cpu;
	uint16_t abi;		/* EVENT_ABI of the writer */
};

/**
 * trace_packet_open() - Check a packet and put a cursor before its first record
 * @p:    filled on success; @p->cpu and @p->abi are the caller's
 * @buf:  TRACE_PACKET_BYTES, 8-byte aligned, untrusted
 * @uuid: of the trace
 * @why:  set on failure: a static text, for people
 *
 * Pure. Return: 0 or -EBADMSG.
 */
int trace_packet_open(struct trace_packet *p, const void *buf, const uint8_t uuid[16],
		      const char **why);

/**
 * trace_packet_next() - Take the next record of a packet
 * @p:   cursor
 * @rec: set on success; hdr.len is whole, sane for the type, and inside the packet
 * @why: set on failure: a static text, for people
 *
 * Pure. Return: 1, 0 behind the last record, or -EBADMSG.
 */
int trace_packet_next(struct trace_packet *p, const struct ev_hdr **rec, const char **why);

/* What the writer puts into the metadata besides struct trace_env. */
struct trace_identity {
	uint8_t uuid[16];
	char clock_uuid[37];	/* boot id, or a random one */
};

/**
 * trace_metadata_text() - Generate the TSDL text
 *
 * Return: a string to free(), or NULL without memory.
 */
char *trace_metadata_text(const struct trace_env *env, const struct trace_identity *id);

/* The metadata as the reader knows it. */
struct trace_facts {
	uint8_t uuid[16];
	uint16_t abi;
	uint16_t cpus;
	size_t count;
	struct trace_fact {
		char *name;
		char *value;
	} *list;
};

/**
 * trace_facts_parse() - Read the metadata that trace_metadata_text() wrote
 * @f:    zeroed by the caller; filled; trace_facts_free() it also after a failure
 * @text: untrusted; modified
 * @why:  set on failure: a static text, for people
 *
 * Not a TSDL parser: it finds the lines that our writer writes.
 *
 * Return: 0, -EBADMSG, -EPROTONOSUPPORT or -ENOMEM.
 */
int trace_facts_parse(struct trace_facts *f, char *text, const char **why);

void trace_facts_free(struct trace_facts *f);

#endif
