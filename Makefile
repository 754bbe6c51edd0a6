# A menu: every entry calls CMake, npm or a script. `make help` lists it.
PORT  ?= 3000
DB    ?= oncewire.db
SEEDS ?= 1..300
CYCLES ?= 10
SEED  ?= 1
TARGETS ?= oncewire-server oncewire-sim engineio-echo socketio-echo socketio-lab
WERROR := $(if $(CI),ON,OFF)
# A clean clone has nothing cached, and asking costs a fifth of its build; nobody edits one file of it, so more of them
# compile as one.
CLEAN := -DCCACHE=OFF -DCMAKE_UNITY_BUILD_BATCH_SIZE=16
CONFIGURE := -G Ninja $(if $(CI),$(CLEAN))
# What sanitizers and fuzzers say names files and lines. All of what a debugger would want is a tenth of the build.
SANITIZED := -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS=-O1 -DCMAKE_CXX_FLAGS_DEBUG=-gline-tables-only

# What tests in browsers stand on.
BROWSERS := tests/node_modules/.package-lock.json web/demo/host/node_modules/.package-lock.json

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help deps run demo build client programs wasm test prove lint format tidy sim mutants e2e shots conformance \
        interop official crash hostile fuzz planted bench size sanitize race docs clean

help: ## This list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

# ---- for using it -------------------------------------------------------------------------------

run: ## Install what is missing, build, and serve on http://localhost:3000 (PORT=, DB=)
	@.ci/deps run
	@$(MAKE) --no-print-directory build TARGETS=oncewire-server
	@exec build/bin/oncewire-server --port $(PORT) --db $(DB)

demo: ## Two phones, one wire to pull: beside the stock Socket.IO tutorial, counted; prints its address (PORT=)
	@.ci/deps run
	@$(MAKE) --no-print-directory build TARGETS=oncewire-server
	@$(MAKE) --no-print-directory web/demo/host/node_modules/.package-lock.json
	@exec node web/demo/host/main.mjs $(if $(filter command environment,$(firstword $(origin PORT))),--port $(PORT))

deps: ## Install what the tests need, too
	@.ci/deps run test prove

build: build/build.ninja client-wasm/node_modules/.package-lock.json ## Server with its page and browser client, simulator, echo servers, into build/bin
	@cmake --build build --target $(TARGETS)

client: client-wasm/node_modules/.package-lock.json ## The npm package of the browser client, ready to publish, into build/oncewire-client
	@node client-wasm/build.mjs --out build/client --package build/oncewire-client

# ---- for being sure -----------------------------------------------------------------------------

test: ## Every tier in its short form; the last line is the count
	@.ci/deps run test
	@node tests/run.mjs test

prove: ## The long proofs: 5,000 seeds, 200 crashes, fuzzers, sanitizers, planted bugs, what takes long in browsers
	@.ci/deps run test prove
	@node tests/run.mjs prove

lint: build/build.ninja ## Include table, symbols, headers alone, banned strings, format
	@tests/lint/run

tidy: build/build.ninja ## clang-tidy, with the checks of .clang-tidy
	@.ci/deps tidy
	@tests/lint/clang_tidy

format: ## clang-format everything
	@git ls-files --cached --others --exclude-standard '*.cpp' '*.hpp' | xargs clang-format -i

sim: build ## Simulated worlds, one for each seed (SEEDS=a..b)
	@build/bin/oncewire-sim --seeds $(SEEDS) --threads 2

