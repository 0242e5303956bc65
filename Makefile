# `make help` lists the targets. Needs Python 3.11 (or newer) and make; everything else is fetched into .venv.
# All paths are relative, so that the folder of the checkout may have spaces in its name.

SHELL := /bin/sh
.DEFAULT_GOAL := help

DEMO ?= 1
BIN := .venv/bin
# Locking gives the same file on every machine: all platforms, hashes, no address of an index.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help install run test test-install check check-pages screenshots bench lock front-end

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)$$/\1|\2/p' Makefile | while IFS='|' read -r name words; do printf '  make %-13s %s\n' "$$name" "$$words"; done

install: .venv/run.stamp front-end ## make .venv with the locked packages and build the front end

run: install ## serve the demo district on http://127.0.0.1:8000 (make run DEMO=0: a real installation)
	@DEMO=$(DEMO) exec $(BIN)/quizapp serve

.venv/bin/python:
	@echo "Environment: making .venv"
	@for python in python3.11 python3 python3.12 python3.13 python3.14; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then echo "make: no Python 3.11 or newer found: install it (Debian: apt-get install python3 python3-venv)" >&2; exit 1; fi; \
	$$found -m venv .venv || { rm -rf .venv; echo "make: $$found cannot make an environment: install its venv module (Debian: apt-get install python3-venv)" >&2; exit 1; }

.venv/run.stamp: requirements/run.txt pyproject.toml | .venv/bin/python
	@echo "Environment: fetching the locked packages (a minute or two)"
	@$(PIP) install --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/test.stamp: requirements/test.txt .venv/run.stamp
	@echo "Environment: fetching the locked packages for tests"
	@$(PIP) install --require-hashes -r requirements/test.txt
	@touch $@

# node_modules comes once, by the system's npm or by one in an environment of its own; the rest of the build keeps its own stamp.
front-end: .venv/run.stamp
	@if ! cmp -s package-lock.json .venv/package-lock.json && ! command -v npm >/dev/null 2>&1 && [ ! -x .venv-build/bin/npm ]; then \
	  echo "Front end: fetching npm into .venv-build"; \
	  $(BIN)/python -m venv .venv-build && .venv-build/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/build.txt; \
	fi
	@$(BIN)/python -m quizapp.ui.build
	@cp package-lock.json .venv/package-lock.json

test-install: install .venv/test.stamp
	@command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || \
	  { echo "make: the browser tests need Chromium (Debian: apt-get install chromium fonts-noto-cjk)" >&2; exit 1; }

check: install .venv/test.stamp ## formatting, lint, types, import contract, templates, translations
	@echo "ruff format"; $(BIN)/ruff format --check --quiet .
	@echo "ruff"; $(BIN)/ruff check --quiet .
	@echo "mypy"; $(BIN)/mypy
	@echo "lint-imports"; $(BIN)/lint-imports --no-cache > .venv/imports.log || { cat .venv/imports.log; exit 1; }
	@echo "djlint"; $(BIN)/djlint --quiet --lint quizapp
	@echo "catalogues"; $(BIN)/python -m quizapp.ui.catalogue --check

# The browser tests run beside the others, journeys and parts one after the other (each has a browser of its own); all must pass.
# Several test processes share the cores: numbers on more threads than that only wait for each other.
test: export OPENBLAS_NUM_THREADS := 1
test: test-install check ## all checks and tests
	@( journeys=0; $(BIN)/pytest -q tests/browser -m "browser and not pages" -n 0 || journeys=$$?; \
	  $(BIN)/pytest -q tests/ui -m "browser and not pages" -n 0 && exit $$journeys ) > .venv/browser.log 2>&1 & browser=$$!; \
	others=0; $(BIN)/pytest -q -m "not browser and not pages" -n 2 --durations 30 --durations-min 3 || others=$$?; \
	browsers=0; wait $$browser || browsers=$$?; \
	echo; echo "In the browser:"; cat .venv/browser.log; \
	[ $$others -eq 0 ] && [ $$browsers -eq 0 ] && echo "All checks and tests passed."

check-pages: test-install ## every page in every variant, in the browser
	@$(BIN)/pytest -q -m pages -n 0

screenshots: test-install ## make the pictures of README and guides anew
	@$(BIN)/python docs/screenshots.py

# The libraries that statistics are measured against, in an environment of their own; without them the other figures still come.
.venv-bench/stamp: requirements/bench.txt | .venv/bin/python
	@echo "Environment: fetching the libraries to measure against"
	@$(BIN)/python -m venv .venv-bench && \
	  .venv-bench/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/bench.txt && touch $@ || \
	  echo "make: they could not be fetched: their figures are left out" >&2

bench: install .venv/test.stamp .venv-bench/stamp ## measure against the floors, write bench.json (QUICK=1: under three minutes)
	@$(BIN)/python -m benchmarks

lock: .venv/test.stamp ## write requirements/*.txt anew from requirements/*.in
	$(LOCK) requirements/run.in -o requirements/run.txt
	$(LOCK) requirements/build.in -o requirements/build.txt
	$(LOCK) requirements/test.in -o requirements/test.txt
	$(LOCK) requirements/bench.in -o requirements/bench.txt
