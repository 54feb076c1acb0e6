# Every command sets the workspace up first; the second run starts in seconds.
# Needs make, git and Python >= 3.11 with its venv module; nothing else.

PYTHON ?= python3
HEADLESS ?= 0
SEEDS ?= 500
FIRST ?= 1
BIN := .venv/bin
STAMP := .venv/setup.stamp
MEMBERS := sync clinical server client
# What the fast tests are: the pure parts and the tidy tests.
FAST := tests/architecture tests/sync tests/clinical
# Qt draws into memory, so that the tests need no display and disturb nobody's.
PYTEST := QT_QPA_PLATFORM=offscreen $(BIN)/pytest

# A virtual environment whose interpreter has gone (an upgrade, a copied folder) is made anew.
ifneq ($(wildcard $(STAMP)),)
ifneq ($(shell $(BIN)/python -c 'print("runs")' 2>/dev/null),runs)
$(shell rm -f $(STAMP))
endif
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo test check static format types types-again imports fast-tests \
	core-branches bench simulate soak package lock

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with every dependency (the other commands do this by themselves)

$(STAMP): requirements.lock $(MEMBERS:%=%/pyproject.toml) tools/setup.sh tools/qt_libraries.py
	@sh tools/setup.sh "$(PYTHON)"
	@touch $@

demo: $(STAMP) ## one server and two laptops that go offline, meet and agree (HEADLESS=1: without a display)
	@$(BIN)/python -m demo $(if $(filter 1,$(HEADLESS)),--headless)

test: $(STAMP) ## everything: format, lint, types, import contracts and the whole test suite
	@$(MAKE) --no-print-directory --keep-going -j2 --output-sync=target static
	@$(PYTEST) -n logical --dist worksteal
	@$(MAKE) --no-print-directory core-branches

check: $(STAMP) ## before each commit, under a minute: the same static checks and the fast tests
	@$(MAKE) --no-print-directory --keep-going -j2 --output-sync=target static fast-tests

static: types types-again format imports

format: $(STAMP)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: $(STAMP)
	@$(BIN)/mypy

types-again: $(STAMP)
	@$(BIN)/pyright

imports: $(STAMP)
	@$(BIN)/lint-imports

fast-tests: $(STAMP)
	@$(PYTEST) -m "not slow" $(wildcard $(FAST))

core-branches: $(STAMP) # every branch of the sync core has a test that takes it
	@$(BIN)/coverage run -m pytest tests/sync/core
	@$(BIN)/coverage report

bench: $(STAMP) ## pull, push, save and no-op, each beside its raw limit in the same run
	@$(BIN)/python -m tests.benchmarks.run

simulate: $(STAMP) ## the deterministic simulation on all cores: SEEDS=500 FIRST=1
	@$(BIN)/python -m tests.simulation.run --seeds $(SEEDS) --first $(FIRST)

soak: $(STAMP) ## the long fault tests, resumable, results into docs/RELIABILITY.md: ONLY=name MINUTES=m
	@$(BIN)/python tools/soak.py $(if $(ONLY),--only $(ONLY)) $(if $(MINUTES),--minutes $(MINUTES))

package: $(STAMP) ## the installers that this platform can build, into dist/
	@$(BIN)/python tools/package.py

lock: ## make requirements.lock anew from the members' dependencies (needs uv)
	@sh tools/lock.sh