conformance: build tests/node_modules/.package-lock.json ## What Engine.IO and Socket.IO demand, and 110 bad inputs
	@cmake --build build
	@node --test tests/conformance/*.test.mjs

mutants: build ## Every planted bug must be caught; each says which seed did it
	@build/bin/oncewire-sim --mutants

interop: build tests/node_modules/.package-lock.json ## The unmodified socket.io-client against our server
	@node --test tests/interop/*.test.mjs

official: client tests/official/node_modules/.package-lock.json ## The official repository's own suites (SUITE=a checkout of it, ONLY=client|server|engine|socket)
	@cmake --build build --target engineio-echo socketio-echo socketio-lab
	@node tests/official/run.mjs "$(SUITE)" $(ONLY)

e2e: build $(BROWSERS) ## Real browsers through a proxy that cuts, stalls and half-opens (ONLY=title)
	@cd tests && npx playwright test --config e2e/playwright.config.mjs $(if $(ONLY),--grep "$(ONLY)")

shots: build $(BROWSERS) ## Pictures of the page, light and dark, wide and narrow, into build/shots
	@.ci/deps test shots
	@cd tests && SHOTS=1 npx playwright test --config e2e/playwright.config.mjs --grep @shots

crash: build tests/node_modules/.package-lock.json ## kill -9 under load, with an outside witness (CYCLES=n SEED=n)
	@tests/crash/run --cycles $(CYCLES) --seed $(SEED)

hostile: build tests/node_modules/.package-lock.json ## Floods from 127.0.0.x beside somebody who does nothing wrong (ONLY=name SECONDS=n)
	@node tests/hostile/run.mjs $(if $(ONLY),--only "$(ONLY)") $(if $(SECONDS),--seconds $(SECONDS))

fuzz: ## Every fuzzer for SECONDS=60, with sanitizers
	@.ci/deps prove
	@tests/fuzz/run $(or $(SECONDS),60)

planted: ## The hub with a bug in it, again and again: its fuzzer must notice each within a minute
	@python3 -B tests/fuzz/planted.py

# Two tests of the simulator's own bookkeeping, a third of the whole here; seeds reach the code that they reach.
NO_BYTES := paths_that_meet a_bug_that_one_path_shows
sanitize: ## Unit tests and a short simulation with address and undefined-behaviour sanitizers
	@.ci/deps prove
	@$(MAKE) --no-print-directory build/sanitize/build.ninja
	@cmake --build build/sanitize --target oncewire-unit oncewire-sim
	@build/sanitize/bin/oncewire-unit "~[.]" $(foreach test,$(NO_BYTES),"~$(subst _, ,$(test))*")
	@build/sanitize/bin/oncewire-sim --seeds 1..100 --threads 2

# Tests of interop that ask nothing which other threads, or another timing, could answer otherwise: of command lines,
# packages, tokens, old files and proxies, or of our client beside the stock server.
# What the examples do on several cores is asked of socketio-lab and of recovery.
NO_THREADS := api_examples api_flags client client_package client_store frameworks identity proxies python \
              slow_reader upgrade
race: tests/node_modules/.package-lock.json ## The clients' tests against servers that stop at the first data race
	@.ci/deps prove
	@$(MAKE) --no-print-directory build/thread/build.ninja
	@cmake --build build/thread --target oncewire-server socketio-lab socketio-echo example-recovery example-members
	@ONCEWIRE_SERVER=$(CURDIR)/build/thread/bin/oncewire-server TSAN_OPTIONS=halt_on_error=1 \
	 node --test --test-concurrency=2 $(filter-out $(addprefix %/,$(addsuffix .test.mjs,$(NO_THREADS))),$(wildcard tests/interop/*.test.mjs))

bench: ## Measure beside npm socket.io: table and picture in build/bench
	@.ci/deps run test bench
	@$(MAKE) --no-print-directory build client tests/node_modules/.package-lock.json
	@tests/bench/run

docs: ## Reference of the C++ API, by Doxygen, into build/docs/html
	@.ci/deps docs
	@python3 -B tests/lint/docs.py

size: build ## Bytes of the browser client, raw, gzip and brotli
	@tests/bench/size

clean: ## Remove everything that was built
	@cmake -E rm -rf build tests/node_modules client-wasm/node_modules web/demo/host/node_modules

# ---- what the above stand on --------------------------------------------------------------------

# Everything the tiers of `make test` run.
programs: build $(BROWSERS)
	@cmake --build build --target all oncewire-unit oncewire-integration

# What decides, and its tests, once more as WebAssembly.
wasm: build/wasm/build.ninja
	@cmake --build build/wasm --target oncewire-unit oncewire-sim

build/build.ninja:
	@cmake -S . -B build $(CONFIGURE) -DONCEWIRE_WERROR=$(WERROR)

# em++ finds its JavaScript tools there when Node is not Debian's own.
export NODE_PATH := /usr/share/nodejs
build/wasm/build.ninja:
	@emcmake cmake -S . -B build/wasm $(CONFIGURE) -DONCEWIRE_WERROR=$(WERROR)

# One tree for the sanitizers and the fuzzers, which are clang's.
build/sanitize/build.ninja:
	@CC=clang-14 CXX=clang++-14 cmake -S . -B build/sanitize $(CONFIGURE) $(SANITIZED) -DONCEWIRE_FUZZ=ON

build/thread/build.ninja:
	@CC=clang-14 CXX=clang++-14 cmake -S . -B build/thread $(CONFIGURE) $(SANITIZED) -DONCEWIRE_SANITIZE=thread \
	       -DONCEWIRE_CLIENT=$(CURDIR)/build

%/node_modules/.package-lock.json: %/package-lock.json
	@cd $* && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
