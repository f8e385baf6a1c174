import { isInPlace } from '@interlock/contracts/expected-offset'
import type { LogRecord } from '../kafka-port.ts'
import type { TopicRoles } from './co-partition.ts'
import type { PartitionMemory } from './partition-memory.ts'
import { type RecordCodec, readRecord } from './read-record.ts'

/** Folds what a log holds into memory. What cannot be read is passed over: whoever answers that topic parks it. */
export function recallRecord<Memory>(
  { codec, roles }: { readonly codec: RecordCodec; readonly roles: TopicRoles },
  memory: PartitionMemory<Memory>,
  record: LogRecord,
): void {
  if (!isInPlace(record.offset, record.expectedOffset)) return
  const read = readRecord(codec, record)
  if (!read.ok) return
  if (roles.inputs.includes(record.topic)) memory.meetInput(read.value, record.appendedAt)
  else memory.recall(read.value, record.appendedAt)
}
