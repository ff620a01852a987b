// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Reads back the few lines of the metadata that the reader needs: the uuid of the
 * trace and the env block. The layout of everything else follows from the format
 * version and the record ABI. The text is untrusted.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/layout.h"

#define FACTS_MAX	256

static int bad(const char **why, const char *text)
{
	*why = text;
	return -EBADMSG;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* 36 characters, as put_uuid() writes them. */
static int parse_uuid(uint8_t u[16], const char *s)
{
	int i, hi, lo;

	for (i = 0; i < 16; i++) {
		if ((i == 4 || i == 6 || i == 8 || i == 10) && *s++ != '-')
			return -EBADMSG;
		hi = hex_digit(s[0]);
		lo = hi < 0 ? -1 : hex_digit(s[1]);
		if (lo < 0)
			return -EBADMSG;
		u[i] = hi << 4 | lo;
		s += 2;
	}
	return *s == '"' ? 0 : -EBADMSG;
}

/* Undoes put_string(), in place. Returns the rest behind the closing quote or NULL. */
static char *unquote(char *s)
{
	char *out = s;

	for (; *s && *s != '"' && *s != '\n'; s++) {
		if (*s == '\\' && *++s != '"' && *s != '\\') {
			if (*s != 'n' && *s != 't')
				return NULL;
			*out++ = *s == 'n' ? '\n' : '\t';
			continue;
		}
		*out++ = *s;
	}
	if (*s != '"')
		return NULL;

	*out = '\0';
	return s + 1;
}

/* "\tname = value;\n" at @line. Returns the next line, or NULL if it is not that. */
static char *split_line(char *line, char **name, char **value)
{
	char *s = line;

	if (*s++ != '\t')
		return NULL;
	*name = s;
	while (isalnum((unsigned char)*s) || *s == '_')
		s++;
	if (s == *name || strncmp(s, " = ", 3))
		return NULL;
	*s = '\0';
	s += 3;

	if (*s == '"') {
		*value = ++s;
		s = unquote(s);
	} else {
		*value = s;
		while (isdigit((unsigned char)*s))
			s++;
		if (s == *value)
			return NULL;
	}
	if (!s || strncmp(s, ";\n", 2))
		return NULL;
	*s = '\0';
	return s + 2;
}

static int keep(struct trace_facts *f, const char *name, const char *value)
{
	struct trace_fact *fact;

	if (!f->list) {
		f->list = calloc(FACTS_MAX, sizeof(*f->list));
		if (!f->list)
			return -ENOMEM;
	}

	fact = &f->list[f->count];
	fact->name = strdup(name);
	fact->value = strdup(value);
	f->count++;
	return fact->name && fact->value ? 0 : -ENOMEM;
}

static int parse_env(struct trace_facts *f, char *line, const char **why)
{
	char *name, *value;
	int err;

	while (*line != '}') {
		line = split_line(line, &name, &value);
		if (!line || f->count == FACTS_MAX)
			return bad(why, "the env block of the metadata is damaged");
		err = keep(f, name, value);
		if (err)
			return err;
	}
	return 0;
}

/* A decimal number from 1 to @max; 0 if it is anything else. */
static unsigned long number(const struct trace_facts *f, const char *name, unsigned long max)
{
	unsigned long n;
	char *end;
	size_t i;

	for (i = 0; i < f->count; i++) {
		if (strcmp(f->list[i].name, name))
			continue;
		errno = 0;
		n = strtoul(f->list[i].value, &end, 10);
		return errno || *end || n > max ? 0 : n;
	}
	return 0;
}

static int check_versions(struct trace_facts *f, const char **why)
{
	unsigned long format = number(f, "iommuscope_format", UINT16_MAX);

	f->abi = number(f, "event_abi", UINT16_MAX);
	f->cpus = number(f, "cpus", TRACE_CPUS_MAX);
	if (!format || !f->abi)
		return bad(why, "a CTF trace, but not one of iommuscope; try babeltrace2");
	if (format > TRACE_FORMAT) {
		*why = "made by a newer iommuscope; update this one, or use babeltrace2";
		return -EPROTONOSUPPORT;
	}
	if (!f->cpus)
		return bad(why, "the env block of the metadata is damaged");
	return 0;
}

int trace_facts_parse(struct trace_facts *f, char *text, const char **why)
{
	static const char uuid[] = "\ntrace {\n\tmajor = 1;\n\tminor = 8;\n\tuuid = \"";
	static const char env[] = "\nenv {\n";
	char *at_uuid, *at_env;
	int err;

	if (strncmp(text, "/* CTF 1.8 */\n", 14))
		return bad(why, "the metadata is not CTF 1.8 text of iommuscope");

	at_uuid = strstr(text, uuid);
	at_env = strstr(text, env);
	if (!at_uuid || !at_env)
		return bad(why, "a CTF trace, but not one of iommuscope; try babeltrace2");
	if (parse_uuid(f->uuid, at_uuid + sizeof(uuid) - 1))
		return bad(why, "the uuid in the metadata is damaged");

	err = parse_env(f, at_env + sizeof(env) - 1, why);
	return err ? err : check_versions(f, why);
}

void trace_facts_free(struct trace_facts *f)
{
	size_t i;

	for (i = 0; i < f->count; i++) {
		free(f->list[i].name);
		free(f->list[i].value);
	}
	free(f->list);
	f->list = NULL;
	f->count = 0;
}
