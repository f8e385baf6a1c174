/**
 * All the runner wants of Kafka. Two things implement it: kafkajs (kafka/), and the simulation's broker in memory.
 * Offsets are numbers: a topic of 2^53 records is out of reach.
 */

/** A record as it lies in a topic. */
export type LogRecord = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** When the broker appended it, milliseconds since 1970. The topics have LogAppendTime, so a sender cannot choose it. */
  readonly appendedAt: number
  /** The offset that its writer expected it to have; undefined where the writer said nothing. */
  readonly expectedOffset: number | undefined
}

export type OutgoingRecord = {
  readonly topic: string
  readonly partition: number
  readonly key: Buffer | null
  readonly value: Buffer
  /** Said with the record, so that readers know whether it came to lie where it was decided for. */
  readonly expectedOffset?: number
}

export type OffsetRange = { readonly low: number; readonly high: number }
export type Committed = { readonly offset: number; readonly metadata: string }
export type Commit = Committed & { readonly topic: string; readonly partition: number }

export interface Kafka {
  /** Joins a group; equal partition numbers of all topics go to the same member. @throws InfrastructureError */
  join(request: JoinRequest): Promise<Membership>
  /** An idempotent producer with acks=all. @throws InfrastructureError */
  openWriter(): Promise<Writer>
  /** First offset and end of each partition. @throws InfrastructureError */
  ranges(topic: string): Promise<ReadonlyMap<number, OffsetRange>>
  /** The first offset appended at or after a time; the end where there is none. @throws InfrastructureError */
  offsetsAt(topic: string, timeMs: number): Promise<ReadonlyMap<number, number>>
  /** What a group has committed, by topic and partition; absent where it has not. @throws InfrastructureError */
  committed(group: string, topics: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<number, Committed>>>
}

export type JoinRequest = { readonly group: string; readonly topics: readonly string[]; readonly listener: GroupListener }

/** Called by the client in its own turn; none of these may wait. */
export interface GroupListener {
  /** What is ours from now on, in place of all before. Nothing flows until `start`. */
  assigned(membership: Membership, partitions: ReadonlyMap<string, readonly number[]>): void
  /** A rebalance has begun: begin nothing new. */
  revoked(): void
  /** Records in order, from where `start` said on; `next` is the offset after them. */
  records(topic: string, partition: number, records: readonly LogRecord[], next: number): void
}

export interface Membership {
  start(topic: string, partition: number, offset: number): void
  pause(topic: string, partition: number): void
  resume(topic: string, partition: number): void
  /** Stops the flow of all partitions until each is started again. */
  hold(): void
  /** @throws InfrastructureError, also where the group has gone on without this member. */
  commit(commits: readonly Commit[]): Promise<void>
  /** Resolves after `leave`; rejects with InfrastructureError when the membership broke. */
  readonly ended: Promise<void>
  leave(): Promise<void>
}

export interface Writer {
  /** Appends in order; the offset of each record. After an error the writer must be closed: what was written is not known. */
  send(records: readonly OutgoingRecord[]): Promise<readonly number[]>
  close(): Promise<void>
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  sleep(ms: number): Promise<void>
}

/** Broker or registry do not answer, or not as they should. The runner waits and tries again; it is never a decision. */
export class InfrastructureError extends Error {
  readonly code: string
  readonly retriable = true
  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
