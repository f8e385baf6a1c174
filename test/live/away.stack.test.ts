import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { enterLive, type Live } from './live-system.ts'

/** Broker, registry or ClickHouse go away and come back: services wait, say so once, and go on; nothing is decided meanwhile and nothing lost. */
describe('while a part of the stack is away', () => {
  let live: Live
  beforeAll(async () => {
    live = await enterLive()
  })
  afterAll(() => live.leave())

  async function expectCarriedOut(): Promise<void> {
    const intent = await live.world.laserCut()
    await live.world.submit(intent)
    expect(await live.outcomeOf(intent.intentId, 90_000)).toMatchObject({ status: 'completed' })
  }

  it('the broker: every service says once that it is away and once that it is back, and what was accepted before is carried out', async () => {
    const intent = await live.world.laserCut()
    await live.world.submit(intent)
    await live.stack.killBroker()
    await new Promise((resolve) => setTimeout(resolve, 10_000))
    await live.stack.startBroker()
    expect(await live.outcomeOf(intent.intentId, 90_000)).toMatchObject({ status: 'completed' })
    await expectCarriedOut()
    let waited = 0
    for (const service of live.system.services) {
      const said = (word: string) => service.log().filter((line) => line.includes(`kafka is ${word}`)).length
      // Who reads the tables may have the broker back some seconds after who carried the intent out.
      await vi.waitFor(() => expect(said('back'), service.name).toBe(said('away')), { timeout: 60_000, interval: 200 })
      // One that asked nothing of the broker meanwhile did not miss it; inputs and tables are read by two, who may notice apart.
      expect(said('away'), service.name).toBeLessThanOrEqual(2)
      waited += said('away')
    }
    expect(waited).toBeGreaterThan(3)
  }, 200_000)

  it('the registry: running services need it no more, and one that starts waits for it', async () => {
    await live.stack.killRegistry()
    await expectCarriedOut()
    const service = live.system.services.find(({ name }) => name === 'semantic-bounds')
    if (!service) throw new Error('semantic-bounds does not run')
    await service.kill()
    const restarted = service.restart()
    const intent = await live.world.laserCut()
    await live.world.submit(intent)
    await service.logged(/registry is away/)
    await live.stack.startRegistry()
    await restarted
    expect(await live.outcomeOf(intent.intentId, 90_000)).toMatchObject({ status: 'completed' })
  }, 200_000)

  it('ClickHouse: the flow goes on, and audit catches up', async () => {
    await live.stack.killClickHouse()
    await expectCarriedOut()
    await live.stack.startClickHouse()
    await live.untilAudited()
  }, 200_000)
})
