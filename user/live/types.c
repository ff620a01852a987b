// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Wanted names are in a table of their hashes; one pass over the kernel's types asks it for each.
 * A wanted structure is copied into a small BTF with its members, and with the structures that these
 * embed; pointers there point to nothing, as CO-RE only asks whether there is one. libbpf
 * compares each type of a program with all types of CO-RE's target: with these few it is quick.
 */
#include "live/types.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLOTS 4096		/* power of two; names are some hundreds */
#define DEPTH_MAX 64		/* of embedding: BTF with a circle in it would never end */

struct slot {
	char *name;		/* NULL: free */
	size_t len;
	uint32_t id[TYPE_CLASSES];	/* the first of this name; 0 none */
	bool is_struct;		/* or an enum: copied into the part */
};

struct types {
	struct btf *btf;	/* of the kernel image */
	struct btf *from;	/* that is being copied from: that, or a module's with that as its base */
	struct btf *part;
	uint32_t *copies;	/* id in @part of each type; 0 not yet */
	uint32_t pointer;	/* id in @part of the one pointer there */
	int fd;			/* of the part's file */
	char path[32];
	size_t names;
	struct slot slots[SLOTS];
};

/* FNV-1a */
static uint32_t hash_name(const char *name, size_t len)
{
	uint32_t h = 2166136261u;

	while (len--)
		h = (h ^ (unsigned char)*name++) * 16777619u;
	return h;
}

/* Where @name is, or where it would be. */
static uint32_t slot_of(const struct types *t, const char *name, size_t len)
{
	uint32_t i = hash_name(name, len) & (SLOTS - 1);

	while (t->slots[i].name &&
	       (t->slots[i].len != len || memcmp(t->slots[i].name, name, len)))
		i = (i + 1) & (SLOTS - 1);
	return i;
}

static int want(struct types *t, const char *name, size_t len, bool is_struct)
{
	struct slot *s = &t->slots[slot_of(t, name, len)];

	s->is_struct |= is_struct;
	if (s->name)
		return 0;
	if (t->names + 1 == SLOTS)
		return -ENOMEM;
	s->name = strndup(name, len);
	if (!s->name)
		return -ENOMEM;
	t->names++;
	s->len = len;
	return 0;
}

int types_want(struct types *t, const char *name)
{
	return name ? want(t, name, strlen(name), false) : 0;
}

/* Without the flavour: "page" of "page___6_1". */
static size_t essential_length(const char *name)
{
	const char *flavour = strstr(name + 1, "___");

	return flavour ? (size_t)(flavour - name) : strlen(name);
}

int types_want_structs(struct types *t, const struct btf *programs)
{
	uint32_t id, count = btf__type_cnt(programs);
	int err = 0;

	for (id = 1; id < count && !err; id++) {
		const struct btf_type *type = btf__type_by_id(programs, id);
		const char *name = btf__name_by_offset(programs, type->name_off);

		if ((btf_is_composite(type) || btf_is_enum(type)) && *name)
			err = want(t, name, essential_length(name), true);
	}
	return err;
}

/* ---- the part ---- */

static int copy_type(struct types *t, uint32_t id, unsigned int depth);

/* Members come first: fields can be added to the last type only. */
static int copy_members(struct types *t, const struct btf_type *type, unsigned int depth)
{
	const struct btf_member *m = btf_members(type);
	unsigned int i;
	int id = 0;

	for (i = 0; i < btf_vlen(type) && id >= 0; i++)
		id = copy_type(t, m[i].type, depth + 1);
	return id < 0 ? id : 0;
}

static int copy_composite(struct types *t, const struct btf_type *type, const char *name,
			  unsigned int depth)
{
	const struct btf_member *m = btf_members(type);
	int id, err = copy_members(t, type, depth);
	unsigned int i;

	if (err)
		return err;
	id = btf_is_struct(type) ? btf__add_struct(t->part, name, type->size) :
				   btf__add_union(t->part, name, type->size);
	for (i = 0; i < btf_vlen(type) && id > 0 && !err; i++)
		err = btf__add_field(t->part, btf__name_by_offset(t->from, m[i].name_off),
				     copy_type(t, m[i].type, depth + 1),
				     btf_member_bit_offset(type, i),
				     btf_member_bitfield_size(type, i));
	return err ?: id;
}

static int copy_array(struct types *t, const struct btf_type *type, unsigned int depth)
{
	const struct btf_array *a = btf_array(type);
	int index = copy_type(t, a->index_type, depth + 1);
	int element = copy_type(t, a->type, depth + 1);

	if (index < 0 || element < 0)
		return index < 0 ? index : element;
	return btf__add_array(t->part, index, element, a->nelems);
}

static int copy_pointer(struct types *t)
{
	int id = t->pointer ? (int)t->pointer : btf__add_ptr(t->part, 0);

	if (id > 0)
		t->pointer = id;
	return id;
}

/* Values only of those that programs ask for. */
static int copy_enum(struct types *t, const struct btf_type *type, const char *name)
{
	bool wanted = t->slots[slot_of(t, name, strlen(name))].is_struct;
	int id = btf__add_enum(t->part, name, type->size), err = 0;
	unsigned int i;

	for (i = 0; wanted && i < btf_vlen(type) && id > 0 && !err; i++)
		err = btf__add_enum_value(t->part,
					  btf__name_by_offset(t->from, btf_enum(type)[i].name_off),
					  btf_enum(type)[i].val);
	return err ?: id;
}

