# The one door for people: `make help` lists everything.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
BIN := .venv/bin
PIP := -m pip --disable-pip-version-check install --quiet
LOCKED := --require-hashes --no-deps --requirement
LOCK := .venv-audit/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--constraint constraints.txt --custom-compile-command 'make locks' --output-file
FAST := not (slow or server or nginx or browser or weights or processes)
SOURCES := setup.cfg pyproject.toml

# A test that starts a process would compile the whole package again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run weights calibrate check test fuzz fault-test overload soak golden eval bench lint format pictures settings constraints locks openapi lint-page release audit clean
.DEFAULT_GOAL := help

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: .venv/run.stamp ## Serve on HOST:PORT (127.0.0.1:8000), setting everything up first
	@exec $(BIN)/bgremove serve --host $(HOST) --port $(PORT)

weights: .venv/run.stamp ## Fetch and verify the models' weights
	$(BIN)/bgremove weights

calibrate: .venv/run.stamp ## Make the calibration table of MODEL again from the PICTURES folder
	$(BIN)/python tools/calibrate.py $(MODEL) $(PICTURES)

check: .venv/dev.stamp ## Check style and types, and run the fast tests: under a minute
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n $(or $(TEST_JOBS),2) --dist loadfile --no-loadscope-reorder -m "$(FAST)"

test: .venv/dev.stamp weights lint ## Run the linters and every test
	$(BIN)/pytest -n $(or $(TEST_JOBS),3) --dist loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered --cov-fail-under=90

fuzz: .venv/dev.stamp ## Feed damaged pictures, forms, key files, manifests and decoder answers for SECONDS (600)
	$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),600) --seed $(or $(SEED),1) \
		$(addprefix --corpus ,$(wildcard ../shared/corpus))

fault-test: .venv/dev.stamp weights ## Break a running service in every way, ten times (root: all of them; 15 min)
	$(BIN)/python -m faults faults --times $(or $(TIMES),10) $(FAULTS)

overload: .venv/dev.stamp weights ## Ask for four times what can be served, SECONDS (60) long, twice
	$(BIN)/python -m faults overload --seconds $(or $(SECONDS),60) $(FAULTS)

soak: .venv/dev.stamp weights ## Send REQUESTS (3000) good, damaged and foreign pictures, 20 min at most
	$(BIN)/python -m faults soak --requests $(or $(REQUESTS),3000) \
		$(addprefix --good ,$(wildcard ../shared/eval)) \
		$(addprefix --foreign ,$(wildcard ../shared/corpus)) $(FAULTS)

golden: .venv/dev.stamp weights ## Approve the mattes that the pipeline gives now
	APPROVE_GOLDEN=1 $(BIN)/pytest tests/golden

eval: .venv/dev.stamp weights build/drawn/manifest.tsv ## Score the cut-outs on the DATASET folder (../shared/eval) and on drawn pictures
	$(BIN)/python -m eval $(or $(DATASET),../shared/eval) build/drawn --halves \
		--remove eval.removers:plain_u2net --remove eval.removers:served --out build/eval

bench: .venv/dev.stamp .venv-rembg/stamp weights ## Measure beside rembg on the photographs of PICTURES, else generated ones (15 min; BENCH=--quick: 3 min)
	$(BIN)/python -m bench --rembg-venv .venv-rembg $(addprefix --folder ,$(PICTURES)) $(BENCH)

lint: .venv/dev.stamp ## Check style, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory lint-page; \
		else echo "npm is missing: the scripts of the page were not checked"; fi

lint-page: node_modules/.stamp ## The same for the scripts of the page (with npm)
	node_modules/.bin/biome check --error-on-warnings
	node_modules/.bin/tsc -p jsconfig.json

format: .venv/dev.stamp ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

pictures: .venv/dev.stamp weights ## Make the pictures of the README again
	$(BIN)/python tools/pictures.py

settings: .venv/run.stamp ## Print the table of settings, as docs/settings.md has it
	@$(BIN)/python tools/settings_table.py

openapi: .venv/run.stamp ## Write the OpenAPI document to docs/openapi.json (docs/clients follow it by hand)
	$(BIN)/bgremove openapi > docs/openapi.json

constraints: ## Pin the newest versions that setup.cfg lets in
	rm -rf .venv && $(PYTHON) -m venv .venv
	$(BIN)/python $(PIP) --editable '.[dev]'
	$(BIN)/python -m pip freeze --exclude-editable > constraints.txt
	$(MAKE) --no-print-directory locks

locks: .venv-audit/stamp ## Write requirements/*.txt again: the pins with the hashes of their files
	echo 'setuptools>=77' | $(LOCK) requirements/run.txt setup.cfg -
	echo 'setuptools>=77' | $(LOCK) requirements/dev.txt setup.cfg --extra dev -
	$(LOCK) requirements/tools.txt requirements/tools.in

release: .venv/dev.stamp .venv-audit/stamp ## Check, build and tag VERSION (see CONTRIBUTING.md)
	$(BIN)/python tools/release.py $(VERSION)

audit: .venv-audit/stamp ## Ask what is known against the pinned dependencies (AUDIT=--allow-unreachable)
	@.venv-audit/bin/python tools/audit.py --pip-audit .venv-audit/bin/pip-audit $(AUDIT)

clean: ## Remove the virtual environment, the caches and the weights
	rm -rf .venv .venv-audit .venv-rembg node_modules build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	rm -f weights/*.onnx weights/*.onnx.* weights/*.tflite weights/.lock

build/drawn/manifest.tsv: .venv/dev.stamp $(wildcard eval/draw/*.py)
	$(BIN)/python -m eval.draw build/drawn

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; name it with PYTHON=..."; exit 1; }
	@echo 'Creating the virtual environment .venv'
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

# UNLOCKED=1 takes the files of a mirror whose bytes are not those of requirements/*.txt.
.venv/run.stamp: .venv/bin/python $(SOURCES) requirements/run.txt
	@echo 'Installing bgremove and its libraries into .venv (135 MB to download, a minute or two)'
ifdef UNLOCKED
	@$(BIN)/python $(PIP) --constraint constraints.txt --editable .
else
	@$(BIN)/python $(PIP) $(LOCKED) requirements/run.txt
	@$(BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
endif
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements/dev.txt
	$(BIN)/python $(PIP) $(if $(UNLOCKED),--constraint constraints.txt --editable '.[dev]',$(LOCKED) requirements/dev.txt)
	@touch $@

node_modules/.stamp: package.json
	npm install --no-package-lock --no-audit --no-fund --silent
	@touch $@

.venv-rembg/stamp:
	$(PYTHON) -m venv .venv-rembg
	.venv-rembg/bin/python -m pip --disable-pip-version-check install --quiet 'rembg[cpu,cli]==2.0.86'
	@touch $@

.venv-audit/stamp: requirements/tools.txt
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python $(PIP) $(if $(UNLOCKED),--requirement requirements/tools.in,$(LOCKED) requirements/tools.txt)
	@touch $@
