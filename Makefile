# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# make            build
# make help       the rest
#
# O=DIR build folder, V=1 show commands, SANITIZE=1 with ASan and UBSan, WERROR=1,
# PREFIX, DESTDIR for make install.

O ?= build
PREFIX ?= /usr/local
CC = gcc
CLANG ?= clang
BPFTOOL ?= bpftool
PKG_CONFIG ?= pkg-config

Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-7s %s\n' $(1) $(2))

VERSION := 0.1
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef \
	$(if $(WERROR)$(CI),-Werror)
SAN := $(if $(SANITIZE),-fsanitize=address$(,)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
, := ,
ALL_CFLAGS = -std=gnu11 $(WARN) $(CFLAGS) $(SAN) -D_GNU_SOURCE -DVERSION='"$(VERSION)"' \
	-I. -Iuser -Ibpf -I$(O)/bpf -MMD -MP
LIBS = -lbpf -lelf -lz -lJudy

BPF_ROOMS := core dma flush intent state vfio
BPF_OBJS := $(BPF_ROOMS:%=$(O)/bpf/%.bpf.o)
SKELS := $(BPF_ROOMS:%=$(O)/bpf/%.skel.h)

CORE_SRCS := $(sort $(wildcard user/core/*.c))
TRACE_SRCS := $(sort $(wildcard user/trace/*.c))
OUT_SRCS := $(sort $(wildcard user/out/*.c))
LIVE_SRCS := $(sort $(wildcard user/live/*.c))
CMD_SRCS := $(sort $(wildcard user/cmd/*.c)) user/main.c
SRCS := $(CORE_SRCS) $(TRACE_SRCS) $(OUT_SRCS) $(LIVE_SRCS) $(CMD_SRCS)
OBJS := $(SRCS:%.c=$(O)/%.o)

.PHONY: all
all: $(O)/iommuscope

.SECONDARY: $(BPF_OBJS)

.PHONY: deps
deps:
	$(Q)scripts/deps

# Tools and libraries come first, once; apt is asked only for what is missing.
$(O)/deps.stamp: scripts/deps
	$(Q)scripts/deps
	$(Q)mkdir -p $(@D) && touch $@

$(O)/iommuscope: $(OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(SAN) $(LDFLAGS) -o $@ $(OBJS) $(LIBS)

$(O)/%.o: %.c $(O)/flags.stamp | $(O)/deps.stamp
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(O)/user/live/rooms.o: $(SKELS)

$(O)/bpf/%.bpf.o: bpf/%.bpf.c $(O)/flags.stamp | $(O)/deps.stamp
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -target bpf -D__TARGET_ARCH_x86 -D__bpf__ -g -O2 -mcpu=v3 -Wall -Wextra \
		-Wno-unused-parameter -Wno-missing-declarations $(if $(WERROR)$(CI),-Werror) \
		-Ibpf -MMD -MP -c -o $@ $<

$(O)/bpf/%.skel.h: $(O)/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@.tmp && mv $@.tmp $@

# Another compiler or other flags rebuild everything.
FLAGS := $(CC) $(CLANG) $(CFLAGS) $(SAN) $(WARN) $(VERSION)
$(O)/flags.stamp: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' > $@
FORCE:

-include $(OBJS:.o=.d) $(BPF_OBJS:.o=.d)

.PHONY: clean
clean:
	$(Q)rm -rf $(O)/user $(O)/bpf $(O)/selftests $(O)/iommuscope $(O)/flags.stamp $(O)/deps.stamp