static int copy_new(struct types *t, const struct btf_type *type, unsigned int depth)
{
	const char *name = btf__name_by_offset(t->from, type->name_off);

	switch (btf_kind(type)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return copy_composite(t, type, name, depth);
	case BTF_KIND_ARRAY:
		return copy_array(t, type, depth);
	case BTF_KIND_INT:
		return btf__add_int(t->part, name, type->size, btf_int_encoding(type));
	case BTF_KIND_FLOAT:
		return btf__add_float(t->part, name, type->size);
	case BTF_KIND_ENUM:
		return copy_enum(t, type, name);
	case BTF_KIND_ENUM64:
		return btf__add_enum64(t->part, name, type->size, false);
	default:
		return copy_pointer(t);	/* nothing else can be held by value */
	}
}

static int copy_type(struct types *t, uint32_t id, unsigned int depth)
{
	const struct btf_type *type = btf__type_by_id(t->from, id);
	int copy;

	while (type && (btf_is_mod(type) || btf_is_typedef(type))) {
		id = type->type;
		type = btf__type_by_id(t->from, id);
	}
	if (!type || depth > DEPTH_MAX)
		return -EINVAL;
	if (!id)
		return 0;
	if (t->copies[id])
		return t->copies[id];
	copy = copy_new(t, type, depth);
	if (copy > 0)
		t->copies[id] = copy;
	return copy;
}

static int write_part(struct types *t)
{
	uint32_t size;
	const void *bytes = btf__raw_data(t->part, &size);

	if (!bytes)
		return -ENOMEM;
	return pwrite(t->fd, bytes, size, 0) == (ssize_t)size ? 0 : -EIO;
}

/* ---- the pass ---- */

/* A class of types that may be asked for; TYPE_CLASSES if not. */
static enum type_class class_of(const struct btf_type *type)
{
	switch (btf_kind(type)) {
	case BTF_KIND_FUNC:
		return TYPE_FUNCTION;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM:
		return TYPE_STRUCT;
	case BTF_KIND_VAR:
		return TYPE_VARIABLE;
	case BTF_KIND_TYPEDEF:
		return TYPE_TYPEDEF;
	default:
		return TYPE_CLASSES;
	}
}

static int read_type(struct types *t, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(t->from, id);
	enum type_class class = class_of(type);
	const char *name;
	struct slot *s;
	int copy = 0;

	if (class == TYPE_CLASSES)
		return 0;
	name = btf__name_by_offset(t->from, type->name_off);
	s = &t->slots[slot_of(t, name, strlen(name))];
	if (!s->name)
		return 0;
	if (!s->id[class] && t->from == t->btf)
		s->id[class] = id;
	if (class == TYPE_STRUCT && s->is_struct)
		copy = copy_type(t, id, 0);
	return copy < 0 ? copy : 0;
}

/* Types from number @first on. */
static int read_from(struct types *t, struct btf *btf, uint32_t first)
{
	uint32_t id, count = btf__type_cnt(btf);
	uint32_t *copies = realloc(t->copies, count * sizeof(*copies));
	int err = 0;

	if (!copies)
		return -ENOMEM;
	memset(copies + first, 0, (count - first) * sizeof(*copies));
	t->copies = copies;
	t->from = btf;
	for (id = first ?: 1; id < count && !err; id++)
		err = read_type(t, id);
	t->from = t->btf;
	return err ?: write_part(t);
}

int types_read(struct types *t)
{
	return read_from(t, t->btf, 0);
}

int types_read_module(struct types *t, const char *module)
{
	struct btf *btf;
	char path[128];
	int err;

	snprintf(path, sizeof(path), "/sys/kernel/btf/%s", module);
	if (access(path, R_OK))
		return 0;
	btf = btf__parse_split(path, t->btf);
	if (!btf)
		return -errno;
	err = read_from(t, btf, btf__type_cnt(t->btf));
	btf__free(btf);
	return err;
}

/* ---- the whole ---- */

uint32_t types_find(const struct types *t, enum type_class class, const char *name)
{
	return name ? t->slots[slot_of(t, name, strlen(name))].id[class] : 0;
}

struct btf *types_btf(const struct types *t)
{
	return t->btf;
}

const char *types_part(const struct types *t)
{
	return t->path;
}

int types_new(struct types **out)
{
	struct btf *btf = btf__load_vmlinux_btf();

	return btf ? types_of(btf, out) : -errno;
}

int types_of(struct btf *btf, struct types **out)
{
	struct types *t = calloc(1, sizeof(*t));
	int err = 0;

	if (!t) {
		btf__free(btf);
		return -ENOMEM;
	}
	t->btf = btf;
	t->fd = memfd_create("iommuscope types", MFD_CLOEXEC);
	t->part = t->fd < 0 ? NULL : btf__new_empty();
	if (!t->part) {
		err = -errno;
		types_free(t);
		return err;
	}
	snprintf(t->path, sizeof(t->path), "/proc/self/fd/%d", t->fd);
	*out = t;
	return 0;
}

void types_free(struct types *t)
{
	unsigned int i;

	if (!t)
		return;
	for (i = 0; i < SLOTS; i++)
		free(t->slots[i].name);
	btf__free(t->part);
	btf__free(t->btf);
	if (t->fd >= 0)
		close(t->fd);
	free(t->copies);
	free(t);
}
