/** The parts that are not ours, as images: the same versions as the local stack's (ops/setup/releases.mjs, package.json's chdb). */
export const images = {
  kafka: 'apache/kafka:4.4.0',
  registry: 'apicurio/apicurio-registry:3.0.9',
  clickhouse: 'clickhouse/clickhouse-server:26.7',
} as const
