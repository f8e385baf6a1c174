import { readFileSync } from 'node:fs'
import { createCodec, readTopology, type TrustBundle } from '@interlock/contracts'
import {
  awayGauge,
  listen,
  Outage,
  operationsApp,
  parseSettings,
  SettingsError,
  untilBroker,
  waitForSchemas,
  watchBroker,
} from '@interlock/enforcer'
import { ControlFold, followTopics, readControlTables } from '@interlock/sdk'
import {
  type KnownDice,
  type KnownPlatform,
  loadSigningKey,
  openTrustBundle,
  readAttestationResult,
  SingleUse,
  standingOf,
} from '@interlock/trust'
import kafkajs from 'kafkajs'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { Alerts } from './alerts.ts'
import { registryApp } from './app.ts'
import { Authorities, authorityId } from './authorities.ts'
import { Challenges } from './challenges.ts'
import { Enrolments } from './enrolment.ts'
import { readFederation } from './federation-settings.ts'
import { IssuedCertificates } from './issued-certificates.ts'
import { KafkaRegistryLog } from './kafka-log.ts'
import type { Parts } from './parts.ts'
import { RevocationLists } from './revocation-lists.ts'
import { RevocationWatch, type TopicEnds } from './revocation-watch.ts'
import { parseRegistrySettings, readTpmRoots } from './settings.ts'
import { startFederation } from './start-federation.ts'
import { Supervision } from './supervise.ts'
import { openAuthority, watchAuthority } from './watch-authority.ts'

const settings = parseSettings(process.env)
const own = parseRegistrySettings(process.env)
if (!settings.key || !settings.certificate)
  throw new SettingsError('registry signs: set INTERLOCK_KEY and INTERLOCK_CERTIFICATE.')
const log = pino({ level: settings.log, base: { service: 'registry' } })
log.info({ settings, own }, 'settings')
const stopping = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort())

const metrics = new Registry()
const away = awayGauge(metrics)
const outage = new Outage((event, dependency, error) => {
  away.set({ dependency }, event === 'away' ? 1 : 0)
  if (event === 'away') log.warn({ dependency, error: error?.message }, `${dependency} is away: waiting, nothing is issued`)
  else log.info({ dependency }, `${dependency} is back`)
})
let isReady = false
const operations = await listen(
  operationsApp(metrics, () => isReady),
  settings.httpHost,
  settings.httpPort,
)

const topology = readTopology()
const anchors = openTrustBundle(JSON.parse(readFileSync(settings.trustBundle, 'utf8')) as TrustBundle)
const key = loadSigningKey(settings.key, settings.certificate)
// The bundle endpoint proves itself by the same SVID.
const identity = { key: readFileSync(settings.key), cert: readFileSync(settings.certificate) }
const partners = own.federation === undefined ? [] : readFederation(own.federation, anchors.trustDomain)
const authorities = new Authorities(await openAuthority(own.issuer))
const enrolments = new Enrolments(readTpmRoots(own.tpmRoots))
const ids = await waitForSchemas(settings.registry, topology, outage, stopping.signal)
if (ids) await run(createCodec({ topology, ids }))
operations.server.close()
log.info('stopped')

