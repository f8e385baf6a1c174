import { readFileSync } from 'node:fs'
import { Server as TlsServer } from 'node:https'
import { setTimeout as wait } from 'node:timers/promises'
import { type AgentEntry, createCodec, type RevocationEntry, readTopology, type TrustBundle } from '@interlock/contracts'
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
import { loadSigningKey, openTrustBundle, SingleUse } from '@interlock/trust'
import kafkajs from 'kafkajs'
import { pino } from 'pino'
import { Gauge, Registry } from 'prom-client'
import { tokenApp } from './app.ts'
import { GrantRequests } from './grant-requests.ts'
import { IssuedTokens } from './issued-tokens.ts'
import { KafkaTokenLog } from './kafka-log.ts'
import { mutualTlsOptions, watchServerCertificate } from './mutual-tls.ts'
import { silentMs } from './remembered.ts'
import { parseTokenSettings } from './settings.ts'
import { readReceivers } from './signals/receivers.ts'
import { Transmitter } from './signals/transmitter.ts'
import { StandingGrants } from './standing-grants.ts'

const settings = parseSettings(process.env)
const own = parseTokenSettings(process.env)
if (!settings.key || !settings.certificate)
  throw new SettingsError('token-service signs: set INTERLOCK_KEY and INTERLOCK_CERTIFICATE.')
const log = pino({ level: settings.log, base: { service: 'token-service' } })
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
const receivers = own.signalReceivers === undefined ? [] : readReceivers(own.signalReceivers)
// What no verifier would take is not signed (ATTACKS 128): the key must be in the trust bundle before its first token.
const known = anchors.signer(key.keyId)
if (known?.role.kind !== 'service' || known.role.service !== 'token')
  throw new SettingsError(
    'the trust bundle does not have INTERLOCK_CERTIFICATE as that of service/token: publish it first, then start.',
  )
const ids = await waitForSchemas(settings.registry, topology, outage, stopping.signal)
if (ids) await run(createCodec({ topology, ids }))
operations.server.close()
log.info('stopped')

async function run(codec: ReturnType<typeof createCodec>): Promise<void> {
  const kafka = new kafkajs.Kafka({ clientId: 'token-service', brokers: [...settings.kafka], logLevel: kafkajs.logLevel.NOTHING })
  const issued = new IssuedTokens()
  const standing = new StandingGrants()
  const fold = new ControlFold(codec, anchors)
  const tables = {
    agents: new Map() as ReadonlyMap<string, AgentEntry>,
    revocations: new Map() as ReadonlyMap<string, RevocationEntry>,
  }
  const change = () => {
    tables.agents = fold.table('control.agents')
    tables.revocations = fold.table('control.revocations')
  }
  const now = () => Date.now()
  const forget = () => {
    for (const kept of [issued, standing]) kept.forget(now())
  }
  // Without its tables it would issue to the revoked, and tell nobody of them: it must start anew.
  const crash = (error: Error) => {
    log.fatal({ error }, 'the control tables cannot be read any more')
    process.exitCode = 1
    stopping.abort()
  }
  const tokenLog = new KafkaTokenLog(kafka, { codec, key, tables, now })
  const connected = async () => {
    await tokenLog.connect()
    const following = await followTopics(kafka, {
      topics: ['tokens'],
      from: 'start',
      take: ({ value }) => {
        const record = value && codec.decode('tokens', value, 'IssuedToken')
        if (!record?.ok) return
        issued.add(record.value.signingInput, now())
        standing.add(record.value.signingInput)
      },
    })
    const control = await readControlTables(
      kafka,
      'token-service',
      ['control.agents', 'control.devices', 'control.revocations'],
      fold,
      {
        change,
        ignored: (table, offset, reason) => log.warn({ table, offset, reason }, 'a control entry does not count'),
        crash,
      },
    )
    await following.caughtUp
    change()
    forget()
    return [following, control]
  }
  const readers = await untilBroker(connected, outage, stopping.signal)
  if (!readers) return
  await wait(Math.max(0, performance.timeOrigin + silentMs - now()))

  // Of its own port a server knows only when it has it.
  let issuer = own.issuer
  let mtlsUrl = own.mtls?.url
  const app = tokenApp(
    {
      ...{ key, anchors, tables, issued, standing, log: tokenLog, now },
      requests: new GrantRequests(),
      used: new SingleUse(),
      startedAt: now(),
      get issuer() {
        return issuer ?? ''
      },
      get mtls() {
        return own.mtls && { url: mtlsUrl ?? '' }
      },
    },
    {
      refused: (path, error) => log.info({ path, error: error.code, cause: error.cause }, 'refused'),
      failed: (path, error) => log.error({ path, error }, 'a fault: server_error'),
    },
  )
  const transmitter = new Transmitter(receivers, {
    ...{ codec, anchors, now, crash },
    signer: {
      key,
      get issuer() {
        return issuer ?? ''
      },
    },
    revisionOf: (table, id) => fold.revisionOf(table, id),
    events: {
      failing: (receiver, cause) => log.warn({ receiver, cause }, 'a receiver of signals cannot be reached: its events wait'),
      delivering: (receiver) => log.info({ receiver }, 'a receiver of signals is back'),
      refused: (receiver, jti, err) => log.error({ receiver, jti, err }, 'a receiver refused an event: it is not sent again'),
    },
  })
  if (receivers.length > 0) app.route('/', transmitter.app)
  gaugeWaiting(transmitter)
  const { server, port } = await listen(app, own.host, own.port)
  issuer ??= `http://127.0.0.1:${port}`
  const mutual = own.mtls && (await listen(app, own.host, own.mtls.port, mutualTlsOptions(own.mtls)))
  mtlsUrl ??= mutual && `https://127.0.0.1:${mutual.port}`
  const unwatch =
    own.mtls &&
    mutual?.server instanceof TlsServer &&
    watchServerCertificate(own.mtls, mutual.server, (error) => log.warn({ error }, 'the next server certificate cannot be used'))
  await untilBroker(() => transmitter.start(kafka), outage, stopping.signal)
  const forgetting = setInterval(forget, 60_000)
  const watching = watchBroker(kafka, 'tokens', outage, stopping.signal)
  isReady = true
  log.info({ http: operations.port, issuer, mtls: mtlsUrl }, 'ready')
  await new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()))
  clearInterval(forgetting)
  await watching
  if (unwatch) unwatch()
  mutual?.server.close()
  server.close()
  await transmitter.stop()
  await Promise.all(readers.map((reader) => reader.stop()))
  await tokenLog.close()
}

function gaugeWaiting(transmitter: Transmitter): void {
  new Gauge({
    name: 'interlock_signals_waiting',
    help: 'Security events that a receiver has not acknowledged',
    labelNames: ['receiver'],
    registers: [metrics],
    collect() {
      for (const [receiver, sets] of transmitter.waiting()) this.set({ receiver }, sets)
    },
  })
}
