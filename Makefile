# tally. `make help` tells what can be made.
PREFIX ?= /usr/local
BUILD ?= build
VERSION := 0.1.0
SANITIZE ?=

PACKAGES_BUILD := gcc|clang make pkg-config libc6-dev librdkafka-dev libwebsockets-dev \
	libwebsockets-evlib-ev libev-dev libyaml-dev libjansson-dev libcurl4-openssl-dev libssl-dev libzip-dev \
	libjs-dygraphs
PACKAGES_TEST := libcmocka-dev valgrind kcat mawk maven default-jre-headless python3 python3-pytest \
	python3-yaml python3-confluent-kafka python3-kafka python3-selenium python3-websockets \
	chromium chromium-driver npm|nodejs openssl procps zsh man-db groff-base python3-prometheus-client \
	python3-wsproto python3-venv curl patch
PACKAGES_FUZZ := clang libclang-rt-14-dev|libclang-rt-19-dev
PACKAGES_BENCH := gawk python3-matplotlib
PACKAGES_LINT := clang clang-format clang-tidy cppcheck shellcheck

LIBRARIES := rdkafka libwebsockets yaml-0.1 jansson libcurl libssl libcrypto libzip
CPPFLAGS += -I. -D_GNU_SOURCE -DTALLY_VERSION='"$(VERSION)"'
WARNINGS := -Wall -Wextra -Wshadow -Wconversion
# Debian 12's valgrind (3.19) ends at the DWARF 5 of its clang.
DEBUG := $(if $(findstring clang,$(shell $(CC) --version 2>/dev/null)),-gdwarf-4,-g)
CFLAGS ?= -O2 $(DEBUG)
BUILD_CFLAGS = -std=c17 $(CFLAGS) $(WARNINGS) $(SANITIZE) -MMD -MP $$(pkg-config --cflags $(LIBRARIES))
# The first two have most of the symbols that the forty libraries look for: the loader finds them a tenth sooner there.
BUILD_LIBS = -lcrypto -lc $$(pkg-config --libs $(LIBRARIES)) -lev

