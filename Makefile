# cofilter: `make help` lists what there is. The first call of a target that needs Python makes
# .venv with the pinned dependencies; later calls do no set-up again.

PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
# The peers of `make bench` need other versions of pandas and setuptools than cofilter does.
BENCH_VENV ?= .venv-bench
BENCH_READY := $(BENCH_VENV)/.ready
# DVC starts each stage's `python` from PATH.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export DVC_NO_ANALYTICS := 1
# Columns that `make experiments` leaves out, so that its table fits a screen: files, what a data set
# has besides its name, and all figures but the shipped model's.
HIDDEN := Created|.*/.*|models$$|.*\.(csv|tsv|dat|parquet|zip)$$|data\.(?!name$$).*|data_dependency
HIDDEN := $(HIDDEN)|leak\.|reproduce\.|.*\.device|.*_margin|.*coverage@|(?!shipped\.).*@\d+$$|[a-z]+\.(rmse|point)$$|users
# Arguments for a target, for example: make cv ARGS="cv.methods=[knn/item] knn.k=20"
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup own repro ship serve leaderboard experiments claims report dashboard sync cv search tune bench test wheel lint format params clean clean-stale clean-checkpoints clean-all

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

setup: $(READY) ## make .venv with the pinned dependencies (other targets do it by themselves)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"cofilter needs Python 3.11 or newer, this is {v.major}.{v.minor}; name another with: make PYTHON=python3.12 …")'
	@echo "Setting up $(VENV) (once; a few minutes)"
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@echo "Compiling the kernels (a minute)"
	@PYTHONPATH=src $(VENV)/bin/python -m stages.rehearse
	@touch $@

own: $(READY) ## make a file of your own the project's data (FILE=my/ratings.csv; NAME, YES=1, POINTS=quick)
	@test -n "$(FILE)" || { echo "which file? make own FILE=my/ratings.csv"; exit 2; }
	@PYTHONPATH=src python src/stages/own.py "$(FILE)" $(if $(NAME),--name "$(NAME)") $(if $(POINTS),--points "$(POINTS)") $(if $(YES),--yes) $(ARGS)

repro: $(READY) ## run the pipeline on real ratings and print the leaderboard
	@PYTHONPATH=src python -m stages.side_by_side $(ARGS)
	@python -m cofilter.report --if-changed
	@python -m cofilter.report.terminal
	@PYTHONPATH=src python -m stages.drift
	@python -m cofilter.tracking.going

ship: $(READY) ## fit the model to ship once more on all rows and export it into shipped/ (ARGS="als/implicit-dim20-seed0 --to …")
	@cofilter ship $(ARGS)

serve: $(READY) ## answer over HTTP with the model to ship, with a page to try it (ARGS="--port 8080")
	@cofilter serve $(ARGS)

leaderboard: $(READY) ## print the leaderboard of the last run
	@python -m cofilter.report.terminal

experiments: $(READY) ## compare the experiments: what they changed, what each ships (ARGS=-A: of all commits)
	@dvc exp show --only-changed --keep 'shipped\.model' --drop '$(HIDDEN)' $(ARGS)

claims: $(READY) ## print published claims beside the last run's figures (of an experiment)
	@python -m cofilter.report.published

report: $(READY) ## draw results/report.html again from the last run's tables and logs
	@python -m cofilter.report

dashboard: $(READY) ## make a report of the tracked runs at Weights & Biases (needs a login)
	@PYTHONPATH=src python src/stages/dashboard.py $(ARGS)

sync: $(READY) ## send offline runs and their lineage to Weights & Biases (needs a login)
	@PYTHONPATH=src python src/stages/sync.py $(ARGS)

cv: $(READY) ## cross-validate methods over 5 random folds: NDCG, recall, RMSE and MAE with their spread
	@dvc repro --quiet filter
	@PYTHONPATH=src python src/stages/cv.py $(ARGS)

search: $(READY) ## search hyper-parameters on validation and write the best into conf/
	@dvc repro --quiet split
	@PYTHONPATH=src python src/stages/search.py $(ARGS)

tune: $(READY) ## tune every method with the same budget on validation, and record how (ARGS="tune.trials=null tune.seconds=300")
	@dvc repro --quiet split
	@PYTHONPATH=src python src/stages/tune.py $(ARGS)

bench: $(READY) $(BENCH_READY) ## run cofilter beside its peers, rows that have no result yet (ARGS=--list names them)
	@BENCH_VENV=$(BENCH_VENV) PYTHONPATH=src python -m benchmarks $(ARGS)

$(BENCH_READY): pyproject.toml benchmarks/constraints.txt
	@echo "Setting up $(BENCH_VENV) with the peers (once; a few minutes)"
	@test -x $(BENCH_VENV)/bin/python || $(PYTHON) -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint benchmarks/constraints.txt --group bench
	@touch $@

test: $(READY) ## run the tests
	@python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

wheel: $(READY) ## build the wheel and try it in an empty environment with its core dependencies alone
	@COFILTER_TEST_WHEEL=1 python -m pytest tests/test_wheel.py $(ARGS)

lint: $(READY) ## check style and types
	@ruff check .
	@ruff format --check .
	@mypy

format: $(READY) ## put the code into the project's format
	@ruff check --fix .
	@ruff format .

params: $(READY) ## compose conf/ into params.yaml
	@PYTHONPATH=src python -m stages.params

clean: ## remove outputs of direct runs and caches of tools; results and checkpoints stay
	@rm -rf outputs multirun .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

clean-stale: $(READY) ## remove models, checkpoints and logs that no present point names (ARGS=--dry-run lists them)
	@PYTHONPATH=src python -m stages.stale $(ARGS)

clean-checkpoints: ## remove all training checkpoints
	@rm -rf checkpoints

clean-all: clean clean-checkpoints ## remove everything that git does not hold, .venv and DVC's cache too
	@rm -rf $(VENV) .venv-bench data/*.parquet data/*.json data/split models shipped logs .cache .dvc/cache .dvc/tmp
	@find results -mindepth 1 ! -path results/metrics.json -delete 2>/dev/null || true
