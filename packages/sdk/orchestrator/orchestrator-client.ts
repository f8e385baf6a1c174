import type { Codec, Intent, IntentId, Outcome } from '@interlock/contracts'
import type { Kafka, Producer } from 'kafkajs'
import { type Following, followTopics } from '../follow-topics.ts'
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
  #following: Following | undefined
  /** Job of each intent handed in here: an intentId is unique within its job only. */
  readonly #jobs = new Map<string, string>()
  readonly #outcomes = new Map<string, Outcome>()
  readonly #waiting = new Map<string, Set<(outcome: Outcome) => void>>()

  private constructor(kafka: Kafka, codec: Codec) {
    this.#codec = codec
    this.#producer = kafka.producer({ idempotent: true, createPartitioner: murmur2Partitioner, allowAutoTopicCreation: false })
  }

  /** Resolves when outcomes are being read, so that none of a later submit is missed. */
  static async connect({ kafka, codec }: { kafka: Kafka; codec: Codec }): Promise<OrchestratorClient> {
    const client = new OrchestratorClient(kafka, codec)
    await client.#producer.connect()
    client.#following = await followTopics(kafka, { topics: ['outcomes'], from: 'end', take: ({ value }) => client.#take(value) })
    return client
  }

  /** Resolves when the broker has the intent durably (acks of all in-sync replicas). */
  async submit(intent: Intent): Promise<Submitted> {
    this.#jobs.set(intent.intentId, intent.jobId)
    if (this.#jobs.size > OUTCOMES_KEPT_MAX) this.#jobs.delete(this.#jobs.keys().next().value as string)
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
    await this.#following?.stop()
    await this.#producer.disconnect()
  }

  #take(value: Buffer | null): void {
    if (!value) return
    const decoded = this.#codec.decode('outcomes', value, 'Outcome')
    // A repeat has the same event id, and anybody may write what does not decode: the first readable outcome counts.
    if (!decoded.ok || this.#outcomes.has(decoded.value.intentId)) return
    const { intentId, jobId } = decoded.value
    if ((this.#jobs.get(intentId) ?? jobId) !== jobId) return
    this.#outcomes.set(intentId, decoded.value)
    if (this.#outcomes.size > OUTCOMES_KEPT_MAX) this.#outcomes.delete(this.#outcomes.keys().next().value as string)
    for (const resolve of this.#waiting.get(intentId) ?? []) resolve(decoded.value)
  }
}

const OUTCOMES_KEPT_MAX = 10_000
