# The only commands: people and CI call the same ones. Everything made lands in .venv, site and $(CARGO_TARGET_DIR).
#
#   make demo    build the wheel and a user's Rust step, run the metrics pipeline with Python and without
#   make test    every test, on the oldest Python at hand, and all that knows Python on the newest
#   make lint    format, lints, types, the generated stub, the docs
#   make stubs   write python/oxflow/_oxflow.pyi and the stubs of our Rust steps anew
#   make schema  write the JSON Schemas in docs/reference anew
#   make template-lock  write the lock file of new projects anew
#   make mutants break the engine's state machines on purpose, and see that its tests notice
#   make faults  kill the run 300 times, and workers and brokers of Kafka, and count what is lost or repeated
#   make compat  extensions and runtimes that were built apart, 10 million messages, the SDK under sanitizers
#   make fuzz    hostile bytes into the tables of the SDK and into source maps, for FUZZ_SECONDS each
#   make bench   oxflow against plain loops in Python and Rust, and against bytewax
#   make bench-pure  a program without Python against the plain loop
#   make bench-kafka  oxflow on a real Kafka against plain loops, bytewax, quixstreams and sentry-streams
#   make bench-sdk  calls of Rust functions and edges between steps, by kind of payload; lanes beside a busy Python thread
#   make bench-sourcemap  source maps against symbolic, sourcemap and two crates, on maps that a bundler makes of npm packages
#   make bench-scheduler  the scheduler against plain Python, NumPy and a naive loop in Rust
#   make bench-telemetry  spans, counters and logs against OpenTelemetry's SDK, pytracingx and logfire, to a Collector
#   make docs    the documentation into site/

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := test
MAKEFLAGS += --no-builtin-rules --silent

# "3.10 /usr/bin/python3.10" and, if there is a newer one, its line.
PYTHONS := $(shell python3 tools/pythons.py | tr ' ' ':')
ifeq ($(PYTHONS),)
$(error no Python >= 3.10 with venv found)
endif
OLDEST := $(lastword $(subst :, ,$(firstword $(PYTHONS))))
VERSIONS := $(foreach python,$(PYTHONS),$(firstword $(subst :, ,$(python))))

# Outside the checkout, so that clones share what they compile.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/oxflow/target
# The same flags for every target, or cargo builds everything twice.
ifneq ($(shell command -v mold),)
export RUSTFLAGS ?= -C link-arg=-fuse-ld=mold
endif
# The system's OpenSSL where there is one: to build it takes minutes. A wheel that is given to others is built without this.
ifeq ($(shell pkg-config --exists openssl 2>/dev/null && echo yes),yes)
export OPENSSL_NO_VENDOR ?= 1
endif
# One interpreter for all of cargo: a change of it builds PyO3 anew.
export PYO3_PYTHON := $(OLDEST)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONDONTWRITEBYTECODE := 1

VENVS := .venv
CRATES := oxflow oxflow-macros oxflow-schema oxflow-protobuf oxflow-sourcemap oxflow-scheduler oxflow-http oxflow-telemetry oxflow-engine oxflow-python
TESTED := oxflow oxflow-macros oxflow-schema oxflow-protobuf oxflow-sourcemap oxflow-scheduler oxflow-http oxflow-telemetry
# As a user's crate would be: each its own workspace, with its own lock file.
APART := examples/metrics/steps tests/steps tests/pure tests/compat/steps benches/streams/loop benches/kafka/programs benches/pure_rust benches/streams/steps benches/sdk/table benches/sdk/steps benches/sdk/peer benches/sourcemap/peer benches/scheduler/naive
# What these try is the engine on a broker, or programs without Python: the oldest Python is enough.
ONCE := tests/faults tests/test_pure.py tests/test_pure_project.py
PYTHON_CODE := python tests tools examples benches

BUILD := $(VENVS)/build/bin
LINT := $(VENVS)/lint/bin
OXFLOW := $(VENVS)/test-$(firstword $(VERSIONS))/bin/oxflow
DEMO := $(VENVS)/demo/bin

