# The axis: every target works from a bare clone; `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	if $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; break; fi; done)
BIN := .venv/bin
STAMP := .venv/.ready
TOOLS := .axis/tools
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
TEST_PROCESSES ?= 3
ROUNDS ?= 5
MINUTES ?= 30
ARGS ?=
TLS ?=
SEED ?= 1
RESOLVE := --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade

.PHONY: help setup demo up down test e2e faults fuzz bench check sbom format lock
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

# Scripts in an environment name the folder it was made in: in a clone that has moved since, it is made anew.
ifeq ($(shell [ ! -s $(STAMP) ] || [ "$$(cat $(STAMP))" = "$$(pwd -P)" ] || echo moved),moved)
.PHONY: $(STAMP)
endif
setup: $(STAMP) ## make the environment only: .venv with pinned dependencies
$(STAMP): requirements.lock pyproject.toml
	@if [ -z "$(PYTHON)" ]; then echo "The axis needs Python 3.11 or newer with venv (Debian: apt-get install python3-venv)." >&2; exit 69; fi
	@echo "setup: $$($(PYTHON) --version), pinned dependencies into .venv …"
	@$(PYTHON) -m venv --clear .venv
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@pwd -P >$@

demo: setup ## play the story through a real broker and database, and show what became of every document (TLS=1, MIXED=1)
	@$(BIN)/axis demo $(if $(TLS),--tls) $(if $(MIXED),--mixed) $(ARGS)

up: setup ## leave the axis running and say how to send the first document (TLS=1)
	@$(BIN)/axis up $(if $(TLS),--tls) $(if $(MIXED),--mixed) $(ARGS)

down: setup ## stop the axis; its data under .axis/ stays
	@$(BIN)/axis down $(ARGS)

test: setup ## run every test against real RabbitMQ and PostgreSQL (ARGS="-k name" for some)
	@$(BIN)/python -m pytest -q -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder --reasons=.axis/reasons.txt $(ARGS)

BROWSING := .venv/.browsing
$(BROWSING): $(STAMP) requirements-e2e.lock
	@$(PIP) --require-hashes -r requirements-e2e.lock
	@touch $@

e2e: $(BROWSING) ## click through the console in a headless Chromium; pictures of every page in .axis/e2e (ARGS="-k name")
	@$(BIN)/python -m tests.e2e.chromium
	@$(BIN)/python -m pytest -q tests/e2e $(ARGS)

bench: setup ## measure beside what others would write (BENCH=name, ROUNDS=5, COUNT=, MINUTES=, PAGE=file, ARGS=)
	@$(BIN)/python -m tests.bench $(BENCH) --rounds $(ROUNDS) --minutes $(MINUTES) \
		$(if $(COUNT),--count $(COUNT)) $(if $(PAGE),--page $(PAGE)) $(ARGS)

faults: setup ## break a private axis for MINUTES=30 by SEED=1, and account for every document
	@$(BIN)/axis faults run --total $(MINUTES) --seed $(SEED) $(ARGS)

FUZZER := .venv/.fuzzer
$(FUZZER): $(STAMP) requirements-fuzz.lock
	@$(PIP) --require-hashes -r requirements-fuzz.lock
	@touch $@

fuzz: $(FUZZER) ## look for bytes that break a parser (TARGET=edxml, MINUTES=10 for each target)
	@$(BIN)/python -m tests.fuzz $(TARGET) --minutes $(if $(filter file,$(origin MINUTES)),10,$(MINUTES))

check: setup ## format, lint, types, import contracts, file sizes, generated files, known vulnerabilities
	@$(BIN)/ruff format --check --quiet . || { echo "check: run make format" >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache >/dev/null || { $(BIN)/lint-imports --no-cache; exit 1; }
	@$(BIN)/python -m schemas.generate --check
	@find schemas axis workers release tests examples -name '*.py' -exec wc -l {} + | awk '$$2 != "total" && $$1 > 400 {print "check: " $$2 " has " $$1 " lines, the limit is 400"; bad = 1} END {exit bad}'
	@$(MAKE) --no-print-directory $(TOOLS)/.ready >/dev/null 2>&1 || true
	@$(BIN)/python -m release.audit --tools $(TOOLS)
	@echo "check: format, lint, types, imports, sizes and generated files are in order"

# Apart from .venv: nothing that the axis runs with has to agree with what these need.
$(TOOLS)/.ready: requirements-audit.lock
	@$(BIN)/python -m venv --clear $(TOOLS)
	@$(TOOLS)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements-audit.lock
	@touch $@

sbom: setup $(TOOLS)/.ready ## list what a release is made of, and sign it (KEY=key.pem CERTIFICATE=certificate.pem)
	@$(BIN)/python -m release.sbom $(if $(KEY),--key $(KEY) --certificate $(CERTIFICATE))

format: setup ## format the code
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --fix --quiet .

lock: ## resolve the dependencies anew into requirements*.lock (needs uv)
	uv pip compile $(RESOLVE) --group dev pyproject.toml -o requirements.lock
	uv pip compile $(RESOLVE) --group audit -o requirements-audit.lock
	uv pip compile $(RESOLVE) --group fuzz -o requirements-fuzz.lock
	uv pip compile $(RESOLVE) --group e2e -o requirements-e2e.lock
