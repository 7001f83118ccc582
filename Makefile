# Two commands do everything: `make run` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
EVALUATION ?= refino
CORES  ?= 2

# Every job is one process and pins its own BLAS; this pins the tests and the command line alike.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help run test test-quick test-unit fmt schemas lint types docs lock bench clean

help:  ## List the commands.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(VENV)/.run: requirements/run.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'refino_eval needs Python 3.11 or newer; name one with: make run PYTHON=python3.12'; exit 2; }
	@echo 'Creating the environment in $(VENV) (once, about a minute)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@echo 'Adding the test tools'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.docs: requirements/docs.txt $(VENV)/.run
	@echo 'Adding the tools of the documentation site'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/docs.txt
	@touch $@

run: $(VENV)/.run  ## Run an evaluation from beginning to report (EVALUATION=refino CORES=2).
	@$(BIN)/refino-eval run --evaluation $(EVALUATION) --cores $(CORES)

test: $(VENV)/.dev  ## Run the whole test suite.
	@$(BIN)/python -m pytest -n $(CORES) --dist worksteal

test-quick: $(VENV)/.dev  ## Run the tests that take seconds.
	@$(BIN)/python -m pytest -n $(CORES) -m 'not slow'

test-unit: $(VENV)/.dev  ## Run the tests of the library alone: no Snakemake, no browser, under two minutes.
	@$(BIN)/python -m pytest -n $(CORES) -m 'not slow' tests/unit tests/spec

fmt: $(VENV)/.dev  ## Format Python and Snakemake files, and fix what can be fixed.
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .
	@$(BIN)/snakefmt Snakefile workflow

schemas: $(VENV)/.dev  ## Write the JSON schemas of the configuration anew.
	@$(BIN)/python -m refino_eval.config.schemas

lint: $(VENV)/.dev  ## Check style: ruff, snakefmt, snakemake --lint.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/snakefmt --check Snakefile workflow
	@$(BIN)/snakemake --lint

types: $(VENV)/.dev  ## Check types with mypy.
	@$(BIN)/mypy

docs: $(VENV)/.docs  ## Build the documentation site in build/site; a broken link is an error.
	@$(BIN)/python -m mkdocs build --strict --quiet
	@echo 'The site is build/site/index.html'

bench: $(VENV)/.dev  ## Rerun the benchmarks and write benchmarks/results.
	@$(BIN)/python benchmarks/run.py

lock:  ## Lock the dependencies anew (needs uv); the files name no index address.
	uv pip compile pyproject.toml requirements/build.in --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --quiet -o requirements/run.txt
	uv pip compile pyproject.toml requirements/build.in --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --quiet -c requirements/run.txt -o requirements/dev.txt
	uv pip compile pyproject.toml requirements/build.in --extra docs --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --quiet -c requirements/dev.txt -o requirements/docs.txt
	uv pip compile requirements/spark.in --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --quiet -o requirements/spark.txt

clean:  ## Remove results, synthetic deliveries and caches; the environment stays.
	rm -rf results data/synthetic .snakemake .pytest_cache .mypy_cache .ruff_cache
