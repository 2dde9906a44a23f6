# syntax=docker/dockerfile:1
# A small image for cron, ECS, AWS Batch and Kubernetes: the binary, a C library, certificates. Why it is built like this, and
# how it was tried: docs/deploy.md.
#
#   docker build -t logmill .
#   docker build -t logmill:slim --build-arg FEATURES=aws .      without what is a default feature beside S3 and Glue

# As in rust-toolchain.toml. Debian 12 at both ends: a binary wants the C library that it was linked with, or a newer one.
ARG RUST=1.95.0

FROM rust:${RUST}-slim-bookworm AS build
# The image has gcc and the headers of the C library, for zstd, libdeflate and ring; all else is Rust.
ARG FEATURES=""
ENV CARGO_INCREMENTAL=0 CARGO_TERM_COLOR=never
WORKDIR /src
# First the dependencies, for an empty program: this layer lasts as long as Cargo.lock does.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src sample-data/generate benches/micro /scratch \
    && for file in src/main.rs sample-data/generate/main.rs benches/micro/main.rs; do echo 'fn main() {}' > "$file"; done \
    && touch src/lib.rs \
    && cargo build --profile dist --locked ${FEATURES:+--no-default-features --features "$FEATURES"} --bin logmill
COPY build.rs ./
COPY src src
# The views of Athena are part of `logmill query`.
COPY glue/sql glue/sql
# For `logmill -vV`: --build-arg COMMIT="$(git rev-parse HEAD)".
ARG COMMIT=""
# Touched, since cargo goes by time: the files may be older than the empty program.
RUN find src -exec touch {} + \
    && LOGMILL_COMMIT="${COMMIT}" cargo build --profile dist --locked ${FEATURES:+--no-default-features --features "$FEATURES"} --bin logmill \
    && cp target/dist/logmill /logmill

# The C library, libgcc and the certificates of Debian; no shell, no package manager; user 65532.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="logmill" \
      org.opencontainers.image.description="Raw AWS access logs in, trusted Parquet out: one closed KST day at a time" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /logmill /usr/local/bin/logmill
# For rows that do not fit into memory: all that must be writable, also where the root is read-only.
COPY --from=build --chown=65532:65532 /scratch /scratch
ENV LOGMILL_SCRATCH=/scratch LOGMILL_LOG_FORMAT=json
VOLUME ["/scratch"]
USER 65532:65532
WORKDIR /scratch
ENTRYPOINT ["/usr/local/bin/logmill"]
CMD ["--help"]
