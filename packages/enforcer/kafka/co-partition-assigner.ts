import kafkajs, { type PartitionAssigner } from 'kafkajs'

/** Partitions of all topics by member: partition p of every topic goes to the same one. Pure, and the same for each leader. */
export function assignTogether(
  members: readonly string[],
  topics: ReadonlyMap<string, readonly number[]>,
): ReadonlyMap<string, Record<string, number[]>> {
  const sorted = [...members].sort()
  const assignment = new Map(
    sorted.map((member) => [member, Object.fromEntries([...topics.keys()].map((topic) => [topic, [] as number[]]))]),
  )
  for (const [topic, partitions] of topics) {
    for (const partition of partitions) assignment.get(sorted[partition % sorted.length] as string)?.[topic]?.push(partition)
  }
  return assignment
}

const name = 'interlock-co-partition'
const version = 1

/** kafkajs has no manual assignment: memory and input come to the same instance by this (DESIGN "Memory"). */
export const coPartitionAssigner: PartitionAssigner = ({ cluster }) => ({
  name,
  version,
  async assign({ members, topics }) {
    const partitions = new Map(
      topics.map((topic) => [topic, cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)]),
    )
    const assignment = assignTogether(
      members.map(({ memberId }) => memberId),
      partitions,
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
