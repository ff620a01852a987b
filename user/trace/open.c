// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Opening a trace directory: metadata, the list of stream files, and whether the
 * recording was brought to its end.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/reader.h"

int reader_fail(struct trace_error *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (err) {
		va_start(ap, fmt);
		vsnprintf(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
	}
	return code;
}

static int open_dir(struct trace_reader *r, struct trace_error *err)
{
	r->dirfd = open(r->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->dirfd >= 0)
		return 0;

	if (errno == ENOTDIR)
		return reader_fail(err, -ENOTDIR,
				   "%s is not a directory; name the directory that record wrote",
				   r->path);
	return reader_fail(err, -errno, "cannot open %s: %s", r->path, strerror(errno));
}

/* At most TRACE_METADATA_MAX bytes, NUL behind them. Returns a length or -errno. */
static ssize_t read_text(int fd, char *text)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, text + len, TRACE_METADATA_MAX - len);
		if (n < 0 && errno != EINTR)
			return -errno;
		len += n > 0 ? n : 0;
	} while (n);

	text[len] = '\0';
	return len;
}

static int parse_metadata(struct trace_reader *r, int fd, struct trace_error *err)
{
	const char *why = "";
	char *text;
	ssize_t n;
	int ret;

	text = malloc(TRACE_METADATA_MAX + 1);
	if (!text)
		return reader_fail(err, -ENOMEM, "no memory");

	n = read_text(fd, text);
	if (n < 0)
		ret = reader_fail(err, n, "cannot read %s/metadata: %s", r->path, strerror(-n));
	else if (n == TRACE_METADATA_MAX)
		ret = reader_fail(err, -EBADMSG, "%s/metadata is too long", r->path);
	else
		ret = trace_facts_parse(&r->facts, text, &why);
	if (ret && *why)
		reader_fail(err, ret, "%s: %s", r->path, why);

	free(text);
	return ret;
}

static int load_metadata(struct trace_reader *r, struct trace_error *err)
{
	int fd, ret;

	fd = openat(r->dirfd, "metadata", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno == ENOENT)
		return reader_fail(err, -EBADMSG,
				   "%s holds no trace: it has no file called metadata", r->path);
	if (fd < 0)
		return reader_fail(err, -errno, "cannot open %s/metadata: %s", r->path,
				   strerror(errno));

	ret = parse_metadata(r, fd, err);
	close(fd);
	return ret;
}

static struct in_stream *add_stream(struct trace_reader *r, uint16_t cpu)
{
	size_t slots = r->slots ? r->slots * 2 : 16;
	struct in_stream **grown, *s;

	if (r->count == r->slots) {
		grown = realloc(r->streams, slots * sizeof(*grown));
		if (!grown)
			return NULL;
		r->streams = grown;
		r->slots = slots;
	}

	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->fd = -1;
	s->done = true;
	s->cpu = cpu;
	s->abi = r->facts.abi;
	s->uuid = r->facts.uuid;
	r->streams[r->count++] = s;
	return s;
}

/* "user" or "cpu7", nothing like "cpu07". Returns -1 for other files. */
static long stream_cpu(const char *name)
{
	char again[TRACE_NAME_BYTES];
	unsigned long cpu;

	if (!strcmp(name, "user"))
		return EV_CPU_USER;
	if (strncmp(name, "cpu", 3))
		return -1;

	cpu = strtoul(name + 3, NULL, 10);
	if (cpu >= TRACE_CPUS_MAX)
		return -1;
	trace_stream_name(again, cpu);
	return strcmp(name, again) ? -1 : (long)cpu;
}

static int open_stream(struct trace_reader *r, const char *name, struct trace_error *err)
{
	long cpu = stream_cpu(name);
	struct in_stream *s;
	int ret;

	if (cpu < 0)
		return 0;
	if (cpu != EV_CPU_USER && cpu >= r->facts.cpus)
		return reader_fail(err, -EBADMSG, "%s/%s is of a CPU that the metadata lacks",
				   r->path, name);

	s = add_stream(r, cpu);
	ret = s ? in_open(s, r->dirfd) : -ENOMEM;
	if (ret == -EBADMSG)
		return reader_fail(err, ret, "%s/%s is not a file", r->path, name);
	if (ret == -EMFILE)
		return reader_fail(err, ret, "cannot open %s/%s: raise ulimit -n", r->path, name);
	if (ret)
		return reader_fail(err, ret, "cannot open %s/%s: %s", r->path, name,
				   strerror(-ret));
	return 0;
}

