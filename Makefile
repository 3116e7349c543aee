# Everything runs in .venv, which is made and filled when it is missing or older than its recipe.
PYTHON ?= python3
BIN := .venv/bin
EXTRAS := dev,dashboards
RUNS ?= runs
DEMO ?= demo-$(shell date +%Y%m%d-%H%M%S)

.PHONY: setup demo test test-slow test-cluster bench bench-gpu lint clean

setup: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	@echo "Setting up .venv (downloads a few GB the first time, then takes two minutes or so)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

demo: .venv/installed
	$(BIN)/python search/run.py --dataset digits --trials 14 --max-epochs 8 --budget 7min --seed 0 \
		--out $(RUNS) --name $(DEMO)
	$(BIN)/python analysis/report.py $(RUNS)/$(DEMO)

test: .venv/installed
	$(BIN)/python -m pytest

test-slow: .venv/installed
	$(BIN)/python -m pytest -m slow

test-cluster: .venv/installed
	$(BIN)/python -m pytest -m cluster

bench: .venv/installed
	$(BIN)/python -m benchmarks

bench-gpu: .venv/installed
	$(BIN)/python -m benchmarks --gpu

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
