import { readFileSync } from 'node:fs'
import { createJob, type Layout, signingKeyOf } from '@interlock/cli'
import { type Codec, createCodec, partitionOf, readTopology, stageNames } from '@interlock/contracts'
import { fetchSchemaIds } from '@interlock/contracts/registry'
import { createIntent, quantity } from '@interlock/sdk'
import type { JobTokens } from '@interlock/sdk/trust-domain'
import { openTrustBundle } from '@interlock/trust'
import kafkajs from 'kafkajs'
import type { Sample } from './flow.ts'

/** Jobs enough that every partition has some. */
const jobCount = 18
const partitions = 6

/** Signed intents ahead of time, so that making them is not measured. */
export class IntentSource {
  readonly kafka: kafkajs.Kafka
  readonly codec: Codec
  readonly #layout: Layout
  readonly #jobs: readonly JobTokens[]
  readonly #audience: string
  #next = 0

  private constructor(kafka: kafkajs.Kafka, codec: Codec, layout: Layout, jobs: readonly JobTokens[]) {
    this.kafka = kafka
    this.codec = codec
    this.#layout = layout
    this.#jobs = jobs
    this.#audience = openTrustBundle(JSON.parse(readFileSync(layout.trustBundle, 'utf8'))).audience
  }

  static async open(stack: { readonly kafka: string; readonly registry: string }, layout: Layout): Promise<IntentSource> {
    const topology = readTopology()
    const codec = createCodec({ topology, ids: await fetchSchemaIds(stack.registry, topology) })
    const kafka = new kafkajs.Kafka({ clientId: 'bench', brokers: [stack.kafka], logLevel: kafkajs.logLevel.NOTHING })
    const jobs: JobTokens[] = []
    for (let index = 0; index < jobCount; index += 1) jobs.push(await createJob(layout, Date.now(), `bench-${index}`))
    return new IntentSource(kafka, codec, layout, jobs)
  }

  async createTopics(topics: readonly string[]): Promise<void> {
    const admin = this.kafka.admin()
    await admin.connect()
    await admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions: partitions })), waitForLeaders: true })
    await admin.disconnect()
  }

  async intents(count: number): Promise<Sample[]> {
    const key = signingKeyOf(this.#layout, 'agent-laser-operator-z1')
    const samples: Sample[] = []
    for (let index = 0; index < count; index += 1) {
      const job = this.#jobs[this.#next++ % jobCount] as JobTokens
      const intent = await createIntent({
        job: job.jobId,
        device: 'laser-1',
        capability: 'laser.cut',
        parameters: { power: quantity(60, 'W'), speed: quantity(20, 'mm/s') },
        tokens: job.tokens['agent-laser-operator-z1'] ?? [],
        key,
        audience: this.#audience,
      })
      samples.push({
        id: intent.intentId,
        key: job.jobId,
        partition: partitionOf(job.jobId, partitions),
        value: this.codec.encode('intents', intent),
      })
    }
    return samples
  }

  readonly intentIdOf = (value: Buffer): string | undefined => {
    const order = this.codec.decode('dispatch', value, 'Order')
    return order.ok ? order.value.intentId : undefined
  }

  /** What an intent weighs on its way: mean size of the six records it becomes. */
  async meanRecordBytes({ key }: Sample): Promise<number> {
    const partition = partitionOf(key, partitions)
    const topics = ['intents', ...stageNames.map((stage) => `decisions.${stage}`)]
    const sizes = await Promise.all(topics.map((topic) => this.#lastBytes(topic, partition)))
    return Math.round(sizes.reduce((sum, size) => sum + size, 0) / sizes.length)
  }

  async #lastBytes(topic: string, partition: number): Promise<number> {
    const consumer = this.kafka.consumer({ groupId: `bench-size-${topic}`, maxWaitTimeInMs: 50 })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    const size = await new Promise<number>((resolve, reject) => {
      const eachMessage: kafkajs.EachMessageHandler = async (seen) => {
        if (seen.partition === partition) resolve(seen.message.value?.length ?? 0)
      }
      consumer.run({ autoCommit: false, eachMessage }).catch(reject)
    })
    await consumer.disconnect()
    return size
  }
}
