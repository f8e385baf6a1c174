import kafkajs, { type PartitionAssigner } from 'kafkajs'

export type Assignment = ReadonlyMap<string, Record<string, number[]>>
/** Topics of each table, and how many partitions each topic has. */
export type TablePartitions = ReadonlyMap<string, ReadonlyMap<string, number>>

/**
 * Gives each table whole to one member, the largest first to whoever has least: one insert then takes what came in from all
 * partitions of a table, and whoever owns the table can repeat it. Pure, and the same for each leader.
 */
export function assignTables(members: readonly string[], tables: TablePartitions): Assignment {
  const load = new Map([...members].sort().map((member) => [member, 0]))
  const assignment = new Map([...load.keys()].map((member) => [member, {} as Record<string, number[]>]))
  const sizes = [...tables].map(([table, topics]) => ({
    table,
    topics,
    size: [...topics.values()].reduce((sum, count) => sum + count, 0),
  }))
  sizes.sort((one, other) => other.size - one.size || (one.table < other.table ? -1 : 1))
  for (const { topics, size } of sizes) {
    const [member] = [...load].reduce((least, candidate) => (candidate[1] < least[1] ? candidate : least))
    load.set(member, (load.get(member) ?? 0) + size)
    for (const [topic, count] of topics)
      Object.assign(assignment.get(member) ?? {}, { [topic]: Array.from({ length: count }, (_, partition) => partition) })
  }
  return assignment
}

const name = 'interlock-audit-tables'
const version = 1

/** The assigner for kafkajs. `tableOf` says which table a topic's records go to. */
export const tableAssigner =
  (tableOf: (topic: string) => string): PartitionAssigner =>
  ({ cluster }) => ({
    name,
    version,
    async assign({ members, topics }) {
      const tables = new Map<string, Map<string, number>>()
      for (const topic of topics) {
        const table = tableOf(topic)
        tables.set(table, (tables.get(table) ?? new Map()).set(topic, cluster.findTopicPartitionMetadata(topic).length))
      }
      const assignment = assignTables(
        members.map(({ memberId }) => memberId),
        tables,
      )
      return [...assignment].map(([memberId, assigned]) => ({
        memberId,
        memberAssignment: kafkajs.AssignerProtocol.MemberAssignment.encode({
          version,
          assignment: assigned,
          userData: Buffer.alloc(0),
        }),
      }))
    },
    protocol: ({ topics }) => ({
      name,
      metadata: kafkajs.AssignerProtocol.MemberMetadata.encode({ version, topics, userData: Buffer.alloc(0) }),
    }),
  })
