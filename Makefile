# Two commands on a bare Debian 12 machine, as root:  make demo   and   make test
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTEST := $(BIN)/python -m pytest

.PHONY: help setup demo test check bench format clean

help:
	@echo "make demo    set everything up, build the virtual office, run the real gateway in it, break things"
	@echo "make test    set everything up, then every check and every test (root: the tests build networks)"
	@echo "make setup   the set-up alone"
	@echo "make check   style, types, walls between the rooms, unit and house tests; no root, under a minute"
	@echo "make bench   the measurements, beside their floors"

setup: $(READY)

$(READY): requirements-dev.txt pyproject.toml packaging/setup
	PYTHON=$(PYTHON) VENV=$(VENV) sh packaging/setup
	@touch $@

demo: setup
	@$(BIN)/secondpath demo

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports
	$(PYTEST) -q -n 2 --dist worksteal -m "not slow" tests/unit tests/golden tests/house

test: check
	$(PYTEST) -q -n 2 --dist worksteal -m slow tests/unit tests/golden
	$(PYTEST) -q -n 2 --dist loadfile -m "not alone" tests/netns tests/browser
	$(PYTEST) -m alone tests/netns

bench: setup
	$(BIN)/python -m bench
	$(BIN)/python bench/bench_plan.py

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
