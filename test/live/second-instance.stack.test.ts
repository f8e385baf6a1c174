import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enterLive, type Live } from './live-system.ts'
import { kafkaDigests, rowDigests } from './records.ts'
import { Traffic } from './traffic.ts'

/** A second instance of a service joins under load and leaves again: half the partitions are its own meanwhile. */
describe('a second instance', () => {
  let live: Live
  beforeAll(async () => {
    live = await enterLive()
  })
  afterAll(() => live.leave())

  it('of every service takes half the partitions; nothing is lost, nothing doubled', async () => {
    const traffic = new Traffic(live.world, 6)
    traffic.start()
    const seconds = []
    for (const service of live.system.services) seconds.push(await live.system.startSecond(service.name))
    for (const service of live.system.services) {
      expect(await live.partitionsByMember(service.name), service.name).toEqual([3, 3])
    }
    for (const second of seconds) await second.stop()
    await traffic.stop()

    for (const intentId of traffic.accepted) await live.outcomeOf(intentId, 60_000)
    await live.quiet()
    for (const intentId of traffic.accepted) {
      expect(live.outcomesOf(intentId)).toHaveLength(1)
      expect(live.executionsOf(intentId)).toBe(live.outcomesOf(intentId)[0] === 'completed' ? 1 : 0)
    }
    await live.untilAudited()
    expect(await rowDigests(live.clickhouse)).toEqual(await kafkaDigests(live.kafka))
  }, 240_000)
})
