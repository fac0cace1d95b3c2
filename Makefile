# Gristmill's commands. `make` alone explains them.

CASE ?= churn
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
UV := $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python
# PyTorch stays out of the locks: 200 MB with its CPU build, gigabytes with others; the neural family does without it, less well.
TORCH := torch==2.13.0
COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes

# What the tests write and remove by the thousand lies in memory where there is room, not on a disk; and two workers on two cores
# have one thread each, or those that wait for each other's turn hold up both.
IN_MEMORY = $(shell [ -z "$$TMPDIR" ] && [ -w /dev/shm ] && [ "$$(df -Pk /dev/shm | awk 'NR == 2 { print $$4 }')" -gt 4000000 ] && echo TMPDIR=/dev/shm)
PYTEST = $(IN_MEMORY) OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

# Set in a shell, it makes every process compile its imports again: three times slower starts.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup setup-torch run serve app voila test test-slow check lab pictures lock clean

help:  ## Explain these commands
	@echo "Gristmill: a raw table in, a trustworthy and watched model out."
	@echo
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

setup: .venv/.run  ## Create .venv with everything a build needs (the other commands do it for you)

setup-torch: .venv/.run  ## Add PyTorch to .venv, which makes the neural family better
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)

run: .venv/.run  ## Build a case end to end: CASE=churn unless said otherwise
	$(BIN)/ploomber build --env--case $(CASE)

serve: .venv/.run  ## Serve predictions of a case on http://127.0.0.1:8000; prints a first key, once
	$(BIN)/gristmill serve $(CASE)

app: .venv/.run  ## Look at cases in the browser, on http://127.0.0.1:8501: predictions, tables, monitoring, models
	$(BIN)/python -m streamlit run app/main.py

test: .venv/.test  ## Run the quick tests, with coverage
	$(PYTEST) -m "not slow" --cov --cov-report=term

test-slow: .venv/.test .venv/.client  ## Run the slow tests: whole builds, browsers, kills
	$(PYTEST) -m slow

check: .venv/.test  ## Check style, types, the direction of imports, and that notebooks are clean
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/nbstripout --keep-id --verify $(NOTEBOOKS)

voila: .venv/.run  ## Explore a case's evaluated model on http://127.0.0.1:8866: thresholds, groups of rows, fairness
	GRISTMILL_CASE=$(CASE) $(BIN)/voila notebooks/41_explorer.ipynb

lab: .venv/.run  ## Open the project in JupyterLab, every notebook with its real inputs
	$(BIN)/jupyter lab

pictures: .venv/.test  ## Take the pictures of the documents anew, from the default case as it was built last
	$(BIN)/python docs/pictures/take.py

lock: .venv/.uv  ## Resolve the dependencies anew and write the locks and environment.yml
	$(COMPILE) pyproject.toml --extra demo --extra excel --extra postgres --extra serve --extra app --output-file requirements.lock
	$(COMPILE) pyproject.toml --extra demo --extra dvc --extra excel --extra postgres --extra serve --extra tracing --extra edge --extra app --extra dev --constraints requirements.lock --output-file requirements-dev.lock
	{ sed '/^      - /d' environment.yml; sed -nE 's/^([A-Za-z0-9_.-]+==[^ ]+)( ; .*)? \\$$/      - "\1\2"/p' requirements.lock; \
	  echo '      - "-e ."'; } > environment.yml.new && mv environment.yml.new environment.yml

clean:  ## Remove what builds produced; sources, snapshots and tracking stay
	rm -rf artifacts reports .pytest_cache .mypy_cache .ruff_cache htmlcov .coverage

.venv/.uv: requirements-uv.lock
	@test -n "$(PYTHON)" || { echo "Gristmill needs Python 3.11, 3.12 or 3.13; none was found. Install one, or name it: make PYTHON=/path/to/python run"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "$(PYTHON) cannot create a virtual environment; on Debian and Ubuntu install python3-venv."; exit 2; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@touch $@

.venv/.run: .venv/.uv requirements.lock pyproject.toml lib/gristmill_environment.pth
	$(UV) --require-hashes -r requirements.lock
	$(UV) --no-deps --editable .
	@touch $@

# The generator of clients, which needs another typer than ours.
.venv/.client: .venv/.uv tests/serving/client-requirements.txt
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv/client
	$(BIN)/uv pip install --quiet --python .venv/client/bin/python -r tests/serving/client-requirements.txt
	@touch $@

.venv/.test: .venv/.run requirements-dev.lock
	$(UV) --require-hashes -r requirements-dev.lock
	@touch $@
