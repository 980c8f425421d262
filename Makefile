# Two commands: `make demo` opens the monitor on a sample feed, `make test` runs all checks.
# Both make their own environment in .venv; Python 3.11 or newer is all they need.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

.PHONY: demo test test-live lint types imports pytest bench constraints clean help

help:
	@echo "make demo   the monitor on a bundled sample feed"
	@echo "make test   everything that CI runs"
	@echo "make bench  everything that is measured"
	@echo "make test-live  a live venue's server, on request: GEXTERM_LIVE=deribit make test-live"

$(VENV)/python:
	@test -n "$(PYTHON)" || { echo "gexterm needs Python 3.11 or newer; none was found" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "gexterm needs Python 3.11 or newer; $(PYTHON) is older (make PYTHON=/path/to/python3.11)" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# What a user needs. Hashes are checked; the project itself is built from this tree.
$(VENV)/installed: $(VENV)/python pyproject.toml constraints/run.txt
	@echo "installing gexterm into $(VENV) ..."
	@$(PIP) install --require-hashes -r constraints/run.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

# What a developer needs besides. The oracle of trade signing asks for numpy 1 in its metadata
# and runs with numpy 2, so that it is installed apart, without what it asks for.
$(VENV)/installed-dev: $(VENV)/python pyproject.toml constraints/dev.txt constraints/oracles.txt
	@echo "installing gexterm and its checks into $(VENV) ..."
	@$(PIP) install --require-hashes -r constraints/dev.txt
	@$(PIP) install --no-deps --require-hashes -r constraints/oracles.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/installed

demo: $(VENV)/installed
	@$(BIN)/gexterm demo

test: lint types imports pytest

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

imports: $(VENV)/installed-dev
	$(BIN)/lint-imports

pytest: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

# Real venues, never in CI: GEXTERM_LIVE=deribit make test-live
test-live: $(VENV)/installed-dev
	@test -n "$(GEXTERM_LIVE)" || { echo "say which: GEXTERM_LIVE=deribit make test-live" >&2; exit 2; }
	$(BIN)/python -m pytest -s tests/live

bench: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks

# Needs uv, and an index that knows every platform's files.
constraints:
	uv pip compile pyproject.toml --extra build $(LOCK) -o constraints/run.txt
	uv pip compile pyproject.toml --extra dev $(LOCK) -c constraints/run.txt -o constraints/dev.txt
	echo "tclf==0.4.0" | uv pip compile - $(LOCK) --no-deps -o constraints/oracles.txt

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