# Everything but the program's own folder, which holds main().
SOURCES := $(wildcard cluster/*.c cluster/*/*.c jobs/*.c dashboard/*.c)
PROGRAM := $(wildcard runner/*.c)
UNITS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/assets.o

# Built into the program; the page's files also packed, for browsers.
DYGRAPHS := /usr/share/javascript/dygraphs
WEB := $(wildcard dashboard/web/*.html dashboard/web/*.js dashboard/web/*.css dashboard/web/*.svg)
WEB_ASSETS := $(foreach f,$(WEB),web/$(notdir $f)=$f) web/dygraph.min.js=$(DYGRAPHS)/dygraph.min.js
PACKED := $(foreach a,$(WEB_ASSETS),$(BUILD)/$(firstword $(subst =, ,$a)).gz)
ASSETS := $(foreach f,$(wildcard jobs/*.yaml) data/user_log.csv,$f=$f) $(WEB_ASSETS) \
	$(foreach p,$(PACKED),$(p:$(BUILD)/%=%)=$p)

.DEFAULT_GOAL := build
.PHONY: build man run cluster cluster-down cluster-status test test-all bench lint format install clean help units sanitized fuzz packages-build

## build: the program, build/tally (the default)
build: $(BUILD)/tally

## run: what is missing, the program, and the gender job live on http://localhost:5000
run: packages-run build
	@$(BUILD)/tally run gender

## cluster: Kafka, Spark and the gender job in Docker, and the page (PROFILE=hadoop|hive|presto|all, WORKERS=N)
cluster:
	@docker/cluster up

## cluster-status: every service, its health, version, memory, addresses
cluster-status:
	@docker/cluster status

## cluster-down: away with it; the volumes stay
cluster-down:
	@docker/cluster down

## test: every test; ends with `N passed, N failed`
test: packages-test
	@$(MAKE) --no-print-directory build units sanitized
	@tests/run

## test-all: the same with all the slow cases
test-all: packages-test
	@$(MAKE) --no-print-directory build units sanitized
	@TALLY_ALL=1 tests/run

## bench: this program beside others, in ratios; one of them by ROW=count
bench: packages-bench build
	@tests/bench/run $(ROW)

## lint: warnings of gcc and clang as errors, clang-tidy, cppcheck, shellcheck, the format
lint: packages-lint
	@tests/lint

## format: the sources, by clang-format
format: packages-lint
	clang-format -i $$(git ls-files '*.c' '*.h')

## install: the program, its manual and completions under PREFIX (/usr/local), within DESTDIR
install: build man
	install -D -m 755 $(BUILD)/tally $(DESTDIR)$(PREFIX)/bin/tally
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 $(BUILD)/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -D -m 644 $(BUILD)/man/tally.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/tally
	install -D -m 644 $(BUILD)/man/tally.zsh $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_tally

## man: the manual's pages and the shells' completions, in build/man
man: build
	@mkdir -p $(BUILD)/man
	@$(BUILD)/tally man > $(BUILD)/man/tally.1
	@for command in $(patsubst runner/cmd_%.c,%,$(wildcard runner/cmd_*.c)); do \
		$(BUILD)/tally man $$command > $(BUILD)/man/tally-$$command.1 || exit 1; done
	@$(BUILD)/tally completion bash > $(BUILD)/man/tally.bash
	@$(BUILD)/tally completion zsh > $(BUILD)/man/tally.zsh

## clean: away with build/
clean:
	rm -rf build

help:
	@sed -n 's/^## \([a-z-]*\): /\1:/p' Makefile | awk -F: '{ name = $$1; sub(/^[^:]*:/, ""); printf "make %-14s %s\n", name, $$0 }'

.PHONY: packages-run packages-test packages-bench packages-lint
packages-run:
	@./packages $(foreach p,$(PACKAGES_BUILD),'$p')
packages-test:
	@./packages $(foreach p,$(PACKAGES_BUILD) $(PACKAGES_TEST),'$p')
	@$(MAKE) --no-print-directory build/npm/installed
packages-bench: packages-test
	@./packages $(foreach p,$(PACKAGES_BENCH),'$p')
packages-lint:
	@./packages $(foreach p,$(PACKAGES_BUILD) $(PACKAGES_TEST) $(PACKAGES_LINT),'$p')

units: $(UNITS)

# The same with AddressSanitizer and UndefinedBehaviorSanitizer, in build/asan.
sanitized:
	@$(MAKE) --no-print-directory BUILD=build/asan CFLAGS='-O1 -g -fno-omit-frame-pointer' \
		SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all' build/asan/tally units

## fuzz: what takes bytes from the network, under libFuzzer (SECONDS=60 for each part, FUZZ='host topic' for some)
SECONDS ?= 60
fuzz:
	@./packages $(foreach p,$(PACKAGES_BUILD) $(PACKAGES_FUZZ),'$p')
	@$(MAKE) --no-print-directory BUILD=build/fuzz CC=clang CFLAGS='-O1 -g' \
		SANITIZE='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' build/fuzz/fuzz
	@for name in $(or $(FUZZ),$$(FUZZ= build/fuzz/fuzz)); do \
		echo "== $$name" && mkdir -p build/fuzz/corpus/$$name && FUZZ=$$name build/fuzz/fuzz -max_total_time=$(SECONDS) \
			-max_len=2048 -timeout=5 -print_final_stats=1 -verbosity=0 -artifact_prefix=build/fuzz/$$name- \
			build/fuzz/corpus/$$name || exit 1; done

$(BUILD)/fuzz: tests/fuzz/fuzz.c tests/fuzz/targets.h $(OBJECTS)
	@$(CC) $(CPPFLAGS) $(BUILD_CFLAGS) -fsanitize=fuzzer -o $@ $< $(OBJECTS) $(BUILD_LIBS)

$(BUILD)/tally: $(OBJECTS) $(PROGRAM:%.c=$(BUILD)/%.o)
	@echo "  LINK $@"
	@$(CC) $(SANITIZE) $(LDFLAGS) -o $@ $^ $(BUILD_LIBS)

$(BUILD)/%.o: %.c | $(BUILD)/packages
	@echo "  CC   $<"
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(BUILD_CFLAGS) -c -o $@ $<

$(BUILD)/assets.c: cluster/base/assets.sh $(foreach a,$(ASSETS),$(lastword $(subst =, ,$a)))
	@cluster/base/assets.sh $(ASSETS) > $@.new
	@mv $@.new $@

$(BUILD)/assets.o: $(BUILD)/assets.c
	@$(CC) $(CPPFLAGS) -std=c17 -c -o $@ $<

$(BUILD)/web/%.gz: dashboard/web/%
	@mkdir -p $(@D)
	@gzip -9nc $< > $@
$(BUILD)/web/dygraph.min.js.gz: $(DYGRAPHS)/dygraph.min.js
	@mkdir -p $(@D)
	@gzip -9nc $< > $@

$(BUILD)/tests/test_server_fuzz: tests/fuzz/targets.h
$(BUILD)/tests/%: tests/unit/%.c $(OBJECTS)
	@echo "  TEST $@"
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(BUILD_CFLAGS) -o $@ $< $(OBJECTS) $(BUILD_LIBS) -lcmocka

# The load of tests/load.py.
$(BUILD)/bench/clients: tests/bench/clients.c
	@mkdir -p $(@D)
	@$(CC) -D_GNU_SOURCE -std=c17 $(CFLAGS) $(WARNINGS) -o $@ $<

# What the tests take from npm.
build/npm/installed: tests/package.json
	@mkdir -p $(@D)
	@cp $< $(@D)
	@npm install --prefix $(@D) --no-package-lock --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

# A missing header is named by its package, not by the compiler.
$(BUILD)/packages: Makefile packages
	@mkdir -p $(@D)
	@./packages --check $(foreach p,$(PACKAGES_BUILD),'$p')
	@touch $@

$(DYGRAPHS)/%: | $(BUILD)/packages ;

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
