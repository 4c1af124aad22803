# Everything runs in .venv, made by Python's own venv and pip from requirements.lock. Each target sets up what it needs.

# A supported Python; make PYTHON=/path/to/python3 names one.
FIND_PYTHON := PYTHON="$(PYTHON)" .ci/find_python
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PLAYABLE := $(VENV)/.playable
MEASURABLE := $(VENV)/.measurable
WORKERS ?= $(shell .ci/workers)
MATCH ?= opener

# Where the environment forbids bytecode, each of the processes that run the tests would compile them and the program anew.
unexport PYTHONDONTWRITEBYTECODE

CATALOGUES := bot/i18n/catalogues
WRITTEN := $(wildcard $(CATALOGUES)/*/LC_MESSAGES/*.po)
COMPILED := $(WRITTEN:.po=.mo)

.PHONY: help setup demo console test test-fast bench check format schema words image release lock clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1 — /'

setup: $(READY) $(COMPILED) ## make .venv and leave .venv/bin/touchline working

$(READY): pyproject.toml requirements.lock
	@python=$$($(FIND_PYTHON)) && .ci/update_environment "$$python" $(VENV)
	@touch $@

$(COMPILED): %.mo: %.po | $(READY)
	$(BIN)/python -m bot.i18n.compile

$(PLAYABLE): requirements-runtime.lock
	@python=$$($(FIND_PYTHON)) && .ci/update_environment "$$python" $(VENV) demo
	@touch $@

demo: $(PLAYABLE) ## play a real match in about a minute, in this terminal (MATCH=final: the final of 2022)
	@$(BIN)/python -m bot.i18n.compile
	@$(BIN)/python -m bot demo --match $(MATCH)

console: $(READY) $(COMPILED) ## open the playground in a browser: rules, matches, and the chat as a phone shows it
	@$(BIN)/touchline console

test: $(READY) $(COMPILED) ## run the tests
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal

test-fast: $(READY) $(COMPILED) ## run the tests but for whole processes, PostgreSQL and long replays
	$(BIN)/python -m pytest -q -n auto --dist worksteal -m "not whole_process and not slow"

bench: $(MEASURABLE) $(COMPILED) ## run the main benchmarks, each short, and print one table (BEFORE=COMMIT: beside those of a commit)
	@$(BIN)/python -m benchmarks.summary $(if $(BEFORE),--before $(BEFORE))

$(MEASURABLE): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[bench]"
	@touch $@

check: $(READY) ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## put the code into shape
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

schema: $(READY) ## write docs/config.schema.json anew, after a change of settings or of the words that rules know
	$(BIN)/touchline schema > docs/config.schema.json

image: $(READY) ## run the Dockerfile's steps in a fresh Debian root and play a match in it, where no container engine runs (as root)
	$(BIN)/python -m deploy.image_steps

words: $(READY) ## look through the code and the packs for what the bot says, and bring the catalogues up to date
	$(BIN)/python -m bot.i18n.extract

release: $(READY) ## make what is published into dist: wheel, source, lock and checksums, and the image where Docker runs
	@.ci/release $(BIN)/python

lock: ## write both locks anew from pyproject.toml (with the oldest Python supported: make PYTHON=python3.11 lock)
	@python=$$($(FIND_PYTHON)) && "$$python" -m venv --clear build/lock-venv
	build/lock-venv/bin/python -m pip install --quiet --disable-pip-version-check pip-tools
	$(COMPILE_LOCK) --upgrade --extra console --extra dev --extra pictures --extra postgres --output-file requirements.lock pyproject.toml
	# What a match in the terminal needs, in the versions of the other lock.
	$(COMPILE_LOCK) --constraint requirements.lock --extra pictures --output-file requirements-runtime.lock pyproject.toml
	rm -rf build/lock-venv

COMPILE_LOCK := CUSTOM_COMPILE_COMMAND="make lock" build/lock-venv/bin/pip-compile --quiet --strip-extras --allow-unsafe \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options

clean: ## remove what was made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
