# make run · make test · make lint · make bench · make bench-loaders · make bench-durability · make bench-peers
#                    each sets up .venv by itself
# make check         lint, and the tests of what changed since main
# make install       the set-up alone; quick when nothing changed
# make docs          writes docs/configuration.md and docs/cli.md from the settings and the commands
# make constraints   takes the newest versions that pyproject.toml allows, and pins them in constraints.txt

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test check lint bench bench-loaders bench-durability bench-peers docs install constraints clean

run: $(READY)
	@exec $(BIN)/footnote run

test: $(READY)
	$(BIN)/pytest -n 2 --dist loadfile -m "not shared and not slow and not browser and not soak and not wheel"

check: lint
	$(BIN)/python tests/support/changed_tests.py | xargs --no-run-if-empty \
		$(BIN)/pytest -n 2 --dist loadfile -m "not shared and not slow and not browser and not soak and not wheel"

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python -m bench

bench-loaders: $(READY)
	$(BIN)/python -m bench loaders

bench-durability: $(READY)
	$(BIN)/python -m bench durability growth

bench-peers: $(READY)
	$(BIN)/python -m bench.peers $(if $(FILES),--files $(FILES))

docs: $(READY)
	$(BIN)/python tests/support/reference_pages.py

install: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Footnote needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)

constraints:
	rm -rf $(VENV)/fresh
	$(PYTHON) -m venv $(VENV)/fresh
	$(VENV)/fresh/bin/python -m pip install --quiet 'torch==2.13.0' '.[dev]'
	$(VENV)/fresh/bin/python -m pip freeze --exclude footnote-rag | sed 's/+[a-z0-9.]*$$//' > constraints.txt
	rm -rf $(VENV)/fresh

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
