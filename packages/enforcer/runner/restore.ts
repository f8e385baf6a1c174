import type { Kafka } from '../kafka-port.ts'
import type { TopicRoles } from './co-partition.ts'
import { memoryFrom, planInput, planMemory, type TopicPlan } from './restore-plan.ts'

export type PartitionPlan = ReadonlyMap<string, TopicPlan>
export type RestorePlan = {
  readonly partitions: ReadonlyMap<number, PartitionPlan>
  /** The time from which topics that are partitioned otherwise must be read. */
  readonly since: number
}

type Request = {
  readonly group: string
  readonly roles: TopicRoles
  readonly partitions: readonly number[]
  readonly horizonMs: number
  readonly now: number
}

/** Asks the broker where each partition's logs begin and end, and plans what is read before the first input is answered. */
export async function planPartitions(kafka: Kafka, request: Request): Promise<RestorePlan> {
  const { group, roles, partitions, horizonMs, now } = request
  if (partitions.length === 0) return { partitions: new Map(), since: now }
  // Committed offsets first: an answer written after this is either before the ends asked next, or to an input that is not.
  const committed = await kafka.committed(group, roles.inputs)
  const fromTimes = new Map(
    partitions.map((partition) => {
      const commits = roles.inputs.map((topic) => committed.get(topic)?.get(partition))
      return [partition, memoryFrom(now, horizonMs, commits)] as const
    }),
  )
  const times = [...new Set(fromTimes.values())]
  const logs = await Promise.all(
    roles.joined.map(async (topic) => {
      const at = new Map(await Promise.all(times.map(async (time) => [time, await kafka.offsetsAt(topic, time)] as const)))
      return { topic, ranges: await kafka.ranges(topic), at }
    }),
  )
  const plans = new Map(
    partitions.map((partition) => {
      const topics = logs.map(({ topic, ranges, at }) => {
        const range = ranges.get(partition) ?? { low: 0, high: 0 }
        const log = { range, atHorizon: at.get(fromTimes.get(partition) ?? 0)?.get(partition) ?? range.low }
        const plan = roles.inputs.includes(topic) ? planInput(log, committed.get(topic)?.get(partition)) : planMemory(log)
        return [topic, plan] as const
      })
      return [partition, new Map(topics)] as const
    }),
  )
  return { partitions: plans, since: Math.min(...times) }
}

/** Where the joined topics of a partition end now. */
export async function endsOfLogs(kafka: Kafka, roles: TopicRoles, partition: number): Promise<ReadonlyMap<string, number>> {
  const ends = roles.joined.map(async (topic) => [topic, (await kafka.ranges(topic)).get(partition)?.high ?? 0] as const)
  return new Map(await Promise.all(ends))
}
