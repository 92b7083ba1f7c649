SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.PHONY: help setup demo test test-all lint check bench device clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

help:
	@echo "make demo      set up, run the main job on the embedded data, leave pictures in examples/quickstart/out"
	@echo "make test      set up, run the tests"
	@echo "make test-all  run what is slow: long pipes, every example, whether intervals hold what they promise"
	@echo "make check     lint and test"
	@echo "make bench     measure the speed against plain loops"
	@echo "make device    check and time strag on a graphics card with the torch of PYTHON, without setup"
	@echo "make clean     remove what the others made, but for the environment"

setup: $(VENV)/installed

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "strag needs Python 3.10 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@

demo: setup
	$(MAKE) --no-print-directory -C examples/quickstart STRAG=$(abspath $(BIN)/strag)

# As many tests at once as there are processors, each with one thread.
test: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto -m "not slow"

# The tests that `make test` leaves out.
test-all: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto -m slow

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

check: lint test

# Half an hour on two cores; nothing else should run.
bench: setup
	env -u OPENBLAS_CORETYPE $(BIN)/python -m tests.benchmarks.run
	env -u OPENBLAS_CORETYPE $(BIN)/python -m tests.benchmarks.convolutional
	env -u OPENBLAS_CORETYPE $(BIN)/python -m tests.benchmarks.geometry
	env -u OPENBLAS_CORETYPE $(BIN)/python -m tests.benchmarks.recorder

# Eight minutes on a card with CUDA; writes tests/benchmarks/out/device.json and device.md.
device:
	$(PYTHON) -m tests.benchmarks.device

clean:
	$(MAKE) --no-print-directory -C examples/quickstart clean
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
