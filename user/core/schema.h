/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the bytes of each wire record mean: one table that feeds length checks,
 * the CTF metadata, JSON and docs/trace-format.md. Pure data.
 */
#ifndef IOMMUSCOPE_SCHEMA_H
#define IOMMUSCOPE_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

enum field_kind {
	FIELD_DEC,	/* unsigned, decimal */
	FIELD_HEX,	/* unsigned, hexadecimal: addresses, flags, raw words */
	FIELD_SIGNED,	/* signed, decimal */
	FIELD_TEXT,	/* char array, NUL-padded, not necessarily terminated */
};

struct schema_field {
	const char *name;	/* C name, as in bpf/event.h */
	uint16_t offset;	/* from the start of the record */
	uint16_t size;		/* bytes: 2, 4, 8; FIELD_TEXT: array length */
	uint16_t kind;		/* enum field_kind */
};

struct schema {
	uint16_t type;		/* enum ev_type */
	uint16_t len;		/* sizeof the record */
	uint16_t nfields;	/* fields after struct ev_hdr */
	const char *name;	/* lower case, e.g. "vfio_map" */
	const struct schema_field *fields;
};

/**
 * schema_find() - Describe a record type
 * @type: enum ev_type, untrusted
 *
 * Return: the description, or NULL if no such type exists.
 */
const struct schema *schema_find(unsigned int type);

/**
 * schema_at() - Walk all record types
 * @i: 0, 1, ...
 *
 * Return: the description, or NULL behind the last.
 */
const struct schema *schema_at(size_t i);

#endif
