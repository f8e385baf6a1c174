import { type RecordName, type Records, type Result, refused } from '@interlock/contracts'
import type { LogRecord } from '../kafka-port.ts'
import type { Incoming } from '../processor.ts'

/** What the runner needs of a codec; the simulation has a simple one. */
export type RecordCodec = {
  decode(topic: string, bytes: Buffer): Result<Records[RecordName], string>
  encode(topic: string, record: Records[RecordName]): Buffer
}

/** A record from its bytes, or why it goes to the dead letters. */
export function readRecord(codec: RecordCodec, log: LogRecord): Result<Incoming, string> {
  if (log.value === null) return refused('tombstone')
  if (log.key === null || log.key.length === 0) return refused('key-missing')
  const record = codec.decode(log.topic, log.value)
  if (!record.ok) return record
  const position = { topic: log.topic, partition: log.partition, offset: log.offset }
  return { ok: true, value: { position, key: log.key.toString('utf8'), record: record.value, bytes: log.value } }
}

/** The identity by which a record's repeats are known. */
export function flatEventId(record: Records[RecordName]): string | undefined {
  return 'eventId' in record ? record.eventId : undefined
}
