/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A clock that stands still: only trace events ask. */
#ifndef SHIM_TIMEKEEPING_H
#define SHIM_TIMEKEEPING_H

static inline unsigned long long ktime_get_ns(void)
{
	return 1;
}

#endif
