import { type ControlEntry, type ControlTable, controlTables, type Refused, type Result, refused } from '@interlock/contracts'
import { ControlEntries } from '@interlock/trust'
import type { LogRecord } from '../kafka-port.ts'
import type { Tables } from '../processor.ts'
import { type RecordCodec, readRecord } from './read-record.ts'

type Verify = (
  entry: ControlEntry,
  table: ControlTable,
) => Result<{ readonly id: string; readonly revision: number; readonly value: unknown }, string>
type Park = (record: LogRecord, reason: string, detail: object) => void

/**
 * The control tables as their logs have them: each entry verified, the highest revision of an id kept whatever the order.
 * What does not verify is parked and changes nothing.
 */
export class ControlTables {
  readonly tables: Tables
  readonly #entries = new ControlEntries()
  readonly #codec: RecordCodec
  readonly #verify: Verify
  readonly #park: Park

  constructor(codec: RecordCodec, verify: Verify, park: Park) {
    this.#codec = codec
    this.#verify = verify
    this.#park = park
    const names = Object.keys(controlTables) as ControlTable[]
    this.tables = Object.fromEntries(names.map((name) => [name, this.#entries.values(name)])) as unknown as Tables
  }

  take(record: LogRecord): void {
    const fault = this.#enter(record)
    if (fault) this.#park(record, fault.reason, fault.detail)
  }

  #enter(record: LogRecord): Refused<string> | undefined {
    const read = readRecord(this.#codec, record)
    if (!read.ok) return read
    const entry = read.value.record as ControlEntry
    if (read.value.key !== entry.id) return refused('control-other-key', { key: read.value.key, id: entry.id })
    const verified = this.#verify(entry, record.topic as ControlTable)
    if (!verified.ok) return verified
    const ignored = this.#entries.take(record.topic as ControlTable, verified.value, entry.keyId)
    // An older entry written again, genuine signature and all, does not come back (ATTACKS 78): it is no fault.
    if (ignored === undefined || ignored === 'older' || ignored === 'repeated') return undefined
    return refused(ignored, { id: entry.id, keyId: entry.keyId })
  }
}
