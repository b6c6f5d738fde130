# The harness. With docker-compose.yml it drives the peers' containers; alone it has the builtin peer and peers at addresses.
FROM debian:trixie-slim AS build
RUN apt-get -o Acquire::Check-Valid-Until=false update \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    nodejs npm libnode-dev python3 make g++ ca-certificates \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/bakeoff
COPY package.json package-lock.json ./
# The addon for raw sockets is built against Debian's own headers of Node.js.
RUN npm_config_nodedir=/usr npm ci --ignore-scripts && npm_config_nodedir=/usr npm rebuild raw-socket
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM debian:trixie-slim
RUN apt-get -o Acquire::Check-Valid-Until=false update \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    nodejs iproute2 iputils-ping util-linux procps \
  && rm -rf /var/lib/apt/lists/* && mkdir -p /var/bakeoff /run/bakeoff
COPY --from=build /opt/bakeoff/package.json /opt/bakeoff/package.json
COPY --from=build /opt/bakeoff/node_modules /opt/bakeoff/node_modules
COPY --from=build /opt/bakeoff/bin /opt/bakeoff/bin
COPY --from=build /opt/bakeoff/dist /opt/bakeoff/dist
COPY --from=build /opt/bakeoff/baselines /opt/bakeoff/baselines
COPY --from=build /opt/bakeoff/pcaps/golden /opt/bakeoff/pcaps/golden
COPY peers/docker/harness-entry.sh /usr/local/bin/bakeoff-entry
# Of a peer that is named without a runtime, the service of docker-compose.yml is meant.
ENV BAKEOFF_RUNTIME=docker BAKEOFF_SERVICES=/run/bakeoff
WORKDIR /var/bakeoff
ENTRYPOINT ["sh", "/usr/local/bin/bakeoff-entry"]
CMD ["--help"]
