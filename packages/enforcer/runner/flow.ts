/** How much may wait for the loop before a topic is paused: bounded memory, whatever arrives (ATTACKS 159). */
const recordsMax = 1000
const bytesMax = 4_194_304

/** Holds back topics of which too much waits, and lets them flow again when it has been worked off. */
export class Flow {
  readonly #pause: (topic: string) => void
  readonly #resume: (topic: string) => void
  readonly #waiting = new Map<string, { records: number; bytes: number; isPaused: boolean }>()

  constructor(pause: (topic: string) => void, resume: (topic: string) => void) {
    this.#pause = pause
    this.#resume = resume
  }

  arrived(topic: string, records: number, bytes: number): void {
    const waiting = this.#waiting.get(topic) ?? { records: 0, bytes: 0, isPaused: false }
    this.#waiting.set(topic, waiting)
    waiting.records += records
    waiting.bytes += bytes
    if (waiting.isPaused || (waiting.records <= recordsMax && waiting.bytes <= bytesMax)) return
    waiting.isPaused = true
    this.#pause(topic)
  }

  done(topic: string, records: number, bytes: number): void {
    const waiting = this.#waiting.get(topic)
    if (!waiting) return
    waiting.records -= records
    waiting.bytes -= bytes
    if (!waiting.isPaused || waiting.records > recordsMax / 2 || waiting.bytes > bytesMax / 2) return
    waiting.isPaused = false
    this.#resume(topic)
  }
}
