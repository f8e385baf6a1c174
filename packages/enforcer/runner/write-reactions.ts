import type { Topology } from '@interlock/contracts'
import type { OutgoingRecord, Writer } from '../kafka-port.ts'
import type { Processor, Write } from '../processor.ts'
import type { TopicRoles } from './co-partition.ts'
import type { OwnWrites } from './own-writes.ts'
import type { Reactions } from './reactions.ts'
import { partitionOfWrite } from './reactions.ts'
import { flatEventId, type RecordCodec } from './read-record.ts'

type Parts = {
  readonly processor: Pick<Processor<never>, 'seal' | 'broadcasts'>
  readonly roles: TopicRoles
  readonly topology: Topology
  readonly codec: RecordCodec
  readonly partition: number
  readonly writer: Writer
  readonly unwritable: Map<string, string>
}

/**
 * Seals and writes what a batch is answered with: the answers, then all else. Orders go out only after their decisions are known
 * to be the first in their log, so that a device is never told what another instance decided otherwise. Returns what proves memory wrong.
 */
export async function writeReactions(reactions: Reactions, own: OwnWrites, parts: Parts): Promise<string | undefined> {
  const { answers, sides } = reactions
  if (answers.length + sides.length === 0) return undefined
  const writes = [...answers, ...sides]
  const sealed = parts.processor.seal ? await parts.processor.seal(writes) : writes
  const records = sealed.flatMap((write) => encode(write, parts))
  if (records.length < sealed.length) return 'an answer cannot be written'
  const first = own.expect(records.slice(0, answers.length))
  if (first.length > 0 && !own.landed(first, await parts.writer.send(first))) return 'another instance wrote between our answers'
  const rest = records.slice(answers.length)
  if (rest.length === 0) return undefined
  for (const [index, { topic, record }] of sealed.slice(answers.length).entries()) {
    const event = flatEventId(record)
    if (event !== undefined && parts.processor.broadcasts.includes(topic))
      own.expectEvent(topic, event, (rest[index] as OutgoingRecord).value)
  }
  await parts.writer.send(rest)
  return undefined
}

/** Empty where it cannot be written: its input is parked when it comes by again, so that the partition goes on. */
function encode(write: Write, parts: Parts): readonly OutgoingRecord[] {
  const key = write.key === '' ? null : Buffer.from(write.key, 'utf8')
  const value = bytesOf(write, parts)
  if (value !== undefined && !isTooLarge(write.topic, { key, value }, parts)) {
    const partitions = parts.topology.topics.get(write.topic)?.partitions ?? 1
    return [{ topic: write.topic, partition: partitionOfWrite(write, parts.roles, parts.partition, partitions), key, value }]
  }
  const event = flatEventId(write.record)
  // Without an event there is no input to park: going on would lose it silently.
  if (event === undefined) throw new Error(`a ${write.topic} record without event id cannot be written`)
  parts.unwritable.set(event, value === undefined ? 'answer-unencodable' : 'answer-too-large')
  return []
}

function bytesOf({ topic, record }: Write, { codec }: Parts): Buffer | undefined {
  try {
    return codec.encode(topic, record)
  } catch {
    // A fault of ours: the record does not fit its own schema. One input must not stop all others.
    return undefined
  }
}

/** What a record needs in its batch beyond key and value. */
const envelopeBytes = 256

function isTooLarge(topic: string, { key, value }: Pick<OutgoingRecord, 'key' | 'value'>, { topology }: Parts): boolean {
  const bytesMax = topology.topics.get(topic)?.maxMessageBytes ?? 0
  return value.length + (key?.length ?? 0) + envelopeBytes > bytesMax
}
