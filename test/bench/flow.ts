import { randomUUID } from 'node:crypto'
import type kafkajs from 'kafkajs'
import type { PartitionerArgs } from 'kafkajs'

/** A record to be sent, and when it has come through: its key at the end of the flow is its own. */
export type Sample = { readonly id: string; readonly key: string; readonly partition: number; readonly value: Buffer }

/**
 * A flow as the bench sees it: where samples go in, where they come out, and how to tell which one came. Pipeline and raw hops
 * are driven by the same code, so that the client's own cost is in both.
 */
export class Flow {
  readonly #arrived = new Map<string, number>()
  readonly #producer: kafkajs.Producer
  readonly #consumer: kafkajs.Consumer
  readonly #input: string
  #wake: () => void = () => {}

  private constructor(producer: kafkajs.Producer, consumer: kafkajs.Consumer, input: string) {
    this.#producer = producer
    this.#consumer = consumer
    this.#input = input
  }

  static async open(
    kafka: kafkajs.Kafka,
    {
      input,
      output,
      idOf,
    }: { readonly input: string; readonly output: string; readonly idOf: (value: Buffer) => string | undefined },
  ): Promise<Flow> {
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, createPartitioner: asNamed })
    const consumer = kafka.consumer({ groupId: `bench-${randomUUID()}`, maxWaitTimeInMs: 50, minBytes: 1 })
    const flow = new Flow(producer, consumer, input)
    await Promise.all([producer.connect(), consumer.connect()])
    await consumer.subscribe({ topic: output, fromBeginning: false })
    const joined = new Promise<void>((resolve) => consumer.on(consumer.events.FETCH, () => resolve()))
    await consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: 6,
      eachBatch: async ({ batch }) => {
        const now = performance.now()
        for (const { value } of batch.messages) {
          const id = value && idOf(value)
          if (id && !flow.#arrived.has(id)) flow.#arrived.set(id, now)
        }
        flow.#wake()
      },
    })
    await joined
    return flow
  }

  /** Sends at a steady rate; the time of each from when it was due to when it came out, milliseconds. */
  async latencies(samples: readonly Sample[], perSecond: number): Promise<number[]> {
    const begun = performance.now()
    const due = new Map<string, number>()
    for (const [index, sample] of samples.entries()) {
      const at = begun + (index * 1000) / perSecond
      const early = at - performance.now()
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, early))
      // From the moment it was due: a sender that is held up must not make the flow look fast.
      due.set(sample.id, at)
      void this.#send([sample])
    }
    await this.#all(samples)
    return samples.map(({ id }) => (this.#arrived.get(id) as number) - (due.get(id) as number))
  }

  /** Sends all at once; how many a second came through. */
  async throughput(samples: readonly Sample[]): Promise<number> {
    const begun = performance.now()
    for (let from = 0; from < samples.length; from += 250) await this.#send(samples.slice(from, from + 250))
    await this.#all(samples)
    return (samples.length * 1000) / (performance.now() - begun)
  }

  async close(): Promise<void> {
    await Promise.all([this.#producer.disconnect(), this.#consumer.disconnect()])
  }

  async #send(samples: readonly Sample[]): Promise<void> {
    const messages = samples.map(({ key, value, partition }) => ({ key, value, partition }))
    await this.#producer.send({ topic: this.#input, acks: -1, messages })
  }

  async #all(samples: readonly Sample[]): Promise<void> {
    const end = performance.now() + 120_000
    while (samples.some(({ id }) => !this.#arrived.has(id))) {
      if (performance.now() > end) {
        const missing = samples.filter(({ id }) => !this.#arrived.has(id)).length
        throw new Error(`${missing} of ${samples.length} samples sent to ${this.#input} did not come through in two minutes`)
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
}

/** kafkajs asks the partitioner even where the record names its partition. */
const asNamed =
  () =>
  ({ message }: PartitionerArgs) =>
    message.partition ?? 0
