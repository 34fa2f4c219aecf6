# indexfs: make help

CC ?= gcc
PKG_CONFIG ?= pkg-config
PREFIX ?= /usr/local
SBINDIR ?= /sbin
BUILD ?= build
V ?= 0
Q := $(if $(filter 1,$(V)),,@)

VERSION := 0.1.0
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
IX_CPPFLAGS := -Iinclude -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DINDEXFS_VERSION='"$(VERSION)"'
IX_CFLAGS := -std=gnu11 $(WARNINGS) -pthread -fno-common -fstack-protector-strong -fPIE
IX_LDFLAGS := -pthread -pie -Wl,-z,relro,-z,now
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

ifeq ($(SAN),1)
  BUILD := build/asan
  CFLAGS := -O1 -g $(SANITIZE)
  IX_LDFLAGS += $(SANITIZE)
endif
ifeq ($(CRASH),1)
  BUILD := build/crash
  IX_CPPFLAGS += -DCRASH_POINTS
  CRASH_SRC := tests/crash/crash_point.c
endif

# Each third-party library is used by one folder; scripts/lint checks it.
MODEL_LIBS := $(shell $(PKG_CONFIG) --libs libcjson libcrypto)
COMPRESS_LIBS := $(shell $(PKG_CONFIG) --libs zlib libzstd)
HTTP_LIBS := $(shell $(PKG_CONFIG) --libs libcurl)
FUSE_API := $(shell $(PKG_CONFIG) --atleast-version=3.12 fuse3 && echo 312 || echo 35)
FUSE_CFLAGS := $(shell $(PKG_CONFIG) --cflags fuse3) -DFUSE_USE_VERSION=$(FUSE_API)
FUSE_LIBS := $(shell $(PKG_CONFIG) --libs fuse3)
CHECK_LIBS = $(shell $(PKG_CONFIG) --libs check)
FIXTURE_LIBS = $(shell $(PKG_CONFIG) --libs libmicrohttpd)

