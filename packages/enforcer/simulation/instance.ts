import type { Clock } from '../kafka-port.ts'
import type { Faults } from './faults.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** One process of the service. Whatever comes back to it comes through `later`; when it is dead, nothing does. */
export class Instance implements Clock {
  readonly name: string
  readonly random: Random
  readonly faults: Faults
  readonly #scheduler: Scheduler
  #isDead = false
  /** Until then the group does not reach it: it goes on with what it believes to be its own. */
  #cutOffUntil = 0

  constructor(name: string, scheduler: Scheduler, random: Random, faults: Faults) {
    this.name = name
    this.random = random
    this.faults = faults
    this.#scheduler = scheduler
  }

  get isDead(): boolean {
    return this.#isDead
  }

  get isCutOff(): boolean {
    return this.now() < this.#cutOffUntil
  }

  get cutOffUntil(): number {
    return this.#cutOffUntil
  }

  crash(): void {
    this.#isDead = true
  }

  cutOff(ms: number): void {
    this.#cutOffUntil = this.now() + ms
  }

  now(): number {
    return this.#scheduler.now()
  }

  later(ms: number, run: () => void): void {
    this.#scheduler.after(ms, () => {
      if (!this.#isDead) run()
    })
  }

  /** Runs whether or not the process lives: a request that has left it. */
  outside(ms: number, run: () => void): void {
    this.#scheduler.after(ms, run)
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.later(ms, resolve))
  }

  /** Goes on after a while: where a process may be overtaken, or die. */
  pause(): Promise<void> {
    return this.sleep(this.faults.delayMs(this.random))
  }
}
