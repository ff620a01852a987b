/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What every object begins with: the kernel's types, BPF's helpers, and what the loader wrote. */
#ifndef IOMMUSCOPE_CONFIG_BPF_H
#define IOMMUSCOPE_CONFIG_BPF_H

#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "shared.h"

/* The only initialised data of each object: the loader writes it before load. */
const volatile struct bpf_config config SEC(".rodata.config") = {};

#endif
