# Needs git, make and Python >= 3.11; everything else is set up on the way.
.DEFAULT_GOAL := help
.PHONY: help demo test setup clean
SHELL := /bin/sh

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-14s%s\n", $$1, $$2 }'

demo: ## set up, then: three workers, one channel, one of them killed (ARGS="--hold" keeps the page open)
	@PYTHON="$(PYTHON)" scripts/setup demo
	@.venv/bin/slackmq demo $(ARGS)

test: setup ## set up, then pass all checks: lint, types, layers, docs, tests
	@scripts/chromium
	@scripts/judges || echo "judges: going on without what could not be installed; its tests will be skipped" >&2
	@.venv/bin/python scripts/check.py

setup: ## make .venv with everything a developer needs
	@PYTHON="$(PYTHON)" scripts/setup dev

clean: ## remove what was made, .venv included
	rm -rf .venv .judges .nox docs/_build test-results dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
