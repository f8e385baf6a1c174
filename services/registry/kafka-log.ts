import type { AgentEntry, Appraisal, Codec, ControlTable, DeviceEntry } from '@interlock/contracts'
import { murmur2Partitioner } from '@interlock/sdk'
import { type SigningKey, signControlEntry } from '@interlock/trust'
import type { Kafka, Producer } from 'kafkajs'
import { RegistryError, type RegistryLog } from './parts.ts'

/** The topics `appraisals`, `control.agents` and `control.devices` as the place where things are kept. */
export class KafkaRegistryLog implements RegistryLog {
  readonly #producer: Producer
  readonly #codec: Codec
  readonly #key: SigningKey
  readonly #now: () => number

  constructor(kafka: Kafka, parts: { readonly codec: Codec; readonly key: SigningKey; readonly now: () => number }) {
    // Not idempotent: an entry that is written twice says the same.
    this.#producer = kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: murmur2Partitioner,
      retry: { retries: 3 },
    })
    this.#codec = parts.codec
    this.#key = parts.key
    this.#now = parts.now
  }

  connect(): Promise<void> {
    return this.#producer.connect()
  }

  close(): Promise<void> {
    return this.#producer.disconnect()
  }

  appraised(appraisal: Appraisal): Promise<void> {
    return this.#send('appraisals', appraisal.subject, this.#codec.encode('appraisals', appraisal))
  }

  agent(id: string, entry: AgentEntry): Promise<void> {
    return this.#enter('control.agents', id, entry)
  }

  device(entry: DeviceEntry): Promise<void> {
    return this.#enter('control.devices', entry.device, entry)
  }

  async #enter(table: ControlTable, id: string, value: AgentEntry | DeviceEntry): Promise<void> {
    const now = this.#now()
    const entry = await signControlEntry({ table, id, revision: now, updatedAt: now, value }, this.#key)
    await this.#send(table, id, this.#codec.encode(table, entry))
  }

  async #send(topic: string, key: string, value: Buffer): Promise<void> {
    try {
      await this.#producer.send({ topic, acks: -1, messages: [{ key, value }] })
    } catch (error) {
      throw new RegistryError('not-recorded', error instanceof Error ? error.message : String(error), 503)
    }
  }
}
