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
BPFTOOL ?= $(or $(shell command -v bpftool),/usr/sbin/bpftool)
PKG_CONFIG ?= pkg-config

, := ,
Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-7s %s\n' $(1) $(2))

VERSION := 0.1
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef \
	$(if $(WERROR)$(CI),-Werror)
SAN := $(if $(SANITIZE),-fsanitize=address$(,)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
# The engine is many small functions in many files. Tests link the same objects without it.
# Only where the compiler is gcc and knows how (gcc 10; clang's would want another linker). LTO= turns it off.
LTO := $(if $(SANITIZE),,$(if $(findstring gcc,$(CC)),$(shell $(CC) -Werror -flto=auto -ffat-lto-objects \
	-x c -c /dev/null -o /dev/null 2>/dev/null && echo -flto=auto)))
ALL_CFLAGS = -std=gnu11 $(WARN) $(CFLAGS) $(SAN) $(if $(LTO),$(LTO) -ffat-lto-objects) -D_GNU_SOURCE -DVERSION='"$(VERSION)"' \
	-I. -Iuser -Ibpf -I$(O)/bpf -MMD -MP
LIBS = -lbpf -lelf -lz -lJudy -lpthread

BPF_OBJ := $(O)/bpf/iommuscope.bpf.o
SKEL := $(O)/bpf/iommuscope.skel.h

CORE_SRCS := $(sort $(wildcard user/core/*.c))
TRACE_SRCS := $(sort $(wildcard user/trace/*.c))
OUT_SRCS := $(sort $(wildcard user/out/*.c))
LIVE_SRCS := $(sort $(wildcard user/live/*.c))
CMD_SRCS := $(sort $(wildcard user/cmd/*.c)) user/main.c
SRCS := $(CORE_SRCS) $(TRACE_SRCS) $(OUT_SRCS) $(LIVE_SRCS) $(CMD_SRCS)
OBJS := $(SRCS:%.c=$(O)/%.o)

.PHONY: all
all: $(O)/iommuscope

# Tools and libraries come first, once; apt is asked only for what is missing.
$(O)/deps.stamp: scripts/deps
	$(Q)scripts/deps build
	$(Q)mkdir -p $(@D) && touch $@

$(O)/deps-test.stamp: scripts/deps
	$(Q)scripts/deps
	$(Q)mkdir -p $(@D) && touch $@

$(O)/iommuscope: $(OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LTO) $(SAN) $(LDFLAGS) -o $@ $(OBJS) $(LIBS)

$(O)/%.o: %.c $(O)/flags.stamp | $(O)/deps.stamp
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(O)/user/live/load.o: $(SKEL)
$(O)/user/live/symbols.o: $(O)/bpf/symbols.skel.h
$(O)/user/live/peek.o: $(O)/bpf/peek.skel.h

$(O)/bpf/%.bpf.o: bpf/%.bpf.c $(O)/flags.stamp | $(O)/deps.stamp
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -target bpf -D__TARGET_ARCH_x86 -D__bpf__ -g -O2 -mcpu=v3 -Wall -Wextra \
		-Wno-unused-parameter -Wno-missing-declarations $(if $(WERROR)$(CI),-Werror) \
		-Ibpf -MMD -MP -c -o $@ $<

$(O)/bpf/%.skel.h: $(O)/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name programs > $@.tmp && mv $@.tmp $@

# Another compiler or other flags rebuild everything.
FLAGS := $(CC) $(CLANG) $(CFLAGS) $(LTO) $(SAN) $(WARN) $(VERSION)
$(O)/flags.stamp: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' > $@
FORCE:

-include $(OBJS:.o=.d) $(BPF_OBJ:.o=.d) $(O)/bpf/symbols.bpf.d $(O)/bpf/peek.bpf.d

# ---- tests ----

# Unit tests: one cmocka program per file, with everything that needs no rights.
TEST_SRCS := $(sort $(wildcard selftests/core/test_*.c selftests/trace/test_*.c \
	selftests/live/test_*.c))
TEST_HELPERS := $(sort $(filter-out $(wildcard selftests/*/test_*.c selftests/*/bench*.c), \
	$(wildcard selftests/core/*.c selftests/trace/*.c)))
PURE_SRCS := $(CORE_SRCS) $(TRACE_SRCS) $(OUT_SRCS)
UNIT_TESTS := $(TEST_SRCS:%.c=$(O)/%)
UNIT_OBJS := $(PURE_SRCS:%.c=$(O)/%.o)

.PHONY: unit-tests
unit-tests: $(UNIT_TESTS)

helpers_of = $(patsubst %.c,$(O)/%.o,$(filter selftests/$(1)/%,$(TEST_HELPERS)))

$(O)/selftests/core/test_%: $(O)/selftests/core/test_%.o $(UNIT_OBJS) $(call helpers_of,core)
	$(call say,LD,$@)
	$(Q)$(CC) $(if $(LTO),-fno-lto) $(SAN) $(LDFLAGS) -o $@ $^ -lJudy -lcmocka

$(O)/selftests/trace/test_%: $(O)/selftests/trace/test_%.o $(UNIT_OBJS) $(call helpers_of,trace)
	$(call say,LD,$@)
	$(Q)$(CC) $(if $(LTO),-fno-lto) $(SAN) $(LDFLAGS) -o $@ $^ -lJudy -lcmocka

# What of user/live needs no kernel, each with the one file that it tests.
$(O)/selftests/live/test_%: $(O)/selftests/live/test_%.o $(O)/user/live/%.o
	$(call say,LD,$@)
	$(Q)$(CC) $(if $(LTO),-fno-lto) $(SAN) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

.SECONDARY: $(TEST_SRCS:%.c=$(O)/%.o) $(TEST_HELPERS:%.c=$(O)/%.o)

# The module's page tables, built for a process: selftests/kernel/shim is their kernel.
TABLE_TESTS := $(patsubst %.c,$(O)/%,$(sort $(wildcard selftests/kernel/test_*.c)))
TABLE_SRCS := $(sort $(wildcard kernel/table*.c)) selftests/kernel/table_test.c
TABLE_HDRS := $(wildcard kernel/*.h selftests/kernel/*.h selftests/kernel/shim/*.h \
	selftests/kernel/shim/*/*.h)

unit-tests: $(TABLE_TESTS)

$(TABLE_TESTS): $(O)/%: %.c $(TABLE_SRCS) $(TABLE_HDRS) $(O)/flags.stamp | $(O)/deps-test.stamp
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(WARN) -Wno-unused-parameter $(CFLAGS) $(SAN) -D_GNU_SOURCE \
		-I. -Iselftests/kernel/shim -o $@ $< $(TABLE_SRCS) -lcmocka -lpthread
-include $(TEST_SRCS:%.c=$(O)/%.d) $(TEST_HELPERS:%.c=$(O)/%.d)

# Fuzzers: clang's libFuzzer over the pure rooms.
FUZZERS := $(patsubst selftests/fuzz/%.c,$(O)/fuzz/%,$(sort $(wildcard selftests/fuzz/fuzz_*.c)))

.PHONY: fuzzers
fuzzers: $(FUZZERS)

$(O)/fuzz/%: selftests/fuzz/%.c $(CORE_SRCS) $(TRACE_SRCS) | $(O)/deps-test.stamp
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -std=gnu11 -g -O1 -D_GNU_SOURCE -I. -Iuser -Ibpf \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
		-o $@ $< $(CORE_SRCS) $(TRACE_SRCS) -lJudy

.PHONY: test-programs
test-programs: all $(O)/deps-test.stamp fuzzers
	$(Q)$(MAKE) --no-print-directory O=$(O)/asan SANITIZE=1 unit-tests
	$(Q)$(MAKE) --no-print-directory -C selftests/vm O=$(abspath $(O))/selftests/vm all
	$(Q)$(MAKE) --no-print-directory -C selftests/vm O=$(abspath $(O))/selftests/vm \
		edu_dma iommu_call table_edit vtd_edit
	$(Q)$(MAKE) --no-print-directory module module-tests

.PHONY: test test-all
test: test-programs
	$(Q)scripts/test
test-all: test-programs
	$(Q)$(MAKE) --no-print-directory -C selftests/vm O=$(abspath $(O))/selftests/vm \
		edu_dma table_edit KERNEL=6.1
	$(Q)$(MAKE) --no-print-directory -C selftests/vm O=$(abspath $(O))/selftests/vm \
		edu_dma iommu_call table_edit KERNEL=7.2
	$(Q)$(MAKE) --no-print-directory -C selftests/vm O=$(abspath $(O))/selftests/vm \
		table_edit KERNEL=own-bugs
	$(Q)$(MAKE) --no-print-directory module KERNEL=7.2
	$(Q)$(MAKE) --no-print-directory module KERNEL=own
	$(Q)$(MAKE) --no-print-directory module KERNEL=own-bugs
	$(Q)scripts/test --all

# ---- refiommu.ko, for one kernel of scripts/kernels, and its kselftests ----

KERNEL ?= 6.12

.PHONY: module module-tests
module: $(O)/deps-test.stamp
	$(call say,KBUILD,refiommu.ko for $(KERNEL))
	$(Q)$(MAKE) --no-print-directory -C kernel O=$(abspath $(O))/kernel KERNEL=$(KERNEL)

module-tests: $(O)/deps-test.stamp
	$(Q)$(MAKE) --no-print-directory -C selftests O=$(abspath $(O)) all

.SECONDARY: $(BPF_OBJ) $(O)/bpf/symbols.bpf.o $(O)/bpf/peek.bpf.o

.PHONY: demo
demo: all $(O)/deps-test.stamp
	$(Q)scripts/demo

# Which planted bug gives which finding, as a table.
.PHONY: matrix
matrix: all $(O)/deps-test.stamp module module-tests
	$(Q)$(MAKE) --no-print-directory -C selftests/vm O=$(abspath $(O))/selftests/vm all
	$(Q)scripts/matrix $(KERNEL)

# Benchmarks print tables and judge nothing.
BENCHES := $(O)/bench/engine $(O)/bench/hostile $(O)/bench/trace $(O)/bench/walk $(O)/bench/verify

$(O)/bench/engine: selftests/core/bench_engine.c $(CORE_SRCS)
$(O)/bench/hostile: selftests/core/bench_hostile.c $(CORE_SRCS)
$(O)/bench/walk: selftests/core/bench_walk.c $(CORE_SRCS)
$(O)/bench/trace: selftests/trace/bench.c selftests/trace/util.c $(TRACE_SRCS) user/core/schema.c
$(O)/bench/verify: selftests/live/bench_verify.c $(CORE_SRCS:%.c=$(O)/%.o) $(TRACE_SRCS:%.c=$(O)/%.o) \
	$(LIVE_SRCS:%.c=$(O)/%.o)
$(BENCHES): | $(O)/deps-test.stamp
	$(call say,BENCH,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 $(LTO) -D_GNU_SOURCE -I. -Iuser -Ibpf -o $@ $^ -lcmocka $(LIBS)

.PHONY: bench
bench: all $(BENCHES)
	$(Q)scripts/bench

# ---- install ----

MANUALS := $(sort $(wildcard docs/*.scd))

.PHONY: man install uninstall
man: $(MANUALS:docs/%.scd=$(O)/man/%)
$(O)/man/%: docs/%.scd | $(O)/deps.stamp
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)scdoc < $< > $@

install: all man
	install -D -m 755 $(O)/iommuscope $(DESTDIR)$(PREFIX)/bin/iommuscope
	for page in $(MANUALS:docs/%.scd=%); do \
		install -D -m 644 $(O)/man/$$page \
			$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$$page || exit 1; \
	done

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/iommuscope
	for page in $(MANUALS:docs/%.scd=%); do \
		rm -f $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$$page; \
	done

.PHONY: help
help:
	@echo 'make            build $(O)/iommuscope'
	@echo 'make demo       a tour in an emulated machine, about a minute'
	@echo 'make test       all layers of tests, about 25 minutes'
	@echo 'make test-all   every kernel and IOMMU'
	@echo 'make matrix     which planted bug gives which finding, as a table (KERNEL=6.12 or 7.2)'
	@echo 'make bench      what watching costs, in guest instructions'
	@echo 'make module     refiommu.ko for KERNEL=6.12, 7.2 or own; module-tests: its kselftests'
	@echo 'make install    and uninstall: PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)'
	@echo 'make man        the manual pages'
	@echo 'make clean      remove what was built (not the fetched kernels)'
	@echo
	@echo 'O=DIR V=1 SANITIZE=1 WERROR=1'

.PHONY: clean
clean:
	$(Q)rm -rf $(O)/user $(O)/bpf $(O)/selftests $(O)/asan $(O)/fuzz $(O)/man $(O)/iommuscope \
		$(O)/*.stamp
