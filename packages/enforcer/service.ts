import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { createCodec, readTopology, type SchemaIds, type Topology, type TrustBundle } from '@interlock/contracts'
import { fetchSchemaIds, RegistryError } from '@interlock/contracts/registry'
import { loadSigningKey, openTrustBundle, type SigningKey, VerifiedRoots, verifyControlEntry } from '@interlock/trust'
import { type Logger, pino } from 'pino'
import { Registry } from 'prom-client'
import type { EnforcerParts } from './enforce.ts'
import { listen, operationsApp } from './http.ts'
import { connectKafka } from './kafka/connect.ts'
import { KafkajsKafka } from './kafka/kafkajs-kafka.ts'
import type { Clock } from './kafka-port.ts'
import { awayGauge, metricsObserver } from './metrics.ts'
import type { Processor } from './processor.ts'
import { backoffMs } from './runner/backoff.ts'
import { Outage } from './runner/outage.ts'
import { ServiceRunner } from './runner/service-runner.ts'
import { type Settings, SettingsError } from './settings.ts'

/** What a service builds its processors from. */
export type ServiceParts = EnforcerParts & {
  readonly topology: Topology
  readonly settings: Settings
  readonly log: Logger
  readonly metrics: Registry
}

/**
 * Runs a service until SIGTERM or SIGINT: waits for registry and broker, restores, says `ready` once on stdout, answers.
 * Rejects where no waiting helps (settings, trust bundle, key, a fault in the code): the process must end then.
 */
export async function runService(
  name: string,
  settings: Settings,
  build: (parts: ServiceParts) => readonly Processor<unknown>[],
): Promise<void> {
  const log = pino({ level: settings.log, base: { service: name } })
  log.info({ settings }, 'settings')
  const stopping = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort())

  const metrics = new Registry()
  const away = awayGauge(metrics)
  const outage = new Outage((event, dependency, error) => {
    away.set({ dependency }, event === 'away' ? 1 : 0)
    if (event === 'away') log.warn({ dependency, error: error?.message }, `${dependency} is away: waiting, nothing is decided`)
    else log.info({ dependency }, `${dependency} is back`)
  })
  const topology = readTopology()
  const trust = openTrustBundle(JSON.parse(readFileSync(settings.trustBundle, 'utf8')) as TrustBundle)
  const key = signingKeyOf(settings)
  const ids = await waitForSchemas(settings.registry, topology, outage, stopping.signal)
  if (!ids) return

  const codec = createCodec({ topology, ids })
  const observer = metricsObserver(metrics)
  const client = connectKafka(name, settings.kafka, (entry) =>
    log.debug({ kafkajs: entry.log, namespace: entry.namespace }, entry.log.message),
  )
  const kafka = new KafkajsKafka(client, topology)
  const runner = new ServiceRunner({
    name,
    processors: build({
      topology,
      settings,
      log,
      metrics,
      codec,
      trust,
      roots: new VerifiedRoots(),
      get key() {
        return key ?? noKey(name)
      },
      alarm: (error, position) => log.error({ error, position }, 'a decision threw: denied internal-error'),
    }),
    topology,
    codec,
    kafka,
    clock,
    outage,
    observer,
    verifyEntry: (entry, table) => verifyControlEntry(entry, table, trust),
    random: () => randomBytes(32),
    uniqueName: () => randomUUID(),
  })
  const { server, port } = await listen(
    operationsApp(metrics, () => runner.isReady),
    settings.httpHost,
    settings.httpPort,
  )
  const running = runner.run()
  void runner.whenReady().then(() => log.info({ http: port }, 'ready'))
  stopping.signal.addEventListener('abort', () => void runner.stop())
  try {
    await running
  } finally {
    server.close()
    await kafka.close().catch(() => {})
  }
  log.info('stopped')
}

const clock: Clock = { now: () => Date.now(), sleep: (ms) => wait(ms) }

function signingKeyOf({ key, certificate }: Settings): SigningKey | undefined {
  if (key === undefined && certificate === undefined) return undefined
  if (key === undefined || certificate === undefined)
    throw new SettingsError('INTERLOCK_KEY and INTERLOCK_CERTIFICATE belong together: set both.')
  return loadSigningKey(key, certificate)
}

function noKey(name: string): never {
  throw new SettingsError(`${name} signs: set INTERLOCK_KEY and INTERLOCK_CERTIFICATE.`)
}

/** The ids of the schemas; undefined where the service was told to stop before the registry came. */
export async function waitForSchemas(
  url: string,
  topology: Topology,
  outage: Outage,
  signal: AbortSignal,
): Promise<SchemaIds | undefined> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      const ids = await fetchSchemaIds(url, topology)
      outage.back('registry')
      return ids
    } catch (error) {
      if (!(error instanceof RegistryError) || error.code === 'schema-incompatible') throw error
      outage.away('registry', error)
    }
    await wait(backoffMs(attempt), undefined, { signal }).catch(() => {})
  }
  return undefined
}
