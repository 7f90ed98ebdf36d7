# syntax=docker/dockerfile:1
# The image of the API: built with the release profile, run without root.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --release --bin focalpoint && cp target/release/focalpoint /focalpoint

FROM debian:bookworm-slim
# the authorities that a Postgres connection with TLS is checked against
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /focalpoint /usr/local/bin/focalpoint
COPY data/demonstration /usr/share/focalpoint/data/demonstration
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin focalpoint && \
    install --directory --owner=focalpoint --mode=0700 /demo
USER 10001
ENV FOCALPOINT_LISTEN=0.0.0.0:8080
EXPOSE 8080
# asks where FOCALPOINT_LISTEN says; the slim image has no curl
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["focalpoint", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["focalpoint"]
CMD ["serve"]
