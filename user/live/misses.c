// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "live/misses.h"

#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

uint64_t misses_of(const struct bpf_program *prog)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	if (!prog || bpf_program__fd(prog) < 0 ||
	    bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
		return 0;
	return info.recursion_misses;
}

uint64_t misses_sum(const struct loader *ld)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < HOOK_COUNT; i++) {
		if (hook_only_adds(i))
			continue;
		sum += ld->hooks[i].exit_missed;
		if (!hook_table[i].exit)
			sum += ld->hooks[i].entry_missed;
	}
	return sum;
}

void misses_forget(struct loader *ld)
{
	unsigned int id;

	for (id = 0; id < HOOK_COUNT; id++) {
		struct hook_run *run = &ld->hooks[id];

		run->entry_missed = misses_of(run->entry);
		run->exit_missed = misses_of(run->exit);
	}
}

#define GAP_RECORDS 4		/* the reader stretches a gap over three records within 10 ms */
#define GAP_US 11000

/* Offline CPUs cannot write, and have nothing to say. */
void gaps_end(struct loader *ld)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .flags = BPF_F_TEST_RUN_ON_CPU);
	int i;

	if (!ld->cpu_mark)
		return;
	for (opts.cpu = 0; opts.cpu < ld->cpus; opts.cpu++)
		for (i = 0; i < GAP_RECORDS; i++)
			bpf_prog_test_run_opts(bpf_program__fd(ld->cpu_mark), &opts);
	usleep(GAP_US);
}
