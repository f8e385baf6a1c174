import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers'
import { answersHttp } from '../local/answers-http.ts'
import { brokerAnswers } from '../local/broker-answers.ts'
import { freePort } from '../local/ports.ts'
import { prepareStack } from '../local/prepare.ts'
import { saying } from '../local/progress.ts'
import { type ClickHouse, clickHouseUsers, type Stack } from '../local/stack.ts'
import type { StackRequest } from '../local/start-stack.ts'
import { ContainerPart } from './container-part.ts'
import { images } from './images.ts'

/** Docker was asked for and does not answer. */
export class DockerUnavailableError extends Error {
  readonly code = 'docker-unavailable'
  readonly retriable = false
}

const loopback = '127.0.0.1'

/** The same stack in containers, empty at each start, on free ports of loopback. @throws DockerUnavailableError */
export async function startDockerStack({ log }: Pick<StackRequest, 'log'>): Promise<Stack> {
  await getContainerRuntimeClient().catch((cause: unknown) => {
    const advice = 'Start Docker, or leave INTERLOCK_STACK unset: the local stack needs no Docker.'
    throw new DockerUnavailableError(`INTERLOCK_STACK=docker, and Docker does not answer. ${advice}`, { cause })
  })
  const [kafkaPort, registryPort, clickHousePort] = [await freePort(), await freePort(), await freePort()]
  const clickhouse = clickHouseAt(`http://${loopback}:${clickHousePort}`)
  const addresses = {
    kafka: `${loopback}:${kafkaPort}`,
    registry: `http://${loopback}:${registryPort}/apis/ccompat/v7`,
    clickhouse,
  }
  const broker = new ContainerPart(kafkaContainer(kafkaPort), () => brokerAnswers(addresses.kafka))
  const registry = new ContainerPart(registryContainer(registryPort), () => answersHttp(`${addresses.registry}/subjects`))
  const tables = new ContainerPart(clickHouseContainer(clickHousePort, clickhouse), () => answersHttp(`${clickhouse.url}/ping`))
  const stop = async () => {
    for (const part of [tables, registry, broker]) await part.stop()
  }
  try {
    await saying(log, 'containers', Promise.all([broker.start(), registry.start(), tables.start()]))
    await saying(log, 'topics, schemas and tables', prepareStack(addresses))
  } catch (error) {
    await stop()
    throw error
  }
  return {
    ...addresses,
    stop,
    killBroker: () => broker.kill(),
    startBroker: () => broker.start(),
    killRegistry: () => registry.kill(),
    startRegistry: () => registry.start(),
    killClickHouse: () => tables.kill(),
    startClickHouse: () => tables.start(),
  }
}

function clickHouseAt(url: string): ClickHouse {
  const password = () => randomBytes(18).toString('base64url')
  const users = Object.fromEntries(clickHouseUsers.map((username) => [username, { username, password: password() }]))
  const all = users as ClickHouse['users']
  return { url, database: 'interlock', ...all.reader, users: all }
}

/** On a port that is known beforehand: a broker tells its clients its own address, and keeps it over a kill. */
function kafkaContainer(port: number): GenericContainer {
  return new GenericContainer(images.kafka)
    .withExposedPorts({ container: port, host: port })
    .withEnvironment({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_LISTENERS: `PLAINTEXT://:${port},CONTROLLER://:9093`,
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://${loopback}:${port}`,
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR: '1',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS: '1000',
      KAFKA_BROKER_SESSION_TIMEOUT_MS: '2000',
      KAFKA_BROKER_HEARTBEAT_INTERVAL_MS: '500',
    })
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
}

function registryContainer(port: number): GenericContainer {
  return new GenericContainer(images.registry)
    .withExposedPorts({ container: 8080, host: port })
    .withEnvironment({
      APICURIO_STORAGE_KIND: 'sql',
      APICURIO_STORAGE_SQL_KIND: 'h2',
      APICURIO_DATASOURCE_URL: 'jdbc:h2:file:/tmp/registry',
      QUARKUS_OTEL_SDK_DISABLED: 'true',
    })
    .withWaitStrategy(Wait.forHttp('/apis/ccompat/v7/subjects', 8080))
}

function clickHouseContainer(port: number, { users }: ClickHouse): GenericContainer {
  const content = readFileSync(new URL('clickhouse-users.xml', import.meta.url), 'utf8')
  return new GenericContainer(images.clickhouse)
    .withExposedPorts({ container: 8123, host: port })
    .withEnvironment({
      INTERLOCK_ADMIN_PASSWORD: users.admin.password,
      INTERLOCK_AUDIT_PASSWORD: users.audit.password,
      INTERLOCK_READER_PASSWORD: users.reader.password,
      // The image would otherwise write a user file of its own for `default`.
      CLICKHOUSE_SKIP_USER_SETUP: '1',
    })
    .withCopyContentToContainer([{ content, target: '/etc/clickhouse-server/users.d/interlock.xml' }])
    .withWaitStrategy(Wait.forHttp('/ping', 8123))
}
