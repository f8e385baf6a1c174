import { eventId, partitionOf } from '@interlock/contracts'
import type { LogRecord } from '../kafka-port.ts'
import type { Due, Incoming, Processor, ReactionContext, Write } from '../processor.ts'
import type { TopicRoles } from './co-partition.ts'
import { deadLetter, deadLetterTopic } from './dead-letters.ts'
import type { PartitionMemory } from './partition-memory.ts'

/** What one batch of inputs and expiries is answered with. */
export type Reactions = {
  /** In the order of the inputs, each already folded into memory. */
  readonly answers: Write[]
  /** Dead letters and orders: written after the answers are known to be first. */
  readonly sides: Write[]
  /** How many writes each topic gets so far. */
  readonly countOf: Map<string, number>
}

export type Reactor<Memory> = {
  readonly processor: Processor<Memory>
  readonly roles: TopicRoles
  readonly partition: number
  readonly memory: PartitionMemory<Memory>
  readonly context: () => ReactionContext
  /** End of an own output, as this instance knows it. */
  readonly endOf: (topic: string) => number
}

export const noReactions = (): Reactions => ({ answers: [], sides: [], countOf: new Map() })

export function park<Memory>(reactor: Reactor<Memory>, into: Reactions, log: LogRecord, reason: string, detail: object): void {
  const record = deadLetter(reactor.processor.name, log, reason, detail, reactor.context().now)
  into.sides.push({ topic: deadLetterTopic, key: '', record })
}

export async function answer<Memory>(reactor: Reactor<Memory>, into: Reactions, input: Incoming): Promise<void> {
  const { processor, memory } = reactor
  const context = reactor.context()
  const standing = memory.meetInput(input, context.now)
  if (standing === 'uncounted') return
  if (standing === 'open') take(reactor, into, await processor.react(memory.value, input, context), context.now)
  else if (processor.repeat) into.sides.push(...(await processor.repeat(memory.value, input, context)))
}

export async function expire<Memory>(
  reactor: Reactor<Memory>,
  into: Reactions,
  unwritable: ReadonlyMap<string, string>,
): Promise<void> {
  const { processor, memory } = reactor
  if (!processor.due || !processor.expire) return
  for (const due of processor.due(memory.value, reactor.context().now)) {
    const event = eventId(processor.name, due.position)
    if (memory.isWritten(event) || unwritable.has(event)) continue
    const context = reactor.context()
    take(reactor, into, await processor.expire(memory.value, due satisfies Due, context), context.now)
  }
}

/** Folds what is about to be written, so that the next reaction of the batch knows of it. */
function take<Memory>(reactor: Reactor<Memory>, into: Reactions, writes: readonly Write[], now: number): void {
  for (const write of writes) {
    const isAnswer = reactor.roles.answers.includes(write.topic)
    const before = into.countOf.get(write.topic) ?? 0
    const offset = isAnswer ? reactor.endOf(write.topic) + before : -1
    into.countOf.set(write.topic, before + 1)
    reactor.memory.foldOwn(write, { topic: write.topic, partition: reactor.partition, offset }, now)
    ;(isAnswer ? into.answers : into.sides).push(write)
  }
}

/** Answers lie beside their inputs; all else lies where its key puts it. */
export function partitionOfWrite(write: Write, roles: TopicRoles, partition: number, partitions: number): number {
  if (roles.answers.includes(write.topic)) return partition
  return write.key === '' ? partition % partitions : partitionOf(write.key, partitions)
}
