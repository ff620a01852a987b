/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Words for numbers of the records; needs no model, so that every command can use them. */
#ifndef IOMMUSCOPE_WORDS_H
#define IOMMUSCOPE_WORDS_H

#include <stdint.h>

/** word_domain_type() - Name of an iommu_domain.type, as sysfs spells a group's type. */
const char *word_domain_type(uint32_t type);

const char *word_driver_kind(uint32_t kind);
const char *word_hook_state(uint32_t state);

/** word_event() - Name of an enum ev_type. */
const char *word_event(unsigned int type);

#endif
