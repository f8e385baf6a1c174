import type { ControlTable, ControlValue, EventPosition, RecordName, Records } from '@interlock/contracts'

/** A record as a processor sees it: decoded, with the bytes as they came and where they lay. */
export type Incoming<Name extends RecordName = RecordName> = {
  /** For an own write the place it will have; offset -1 where the output is partitioned otherwise than the inputs. */
  readonly position: EventPosition
  /** UTF-8 text of the record's key. */
  readonly key: string
  readonly record: Records[Name]
  /** The value exactly as it lay in the topic, Confluent frame included. Empty for an own write, which is folded before it is sealed. */
  readonly bytes: Buffer
}

/** A record to be written. Its `eventId` is the answer's identity; the runner sends all writes of one reaction together. */
export type Write<Name extends RecordName = RecordName> = {
  readonly topic: string
  readonly key: string
  readonly record: Records[Name]
}

/** A moment that is an input: what expired, by the position of the record that expired. */
export type Due = { readonly position: EventPosition; readonly intentId: string }

/** The control tables, each entry verified and the newest revision; `undefined` for what was never written. */
export type Tables = {
  readonly [T in ControlTable]: ReadonlyMap<string, ControlValue<T>>
}

export type ReactionContext = {
  /** Milliseconds since 1970. */
  readonly now: number
  readonly tables: Tables
  /** 32 fresh random bytes. */
  readonly random: () => Buffer
  /** Number of partitions of the input topic. */
  readonly partitions: number
}

/**
 * What a service does with its topics; the runner owns the rest. One memory a partition: all `inputs`, `outputs` and
 * `memories` are co-partitioned, and their partition p is always with the same instance.
 */
export interface Processor<Memory> {
  /** Name of the service, and first part of every event id. */
  readonly name: string
  /** Which half of the service, where one process runs several. The consumer group is `<name>` or `<name>.<half>`. */
  readonly half?: string
  /** Topics whose records are answered, each exactly once. */
  readonly inputs: readonly string[]
  /** Topics it writes. Those co-partitioned with the inputs are read back. */
  readonly outputs: readonly string[]
  /** Further co-partitioned topics that are remembered but not answered. */
  readonly memories: readonly string[]
  /** Topics it remembers that are partitioned otherwise: every instance reads all of them. */
  readonly broadcasts: readonly string[]
  readonly tables: readonly ControlTable[]
  /** How far back memory reaches, milliseconds. */
  readonly horizonMs: number
  remember(): Memory
  /**
   * Folds a record of any of its topics into memory: its own outputs, memories, broadcasts, and inputs (on a restart also those answered
   * before). Order holds within one topic's partition only. An own write is folded right after `react` returned it, before it is sealed:
   * what memory keeps must not depend on `bytes` or signatures. Returns false where nobody counts the record (forged, a repeat): an input
   * is then not answered, an own output answers nothing. Repeats of an event id within a topic the runner drops itself.
   */
  observe(memory: Memory, incoming: Incoming): boolean
  /** The identity by which repeats of a record are known; without it the record's `eventId`. Undefined: never a repeat. */
  eventOf?(incoming: Incoming): string | undefined
  /**
   * Whether an input speaks of what memory does not know (the order of an ack, the question of an approval). It then waits, with what lies
   * behind it in its topic, until all is read that its sender can have seen; if it lacks it still, it is answered so.
   */
  lacks?(memory: Memory, input: Incoming): boolean
  /** Answers an input. An empty list passes it over (a DENY of the stage before ends there). */
  react(memory: Memory, input: Incoming, context: ReactionContext): Promise<readonly Write[]>
  /**
   * What the answer to an input may still lack: called after a restart for inputs that are answered but whose offset was not committed.
   * Only writes to outputs partitioned otherwise (an Order to `dispatch`); readers drop what they already have.
   */
  repeat?(memory: Memory, input: Incoming, context: ReactionContext): Promise<readonly Write[]>
  /** What has become due by `now`, in order; each is answered by `expire`, once. */
  due?(memory: Memory, now: number): readonly Due[]
  expire?(memory: Memory, due: Due, context: ReactionContext): Promise<readonly Write[]>
  /** Forgets what is older than the horizon. */
  forget(memory: Memory, now: number): void
  /** Signs what the reactions of one batch left unsigned (one Merkle tree a batch). Without it, writes go as they are. */
  seal?(writes: readonly Write[]): Promise<readonly Write[]>
}
