// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * oracle -o FILE -- CMD: runs CMD and writes how often each iommu:map and
 * iommu:unmap was heard meanwhile, one line each: kind, the tracepoint's three
 * arguments, count. The last line, "lost", is what this program missed itself.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "oracle.h"
#include "oracle.skel.h"

static int die(const char *what, int err)
{
	fprintf(stderr, "oracle: %s: %s\n", what, strerror(err < 0 ? -err : err));
	exit(125);
}

static int run(char **argv)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("fork", errno);
	if (!pid) {
		execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0)
		die("waitpid", errno);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void dump(FILE *out, const char *kind, const struct bpf_map *table)
{
	struct oracle_key key, *previous = NULL;
	uint64_t count;
	int fd = bpf_map__fd(table);

	while (!bpf_map_get_next_key(fd, previous, &key)) {
		if (bpf_map_lookup_elem(fd, &key, &count))
			die("lookup", errno);
		fprintf(out, "%s\t0x%llx\t0x%llx\t0x%llx\t%" PRIu64 "\n", kind,
			key.args[0], key.args[1], key.args[2], count);
		previous = &key;
	}
}

/* Calls of a program that an interrupt made while the program was running. */
static uint64_t misses(const struct bpf_program *prog)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
		die("program info", errno);
	return info.recursion_misses;
}

static void write_table(const char *path, const struct oracle_bpf *skel)
{
	FILE *out = fopen(path, "w");

	if (!out)
		die(path, errno);
	dump(out, "map", skel->maps.maps);
	dump(out, "unmap", skel->maps.unmaps);
	fprintf(out, "lost\t0x%" PRIx64 "\n", (uint64_t)skel->bss->failed +
		misses(skel->progs.oracle_map) + misses(skel->progs.oracle_unmap));
	if (fclose(out))
		die(path, errno);
}

int main(int argc, char **argv)
{
	struct oracle_bpf *skel;
	int status;

	if (argc < 5 || strcmp(argv[1], "-o") || strcmp(argv[3], "--")) {
		fprintf(stderr, "usage: oracle -o FILE -- CMD [ARG...]\n");
		return 125;
	}
	skel = oracle_bpf__open_and_load();
	if (!skel)
		die("load", errno);
	errno = -oracle_bpf__attach(skel);
	if (errno)
		die("attach", errno);

	status = run(argv + 4);
	oracle_bpf__detach(skel);
	write_table(argv[2], skel);
	oracle_bpf__destroy(skel);
	return status;
}
