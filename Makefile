# Millsight. `make help` lists the targets.
SHELL := /bin/bash
UV_VERSION := 0.13.9
UV := .uv/bin/uv
PYTHON ?= python3.11
RUN := .venv/bin
EXTRAS_UP := --extra dashboard --extra embedded --no-dev
EXTRAS_ALL := --all-extras
SIDE_BY_SIDE := -n 2 --dist loadfile

.NOTPARALLEL:
.PHONY: help up down status test check format lint types imports unit integration e2e faults install install-up bench clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(UV):
	@command -v $(PYTHON) >/dev/null || { echo "millsight: $(PYTHON) is not installed: install Python 3.11 (or set PYTHON=...)" >&2; exit 2; }
	@echo "millsight: preparing the package installer (uv $(UV_VERSION))"
	@$(PYTHON) -m venv .uv && .uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/.up: $(UV) pyproject.toml uv.lock
	@echo "millsight: installing the line's dependencies from uv.lock"
	@if test -f .venv/.all; then $(UV) sync --quiet --frozen --python $(PYTHON) $(EXTRAS_ALL) && touch .venv/.all; \
	else $(UV) sync --quiet --frozen --python $(PYTHON) $(EXTRAS_UP); fi && touch .venv/.up

.venv/.all: $(UV) pyproject.toml uv.lock
	@echo "millsight: installing all dependencies from uv.lock (trainer and developer tools included)"
	@$(UV) sync --quiet --frozen --python $(PYTHON) $(EXTRAS_ALL) && touch .venv/.all .venv/.up

install-up: .venv/.up ## what the line needs, without trainer and developer tools
install: .venv/.all ## everything, developer tools included

up: .venv/.up ## set up everything and run the line: FRAMES=DIR plays real images, DETACH=1 returns when it is ready, WORKERS=N
	@$(RUN)/millsight up $(if $(FRAMES),--frames $(FRAMES)) $(if $(DETACH),--detach) $(if $(WORKERS),--workers $(WORKERS))

down: .venv/.up ## stop the line
	@$(RUN)/millsight down

status: .venv/.up ## say what is running, where, and what is broken
	@$(RUN)/millsight status

format: .venv/.all ## format the code
	@$(RUN)/ruff format . && $(RUN)/ruff check --fix --quiet .

lint: .venv/.all ## ruff: format and rules
	@$(RUN)/ruff format --check --quiet . && $(RUN)/ruff check .

types: .venv/.all ## mypy, strict
	@$(RUN)/mypy

imports: .venv/.all ## import contracts
	@$(RUN)/lint-imports

unit: .venv/.all ## unit, contract and golden-value tests
	@$(RUN)/pytest -q $(SIDE_BY_SIDE) tests/unit tests/contract tests/golden

check: lint types imports unit ## format, lint, types, import contracts, unit, contract and golden-value tests

integration: .venv/.all ## tests on real Kafka, PostgreSQL and Triton
	@$(RUN)/pytest -q $(SIDE_BY_SIDE) tests/integration

e2e: .venv/.all ## tests on the whole running line, browser included
	@$(RUN)/pytest -q tests/e2e

faults: .venv/.all ## kill and starve real parts while frames flow
	@$(RUN)/pytest -q tests/faults

test: check integration e2e faults ## everything, on the real stack

bench: .venv/.all ## measure the line on this machine
	@$(RUN)/millsight bench

clean: ## remove environments and caches, keep the line's data
	@rm -rf .venv .uv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
