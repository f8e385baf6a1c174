import type { GroupListener, Kafka, Membership, OffsetRange, Writer } from '../kafka-port.ts'

/** A port that is another in all but what `broken` has. */
function portLike(kafka: Kafka, broken: Partial<Kafka>): Kafka {
  return {
    join: (request) => kafka.join(request),
    openWriter: () => kafka.openWriter(),
    ranges: (topic) => kafka.ranges(topic),
    offsetsAt: (topic, timeMs) => kafka.offsetsAt(topic, timeMs),
    committed: (group, topics) => kafka.committed(group, topics),
    ...broken,
  }
}

/** Says that every log ends where it begins: nothing is waited for. */
export function unawaited(kafka: Kafka): Kafka {
  return portLike(kafka, {
    async ranges(topic) {
      const ranges = [...(await kafka.ranges(topic))]
      const isInput = topic === 'asks' || topic === 'questions' || topic === 'allowed'
      return new Map(
        ranges.map(([partition, range]): [number, OffsetRange] => [partition, isInput ? range : { ...range, high: range.low }]),
      )
    },
  })
}

/** Commits what it hands over, before anything is written. */
export function eagerCommits(kafka: Kafka): Kafka {
  return portLike(kafka, {
    join({ listener, ...request }) {
      let member: Membership | undefined
      const eager: GroupListener = {
        assigned(membership, partitions) {
          member = membership
          listener.assigned(membership, partitions)
        },
        revoked: () => listener.revoked(),
        records(topic, partition, records, next) {
          member?.commit([{ topic, partition, offset: next, metadata: '' }]).catch(() => {})
          listener.records(topic, partition, records, next)
        },
      }
      return kafka.join({ ...request, listener: eager })
    },
  })
}

/** Does not say where an answer was to lie. */
export function unplaced(kafka: Kafka): Kafka {
  return portLike(kafka, {
    async openWriter(): Promise<Writer> {
      const writer = await kafka.openWriter()
      return {
        send: (records) => writer.send(records.map(({ expectedOffset: _, ...record }) => record)),
        close: () => writer.close(),
      }
    },
  })
}
