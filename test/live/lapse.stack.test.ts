import { randomUUID } from 'node:crypto'
import type { Alert } from '@interlock/contracts'
import { type Following, followTopics } from '@interlock/sdk'
import { agentSpiffeId } from '@interlock/sdk/trust-domain'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enterLive, type Live } from './live-system.ts'

/** What nobody asks the registry for, on the real broker: platforms that stay away, and revocations that somebody removes. */
describe('the registry by itself', () => {
  let live: Live
  let following: Following
  const alerts: Alert[] = []
  const states = new Map<string, string>()
  beforeAll(async () => {
    live = await enterLive(['registry'])
    following = await followTopics(live.kafka, {
      topics: ['alerts', 'control.agents'],
      from: 'end',
      take: ({ topic, value }) => {
        const read = value && live.world.codec.decode(topic, value)
        if (!read?.ok) return
        if (topic === 'alerts') alerts.push(read.value as Alert)
        else {
          const { id, value: entry } = JSON.parse(String((read.value as { statement: Buffer }).statement))
          states.set(id, entry.state)
        }
      },
    })
  })
  afterAll(async () => {
    await following.stop()
    await live.leave()
  })
  const alertOf = (rule: string, subject: RegExp) => alerts.filter((alert) => alert.rule === rule && subject.test(alert.subject))

  it('attack 33: lets a platform lapse that was last found good too long ago, and says so once', async () => {
    const spiffeId = agentSpiffeId('laser-operator', `away-${randomUUID().slice(0, 8)}`)
    const id = `instance:${spiffeId}`
    const appraisedAt = Date.now() - 3_700_000
    const entry = { kind: 'instance', spiffeId, definition: 'laser-operator', assurance: 'tpm', appraisedAt, state: 'active' }
    await live.world.enact('control.agents', id, entry, 'service-registry')
    await expect.poll(() => states.get(id), { timeout: 30_000 }).toBe('lapsed')
    await live.quiet()
    expect(alertOf('appraisal-overdue', new RegExp(spiffeId))).toHaveLength(1)
  })

  it('attack 133: tells of a record that deletes a revocation', async () => {
    const job = `job-${randomUUID()}`
    const value = { kind: 'job', subject: job, from: Date.now(), reason: 'test' }
    await live.world.enact('control.revocations', `job:${job}`, value, 'operator-dev')
    const offset = await live.writeBytes('control.revocations', 0, Buffer.from(`job:${job}`), null)
    const place = new RegExp(`^control.revocations:0:${offset}$`)
    await expect.poll(() => alertOf('revocation-removed', place).length, { timeout: 30_000 }).toBe(1)
    // For who starts anew it must be there.
    await live.world.enact('control.revocations', `job:${job}`, value, 'operator-dev')
  })
})
