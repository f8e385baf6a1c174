import { type EventPosition, parseEventId } from '@interlock/contracts'

/**
 * Inputs at or above the committed offset that already have an answer, by what own outputs say. An answer may precede its
 * input's commit: the process died in between, or another instance wrote it.
 */
export class Answered {
  readonly #name: string
  readonly #partition: number
  /** The first offset of each input that may still come by. */
  readonly #first: ReadonlyMap<string, number>
  readonly #places = new Set<string>()

  constructor(name: string, partition: number, first: ReadonlyMap<string, number>) {
    this.#name = name
    this.#partition = partition
    this.#first = first
  }

  add(eventId: string): void {
    const event = parseEventId(eventId)
    if (event?.consumer !== this.#name || event.partition !== this.#partition) return
    if (event.offset >= (this.#first.get(event.topic) ?? Number.POSITIVE_INFINITY)) this.#places.add(placeOf(event))
  }

  /** Whether the input is answered. Each input comes by once, so its entry is let go. */
  take(position: EventPosition): boolean {
    return this.#places.delete(placeOf(position))
  }
}

const placeOf = ({ topic, offset }: Pick<EventPosition, 'topic' | 'offset'>) => `${topic}:${offset}`
