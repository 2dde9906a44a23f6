# Everything that a fresh machine needs, and everything that CI runs.

PYTHON ?= python3
VENV   := .venv
UV     := uv==0.13.8
DENY   := 0.20.2
# A bare Debian lacks these; where apt-get cannot help, what needs them says so.
apt     = (apt-get update -qq && apt-get install -y --no-install-recommends $(1))

# A virtual environment (1) with what a file of requirements (2) names, and maybe a package of ours behind it.
venv    = { $(PYTHON) -c 'import ensurepip' 2>/dev/null || $(call apt,python3-venv); } && \
  $(PYTHON) -m venv --clear $(1) && $(1)/bin/python -m pip install --quiet '$(UV)' && \
  $(1)/bin/uv pip install --quiet --python $(1)/bin/python --compile-bytecode -r $(2)

.PHONY: demo test format clippy deny unit e2e airflow sample glue-tables dashboards bench-s3 bench-micro bench-limits bench-peers bench-profile

## Publishes the sample day and shows what it did.
demo:
	cargo run --release --locked --quiet --no-default-features -- run --day 2023-11-01 --input sample-data/cloudtrail --input sample-data/s3-access --output target/demo-lake

## Everything that CI runs.
test: format clippy deny unit e2e airflow

format:
	cargo fmt --check

clippy:
	cargo clippy --all-targets --locked -- -D warnings
	cargo clippy --all-targets --no-default-features --locked -- -D warnings

## Licences, bans and sources of dependencies.
deny:
	@cargo deny --version 2>/dev/null | grep -q $(DENY) || cargo install cargo-deny --version $(DENY) --locked
	cargo deny check licenses bans sources

## Unit, documentation and integration tests.
unit:
	cargo test --locked

## The published files as DuckDB, pyarrow and Spark read them.
e2e: $(VENV)/ready
	cargo test --locked --no-run --quiet
	$(VENV)/bin/python -m pytest tests/e2e -n 2 --dist loadfile

## The Airflow package, and whole runs of its DAGs in a real Airflow 3; the same on the last Airflow 2, in short.
airflow: $(VENV)-airflow/ready $(VENV)-airflow-2/ready
	cargo test --locked --no-run --quiet
	$(VENV)-airflow/bin/python -m pytest tests/airflow

$(VENV)/ready: tests/e2e/requirements.txt tests/e2e/trino/package-lock.json
	@command -v java >/dev/null || $(call apt,openjdk-17-jre-headless) || echo 'no Java: the tests with Spark will say so'
	$(call venv,$(VENV),$<)
	$(VENV)/bin/python tests/e2e/trino_grammar.py
	@touch $@

$(VENV)-airflow/ready: tests/airflow/requirements.txt airflow/pyproject.toml
	$(call venv,$(VENV)-airflow,$< -e ./airflow)
	@touch $@

$(VENV)-airflow-2/ready: tests/airflow/requirements-airflow-2.txt airflow/pyproject.toml
	$(call venv,$(VENV)-airflow-2,$< -e ./airflow)
	@touch $@

## Makes the sample day anew; the result is committed.
sample:
	cargo run --release --locked --quiet --example generate -- --out sample-data --preset sample

## Writes the tables for CloudFormation and Athena anew, from the schema; the result is committed.
glue-tables:
	cargo build --locked --quiet
	target/debug/logmill schema --format cloudformation > target/tables.json
	mv target/tables.json glue/cloudformation/tables.json
	for naming in snake compact; do for dataset in cloudtrail s3-access; do \
	  file=glue/sql/tables/$$(echo $$dataset | tr - _).$$naming; \
	  ddl="target/debug/logmill schema --format ddl --dataset $$dataset --naming $$naming"; \
	  $$ddl > $$file.registered.sql && $$ddl --projection 2020-01-01 > $$file.projection.sql; \
	done; done

## Many small objects from a local S3 server, beside a plain downloader; installs what it needs.
bench-s3:
	$(PYTHON) -m benches.s3.small_objects

## Each step of the road on its own, in bytes a second.
bench-micro:
	cargo bench --locked --no-default-features --bench micro

## Large days, many small objects, start-up, threads and sizes. The large days want 35 GB of free disk for some minutes.
bench-limits:
	$(PYTHON) -m benches.limits

## The benchmark day on logmill, ClickHouse, DuckDB, Polars and Spark; installs what it needs.
bench-peers:
	@command -v java >/dev/null || $(call apt,openjdk-17-jre-headless) || echo 'no Java: Spark is left out'
	$(PYTHON) -m benches.peers

## Where the CPU time goes, by step; wants Linux perf.
bench-profile:
	$(PYTHON) -m benches.profile
