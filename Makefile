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
ON_TABLES := follow access grants people signin sessions sources tokens work settings releases policies

# Tests run in two halves of about the same length, side by side.
LONG := $(addprefix tests/integration/test_,$(addsuffix .py,permissions_table attack_web_requests schemathesis))
FOLDERS := $(sort $(dir $(wildcard tests/*/test_*.py)))
PYTEST = $(BIN)/python -m pytest -q --randomly-seed=$(SEED)

.PHONY: setup run test test-inside test-outside test-postgresql check bench soak lock clean

setup: $(STAMP)

$(STAMP): requirements/dev.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

run: setup
	$(BIN)/tallystick demo --data $(DATA) --port $(PORT)

test: setup
	$(MAKE) --jobs=2 --output-sync=line --no-print-directory test-inside test-outside

test-inside: setup
	$(PYTEST) -m "not slow" tests/integration $(addprefix --ignore=,$(LONG))

test-outside: setup
	$(PYTEST) -m "not slow" $(filter-out tests/integration/,$(FOLDERS)) $(LONG)

test-postgresql: setup
	TALLYSTICK_TEST_DATABASE=postgresql $(PYTEST) -m "not slow" \
		$(wildcard $(ON_TABLES:%=tests/*/test_%_*.py))

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
