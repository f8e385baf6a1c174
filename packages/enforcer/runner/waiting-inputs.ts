import type { LogRecord } from '../kafka-port.ts'

type Wait = {
  readonly records: LogRecord[]
  /** The newest record that was in hand when the ends were asked for. */
  upTo: number
  /** Where the other logs ended then; undefined while the broker has not said. */
  ends: ReadonlyMap<string, number> | undefined
}

/**
 * Inputs that came before what they rest on: an ack before its order, an approval before its question. Their sender had seen it,
 * so it lies in a log already, and is found by reading all logs to the ends that they have now. No clock is asked, and who sends
 * an input that rests on nothing gains one question to the broker.
 */
export class WaitingInputs {
  readonly #askEnds: () => Promise<ReadonlyMap<string, number>>
  readonly #wake: () => void
  readonly #fail: (error: unknown) => void
  readonly #waits = new Map<string, Wait>()

  constructor(askEnds: () => Promise<ReadonlyMap<string, number>>, wake: () => void, fail: (error: unknown) => void) {
    this.#askEnds = askEnds
    this.#wake = wake
    this.#fail = fail
  }

  /** What waits of a topic, to be tried again before all that came later. */
  records(topic: string): readonly LogRecord[] {
    return this.#waits.get(topic)?.records ?? []
  }

  /** Whether everything is read that the sender of an input can have seen. */
  isAllRead({ topic, offset }: LogRecord, next: ReadonlyMap<string, number>): boolean {
    const wait = this.#waits.get(topic)
    if (!wait?.ends || offset > wait.upTo) return false
    return [...wait.ends].every(([each, end]) => each === topic || (next.get(each) ?? 0) >= end)
  }

  /** Leaves waiting what could not be answered, the first of which lacks something. */
  put(topic: string, records: LogRecord[]): void {
    if (records.length === 0) {
      this.#waits.delete(topic)
      return
    }
    const before = this.#waits.get(topic)
    if (before && (records[0] as LogRecord).offset <= before.upTo) {
      this.#waits.set(topic, { ...before, records })
      return
    }
    this.#waits.set(topic, { records, upTo: (records.at(-1) as LogRecord).offset, ends: undefined })
    this.#ask(topic, (records.at(-1) as LogRecord).offset)
  }

  #ask(topic: string, upTo: number): void {
    this.#askEnds().then((ends) => {
      const wait = this.#waits.get(topic)
      if (wait?.upTo === upTo) wait.ends = ends
      this.#wake()
    }, this.#fail)
  }
}
