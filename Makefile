# What a person, or CI, asks for by name. Everything happens in $(VENV); nothing is installed beside it.
#
#   make reports JOBS=4          make serve PORT=8000          make test ARGS="tests/models -x"

VENV ?= .venv
HOST := 127.0.0.1
JOBS ?= 2
ARGS ?=
# How many files of tests run side by side: some wait for kernels and browsers, so one more than there are cores.
WORKERS ?= 3
# The tests that need nothing but Python and the packages; tests/conftest.py tells which those are.
UNIT := not (browser or embedding or install or kernel or process or service)
# The older processor that `make repeat` computes as: Nehalem has neither AVX2 nor FMA.
KERNEL ?= Nehalem
# The Python that makes the environment (default: the first of those below that is new enough).
PYTHON ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# Errors only: an index or folder of the machine's own that lacks a package is no news.
QUIET := --quiet --quiet
SET_UP := $(VENV)/set-up.stamp
COMPILE := $(BIN)/uv pip compile --quiet --python-version 3.11 --no-header --no-emit-index-url
PEERS := tests/benchmarks/peers

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup reports repeat serve explore lab check test lint docs bench soak audit browser pins clean

help:  ## List what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(SET_UP)  ## Set up the environment (all others do it when needed)

reports: setup  ## Run the notebooks whose pages are stale into reports/ (JOBS at a time)
	$(BIN)/popforecast report --jobs $(JOBS) $(ARGS)

repeat: setup  ## Make every report three times, once as an older processor (KERNEL), and compare their bytes
	$(BIN)/popforecast report --jobs $(JOBS) --force --output artifacts/repeat/one
	$(BIN)/popforecast report --jobs $(JOBS) --force --output artifacts/repeat/two
	$(BIN)/python -m tests.helpers.kernels run $(KERNEL) $(BIN)/popforecast report --jobs $(JOBS) --force --output artifacts/repeat/three
	diff --recursive --exclude=notebooks artifacts/repeat/one artifacts/repeat/two
	diff --recursive --exclude=notebooks artifacts/repeat/one artifacts/repeat/three

serve: PORT ?= 5000
serve: setup  ## Serve the web app with the Procfile's own command, on HOST and PORT
	POPFORECAST_HOST=$(HOST) PATH="$(abspath $(BIN)):$$PATH" $(BIN)/honcho start --port $(PORT) web

explore: PORT ?= 8866
explore: setup  ## Serve the explorer (Voilà), on PORT
	$(BIN)/python -m popforecast.explorer --port=$(PORT) $(ARGS)

lab: setup  ## Open JupyterLab on the notebooks
	JUPYTER_CONFIG_PATH=$(abspath notebooks/.jupyter) $(BIN)/jupyter lab notebooks $(ARGS)

# Hundreds of processes import the package: it is compiled for the first of them, whatever the shell says.
check test: export PYTHONDONTWRITEBYTECODE :=

check: setup  ## Run the unit tests alone: no browser, no server, no kernel, nothing to install
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile -m "$(UNIT)" $(ARGS)

test: setup browser  ## Run all tests
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile $(ARGS)

lint: setup  ## Check style, import rules, types and that notebooks hold no output
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(BIN)/nbstripout --verify --keep-id notebooks/*.ipynb

docs: setup  ## Build the documents and the Python reference into build/docs; a broken reference fails
	PYTHONPATH=. $(BIN)/mkdocs build --strict --config-file docs/site/mkdocs.yml $(ARGS)

bench: setup  ## Measure speed and memory, as ratios in one run; ARGS="peers --fresh" runs the peers, too
	$(BIN)/python -m tests.benchmarks $(ARGS)

soak: setup  ## Load, faults and fuzz at length: web app, files, scale, explorer (ARGS="--minutes 1")
	$(BIN)/python -m tests.soak $(ARGS)
	$(BIN)/python -m tests.soak.explorer --tabs 30

audit: setup  ## Ask for known vulnerabilities of what is pinned; says so where the index has no such service
	@tests/services/audit $(BIN)/python requirements.txt requirements-dev.txt

browser: setup
	@tests/browser/install-chromium $(BIN)/python

pins: setup  ## Compile the pins anew (ARGS=--upgrade takes the newest versions)
	$(PIP) install $(QUIET) uv
	$(COMPILE) $(ARGS) --extra web --output-file requirements.txt pyproject.toml
	$(COMPILE) $(ARGS) --all-extras --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
	$(COMPILE) $(ARGS) --output-file $(PEERS)/requirements.txt $(PEERS)/requirements.in

clean:  ## Remove caches and what was built; the environment stays
	rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis artifacts reports/notebooks
	find app notebooks popforecast tests -name __pycache__ -prune -exec rm -rf {} +

$(SET_UP): requirements-dev.txt pyproject.toml | $(BIN)/pip
	@echo "Installing requirements-dev.txt into $(VENV): a minute or two, once"
	@$(PIP) install $(QUIET) --requirement requirements-dev.txt
	@$(PIP) install $(QUIET) --no-deps --no-build-isolation --editable .
	@touch $@

# Debian's Python may lack ensurepip: then its own pip puts one into the new environment.
$(BIN)/pip:
	@for python in $(or $(PYTHON),python3.11 python3 python); do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	  python=; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "popforecast needs Python 3.11 or later, and $(or $(PYTHON),python3) is" \
	    "$$($(or $(PYTHON),python3) --version 2>&1 | head -n 1)." >&2; \
	  echo "Install one, or say where it is: make PYTHON=/path/to/python3.11" >&2; \
	  exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$python" --version)"; \
	"$$python" -m venv $(VENV) >/dev/null 2>&1 || { \
	  "$$python" -m venv --without-pip $(VENV) && \
	  "$$python" -m pip --python $(BIN)/python install $(QUIET) --disable-pip-version-check pip; \
	}
