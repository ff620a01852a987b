// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * /sys/class/iommu/UNIT/devices/DEVICE (drivers/iommu/iommu-sysfs.c), and links in /proc/PID/fd:
 * /dev/vfio/GROUP, /dev/vfio/noiommu-GROUP, /dev/vfio/devices/vfioN (drivers/vfio/group.c,
 * device_cdev.c) and /dev/vfio/vfio, the container. An open group is its process's alone; who holds only
 * the descriptor of a device is not seen.
 */
#include "cmd/show_facts.h"

#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Room for one more element; NULL without memory. */
static void *grow(void *array, size_t n, size_t size)
{
	if (n & (n - 1))
		return array;
	return realloc(array, (n ? 2 * n : 1) * size);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* ---- IOMMUs ---- */

static int add_link(struct show_facts *f, const char *unit, const char *device)
{
	struct show_link *links = grow(f->links, f->nlinks, sizeof(*links));

	if (!links)
		return -ENOMEM;
	f->links = links;
	links += f->nlinks++;
	snprintf(links->unit, sizeof(links->unit), "%s", unit);
	snprintf(links->device, sizeof(links->device), "%s", device);
	return 0;
}

static int read_unit(struct show_facts *f, const char *path)
{
	char pattern[PATH_MAX];
	glob_t found;
	size_t i;
	int err = add_link(f, last_part(path), "");

	snprintf(pattern, sizeof(pattern), "%s/devices/*", path);
	if (!err && !glob(pattern, 0, NULL, &found)) {
		for (i = 0; i < found.gl_pathc && !err; i++)
			err = add_link(f, last_part(path), last_part(found.gl_pathv[i]));
		globfree(&found);
	}
	return err;
}

static int read_units(struct show_facts *f)
{
	glob_t found;
	size_t i;
	int err = 0;

	if (glob("/sys/class/iommu/*", 0, NULL, &found))
		return 0;
	for (i = 0; i < found.gl_pathc && !err; i++)
		err = read_unit(f, found.gl_pathv[i]);
	globfree(&found);
	return err;
}

/* ---- users of VFIO ---- */

/* The last part of what the symbolic link @path points to, as a number; -1 none. */
static int32_t link_number(const char *path)
{
	char to[PATH_MAX];
	ssize_t n = readlink(path, to, sizeof(to) - 1);

	if (n < 0)
		return -1;
	to[n] = 0;
	return isdigit((unsigned char)*last_part(to)) ? atoi(last_part(to)) : -1;
}

/* /dev/vfio/devices/vfioN */
static int32_t group_of_cdev(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/vfio-dev/%.64s/device/iommu_group", name);
	return link_number(path);
}

/* Does @file belong to VFIO? @group is -1 for a container. */
static bool is_vfio_file(const char *file, int32_t *group)
{
	static const char base[] = "/dev/vfio/";
	const char *name = file + sizeof(base) - 1;

	if (strncmp(file, base, sizeof(base) - 1))
		return false;
	*group = -1;
	if (!strcmp(name, "vfio"))
		return true;
	if (!strncmp(name, "devices/", 8))
		*group = group_of_cdev(name + 8);
	else if (!strncmp(name, "noiommu-", 8))
		*group = atoi(name + 8);
	else if (isdigit((unsigned char)*name))
		*group = atoi(name);
	return *group >= 0;
}

static void read_comm(uint32_t pid, char *comm, size_t len)
{
	char path[64];
	FILE *f;

	snprintf(comm, len, "?");
	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	f = fopen(path, "re");
	if (!f)
		return;
	if (!fgets(comm, len, f))
		snprintf(comm, len, "?");
	fclose(f);
	comm[strcspn(comm, "\n")] = 0;
}

static int add_user(struct show_facts *f, uint32_t pid, int32_t group)
{
	struct show_user *users;
	size_t i;

	for (i = f->nusers; i && f->users[i - 1].pid == pid; i--) {
		if (f->users[i - 1].group == group)
			return 0;
	}
	users = grow(f->users, f->nusers, sizeof(*users));
	if (!users)
		return -ENOMEM;
	f->users = users;
	users += f->nusers++;
	users->group = group;
	users->pid = pid;
	read_comm(pid, users->comm, sizeof(users->comm));
	return 0;
}

/* @path: /proc/PID/fd/N */
static int read_descriptor(struct show_facts *f, const char *path)
{
	uint32_t pid = strtoul(path + strlen("/proc/"), NULL, 10);
	char file[PATH_MAX];
	ssize_t n = readlink(path, file, sizeof(file) - 1);
	int32_t group;

	if (n < 0)
		return 0;
	file[n] = 0;
	return is_vfio_file(file, &group) ? add_user(f, pid, group) : 0;
}

static int read_users(struct show_facts *f)
{
	glob_t found;
	size_t i;
	int err = 0;

	if (access("/dev/vfio/vfio", F_OK) && access("/dev/vfio/devices", F_OK))
		return 0;
	if (glob("/proc/[0-9]*/fd/*", GLOB_NOSORT, NULL, &found))
		return 0;
	for (i = 0; i < found.gl_pathc && !err; i++)
		err = read_descriptor(f, found.gl_pathv[i]);
	globfree(&found);
	return err;
}

/* ---- the whole ---- */

int facts_read(struct show_facts *f)
{
	return read_units(f) ?: read_users(f);
}

void facts_free(struct show_facts *f)
{
	free(f->links);
	free(f->users);
}

size_t facts_groups(size_t *devices)
{
	glob_t found;
	size_t i, groups = 0;

	*devices = 0;
	if (glob("/sys/kernel/iommu_groups/*/devices/*", 0, NULL, &found))
		return 0;
	*devices = found.gl_pathc;
	for (i = 0; i < found.gl_pathc; i++) {
		const char *path = found.gl_pathv[i], *before = i ? found.gl_pathv[i - 1] : "";
		size_t len = last_part(path) - path;

		groups += strncmp(path, before, len) != 0;
	}
	globfree(&found);
	return groups;
}