# Phases that run beside each other write into the ledger of the target that began it.
LEDGER = python3 tools/ledger.py $(VENVS)/ledger-$(or $(BEGUN_BY),$@)
PHASE = $(LEDGER) run
MAKE_QUIET = $(MAKE) --no-print-directory
# What is linked with the system need not be copied into a wheel that stays here.
MATURIN = $(BUILD)/maturin build --quiet --interpreter $(OLDEST) $(if $(OPENSSL_NO_VENDOR),--auditwheel skip)
TEST_WHEEL = $(MATURIN) --profile dev --locked --out $(VENVS)/wheels/test

.PHONY: demo test lint stubs faults compat fuzz bench docs pytest clippy types test-wheels demo-wheels

# --- environments ---------------------------------------------------------------------------------------------------

$(VENVS)/%/.made: requirements/%.txt
	rm -rf $(VENVS)/$*
	$(OLDEST) -m venv $(VENVS)/$*
	$(VENVS)/$*/bin/pip install --quiet $(if $(filter demo,$*),--no-deps) -r $<
	touch $@

define test_environment
$(VENVS)/test-$(1)/.made: requirements/test.txt
	rm -rf $(VENVS)/test-$(1)
	$(2) -m venv $(VENVS)/test-$(1)
	$(VENVS)/test-$(1)/bin/pip install --quiet -r requirements/test.txt
	touch $$@
endef
$(foreach python,$(PYTHONS),$(eval $(call test_environment,$(firstword $(subst :, ,$(python))),$(lastword $(subst :, ,$(python))))))
ENVIRONMENTS := $(foreach version,$(VERSIONS),$(VENVS)/test-$(version)/.made)

# --- test -----------------------------------------------------------------------------------------------------------

test:
	$(LEDGER) begin
	$(PHASE) "environments" -- $(MAKE_QUIET) --jobs $(VENVS)/build/.made $(ENVIRONMENTS)
	for crate in $(TESTED); do $(PHASE) "cargo test $$crate" -- cargo test --quiet --locked -p $$crate; done
	$(PHASE) "cargo test oxflow-engine" -- cargo test --quiet --locked -p oxflow-engine --features kafka,otlp
	$(PHASE) "cargo test oxflow, what is recorded" -- \
	    cargo test --quiet --locked -p oxflow --features log,tracing --test recorded --test own_subscriber
	$(PHASE) "mutants" -- $(MAKE_QUIET) mutants
	if $(LINKABLE); then $(PHASE) "cargo test metrics_steps" -- $(MAKE_QUIET) test-steps; \
	    else $(LEDGER) missing "cargo test metrics_steps" "$(OLDEST) has no shared library to link"; fi
	$(PHASE) "wheels" -- $(MAKE_QUIET) test-wheels
	$(MAKE_QUIET) --jobs --output-sync=target BEGUN_BY=$@ pytests
	$(PHASE) "stub" -- $(VENVS)/test-$(firstword $(VERSIONS))/bin/python -m mypy.stubtest oxflow._oxflow
	$(if $(word 2,$(VERSIONS)),,$(LEDGER) missing "the newest Python" "only Python $(VERSIONS) is here")
	$(LEDGER) end

# Whether test programs can be linked with Python: many are built without a shared library.
LINKABLE = $(OLDEST) -c 'import sysconfig as s; exit(not (s.get_config_var("Py_ENABLE_SHARED") or s.get_config_var("PYTHONFRAMEWORK")))'

# A user's crate: its own workspace, its own lock file. Its tests link libpython, which need not be where the loader looks.
.PHONY: test-steps
test-steps:
	LD_LIBRARY_PATH="$$($(OLDEST) -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))'):$${LD_LIBRARY_PATH:-}" \
	    cargo test --quiet --locked --manifest-path examples/metrics/steps/Cargo.toml

.PHONY: mutants
mutants:
	python3 tools/mutants.py $(VENVS)/mutants

