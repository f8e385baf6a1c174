import type { Topology } from '@interlock/contracts'
import type { Admin, Kafka as Client } from 'kafkajs'
import type { Committed, JoinRequest, Kafka, Membership, OffsetRange, Writer } from '../kafka-port.ts'
import { infrastructure, KafkajsMembership } from './membership.ts'
import { KafkajsWriter } from './writer.ts'

/** The port on kafkajs. */
export class KafkajsKafka implements Kafka {
  readonly #client: Client
  readonly #topology: Topology
  #admin: Promise<Admin> | undefined

  constructor(client: Client, topology: Topology) {
    this.#client = client
    this.#topology = topology
  }

  async join(request: JoinRequest): Promise<Membership> {
    const membership = new KafkajsMembership(this.#client, request)
    await membership.join()
    return membership
  }

  async openWriter(): Promise<Writer> {
    const writer = new KafkajsWriter(this.#client, (topic) => this.#topology.topics.get(topic)?.maxMessageBytes ?? 0)
    await writer.connect()
    return writer
  }

  async ranges(topic: string): Promise<ReadonlyMap<number, OffsetRange>> {
    const offsets = await this.#ask((admin) => admin.fetchTopicOffsets(topic))
    return new Map(offsets.map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }]))
  }

  async offsetsAt(topic: string, timeMs: number): Promise<ReadonlyMap<number, number>> {
    const offsets = await this.#ask((admin) => admin.fetchTopicOffsetsByTimestamp(topic, timeMs))
    return new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]))
  }

  async committed(group: string, topics: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<number, Committed>>> {
    const fetched = await this.#ask((admin) => admin.fetchOffsets({ groupId: group, topics: [...topics] }))
    return new Map(
      fetched.map(({ topic, partitions }) => {
        const known = partitions.filter(({ offset }) => Number(offset) >= 0)
        return [
          topic,
          new Map(
            known.map(({ partition, offset, metadata }) => [partition, { offset: Number(offset), metadata: metadata ?? '' }]),
          ),
        ]
      }),
    )
  }

  async close(): Promise<void> {
    await (await this.#admin)?.disconnect()
  }

  async #ask<Answer>(question: (admin: Admin) => Promise<Answer>): Promise<Answer> {
    try {
      this.#admin ??= this.#connect()
      return await question(await this.#admin)
    } catch (error) {
      const broken = this.#admin
      this.#admin = undefined
      void broken?.then((admin) => admin.disconnect()).catch(() => {})
      throw infrastructure(error)
    }
  }

  async #connect(): Promise<Admin> {
    const admin = this.#client.admin({ retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 3 } })
    await admin.connect()
    return admin
  }
}
