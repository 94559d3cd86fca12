# Everything runs in .venv, which the first target that needs it makes. Needed before: Python 3.11+, git, make.

SUITABLE = import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	command -v $$name >/dev/null 2>&1 && $$name -c '$(SUITABLE)' 2>/dev/null && echo $$name && break; done)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTEST := $(BIN)/pytest --durations=10
# `make BINARY=` where a package has no wheel (Linux on ARM: faust-streaming): then it is built from its
# source, whose hash is checked, by build tools whose hashes are not.
BINARY ?= --only-binary :all:
PIP := $(BIN)/python -m pip install --disable-pip-version-check
LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-package orderloom --custom-compile-command 'make lock'

DEMO ?=
SEEDS ?= 1 2 3
SEED ?= 1
# One more than cores: many tests of the fast suite wait for sockets.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1)

.NOTPARALLEL:
.PHONY: help demo test check fast broker chaos bench soak clean lock

help:
	@echo 'make demo    the whole product on this machine, with faults and kills, and a verdict'
	@echo 'make test    checkers, the fast suite, the suites on a real broker'
	@echo 'make check   ruff and mypy alone;  make fast, make broker, make chaos: one suite alone'
	@echo 'make lock    the newest versions that fit, with their hashes, into locks/'
	@echo 'make bench   what a stage costs, beside its peers;  make soak: all chaos runs, long, three seeds'

demo: $(INSTALLED)
	$(BIN)/orderloom demo $(DEMO)

test: check fast broker

check: $(INSTALLED)
	@echo '== ruff and mypy =='
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fast: $(INSTALLED)
	@echo '== fast suite (no broker) =='
	$(PYTEST) -n $(WORKERS) --dist loadfile -m 'not broker and not chaos and not network'

broker: $(INSTALLED)
	@echo '== suites on a real broker =='
	$(PYTEST) -v -n 2 --dist loadfile -m 'broker and not chaos'

chaos: $(INSTALLED)
	@echo '== chaos on a real broker, seed $(SEED) =='
	ORDERLOOM_TEST_SEED=$(SEED) $(PYTEST) -v -rP -n 2 --dist loadfile -m 'chaos and not soak'

soak: $(INSTALLED)
	for seed in $(SEEDS); do \
		echo "== soak, seed $$seed, commit $$(git rev-parse --short HEAD) =="; \
		ORDERLOOM_TEST_SEED=$$seed ORDERLOOM_TEST_SOAK=1 $(PYTEST) -v -s -m chaos || exit 1; \
	done

bench: $(INSTALLED)
	$(BIN)/python -m bench

# One set for Python 3.11 to 3.14, Linux and macOS: what differs between them stands there as a marker.
lock: $(INSTALLED)
	$(LOCK) pyproject.toml --extra build --extra dev -o locks/dev.txt
	$(LOCK) pyproject.toml -c locks/dev.txt -o locks/run.txt
	echo setuptools | $(LOCK) - -c locks/dev.txt -o locks/build.txt

$(INSTALLED): pyproject.toml schemas/pyproject.toml locks/dev.txt
	@test -n '$(PYTHON)' || { echo 'No Python 3.11 or newer found: install one, or make PYTHON=/path/to/python3'; exit 1; }
	@echo '== setting up $(VENV) with $(PYTHON) =='
	$(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes $(BINARY) -r locks/dev.txt
	$(PIP) --no-index --no-deps --no-build-isolation -e schemas -e .
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis var
