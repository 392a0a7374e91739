# Everything is done by run.py, which also works where there is no make (Windows: py run.py demo).
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint audit bundle bundle-test clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## virtual environment, packages and model files
	@$(PYTHON) run.py setup

demo: ## redact the sample scans and open a ready round
	@$(PYTHON) run.py demo

test: ## ruff, mypy, import-linter and pytest
	@$(PYTHON) run.py test

lint: ## the same without pytest
	@$(PYTHON) run.py lint

audit: ## list all that is installed (SBOM, in dist/) and ask what is known against it
	@$(PYTHON) run.py audit

bundle: ## wheels, models, samples and install scripts for machines without internet, in dist/
	@$(PYTHON) run.py bundle

bundle-test: ## install the bundle in dist/ with no network and try it
	@$(PYTHON) run.py bundle-test

clean: ## remove what the other targets made
	@$(PYTHON) run.py clean
