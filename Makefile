# Sets up a fresh machine and runs everything that CI runs.

PYTHON ?= python3
VENV   := .venv
UV     := uv==0.13.8
DENY   := 0.20.2
FUZZ   := 0.13.2
# Tools of the packages.
MATURIN     := maturin==1.16.0
ZIG         := ziglang==0.15.2
CARGO_DEB   := 3.8.0
CARGO_ABOUT := 0.9.3
# Installs Debian packages. Without apt-get, the step that needs them reports the missing program.
apt     = (apt-get update -qq && apt-get install -y --no-install-recommends $(1))

# Creates a virtual environment (1) from a file of requirements (2), which may be followed by more arguments for pip.
venv    = { $(PYTHON) -c 'import ensurepip' 2>/dev/null || $(call apt,python3-venv); } && \
  $(PYTHON) -m venv --clear $(1) && $(1)/bin/python -m pip install --quiet '$(UV)' && \
  $(1)/bin/uv pip install --quiet --python $(1)/bin/python --compile-bytecode -r $(2)

.PHONY: demo demo-next check test format lint clippy deny unit binary e2e airflow sample glue-tables dashboards report-pictures bench-s3 bench-micro bench-limits bench-peers bench-profile bench-instructions version licences wheel manual deb dist test-install fuzz sim

# The features of the demo's binary. The shortest build leaves out S3, Glue, SQL and reports; an empty value builds everything.
DEMO_FEATURES ?= --no-default-features
DEMO_BIN      := $(CURDIR)/target/release
DEMO_INPUTS   := --input sample-data/cloudtrail --input sample-data/s3-access
DEMO_LAKE     := target/demo-lake

define DEMO_NEXT

The binary is in $(DEMO_BIN). Next commands:

  export PATH="$(DEMO_BIN):$$PATH"
  logmill status --from 2023-11-01 --to 2023-11-01 $(DEMO_INPUTS) --lake $(DEMO_LAKE)
  logmill inspect sample-data/s3-access/simple/web-2023-10-31-21-40-00-28325E2FEC1ECABE --limit 3
  logmill why --day 2023-11-01 --event-id 8d09bc91-562f-4a1b-b64e-ad3dd99804db --lake $(DEMO_LAKE)
endef

define DEMO_ASK
  logmill query --lake $(DEMO_LAKE) "SELECT bucket, http_status, requests FROM status_codes ORDER BY requests DESC LIMIT 5"
  logmill report --day 2023-11-01 --lake $(DEMO_LAKE) --to-file target/demo-lake.html
endef
define DEMO_WITHOUT

To query the day and see it as a page, build everything: make demo DEMO_FEATURES=
endef
export DEMO_NEXT DEMO_ASK DEMO_WITHOUT

## Builds logmill and publishes the sample day.
demo:
	cargo build --release --locked --quiet $(DEMO_FEATURES)
	"$(DEMO_BIN)/logmill" run --day 2023-11-01 $(DEMO_INPUTS) --output $(DEMO_LAKE)
	@$(MAKE) --no-print-directory --silent demo-next

## Prints what the binary of the demo can do next. A build without SQL does not offer it.
demo-next:
	@echo "$$DEMO_NEXT"
	@if "$(DEMO_BIN)/logmill" query --help >/dev/null 2>&1; then echo "$$DEMO_ASK"; else echo "$$DEMO_WITHOUT"; fi

## The fast loop: format, clippy with default features, unit tests.
check: format lint
	cargo test --locked --lib

## Everything that CI runs.
test: format clippy deny unit e2e airflow

# Seconds for each fuzz target. `sql` is not among the targets, because it builds the SQL engine: FUZZ_TARGETS=sql.
FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= access_line access_objects text_objects json_objects json gzip filter redact stored settings
FUZZ_FLAGS    = --sanitizer none $(if $(filter sql,$(FUZZ_TARGETS)),--features query)

