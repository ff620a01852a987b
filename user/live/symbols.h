/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef IOMMUSCOPE_SYMBOLS_H
#define IOMMUSCOPE_SYMBOLS_H

#include <linux/types.h>

#include "shared.h"

/**
 * symbols_find() - Put the kernel's symbols that programs need into @config
 *
 * Return: 0, -ESRCH (live_missing_symbol() says what is wrong), or -errno.
 */
int symbols_find(struct bpf_config *config);

#endif
