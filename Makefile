# `make help` lists what there is. Two commands do everything on a fresh machine: `make run` and `make test`.
.DEFAULT_GOAL := help
.PHONY: help setup run test lint check train bench lock clean
SHELL := /bin/bash
PY := .venv/bin/python
FAST := tests/core/test_turns.py tests/core/test_replies.py tests/core/handoffs/test_stepping_back.py tests/core/handoffs/test_machine.py tests/actions

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/.ready .venv-bot/.ready ## make the two environments (.venv for the app, .venv-bot for Rasa)

run: setup $(if $(filter local,$(LLM)),.venv-llm/.ready) ## set up what is missing, train if needed, start everything, print the address; with LLM=local also a small language model
	@.venv/bin/rejoinder start $(if $(LLM),--llm $(LLM))

test: setup .venv/.ready-dev .venv/.ready-browser ## set up what is missing, then all tests
	@OMP_NUM_THREADS=1 $(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: setup .venv/.ready-dev ## style, spelling, types, import rules
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/codespell && .venv/bin/mypy core knowledge connectors actions evaluation console benchmarks bot/skills && .venv/bin/lint-imports

check: setup .venv/.ready-dev ## the inner loop, under a minute: lint, and the quick tests
	@$(MAKE) -s lint && OMP_NUM_THREADS=1 $(PY) -m pytest -q -n 2 --dist loadfile $(FAST)

train: setup ## train the bot
	@.venv/bin/rejoinder train --force

bench: setup .venv/.ready-dev ## all measurements; one: make bench NAME=nlu DATA=path
	@$(PY) -m benchmarks $(NAME) $(if $(DATA),--data $(DATA))

lock: .venv/.ready ## write the lock files anew from requirements/*.in
	@deploy/setup lock

clean: ## remove the environments, keep what is in var
	rm -rf .venv .venv-bot .venv-llm .venv-train

.venv/.ready: requirements/setup.txt requirements/app.txt pyproject.toml deploy/setup
	@deploy/setup app

.venv/.ready-dev: .venv/.ready requirements/dev.txt
	@deploy/setup dev

.venv/.ready-browser: .venv/.ready-dev
	@deploy/setup browser

.venv-bot/.ready: .venv/.ready requirements/bot.txt
	@deploy/setup bot

.venv-llm/.ready: requirements/llm.txt | .venv/.ready
	@deploy/setup llm

.venv-train/.ready: requirements/train.txt requirements/torch-cpu.txt | .venv/.ready
	@deploy/setup train