test-wheels: $(VENVS)/build/.made $(ENVIRONMENTS)
	rm -rf $(VENVS)/wheels/test
	# With what the stub is made of, so that `make stubs` finds it built.
	$(TEST_WHEEL) --features stubs,crash-points
	$(TEST_WHEEL) --manifest-path examples/metrics/steps/Cargo.toml
	$(TEST_WHEEL) --manifest-path tests/steps/Cargo.toml
	$(TEST_WHEEL) --manifest-path tests/pure/Cargo.toml --features extension
	for version in $(VERSIONS); do \
	    $(VENVS)/test-$$version/bin/pip install --quiet --no-deps --force-reinstall $(VENVS)/wheels/test/*.whl; \
	done

# Beside each other, since much of what one does is to wait: for a broker, for a process that was killed, for the other
# side. The Pythons take turns: what they build has one place for both.
.PHONY: pytests pytest-once pytest-on-each
pytests: pytest-once pytest-on-each

pytest-once:
	$(PHASE) "pytest, what knows no Python" -- $(VENVS)/test-$(firstword $(VERSIONS))/bin/python -m pytest -q $(ONCE)

pytest-on-each:
	for version in $(VERSIONS); do \
	    $(PHASE) "pytest on $$version" -- $(VENVS)/test-$$version/bin/python -m pytest -q $(addprefix --ignore=,$(ONCE)); \
	done

# Quick: what is installed already, on the oldest Python.
pytest:
	$(VENVS)/test-$(firstword $(VERSIONS))/bin/python -m pytest -q

# --- lint -----------------------------------------------------------------------------------------------------------

lint:
	$(LEDGER) begin
	$(PHASE) "environments" -- $(MAKE_QUIET) --jobs $(VENVS)/build/.made $(VENVS)/lint/.made $(VENVS)/docs/.made
	$(PHASE) "format" -- $(MAKE_QUIET) format-check
	$(PHASE) "clippy" -- $(MAKE_QUIET) clippy
	$(PHASE) "ruff" -- $(LINT)/ruff check $(PYTHON_CODE)
	$(PHASE) "types" -- $(MAKE_QUIET) types
	$(PHASE) "stub" -- $(BUILD)/python tools/stubs.py --check
	$(PHASE) "stubs of Rust steps" -- $(MAKE_QUIET) steps-stubs CHECK=--check
	$(PHASE) "docs" -- $(MAKE_QUIET) docs
	$(LEDGER) end

.PHONY: format-check format
format-check:
	cargo fmt --check
	for crate in $(APART); do cargo fmt --check --manifest-path $$crate/Cargo.toml; done
	$(LINT)/ruff format --check $(PYTHON_CODE)

format: $(VENVS)/lint/.made
	cargo fmt
	for crate in $(APART); do cargo fmt --manifest-path $$crate/Cargo.toml; done
	$(LINT)/ruff format $(PYTHON_CODE)
	$(LINT)/ruff check --fix $(PYTHON_CODE)

clippy:
	for crate in $(CRATES); do cargo clippy --quiet --locked -p $$crate --all-targets -- -D warnings; done
	cargo clippy --quiet --locked -p oxflow --features python -- -D warnings
	cargo clippy --quiet --locked -p oxflow-engine --features kafka,otlp --all-targets -- -D warnings
	cargo clippy --quiet --locked -p oxflow-macros --features schema -- -D warnings
	cargo clippy --quiet --locked -p oxflow --features log,tracing --all-targets -- -D warnings
	for crate in $(APART); do \
	    cargo clippy --quiet --locked --manifest-path $$crate/Cargo.toml --all-targets -- -D warnings; \
	done
	# Run once in a while: it must not be found then that they no longer compile.
	cargo check --quiet --locked --manifest-path fuzz/Cargo.toml

types:
	$(LINT)/mypy $(PYTHON_CODE)
	$(LINT)/pyright --pythonpath $(LINT)/python

stubs: steps-stubs
	$(BUILD)/python tools/stubs.py

# As users write them: with what the built modules show.
.PHONY: steps-stubs
steps-stubs: test-wheels
	$(OXFLOW) stubs test_steps --output tests/steps $(CHECK)
	$(OXFLOW) stubs pure_words --output tests/pure $(CHECK)
	$(OXFLOW) stubs metrics_steps --output examples/metrics/steps $(CHECK)

# By what `make test` installed.
.PHONY: schema
schema:
	$(OXFLOW) config-schema | python3 -m json.tool > docs/reference/config.schema.json
	$(OXFLOW) pipeline-schema | python3 -m json.tool > docs/reference/pipeline.schema.json

.PHONY: template-lock
template-lock:
	$(VENVS)/test-$(firstword $(VERSIONS))/bin/python tools/template_lock.py

docs: $(VENVS)/docs/.made
	NO_MKDOCS_2_WARNING=1 $(VENVS)/docs/bin/mkdocs build --quiet --strict

# --- demo -----------------------------------------------------------------------------------------------------------

MESSAGES := 200000
EXAMPLES = $(VENVS)/demo/lib/python*/site-packages/sentry_kafka_schemas/examples/ingest-metrics/1
INPUT := $(VENVS)/demo-data/ingest-metrics-$(MESSAGES).jsonl
OUTPUTS := $(VENVS)/demo-data
BOUND = --stream ingest-metrics=file:$(INPUT) --stream transformed-metrics=file:$(OUTPUTS)/

