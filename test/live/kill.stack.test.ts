import { afterAll, beforeAll, expect, it } from 'vitest'
import { enterLive, type Live } from './live-system.ts'
import { kafkaDigests, rowDigests } from './records.ts'
import { Traffic } from './traffic.ts'

/** `npm run faults -- --minutes 60` is the long form. */
const minutes = Number(process.env.INTERLOCK_FAULT_MINUTES ?? 0)
const rounds = minutes > 0 ? Number.POSITIVE_INFINITY : 2

let live: Live
beforeAll(async () => {
  live = await enterLive()
})
afterAll(() => live.leave())

it(
  'kill -9 of every service under load: each accepted intent has one outcome, nothing runs twice, ClickHouse equals Kafka',
  async () => {
    const traffic = new Traffic(live.world, 8)
    traffic.start()
    const end = Date.now() + minutes * 60_000
    try {
      for (let round = 0; round < rounds && (minutes === 0 || Date.now() < end); round += 1) {
        for (const service of live.system.services) {
          await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 700))
          await service.kill()
          await service.restart()
        }
        if (minutes > 0) console.log(`round ${round + 1}: ${traffic.accepted.length} intents accepted`)
      }
    } finally {
      await traffic.stop()
    }

    expect(traffic.accepted.length).toBeGreaterThan(20)
    for (const intentId of traffic.accepted) await live.outcomeOf(intentId, 120_000)
    await live.quiet()
    for (const intentId of traffic.accepted) {
      expect(live.outcomesOf(intentId)).toHaveLength(1)
      expect(live.executionsOf(intentId)).toBe(live.outcomesOf(intentId)[0] === 'completed' ? 1 : live.executionsOf(intentId))
      expect(live.executionsOf(intentId)).toBeLessThanOrEqual(1)
    }
    // Every fifth asked for 120 W: no crash may turn a no into a yes.
    for (const intentId of traffic.accepted.filter((_, number) => number % 5 === 4))
      expect(live.outcomesOf(intentId)).toEqual(['denied'])
    await live.untilAudited()
    expect(await rowDigests(live.clickhouse)).toEqual(await kafkaDigests(live.kafka))
  },
  minutes * 60_000 + 900_000,
)
