import { stageNames } from '@interlock/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enterLive, type Live } from './live-system.ts'
import { kafkaDigests, rowDigests } from './records.ts'
import { Traffic } from './traffic.ts'

/** The consumer groups; device-dispatch has one for each half. */
const halves = [...stageNames.slice(0, -1), 'device-dispatch.out', 'device-dispatch.back', 'outcomes']

/** A second instance of a service joins under load and leaves again: half the partitions are its own meanwhile. */
describe('a second instance', () => {
  let live: Live
  beforeAll(async () => {
    live = await enterLive()
  })
  afterAll(() => live.leave())

  it('of every service that reads the flow takes half the partitions; nothing is lost, nothing doubled', async () => {
    // Fewer than the one laser can carry out: a backlog would only make a slow machine slower.
    const traffic = new Traffic(live.world, 3)
    traffic.start()
    try {
      const seconds = []
      // The trust services run once: they remember in memory which assertions and admissions were used.
      const names = live.system.services.map(({ name }) => name).filter((name) => !['token-service', 'registry'].includes(name))
      for (const name of names) seconds.push(await live.system.startSecond(name))
      for (const group of halves) expect(await live.partitionsByMember(group), group).toEqual([3, 3])
      // audit shares by whole tables, so that one insert takes what came in from all partitions.
      expect(await live.partitionsByMember('audit')).toHaveLength(2)
      for (const second of seconds) await second.stop()
    } finally {
      await traffic.stop()
    }

    for (const intentId of traffic.accepted) await live.outcomeOf(intentId, 60_000)
    await live.quiet()
    for (const intentId of traffic.accepted) {
      expect(live.outcomesOf(intentId)).toHaveLength(1)
      expect(live.executionsOf(intentId)).toBe(live.outcomesOf(intentId)[0] === 'completed' ? 1 : 0)
    }
    await live.untilAudited()
    expect(await rowDigests(live.clickhouse)).toEqual(await kafkaDigests(live.kafka))
  }, 600_000)
})