demo:
	$(LEDGER) begin
	$(PHASE) "environments" -- $(MAKE_QUIET) $(VENVS)/build/.made $(VENVS)/demo/.made
	$(PHASE) "oxflow, release build" -- $(MAKE_QUIET) demo-oxflow
	$(PHASE) "the user's Rust steps, release build" -- $(MAKE_QUIET) demo-steps
	$(PHASE) "$(MESSAGES) messages" -- python3 tools/messages.py $(EXAMPLES) $(MESSAGES) $(INPUT)
	$(PHASE) "oxflow check" -- $(DEMO)/oxflow check examples/metrics/pipeline.py $(BOUND)mixed.jsonl
	rm -f $(OUTPUTS)/{mixed,native}.jsonl
	$(PHASE) "parser and filter in Python" -- $(DEMO)/oxflow run examples/metrics/pipeline.py $(BOUND)mixed.jsonl
	$(PHASE) "parser and filter in Rust" -- $(DEMO)/oxflow run examples/metrics/native.py $(BOUND)native.jsonl
	cmp $(OUTPUTS)/{mixed,native}.jsonl
	echo; echo "both wrote the same $$(wc -l < $(OUTPUTS)/native.jsonl) results; three of them:"; head -n 3 $(OUTPUTS)/native.jsonl
	$(LEDGER) end

.PHONY: demo-oxflow demo-steps
demo-oxflow:
	rm -rf $(VENVS)/wheels/demo
	$(MATURIN) --release --locked --out $(VENVS)/wheels/demo
	$(DEMO)/pip install --quiet --no-deps --force-reinstall $(VENVS)/wheels/demo/oxflow-*.whl

demo-steps:
	$(MATURIN) --release --locked --manifest-path examples/metrics/steps/Cargo.toml --out $(VENVS)/wheels/demo
	$(DEMO)/pip install --quiet --no-deps --force-reinstall $(VENVS)/wheels/demo/metrics_steps-*.whl

# --- bench ----------------------------------------------------------------------------------------------------------

# The long loops of what `make test` does once.
faults:
	$(LEDGER) begin
	$(PHASE) "environments" -- $(MAKE_QUIET) $(VENVS)/build/.made $(ENVIRONMENTS)
	$(PHASE) "wheels" -- $(MAKE_QUIET) test-wheels
	$(PHASE) "300 kills" -- env OXFLOW_KILLS=300 $(VENVS)/test-$(firstword $(VERSIONS))/bin/python -m pytest -q tests/test_delivery.py
	$(PHASE) "errors of a mock cluster" -- cargo test --quiet --locked -p oxflow-engine --features kafka --lib -- --ignored mocked
	$(PHASE) "mutants on a broker" -- $(VENVS)/test-$(firstword $(VERSIONS))/bin/python tools/fault_mutants.py $(VENVS)/fault-mutants \
	    $(VENVS)/test-$(firstword $(VERSIONS))/bin/python $(abspath $(BUILD)/maturin)
	$(PHASE) "faults on a broker" -- env OXFLOW_KAFKA_RUNS=20 OXFLOW_KAFKA_BROKER_RUNS=30 OXFLOW_KAFKA_KILLS=300 OXFLOW_KAFKA_LOAD_S=1800 \
	    OXFLOW_KAFKA_NETWORK_RUNS=10 OXFLOW_KAFKA_STALL_RUNS=5 OXFLOW_KAFKA_STALL_S=60 OXFLOW_KAFKA_HOLD_S=30 OXFLOW_KAFKA_BAD_RUNS=5 \
	    $(VENVS)/test-$(firstword $(VERSIONS))/bin/python -m pytest -q -s tests/faults
	$(LEDGER) end

