# The only commands: people and CI call the same ones. Everything made lands in .venv, site and $(CARGO_TARGET_DIR).
#
#   make demo    build the wheel and a user's Rust step, run the metrics pipeline with Python and without
#   make test    every test, on the oldest and the newest Python at hand
#   make lint    format, lints, types, the generated stub, the docs
#   make stubs   write python/oxflow/_oxflow.pyi and the stubs of our Rust steps anew
#   make schema  write docs/reference/config.schema.json anew
#   make template-lock  write the lock file of new projects anew
#   make mutants break the engine's state machines on purpose, and see that its tests notice
#   make faults  kill the run 300 times and count what is lost or repeated
#   make bench   oxflow against plain loops in Python and Rust, and against bytewax
#   make bench-sdk  calls of Rust functions, by kind of payload; lanes beside a busy Python thread
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
# One interpreter for all of cargo: a change of it builds PyO3 anew.
export PYO3_PYTHON := $(OLDEST)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONDONTWRITEBYTECODE := 1

VENVS := .venv
CRATES := oxflow oxflow-macros oxflow-schema oxflow-protobuf oxflow-engine oxflow-python
TESTED := oxflow oxflow-macros oxflow-schema oxflow-protobuf oxflow-engine
# As a user's crate would be: each its own workspace, with its own lock file.
APART := examples/metrics/steps tests/steps benches/streams/loop benches/streams/steps benches/sdk/table benches/sdk/steps benches/sdk/peer
PYTHON_CODE := python tests tools examples benches

BUILD := $(VENVS)/build/bin
LINT := $(VENVS)/lint/bin
OXFLOW := $(VENVS)/test-$(firstword $(VERSIONS))/bin/oxflow
DEMO := $(VENVS)/demo/bin

LEDGER = python3 tools/ledger.py $(VENVS)/ledger-$@
PHASE = $(LEDGER) run
MAKE_QUIET = $(MAKE) --no-print-directory
MATURIN = $(BUILD)/maturin build --quiet --interpreter $(OLDEST)
TEST_WHEEL = $(MATURIN) --profile dev --locked --out $(VENVS)/wheels/test

.PHONY: demo test lint stubs faults bench docs pytest clippy types test-wheels demo-wheels

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
	$(PHASE) "environments" -- $(MAKE_QUIET) $(VENVS)/build/.made $(ENVIRONMENTS)
	for crate in $(TESTED); do $(PHASE) "cargo test $$crate" -- cargo test --quiet --locked -p $$crate; done
	$(PHASE) "cargo test oxflow, what is recorded" -- \
	    cargo test --quiet --locked -p oxflow --features log,tracing --test recorded --test own_subscriber
	$(PHASE) "mutants" -- $(MAKE_QUIET) mutants
	if $(LINKABLE); then $(PHASE) "cargo test metrics_steps" -- $(MAKE_QUIET) test-steps; \
	    else $(LEDGER) missing "cargo test metrics_steps" "$(OLDEST) has no shared library to link"; fi
	$(PHASE) "wheels" -- $(MAKE_QUIET) test-wheels
	for version in $(VERSIONS); do $(PHASE) "pytest on $$version" -- $(VENVS)/test-$$version/bin/python -m pytest -q; done
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
	for version in $(VERSIONS); do \
	    $(VENVS)/test-$$version/bin/pip install --quiet --no-deps --force-reinstall $(VENVS)/wheels/test/*.whl; \
	done

# Quick: what is installed already, on the oldest Python.
pytest:
	$(VENVS)/test-$(firstword $(VERSIONS))/bin/python -m pytest -q

# --- lint -----------------------------------------------------------------------------------------------------------

lint:
	$(LEDGER) begin
	$(PHASE) "environments" -- $(MAKE_QUIET) $(VENVS)/build/.made $(VENVS)/lint/.made $(VENVS)/docs/.made
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
	cargo clippy --quiet --locked -p oxflow-macros --features schema -- -D warnings
	cargo clippy --quiet --locked -p oxflow --features log,tracing --all-targets -- -D warnings
	for crate in $(APART); do \
	    cargo clippy --quiet --locked --manifest-path $$crate/Cargo.toml --all-targets -- -D warnings; \
	done

types:
	$(LINT)/mypy $(PYTHON_CODE)
	$(LINT)/pyright --pythonpath $(LINT)/python

stubs: steps-stubs
	$(BUILD)/python tools/stubs.py

# As users write them: with what the built modules show.
.PHONY: steps-stubs
steps-stubs: test-wheels
	$(OXFLOW) stubs test_steps --output tests/steps $(CHECK)
	$(OXFLOW) stubs metrics_steps --output examples/metrics/steps $(CHECK)

# By what `make test` installed.
.PHONY: schema
schema:
	$(OXFLOW) config-schema | python3 -m json.tool > docs/reference/config.schema.json

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
	$(LEDGER) end

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
	$(BENCH_SDK)/python benches/sdk/tables.py $(CARGO_TARGET_DIR)/release/sdk-table
	$(BENCH_SDK)/python benches/sdk/calls.py --results benches/results
	mkdir -p $(VENVS)/bench-data
	$(BENCH_SDK)/python benches/sdk/busy.py $(VENVS)/bench-data
