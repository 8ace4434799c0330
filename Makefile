# The local environment is .venv; nothing is installed anywhere else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DATA ?= demo-data
PORT ?= 8400
# Tests run in an order that this number makes; another number, another order.
SEED ?= 20261121

# What stands on the product's tables; the same tests run on SQLite with `make test`.
ACCESS_TABLES := follow access grants people signin sessions sources tokens work settings releases policies
DUTY_TABLES := alert alerts detect govern retention reviews

# Tests run in four parts, as many side by side as there are processors; the longest begin first.
LONG := $(addprefix tests/integration/test_,$(addsuffix .py,permissions_table attack_web_requests schemathesis))
PROCESSES := tests/e2e/ tests/crash/
FOLDERS := $(sort $(dir $(wildcard tests/*/test_*.py)))
PARTS := test-processes test-inside test-browser test-others
ON_POSTGRESQL := test-postgresql-access test-postgresql-duties
PYTEST = $(BIN)/python -m pytest -q --randomly-seed=$(SEED)

.PHONY: setup run test $(PARTS) test-postgresql $(ON_POSTGRESQL) check bench soak lock clean

setup: $(STAMP)

$(STAMP): requirements/dev.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

run: setup
	$(BIN)/tallystick demo --data $(DATA) --port $(PORT)

test: setup
	$(MAKE) --jobs=$(shell nproc) --output-sync=line --no-print-directory $(PARTS)

test-inside: setup
	$(PYTEST) -m "not slow" tests/integration $(addprefix --ignore=,$(LONG))

test-processes: setup
	$(PYTEST) -m "not slow" $(PROCESSES)

test-browser: setup
	$(PYTEST) -m "not slow" tests/browser

test-others: setup
	$(PYTEST) -m "not slow" $(filter-out tests/integration/ tests/browser/ $(PROCESSES),$(FOLDERS)) $(LONG)

test-postgresql: setup
	$(MAKE) --jobs=$(shell nproc) --output-sync=line --no-print-directory $(ON_POSTGRESQL)

test-postgresql-access: TABLES := $(ACCESS_TABLES)
test-postgresql-duties: TABLES := $(DUTY_TABLES)
$(ON_POSTGRESQL): setup
	TALLYSTICK_TEST_DATABASE=postgresql $(PYTEST) -m "not slow" \
		$(wildcard $(TABLES:%=tests/integration/test_%_*.py) $(TABLES:%=tests/property/test_%_*.py))

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/tallystick catalogue docs --check

bench: setup
	$(BIN)/python -m bench

soak: setup
	$(PYTEST) -m slow

lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --all-extras -o requirements/dev.lock pyproject.toml

clean:
	rm -rf $(VENV) $(DATA) build dist
