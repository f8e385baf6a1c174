import type { Ack, Codec, Decision, IntentId, Order, Outcome, Receipt } from '@interlock/contracts'
import { stageNames } from '@interlock/contracts'
import { type Following, followTopics } from '@interlock/sdk'
import type kafkajs from 'kafkajs'

/** One thing that was seen to happen to an intent, in the order seen. */
export type Step =
  | { readonly kind: 'decision'; readonly atMs: number; readonly record: Decision }
  | { readonly kind: 'order'; readonly atMs: number; readonly record: Order }
  | { readonly kind: 'ack'; readonly atMs: number; readonly record: Ack }
  | { readonly kind: 'receipt'; readonly atMs: number; readonly record: Receipt }
  | { readonly kind: 'outcome'; readonly atMs: number; readonly record: Outcome }

const kindOf = (topic: string): Step['kind'] =>
  topic.startsWith('decisions.')
    ? 'decision'
    : ({ dispatch: 'order', acks: 'ack', receipts: 'receipt', outcomes: 'outcome' } as const)[topic as 'acks']

/** When it was decided, where the record says so; a stage's own clock tells more than when its record was read here. */
const timeOf = (record: object) => ('decidedAt' in record && typeof record.decidedAt === 'number' ? record.decidedAt : Date.now())

const topics = [...stageNames.map((stage) => `decisions.${stage}`), 'dispatch', 'acks', 'receipts', 'outcomes']

/** Follows every topic of the flow from now on, and keeps what it saw by intent. */
export class Watch {
  readonly #steps = new Map<IntentId, Step[]>()
  readonly #waiting = new Set<() => void>()
  readonly #codec: Codec
  #following: Following | undefined

  private constructor(codec: Codec) {
    this.#codec = codec
  }

  static async start(kafka: kafkajs.Kafka, codec: Codec): Promise<Watch> {
    const watch = new Watch(codec)
    watch.#following = await followTopics(kafka, { topics, from: 'end', take: ({ topic, value }) => watch.#take(topic, value) })
    return watch
  }

  #take(topic: string, value: Buffer | null): void {
    if (!value) return
    const decoded = this.#codec.decode(topic, value)
    if (!decoded.ok) return
    const step = { kind: kindOf(topic), atMs: timeOf(decoded.value), record: decoded.value } as Step
    const steps = this.#steps.get(step.record.intentId)
    if (steps) steps.push(step)
    else this.#steps.set(step.record.intentId, [step])
    for (const wake of this.#waiting) wake()
  }

  steps(intentId: IntentId): readonly Step[] {
    return this.#steps.get(intentId) ?? []
  }

  /** Resolves with the intent's steps once `enough` holds of them, or with what there is after `timeoutMs`. */
  async until(intentId: IntentId, enough: (steps: readonly Step[]) => boolean, timeoutMs: number): Promise<readonly Step[]> {
    const end = Date.now() + timeoutMs
    while (!enough(this.steps(intentId)) && Date.now() < end) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer)
          this.#waiting.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, Math.max(1, end - Date.now()))
        this.#waiting.add(wake)
      })
    }
    return this.steps(intentId)
  }

  async stop(): Promise<void> {
    await this.#following?.stop()
  }
}
