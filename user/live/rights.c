// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* What can be asked before anything is loaded, to answer in words. */
#include <errno.h>
#include <glob.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "live/live.h"

/* A program that reads kernel memory, as ours do: lockdown forbids that apart. */
static bool can_load(void)
{
	const struct bpf_insn prog[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_1, .imm = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_read_kernel },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL, "GPL", prog, 7, NULL);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* All symbols of value 0: kptr_restrict hides them. Per-CPU ones come first and may be 0. */
static bool symbols_hidden(void)
{
	unsigned long long addr = 0;
	FILE *f = fopen("/proc/kallsyms", "re");

	if (!f)
		return true;
	while (!addr && fscanf(f, "%llx%*[^\n]", &addr) == 1)
		;
	fclose(f);
	return !addr;
}

static bool symbol_exists(const char *name)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	bool found = false;
	char symbol[64];

	while (f && !found && fscanf(f, "%*x %*c %63s%*[^\n]", symbol) == 1)
		found = !strcmp(symbol, name);
	if (f)
		fclose(f);
	return found;
}

void live_missing_symbol(char *text, size_t len)
{
	if (symbol_exists("vmemmap_base") && !symbol_exists("vmemmap_populate"))
		snprintf(text, len,
			 "this kernel does not keep its page structures in one array, and addresses of pages cannot be told: it must be built with CONFIG_SPARSEMEM_VMEMMAP=y");
	else
		snprintf(text, len,
			 "this kernel's symbol table has no data symbols (iommu_group_kset, vmemmap_base): it must be built with CONFIG_KALLSYMS_ALL=y");
}

void live_cannot_load(const char *what, int err, char *text, size_t len)
{
	if (err == -EMFILE)
		snprintf(text, len,
			 "cannot load %s: each is an open file, and this process may not open that many: raise the limit (ulimit -n 1024)",
			 what);
	else
		snprintf(text, len, "cannot load %s: %s (-v tells more)", what, strerror(-err));
}

int live_check(char *text, size_t len)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		snprintf(text, len,
			 "this kernel has no BTF (/sys/kernel/btf/vmlinux): it must be built with CONFIG_DEBUG_INFO_BTF=y");
		return -ENOENT;
	}
	if (!can_load()) {
		int err = errno;

		snprintf(text, len,
			 "may not load BPF programs that read kernel memory (%s): run as root; kernel lockdown=confidentiality forbids it altogether (cat /sys/kernel/security/lockdown)",
			 strerror(err));
		return -EPERM;
	}
	if (symbols_hidden()) {
		snprintf(text, len,
			 "kernel symbol addresses are hidden: needs CAP_SYSLOG, and kernel.kptr_restrict below 2 (sysctl kernel.kptr_restrict=1)");
		return -EPERM;
	}
	return 0;
}

bool live_has_device(const char *name)
{
	char pattern[256];
	glob_t found;
	bool yes;

	if (strpbrk(name, "*?[]/\\"))
		return false;
	snprintf(pattern, sizeof(pattern), "/sys/kernel/iommu_groups/*/devices/%s", name);
	yes = !glob(pattern, 0, NULL, &found);
	globfree(&found);
	return yes;
}
