import { accepted, type RecordName, type Records, refused } from '@interlock/contracts'
import type { LogRecord, OutgoingRecord } from '../kafka-port.ts'
import type { Incoming, Write } from '../processor.ts'
import type { RecordCodec } from '../runner/read-record.ts'

/** What the simulated services write. The runner looks at nothing of a record but its event id. */
export type Fact = { readonly eventId?: string }

const asRecord = (fact: Fact) => fact as unknown as Records[RecordName]

export const factOf = <Of>({ record }: Pick<Incoming, 'record'>): Of => record as unknown as Of

export const writeOf = (topic: string, key: string, fact: Fact): Write => ({ topic, key, record: asRecord(fact) })

export const codec: RecordCodec = {
  encode: (_topic, record) => Buffer.from(JSON.stringify(record)),
  decode: (_topic, bytes) => {
    try {
      return accepted(JSON.parse(bytes.toString('utf8')) as Records[RecordName])
    } catch {
      return refused('undecodable')
    }
  },
}

export const outgoing = (topic: string, partition: number, key: string, fact: Fact): OutgoingRecord => ({
  topic,
  partition,
  key: Buffer.from(key),
  value: codec.encode(topic, asRecord(fact)),
})

export const readFact = <Of>(record: LogRecord): Of => JSON.parse(record.value?.toString('utf8') ?? '') as Of

export type Counted<Of> = { readonly fact: Of; readonly record: LogRecord }

/** What counts in a log: the first record of each event that lies where its writer expected it. */
export function counted<Of extends Fact>(log: readonly LogRecord[]): readonly Counted<Of>[] {
  const seen = new Set<string>()
  const found: Counted<Of>[] = []
  for (const record of log) {
    const fact = readFact<Of>(record)
    if (fact.eventId === undefined || seen.has(fact.eventId) || (record.expectedOffset ?? record.offset) !== record.offset)
      continue
    seen.add(fact.eventId)
    found.push({ fact, record })
  }
  return found
}
