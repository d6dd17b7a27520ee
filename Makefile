# make serve    set up, train what the store lacks, serve on 127.0.0.1:8000
# make zoo      the same with every model there is, in one process
# make test     set up, run the tests
# make check    lint, types, tests, documents: what CI runs
# make fuzz     set up, try every parser and a server with hostile input, ten minutes
# make load     Locust against a running server
# make chaos    faults for minutes under clients that never stop      make soak    two million requests with reloads
# make image-test    builds the images and tries them in containers, on a Docker engine
# make bench    wrk against a server of its own      make bench-peers   the same beside Triton and mosec (make peers)

PYTHON ?= python3.11
PORT ?= $(or $(MANIFOLD_PORT),8000)
STORE ?= $(or $(MANIFOLD_STORE),store)
MODELS ?= similarity qa profile
PEERS ?= triton,mosec
PEERS_HOME ?= .venv-peers
ARGS ?=
VENV := .venv
CLIENTS := .venv-clients
RUN := $(VENV)/bin/python

ZOO := similarity qa profile majority same_distribution classifier adder digits siamese_vectors help_desk titles \
	activity clothing_price inception residual stereo_depth matrix_sum matrix_product

MEASURED := qa/1 similarity/1 siamese_vectors/2 profile/1 majority/2

.PHONY: serve zoo zoo-models models test failed manifests fuzz check lint types docs load chaos soak bench bench-peers bench-rest bench-models peers image-test lock clean

serve: models
	@MANIFOLD_STORE=$(STORE) MANIFOLD_PORT=$(PORT) exec $(RUN) -m service serve

zoo zoo-models: MODELS := $(ZOO)
zoo: export MANIFOLD_WORKERS := 1
zoo: serve
zoo-models: models

models: $(VENV)/full
	@for model in $(MODELS); do \
		ls -d $(STORE)/$$model/[1-9]* >/dev/null 2>&1 || $(RUN) -m training $$model --out $(STORE) || exit 1; \
	done

# A process more than there are cores, for many tests wait for a server or a browser; a file's tests stay together, for
# they share servers and models.
# Bytecode is kept, whatever PYTHONDONTWRITEBYTECODE says: each of some hundred servers would compile the service again.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/dev $(CLIENTS)/clients
	$(RUN) -m pytest -q -n $(shell expr $$(nproc 2>/dev/null || echo 2) + 1) --maxprocesses 5 --dist loadfile --no-loadscope-reorder

# What failed last, once more, one test after the other.
failed: $(VENV)/dev $(CLIENTS)/clients
	$(RUN) -m pytest -q --last-failed --last-failed-no-failures none

# ARGS: parsers to try instead of all, --share 0.1 for a tenth, --seed 2 for other cases.
fuzz: $(VENV)/dev $(VENV)/fuzz
	FUZZ_STORE=$(STORE) $(RUN) -m tests.fuzz $(ARGS)

check: lint types test docs

lint: $(VENV)/dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(VENV)/dev
	$(VENV)/bin/mypy

docs: $(VENV)/dev
	$(RUN) -m pytest -q tests/docs

# What is copied into the manifests: alert rules, the names of settings.
manifests: $(VENV)/dev
	$(RUN) -m tests.deploy.generate

load: $(VENV)/dev
	$(VENV)/bin/locust -f loadtest/locustfile.py --headless --users 50 --spawn-rate 25 --run-time 30s \
		--host http://127.0.0.1:$(PORT) --html loadtest/report.html --only-summary

# ARGS: other faults, another seed, more seconds.
chaos: models
	$(RUN) -m loadtest.chaos --store $(STORE) $(ARGS)

soak: MODELS := $(ZOO)
soak: models
	$(RUN) -m loadtest.chaos.soak --store $(STORE) $(ARGS)

# ARGS: other scenarios, connections, rounds or seconds, or --resume after a run that was cut short.
bench: bench-models
	$(RUN) -m loadtest.bench --store $(STORE) $(ARGS)

bench-peers: bench-models
	PEERS_HOME=$(PEERS_HOME) $(RUN) -m loadtest.bench --store $(STORE) --suite whole --peers $(PEERS) \
		--out docs/measurements/peers $(ARGS)

bench-rest: bench-models
	$(RUN) -m loadtest.bench.open_loop --store $(STORE)
	$(RUN) -m loadtest.bench.open_loop --store $(STORE) --spread
	$(RUN) -m loadtest.bench.neighbour --store $(STORE)
	$(RUN) -m loadtest.bench.overload --store $(STORE)
	$(RUN) -m loadtest.bench.big
	$(RUN) -m loadtest.bench.start --store $(STORE)

bench-models: $(VENV)/dev
	@set -e; for version in $(MEASURED); do \
		test -d $(STORE)/$$version || $(RUN) -m training $${version%/*} --version $${version#*/} --out $(STORE); \
	done

# Other servers, each in an environment of its own, about 2 GB.
peers: | $(VENV)/bin/uv
	@set -e; for peer in $$(echo $(PEERS) | tr , ' '); do \
		home=$(PEERS_HOME)/$${peer%-2ms}; test -x $$home/bin/python || $(PYTHON) -m venv --without-pip $$home; \
		$(VENV)/bin/uv pip install --python $$home/bin/python -r loadtest/bench/runners/$${peer%-2ms}.txt; \
	done

# ARGS: --targets slim, another --port.
image-test: models $(VENV)/dev
	$(RUN) -m pytest -q tests/image --store $(STORE) $(ARGS)

# The virtual environment: uv from the registry, everything else from the locks, with hashes. Compiled at once: where
# PYTHONDONTWRITEBYTECODE is set, every process that imports TensorFlow would compile it again, which takes 7 seconds.
export UV_COMPILE_BYTECODE := 1

$(VENV)/bin/uv:
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet uv

$(VENV)/%: deploy/requirements/%.txt | $(VENV)/bin/uv
	$(VENV)/bin/uv pip install --quiet --python $(RUN) --require-hashes -r $<
	@touch $@

# Others' clients and what they need, which is not what we need.
$(CLIENTS)/clients: deploy/requirements/clients.txt | $(VENV)/bin/uv
	$(PYTHON) -m venv --without-pip $(CLIENTS)
	$(VENV)/bin/uv pip install --quiet --python $(CLIENTS)/bin/python --require-hashes -r $<
	@touch $@

lock: | $(VENV)/bin/uv
	for name in "slim pyproject.toml --extra storage --extra telemetry" \
			"slim-grpc pyproject.toml --extra grpc --extra storage --extra telemetry" \
			"full pyproject.toml --extra full" "gpu pyproject.toml --extra gpu" \
			"dev pyproject.toml --extra full --extra dev" "clients --group clients" \
			"build --group build" "fuzz --group fuzz"; do set -- $$name; target=$$1; shift; \
		$(VENV)/bin/uv pip compile "$$@" --quiet --universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --no-header --output-file deploy/requirements/$$target.txt || exit 1; \
	done

clean:
	rm -rf $(VENV) $(CLIENTS) .venv-peers .mypy_cache .pytest_cache .ruff_cache .hypothesis loadtest/report.html
