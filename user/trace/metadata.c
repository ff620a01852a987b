// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * TSDL, generated from the schema: what CTF readers other than ours need.
 *
 * Every field is aligned to 8 bits, so that the text describes exactly the bytes of
 * the C structures and no reader inserts padding of its own. The one exception is the
 * event header: readers show none of it and warn of fields that they do not know, so
 * it has the type and the time only, and their alignment skips what is between them.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/schema.h"
#include "trace/layout.h"

static const char types[] =
	"typealias integer { size = 8; align = 8; signed = false; } := uint8_t;\n"
	"typealias integer { size = 16; align = 8; signed = false; } := uint16_t;\n"
	"typealias integer { size = 32; align = 8; signed = false; } := uint32_t;\n"
	"typealias integer { size = 64; align = 8; signed = false; } := uint64_t;\n"
	"typealias integer { size = 16; align = 8; signed = false; base = 16; } := xint16_t;\n"
	"typealias integer { size = 32; align = 8; signed = false; base = 16; } := xint32_t;\n"
	"typealias integer { size = 64; align = 8; signed = false; base = 16; } := xint64_t;\n"
	"typealias integer { size = 16; align = 8; signed = true; } := int16_t;\n"
	"typealias integer { size = 32; align = 8; signed = true; } := int32_t;\n"
	"typealias integer { size = 64; align = 8; signed = true; } := int64_t;\n"
	"typealias integer { size = 8; align = 8; signed = false; encoding = UTF8; } := text_t;\n"
	"typealias integer { size = 16; align = 16; signed = false; } := type_t;\n"
	"\n";

/* struct trace_head, first part. */
static const char packet_header[] =
	"\tpacket.header := struct {\n"
	"\t\tuint32_t magic;\n"
	"\t\tuint8_t uuid[16];\n"
	"\t\tuint32_t stream_id;\n"
	"\t\tuint32_t stream_instance_id;\n"
	"\t};\n";

/* struct trace_head, second part. */
static const char packet_context[] =
	"\tpacket.context := struct {\n"
	"\t\tuint32_t cpu_id;\n"
	"\t\tclock_ns_t timestamp_begin;\n"
	"\t\tclock_ns_t timestamp_end;\n"
	"\t\tuint64_t events_discarded;\n"
	"\t\tuint64_t packet_seq_num;\n"
	"\t\tuint32_t content_size;\n"
	"\t\tuint32_t packet_size;\n"
	"\t};\n";

