import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { alertOf, type Intent, type JobId } from '@interlock/contracts'
import { writeExpectedOffset } from '@interlock/contracts/expected-offset'
import { quantity } from '@interlock/sdk'
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { findUnanswered } from '../../services/audit/reconcile.ts'
import { enterLive, type Live } from './live-system.ts'

/** What the SOC asks of ClickHouse, on what the running system wrote. */
describe('what audit kept', () => {
  let live: Live
  let completed: Intent
  let refused: Intent
  beforeAll(async () => {
    live = await enterLive()
    completed = await live.world.laserCut()
    refused = await live.world.laserCut({ parameters: { power: quantity(120, 'W'), speed: quantity(20, 'mm/s') } })
    for (const intent of [completed, refused]) await live.world.submit(intent)
    for (const intent of [completed, refused]) await live.outcomeOf(intent.intentId)
    await live.untilAudited()
  })
  afterAll(() => live.leave())

  async function ask<Row>(name: string, parameters: Record<string, unknown> = {}): Promise<Row[]> {
    const query = readFileSync(new URL(`../../ops/clickhouse/queries/${name}.sql`, import.meta.url), 'utf8')
    return (await live.clickhouse.query({ query, query_params: parameters, format: 'JSONEachRow' })).json<Row>()
  }
  type Step = { readonly kind: string; readonly actor: string; readonly verdict: string; readonly reasons: string[] }
  const story = (intent: Intent) => ask<Step>('story-of-an-intent', { intent_id: intent.intentId })

  it('tells the story of an intent, carried out or refused', async () => {
    const told = (await story(completed)).map(({ kind, actor, verdict }) => `${kind} ${actor.split('/').at(-1)} ${verdict}`)
    expect(told.slice(0, 7)).toEqual([
      'intent z1 submitted',
      'decision identity-verify ALLOW',
      'decision delegation-check ALLOW',
      'decision semantic-bounds ALLOW',
      'decision approval-router ALLOW',
      'decision device-dispatch ALLOW',
      'order device-dispatch sent',
    ])
    expect(told).toContain('ack laser-1 completed')
    expect(told.at(-1)).toMatch(/^outcome .* completed$/)
    const last = (await story(refused)).at(-1)
    expect(last).toMatchObject({ kind: 'outcome', verdict: 'denied' })
    expect(last?.reasons).toEqual((await story(refused)).find(({ verdict }) => verdict === 'DENY')?.reasons)
  })

  it('counts the denials of the last hour by stage and reason', async () => {
    const [reason] = (await story(refused)).find(({ verdict }) => verdict === 'DENY')?.reasons ?? []
    const denials = await ask<{ stage: string; reason: string; denials: string }>('denials-last-hour')
    const found = denials.find((row) => row.stage === 'semantic-bounds' && row.reason === reason)
    expect(Number(found?.denials)).toBeGreaterThan(0)
  })

  it('tells each alert once, however often it was raised, the worst first', async () => {
    const subject = `spiffe://lab.interlock.example/device/${randomUUID()}`
    const base = { source: 'registry', jobId: '', subject, title: 'A test', message: 'A test', evidence: {} }
    const raise = (alertId: string, severity: 'high' | 'critical', raisedAt: number) =>
      live.world.write('alerts', subject as JobId, alertOf({ ...base, alertId, rule: 'appraisal-failed', severity, raisedAt }))
    const now = Date.now()
    await raise(`${subject} 1`, 'high', now)
    await raise(`${subject} 1`, 'high', now + 1)
    await raise(`${subject} 2`, 'critical', now + 2)
    await live.untilAudited()
    const alerts = (await ask<{ alert_id: string; severity: string; subject: string; raised: string }>('alerts-last-day')).filter(
      (alert) => alert.subject === subject,
    )
    expect(alerts.map(({ severity, raised }) => [severity, Number(raised)])).toEqual([
      ['critical', 1],
      ['high', 2],
    ])
  })

  it('names orders that no device answered, and no others', async () => {
    const stopped = live.system.devices.find(({ name }) => name === 'laser-1')
    if (!stopped) throw new Error('laser-1 does not run')
    await stopped.service.stop()
    const intent = await live.world.laserCut()
    await live.world.submit(intent)
    expect(await live.outcomeOf(intent.intentId, 120_000)).toMatchObject({ status: 'timed-out' })
    await stopped.service.restart()
    await live.untilAudited()
    const orders = (await ask<{ intent_id: string }>('orders-without-ack')).map(({ intent_id }) => intent_id)
    expect(orders).toContain(intent.intentId)
    expect(orders).not.toContain(completed.intentId)
  }, 200_000)

  it('counts what could not be read', async () => {
    const partition = live.world.partitionOf(live.world.job.jobId)
    const key = Buffer.from(live.world.job.jobId)
    const offset = await live.writeBytes('intents', partition, key, Buffer.from('nothing that anybody can read'))
    await live.deadLetters.of({ consumer: 'identity-verify', topic: 'intents', partition, offset })
    await live.untilAudited()
    const letters = await ask<{ source_topic: string; consumer: string; letters: string }>('deadletters-last-day')
    const found = letters.filter(({ source_topic, consumer }) => source_topic === 'intents' && consumer === 'identity-verify')
    expect(found.reduce((sum, row) => sum + Number(row.letters), 0)).toBeGreaterThan(0)
  })

  it('keeps a decision that does not lie in its place, and shows it in no story', async () => {
    const topic = 'decisions.semantic-bounds'
    const partition = live.world.partitionOf(live.world.job.jobId)
    const before = await story(refused)
    const [row] = await rows(
      `SELECT base64Encode(raw) AS raw FROM decisions WHERE topic = '${topic}' AND intent_id = {id: String}`,
      refused,
    )
    const producer = live.kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
    await producer.connect()
    const value = Buffer.from(String(row?.raw), 'base64')
    const headers = writeExpectedOffset(1)
    await producer.send({ topic, messages: [{ key: live.world.job.jobId, value, partition, headers }] })
    await producer.disconnect()
    await live.untilAudited()
    const kept = await rows(
      `SELECT in_place FROM decisions WHERE topic = '${topic}' AND intent_id = {id: String} ORDER BY offset`,
      refused,
    )
    expect(kept.map(({ in_place }) => in_place)).toEqual([true, false])
    expect(await story(refused)).toEqual(before)
  })

  const rows = async (query: string, { intentId }: Intent): Promise<Record<string, unknown>[]> =>
    (await live.clickhouse.query({ query, query_params: { id: intentId }, format: 'JSONEachRow' })).json<
      Record<string, unknown>
    >()

  it('attack 119: offsets of a stage that somebody moved ahead lose an intent, reconciliation names it, and setting them back carries it out', async () => {
    const [groupId, topic] = ['delegation-check', 'decisions.identity-verify']
    const service = live.system.services.find(({ name }) => name === groupId)
    if (!service) throw new Error(`${groupId} does not run`)
    const unanswered = async (intent: Intent) =>
      (await findUnanswered(live.clickhouse, Date.now() + 120_000)).filter(({ intent_id }) => intent_id === intent.intentId)
    await service.stop()
    const admin = live.kafka.admin()
    await admin.connect()
    const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] })
    const intent = await live.world.laserCut()
    await live.world.submit(intent)
    await live.untilAudited()
    await vi.waitFor(async () => expect(await unanswered(intent)).toHaveLength(1), { timeout: 60_000, interval: 500 })

    const ahead = (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => ({ partition, offset: high }))
    await admin.setOffsets({ groupId, topic, partitions: ahead })
    await service.restart()
    expect(await live.outcomeOf(await submitted())).toMatchObject({ status: 'completed' })
    await wait(2000)
    expect(live.outcomesOf(intent.intentId)).toEqual([])
    await live.untilAudited()
    expect(await unanswered(intent)).toMatchObject([{ kind: 'allow', stage: 'identity-verify' }])

    await service.stop()
    await admin.setOffsets({ groupId, topic, partitions: committed?.partitions ?? [] })
    await admin.disconnect()
    await service.restart()
    expect(await live.outcomeOf(intent.intentId, 60_000)).toMatchObject({ status: 'completed' })
    await live.untilAudited()
    expect(await unanswered(intent)).toEqual([])
  }, 200_000)

  async function submitted() {
    const intent = await live.world.laserCut()
    await live.world.submit(intent)
    return intent.intentId
  }
})
