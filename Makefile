# SPDX-License-Identifier: GPL-3.0-or-later
# `make help` lists what there is. Everything is installed below .venv and build; nothing outside the clone is touched.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
LINK   := build/collections/ansible_collections/workforce/lifecycle
export PYTHONDONTWRITEBYTECODE ?=
# Not compiled: Python does that to what is used, when it is first used, and most of it never is.
PIP    := $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo demo-hr test sandbox sandbox-down bench install connector lint soak cores image release lock docs pictures clean link

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

link:
	@mkdir -p $(dir $(LINK)) && ln -sfn "$(CURDIR)" $(LINK)

$(VENV)/sandbox.done: requirements.txt requirements-sandbox.txt
	@test -x $(BIN)/python || $(PYTHON) scripts/make_venv.py $(VENV)
	@echo "Installing what the sandbox needs (once) ..."
	@$(PIP) -r requirements-sandbox.txt
	@touch $@

$(VENV)/dev.done: $(VENV)/bridge.done requirements-dev.txt requirements-tests.txt
	@echo "Installing what the tests need (once) ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@

demo: $(VENV)/sandbox.done link ## hire, move and offboard people of the sandbox company, and ask its systems what happened
	@$(BIN)/python scripts/demo.py

$(VENV)/bridge.done: $(VENV)/sandbox.done bridge/pyproject.toml
	@echo "Installing the bridge (once) ..."
	@$(PIP) -e './bridge[runner]'
	@touch $@

demo-hr: $(VENV)/bridge.done link ## HR marks a termination; its webhook reaches the bridge; how long until the person is cut off everywhere
	@$(BIN)/python scripts/demo_hr.py

sandbox: $(VENV)/sandbox.done link ## start the company in a box; writes build/sandbox/company.systems.yml
	@$(BIN)/python -m sandbox up && $(BIN)/python -m sandbox status
	@echo; echo "  $(BIN)/ansible-playbook -i build/sandbox/company.systems.yml workforce.lifecycle.offboard -e user=jane@corp.example --check --diff"

sandbox-down: ## stop it
	@$(BIN)/python -m sandbox down

test: $(VENV)/dev.done link ## everything that must hold: tests and gates (under 15 minutes)
	@$(BIN)/python scripts/test.py

install: ## build this clone and install it for the ansible-core in PATH, with the libraries it needs
	@sh scripts/install.sh

connector: $(VENV)/dev.done link ## write the skeleton of a connector with its failing tests: make connector NAME=acme
	@$(BIN)/python scripts/new_connector.py $(NAME)

lint: $(VENV)/dev.done link ## the gates that need no server
	@$(BIN)/python scripts/test.py --only lint

bench: $(VENV)/dev.done link ## measure against peers in the same run; writes build/bench.json
	@$(BIN)/python scripts/bench.py

soak: $(VENV)/dev.done link ## the long suites, the sample days (two to three hours)
	@$(BIN)/python scripts/test.py --soak

cores: $(VENV)/dev.done link ## the built archive on each ansible-core and Python that is here: plans, runs, unit tests (hours); one: CELL=2.19-3.12
	@$(BIN)/python scripts/test.py --cores "$(CELL)"

image: $(VENV)/dev.done link ## the execution environment, built by podman with this clone in it, and a rehearsal in it
	@$(BIN)/pytest -m soak -rs -p no:cacheprovider tests/integration/test_image.py

release: $(VENV)/dev.done link ## build, check, list components and sign: make release KEY=<fingerprint>
	@$(BIN)/python scripts/release.py --key "$(KEY)"

docs: $(VENV)/sandbox.done link ## build the site from docs/ and the reference: build/site/index.html
	@$(BIN)/python scripts/site.py

pictures: $(VENV)/dev.done link ## take the pictures of docs/images anew, from the sandbox
	@mkdir -p build/shots
	@LIFECYCLE_PICTURES=docs/images $(BIN)/pytest -q -p no:cacheprovider tests/integration/test_pictures.py
	@CONSOLE_SHOTS=build/shots $(BIN)/pytest -q -p no:cacheprovider tests/bridge/test_console_browser.py -k light-screen
	@cp build/shots/light-1280-person.png docs/images/console.png

lock: $(VENV)/dev.done ## write the lock files of what users install anew
	@$(BIN)/python scripts/release.py --lock

clean: ## remove what was built and installed
	@-test -x $(BIN)/python && $(BIN)/python -m sandbox down
	@rm -rf build $(VENV)