static void put_uuid(FILE *f, const uint8_t u[16])
{
	int i;

	for (i = 0; i < 16; i++)
		fprintf(f, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", u[i]);
}

/* As a TSDL string. Control characters other than newline and tab become '?'. */
static void put_string(FILE *f, const char *name, const char *value)
{
	const unsigned char *c;

	if (!value)
		return;

	fprintf(f, "\t%s = \"", name);
	for (c = (const void *)value; *c; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(f, "\\%c", *c);
		else if (*c == '\n')
			fputs("\\n", f);
		else if (*c == '\t')
			fputs("\\t", f);
		else
			fputc(*c < 0x20 || *c == 0x7f ? '?' : *c, f);
	}
	fputs("\";\n", f);
}

static void put_env(FILE *f, const struct trace_env *env)
{
	fputs("env {\n", f);
	fprintf(f, "\tiommuscope_format = %d;\n", TRACE_FORMAT);
	fprintf(f, "\tevent_abi = %d;\n", EVENT_ABI);
	fprintf(f, "\tcpus = %u;\n", env->cpus);
	fprintf(f, "\tclock_offset_ns = %llu;\n", (unsigned long long)env->clock_offset_ns);
	put_string(f, "tracer_name", "iommuscope");
	put_string(f, "version", env->version);
	put_string(f, "sysname", "Linux");
	put_string(f, "kernel_release", env->kernel_release);
	put_string(f, "hostname", env->hostname);
	put_string(f, "command", env->command);
	put_string(f, "content", env->content);
	put_string(f, "scope", env->scope);
	fputs("};\n\n", f);
}

/* Absolute, so that traces of a host and of its guest can be read side by side. */
static void put_clock(FILE *f, const struct trace_env *env, const char *uuid)
{
	fputs("clock {\n\tname = monotonic;\n", f);
	put_string(f, "uuid", uuid);
	put_string(f, "description", "CLOCK_MONOTONIC");
	fprintf(f, "\tfreq = 1000000000;\n\toffset_s = %llu;\n\toffset = %llu;\n",
		(unsigned long long)(env->clock_offset_ns / 1000000000),
		(unsigned long long)(env->clock_offset_ns % 1000000000));
	fputs("\tabsolute = TRUE;\n};\n\n"
	      "typealias integer {\n\tsize = 64; align = 8; signed = false;\n"
	      "\tmap = clock.monotonic.value;\n} := clock_ns_t;\n\n"
	      "typealias integer {\n\tsize = 64; align = 64; signed = false;\n"
	      "\tmap = clock.monotonic.value;\n} := event_ns_t;\n\n", f);
}

static void put_trace(FILE *f, const uint8_t uuid[16])
{
	fputs("trace {\n\tmajor = 1;\n\tminor = 8;\n\tuuid = \"", f);
	put_uuid(f, uuid);
	fprintf(f, "\";\n\tbyte_order = le;\n%s};\n\n", packet_header);
}

#define HDR(ctf, f, type, header) { ctf, type, offsetof(struct ev_hdr, f), header }

/* struct ev_hdr by offset. CTF wants its own names for the type and the time. */
static const struct { const char *name, *type; size_t offset; bool header; } hdr[] = {
	HDR("id", type, "type_t", true), HDR("timestamp", time_ns, "event_ns_t", true),
	HDR("len", len, "uint16_t", false), HDR("cpu", cpu, "uint16_t", false),
	HDR("flags", flags, "xint16_t", false), HDR("seq", seq, "uint64_t", false),
};

static void put_hdr(FILE *f, const char *scope, size_t from, size_t to, bool header)
{
	size_t i;

	fprintf(f, "\t%s := struct {\n", scope);
	for (; from < to; from++) {
		for (i = 0; i < sizeof(hdr) / sizeof(hdr[0]); i++) {
			if (hdr[i].offset == from && hdr[i].header == header)
				fprintf(f, "\t\t%s %s;\n", hdr[i].type, hdr[i].name);
		}
	}
	fputs("\t};\n", f);
}

/* The event header ends as soon as type and time are in it. */
static void put_stream(FILE *f)
{
	const size_t type = offsetof(struct ev_hdr, type) + sizeof(uint16_t);
	const size_t time = offsetof(struct ev_hdr, time_ns) + sizeof(uint64_t);
	const size_t cut = type > time ? type : time;

	fprintf(f, "stream {\n\tid = 0;\n%s", packet_context);
	put_hdr(f, "event.header", 0, cut, true);
	put_hdr(f, "event.context", cut, sizeof(struct ev_hdr), false);
	fputs("};\n\n", f);
}

static void put_field(FILE *f, const struct schema_field *field)
{
	static const char *const prefix[] = {
		[FIELD_DEC] = "uint", [FIELD_HEX] = "xint", [FIELD_SIGNED] = "int",
	};

	if (field->kind == FIELD_TEXT)
		fprintf(f, "\t\ttext_t %s[%u];\n", field->name, field->size);
	else
		fprintf(f, "\t\t%s%u_t %s;\n", prefix[field->kind], field->size * 8u,
			field->name);
}

static void put_event(FILE *f, const struct schema *s)
{
	size_t i;

	fprintf(f, "event {\n\tid = %u;\n\tstream_id = 0;\n", s->type);
	put_string(f, "name", s->name);
	fputs("\tfields := struct {\n", f);
	for (i = 0; i < s->nfields; i++)
		put_field(f, &s->fields[i]);
	fputs("\t};\n};\n\n", f);
}

char *trace_metadata_text(const struct trace_env *env, const struct trace_identity *id)
{
	const struct schema *s;
	char *text = NULL;
	size_t i, len;
	FILE *f;
	int bad;

	f = open_memstream(&text, &len);
	if (!f)
		return NULL;

	fprintf(f, "/* CTF 1.8 */\n\n%s", types);
	put_trace(f, id->uuid);
	put_env(f, env);
	put_clock(f, env, id->clock_uuid);
	put_stream(f);
	for (i = 0; (s = schema_at(i)); i++)
		put_event(f, s);

	bad = ferror(f);
	if (fclose(f) || bad) {
		free(text);
		return NULL;
	}
	return text;
}
