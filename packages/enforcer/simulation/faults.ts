import type { Random } from './random.ts'

export type SendFate = 'lands' | 'fails' | 'lands-then-fails' | 'fails-then-lands' | 'lands-in-part' | 'lands-twice'

/** What may go wrong in a run, and how often. Each run has its own mixture, so that rare meetings of two faults are not diluted by the rest. */
export class Faults {
  readonly crashes: number
  readonly cutOffs: number
  readonly joins: number
  readonly aways: number
  readonly failedCalls: number
  readonly oddSends: number
  readonly slowness: number
  readonly copies: number
  readonly hasSlowTables: boolean
  /** How long no instance is there at all; 0 in most runs. */
  readonly absenceMs: number
  #isOver = false

  constructor(random: Random) {
    const some = (most: number) => (random.chance(0.5) ? random.int(1, most) : 0)
    this.crashes = some(4)
    this.cutOffs = some(4)
    this.joins = some(3)
    this.aways = random.chance(0.25) ? random.int(1, 2) : 0
    this.failedCalls = random.chance(0.3) ? random.next() * 0.1 : 0
    this.oddSends = random.chance(0.5) ? random.next() * 0.3 : 0
    this.slowness = random.chance(0.5) ? random.next() * 0.2 : 0.02
    this.copies = some(6)
    this.hasSlowTables = random.chance(0.3)
    this.absenceMs = random.chance(0.15) ? 7_200_000 : 0
  }

  /** From now on the world is kind. */
  end(): void {
    this.#isOver = true
  }

  delayMs(random: Random): number {
    if (!this.#isOver && random.chance(this.slowness)) return random.next() * 300
    return random.next() * 4
  }

  callFails(random: Random): boolean {
    return !this.#isOver && random.chance(this.failedCalls)
  }

  sendFate(random: Random): SendFate {
    if (this.#isOver || !random.chance(this.oddSends)) return 'lands'
    return random.pick(['fails', 'lands-then-fails', 'fails-then-lands', 'lands-in-part', 'lands-twice'] as const)
  }
}
