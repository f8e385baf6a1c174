import { randomUUID } from 'node:crypto'
import type { Codec, Intent, IntentId, Outcome } from '@interlock/contracts'
import { isInPlace, readExpectedOffset } from '@interlock/contracts/expected-offset'
import type { Consumer, Kafka, Producer } from 'kafkajs'
import { murmur2Partitioner } from './partition.ts'

/** No outcome came in time. The intent may still get one: nothing was cancelled. */
export class OutcomeTimeout extends Error {
  readonly code = 'outcome-timeout'
  readonly retriable = true
}

export type Submitted = { readonly partition: number; readonly offset: string }

/** Hands intents in and tells what became of them. */
export class OrchestratorClient {
  readonly #codec: Codec
  readonly #producer: Producer
  readonly #consumer: Consumer
  readonly #outcomes = new Map<string, Outcome>()
  readonly #waiting = new Map<string, Set<(outcome: Outcome) => void>>()

  private constructor(kafka: Kafka, codec: Codec) {
    this.#codec = codec
    this.#producer = kafka.producer({ idempotent: true, createPartitioner: murmur2Partitioner, allowAutoTopicCreation: false })
    this.#consumer = kafka.consumer({ groupId: `orchestrator-${randomUUID()}`, maxWaitTimeInMs: 20, minBytes: 1 })
  }

  /** Resolves when outcomes are being read, so that none of a later submit is missed. */
  static async connect({ kafka, codec }: { kafka: Kafka; codec: Codec }): Promise<OrchestratorClient> {
    const client = new OrchestratorClient(kafka, codec)
    await client.#producer.connect()
    await client.#consumer.connect()
    await client.#consumer.subscribe({ topic: 'outcomes', fromBeginning: false })
    const ends = await endOffsets(kafka)
    await client.#consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        // An outcome that lies elsewhere than its writer expected counts nowhere.
        if (isInPlace(Number(message.offset), readExpectedOffset(message.headers))) client.#take(message.value)
      },
    })
    // kafkajs asks for "the end" when it first fetches, which may be after an outcome that must be seen: say where to begin.
    for (const { partition, high } of ends) client.#consumer.seek({ topic: 'outcomes', partition, offset: high })
    return client
  }

  /** Resolves when the broker has the intent durably (acks of all in-sync replicas). */
  async submit(intent: Intent): Promise<Submitted> {
    const value = this.#codec.encode('intents', intent)
    const [written] = await this.#producer.send({ topic: 'intents', acks: -1, messages: [{ key: intent.jobId, value }] })
    return { partition: written?.partition ?? -1, offset: written?.baseOffset ?? '' }
  }

  /** The outcome if one was seen since this client connected. */
  outcome(intentId: IntentId): Outcome | undefined {
    return this.#outcomes.get(intentId)
  }

  /** @throws OutcomeTimeout */
  async waitForOutcome(intentId: IntentId, timeoutMs: number): Promise<Outcome> {
    const seen = this.#outcomes.get(intentId)
    if (seen) return seen
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
    const waiting = this.#waiting.get(intentId) ?? new Set()
    this.#waiting.set(intentId, waiting.add(resolve))
    const timer = setTimeout(() => reject(new OutcomeTimeout(`no outcome of ${intentId} within ${timeoutMs} ms`)), timeoutMs)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      waiting.delete(resolve)
      if (waiting.size === 0) this.#waiting.delete(intentId)
    }
  }

  async close(): Promise<void> {
    await this.#consumer.disconnect()
    await this.#producer.disconnect()
  }

  #take(value: Buffer | null): void {
    if (!value) return
    const decoded = this.#codec.decode('outcomes', value, 'Outcome')
    // A repeat has the same event id, and anybody may write what does not decode: the first readable outcome counts.
    if (!decoded.ok || this.#outcomes.has(decoded.value.intentId)) return
    this.#outcomes.set(decoded.value.intentId, decoded.value)
    if (this.#outcomes.size > OUTCOMES_KEPT_MAX) this.#outcomes.delete(this.#outcomes.keys().next().value as string)
    for (const resolve of this.#waiting.get(decoded.value.intentId) ?? []) resolve(decoded.value)
  }
}

const OUTCOMES_KEPT_MAX = 10_000

async function endOffsets(kafka: Kafka): Promise<{ partition: number; high: string }[]> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await admin.fetchTopicOffsets('outcomes')
  } finally {
    await admin.disconnect()
  }
}
