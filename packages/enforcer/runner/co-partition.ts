import type { Topology } from '@interlock/contracts'
import type { Processor } from '../processor.ts'

/** A processor's topics by what the runner does with them. */
export type TopicRoles = {
  readonly inputs: readonly string[]
  /** Outputs in whose partition p the answers to partition p lie. */
  readonly answers: readonly string[]
  readonly memories: readonly string[]
  readonly broadcasts: readonly string[]
  /** What the group subscribes to: inputs, answers and memories, all with the same partitions. */
  readonly joined: readonly string[]
  readonly partitions: number
}

/** @throws Error where a processor's declaration and topics.yaml do not fit: a fault of the code, found at start. */
export function topicRoles(processor: Processor<unknown>, topology: Topology): TopicRoles {
  const declared = (name: string) => topology.topics.get(name) ?? unfit(processor, `topic ${name} is not in topics.yaml`)
  const [first, ...others] = processor.inputs.map(declared)
  if (!first) return unfit(processor, 'it has no input')
  const isAlongside = (name: string) => declared(name).key === first.key && declared(name).partitions === first.partitions
  const joinedOnly = [...others.map(({ name }) => name), ...processor.memories]
  for (const name of joinedOnly) {
    if (!isAlongside(name)) unfit(processor, `${name} is not partitioned as ${first.name} is`)
  }
  for (const name of processor.broadcasts) declared(name)
  const answers = processor.outputs.filter((name) => isAlongside(name) && !processor.broadcasts.includes(name))
  if (answers.length === 0 && !processor.outputs.some((name) => processor.broadcasts.includes(name))) {
    unfit(processor, 'it cannot read its own answers: no output is partitioned as its inputs or among its broadcasts')
  }
  return {
    inputs: processor.inputs,
    answers,
    memories: processor.memories,
    broadcasts: processor.broadcasts,
    joined: [...new Set([...processor.inputs, ...answers, ...processor.memories])],
    partitions: first.partitions,
  }
}

function unfit(processor: Processor<unknown>, why: string): never {
  throw new Error(`${processor.name}: ${why}`)
}
