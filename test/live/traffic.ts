import type { IntentId } from '@interlock/contracts'
import type { World } from '@interlock/ops/scenario/world'
import { quantity } from '@interlock/sdk'

/** Intents at a steady rate, most within the grant and every fifth beyond it, until it is stopped. What the broker took counts. */
export class Traffic {
  readonly accepted: IntentId[] = []
  readonly #world: World
  readonly #perSecond: number
  #isStopped = false
  #running: Promise<void> | undefined

  constructor(world: World, perSecond: number) {
    this.#world = world
    this.#perSecond = perSecond
  }

  start(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    for (let number = 0; !this.#isStopped; number += 1) {
      const power = number % 5 === 4 ? 120 : 60
      const intent = await this.#world.laserCut({ parameters: { power: quantity(power, 'W'), speed: quantity(300, 'mm/s') } })
      await this.#world.submit(intent)
      this.accepted.push(intent.intentId)
      await new Promise((resolve) => setTimeout(resolve, 1000 / this.#perSecond))
    }
  }
}
