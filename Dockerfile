# One image for every service of ours, the machines and their software TPMs: which it is says the command (docker-compose.yml).
FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /interlock
COPY package.json package-lock.json .npmrc ./
COPY packages packages
COPY services services
COPY ops/package.json ops/package.json
COPY test/package.json test/package.json
# Neither development packages nor the local stack's ClickHouse: it has a container of its own.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM node:24.21.0-bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends swtpm swtpm-tools \
 && rm -rf /var/lib/apt/lists/* \
 && mkdir -p /trust /state /roots \
 && chown node:node /trust /state /roots
WORKDIR /interlock
COPY --from=packages /interlock/node_modules node_modules
COPY package.json topics.yaml ./
COPY schemas schemas
COPY packages packages
COPY services services
COPY ops ops
ENV NODE_ENV=production
USER node
