# The same few commands for people and CI. Each target sets up its own environment under .venvs/.

PYTHON ?= $(shell command -v python3.11 || echo python3)
PYTEST_ARGS ?= -n 2 --dist loadgroup
UPGRADE ?=

UV := .venvs/tools/bin/uv
DEV := .venvs/dev/bin
PACKAGE := pyproject.toml LICENSE $(wildcard README.md) $(shell find src -name '*.py' -o -name '*.sql' -o -name py.typed -o -name '*.template')

# As pip does: where nobody may write them later, every start would compile again.
export UV_COMPILE_BYTECODE := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo demo-fleet test system check format docs bench bench-engines bench-checks bench-fleet soak agent-wheel lock dev clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venvs/demo/.ready ## run the example pipeline on 336,776 real flights
	@.venvs/demo/bin/python examples/flights/demo.py

demo-fleet: .venvs/fleet/.ready ## run a hub and twenty agents here, cut, kill and deploy to them, and count every row
	@.venvs/fleet/bin/python examples/fleet/demo.py

test: .venvs/dev/.ready system ## run all tests (PYTEST_ARGS="-k name" narrows them)
	@$(DEV)/pytest -q $(PYTEST_ARGS)

# Tests that lack one of these say so and are passed over.
SYSTEM = psql:postgresql chromium:chromium mosquitto:mosquitto faketime:faketime strace:strace
system:
	@missing=""; for each in $(SYSTEM); do \
		command -v $${each%%:*} >/dev/null || missing="$$missing $${each##*:}"; done; \
	test -z "$$missing" || { echo "Installing$$missing"; \
		as_root=""; test "$$(id -u)" = 0 || as_root="sudo -n"; \
		{ $$as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$as_root apt-get install -qq -y \
		--no-install-recommends $$missing; } >/dev/null || echo "Not installed:$$missing"; }

check: .venvs/dev/.ready ## format, lint, types, layers, docs
	@$(DEV)/ruff format --check --quiet . || { echo "Not formatted: run 'make format'." >&2; exit 1; }
	@$(DEV)/ruff check --quiet .
	@$(DEV)/mypy
	@$(DEV)/lint-imports --no-logo
	@site=$$(mktemp -d) && trap 'rm -rf "$$site"' EXIT && $(DEV)/mkdocs build --strict --quiet --site-dir "$$site"

format: .venvs/dev/.ready ## format the code and mend what can be mended
	@$(DEV)/ruff format --quiet .
	@$(DEV)/ruff check --quiet --fix .

docs: .venvs/dev/.ready ## build the documentation into site/
	@$(DEV)/mkdocs build --strict --quiet --site-dir site

bench: .venvs/bench/.ready .venvs/peers/.ready ## run the benchmarks: ratios against peers and limits
	@.venvs/bench/bin/python -m benchmarks.run

bench-engines: .venvs/bench/.ready .venvs/engine-peers/.ready ## the same for Spark, Ray, Dask and their peers
	@.venvs/bench/bin/python -m benchmarks.run --engines

bench-fleet: .venvs/bench/.ready ## the same for hub and agents
	@.venvs/bench/bin/python -m benchmarks.run --fleet

MINUTES ?= 10
soak: .venvs/dev/.ready ## let faults happen to a fleet at random for MINUTES, and count every row
	@.venvs/dev/bin/python -m tests.fleet.soak --minutes $(MINUTES)

bench-checks: .venvs/bench/.ready .venvs/check-peers/.ready .venvs/profile-peers/.ready ## the same for checks and their peers
	@.venvs/bench/bin/python -m benchmarks.run --checks

dev: .venvs/dev/.ready ## set up .venvs/dev: segue, editable, and every tool
	@:

# The lock for development is the widest; the others keep to its versions.
LOCK = $(UV) pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-annotate --quiet --custom-compile-command 'make lock' $(UPGRADE)
agent-wheel: .venvs/dev/.ready ## build segue-agent, what a node installs, into dist/
	@.venvs/dev/bin/python packages/agent.py

lock: .venvs/tools/.ready ## lock versions again (UPGRADE=--upgrade takes the newest)
	@$(UV) pip compile --group tools --universal --python-version 3.11 --generate-hashes \
		--no-annotate --quiet --custom-compile-command 'make lock' $(UPGRADE) -o requirements/tools.txt
	@$(LOCK) --all-extras --group build --group dev -o requirements/dev.txt
	@$(LOCK) --extra demo --group build -c requirements/dev.txt -o requirements/demo.txt
	@$(LOCK) --extra hub --group build -c requirements/dev.txt -o requirements/fleet.txt
	@$(LOCK) --all-extras --group build --group bench -c requirements/dev.txt -o requirements/bench.txt
	@$(UV) pip compile --group engine-peers --universal --python-version 3.11 --generate-hashes \
		--no-annotate --quiet --custom-compile-command 'make lock' $(UPGRADE) -o requirements/engine-peers.txt
	@$(UV) pip compile --group check-peers --universal --python-version 3.11 --generate-hashes \
		--no-annotate --quiet --custom-compile-command 'make lock' $(UPGRADE) -o requirements/check-peers.txt
	@$(UV) pip compile --group profile-peers --universal --python-version 3.11 --generate-hashes \
		--no-annotate --quiet --custom-compile-command 'make lock' $(UPGRADE) -o requirements/profile-peers.txt
	@$(UV) pip compile --group peers --universal --python-version 3.11 --generate-hashes \
		--no-annotate --quiet --custom-compile-command 'make lock' $(UPGRADE) -o requirements/peers.txt

clean: ## remove environments, caches and built files
	@rm -rf .venvs .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist site
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment holds exactly its lock, checked by hash, and then segue. uv takes seconds; where
# it can't reach what pip can (a mirror set in pip's configuration), pip does the same slowly.
.venvs/tools/.ready: requirements/tools.txt
	@echo "Setting up .venvs/tools"
	@test -x $(@D)/bin/pip || $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.venvs/%/.locked: requirements/%.txt .venvs/tools/.ready
	@echo "Setting up .venvs/$*"
	@test -x $(@D)/bin/pip || $(PYTHON) -m venv $(@D)
	@$(UV) pip sync --quiet --compile-bytecode --python $(@D) --require-hashes $< \
		|| $(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.venvs/dev/.ready: .venvs/dev/.locked pyproject.toml
	@$(UV) pip install --quiet --compile-bytecode --python $(@D) --offline --no-deps --no-build-isolation --editable .
	@touch $@

# As users get it: built and installed, not linked.
.venvs/demo/.ready .venvs/fleet/.ready .venvs/bench/.ready: .venvs/%/.ready: .venvs/%/.locked $(PACKAGE)
	@$(UV) pip install --quiet --compile-bytecode --python $(@D) --offline --no-deps --no-build-isolation --reinstall-package segue .
	@touch $@

# Peers are welcome guests: benchmarks leave out what does not install here.
.venvs/peers/.ready .venvs/engine-peers/.ready .venvs/check-peers/.ready .venvs/profile-peers/.ready: .venvs/%/.ready: requirements/%.txt
	@$(MAKE) --no-print-directory $(@D)/.locked || echo "Peers did not install: benchmarks go on without them."
	@mkdir -p $(@D) && touch $@

# Stamps are worth keeping.
.PRECIOUS: .venvs/%/.locked
