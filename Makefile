# Pentimento. `make help` lists what can be asked for.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test lint bench soak lock audit clean venv venv-dev chromium

VENV := .venv/bin/python
# EXTRA=gpu installs TensorFlow for CUDA in place of the one for the CPU; empty keeps what is installed.
EXTRA ?=
# PYTHON=/path/to/python3.12 chooses the interpreter.
PYTHON ?=

# Prints the first interpreter that really runs and has the right version: a name on the path may be a
# shim for a version that is not there.
FIND_PYTHON = for python in $(if $(PYTHON),"$(PYTHON)",.venv/bin/python python3.13 python3.12 python3.11 python3 python); do \
	"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1 && { echo "$$python"; break; }; done

help:
	@echo "make run     start everything; PORT=8001, HOST=0.0.0.0, EXTRA=gpu, PENTIMENTO_DATA_DIR=... change it"
	@echo "make test    all tests, browser tests included"
	@echo "make lint    ruff, mypy, hadolint"
	@echo "make bench   measure speed, memory and quality into bench/RESULTS.md; goes on where it was stopped"
	@echo "make soak    hurt a running stack for some minutes, and write what that did into docs/reliability.md"
	@echo "make lock    make the lock files anew"
	@echo "make audit   look the locked packages up in the public list of vulnerabilities"
	@echo "make clean   remove .venv and caches; data and network weights stay"

run: venv
	@exec $(VENV) -m app.cli serve $(if $(HOST),--host "$(HOST)") $(if $(PORT),--port "$(PORT)")

test: venv-dev chromium
	@$(VENV) -m app.cli fetch
	@$(VENV) -m pytest -n 2 --dist loadfile $(ARGS)

lint: venv-dev
	@$(VENV) -m ruff check .
	@$(VENV) -m ruff format --check .
	@$(VENV) -m mypy
	@.venv/bin/hadolint --no-color Dockerfile

bench: venv
	@$(VENV) -m app.cli fetch
	@$(VENV) -m bench

soak: venv-dev
	@$(VENV) -m tests.faults soak $(ARGS)
	@$(VENV) -m tests.load
	@$(VENV) -m tests.whole

venv venv-dev:
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then \
		echo "Pentimento needs Python 3.11, 3.12 or 3.13, and none was found$(if $(PYTHON), as $(PYTHON)). Install one (sudo apt-get install python3 python3-venv) or name it: make run PYTHON=/path/to/python3.12" >&2; exit 1; \
	fi; \
	"$$python" -m app.local.install $(if $(EXTRA),--extra $(EXTRA)) $(if $(filter venv-dev,$@),--dev)

chromium: venv-dev
	@$(VENV) -m app.local.browser

# The registry's address stays out of the lock files, so that they work behind any index.
UV_COMPILE = .lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header $(if $(UPGRADE),--upgrade) pyproject.toml
lock: venv
	@$(VENV) -m venv .lock && .lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	@$(UV_COMPILE) --extra cpu -o requirements/cpu.txt
	@$(UV_COMPILE) --extra gpu -o requirements/gpu.txt
	@$(UV_COMPILE) --group dev -c requirements/cpu.txt -o requirements/dev.txt
	@rm -rf .lock
	@! grep -n '://' requirements/*.txt

# In an environment of its own, so that what it needs is in no lock file.
audit: venv
	@$(VENV) -m venv .audit && .audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	@found=0; for list in requirements/*.txt; do \
		echo "$$list:"; .audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r "$$list" || found=1; \
	done; rm -rf .audit; exit $$found

clean:
	@rm -rf .venv .lock .audit .pytest_cache .mypy_cache .ruff_cache .hypothesis tests/output
	@find app workers tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
