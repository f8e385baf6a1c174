import type { Topology } from '@interlock/contracts'
import { type Clock, type GroupListener, InfrastructureError, type Kafka, type Membership, type Writer } from '../kafka-port.ts'
import type { Processor, Tables } from '../processor.ts'
import { Assignment } from './assignment.ts'
import { backoffMs } from './backoff.ts'
import { type TopicRoles, topicRoles } from './co-partition.ts'
import { Commits } from './commits.ts'
import type { Observer } from './observer.ts'
import type { Outage } from './outage.ts'
import type { RecordCodec } from './read-record.ts'

export type RunnerParts<Memory> = {
  readonly processor: Processor<Memory>
  readonly topology: Topology
  readonly codec: RecordCodec
  readonly kafka: Kafka
  readonly clock: Clock
  readonly outage: Outage
  readonly observer: Observer
  readonly tables: Tables
  readonly tablesRead: Promise<void>
  readonly random: () => Buffer
  readonly uniqueName: () => string
}

const tickMs = 50
const commitMs = 100

/** Runs one processor: keeps it in its group, and makes a new assignment whenever the group or the logs say so. */
export class ProcessorRunner<Memory> {
  readonly #parts: RunnerParts<Memory>
  readonly #roles: TopicRoles
  readonly #group: string
  readonly #unwritable = new Map<string, string>()
  readonly #fault = Promise.withResolvers<never>()
  /** What must be left at the end; it has partitions only from `assigned` on. */
  #joined: Membership | undefined
  #membership: Membership | undefined
  #commits: Commits | undefined
  #assignment: Assignment<Memory> | undefined
  /** Undefined while the group says anew whose is what. */
  #partitions: readonly number[] | undefined
  /** Resolves when nothing of earlier assignments is under way. */
  #settled: Promise<unknown> = Promise.resolve()
  #writer: Promise<Writer> | undefined
  #failures = 0
  #isStopped = false

  constructor(parts: RunnerParts<Memory>) {
    const { processor, topology } = parts
    this.#parts = parts
    this.#roles = topicRoles(processor, topology)
    this.#group = processor.half ? `${processor.name}.${processor.half}` : processor.name
  }

  get isRestored(): boolean {
    return this.#assignment?.isRestored ?? false
  }

  get assignment(): Assignment<Memory> | undefined {
    return this.#assignment
  }

  /** Runs until `stop`. Rejects on what no retry mends: a fault in the code. */
  async run(): Promise<void> {
    const { clock, outage } = this.#parts
    void this.#tick()
    for (let attempt = 0; !this.#isStopped; attempt += 1) {
      try {
        await Promise.race([this.#member(() => (attempt = 0)), this.#fault.promise])
      } catch (error) {
        if (!(error instanceof InfrastructureError)) throw error
        outage.away('kafka', error, this)
      }
      this.#endAssignment()
      if (!this.#isStopped) await clock.sleep(backoffMs(attempt))
    }
  }

  /** Ends what was begun, commits and leaves the group. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#endAssignment()
    await this.#settled
    await this.#commits?.flush()
    await this.#joined?.leave().catch(() => {})
    await this.#closeWriter()
  }

  async #member(onJoined: () => void): Promise<void> {
    const { kafka } = this.#parts
    const membership = await kafka.join({ group: this.#group, topics: this.#roles.joined, listener: this.#listener() })
    this.#joined = membership
    onJoined()
    if (this.#isStopped) await membership.leave()
    await membership.ended
  }

  #listener(): GroupListener {
    return {
      assigned: (membership, partitions) => {
        if (this.#membership !== membership) {
          this.#membership = membership
          this.#commits = new Commits(membership, () => this.#parts.clock.sleep(commitMs))
        }
        this.#partitions = partitions.get(this.#roles.inputs[0] as string) ?? []
        this.#assign()
      },
      revoked: () => {
        this.#partitions = undefined
        this.#endAssignment()
      },
      records: (topic, partition, records, next) => this.#assignment?.records(topic, partition, records, next),
    }
  }

  #assign(): void {
    const { clock, tables, random } = this.#parts
    const membership = this.#membership
    const commits = this.#commits
    this.#endAssignment()
    const partitions = this.#partitions
    if (!membership || !commits || !partitions || this.#isStopped) return
    this.#assignment = new Assignment({
      ...this.#parts,
      roles: this.#roles,
      group: this.#group,
      membership,
      partitions,
      unwritable: this.#unwritable,
      openWriter: () => this.#openWriter(),
      commit: (commit) => commits.add(commit),
      context: () => ({ now: clock.now(), tables, random, partitions: this.#roles.partitions }),
      onRestored: () => {
        this.#failures = 0
        // Not before: what answers a join may still fail when the logs are asked for.
        this.#parts.outage.back('kafka', this)
      },
      onLost: (why, error) => this.#lost(membership, why, error),
    })
    this.#assignment.start(this.#settled)
    // Nothing to restore: another instance has all partitions.
    if (partitions.length === 0) this.#parts.outage.back('kafka', this)
  }

  #endAssignment(): void {
    const ended = this.#assignment
    this.#assignment = undefined
    if (ended) this.#settled = Promise.all([this.#settled, ended.close()])
  }

  /** The assignment is not usable any more: the same partitions are restored anew, after a wait where the broker failed us. */
  #lost(membership: Membership, why: string, error: unknown): void {
    if (error !== undefined && !(error instanceof InfrastructureError)) {
      this.#fault.reject(error instanceof Error ? error : new Error(why, { cause: error }))
      return
    }
    membership.hold()
    this.#endAssignment()
    if (error instanceof InfrastructureError) {
      this.#parts.outage.away('kafka', error, this)
      void this.#closeWriter()
    }
    const wait = error === undefined ? 0 : backoffMs(this.#failures++)
    void this.#parts.clock.sleep(wait).then(() => {
      if (this.#membership === membership && !this.#assignment) this.#assign()
    })
  }

  #openWriter(): Promise<Writer> {
    this.#writer ??= this.#parts.kafka.openWriter()
    return this.#writer
  }

  /** What a failed writer had sent is not known; its sequence numbers could hide a later write. */
  async #closeWriter(): Promise<void> {
    const writer = this.#writer
    this.#writer = undefined
    await writer?.then((open) => open.close()).catch(() => {})
  }

  async #tick(): Promise<void> {
    while (!this.#isStopped) {
      await this.#parts.clock.sleep(tickMs)
      this.#assignment?.tick()
    }
  }
}
