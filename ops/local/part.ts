import type { RunningProcess } from './process.ts'

/** One program of the stack: can be stopped, killed and started again on the same data and address. */
export class Part {
  readonly #launch: () => Promise<RunningProcess>
  readonly #end: (process: RunningProcess) => Promise<void>
  #process: RunningProcess | undefined

  constructor(launch: () => Promise<RunningProcess>, end = (process: RunningProcess) => process.stop()) {
    this.#launch = launch
    this.#end = end
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    if (this.#process && !this.#process.hasExited) return
    this.#process = await this.#launch()
  }

  async stop(): Promise<void> {
    if (this.#process) await this.#end(this.#process)
  }

  async kill(): Promise<void> {
    await this.#process?.kill()
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }
}