MODEL_SRC := $(wildcard registry/base/*.c registry/model/*.c) $(CRASH_SRC)
COMPRESS_SRC := $(wildcard registry/compress/*.c)
REGISTRY_SRC := $(wildcard registry/*.c registry/http/*.c registry/remote/*.c registry/layout/*.c)
FS_SRC := $(filter-out fs/main.c,$(wildcard fs/*.c fs/*/*.c))
MAIN_SRC := fs/main.c
UNIT_SRC := $(wildcard tests/unit/*.c)
FIXTURE_SRC := $(wildcard tests/fixture/*.c)
REGISTRYD_SRC := $(wildcard tests/fixture/registryd/*.c)
FUZZ_SRC := $(wildcard tests/fuzz/*.c)
# Of fs/, what takes bytes and needs neither the tree nor a library.
FUZZ_FS_SRC := fs/cmd/mounts.c fs/mount/option_value.c fs/mount/options.c fs/work/journal.c

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(filter tests/unit/test_%.c,$(UNIT_SRC)))
UNIT_COMMON := $(filter-out tests/unit/test_%.c tests/unit/fs_%.c,$(UNIT_SRC))
UNIT_FS_COMMON := $(filter tests/unit/fs_%.c,$(UNIT_SRC))
FUZZERS := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(FUZZ_SRC))
FIXTURES := $(BUILD)/tests/fixture/registryd $(patsubst tests/fixture/%.c,$(BUILD)/tests/fixture/%,$(FIXTURE_SRC))

.PHONY: all
all: $(BUILD)/indexfs ## build build/indexfs

.PHONY: help
help: ## show this list
	@echo "targets:"
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1|\2/' | \
		awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'
	@echo "variables: CC CFLAGS PREFIX DESTDIR SAN=1 (ASan and UBSan, in build/asan)"
	@echo "           CRASH=1 (places where a test kills it, in build/crash) V=1 (show commands)"

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(IX_CPPFLAGS) $(IX_CFLAGS) $(CFLAGS) $(EXTRA_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/obj/fs/mount/%.o: EXTRA_CFLAGS := $(FUSE_CFLAGS)

$(BUILD)/libmodel.a: $(call obj,$(MODEL_SRC))
$(BUILD)/libcompress.a: $(call obj,$(COMPRESS_SRC))
$(BUILD)/libregistry.a: $(call obj,$(REGISTRY_SRC))
$(BUILD)/libfs.a: $(call obj,$(FS_SRC))
# Two rules: one with two patterns would make both archives whenever one is asked for.
define archive
@echo "  AR    $@"
$(Q)rm -f $@ && $(AR) rcs $@ $^
endef
$(BUILD)/%.a:
	$(archive)
build/fuzz/%.a:
	$(archive)

$(BUILD)/indexfs: $(call obj,$(MAIN_SRC)) $(BUILD)/libfs.a $(BUILD)/libregistry.a $(BUILD)/libcompress.a $(BUILD)/libmodel.a
	@echo "  LINK  $@"
	$(Q)$(CC) $(CFLAGS) $(IX_LDFLAGS) -o $@ $^ $(FUSE_LIBS) $(HTTP_LIBS) $(COMPRESS_LIBS) $(MODEL_LIBS)

# A unit test links no more than it tests: the model neither libfuse nor libcurl.
UNIT_LINK = $(CC) $(CFLAGS) $(IX_LDFLAGS) -o $@ $(filter %.o %.a,$^)
$(BUILD)/tests/unit/test_model_%: $(BUILD)/obj/tests/unit/test_model_%.o $(call obj,$(UNIT_COMMON)) $(BUILD)/libmodel.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(UNIT_LINK) $(MODEL_LIBS) $(CHECK_LIBS)
$(BUILD)/tests/unit/test_fs_%: $(BUILD)/obj/tests/unit/test_fs_%.o $(call obj,$(UNIT_COMMON) $(UNIT_FS_COMMON)) $(BUILD)/libfs.a $(BUILD)/libregistry.a $(BUILD)/libcompress.a $(BUILD)/libmodel.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(UNIT_LINK) $(FUSE_LIBS) $(HTTP_LIBS) $(COMPRESS_LIBS) $(MODEL_LIBS) $(CHECK_LIBS)
$(BUILD)/tests/unit/test_%: $(BUILD)/obj/tests/unit/test_%.o $(call obj,$(UNIT_COMMON)) $(BUILD)/libregistry.a $(BUILD)/libcompress.a $(BUILD)/libmodel.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(UNIT_LINK) $(HTTP_LIBS) $(COMPRESS_LIBS) $(MODEL_LIBS) $(CHECK_LIBS)

.PHONY: tests
tests: $(UNIT_TESTS) $(FIXTURES) ## build the tests

$(BUILD)/tests/fixture/registryd: $(call obj,$(REGISTRYD_SRC)) $(BUILD)/libmodel.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(CFLAGS) $(IX_LDFLAGS) -o $@ $^ $(FIXTURE_LIBS) $(MODEL_LIBS)
$(BUILD)/tests/fixture/%: $(BUILD)/obj/tests/fixture/%.o
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(CFLAGS) $(IX_LDFLAGS) -o $@ $^

# Fuzzers: clang's libFuzzer over what takes bytes and gives values, with ASan and UBSan.
FUZZ_SECONDS ?= 5
FUZZ_FLAGS := -std=gnu11 -O1 -g -fno-sanitize-recover=all -pthread
build/fuzz/obj/%.o: %.c $(wildcard include/*.h registry/*/*.h)
	@mkdir -p $(@D)
	@echo "  FUZZ  $<"
	$(Q)clang $(IX_CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,address,undefined -c -o $@ $<
build/fuzz/libmodel.a: $(patsubst %.c,build/fuzz/obj/%.o,$(MODEL_SRC))
build/fuzz/libcompress.a: $(patsubst %.c,build/fuzz/obj/%.o,$(COMPRESS_SRC))
build/fuzz/libfs.a: $(patsubst %.c,build/fuzz/obj/%.o,$(FUZZ_FS_SRC))
build/fuzz/%: build/fuzz/obj/tests/fuzz/%.o build/fuzz/libfs.a build/fuzz/libcompress.a build/fuzz/libmodel.a
	@echo "  LINK  $@"
	$(Q)clang $(FUZZ_FLAGS) -fsanitize=fuzzer,address,undefined -o $@ $^ $(COMPRESS_LIBS) $(MODEL_LIBS)

.PHONY: fuzz fuzz-smoke fuzz-million
fuzz: $(FUZZERS) ## build the fuzzers
fuzz-smoke: $(FUZZERS) ## run each fuzzer for FUZZ_SECONDS
	@scripts/fuzz $(FUZZ_SECONDS) $(FUZZERS)
fuzz-million: $(FUZZERS) ## run each fuzzer a million times (half an hour and more)
	@FUZZ_RUNS=1000000 scripts/fuzz 0 $(FUZZERS)

.PHONY: check check-unit check-asan check-valgrind check-race check-fault check-crash check-model
check: all tests ## unit tests and mount tests
	@scripts/run-tests $(BUILD) unit integration
check-unit: tests ## unit tests only
	@scripts/run-tests $(BUILD) unit
check-asan: ## unit and mount tests with ASan and UBSan
	@$(MAKE) --no-print-directory SAN=1 check
check-valgrind: tests ## unit tests under valgrind
	@VALGRIND=1 scripts/run-tests $(BUILD) unit
check-race: all tests ## twenty rounds of sixteen writers of one tag
	@ROUNDS=20 tests/integration/test_racing_writers.sh
check-fault: all tests ## each kind of request with each fault
	@tests/fault/faults.py $(BUILD)
check-crash: tests ## a kill at every passing of every crash point
	@$(MAKE) --no-print-directory CRASH=1
	@tests/crash/crash.py --all $(BUILD)
check-model: all tests ## random operations on mounts and on a model of them
	@tests/model/random_ops.py $(BUILD) --seeds 30 --ops 600 --jobs 6

.PHONY: lint format
lint: ## formatting, clang-tidy, cppcheck, the direction of includes
	@scripts/lint
format: ## format the sources in place
	@clang-format -i $$(git ls-files -co --exclude-standard '*.c' '*.h')

.PHONY: install
install: all ## install into DESTDIR/PREFIX, and mount.indexfs into DESTDIR/SBINDIR
	install -D -m 755 $(BUILD)/indexfs $(DESTDIR)$(PREFIX)/bin/indexfs
	install -d $(DESTDIR)$(SBINDIR)
	ln -sf $(PREFIX)/bin/indexfs $(DESTDIR)$(SBINDIR)/mount.indexfs
	install -D -m 644 docs/indexfs.1 $(DESTDIR)$(PREFIX)/share/man/man1/indexfs.1
	install -D -m 644 docs/mount.indexfs.8 $(DESTDIR)$(PREFIX)/share/man/man8/mount.indexfs.8
	install -D -m 644 scripts/completions/indexfs.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/indexfs
	install -D -m 644 LICENSE $(DESTDIR)$(PREFIX)/share/doc/indexfs/LICENSE

.PHONY: clean
clean: ## remove what was built
	rm -rf build

.SECONDARY:
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
