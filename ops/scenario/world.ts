import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  boundsPolicyOf,
  createJob,
  type Layout,
  loadIssuingAuthority,
  publishControlEntries,
  pushPolicy,
  readPasskeys,
  signingKeyOf,
} from '@interlock/cli'
import {
  type Codec,
  type ControlStatement,
  type ControlTable,
  type DeviceGrant,
  type DeviceId,
  type Intent,
  type JobId,
  partitionOf,
  type RecordName,
  type Records,
} from '@interlock/contracts'
import type { PolicyBundle } from '@interlock/policy'
import { createIntent, type IntentRequest, quantity } from '@interlock/sdk'
import type { SoftwarePasskey } from '@interlock/sdk/software-passkey'
import type { JobTokens } from '@interlock/sdk/trust-domain'
import { openTrustBundle, type SigningKey, signControlEntry, type TrustAnchors } from '@interlock/trust'
import type { Issuer } from '@interlock/trust/issue'
import type kafkajs from 'kafkajs'
import { obtainTokens } from './obtain-tokens.ts'
import type { Program } from './program.ts'
import { Watch } from './watch.ts'

export type WorldRequest = {
  readonly kafka: kafkajs.Kafka
  readonly codec: Codec
  /** The trust domain that `interlock dev init` made. */
  readonly layout: Layout
  readonly program: Program
}

/** Everybody who plays: the agents' keys, a job of alice, the humans' passkeys, and, for attacks, a pen that writes anything anywhere. */
export class World {
  readonly watch: Watch
  readonly codec: Codec
  readonly anchors: TrustAnchors
  readonly job: JobTokens
  readonly issuer: Issuer
  readonly passkeys: ReadonlyMap<string, SoftwarePasskey>
  readonly program: Program
  readonly #request: WorldRequest
  readonly #producer: kafkajs.Producer

  private constructor(parts: {
    request: WorldRequest
    producer: kafkajs.Producer
    watch: Watch
    anchors: TrustAnchors
    job: JobTokens
    issuer: Issuer
  }) {
    const { request } = parts
    this.watch = parts.watch
    this.codec = request.codec
    this.program = request.program
    this.anchors = parts.anchors
    this.job = parts.job
    this.issuer = parts.issuer
    this.passkeys = readPasskeys(request.layout)
    this.#request = request
    this.#producer = parts.producer
  }

  static async enter(request: WorldRequest): Promise<World> {
    const { kafka, codec, layout } = request
    const producer = kafka.producer({ idempotent: true, allowAutoTopicCreation: false, createPartitioner: asNamed })
    await producer.connect()
    return new World({
      request,
      producer,
      watch: await Watch.start(kafka, codec),
      anchors: openTrustBundle(JSON.parse(readFileSync(layout.trustBundle, 'utf8'))),
      job: await createJob(layout, Date.now()),
      issuer: loadIssuingAuthority(layout),
    })
  }

  key(name: string): SigningKey {
    return signingKeyOf(this.#request.layout, name)
  }

  /** What the laser's operator asks for: 60 W at 20 mm/s unless said otherwise. */
  laserCut(change: Partial<IntentRequest> = {}): Promise<Intent> {
    return this.intent({ parameters: { power: quantity(60, 'W'), speed: quantity(20, 'mm/s') }, ...change })
  }

  intent(request: Partial<IntentRequest> & Pick<IntentRequest, 'parameters'>): Promise<Intent> {
    return createIntent({
      job: this.job.jobId,
      device: 'laser-1',
      capability: 'laser.cut',
      tokens: this.tokens('agent-laser-operator-z1'),
      key: this.key('agent-laser-operator-z1'),
      audience: this.anchors.audience,
      intentId: randomUUID(),
      ...request,
    })
  }

  /** Signs an entry of a control table and publishes it. */
  async enact(table: ControlTable, id: string, value: ControlStatement['value'], signer: string): Promise<void> {
    const { kafka, codec } = this.#request
    const now = Date.now()
    const entry = await signControlEntry({ table, id, revision: now, updatedAt: now, value }, this.key(signer))
    await publishControlEntries({ kafka, codec }, [{ table, entry }])
  }

  /** Puts a policy into force, as `interlock policy push` does. */
  async pushPolicy(policy: PolicyBundle): Promise<void> {
    await pushPolicy(this.#request.layout, (sequence) => boundsPolicyOf(policy, sequence), Date.now())
  }

  /** A job of a human's for the laser's operator, from the token service. */
  tokensFor(passkey: SoftwarePasskey, job: string, grants?: readonly DeviceGrant[]): Promise<readonly string[]> {
    const key = this.key('agent-laser-operator-z1')
    return obtainTokens({ layout: this.#request.layout, passkey, key, job, ...(grants && { grants }) })
  }

  tokens(agent: string): readonly string[] {
    return this.job.tokens[agent] ?? []
  }

  /** Hands an intent in, as an honest orchestrator does. */
  submit(intent: Intent): Promise<void> {
    return this.write('intents', intent.jobId, intent)
  }

  /** Writes a record, to the partition of its key unless another one is named. */
  async write<Topic extends string>(
    topic: Topic,
    key: JobId | DeviceId,
    record: Records[RecordName],
    partition?: number,
  ): Promise<void> {
    const value = this.codec.encode(topic, record)
    await this.#producer.send({ topic, acks: -1, messages: [{ key, value, partition: partition ?? this.partitionOf(key) }] })
  }

  partitionOf(key: string): number {
    return partitionOf(key, partitions)
  }

  async leave(): Promise<void> {
    await this.watch.stop()
    await this.#producer.disconnect()
  }
}

/** topics.yaml: job- and device-keyed topics have the same number. */
export const partitions = 6

/** Every record names its partition, so that an attack can lie about it. kafkajs asks the partitioner even then. */
const asNamed =
  () =>
  ({ message }: kafkajs.PartitionerArgs) =>
    message.partition ?? 0
