# Every target does its own set-up: python3 (3.11 or later, with venv), make and gcc or clang will do.
# The package is installed editable into .venv, so that tests at the root of the tree, where
# `import convx` finds the source folder, and the console script use one and the same module.
# Changed Python takes effect at once; changed Cython or C is rebuilt by the next make.

PYTHON ?= python3
# Two processes share the tests: most of them compute on one thread, so that what is lost where two
# threads of each want two cores is less (240 s, and 386 s of one process, on two cores).
PYTEST := -m pytest -n 2
PYTEST_ARGS ?=
BENCH_ARGS ?=

VENV := .venv
PY := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
SOURCES := setup.py pyproject.toml convx/_version.py $(wildcard convx/_core/*.pyx convx/_core/*.pxd \
	convx/_core/kernels/*.[ch])

# `$(call extra,peers)` prints the requirements of an extra, so that they install without a rebuild.
extra = $(PY) -c 'import tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["$(1)"], sep="\n")'

.DELETE_ON_ERROR:
.PHONY: help install demo test test-all lint wheel bench peers clean

help:
	@echo 'make demo      install, then filter the shipped photograph and train LeNet-5'
	@echo 'make test      install, then run the tests but the slow ones (PYTEST_ARGS="-k pad" to choose)'
	@echo 'make test-all  install, then run all tests'
	@echo 'make lint      check style, types, and that Cython has no complaint'
	@echo 'make wheel     build sdist and wheel into dist/ and test the wheel in an empty environment'
	@echo 'make peers     install what convx is compared with (PyTorch, ONNX Runtime, ...): large'
	@echo 'make bench     install the peers, measure, write docs/benchmarks.md'
	@echo 'make clean     remove the environment and all that was built'

$(PY):
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): $(SOURCES) | $(PY)
	$(PY) -m pip install --quiet --editable '.[tests]'
	touch $@

$(VENV)/.%-extra: pyproject.toml | $(INSTALLED)
	$(call extra,$*) > $@.txt
	$(PY) -m pip install --quiet -r $@.txt
	touch $@

install: $(INSTALLED)

demo: $(INSTALLED)
	$(VENV)/bin/convx demo

test: $(INSTALLED)
	$(PY) $(PYTEST) -m 'not slow' $(PYTEST_ARGS)

test-all: $(INSTALLED)
	$(PY) $(PYTEST) $(PYTEST_ARGS)

lint: $(INSTALLED) $(VENV)/.lint-extra
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	PATH="$(VENV)/bin:$$PATH" cython-lint convx
	$(VENV)/bin/mypy
	$(PY) -c 'import setup; setup.translate(setup.EXTENSIONS, strict=True)'

# The wheel is built from the sdist, which proves that the sdist is complete. The tests run in a
# folder that has no convx beside them, so that only the installed one can be found.
wheel: | $(PY)
	$(PY) -m pip install --quiet build
	rm -rf dist
	$(PY) -m build --outdir dist
	set -eu; place=$$(mktemp -d); trap 'rm -rf "$$place"' EXIT; \
	$(PYTHON) -m venv "$$place/venv"; \
	"$$place/venv/bin/python" -m pip install --quiet "$$(ls -d "$$PWD"/dist/*.whl)[tests]"; \
	mkdir "$$place/work"; \
	for item in README.md pyproject.toml benchmarks docs tests; do \
		if [ -e "$$item" ]; then cp -R "$$item" "$$place/work"; fi; \
	done; \
	cd "$$place/work"; \
	"$$place/venv/bin/python" -c 'import convx, sysconfig; \
	print(convx.__version__, convx.__file__); \
	assert convx.__file__.startswith(sysconfig.get_path("platlib"))'; \
	"$$place/venv/bin/python" $(PYTEST) -m 'not slow' $(PYTEST_ARGS)

peers: $(VENV)/.peers-extra

bench: $(INSTALLED) $(VENV)/.peers-extra
	$(PY) -m benchmarks $(BENCH_ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info convx/_core/*.so convx-demo.png
	rm -rf convx-demo-training convx-training
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find convx tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +
