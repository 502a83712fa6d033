# Everything runs on the Node that is shipped, from node_modules; the system's own only runs npm.
ARCH := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x64)
SYSTEM_PATH := $(PATH)
export PATH := $(CURDIR)/node_modules/node-linux-$(ARCH)/bin:$(CURDIR)/node_modules/.bin:$(PATH)

MAKEFLAGS += --no-print-directory --no-builtin-rules
INSTALLED := node_modules/.stamp
# Folders too: their times tell when a file has come or gone.
SOURCES := $(shell find src -type d -o -name '*.ts' 2>/dev/null)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo build packages test sim sim-scale bench bench-quick lint format clean

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: build ## shows what the program does, with several nodes on this machine
	@node scripts/demo.ts

build: dist/makuosan ## makes the one executable, dist/makuosan, and its second name dist/msync
	@:

packages: build ## makes dist/makuosan_VERSION_amd64.deb and dist/makuosan-VERSION-1.x86_64.rpm, with nfpm
	@node scripts/packages.ts

test: build ## runs all tests; those that need root say so and are skipped without it
	@node --test --test-concurrency=1 --test-reporter=spec 'test/**/*.test.ts'

sim: $(INSTALLED) ## simulates networks and disks that fail: SECONDS=how long, SEED=which one to repeat
	@$(if $(SECONDS),SECONDS=$(SECONDS)) $(if $(SEED),SEED=$(SEED)) node test/simulation/run.ts

sim-scale: $(INSTALLED) ## simulates 1 GB to 4, 16, 100 and 1,000 members that lose 1 % each: OPTIONS='--mb 100 --members 300'
	@node test/simulation/scale.ts $(OPTIONS)

bench: build ## measures speed, CPU and memory
	@node test/bench/run.ts

bench-quick: build ## the same in a short form
	@node test/bench/run.ts --quick

lint: $(INSTALLED) ## checks types, style, layout, imports and words
	@tsc -p tsconfig.json
	@tsc -p tsconfig.pure.json
	@eslint --max-warnings 0 .
	@prettier --check --log-level warn .
	@node scripts/check-layers.ts

format: $(INSTALLED) ## lays out every file as lint wants it
	@prettier --write --log-level warn .

clean: ## removes what was built
	@rm -rf dist

dist/makuosan: $(SOURCES) scripts/build.ts package.json $(INSTALLED)
	@node scripts/build.ts

# The stamp is a copy of the package-lock.json that was installed. Without a stamp, npm's own note tells whether
# somebody has run `npm ci`. A linked node_modules belongs to another copy of the project: npm would empty that one.
# No package here needs its install script: what is native comes prebuilt.
$(INSTALLED): package-lock.json
	@if cmp -s package-lock.json $@; then :; \
	elif [ ! -e $@ ] && [ node_modules/.package-lock.json -nt package-lock.json ]; then :; \
	elif [ -L node_modules ]; then \
	  echo 'node_modules is a link, and what it holds is not what package-lock.json asks for' >&2; exit 1; \
	else \
	  PATH="$(SYSTEM_PATH)" npm ci --ignore-scripts --no-audit --no-fund --no-progress --loglevel=error >/dev/null; \
	fi
	@cp package-lock.json $@
