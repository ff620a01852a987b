// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Making the trace directory: everything that happens once, before the first record.
 * The metadata appears whole, by rename, and before any stream file.
 */
#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/writer.h"

#define TEMP	".metadata"

static void random_uuid(uint8_t u[16])
{
	if (getrandom(u, 16, 0) != 16)
		memset(u, 0, 16);
	u[6] = (u[6] & 0x0f) | 0x40;
	u[8] = (u[8] & 0x3f) | 0x80;
}

/* Traces of one boot share their clock, and say so by the boot id. */
static void clock_uuid(char text[37])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, 36);

	if (fd >= 0)
		close(fd);
	if (n != 36)
		strcpy(text, "00000000-0000-4000-8000-000000000000");
	text[36] = '\0';
}

static int is_empty(int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int n = 0;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while ((e = readdir(dir)))
		n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
	closedir(dir);
	return !n;
}

/* Make or adopt @path. */
static int open_dir(const char *path, bool *made)
{
	int fd;

	*made = !mkdir(path, 0700);
	if (!*made && errno != EEXIST)
		return -errno;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOTDIR || errno == ELOOP ? -EEXIST : -errno;
	if (!*made && !is_empty(fd)) {
		close(fd);
		return -EEXIST;
	}
	(void)!fchmod(fd, 0700);
	return fd;
}

static int write_text(int fd, const char *text)
{
	size_t left = strlen(text);
	ssize_t n;

	for (; left; left -= n, text += n) {
		n = write(fd, text, left);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return n ? -errno : -EIO;
	}
	return 0;
}

static int put_metadata(int dirfd, const char *text)
{
	int fd, err;

	fd = openat(dirfd, TEMP, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;

	(void)!fchmod(fd, 0600);
	err = write_text(fd, text);
	if (close(fd) && !err)
		err = -errno;
	if (!err && renameat(dirfd, TEMP, dirfd, "metadata"))
		err = -errno;
	if (err)
		unlinkat(dirfd, TEMP, 0);
	return err;
}

static int write_metadata(struct trace_writer *w, const struct trace_env *env)
{
	struct trace_identity id;
	char *text;
	int err;

	memcpy(id.uuid, w->uuid, sizeof(id.uuid));
	clock_uuid(id.clock_uuid);
	text = trace_metadata_text(env, &id);
	if (!text)
		return -ENOMEM;

	err = put_metadata(w->dirfd, text);
	free(text);
	return err;
}

static struct trace_writer *new_writer(unsigned int cpus)
{
	struct trace_writer *w;

	w = calloc(1, sizeof(*w) + (cpus + 1) * sizeof(w->streams[0]));
	if (!w)
		return NULL;

	w->cpus = cpus;
	w->batch.buf = malloc(OUT_PACKETS * (size_t)TRACE_PACKET_BYTES);
	if (!w->batch.buf) {
		free(w);
		return NULL;
	}
	random_uuid(w->uuid);
	return w;
}

static void init_streams(struct trace_writer *w)
{
	struct writer_stream *s;
	unsigned int i;

	for (i = 0; i <= w->cpus; i++) {
		s = &w->streams[i];
		s->drain_at = WRITER_DRAIN_BYTES;
		s->out.fd = -1;
		s->out.dirfd = w->dirfd;
		s->out.cpu = i < w->cpus ? i : EV_CPU_USER;
		memcpy(s->out.uuid, w->uuid, sizeof(w->uuid));
	}
}

int trace_create(const char *path, const struct trace_env *env, struct trace_writer **out)
{
	struct trace_writer *w;
	bool made;
	int err;

	if (!env->cpus || env->cpus > TRACE_CPUS_MAX)
		return -EINVAL;

	w = new_writer(env->cpus);
	if (!w)
		return -ENOMEM;

	w->dirfd = open_dir(path, &made);
	if (w->dirfd < 0) {
		err = w->dirfd;
		goto err_free;
	}
	err = write_metadata(w, env);
	if (err)
		goto err_dir;

	init_streams(w);
	*out = w;
	return 0;

err_dir:
	close(w->dirfd);
	if (made)
		rmdir(path);
err_free:
	free(w->batch.buf);
	free(w);
	return err;
}
