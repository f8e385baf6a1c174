import { setTimeout as wait } from 'node:timers/promises'
import { createCodec, type RecordName, readTopology } from '@interlock/contracts'
import {
  awayGauge,
  backoffMs,
  listen,
  Outage,
  operationsApp,
  parseSettings,
  SettingsError,
  waitForSchemas,
} from '@interlock/enforcer'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { connectClickHouse } from './clickhouse.ts'
import { AuditConsumer, connectKafka } from './consumer.ts'
import { auditMetrics } from './metrics.ts'
import { findUnanswered } from './reconcile.ts'
import { tables } from './rows.ts'
import { ClickHouseStore } from './store.ts'
import { TableWriter } from './table-writer.ts'

/** Rows of one insert. */
const rowsMax = 20_000
const reconcileMs = 30_000

const settings = parseSettings(process.env)
if (settings.clickhouse === undefined) throw new SettingsError('audit writes to ClickHouse: set INTERLOCK_CLICKHOUSE.')
const log = pino({ level: settings.log, base: { service: 'audit' } })
// The URL has a password in it.
log.info({ settings: { ...settings, clickhouse: new URL(settings.clickhouse).host } }, 'settings')
const stopping = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort())

const registry = new Registry()
const metrics = auditMetrics(registry)
const away = awayGauge(registry)
const outage = new Outage((event, dependency, error) => {
  away.set({ dependency }, event === 'away' ? 1 : 0)
  if (event === 'away') log.warn({ dependency, error: error?.message }, `${dependency} is away: waiting, nothing is lost`)
  else log.info({ dependency }, `${dependency} is back`)
})
let isReady = false
const { server, port } = await listen(
  operationsApp(registry, () => isReady),
  settings.httpHost,
  settings.httpPort,
)

const topology = readTopology()
const ids = await waitForSchemas(settings.registry, topology, outage, stopping.signal)
if (ids) await run(createCodec({ topology, ids }), connectClickHouse(settings.clickhouse))
server.close()
log.info('stopped')

async function run(codec: ReturnType<typeof createCodec>, clickhouse: ReturnType<typeof connectClickHouse>): Promise<void> {
  const kafka = connectKafka('audit', settings.kafka)
  const topics = new Map(
    [...topology.topics.values()].map(({ name, record, partitions }) => [
      name,
      { table: tables[record as RecordName].name, partitions },
    ]),
  )
  const partitionsOf = (table: string) =>
    [...topics].flatMap(([topic, { table: of, partitions }]) =>
      of === table ? Array.from({ length: partitions }, (_, partition) => ({ topic, partition })) : [],
    )
  const tableOf = (name: string) => Object.values(tables).find((table) => table.name === name) ?? tables.DeadLetter
  const reconciling = reconcile(clickhouse)

  for (let attempt = 0; !stopping.signal.aborted; attempt += 1) {
    const consumer = new AuditConsumer({
      client: kafka,
      topics,
      writer: (table, offsets) =>
        new TableWriter({
          partitions: partitionsOf(table),
          offsets,
          store: new ClickHouseStore({
            client: clickhouse,
            table: tableOf(table) as never,
            decode: (topic, bytes) => codec.decode(topic, bytes),
            observer: {
              inserted: (name, rows, ms) => {
                metrics.rows.inc({ table: name }, rows)
                metrics.insertSeconds.observe(ms / 1000)
              },
              unreadable: (topic, reason) => metrics.unreadable.inc({ topic, reason }),
              mended: (name, rows) => {
                metrics.mended.inc({ table: name }, rows)
                log.warn({ table: name, rows }, 'ClickHouse had noted an insert that it had not kept: mended')
              },
              away: (error) => outage.away('clickhouse', error),
              back: () => outage.back('clickhouse'),
            },
            now: () => Date.now(),
            sleep: (ms, signal) => wait(ms, undefined, { signal }),
          }),
          now: () => Date.now(),
          rowsMax,
          onLost: (range) => {
            metrics.lost.inc({ topic: range.topic }, range.last - range.first + 1)
            log.error({ range }, 'retention removed records before they were audited')
          },
        }),
      onAssigned: (assigned) => {
        outage.back('kafka')
        attempt = 0
        if (!isReady) log.info({ http: port, tables: [...assigned] }, 'ready')
        isReady = true
      },
      onLag: ({ topic, partition }, records) => metrics.lag.set({ topic, partition: String(partition) }, records),
    })
    const stop = () => consumer.stop()
    stopping.signal.addEventListener('abort', stop)
    try {
      await consumer.run()
    } catch (error) {
      outage.away('kafka', error as Error)
      await wait(backoffMs(attempt), undefined, { signal: stopping.signal }).catch(() => {})
    } finally {
      stopping.signal.removeEventListener('abort', stop)
    }
  }
  await reconciling
  await clickhouse.close()
}

/** Looks every half minute for what stayed without its successor, and says so once for each. */
async function reconcile(clickhouse: ReturnType<typeof connectClickHouse>): Promise<void> {
  const said = new Set<string>()
  while (!stopping.signal.aborted) {
    await wait(reconcileMs, undefined, { signal: stopping.signal }).catch(() => {})
    if (stopping.signal.aborted) return
    try {
      const found = await findUnanswered(clickhouse, Date.now())
      for (const kind of ['intent', 'allow', 'order'] as const)
        metrics.unanswered.set({ kind }, found.filter((one) => one.kind === kind).length)
      for (const one of found) {
        const name = `${one.kind} ${one.intent_id} ${one.stage}`
        if (!said.has(name)) log.error({ unanswered: one }, 'a record stayed without its successor')
        said.add(name)
      }
    } catch (error) {
      outage.away('clickhouse', error as Error)
    }
  }
}
