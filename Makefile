# One build file, no list of sources: a .c file in a room is part of the program, a *_test.c beside it is a
# test, a folder with a main.c under fixtures/ is a program of the local stack.
#   make            build/crossfade and the local stack      make test    everything CI runs
#   make demo       one cutover that passes, one that fails  make matrix  20 clean seeds, 5 per defect
#   make bench      the numbers of the README, as ratios     make fuzz    any bytes at what reads bytes of others, a minute
#   FLAVOUR=asan builds with ASan+UBSan into build/asan

FLAVOUR ?=
B       := build$(if $(FLAVOUR),/$(FLAVOUR))
CC      ?= gcc
SAFE    := -fno-omit-frame-pointer -fno-sanitize-recover=undefined
OPT_asan := -O1 -fsanitize=address,undefined $(SAFE)
OPT_fuzz := -O1 -fsanitize=fuzzer-no-link,address,undefined $(SAFE)
OPT     := $(or $(OPT_$(FLAVOUR)),-O2)
# The judge is small functions in many files: inlined across them by the linker, an event costs a sixth less. Unit tests,
# linked by the dozen and run once, take the same objects as they are.
LTO     := $(if $(FLAVOUR),,-flto=auto -ffat-lto-objects)
PKGS    := libwebsockets hiredis libcurl yaml-0.1 jansson libcrypto libssl libdeflate libxml-2.0
WARN    := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
           -Wpointer-arith -Wwrite-strings -Wformat=2 -Wvla -Wundef -Wswitch-enum -Wimplicit-fallthrough
CFLAGS  := -std=gnu11 -g $(OPT) $(LTO) $(WARN) -D_GNU_SOURCE -fno-common -fstack-protector-strong -Iharness -I. -I$(B) \
           $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDFLAGS := $(OPT) $(LTO)
LDLIBS  := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lev -lhttp_parser -lm

SRC      := $(filter-out harness/main.c,$(shell find harness -name '*.c' ! -name '*_test.c'))
TESTS    := $(shell find harness fixtures -name '*_test.c')
PROGRAMS := $(patsubst %/main.c,%,$(wildcard fixtures/*/main.c))
ROOMS    := driver fault wire check report command

all: $(B)/crossfade $(PROGRAMS:%=$(B)/%/main)

include ci/targets.mk harness/report/rules.mk

$(B)/crossfade: $(B)/harness/main.o $(B)/libcrossfade.a
	@echo '  LD   $@'
	@$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(B)/libcrossfade.a: $(SRC:%.c=$(B)/%.o)
	@rm -f $@ && ar rcs $@ $^
$(B)/%.o: %.c $(ROOMS:%=$(B)/registry/%.inc) | ci/dependencies
	@mkdir -p $(@D)
	@echo '  CC   $<'
	@$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

# A program of the local stack: every .c of its folder but the tests.
define program
$(B)/$(1)/main: $(patsubst %.c,$(B)/%.o,$(filter-out %_test.c,$(wildcard $(1)/*.c))) $(B)/libcrossfade.a
	@echo '  LD   $$@'
	@$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(LDLIBS)
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

# A unit test links the library and, in fixtures/, its folder's objects but main.o. (No % in the rule itself: make
# would put the stem there before it expands the call.)
beside = $(if $(filter fixtures/%,$(1)),$(patsubst %.c,$(B)/%.o,$(filter-out %/main.c %_test.c,$(wildcard $(1)*.c))))
.SECONDEXPANSION:
$(B)/%_test: $(B)/%_test.o $$(call beside,$$(dir $$*)) $(B)/libcrossfade.a
	@echo '  LD   $@'
	@$(CC) $(LDFLAGS) -fno-lto -o $@ $^ -lcmocka $(LDLIBS)

# The registries: the build lists the folder. <room>/<room>.c is the room's door, everything else a plug-in.
$(B)/registry/%.inc: FORCE
	@mkdir -p $(@D)
	@ls harness/$*/*.c 2>/dev/null | grep -v -e "_test[.]c$$" -e "/$*[.]c$$" | sed 's,.*/\(.*\)\.c,PLUGIN(\1),' >$@.new || true
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

FORCE:
clean:
	rm -rf build
.PHONY: all clean FORCE
.PRECIOUS: $(B)/%.o $(B)/registry/%.inc
-include $(shell find $(B) -name '*.d' 2>/dev/null)
