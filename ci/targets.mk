# What people and build services type. `deps` may install the compiler and pkg-config, whose answers this Makefile took while
# it was read: so whatever builds after `deps` does so in a make of its own.
UNIT := $(sort $(TESTS:%.c=$(B)/%))

deps:
	@ci/install
# Everything CI runs: builds, tidy, unit tests (plain and sanitised), end to end. Ends with the count.
test: deps
	@ci/test
demo: deps
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@ci/demo
# 20 clean seeds, 5 of each control and each planted defect.
matrix: deps
	@$(MAKE) --no-print-directory -j$$(nproc) all
	$(B)/crossfade matrix scenarios/blue_green.yaml -e REDIS_P99=250ms -e TURN_P95=5s
# Unit tests only; FLAVOUR=asan for the sanitised ones.
unit:
	@bad=0; $(MAKE) --no-print-directory --silent --keep-going unit-programs || bad=1; ci/unit $(UNIT) || bad=1; exit $$bad
# With the programs of the local stack: some tests start them.
unit-programs: all $(UNIT)
# The rules of harness/STYLE.md that a program can watch.
tidy:
	@ci/tidy
# End-to-end scripts only, or one: make e2e ONLY=cutover
e2e: all
	@ci/e2e/all $(ONLY)
# Lays out the files you name: make format FILES="harness/base/buf.c"
format:
	clang-format -i $(or $(FILES),$(error name the files: make format FILES="harness/base/buf.c"))

.PHONY: deps test demo matrix bench unit unit-programs tidy e2e format

# The bench: our own crowd and checkers against bare programs of the same work.
BENCH := $(patsubst ci/bench/%.c,$(B)/ci/bench/%,$(wildcard ci/bench/*.c))
$(BENCH): $(B)/ci/bench/%: $(B)/ci/bench/%.o $(B)/libcrossfade.a
	@echo '  LD   $@'
	@$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
bench-programs: $(BENCH)
bench: deps
	@$(MAKE) --no-print-directory -j$$(nproc) all bench-programs
	@ci/bench/all
.PHONY: bench-programs

# The fuzz targets, built by clang into a build of their own: each links the library and the edge but its main. Warnings
# are gcc's business.
#   make fuzz [TIME=60] [ONLY=head]     TIME: seconds for all of them together
FUZZ := $(patsubst ci/fuzz/%.c,$(B)/ci/fuzz/%,$(wildcard ci/fuzz/*.c))
$(FUZZ): $(B)/ci/fuzz/%: $(B)/ci/fuzz/%.o \
		$(patsubst %.c,$(B)/%.o,$(filter-out %/main.c %_test.c,$(wildcard fixtures/alb/*.c))) $(B)/libcrossfade.a
	@echo '  LD   $@'
	@$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)
fuzz-targets: $(FUZZ)
fuzz-programs:
	@$(MAKE) --no-print-directory FLAVOUR=fuzz CC=clang WARN= fuzz-targets
fuzz: deps
	@$(MAKE) --no-print-directory -j$$(nproc) fuzz-programs
	@ci/fuzz/all --seconds $(or $(TIME),60) $(ONLY)
.PHONY: fuzz fuzz-targets fuzz-programs

# The judge for many small records, which ci/e2e/naive.py holds against a second one.
all: $(B)/ci/naive/judge
$(B)/ci/naive/judge: $(B)/ci/naive/judge.o $(B)/libcrossfade.a
	@echo '  LD   $@'
	@$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
