import type { Random } from './random.ts'

type Task = { readonly due: number; readonly order: number; readonly run: () => void }

/**
 * Virtual time, and the one place that says what goes on next. Everything that the runner awaits (broker, clock, decisions) comes
 * back through a task; between two tasks nothing is left to run but what is due.
 */
export class Scheduler {
  readonly #random: Random
  /** A binary heap, the next task first. */
  readonly #tasks: Task[] = []
  #now = 1_700_000_000_000

  constructor(random: Random) {
    this.#random = random
  }

  /** Whole milliseconds, as clocks have it. */
  now(): number {
    return Math.floor(this.#now)
  }

  /** Tasks that are due at the same time run in an order that the seed says. */
  after(ms: number, run: () => void): void {
    const task = { due: this.#now + ms, order: this.#random.next(), run }
    let at = this.#tasks.push(task) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(task, this.#tasks[parent] as Task)) break
      this.#tasks[at] = this.#tasks[parent] as Task
      at = parent
    }
    this.#tasks[at] = task
  }

  /** Runs until `isOver`; false where the time is up first. */
  async runUntil(isOver: () => boolean, timeMs: number): Promise<boolean> {
    const end = this.#now + timeMs
    while (!isOver()) {
      if ((this.#tasks[0]?.due ?? Number.POSITIVE_INFINITY) > end) return false
      const task = this.#take() as Task
      this.#now = task.due
      task.run()
      // Runs when no promise is left to go on: the end of all that the task set going.
      await new Promise<void>((resolve) => process.nextTick(resolve))
    }
    return true
  }

  #take(): Task | undefined {
    const tasks = this.#tasks
    const first = tasks[0]
    const last = tasks.pop()
    if (!first || !last || tasks.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= tasks.length) break
      if (child + 1 < tasks.length && isBefore(tasks[child + 1] as Task, tasks[child] as Task)) child += 1
      if (!isBefore(tasks[child] as Task, last)) break
      tasks[at] = tasks[child] as Task
      at = child
    }
    tasks[at] = last
    return first
  }
}

const isBefore = (one: Task, other: Task) => one.due < other.due || (one.due === other.due && one.order < other.order)
