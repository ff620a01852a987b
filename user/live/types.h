/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel image's BTF, read in one pass: libbpf's own searches go through all of it for each
 * name, which is 150 searches of some seven million instructions each.
 */
#ifndef IOMMUSCOPE_TYPES_H
#define IOMMUSCOPE_TYPES_H

#include <bpf/btf.h>
#include <stdbool.h>
#include <stdint.h>

struct types;

enum type_class { TYPE_FUNCTION, TYPE_STRUCT, TYPE_VARIABLE, TYPE_TYPEDEF, TYPE_CLASSES };

/**
 * types_new() - Load the BTF of the kernel image
 * @out: set on success
 *
 * Return: 0 or -errno.
 */
int types_new(struct types **out);

/** types_of() - The same of @btf, which is @out's from now on, whatever is returned. */
int types_of(struct btf *btf, struct types **out);

/** types_want() - Will be asked for @name, which stays where it is. NULL is allowed. 0 or -ENOMEM. */
int types_want(struct types *t, const char *name);

/** types_want_structs() - The structures of @programs are to be in the part of types_part(). */
int types_want_structs(struct types *t, const struct btf *programs);

/** types_read() - Look for all that is wanted. 0 or -errno. */
int types_read(struct types *t);

/**
 * types_read_module() - Wanted structures of a module come to the part, too
 *
 * After types_read(). A module that is not loaded, or has no BTF, has none.
 *
 * Return: 0 or -errno.
 */
int types_read_module(struct types *t, const char *module);

/** types_find() - Id of the wanted @name, or 0: the kernel image has none. NULL has none. */
uint32_t types_find(const struct types *t, enum type_class class, const char *name);

/** types_btf() - All of it; stays the property of @t. */
struct btf *types_btf(const struct types *t);

/**
 * types_part() - Path of a file with those structures that are wanted, and what they hold by value
 *
 * To be CO-RE's target. It may be named before types_read() fills it.
 */
const char *types_part(const struct types *t);

/** types_free() - @t may be NULL. */
void types_free(struct types *t);

#endif