# Outside the checkout: most of what is built there stays as it is.
COMPAT := $(HOME)/.cache/oxflow/compat
SANITIZED := x86_64-unknown-linux-gnu
# Is this toolchain, or this part of it, there?
HAS_NIGHTLY = rustup run nightly rustc --version >/dev/null 2>&1
HAS_MIRI = rustup run nightly cargo miri --version >/dev/null 2>&1
SOAK = --locked -p oxflow --features log,tracing --test soak

# Each in a target directory of its own, since their flags differ.
compat:
	$(LEDGER) begin
	$(PHASE) "environments" -- $(MAKE_QUIET) $(VENVS)/build/.made
	if $(HAS_NIGHTLY); then $(PHASE) "builds made apart" -- python3 tools/compat.py $(COMPAT) $(OLDEST) $(BUILD)/maturin; \
	    else $(LEDGER) missing "builds made apart" "there is no nightly toolchain"; fi
	$(PHASE) "10 million messages" -- env OXFLOW_SOAK=10000000 CARGO_TARGET_DIR=$(COMPAT)/target-soak \
	    cargo test --quiet --release $(SOAK) -- --nocapture
	$(PHASE) "10 million messages through a pipeline" -- $(MAKE_QUIET) soak
	if $(HAS_NIGHTLY); then $(PHASE) "AddressSanitizer" -- $(MAKE_QUIET) sanitized; \
	    else $(LEDGER) missing "AddressSanitizer" "there is no nightly toolchain"; fi
	if $(HAS_MIRI); then $(PHASE) "Miri" -- $(MAKE_QUIET) miri; \
	    else $(LEDGER) missing "Miri" "it is no part of the nightly toolchain here"; fi
	$(LEDGER) end

# A release build of both sides, beside each other.
.PHONY: soak
soak: $(VENVS)/build/.made
	rm -rf $(COMPAT)/wheels/release
	$(MATURIN) --release --locked --out $(COMPAT)/wheels/release
	$(OLDEST) -m venv --clear $(COMPAT)/environments/release
	$(COMPAT)/environments/release/bin/pip install --quiet --no-deps $(COMPAT)/wheels/release/*.whl
	CARGO_TARGET_DIR=$(COMPAT)/target/release cargo build --quiet --release --locked --manifest-path tests/compat/steps/Cargo.toml
	mkdir -p $(COMPAT)/modules/release
	cp $(COMPAT)/target/release/release/libcompat_steps.so $(COMPAT)/modules/release/compat_steps.abi3.so
	MALLOC_ARENA_MAX=1 $(COMPAT)/environments/release/bin/python tests/compat/soak.py $(COMPAT)/modules/release

# With leaks. What must not compile is no matter of sanitizers.
.PHONY: sanitized miri
sanitized:
	env OXFLOW_SOAK=100000 ASAN_OPTIONS=detect_leaks=1 CARGO_TARGET_DIR=$(COMPAT)/target-asan RUSTFLAGS=-Zsanitizer=address \
	    cargo +nightly test --quiet --target $(SANITIZED) $(SOAK) --lib --test it --test recorded --test own_subscriber -- --skip rejected

# The entries of the tables, without what starts processes or takes minutes.
miri:
	env -u RUSTFLAGS MIRIFLAGS=-Zmiri-disable-isolation CARGO_TARGET_DIR=$(COMPAT)/target-miri \
	    cargo +nightly miri test --quiet --locked -p oxflow --features log,tracing --lib --test it -- $(MIRI_TESTS)
MIRI_TESTS := growth rows batches borrowed constructed error_policies --skip backtrace --skip round_trip

FUZZ_SECONDS := 600
fuzz:
	python3 tools/fuzz.py $(HOME)/.cache/oxflow/fuzz $(FUZZ_SECONDS)

BENCH = $(VENVS)/bench-oxflow/bin

# The peers have an environment of their own.
bench: $(VENVS)/build/.made $(VENVS)/bench/.made
	rm -rf $(VENVS)/wheels/bench
	$(MATURIN) --release --locked --out $(VENVS)/wheels/bench
	$(MATURIN) --release --locked --manifest-path benches/streams/steps/Cargo.toml --out $(VENVS)/wheels/bench
	cargo build --quiet --release --locked --manifest-path benches/streams/loop/Cargo.toml
	$(OLDEST) -m venv --clear $(VENVS)/bench-oxflow
	$(BENCH)/pip install --quiet --no-deps $(VENVS)/wheels/bench/*.whl
	$(BENCH)/python benches/streams/compare.py --oxflow $(BENCH)/python --peers $(VENVS)/bench/bin/python \
	    --loop $(CARGO_TARGET_DIR)/release/streams-loop --data $(VENVS)/bench-data --results benches/results

# A program without Python against the plain loop.
.PHONY: bench-pure
bench-pure:
	for crate in pure_rust streams/loop; do cargo build --quiet --release --locked --manifest-path benches/$$crate/Cargo.toml; done
	python3 benches/pure_rust/compare.py $(CARGO_TARGET_DIR)/release/pure_rust $(CARGO_TARGET_DIR)/release/streams-loop $(VENVS)/bench-data \
	    benches/results

# Peers that don't run on the oldest Python, nor beside each other.
NEWEST := $(lastword $(subst :, ,$(lastword $(PYTHONS))))
KAFKA_PEERS := quix sentry
$(foreach peer,$(KAFKA_PEERS),$(VENVS)/bench-$(peer)/.made): $(VENVS)/bench-%/.made: requirements/bench-%.txt
	rm -rf $(VENVS)/bench-$*
	$(NEWEST) -m venv $(VENVS)/bench-$*
	if $(VENVS)/bench-$*/bin/pip install --quiet -r $<; then touch $@; \
	    else echo "$* can't be installed here: its rows are left out"; fi