## Runs the fuzz targets with libFuzzer, which needs a nightly compiler. New inputs go to target/fuzz, failures to fuzz/artifacts.
fuzz:
	@cargo fuzz --version 2>/dev/null | grep -q $(FUZZ) || cargo install cargo-fuzz --version $(FUZZ) --locked
	for target in $(FUZZ_TARGETS); do mkdir -p target/fuzz/$$target && \
	  cargo +nightly fuzz run $(FUZZ_FLAGS) $$target $(CURDIR)/target/fuzz/$$target $(CURDIR)/fuzz/corpus/$$target -- \
	    -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=20 -print_final_stats=1 || exit 1; done

format:
	cargo fmt --check

lint:
	cargo clippy --all-targets --locked -- -D warnings

clippy: lint
	RUSTDOCFLAGS="-D warnings" cargo doc --lib --no-deps --document-private-items --locked --quiet
	cargo clippy --all-targets --no-default-features --locked -- -D warnings

## Checks licences, bans and sources of dependencies.
deny:
	@cargo deny --version 2>/dev/null | grep -q $(DENY) || CARGO_PROFILE_DEV_DEBUG=0 cargo install cargo-deny --version $(DENY) --locked --debug
	cargo deny check licenses bans sources

## Runs unit, documentation and integration tests.
unit:
	cargo test --locked

## Simulates processes that compete for a day in a bucket: `make sim SEEDS=1000000`, or `SIM_SEED=7 make sim` for the steps of one seed.
SEEDS ?= 50000
sim:
	SIM_SEEDS=$(SEEDS) cargo test --locked --lib -- sim::every_schedule --nocapture

# The binary for e2e and airflow. It is built with the tests, because `unit` has built exactly that.
binary:
	cargo test --locked --no-run --quiet

## Reads the published files with DuckDB, pyarrow and Spark.
e2e: binary $(VENV)/ready $(VENV)-awscli/ready
	@command -v strace >/dev/null || $(call apt,strace) || echo 'no strace: the crash tests report it'
	$(VENV)/bin/python -m pytest tests/e2e -n 2 --dist loadfile --no-loadscope-reorder

## Tests the Airflow package, with whole runs of its DAGs in a real Airflow 3 and a few in the last Airflow 2.
airflow: binary $(VENV)-airflow/ready $(VENV)-airflow-2/ready
	$(VENV)-airflow/bin/python -m pytest tests/airflow -n 2 --dist loadfile

$(VENV)/ready: tests/e2e/requirements.txt tests/e2e/trino/package-lock.json
	@command -v java >/dev/null || $(call apt,openjdk-17-jre-headless) || echo 'no Java: the Spark tests report it'
	$(call venv,$(VENV),$<)
	$(VENV)/bin/python tests/e2e/trino_grammar.py
	@touch $@

$(VENV)-awscli/ready: tests/e2e/requirements-awscli.txt
	$(call venv,$(VENV)-awscli,$<)
	@touch $@

$(VENV)-airflow/ready: tests/airflow/requirements.txt airflow/pyproject.toml
	$(call venv,$(VENV)-airflow,$< -e ./airflow)
	@touch $@

$(VENV)-airflow-2/ready: tests/airflow/requirements-airflow-2.txt airflow/pyproject.toml
	$(call venv,$(VENV)-airflow-2,$< -e ./airflow)
	@touch $@

## Generates the sample days, and a trail with digests. The result is committed.
sample:
	cargo run --release --locked --quiet --example generate -- --out sample-data --preset sample
	cargo run --release --locked --quiet --example generate -- --out sample-data/load-balancers --preset elb
	for preset in cloudfront vpc-flow waf resolver-query; do \
	  cargo run --release --locked --quiet --example generate -- --out sample-data/$$preset --preset $$preset; done
	cargo run --release --locked --quiet --example generate -- --out tests/samples/access-json --preset access-json
	cargo run --release --locked --quiet --example trail -- --out sample-trail

