# Everything below runs in .venv, which the first target that needs it sets up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# The demo needs the package and its emulator; the rest needs the tools as well.
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed

PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	--constraint constraints.txt
PROJECT := --no-build-isolation --editable

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test voices test-interop test-install docs coverage-page lint types sim bench bench-peers soak size pins clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s  %s\n", $$1, $$2 }' \
		$(MAKEFILE_LIST)

demo: $(RUNTIME) ## Hold a spoken conversation with the local server, no key needed
	@$(BIN)/openai-realtime demo $(ARGS)

test: lint types voices ## Check lint, types and import directions, and run all tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile --timeout 120 $(ARGS)

# Some tests speak with programs of Debian's. They are installed where that is allowed;
# without them those tests are skipped by name, and fail on CI.
voices:
	@missing=; for program in flite espeak-ng; do \
		command -v $$program > /dev/null || missing="$$missing $$program"; done; \
	test -z "$$missing" || { \
		if test "$$(id -u)" = 0 && command -v apt-get > /dev/null; then \
			echo "installing$$missing"; \
			apt-get -qq update && apt-get -qq install --yes \
				--no-install-recommends $$missing > /dev/null; \
		else false; fi; \
	} || echo "missing:$$missing; on Debian: apt-get install$$missing"

# A missing npm or registry costs the tests that need it, which say so; CI fails by that.
test-interop: $(DEV) ## Talk with clients and servers of other makers
	@$(BIN)/python tests/interop/node_packages.py || true
	@$(BIN)/python -m pytest tests/interop -m interop -n 2 --dist loadfile \
		--timeout 60 -rfEs $(ARGS)

docs: $(DEV) ## Build the documentation as a site, in build/docs
	@$(BIN)/python -m sphinx --quiet --nitpicky --fail-on-warning --keep-going \
		docs build/docs
	@echo "build/docs/index.html"

test-install: $(DEV) ## Install the built package as a new user would, and follow the pages
	@$(BIN)/python -m pytest tests/install -m install -n 0 -rfEs $(ARGS)

# Without the tests that throw dice: what these show differs from run to run.
coverage-page: $(DEV) ## Write docs/emulator-coverage.md anew, from a run of the tests
	@set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	EMULATOR_COVERAGE="$$folder" $(BIN)/python -m pytest tests/emulator -q -n 2 \
		--dist loadfile --timeout 120 --ignore-glob '*_random*.py' \
		--ignore tests/emulator/test_coverage_page.py; \
	$(BIN)/python scripts/make_coverage_page.py "$$folder"

lint: $(DEV) ## Check style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(DEV) ## Check types with mypy and with pyright
	@$(BIN)/mypy
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python
	@report=$$(PYRIGHT_PYTHON_IGNORE_WARNINGS=1 PATH="$(CURDIR)/$(BIN):$$PATH" \
		pyright --verifytypes openai_realtime --ignoreexternal) \
		|| { echo "$$report"; exit 1; }; \
	echo "$$report" | grep 'Type completeness score'

sim: $(DEV) ## Try to break client and emulator together, in 10,000 random sessions
	@SIMULATION_RUNS=$${SIMULATION_RUNS:-10000} $(BIN)/python -m pytest \
		tests/core/simulation $(ARGS)

soak: $(DEV) ## Hold an hour of conversation at once, and watch the memory of the client
	@$(BIN)/python benchmarks/soak.py $(ARGS)

bench: $(DEV) ## Run the benchmarks, which print ratios to other clients
	@for program in $(sort $(wildcard benchmarks/bench_*.py)); do \
		echo "== $$program"; $(BIN)/python "$$program" $(ARGS) || exit 1; \
	done

# Without npm, or its registry, the client for Node.js is left out and named.
bench-peers: $(DEV) ## Compare CPU and memory with those of other clients
	@$(BIN)/python tests/interop/node_packages.py || true
	@$(BIN)/python benchmarks/bench_peers.py $(ARGS)

size: $(RUNTIME) ## Measure the wheel with its runtime dependencies, without extras
	@set -e; scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	pip="$(BIN)/python -m pip --quiet --disable-pip-version-check"; \
	$$pip wheel --no-deps --no-build-isolation --wheel-dir "$$scratch" .; \
	$$pip install --constraint constraints.txt --no-compile \
		--target "$$scratch/site" "$$scratch"/*.whl; \
	ls "$$scratch/site" | sed -n 's/\.dist-info$$//p' | tr '-' ' '; \
	du -sk "$$scratch/site" | awk '{ printf "%.1f MB installed (limit: 15 MB)\n", \
		$$1 / 1024; exit $$1 >= 15 * 1024 }'

pins: ## Write constraints.txt anew with the current versions of everything
	@set -e; scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	$(PYTHON) -m venv "$$scratch"; \
	"$$scratch/bin/pip" install --quiet --disable-pip-version-check \
		--requirement requirements-dev.txt --editable '.[emulator,vad,stt,chat,audio,files]'; \
	grep '^#' constraints.txt > "$$scratch/pins"; \
	"$$scratch/bin/pip" freeze --exclude-editable >> "$$scratch/pins"; \
	cp "$$scratch/pins" constraints.txt

clean: ## Remove everything that these targets have made
	rm -rf $(VENV) build dist demo-output .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -rf tests/interop/node/node_modules
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@command -v $(PYTHON) > /dev/null || { \
		echo "$(PYTHON) is missing; on Debian: apt-get install python3 python3-venv" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed, and $(PYTHON) is $$($(PYTHON) --version);" \
			"name another one: make PYTHON=python3.11 ..." >&2; \
		exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { \
		echo "$(PYTHON) cannot make virtual environments;" \
			"on Debian: apt-get install python3-venv" >&2; \
		exit 1; }
	@echo "setting up $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(RUNTIME): pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing the package with its local server"
	@$(PIP_INSTALL) editables hatchling
	@$(PIP_INSTALL) $(PROJECT) '.[emulator]'
	@touch $@

$(DEV): $(RUNTIME) requirements-dev.txt
	@echo "installing the tools for development"
	@$(PIP_INSTALL) --requirement requirements-dev.txt $(PROJECT) '.[emulator,vad,stt,chat,audio,files]'
	@touch $@
