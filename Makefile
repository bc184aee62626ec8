# What README promises: `make demo` and `make test` on a machine with nothing prepared.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test bench lowest lock screenshots clean

# An environment that was moved or copied here is made anew.
$(shell [ "$$(cat $(VENV)/.place 2>/dev/null)" = "$$(pwd -P)" ] || rm -f $(VENV)/.installed*)

demo: $(VENV)/.installed
	@sh scripts/demo.sh $(BIN)/lptui

test: $(VENV)/.installed-test
	@sh scripts/install-test-tools.sh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(if $(PYTEST_ARGS),$(BIN)/python -m pytest $(PYTEST_ARGS),@sh scripts/run-tests.sh $(BIN))

bench: $(VENV)/.installed-test
	@sh scripts/install-test-tools.sh bench
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

$(VENV)/.installed: requirements.lock pyproject.toml scripts/venv.sh
	@sh scripts/venv.sh $(PYTHON) $(VENV) requirements.lock
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed requirements-test.lock
	@sh scripts/venv.sh $(PYTHON) $(VENV) requirements-test.lock
	@touch $@

# The lower bounds of pyproject.toml are true.
lowest: $(VENV)/.installed-test
	@sh scripts/lowest.sh $(BIN) $(or $(PYTEST_ARGS),tests/unit tests/tui)

lock: $(VENV)/.installed-test
	@sh scripts/lock.sh $(BIN)

screenshots: $(VENV)/.installed
	$(BIN)/python screenshots/make.py

clean:
	rm -rf $(VENV) .devtools .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