## Generates the tables for CloudFormation and Athena from the schema. The result is committed.
glue-tables:
	cargo build --locked --quiet
	target/debug/logmill schema --config glue/tables.toml --format cloudformation > target/tables.json
	mv target/tables.json glue/cloudformation/tables.json
	of_tables='s/.*[.]dataset","value":"\([a-z0-9-]*\)".*/\1/p'; \
	for dataset in $$(target/debug/logmill config --format json | sed -n "$$of_tables"); do \
	  folder=glue/sql/tables namings="snake compact"; \
	  for kind in glue/sql/*/views; do kind=$$(basename $${kind%/views}); \
	    case $$dataset in $$kind | $$kind-*) folder=glue/sql/$$kind/tables namings=snake;; esac; done; \
	  for naming in $$namings; do \
	    file=$$folder/$$(echo $$dataset | tr - _).$$naming; \
	    ddl="target/debug/logmill schema --format ddl --dataset $$dataset --naming $$naming"; \
	    mkdir -p $$folder && $$ddl > $$file.registered.sql && $$ddl --projection 2020-01-01 > $$file.projection.sql || exit 1; \
	  done; done

## Generates the QuickSight templates from their tables of visuals. The result is committed.
dashboards:
	$(PYTHON) glue/quicksight/make.py

## Checks the report of the sample day in headless Chromium with axe-core, and takes its pictures. Needs chromium, node and npm.
report-pictures:
	cargo build --locked --bin logmill
	target/debug/logmill run --day 2023-11-01 --input sample-data --output target/report/lake --max-reject-ratio 5%
	target/debug/logmill report --day 2023-11-01 --lake target/report/lake --to-file target/report/report.html
	mkdir -p target/report/check && cp tests/page/* target/report/check/ && npm ci --silent --prefix target/report/check
	node target/report/check/check.js target/report/report.html target/report/pictures
	cp target/report/pictures/top.png docs/report.png

## Measures many small objects from a local S3 server, compared with a plain downloader. Installs both programs.
bench-s3:
	$(PYTHON) -m benches.s3.small_objects

## Measures each step separately, in bytes per second.
bench-micro:
	cargo bench --locked --no-default-features --bench micro

## Measures large days, many small objects, start-up, threads and sizes. Large days need 35 GB of free disk for some minutes.
bench-limits:
	$(PYTHON) -m benches.limits

## Measures the benchmark day on logmill, ClickHouse, DuckDB, Polars and Spark. Installs the engines.
bench-peers:
	@command -v java >/dev/null || $(call apt,openjdk-17-jre-headless) || echo 'no Java: Spark is skipped'
	$(PYTHON) -m benches.peers

## Measures the CPU time of each step. Needs Linux perf.
bench-profile:
	$(PYTHON) -m benches.profile

## Counts the instructions of small days, and fails if they are 3 % above the committed counts. Run it before a change is merged.
bench-instructions:
	@command -v valgrind >/dev/null || $(call apt,valgrind)
	$(PYTHON) -m benches.instructions

# Packages. The binary is linked by zig for an old glibc, and contains no path of this machine. Files get the time of the commit.
TARGET  ?= $(shell rustc -vV | sed -n 's/^host: //p')
VERSION  = $(shell sed -n '/^version/{s/version = "\(.*\)"/\1/p;q;}' Cargo.toml)
OUT     := target/packages
NAME     = logmill-$(VERSION)-$(TARGET)
BUILT    = target/$(TARGET)/dist/logmill
EPOCH    = $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
REMAP    = --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=/cargo --remap-path-prefix=$(CURDIR)=/logmill
# A panic ends the process, and without symbols a backtrace would show addresses only.
NO_UNWIND = -C force-unwind-tables=no
PACKAGE_BIN = $(CURDIR)/$(VENV)-package/bin
# The clang of zig needs this to compile the functions with AVX-512 that libdeflate chooses at run time.
ZIG_FLAGS   = CFLAGS_x86_64_unknown_linux_gnu=-mevex512

## Prints the version.
version:
	@echo $(VERSION)

$(VENV)-package/ready: Makefile
	$(call venv,$(VENV)-package,/dev/null '$(MATURIN)' '$(ZIG)')
	@touch $@

## Writes the licences of all crates in the binary to target/packages.
licences:
	@cargo about --version 2>/dev/null | grep -qF $(CARGO_ABOUT) || cargo install cargo-about --version $(CARGO_ABOUT) --locked --features cli
	mkdir -p $(OUT)
	cargo fetch --locked
	cargo about generate --frozen --fail --config deploy/package/about.toml --output-file $(OUT)/THIRD-PARTY-LICENSES.txt deploy/package/about.hbs

## Builds the wheel for this machine, or for TARGET=aarch64-unknown-linux-gnu, into target/packages.
wheel: licences $(VENV)-package/ready
	rustup target add $(TARGET)
	rm -rf target/wheel && mkdir -p target/wheel
	cp deploy/package/pyproject.toml deploy/package/README.md LICENSE $(OUT)/THIRD-PARTY-LICENSES.txt target/wheel/
	cd target/wheel && PATH="$(PACKAGE_BIN):$$PATH" RUSTFLAGS='$(REMAP) $(NO_UNWIND)' $(ZIG_FLAGS) SOURCE_DATE_EPOCH=$(EPOCH) \
	  maturin build --zig --target $(TARGET) --target-dir $(CURDIR)/target --out $(CURDIR)/$(OUT)

# Manual pages and completions, printed by the binary of the wheel: it must run on this machine.
manual: wheel
	rm -rf $(OUT)/share && mkdir -p $(OUT)/share/man $(OUT)/share/completions
	$(BUILT) man > $(OUT)/share/man/logmill.1
	for command in $$(sed -n 's/^logmill\\-\([a-z]*\)(1)$$/\1/p' $(OUT)/share/man/logmill.1); do \
	  $(BUILT) man $$command > $(OUT)/share/man/logmill-$$command.1 || exit; done
	$(BUILT) completions bash > $(OUT)/share/completions/logmill.bash
	$(BUILT) completions zsh > $(OUT)/share/completions/_logmill
	$(BUILT) completions fish > $(OUT)/share/completions/logmill.fish

## Builds the Debian package for this machine into target/packages.
deb: manual
	@cargo deb --version 2>/dev/null | grep -qF $(CARGO_DEB) || cargo install cargo-deb --version $(CARGO_DEB) --locked
	SOURCE_DATE_EPOCH=$(EPOCH) cargo deb --no-build --no-strip --profile dist --target $(TARGET) --output $(OUT)/

## Builds all packages for this machine: wheel, Debian package, tarball, SBOM and their SHA-256 sums.
dist: deb
	rm -rf $(OUT)/$(NAME) && mkdir -p $(OUT)/$(NAME)
	cp -r $(BUILT) $(OUT)/share/man $(OUT)/share/completions LICENSE $(OUT)/THIRD-PARTY-LICENSES.txt CHANGELOG.md deploy/systemd \
	  deploy/package/logmill.toml $(OUT)/$(NAME)/
	tar -C $(OUT) --sort=name --owner=0 --group=0 --numeric-owner --mtime=@$(EPOCH) -c $(NAME) | gzip -n9 > $(OUT)/$(NAME).tar.gz
	rm -r $(OUT)/$(NAME)
	$(PYTHON) deploy/package/sbom.py $(OUT) $(NAME)
	cd $(OUT) && rm -f $(NAME).sha256 && \
	  sha256sum $(NAME).* logmill-$(VERSION)-*_$(firstword $(subst -, ,$(TARGET))).whl logmill_$(VERSION)-*.deb > ../$(NAME).sha256
	mv target/$(NAME).sha256 $(OUT)/

## Installs the packages of `make dist` in empty places, and runs them. CI of a release runs it.
test-install: binary $(VENV)/ready $(VENV)-airflow/ready
	$(VENV)/bin/python -m pytest tests/e2e/installation.py