static int open_streams(struct trace_reader *r, struct trace_error *err)
{
	int fd = openat(r->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int ret = 0;

	if (!dir) {
		ret = reader_fail(err, -errno, "cannot list %s: %s", r->path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return ret;
	}

	while (!ret && (e = readdir(dir)))
		ret = open_stream(r, e->d_name, err);
	closedir(dir);
	return ret;
}

/*
 * The end of the user's stream is written after all others. Without it the recorder
 * was killed (or the disk was full), and the streams stop at different times: up to
 * the horizon all is there, behind it nothing is known of CPUs that are silent.
 */
static uint64_t judge_end(struct trace_reader *r, bool *vouched)
{
	uint64_t horizon_ns = 0, h;
	bool ended;
	size_t i;

	*vouched = false;
	r->complete = true;
	for (i = 0; i < r->count; i++) {
		h = in_peek(r->streams[i], &ended);
		if (h > horizon_ns)
			horizon_ns = h;
		if (!ended)
			r->complete = false;
		else if (r->streams[i]->cpu == EV_CPU_USER)
			*vouched = true;
	}
	r->complete &= *vouched;
	return *vouched ? 0 : horizon_ns;
}

/* A stream without file for each CPU that has none. */
static int add_silent(struct trace_reader *r)
{
	size_t files = r->count, i;
	uint8_t *have;
	int ret = 0;

	have = calloc(TRACE_CPUS_MAX + 1, 1);
	if (!have)
		return -ENOMEM;

	for (i = 0; i < files; i++)
		have[r->streams[i]->cpu] = 1;
	for (i = 0; i < r->facts.cpus && !ret; i++) {
		if (!have[i] && !add_stream(r, i))
			ret = -ENOMEM;
	}
	if (!ret && !have[EV_CPU_USER] && !add_stream(r, EV_CPU_USER))
		ret = -ENOMEM;
	free(have);
	return ret;
}

static int prepare(struct trace_reader *r, struct trace_error *err)
{
	uint64_t horizon_ns;
	bool vouched;
	size_t i;

	horizon_ns = judge_end(r, &vouched);
	if (!vouched && add_silent(r))
		return reader_fail(err, -ENOMEM, "no memory");

	r->heap = calloc(r->count + 1, sizeof(*r->heap));
	if (!r->heap)
		return reader_fail(err, -ENOMEM, "no memory");

	for (i = 0; i < r->count; i++)
		r->streams[i]->horizon_ns = horizon_ns;
	return 0;
}

int trace_open(const char *path, struct trace_reader **out, struct trace_error *err)
{
	struct trace_reader *r;
	int ret;

	r = calloc(1, sizeof(*r));
	if (!r)
		return reader_fail(err, -ENOMEM, "no memory");

	r->dirfd = -1;
	r->path = strdup(path);
	ret = r->path ? open_dir(r, err) : reader_fail(err, -ENOMEM, "no memory");
	if (!ret)
		ret = load_metadata(r, err);
	if (!ret)
		ret = open_streams(r, err);
	if (!ret)
		ret = prepare(r, err);
	if (ret) {
		trace_free(r);
		return ret;
	}

	*out = r;
	return 0;
}

void trace_free(struct trace_reader *r)
{
	size_t i;

	if (!r)
		return;

	for (i = 0; i < r->count; i++) {
		in_free(r->streams[i]);
		free(r->streams[i]);
	}
	free(r->streams);
	free(r->heap);
	trace_facts_free(&r->facts);
	if (r->dirfd >= 0)
		close(r->dirfd);
	free(r->path);
	free(r);
}
