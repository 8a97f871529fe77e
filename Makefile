# Every target sets up what it needs. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python -m
STAMP := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo up down test check format lint types contracts docs bench bench-growth bench-fairness bench-media kills chaos clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## Create .venv and install everything into it

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "error: $(PYTHON) is older than 3.11; run: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv \
		|| { rm -rf .venv; echo "error: $(PYTHON) cannot make virtual environments; install its venv package"; exit 1; }
	@echo "installing into .venv ..."
	@$(RUN) pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]' 2>&1 \
		| { grep -v -e '^WARNING: Location' || true; }
	@$(BIN)/python -c 'import neonhub_worker.cli.main' || { echo "error: the installation is not complete"; exit 1; }
	@touch $(STAMP)

demo: $(STAMP) ## Send the example campaign through the sandbox, kill a worker on the way, count what happened
	@$(BIN)/neonhub demo $(ARGS)

up: $(STAMP) ## Start the embedded stack and stay in front; Ctrl-C stops it
	@$(BIN)/neonhub up

down: $(STAMP) ## Stop the embedded stack
	@$(BIN)/neonhub down

test: $(STAMP) ## Run all tests and hold coverage at 90 % of lines and branches
	@$(RUN) pytest -n 2 --cov --cov-report=term:skip-covered --cov-fail-under=90 $(ARGS)

check: lint types contracts ## Everything that is checked without running it

lint: $(STAMP) ## Style and formatting (ruff)
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .

format: $(STAMP) ## Mend style and formatting where a program can
	@$(RUN) ruff check --fix .
	@$(RUN) ruff format .

types: $(STAMP) ## Types (mypy --strict)
	@$(RUN) mypy

contracts: $(STAMP) ## Who may import whom (import-linter)
	@$(BIN)/lint-imports --no-cache

docs: $(STAMP) ## Write the pages that are rendered from code
	@$(BIN)/python -c 'from pathlib import Path; from neonhub_worker.ledger import states; Path("docs/states.md").write_text(states.document())'

bench: $(STAMP) ## Measure actions per second, commits and CPU time (build/bench.json)
	@$(BIN)/python benchmarks/actions.py $(ARGS)

bench-growth: $(STAMP) ## Measure claims and dispatch beside 5,000,000 finished runs (build/bench-growth.json)
	@$(RUN) benchmarks.growth $(ARGS)

bench-fairness: $(STAMP) ## Measure fairness, pacing and isolation, about eight minutes (build/bench-fairness.json)
	@$(BIN)/python benchmarks/fairness.py $(ARGS)

bench-media: $(STAMP) ## Measure memory and time of the upload of a 1 GB video (ARGS=200 for as many MB)
	@$(RUN) tests.contract.upload_memory $(ARGS)

kills: $(STAMP) ## Kill each process of the stack in turn during a demo, twenty times (ARGS='--times 40 --seed 2')
	@$(RUN) tests.acceptance.kills $(ARGS)

chaos: $(STAMP) ## Kill everything at random under 2,000 actions, count, compare with Celery alone (build/chaos.json)
	@$(RUN) tests.acceptance.chaos $(ARGS)

clean: ## Remove .venv, build results and the embedded stack's state (stops it first)
	@if [ -x $(BIN)/neonhub ]; then $(BIN)/neonhub down; fi
	rm -rf .venv .neonhub build dist *.egg-info .coverage* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
