# Everything runs on the Node that is shipped, from node_modules; the system's own Node only runs npm.
MACHINE := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x64)
OTHER := $(if $(filter x64,$(MACHINE)),arm64,x64)
# The architecture to build for: `make build ARCH=arm64`.
ARCH := $(MACHINE)
SYSTEM_PATH := $(PATH)
export PATH := $(CURDIR)/node_modules/node-linux-$(MACHINE)/bin:$(CURDIR)/node_modules/.bin:$(PATH)

# Tests compare sentences, which follow the locale.
export LC_ALL := C.UTF-8

ifeq ($(filter x64 arm64,$(ARCH)),)
$(error ARCH is x64 or arm64, not $(ARCH))
endif

MAKEFLAGS += --no-print-directory --no-builtin-rules
INSTALLED := node_modules/.stamp
# The network tests, without those that choose by themselves how datagrams are sent, or are about something else.
PLAIN_TESTS := $(sort $(filter-out $(foreach name,callers catch-up clones flood interface isolation keep-owner names ownership \
  packet-length port-owner stumbles,test/network/$(name).test.ts),$(wildcard test/network/*.test.ts)))
# Tests below test/packages need packages first, and those below test/security take minutes.
TESTS := $(shell find test -name '*.test.ts' ! -path 'test/packages/*' ! -path 'test/security/*' 2>/dev/null | sort)
# A test that hangs ends as a failure, with its name. None takes a tenth of these milliseconds.
TEST_LIMIT := --test-timeout=600000
# The others are pure, or need root.
USER_TESTS := $(sort $(foreach folder,base cli console daemon disk loopback net packaging scripts sys tree,\
  $(wildcard test/$(folder)/*.test.ts)))
# Folders, too: their times show when a file was added or removed.
SOURCES := $(shell find src -type d -o -name '*.ts' 2>/dev/null)

VERSION = $(shell sed -n 's/^  "version": "\(.*\)",/\1/p' package.json)

# Text that people read, and the comments of the program: make lint checks their words.
READ := $(wildcard *.md docs/*.md) src scripts packaging etc systemd Makefile eslint.config.js .ci

# The whole table; it is stored beside the benchmark and shown in the READMEs.
BENCH_ALL := --results test/bench/results/results.json --readme

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.PHONY: all help install uninstall dist demo build packages repository test test-user test-packages test-security fuzz fuzz-trees chaos power-loss soak sim sim-scale mutants bench bench-quick bench-catch-up lint format clean

all: build ## the same as make build, and what make alone does
	@echo "$(if $(filter $(OTHER),$(ARCH)),dist/$(OTHER)/makuosan is,dist/makuosan and dist/msync are) built: 'make install' installs them, 'make help' lists the other targets"

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

demo: build ## shows what the program does, with several nodes on this machine
	@node scripts/demo.ts

build: $(if $(filter $(OTHER),$(ARCH)),dist/$(OTHER)/makuosan,dist/makuosan) ## makes the one executable, dist/makuosan, and its second name dist/msync; ARCH=arm64 that for arm64
	@:

# As administrators expect it: PREFIX, SYSCONFDIR and DESTDIR, and UNIT=no for hosts without systemd.
PREFIX := /usr/local
SYSCONFDIR := /etc
UNIT := yes
ifneq ($(filter install uninstall,$(MAKECMDGOALS)),)
# Each of these would name other paths than were meant, also to the removal.
ifneq ($(words [$(DESTDIR)|$(PREFIX)|$(SYSCONFDIR)]),1)
$(error DESTDIR, PREFIX and SYSCONFDIR cannot have spaces in them)
endif
ifneq ($(filter-out /%,$(PREFIX) $(SYSCONFDIR)),)
$(error PREFIX and SYSCONFDIR begin with /, unlike '$(filter-out /%,$(PREFIX) $(SYSCONFDIR))')
endif
ifeq ($(filter yes no,$(UNIT)),)
$(error UNIT is yes or no, not '$(UNIT)')
endif
override PREFIX := $(patsubst %/,%,$(PREFIX))
endif
SHARE = $(DESTDIR)$(PREFIX)/share
LIB = $(DESTDIR)$(PREFIX)/lib
# Every file that `make install` makes, except for the config file.
SERVICES = makuosan.service makuosan-check.service makuosan-check.timer makuosan-watch@.service
UNITS = $(addprefix $(LIB)/systemd/system/,$(SERVICES)) $(LIB)/sysusers.d/makuosan.conf $(LIB)/sysctl.d/10-makuosan.conf
COMPLETIONS = $(foreach name,makuosan msync,$(SHARE)/bash-completion/completions/$(name) \
  $(SHARE)/zsh/site-functions/_$(name) $(SHARE)/fish/vendor_completions.d/$(name).fish)
MANUALS = $(foreach man,man man/ja,$(SHARE)/$(man)/man8/makuosan.8 $(SHARE)/$(man)/man1/msync.1 $(SHARE)/$(man)/man5/makuosan.conf.5)

install: build ## installs it below PREFIX (/usr/local), SYSCONFDIR (/etc) and DESTDIR; UNIT=no leaves out the service
	@install -D -m 755 dist/makuosan $(DESTDIR)$(PREFIX)/sbin/makuosan
	@install -d $(DESTDIR)$(PREFIX)/bin
	@ln -sfn ../sbin/makuosan $(DESTDIR)$(PREFIX)/bin/msync
	@for page in 8/makuosan.8 1/msync.1 5/makuosan.conf.5; do \
	  install -D -m 644 packaging/man/$${page#*/} $(SHARE)/man/man$$page && \
	  install -D -m 644 packaging/man/ja/$${page#*/} $(SHARE)/man/ja/man$$page || exit 1; done
	@for name in makuosan msync; do \
	  install -D -m 644 packaging/completions/bash/$$name $(SHARE)/bash-completion/completions/$$name && \
	  install -D -m 644 packaging/completions/zsh/_$$name $(SHARE)/zsh/site-functions/_$$name && \
	  install -D -m 644 packaging/completions/fish/$$name.fish $(SHARE)/fish/vendor_completions.d/$$name.fish || exit 1; done
ifeq ($(UNIT),yes)
	@install -D -m 644 packaging/makuosan.sysusers $(LIB)/sysusers.d/makuosan.conf
	@install -D -m 644 packaging/makuosan.sysctl $(LIB)/sysctl.d/10-makuosan.conf
	@install -d $(LIB)/systemd/system
	@for name in $(SERVICES); do \
	  sed -E 's,^(Exec(Start|Reload)=\+?)/usr/(s?bin)/,\1$(PREFIX)/\3/,' systemd/$$name >$(LIB)/systemd/system/$$name && \
	  chmod 644 $(LIB)/systemd/system/$$name || exit 1; done
endif
	@install -d $(DESTDIR)$(SYSCONFDIR)/makuosan.conf.d
	@[ -e $(DESTDIR)$(SYSCONFDIR)/makuosan.conf ] || install -m 644 etc/makuosan.conf $(DESTDIR)$(SYSCONFDIR)/makuosan.conf

uninstall: ## removes what `make install` with the same PREFIX and DESTDIR has installed, except for the config
	@rm -f $(DESTDIR)$(PREFIX)/sbin/makuosan $(DESTDIR)$(PREFIX)/bin/msync $(MANUALS) $(COMPLETIONS) $(UNITS)
	@rmdir $(DESTDIR)$(SYSCONFDIR)/makuosan.conf.d 2>/dev/null || true

dist: ## makes a tarball of the sources in dist/, from the last commit
	@git rev-parse --verify --quiet HEAD >/dev/null || { echo 'this is no clone of the project: clone it to make a tarball' >&2; exit 1; }
	@mkdir -p dist
	@git archive --format=tar.gz --prefix=makuosan-$(VERSION)/ -o dist/makuosan-$(VERSION).tar.gz HEAD
	@echo dist/makuosan-$(VERSION).tar.gz

packages: dist/makuosan dist/$(OTHER)/makuosan ## makes a .deb and a .rpm for x86-64 and for arm64 in dist/, with nfpm
	@node scripts/packages.ts

repository: packages ## makes signed repositories for apt and dnf in dist/repository: MAKUOSAN_SIGNING_KEY= MAKUOSAN_REPOSITORY_URL=
	@node scripts/repository.ts

test: build ## runs all tests; those that need root say so and are skipped without it
	@node --test $(TEST_LIMIT) --test-concurrency=1 --test-reporter=spec $(TESTS)
	@echo 'The network tests whose datagrams matter once more, with node:dgram alone:'
	@MAKUOSAN_TEST_PLAIN=1 node --test $(TEST_LIMIT) --test-concurrency=1 --test-reporter=spec $(PLAIN_TESTS)

test-user: build ## runs the tests that can end differently for an ordinary user than for root
	@node --test $(TEST_LIMIT) --test-concurrency=1 --test-reporter=spec $(USER_TESTS)

test-packages: packages ## tries the packages on booted systemd containers, as root
	@node --test $(TEST_LIMIT) --test-concurrency=1 --test-reporter=spec 'test/packages/*.test.ts'

test-security: $(INSTALLED) ## runs races against hostile users, as root: SECONDS=how long each
	@$(if $(SECONDS),SECONDS=$(SECONDS)) node --test $(TEST_LIMIT) --test-concurrency=1 --test-force-exit --test-reporter=spec 'test/security/*.test.ts'

fuzz: $(INSTALLED) ## feeds damaged input to every decoder: CASES=how many in all, SEED=which ones to repeat, TARGET=one of them
	@$(if $(CASES),CASES=$(CASES)) $(if $(SEED),SEED=$(SEED)) $(if $(TARGET),TARGET=$(TARGET)) node test/fuzz/main.ts

sim: $(INSTALLED) ## simulates networks and disks that fail: SECONDS=how long, SEED=which one to repeat
	@$(if $(SECONDS),SECONDS=$(SECONDS)) $(if $(SEED),SEED=$(SEED)) node test/simulation/run.ts

chaos: build ## lets real daemons push at random while they are killed, stopped, cut off and full, as root: SECONDS= SEED= CATCH_UP=1
	@$(if $(SECONDS),SECONDS=$(SECONDS)) $(if $(SEED),SEED=$(SEED)) $(if $(CATCH_UP),CATCH_UP=$(CATCH_UP)) node test/chaos/main.ts

power-loss: $(INSTALLED) ## takes the power at random moments of pushes, on images of ext4, XFS and btrfs, as root: MOMENTS= SEED= FILE_SYSTEM=
	@$(if $(MOMENTS),MOMENTS=$(MOMENTS)) $(if $(SEED),SEED=$(SEED)) FILE_SYSTEM='$(FILE_SYSTEM)' \
	  unshare --mount --propagation private node test/durability/power-loss.ts

soak: build ## measures the memory of daemons over 6,000 pushes, as root: PUSHES=how many
	@$(if $(PUSHES),PUSHES=$(PUSHES)) node test/bench/soak.ts

fuzz-trees: $(INSTALLED) ## pushes random trees beside rsync -aHAX --delete on each file system, as root: SECONDS= SEED= FILE_SYSTEM=
	@$(if $(SECONDS),SECONDS=$(SECONDS)) $(if $(SEED),SEED=$(SEED)) FILE_SYSTEM='$(FILE_SYSTEM)' node test/fuzz-trees/main.ts

mutants: $(INSTALLED) ## puts small faults into the sources and tells which no test notices: FILES= SHARD=1/4 SECONDS= SEEDS= JOBS= MUTANT=
	@FILES='$(FILES)' SHARD='$(SHARD)' SECONDS='$(SECONDS)' SEEDS='$(SEEDS)' SLOWEST_MS='$(SLOWEST_MS)' JOBS='$(JOBS)' MUTANT='$(MUTANT)' \
	  node test/mutants/main.ts

bench: build ## compares it with rsync, uftp and udpcast, as root; BENCH=--help lists the choices
	@node test/bench/main.ts $(if $(BENCH),$(BENCH),$(BENCH_ALL))

sim-scale: $(INSTALLED) ## simulates 1 GB to 4, 16, 100 and 1,000 members that lose 1 % each: OPTIONS='--mb 100 --members 300'
	@node test/simulation/scale.ts $(OPTIONS)

bench-quick: build ## runs a short benchmark of two minutes
	@node test/bench/main.ts --quick $(BENCH)

bench-catch-up: build ## measures how much catching up costs a push and the network, as root: OPTIONS='--late 16 --mb 40 --pushes 60'
	@node test/bench/catching-up.ts $(OPTIONS)

lint: $(INSTALLED) ## checks types, style, layout, imports, the map and words
	@tsc -p tsconfig.json
	@tsc -p tsconfig.pure.json
	@eslint --max-warnings 0 .
	@prettier --check --log-level warn .
	@node scripts/check-layers.ts
	@node scripts/check-words.ts $(READ)

format: $(INSTALLED) ## formats every file
	@prettier --write --log-level warn .

clean: ## removes what was built
	@rm -rf dist

dist/makuosan dist/$(OTHER)/makuosan: $(SOURCES) scripts/build.ts scripts/code-cache.ts scripts/architecture.ts package.json $(INSTALLED)
	@node scripts/build.ts $(if $(findstring /$(OTHER)/,$@),$(OTHER),$(MACHINE))

# The stamp is a copy of the package-lock.json that was installed. Without a stamp, npm's own file shows whether
# somebody has run `npm ci`. A linked node_modules belongs to another copy of the project: npm would empty it.
# No package here needs its install script: native parts come prebuilt.
$(INSTALLED): package-lock.json
	@if cmp -s package-lock.json $@; then :; \
	elif [ ! -e $@ ] && [ node_modules/.package-lock.json -nt package-lock.json ]; then :; \
	elif [ -L node_modules ]; then \
	  echo 'node_modules is a link, and what it holds is not what package-lock.json asks for' >&2; exit 1; \
	else \
	  PATH="$(SYSTEM_PATH)" npm ci --ignore-scripts --no-audit --no-fund --no-progress --loglevel=error >/dev/null || { \
	    echo "npm could not install what is needed; if this host needs a proxy: npm config set proxy http://HOST:PORT" >&2; exit 1; }; \
	fi
	@[ -x node_modules/node-linux-$(MACHINE)/bin/node ] || { \
	  echo 'npm could not install node-linux-$(MACHINE): see whether it reaches its registry, and repeat' >&2; exit 1; }
	@cp package-lock.json $@
