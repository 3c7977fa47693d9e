# make run: the kiosk on an embedded database.  make test: every test.  Nothing to prepare.

PYTHON ?= $(firstword $(shell command -v python3.11) $(shell command -v python3))
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check install --quiet -c constraints.txt

.PHONY: run demo test check format bench crash clean

run: $(VENV)/.run
	@$(BIN)/kiosk

demo: $(VENV)/.run
	@$(BIN)/kiosk --demo

test: $(VENV)/.test
	$(BIN)/pytest -n 3 --dist worksteal

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.test
	$(BIN)/python -m tests.benchmarks

crash: $(VENV)/.test
	KIOSK_KILLS=400 KIOSK_SERVER_KILLS=20 KIOSK_CUTS=10000 KIOSK_SEEDS=20000 KIOSK_EXAMPLES=1000 \
	  $(BIN)/pytest -n 2 --dist worksteal -o faulthandler_timeout=0 tests/faults tests/simulation tests/integration/test_any_commands.py

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/.venv:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.venv pyproject.toml constraints.txt
	$(PIP) -e .
	@touch $@

$(VENV)/.test: $(VENV)/.venv pyproject.toml constraints.txt
	$(PIP) -e '.[test]'
	@touch $@ $(VENV)/.run
