/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What oracle.bpf.c and oracle.c share. Nothing of bpf/ on purpose: it is a second witness. */
#ifndef IOMMUSCOPE_ORACLE_H
#define IOMMUSCOPE_ORACLE_H

/* One distinct event; its arguments are the tracepoint's, in its order. */
struct oracle_key {
	unsigned long long args[3];	/* map: iova, paddr, size; unmap: iova, size, done */
};

#endif
