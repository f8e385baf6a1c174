import type {
  AgentEntry,
  Alert,
  Appraisal,
  Codec,
  ControlTable,
  DeviceEntry,
  FederationEntry,
  RevocationEntry,
} from '@interlock/contracts'
import { murmur2Partitioner } from '@interlock/sdk'
import { type SigningKey, signControlEntry } from '@interlock/trust'
import type { Kafka, Producer } from 'kafkajs'
import { RegistryError, type RegistryLog } from './parts.ts'

/** The topics `appraisals`, `alerts` and the control tables as the place where things are kept. */
export class KafkaRegistryLog implements RegistryLog {
  readonly #producer: Producer
  readonly #codec: Codec
  readonly #key: SigningKey
  readonly #now: () => number
  #revision = 0

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

  revoked(entry: RevocationEntry): Promise<void> {
    return this.#enter('control.revocations', `${entry.kind}:${entry.subject}`, entry)
  }

  alert(alert: Alert): Promise<void> {
    return this.#send('alerts', alert.jobId || alert.subject, this.#codec.encode('alerts', alert))
  }

  federation(entry: FederationEntry): Promise<void> {
    return this.#enter('control.federation', entry.trustDomain, entry)
  }

  async #enter(
    table: ControlTable,
    id: string,
    value: AgentEntry | DeviceEntry | RevocationEntry | FederationEntry,
  ): Promise<void> {
    const now = this.#now()
    // Of two entries in one millisecond the second must be the newer one.
    this.#revision = Math.max(this.#revision + 1, now)
    const entry = await signControlEntry({ table, id, revision: this.#revision, updatedAt: now, value }, this.#key)
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
