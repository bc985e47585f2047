# Everything a person or CI does with this checkout. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DATA ?= ../shared/data
ARGS ?=
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
RATINGS ?=
PHOTOS ?=
THEN ?=
PROCESSES ?= 3

.PHONY: help setup services packages kafka demo test chaos lint format bench real-data photos ranklens drawn-clip schemas clean

help:  ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## install Millrace and its tools into .venv (about 3 minutes, 6 GB: torch brings CUDA)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Millrace needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

services: $(READY)  ## get what service tests need beyond pip: Chromium, Java, Maven, Redis (Debian's), Kafka (Maven Central's)
	@$(MAKE) --no-print-directory packages
	@$(BIN)/python -m deploy.kafka --fetch-only

packages:
	@missing=""; \
	command -v chromium >/dev/null && fc-list :lang=zh 2>/dev/null | grep -q . || missing="chromium fontconfig fonts-noto-cjk"; \
	command -v java >/dev/null || missing="$$missing openjdk-17-jre-headless"; \
	command -v mvn >/dev/null || missing="$$missing maven"; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	if [ -z "$$missing" ]; then echo "Chromium, fonts, Java, Maven and Redis are there."; exit; fi; \
	command -v apt-get >/dev/null || { echo "No apt-get here: install$$missing yourself, or their tests are skipped."; exit 1; }; \
	$(SUDO) apt-get update -qq && \
	DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $$missing >/dev/null && \
	echo "Installed: $$missing"

kafka: $(READY)  ## a Kafka broker on this machine to try things on, until Ctrl-C; ARGS="--secure" for TLS and SASL
	@$(BIN)/python -m deploy.kafka $(ARGS)

demo: $(READY)  ## a drawn shop on embedded parts; ARGS="--headless --seconds 60 --json" for scripts
	@$(BIN)/millrace demo $(ARGS)

test: $(READY)  ## all tests whose service is there, three files at once (PROCESSES=3); names what was skipped and why
	MILLRACE_DATA=$(DATA) $(BIN)/pytest -n $(PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

chaos: $(READY)  ## kill everything at random, from a seed, on a real Kafka: make chaos SEED=1 MINUTES=5
	$(BIN)/python -m tests.services.chaos --seed $(or $(SEED),1) --minutes $(or $(MINUTES),5) $(ARGS)

lint: $(READY)  ## ruff, mypy strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports

format: $(READY)  ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)  ## all benchmarks; results go to benchmarks/results/
	MILLRACE_DATA=$(DATA) $(BIN)/python -m benchmarks $(ARGS)

real-data: $(READY)  ## 19,406 Icecat products through Kafka; RATINGS=FILE for other ratings, ARGS=--json for scripts
	@$(BIN)/millrace real-data $(DATA)/icecat_chorus $(if $(RATINGS),--ratings $(RATINGS)) $(ARGS)

photos: $(READY)  ## 81 groceries found by photos from shops; PHOTOS=CSV for other photos, ARGS=--json for scripts
	@$(BIN)/millrace evaluate relevance --on groceries --data $(DATA) $(if $(PHOTOS),--photos $(PHOTOS)) $(ARGS)

ranklens: $(READY)  ## rankers on real choices in lists of movies (about 4 minutes); THEN=FILE: trained on all, measured on it
	@$(BIN)/millrace evaluate ranking --on ranklens --data $(DATA) $(if $(THEN),--then $(THEN)) $(ARGS)

drawn-clip: $(READY)  ## train the small CLIP of the drawn shop again (about 15 CPU minutes)
	$(BIN)/millrace train drawn-clip $(or $(ARGS),.bench/drawn-clip)

schemas: $(READY)  ## write the JSON Schema snapshots anew; refuses what old events could not be read with
	$(BIN)/python -m topics.json_schemas

clean:  ## remove the environment and everything that was made here
	rm -rf $(VENV) .demo .bench .kafka .services dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