BENCH_KAFKA = $(VENVS)/bench-kafka-oxflow/bin

.PHONY: bench-kafka
bench-kafka: $(VENVS)/build/.made $(VENVS)/bench-kafka/.made $(foreach peer,$(KAFKA_PEERS),$(VENVS)/bench-$(peer)/.made)
	rm -rf $(VENVS)/wheels/bench-kafka
	$(MATURIN) --release --locked --out $(VENVS)/wheels/bench-kafka
	$(MATURIN) --release --locked --manifest-path examples/metrics/steps/Cargo.toml --out $(VENVS)/wheels/bench-kafka
	cargo build --quiet --release --locked --manifest-path benches/kafka/programs/Cargo.toml
	$(OLDEST) -m venv --clear $(VENVS)/bench-kafka-oxflow
	$(BENCH_KAFKA)/pip install --quiet orjson==3.13.0
	$(BENCH_KAFKA)/pip install --quiet --no-deps $(VENVS)/wheels/bench-kafka/*.whl
	$(VENVS)/bench-kafka/bin/python benches/kafka/race.py --oxflow $(BENCH_KAFKA)/python --peers $(VENVS)/bench-kafka/bin/python \
	    $(foreach peer,$(KAFKA_PEERS),$$([ -e $(VENVS)/bench-$(peer)/.made ] && echo --$(peer) $(VENVS)/bench-$(peer)/bin/python)) \
	    --built $(CARGO_TARGET_DIR)/release --results benches/results

BENCH_SDK = $(VENVS)/bench-sdk/bin

.PHONY: bench-sdk
bench-sdk: $(VENVS)/build/.made
	rm -rf $(VENVS)/wheels/bench-sdk
	$(MATURIN) --release --locked --out $(VENVS)/wheels/bench-sdk
	for crate in sdk/steps sdk/peer streams/steps; do \
	    $(MATURIN) --release --locked --manifest-path benches/$$crate/Cargo.toml --out $(VENVS)/wheels/bench-sdk; \
	done
	cargo build --quiet --release --locked --manifest-path benches/sdk/table/Cargo.toml
	$(OLDEST) -m venv --clear $(VENVS)/bench-sdk
	$(BENCH_SDK)/pip install --quiet msgspec==0.22.0 orjson==3.13.0
	$(BENCH_SDK)/pip install --quiet --no-deps $(VENVS)/wheels/bench-sdk/*.whl
	$(BENCH_SDK)/python benches/sdk/costs.py $(CARGO_TARGET_DIR)/release/sdk-table --results benches/results
	$(BENCH_SDK)/python benches/sdk/calls.py --results benches/results
	mkdir -p $(VENVS)/bench-data
	$(BENCH_SDK)/python benches/sdk/edges.py $(VENVS)/bench-data --results benches/results
	$(BENCH_SDK)/python benches/sdk/busy.py $(VENVS)/bench-data --results benches/results

BENCH_MAPS = $(VENVS)/bench-sourcemap
ESBUILD = node_modules/.bin/esbuild --bundle --format=esm --log-level=error

# Needs npm: 33 MB of map with the contents of its sources, minified, and 20 MB of 3.5 million segments on 856,000 lines.
$(BENCH_MAPS)/maps/.made: benches/sourcemap/maps/package.json benches/sourcemap/maps/bundle.js benches/sourcemap/maps/lines.js
	mkdir -p $(@D)/built
	cp $^ $(@D)
	cd $(@D) && npm install --silent --no-audit --no-fund
	cd $(@D) && $(ESBUILD) bundle.js --minify --sourcemap --outfile=built/bundle.min.js
	cd $(@D) && $(ESBUILD) lines.js --sourcemap --sources-content=false --platform=node --outfile=built/lines.js
	touch $@

.PHONY: bench-sourcemap
bench-sourcemap: $(VENVS)/build/.made $(BENCH_MAPS)/maps/.made
	rm -rf $(VENVS)/wheels/bench-sourcemap
	$(MATURIN) --release --locked --out $(VENVS)/wheels/bench-sourcemap
	cargo build --quiet --release --locked --manifest-path benches/sourcemap/peer/Cargo.toml
	for side in oxflow peers; do $(OLDEST) -m venv --clear $(BENCH_MAPS)/$$side; done
	$(BENCH_MAPS)/oxflow/bin/pip install --quiet --no-deps $(VENVS)/wheels/bench-sourcemap/*.whl
	$(BENCH_MAPS)/peers/bin/pip install --quiet symbolic==13.9.0 sourcemap==0.2.1
	python3 benches/sourcemap/compare.py --oxflow $(BENCH_MAPS)/oxflow/bin/python --peers $(BENCH_MAPS)/peers/bin/python \
	    --crates $(CARGO_TARGET_DIR)/release/sourcemap-peer --maps $(BENCH_MAPS)/maps/built --results benches/results

BENCH_TELEMETRY = $(VENVS)/bench-telemetry/bin

# With the peers in one environment: each is measured in a process of its own.
.PHONY: bench-telemetry
bench-telemetry: $(VENVS)/build/.made $(VENVS)/bench-telemetry/.made
	rm -rf $(VENVS)/wheels/bench-telemetry
	$(MATURIN) --release --locked --out $(VENVS)/wheels/bench-telemetry
	$(BENCH_TELEMETRY)/pip install --quiet --no-deps --force-reinstall $(VENVS)/wheels/bench-telemetry/*.whl
	$(BENCH_TELEMETRY)/python benches/telemetry/contest.py --results benches/results

BENCH_SCHEDULER = $(VENVS)/bench-scheduler/bin

.PHONY: bench-scheduler
bench-scheduler: $(VENVS)/build/.made
	rm -rf $(VENVS)/wheels/bench-scheduler
	$(MATURIN) --release --locked --out $(VENVS)/wheels/bench-scheduler
	$(MATURIN) --release --locked --manifest-path benches/scheduler/naive/Cargo.toml --out $(VENVS)/wheels/bench-scheduler
	$(OLDEST) -m venv --clear $(VENVS)/bench-scheduler
	$(BENCH_SCHEDULER)/pip install --quiet numpy==2.2.6 aiohttp==3.14.5
	$(BENCH_SCHEDULER)/pip install --quiet --no-deps $(VENVS)/wheels/bench-scheduler/*.whl
	$(BENCH_SCHEDULER)/python benches/scheduler/versus.py
	$(BENCH_SCHEDULER)/python benches/scheduler/fetch.py
