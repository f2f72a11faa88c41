# make demo and make test do all set-up themselves; they need Python 3.11+ and make.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Compiled modules are kept: else every process compiles again what it loads.
unexport PYTHONDONTWRITEBYTECODE

#: Tests that say in seconds whether the core still holds: the road, words, names, formulas, laws.
CORE := tests/test_api.py tests/test_formulas.py tests/test_layers.py tests/test_plan.py \
	tests/test_planfile.py tests/test_road.py tests/test_start.py tests/test_units.py \
	tests/test_estimate.py tests/test_fleet.py tests/test_what_people_touch.py

.PHONY: demo test check check-fast test-torch bench docs clean
.DEFAULT_GOAL := demo

demo: $(VENV)/.installed  ## a real forecast
	$(BIN)/joulecast estimate --params 32.2B --tokens 6.6T --device h100-sxm --device-count 1024 --region us-va --year 2025

test: $(VENV)/.tested check  ## lint, types, tests: some five minutes of processor time
	$(BIN)/python -m pytest -n auto --dist loadfile  # what a file's tests share is made once

check: $(VENV)/.tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check-fast: $(VENV)/.tested check  ## lint, types, core tests: under a minute
	$(BIN)/python -m pytest -n auto $(CORE)

test-torch: $(VENV)/.tested  ## torch counts the same modules; torch is too heavy for every run
	$(PIP) --editable '.[test,torch]'
	$(BIN)/python -m pytest -n auto tests/test_torch_counting.py tests/arch_tests

bench: $(VENV)/.tested  ## ratios measured in one run
	$(BIN)/python tools/bench.py

docs: $(VENV)/.tested  ## pages made from the code and the tables
	$(BIN)/python tools/build_docs.py
	$(BIN)/python tools/build_schemas.py

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "joulecast needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml tools/build_hook.py | $(VENV)/bin/python
	$(PIP) --editable .
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(PIP) --editable '.[test]'
	@touch $@

clean:
	rm -rf $(VENV) build dist hardware_specs/compiled .mypy_cache .ruff_cache .hypothesis
