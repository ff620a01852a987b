// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * One object from all rooms, opened by several threads for a part of the programs each
 * (user/live/load.c).
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
