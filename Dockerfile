# syntax=docker/dockerfile:1
# A small image for cron, ECS, AWS Batch and Kubernetes: the binary, a C library and certificates.
# For the design and how it was tested, see docs/deploy.md.
#
#   docker build -t logmill .
#   docker build -t logmill:slim --build-arg FEATURES=aws .      S3 and Glue only, no other default features

# Same version as rust-toolchain.toml. Both stages use Debian 12, because a binary needs the C library that it was linked with,
# or a newer one.
ARG RUST=1.95.0

FROM rust:${RUST}-slim-bookworm AS build
# The image has gcc and the C library headers, for zstd, libdeflate and ring. All other dependencies are Rust.
ARG FEATURES=""
ENV CARGO_INCREMENTAL=0 CARGO_TERM_COLOR=never
WORKDIR /src
# Dependencies first, for an empty program: this layer is reused until Cargo.lock changes.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src sample-data/generate sample-trail benches/micro tests/toy /scratch \
    && for file in src/main.rs sample-data/generate/main.rs sample-trail/generate.rs benches/micro/main.rs tests/toy/main.rs; do echo 'fn main() {}' > "$file"; done \
    && touch src/lib.rs \
    && cargo build --profile dist --locked ${FEATURES:+--no-default-features --features "$FEATURES"} --bin logmill
COPY build.rs ./
COPY src src
# `logmill query` embeds the Athena views.
COPY glue/sql glue/sql
# For `logmill -vV`: --build-arg COMMIT="$(git rev-parse HEAD)".
ARG COMMIT=""
# cargo compares modification times, and these files may be older than the empty program.
RUN find src -exec touch {} + \
    && LOGMILL_COMMIT="${COMMIT}" cargo build --profile dist --locked ${FEATURES:+--no-default-features --features "$FEATURES"} --bin logmill \
    && cp target/dist/logmill /logmill

# Debian's C library, libgcc and certificates; no shell, no package manager; user 65532.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="logmill" \
      org.opencontainers.image.description="Raw AWS access logs in, trusted Parquet out: one closed KST day at a time" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /logmill /usr/local/bin/logmill
# For rows that do not fit into memory. The only path that must be writable; the root may be read-only.
COPY --from=build --chown=65532:65532 /scratch /scratch
ENV LOGMILL_SCRATCH=/scratch LOGMILL_LOG_FORMAT=json
VOLUME ["/scratch"]
USER 65532:65532
WORKDIR /scratch
ENTRYPOINT ["/usr/local/bin/logmill"]
CMD ["--help"]
