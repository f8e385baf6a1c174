import type { Committed, OffsetRange } from '../kafka-port.ts'

/** Where each topic of a partition is read from when it is assigned, up to where before the first input is answered, and where its log ended then. */
export type TopicPlan = { readonly from: number; readonly end: number; readonly high: number }

/** Offsets of one partition as the broker gave them at assignment. */
export type PartitionLog = {
  readonly range: OffsetRange
  /** The first offset within the horizon. */
  readonly atHorizon: number
}

/**
 * An input is observed from the horizon on and answered from the committed offset on. Where nothing was committed, everything
 * is to be answered; where retention has passed the committed offset, what is left is.
 */
export function planInput(log: PartitionLog, committed: Committed | undefined): TopicPlan {
  const { low, high } = log.range
  const first = clamp(committed?.offset ?? low, low, high)
  return { from: clamp(Math.min(log.atHorizon, first), low, high), end: first, high }
}

/** An own output or a memory is read from the horizon to its present end. */
export function planMemory(log: PartitionLog): TopicPlan {
  const { low, high } = log.range
  return { from: clamp(log.atHorizon, low, high), end: high, high }
}

/** Clocks of brokers may differ by this much where an answer's append time is compared with its input's. */
const appendSkewMs = 60_000

/**
 * The time from which memory must be read: the horizon, or as far before the last committed input where the service was away for
 * longer. What was open then (an order, an escalation) still has to expire, and an answer not yet committed came after it.
 */
export function memoryFrom(now: number, horizonMs: number, committed: readonly (Committed | undefined)[]): number {
  const times = committed.map((commit) => (commit ? readAppendedAt(commit.metadata) : 0))
  return Math.max(0, Math.min(now, ...times.map((time) => time - appendSkewMs)) - horizonMs)
}

/** A commit's metadata: the append time of the last input that it covers. */
export const writeAppendedAt = (appendedAt: number): string => `appendedAt=${appendedAt}`

function readAppendedAt(metadata: string): number {
  const match = /^appendedAt=(\d{1,15})$/.exec(metadata)
  return match ? Number(match[1]) : 0
}

const clamp = (value: number, least: number, most: number) => Math.min(Math.max(value, least), most)
