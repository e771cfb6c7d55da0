# make study   set up, run the study, write its report      make test   set up, run all checks and tests
# make setup   only make the environment in .venv           make plan   say what the study would make and why
# make network  train the network that comes with the package, on resources/scenes/sentinel2 (docs/model_card.md)
# make sanitize   run the kernels' tests with sanitizers of memory and of undefined behaviour (GCC)
#
# Variables: PYTHON=python3.12                    interpreter for the environment (3.11 or later)
#            CONFIG=config/real_scenes.yaml       overlay on config.yaml, or several with spaces between
#            STUDY=super_resolution               which study, or all; by default what the configuration asks for
#            VENV=.venv-3.12                      folder of the environment, for a second one
#            ARGS="--cores 4 --dry-run"           further arguments, to Snakemake (study) or pytest (test)

PYTHON ?= python3
export CONFIG ?=
STUDY ?=
ARGS ?=

VENV := .venv
STAMP := $(VENV)/.installed
KERNELS := $(VENV)/.kernels
IN_VENV := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
RUN_STUDY := $(IN_VENV) python workflow/run_study.py $(if $(STUDY),--study "$(STUDY)") $${CONFIG:+--configfile="$$CONFIG"}
ADVICE := name another interpreter: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12

define step
@printf '\n== %s\n' '$(subst ','\'',$(1))'
@$(IN_VENV) $(1)
endef

NETWORK := results/bundled_network/models/lp2x3/seed_0.safetensors

.PHONY: help setup plan study network test sanitize

help:
	@sed -n '/^$$/q; s/^# \{0,1\}//p' Makefile

setup: $(KERNELS)

$(KERNELS): $(STAMP) $(wildcard src/spatial_prediction/native/*)
	@$(VENV)/bin/python -m spatial_prediction.native || echo "(the study runs without them)" >&2
	@touch $@

$(STAMP): pyproject.toml constraints.txt
	@command -v "$(PYTHON)" > /dev/null || { echo "error: no program '$(PYTHON)'; $(ADVICE)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; \
	  sys.exit(v < (3, 11) and "error: Python 3.11 or later is needed, this is %d.%d; $(ADVICE)" % v)'
	@echo "Installing into $(VENV) (a few minutes the first time)"
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
	  --editable ".[rasters,compression,peers,workflow,development]" --constraint constraints.txt
	@touch $@

plan: setup
	@$(RUN_STUDY) --plan -- $(ARGS)

study: setup
	@$(RUN_STUDY) -- $(ARGS)

network: setup
	$(call step,snakemake --cores all --configfile config/bundled_network.yaml $(ARGS) -- $(NETWORK))
	$(call step,python workflow/bundle_network.py)

test: setup
	$(call step,ruff check .)
	$(call step,ruff format --check .)
	$(call step,snakefmt --check Snakefile workflow)
	$(call step,snakemake --lint)
	$(call step,mypy)
	$(call step,pytest -n 2 $(ARGS))

sanitize: setup
	$(call step,tests/sanitize.sh $(ARGS))