async function run(codec: ReturnType<typeof createCodec>): Promise<void> {
  const kafka = new kafkajs.Kafka({ clientId: 'registry', brokers: [...settings.kafka], logLevel: kafkajs.logLevel.NOTHING })
  const platforms = new Map<string, KnownPlatform | KnownDice>()
  const usedAdmissions = new Set<string>()
  const ordered = new Map<string, string>()
  const issued = new IssuedCertificates()
  const fold = new ControlFold(codec, anchors)
  const now = () => Date.now()
  const registryLog = new KafkaRegistryLog(kafka, { codec, key, now })
  const parts: Parts = {
    ...{ anchors, key, authorities, issued, enrolments, platforms, now, log: registryLog },
    alerts: new Alerts((alert) => registryLog.alert(alert), now),
    revocationLists: new RevocationLists(),
    agents: () => fold.table('control.agents'),
    devices: () => fold.table('control.devices'),
    revocations: () => fold.table('control.revocations'),
    federation: () => fold.table('control.federation'),
    challenges: new Challenges(),
    ...{ usedAdmissions, ordered, broughtUp: new Map() },
    used: new SingleUse(),
    startedAt: now(),
  }
  const watch = new RevocationWatch()
  const admin = kafka.admin({ retry: { retries: 1, initialRetryTime: 200 } })
  const supervision = new Supervision(parts, watch, async () => endsOf(await admin.fetchTopicOffsets('control.revocations')), {
    lapsed: ({ subject, appraisedAt }) => log.warn({ subject, appraisedAt }, 'a platform was not appraised in time: it lapses'),
    failed: (subject, error) =>
      log.error({ subject, error }, 'a platform that is overdue could not be made to lapse, or not be told of: tried again'),
    unsaid: (finding, error) => log.error({ finding, error }, 'an alert could not be written down: tried again'),
  })
  const connected = async () => {
    await registryLog.connect()
    await admin.connect()
    const following = await followTopics(kafka, {
      topics: ['appraisals'],
      from: 'start',
      take: ({ value }) => {
        const record = value && codec.decode('appraisals', value, 'Appraisal')
        const result = record?.ok && record.value.result !== '' ? readAttestationResult(record.value.result, anchors) : undefined
        // Newest last within a partition, which a subject has one of.
        if (!result?.ok) return
        if (result.value.kind !== 'software') platforms.set(result.value.subject, result.value)
        else platforms.delete(result.value.subject)
        usedAdmissions.add(result.value.admission)
        const { certificate, subject, appraisedAt } = result.value
        if (certificate) issued.add({ ...certificate, subject }, appraisedAt)
      },
    })
    const control = await readControlTables(
      kafka,
      'registry',
      ['control.agents', 'control.devices', 'control.revocations', 'control.federation'],
      fold,
      {
        change: () => settle(ordered, fold),
        ignored: (table, offset, reason) => {
          log.warn({ table, offset, reason }, 'a control entry does not count')
          const finding = watch.ignored(table, offset, reason)
          if (finding) void supervision.raise(finding)
        },
        // Without its tables it would certify what was suspended: it must start anew.
        crash: (error) => {
          log.fatal({ error }, 'the control tables cannot be read any more')
          process.exitCode = 1
          stopping.abort()
        },
      },
    )
    await following.caughtUp
    return [following, control]
  }
  const readers = await untilBroker(connected, outage, stopping.signal)
  if (!readers) return

  const app = registryApp(parts, {
    refused: (path, error) => log.info({ path, error: error.code, detail: error.cause }, 'refused'),
    failed: (path, error) => log.error({ path, error }, 'a fault: internal-error'),
  })
  // Before the first answer: while nobody was here, nobody was appraised.
  await supervision.look()
  const { server, port } = await listen(app, own.host, own.port)
  const federation = await startFederation({ partners, bundle: own.bundle, identity }, parts, log, stopping.signal)
  const unwatch = watchAuthority(own.issuer, authorities, {
    rotated: (issuer) => log.info({ authority: authorityId(issuer) }, 'another authority signs from now on'),
    refused: (error) =>
      log.warn({ error: String(error) }, 'the authority’s files were changed and cannot be used: the one before goes on'),
  })
  const watching = Promise.all([watchBroker(kafka, 'appraisals', outage, stopping.signal), supervision.run(stopping.signal)])
  isReady = true
  log.info({ http: operations.port, registry: `http://${own.host}:${port}`, bundle: federation.port }, 'ready')
  await new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()))
  unwatch()
  await Promise.all([watching, federation.ended])
  server.close()
  await Promise.all(readers.map((reader) => reader.stop()))
  await Promise.all([registryLog.close(), admin.disconnect()])
}

/** Of a topic with one partition. */
function endsOf(partitions: readonly { readonly low: string; readonly high: string }[]): TopicEnds {
  return { low: Number(partitions[0]?.low), high: Number(partitions[0]?.high) }
}

/** An order is done when its entry came back from the table. */
function settle(ordered: Map<string, string>, fold: ControlFold): void {
  for (const [name, standing] of ordered) {
    const entry = fold.table('control.agents').get(`definition:${name}`)
    if (entry?.kind === 'definition' && standingOf(entry) === standing) ordered.delete(name)
  }
}
