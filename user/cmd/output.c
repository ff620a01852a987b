// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "cmd/output.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "cmd/cmd.h"
#include "cmd/session.h"

static int say_exists(const char *path)
{
	return say_error("%s exists already: choose another directory with -o", path);
}

const char *output_default(void)
{
	static char name[64];
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(name, sizeof(name), "iommuscope-%Y%m%d-%H%M%S", &tm);
	return name;
}

/* trace_create() takes a new or an empty directory. */
int output_check(const char *path)
{
	DIR *dir = opendir(path);
	unsigned int entries = 0;

	if (!dir)
		return errno == ENOENT ? 0 : say_error("%s: %s", path, strerror(errno));
	while (readdir(dir))
		entries++;
	closedir(dir);
	return entries <= 2 ? 0 : say_exists(path);
}

int output_create(const char *path, const struct trace_env *env, struct trace_writer **out)
{
	struct trace_env whole = *env;
	struct utsname uts;
	int err;

	uname(&uts);
	whole.version = VERSION;
	whole.kernel_release = uts.release;
	whole.hostname = uts.nodename;
	whole.cpus = live_possible_cpus();
	whole.clock_offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	err = trace_create(path, &whole, out);
	if (err == -EEXIST)
		return say_exists(path);
	return err ? say_error("%s: %s", path, strerror(-err)) : 0;
}
