// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The BPF object files, embedded by bpftool's skeletons; only their bytes are used. */
#include "live/loader.h"

#include "core.skel.h"
#include "dma.skel.h"
#include "flush.skel.h"
#include "intent.skel.h"
#include "state.skel.h"
#include "vfio.skel.h"

const void *room_bytes(enum room room, size_t *len)
{
	switch (room) {
	case ROOM_CORE:
		return core_bpf__elf_bytes(len);
	case ROOM_STATE:
		return state_bpf__elf_bytes(len);
	case ROOM_FLUSH:
		return flush_bpf__elf_bytes(len);
	case ROOM_DMA:
		return dma_bpf__elf_bytes(len);
	case ROOM_INTENT:
		return intent_bpf__elf_bytes(len);
	case ROOM_VFIO:
		return vfio_bpf__elf_bytes(len);
	default:
		return NULL;
	}
}
