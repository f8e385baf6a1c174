import { setTimeout as wait } from 'node:timers/promises'
import type { Codec, Consent, IssuedToken, JobId, RevocationEntry, StandingGrant, TaskTokenClaims } from '@interlock/contracts'
import { murmur2Partitioner } from '@interlock/sdk'
import type { AgentTables } from '@interlock/trust'
import { consentId, type SigningKey, signControlEntry } from '@interlock/trust'
import type { Kafka, Producer } from 'kafkajs'
import { OAuthError } from './oauth-error.ts'
import type { TokenLog } from './parts.ts'

/** How long a revocation may take to come back from its table. */
const inForceMs = 5000

/** The topics `tokens` and `control.revocations` as the place where things are kept. */
export class KafkaTokenLog implements TokenLog {
  readonly #producer: Producer
  readonly #codec: Codec
  readonly #key: SigningKey
  readonly #tables: AgentTables
  readonly #now: () => number

  constructor(
    kafka: Kafka,
    parts: { readonly codec: Codec; readonly key: SigningKey; readonly tables: AgentTables; readonly now: () => number },
  ) {
    // Not idempotent: a token that is recorded twice was issued once.
    this.#producer = kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: murmur2Partitioner,
      retry: { retries: 3 },
    })
    this.#codec = parts.codec
    this.#key = parts.key
    this.#tables = parts.tables
    this.#now = parts.now
  }

  async connect(): Promise<void> {
    await this.#producer.connect()
  }

  async close(): Promise<void> {
    await this.#producer.disconnect()
  }

  async issued(claims: TaskTokenClaims, signingInput: string): Promise<void> {
    const record: IssuedToken = {
      tokenId: claims.jti,
      issuer: claims.iss,
      jobId: claims.job as JobId,
      human: claims.sub,
      agent: claims.act.sub,
      certificate: claims.cnf['x5t#S256'],
      parent: claims.parent ?? '',
      signingInput,
      issuedAt: claims.iat * 1000,
      expiresAt: claims.exp * 1000,
    }
    await this.#send('tokens', claims.job, this.#codec.encode('tokens', record))
  }

  async stands(grant: StandingGrant, consent: Consent, signingInput: string): Promise<void> {
    const record: IssuedToken = {
      tokenId: consentId(consent),
      issuer: this.#key.spiffeId,
      jobId: grant.jobPrefix as JobId,
      human: grant.human,
      agent: grant.orchestrator,
      certificate: '',
      parent: '',
      signingInput,
      issuedAt: grant.from,
      expiresAt: grant.until,
    }
    await this.#send('tokens', grant.jobPrefix, this.#codec.encode('tokens', record))
  }

  /** Resolves when the entry is read back: it is then in force here, and on its way everywhere else. */
  async revoked(value: RevocationEntry): Promise<void> {
    const id = `${value.kind}:${value.subject}`
    const now = this.#now()
    const statement = { table: 'control.revocations' as const, id, revision: now, updatedAt: now, value }
    const entry = await signControlEntry(statement, this.#key)
    await this.#send('control.revocations', id, this.#codec.encode('control.revocations', entry))
    const end = Date.now() + inForceMs
    while (!this.#tables.revocations.has(id)) {
      if (Date.now() > end) throw new OAuthError('temporarily_unavailable', 'the revocation did not come back from its table')
      await wait(10)
    }
  }

  async #send(topic: string, key: string, value: Buffer): Promise<void> {
    try {
      await this.#producer.send({ topic, acks: -1, messages: [{ key, value }] })
    } catch (error) {
      throw new OAuthError('temporarily_unavailable', error instanceof Error ? error.message : String(error))
    }
  }
}
