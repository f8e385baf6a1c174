import {
  type BoundsPolicy,
  type Codec,
  type ControlTable,
  type ControlValue,
  controlTables,
  type DeviceEntry,
} from '@interlock/contracts'
import type { Tables } from '@interlock/enforcer'
import { type TrustAnchors, verifyControlEntry } from '@interlock/trust'

/** A row of control_entries. */
export type EntryRow = { readonly topic: ControlTable; readonly appendedAt: number; readonly raw: Buffer }

type Entry = {
  readonly table: ControlTable
  readonly id: string
  readonly revision: number
  readonly appendedAt: number
  readonly value: unknown
}

/** What a replay puts in the place of what the tables said. */
export type TableChanges = {
  readonly policy?: BoundsPolicy | undefined
  readonly devices?: ReadonlyMap<string, Partial<DeviceEntry>>
}

/** The control tables as they were, from all the entries that audit kept. What does not verify counted for nothing then, and does now. */
export class TablesHistory {
  readonly #entries: readonly Entry[]
  readonly #changes: TableChanges
  readonly #states = new Map<string, Tables>()

  constructor(rows: readonly EntryRow[], codec: Codec, anchors: TrustAnchors, changes: TableChanges = {}) {
    this.#entries = rows
      .flatMap((row) => verified(row, codec, anchors))
      .toSorted((one, other) => one.appendedAt - other.appendedAt || one.revision - other.revision)
    this.#changes = changes
  }

  /**
   * The tables of a moment, newest guess first: an entry was in force when the stage had read it, a little after it was appended, and when that
   * was nobody recorded. Of the policy there is one guess: decisions name theirs.
   */
  *around(time: number, sequence: number | undefined, lagMs: number): Generator<Tables> {
    let count = this.#entries.findLastIndex(({ appendedAt }) => appendedAt <= time) + 1
    for (; count >= 0; count -= 1) {
      yield this.#stateOf(count, sequence)
      const last = this.#entries[count - 1]
      if (!last || last.appendedAt < time - lagMs) return
    }
  }

  #stateOf(count: number, sequence: number | undefined): Tables {
    const name = `${count} ${sequence ?? ''}`
    const state = this.#states.get(name) ?? this.#build(count, sequence)
    this.#states.set(name, state)
    return state
  }

  #build(count: number, sequence: number | undefined): Tables {
    const newest = new Map<string, Entry>()
    for (const entry of this.#entries.slice(0, count)) enter(newest, entry)
    const named = this.#entries.find(
      ({ id, revision, table }) => table === 'control.policies' && id === 'bounds' && revision === sequence,
    )
    if (named) newest.set('control.policies bounds', named)
    const tables = Object.fromEntries(Object.keys(controlTables).map((table) => [table, new Map<string, unknown>()]))
    for (const { table, id, value } of newest.values()) tables[table]?.set(id, value)
    this.#change(tables)
    return tables as unknown as Tables
  }

  #change(tables: Record<string, Map<string, unknown>>): void {
    if (this.#changes.policy) tables['control.policies']?.set('bounds', this.#changes.policy)
    for (const [device, change] of this.#changes.devices ?? []) {
      const before = tables['control.devices']?.get(device) as ControlValue<'control.devices'> | undefined
      if (before) tables['control.devices']?.set(device, { ...before, ...change })
    }
  }
}

function enter(newest: Map<string, Entry>, entry: Entry): void {
  const place = `${entry.table} ${entry.id}`
  if ((newest.get(place)?.revision ?? 0) < entry.revision) newest.set(place, entry)
}

function verified({ topic, appendedAt, raw }: EntryRow, codec: Codec, anchors: TrustAnchors): Entry[] {
  const decoded = codec.decode(topic, raw, 'ControlEntry')
  const entry = decoded.ok ? verifyControlEntry(decoded.value, topic, anchors) : undefined
  if (!entry?.ok) return []
  const { id, revision, value } = entry.value
  return [{ table: topic, id, revision, appendedAt, value }]
}
