# Everything that a fresh machine needs, and everything that CI runs.

PYTHON ?= python3
VENV   := .venv
UV     := uv==0.13.8
DENY   := 0.20.2
# A bare Debian lacks these; where apt-get cannot help, what needs them says so.
apt     = (apt-get update -qq && apt-get install -y --no-install-recommends $(1))

.PHONY: demo test format clippy deny unit e2e sample glue-tables bench-s3 bench-micro bench-limits bench-peers bench-profile

## Publishes the sample day and shows what it did.
demo:
	cargo run --release --locked --quiet --no-default-features -- run --day 2023-11-01 --input sample-data/cloudtrail --input sample-data/s3-access --output target/demo-lake

## Everything that CI runs.
test: format clippy deny unit e2e

format:
	cargo fmt --check

clippy:
	cargo clippy --all-targets --locked -- -D warnings
	cargo clippy --no-default-features --locked -- -D warnings

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
	$(VENV)/bin/python -m pytest tests/e2e

$(VENV)/ready: tests/e2e/requirements.txt
	@command -v java >/dev/null || $(call apt,openjdk-17-jre-headless) || echo 'no Java: the tests with Spark will say so'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(call apt,python3-venv)
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet '$(UV)'
	$(VENV)/bin/uv pip install --quiet --python $(VENV)/bin/python --compile-bytecode -r tests/e2e/requirements.txt
	@touch $@

## Makes the sample day anew; the result is committed.
sample:
	cargo run --release --locked --quiet --example generate -- --out sample-data --preset sample

## Writes the tables of the CloudFormation template anew, from the schema; the result is committed.
glue-tables:
	cargo build --locked --quiet
	target/debug/logmill schema --format cloudformation > target/tables.json
	mv target/tables.json glue/cloudformation/tables.json

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
