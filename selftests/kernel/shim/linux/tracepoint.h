/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef SHIM_TRACEPOINT_H
#define SHIM_TRACEPOINT_H

/* Trace events are calls that do nothing; nobody's table is traced. */
#define TP_PROTO(...) __VA_ARGS__
#define TRACE_EVENT(name, proto, ...) static inline void trace_##name(proto) { }

#endif
