# The image of Swarmgate: the one program, HAProxy, and the libraries that both need.
#
#   docker build -t swarmgate .
#
# BASE may be any image of Debian 12 or 13 (one made with debootstrap will do), JOBS says how many
# compilers run at a time (default: one per processor).
ARG BASE=debian:trixie-slim

FROM ${BASE} AS build
WORKDIR /src
COPY scripts/deps scripts/deps
RUN scripts/deps build && rm -rf /var/lib/apt/lists/*
COPY CMakeLists.txt CMakePresets.json ./
COPY scripts/cmake scripts/cmake
COPY include include
COPY src src
COPY cmd cmd
ARG JOBS=
RUN cmake --preset release && ninja -C build/release ${JOBS:+-j "$JOBS"} swarmgate \
 && install -D -s build/release/swarmgate /image/usr/local/bin/swarmgate
# Which packages hold the libraries, the build knows best: names differ between releases of Debian.
RUN ldd build/release/swarmgate | awk '$3 ~ "^/" { print $3 }' | xargs -n 1 readlink -f | sort -u \
  | while read -r file; do dpkg -S "$file" 2>/dev/null || dpkg -S "${file#/usr}"; done \
  | cut -d: -f1 | sort -u >/image/packages && test -s /image/packages

FROM ${BASE}
COPY --from=build /image/packages /tmp/packages
# No package's service is started in an image; the file that says so is Debian's own way.
RUN printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d \
 && apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
      ca-certificates haproxy $(cat /tmp/packages) \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /tmp/packages /usr/sbin/policy-rc.d \
      /usr/share/man /usr/share/locale /var/log/* /var/cache/debconf/*-old \
 && find /usr/share/doc ! -type d ! -name copyright -delete \
 && mkdir -p /certs /cfg/tmpl /var/lib/swarmgate \
 && ln -s /var/lib/swarmgate/haproxy/conf /cfg/conf \
 && ln -s conf/00-base.cfg /cfg/haproxy.cfg
COPY --from=build /image/usr/local/bin/swarmgate /usr/local/bin/swarmgate
# A library that is missing is noticed here and not at the first start.
RUN swarmgate version && haproxy -v

ARG BASE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Swarmgate" \
      org.opencontainers.image.description="The edge of a Docker Swarm: label a service and it is live" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE}" \
      org.opencontainers.image.documentation="README.md and docs/ of the project"

# State, certificates made known by the API, and HAProxy's files: the one place that is written to,
# so that the root file system may be read-only.
ENV DATA_DIR=/var/lib/swarmgate
VOLUME /var/lib/swarmgate
EXPOSE 80 443 8080
# HAProxy answers what is in flight before it ends (STOP_GRACE).
STOPSIGNAL SIGTERM
# A Swarm sends requests to a task, and goes on with a rolling update, once the task is healthy: that
# is when it serves what was there at its start. What happens to Docker or Consul later is no part of it.
HEALTHCHECK --interval=2s --timeout=5s --start-period=30s --retries=3 CMD ["swarmgate", "health", "--ready"]
ENTRYPOINT ["swarmgate"]
CMD ["run"]
