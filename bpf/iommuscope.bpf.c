// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * One object from all rooms: libbpf parses the kernel's BTF and symbols once per
 * object, which under emulation takes a second each.
 */
#include "core.bpf.c"
#include "dma.bpf.c"
#include "dma_sg.bpf.c"
#include "dma_sync.bpf.c"
#include "intent.bpf.c"
#include "vfio.bpf.c"
#include "flush.bpf.c"
#include "page.bpf.c"
#include "table.bpf.c"
#include "refiommu.bpf.c"
#include "fault.bpf.c"
#include "state.bpf.c"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
