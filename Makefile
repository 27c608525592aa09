# Two commands on a bare Debian 12 machine, as root:  make demo   and   make test
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTEST := $(BIN)/python -m pytest
# Else every process of every test compiles the whole gateway anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test check style types walls units bench format clean

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
	@$(MAKE) --no-print-directory --output-sync=target -j4 units types walls style

style:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

walls:
	$(BIN)/lint-imports --no-logo

units:
	$(PYTEST) -q -n 2 --dist worksteal -m "not slow" tests/unit tests/golden tests/house

test: check
	$(PYTEST) -q -n 4 --dist loadfile --no-loadscope-reorder -m "not alone and not story" tests/netns tests/browser
	$(PYTEST) -m alone tests/netns
	$(PYTEST) -m story tests/netns
	$(PYTEST) -q -n 2 --dist worksteal -m slow tests/unit tests/golden

bench: setup
	$(BIN)/python -m bench
	$(BIN)/python bench/bench_plan.py

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
