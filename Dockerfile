# The image of the API: built with the release profile, run without root.
FROM rust:1-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --release --bin focalpoint && cp target/release/focalpoint /focalpoint

FROM debian:bookworm-slim
# the authorities that a Postgres connection with TLS is checked against
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /focalpoint /usr/local/bin/focalpoint
COPY data /usr/share/focalpoint/data
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin focalpoint && \
    install --directory --owner=focalpoint --mode=0700 /demo
USER 10001
ENV FOCALPOINT_LISTEN=0.0.0.0:8080
EXPOSE 8080
# the slim image has no curl, but bash
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /readyz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r line <&3 && [[ $line == *' 200 '* ]]"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["focalpoint"]
CMD ["serve"]
