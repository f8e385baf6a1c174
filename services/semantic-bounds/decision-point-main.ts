/**
 * semantic-bounds as a policy decision point (OpenID AuthZEN Authorization API 1.0), a process of its own: it has no signing key, so nothing that it says can pass
 * for a decision, and who asks it too much delays no decision.
 */
import { readFileSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import { type ServerType, serve } from '@hono/node-server'
import { createCodec, readTopology, type TrustBundle } from '@interlock/contracts'
import { listen, Outage, operationsApp, parseSettings, type Tables, untilBroker, waitForSchemas } from '@interlock/enforcer'
import { ControlFold, readControlTables } from '@interlock/sdk'
import { openTrustBundle } from '@interlock/trust'
import type { Hono } from 'hono'
import kafkajs from 'kafkajs'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { decisionPointApp } from './authzen/app.ts'
import { type AuthzenSettings, parseAuthzenSettings, readTokenDigest } from './authzen/settings.ts'

const settings = parseSettings(process.env)
const own = parseAuthzenSettings(process.env)
const tokenDigest = readTokenDigest(own.tokenFile)
const log = pino({ level: settings.log, base: { service: 'decision-point' } })
log.info({ settings, own }, 'settings')
const stopping = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort())
const outage = new Outage((event, dependency, error) => {
  if (event === 'away') log.warn({ dependency, error: error?.message }, `${dependency} is away: waiting`)
  else log.info({ dependency }, `${dependency} is back`)
})
let isReady = false
const operations = await listen(
  operationsApp(new Registry(), () => isReady),
  settings.httpHost,
  settings.httpPort,
)
const trust = openTrustBundle(JSON.parse(readFileSync(settings.trustBundle, 'utf8')) as TrustBundle)
const topology = readTopology()
const ids = await waitForSchemas(settings.registry, topology, outage, stopping.signal)
if (ids) await run(createCodec({ topology, ids }))
operations.server.close()
log.info('stopped')

async function run(codec: ReturnType<typeof createCodec>): Promise<void> {
  const kafka = new kafkajs.Kafka({
    clientId: 'decision-point',
    brokers: [...settings.kafka],
    logLevel: kafkajs.logLevel.NOTHING,
  })
  const fold = new ControlFold(codec, trust)
  const names = ['control.devices', 'control.policies', 'control.revocations'] as const
  const read = () =>
    readControlTables(kafka, 'decision-point', names, fold, {
      change: () => {},
      ignored: (table, offset, reason) => log.warn({ table, offset, reason }, 'a control entry does not count'),
      // Without its tables it would answer by what was: it must start anew.
      crash: (error) => {
        log.fatal({ error }, 'the control tables cannot be read any more')
        process.exitCode = 1
        stopping.abort()
      },
    })
  const reader = await untilBroker(read, outage, stopping.signal)
  if (!reader) return
  let origin = own.url ?? ''
  const tables = (): Tables => ({
    'control.agents': new Map(),
    'control.devices': fold.table('control.devices'),
    'control.policies': fold.table('control.policies'),
    'control.revocations': new Map(),
    'control.stops': new Map(),
    'control.federation': new Map(),
  })
  const app = decisionPointApp({
    ...{ tokenDigest, tables, trust, now: () => Date.now() },
    get url() {
      return origin
    },
  })
  const { server, port } = await open(app, own)
  origin ||= `${own.tls ? 'https' : 'http'}://${own.host}:${port}`
  isReady = true
  log.info({ http: operations.port, decisionPoint: origin }, 'ready')
  await new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()))
  server.close()
  await reader.stop()
}

function open(app: Hono, { host, port, tls }: AuthzenSettings): Promise<{ readonly server: ServerType; readonly port: number }> {
  if (!tls) return listen(app, host, port)
  const serverOptions = { cert: readFileSync(tls.certificate), key: readFileSync(tls.key), minVersion: 'TLSv1.3' as const }
  return new Promise((resolve) => {
    const options = { fetch: app.fetch, hostname: host, port, createServer: createTlsServer, serverOptions }
    const server = serve(options, (info) => resolve({ server, port: info.port }))
  })
}
