/**
 * Event ids seen in each topic. The first record of an event counts, whoever wrote it; an instance that had lost its partition
 * may have appended a second.
 */
export class Repeats {
  readonly #topics = new Map<string, Map<string, number>>()

  has(topic: string, event: string): boolean {
    return this.#topics.get(topic)?.has(event) ?? false
  }

  add(topic: string, event: string, seenAt: number): void {
    const events = this.#topics.get(topic) ?? new Map<string, number>()
    this.#topics.set(topic, events.set(event, seenAt))
  }

  /** Lets go of what was seen before a time; entries lie in the order in which they were seen. */
  forget(before: number): void {
    for (const events of this.#topics.values()) {
      for (const [event, seenAt] of events) {
        if (seenAt >= before) break
        events.delete(event)
      }
    }
  }
}
