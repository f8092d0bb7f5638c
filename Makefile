# Dealix. `make help` lists everything; `make run` and `make test` are all that a fresh machine needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
ARGS   ?=
# Test files run side by side; a live one brings servers of its own, so that two keep two processors busy (about 1.5 GB each). WORKERS=0 runs all in one process.
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup run test unit live-test tls-test browser-test browser-deps chaos hosts engine bench lint types format lock images compose-secrets manifests clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Dealix needs Python 3.11 or newer; set PYTHON=python3.12, say."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@$(BIN)/python -m services.gateway.console.assets
	@touch $@

setup: $(STAMP) ## Install everything into .venv (again only when the lock has changed)

run: setup ## Start embedded, run the main job on examples/leads.csv, leave the console up; Ctrl-C stops
	@$(BIN)/python -m dev.main_job $(ARGS)

test: setup ## All tests that need no Docker
	@$(PYTEST) $(ARGS)

unit: setup ## Unit, contract, flow and architecture tests only: five minutes on two cores
	@$(PYTEST) tests/unit tests/contracts tests/flows tests/architecture $(ARGS)

live-test: setup ## Tests on real NATS and PostgreSQL (testcontainers where a Docker engine answers)
	@$(PYTEST) tests/live $(ARGS)

tls-test: setup ## The live tests once more, against NATS and PostgreSQL with TLS required
	@DEALIX_TEST_SERVERS=tls $(PYTEST) tests/live $(ARGS)

browser-test: setup ## Tests in real Chromium
	@$(PYTEST) tests/browser $(ARGS)

browser-deps: ## Say how to get Chromium
	@echo "Install Chromium with your system's packages, as root: apt-get install -y chromium"

chaos: setup ## Kill real processes under load and check the promises (ARGS=--short for CI's form)
	@$(BIN)/python -m tests.chaos $(ARGS)

hosts: setup ## Several hosts in network namespaces (root, iproute2): losses, cuts, rolling restart, failover under load
	@$(BIN)/python -m tests.hosts $(ARGS)

engine: setup ## Build the images, start the Compose file and run the main job in it (docker or podman, a Compose tool)
	@$(BIN)/python -m tests.engine $(ARGS)

bench: setup ## Measure beside the floor and a peer, in one run; results in docs/benchmarks
	@$(BIN)/python -m benchmarks $(ARGS)

lint: setup ## Style, import rules
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

types: setup ## Static types, strict
	@$(BIN)/mypy

format: setup ## Format the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: setup ## Make requirements.lock anew, without addresses
	@$(BIN)/uv pip compile pyproject.toml --all-extras --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --universal --python-version 3.11 -o requirements.lock

images: setup ## Build one image a plane, with bill of materials and provenance in build/images (ARGS=trust builds one)
	@$(BIN)/python -m dev.cli audit --release --json > /dev/null || echo 'The architecture audit found violations; the images tell of them (dealix audit).'
	@$(BIN)/python -m dev.deploy.images $(ARGS)

compose-secrets: setup ## Make the secrets and files that deploy/compose/compose.yaml mounts; what is there stays
	@$(BIN)/python -m dev.deploy.compose

manifests: setup ## Generate the Kubernetes base from the declarations and render every overlay (ARGS=production prints one)
	@$(BIN)/python -m dev.deploy.render $(ARGS)

clean: ## Remove what set-up made; data directories stay
	@rm -rf $(VENV) services/gateway/console/static/vendor
