# `make help` explains every target. Each makes .venv itself on first use.
PYTHON ?= python3
VENV   := .venv
READY  := $(VENV)/.ready
RUN    := $(VENV)/bin/
ENV    ?= dev

.DEFAULT_GOAL := help
.PHONY: help setup rehearse test check format goldens rules pictures lock bench clean

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\n  make rehearse ENV=ha   rehearse another environment (stacks/Pulumi.<ENV>.yaml)\n'

setup: $(READY) ## Make .venv with the locked, hashed requirements and the slipway command

rehearse: $(READY) ## Play the whole delivery with no cloud: real Pulumi engine, Git, Kubernetes and Flux; simulated AWS
	@$(RUN)slipway rehearse $(ENV)

test: $(READY) ## Run all tests
	@$(RUN)python -m pytest -q -n auto --dist loadgroup  # the scenarios on a real control plane alone: pytest -m cluster

check: $(READY) ## Lint, formatting and types
	@$(RUN)ruff check .
	@$(RUN)ruff format --check .
	@$(RUN)ty check --error-on-warning infra values slipway policy __main__.py

format: $(READY) ## Format the code
	@$(RUN)ruff check --fix-only -q .
	@$(RUN)ruff format -q .

goldens: $(READY) ## Rewrite the golden files; the diff is the review
	@$(RUN)python -m pytest -q tests/values tests/support --snapshot-update

rules: $(READY) ## Rewrite the tables that pages are made of: docs/policy.md, secrets.md, verify.md, doctor.md, harbor-as-code.md
	@SLIPWAY_WRITE_DOCS=1 $(RUN)python -m pytest -q tests/policy/test_docs.py tests/values/test_secrets.py \
		tests/verify/test_docs.py tests/doctor/test_docs.py tests/harbor_as_code/test_coverage.py

pictures: $(READY) ## Draw the picture in docs/images again; the diff is the review
	@$(RUN)slipway diagram ha -o docs/images/ha.svg

lock: $(READY) ## Resolve requirements/*.in again into the hashed lock files
	@cd requirements && for set in run harbor dev; do UV_CUSTOM_COMPILE_COMMAND="make lock" ../$(RUN)uv pip compile -q --universal \
	  --generate-hashes --no-emit-index-url --python-version 3.11 $$set.in -o $$set.txt; done

bench: $(READY) ## Run the benchmarks that docs/performance.md reports
	@$(RUN)python benchmarks/run.py

clean: ## Remove .venv and caches of this checkout
	rm -rf $(VENV) .pytest_cache .ruff_cache *.egg-info

# pip compiles bytecode while it installs: a first run without it costs seconds.
# `compat` makes the editable install a plain path entry, which costs nothing at start-up.
$(READY): requirements/dev.txt pyproject.toml
	@echo "Making $(VENV) (once, about two minutes)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Slipway needs Python 3.11 or newer; run: make PYTHON=python3.12 setup")'
	@$(PYTHON) -m venv $(VENV)
	@$(RUN)python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(RUN)python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
	@$(RUN)python -m compileall -q infra policy slipway values
	@touch $@
