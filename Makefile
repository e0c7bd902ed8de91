# AstroMer pipeline. `make` alone lists the targets.

PYTHON := .venv/bin/python
DATA := data/synthetic
OUTPUT := outputs
PORT := 6006
COMPILED := outputs/compiled
CLUSTER_DATA := gs://your-bucket/records/fold_0
CLUSTER_OUTPUT := gs://your-bucket/astromer
RUN_FLAGS := --model astromer_phase --init starter --bs 16 --lr 5e-4 --warmup-steps 50 \
	--decay cosine --clip-norm 1 --epochs 4 --patience 4 --mask-draws 2
ARGS ?=
# A third keeps two cores busy while tests wait for processes and servers.
JOBS := 3
LOCK_FLAGS :=
MINUTES := 10
TARGET :=
CODE := astromer components pipeline presentation tests tools pipeline_config.py
TYPED := $(filter-out tests,$(CODE))

.DEFAULT_GOAL := help
.PHONY: help setup run tensorboard compile test test-current test-slow test-all bench bench-beam bench-scaling bench-embedding bench-overhead bench-validation starter soak faults fuzz lint format docs lock spark audit \
	check-install clean distclean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: ## make or update .venv from requirements.lock
	@sh tools/scripts/set_up.sh

run: setup ## train, judge and push a small model on built-in data (RUN_FLAGS, DATA, OUTPUT)
	$(PYTHON) -m astromer synthetic --output "$(DATA)"
	$(PYTHON) pipeline/local_runner.py --data "$(DATA)/fold_0" --output "$(OUTPUT)" $(RUN_FLAGS)

tensorboard: setup ## show the trainings of OUTPUT in TensorBoard (OUTPUT, PORT, ARGS=--newest)
	@$(PYTHON) -m astromer tensorboard --output "$(OUTPUT)" --port "$(PORT)" $(ARGS)

starter: setup ## train the encoder of the package on synthetic stars (an hour; ARGS="--scale 0.1 --minutes 30")
	@$(PYTHON) tools/starter/train.py $(ARGS)

compile: setup ## compile the pipeline for Vertex AI and Kubeflow (COMPILED, CLUSTER_DATA, CLUSTER_OUTPUT, ARGS)
	@$(PYTHON) pipeline/vertex_runner.py --data "$(CLUSTER_DATA)" --output "$(CLUSTER_OUTPUT)" \
		--spec "$(COMPILED)/vertex.yaml" $(ARGS)
	@$(PYTHON) pipeline/kubeflow_runner.py --data "$(CLUSTER_DATA)" --output "$(CLUSTER_OUTPUT)" \
		--spec "$(COMPILED)/kubeflow.yaml" $(ARGS)

test: setup ## run the product's tests in three processes, all but the slow ones (ARGS="-k windows", JOBS=0: one process)
	@$(PYTHON) -m pytest -n $(JOBS) -m "not slow" $(ARGS)

test-current: setup ## test the installed wheel without TFX, with today's Python and libraries, in .venv-current
	@sh tools/scripts/test_current.sh -n $(JOBS) $(ARGS)

test-slow: setup ## run the slow tests of the product, and those of the tools
	@$(PYTHON) -m pytest -n $(JOBS) -m "slow or tools" tests tools/tests $(ARGS)

test-all: setup ## run every test
	@$(PYTHON) -m pytest -n $(JOBS) tests tools/tests $(ARGS)

bench: setup ## measure input, training and embedding beside a plain implementation (minutes)
	@$(PYTHON) tools/benchmarks/everything.py $(ARGS)

bench-scaling: setup ## measure how training costs grow with model, data and replicas (minutes)
	@$(PYTHON) tools/benchmarks/scaling.py $(ARGS)

bench-validation: setup ## measure making, reading and validating records (minutes, 4 GB of disk)
	@$(PYTHON) tools/benchmarks/validation.py $(ARGS)

bench-embedding: setup ## measure light curves embedded per second, by way and model size (minutes)
	@$(PYTHON) tools/benchmarks/embedding.py $(ARGS)

bench-beam: setup ## measure validation and statistics without Beam and on its local runners (minutes)
	@$(PYTHON) tools/benchmarks/beam_runners.py $(ARGS)

bench-overhead: setup ## measure local_runner outside the training, part by part (a few minutes)
	@$(PYTHON) tools/benchmarks/pipeline_overhead.py $(ARGS)

soak: setup ## train for two hours, then run the pipeline a hundred times: does anything grow? (hours)
	@$(PYTHON) tools/benchmarks/soak_training.py $(ARGS)
	@$(PYTHON) tools/benchmarks/soak_runs.py

faults: setup ## kill and disturb real runs, repeat and check them (most of an hour; ARGS="--seed 2 --kills 30")
	@$(PYTHON) tools/faults/campaign.py $(ARGS)

fuzz: setup ## fuzz what reads files and requests (MINUTES=10, TARGET="record state", ARGS="--seed 1")
	@$(PYTHON) tools/fuzzing/run.py --minutes $(MINUTES) $(if $(TARGET),--target $(TARGET)) $(ARGS)

lint: setup ## check style, formatting, types and the images' Dockerfiles
	@$(PYTHON) -m ruff check $(CODE)
	@$(PYTHON) -m ruff format --check $(CODE)
	@$(PYTHON) -m mypy $(TYPED)
	@$(dir $(PYTHON))hadolint $(wildcard deploy/*/Dockerfile)

format: setup ## format the code and mend what ruff can mend
	@$(PYTHON) -m ruff check --fix $(CODE)
	@$(PYTHON) -m ruff format $(CODE)

docs: setup ## make a site of README.md and docs/ in site/, with its links checked
	@$(PYTHON) -m mkdocs build --strict --quiet
	@echo "made site/index.html"

lock: setup ## resolve requirements.lock and requirements-current.lock anew (LOCK_FLAGS=--upgrade for newer versions)
	@sh tools/scripts/lock.sh $(LOCK_FLAGS)

spark: setup ## fetch what runs the validation in a Spark session into .tools/spark (340 MB, needs Java)
	@sh tools/scripts/add_spark.sh

audit: setup ## ask a vulnerability database about all locked packages (ARGS="--service pypi")
	@$(PYTHON) tools/scripts/audit.py $(ARGS)

check-install: setup ## pip install . into an empty environment and import it (slow)
	@sh tools/scripts/check_install.sh $(PYTHON)

clean: ## remove caches and build leftovers; data/ and outputs/ stay
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.venv*' -not -path './.tools/*' -prune -exec rm -rf {} +

distclean: clean ## clean, and remove .venv, .venv-current and .tools too
	rm -rf .venv .venv-current .tools
