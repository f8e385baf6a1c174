import {
  type ControlStatement,
  type ControlTable,
  controlTables,
  type RevocationEntry,
  type StopEntry,
} from '@interlock/contracts'

/** Why a verified entry changes nothing. */
export type ControlFoldReason = 'older' | 'repeated' | 'revocation-weakened' | 'control-revoked-key'

type Held = { readonly revision: number; readonly value: unknown }
type Table = {
  /** What counts, by id: the same Map for as long as the tables live. */
  readonly values: Map<string, unknown>
  readonly revisions: Map<string, number>
  /** By id, of each key that signed it the newest: where one key falls, what another said stands again, whatever the order of reading. */
  readonly held: Map<string, Map<string, Held>>
}

const revocationsTable = 'control.revocations'

/** The control tables, of verified entries: the highest revision of an id, by a key that is not revoked (docs/decisions/0040). Pure but for its own state. */
export class ControlEntries {
  readonly #tables = new Map<string, Table>()
  readonly #revokedKeys = new Set<string>()

  constructor() {
    for (const table of Object.keys(controlTables))
      this.#tables.set(table, { values: new Map(), revisions: new Map(), held: new Map() })
  }

  /** A live view: it changes with what is taken. */
  values(table: ControlTable): ReadonlyMap<string, unknown> {
    return this.#of(table).values
  }

  /** The revision that counts; 0 where there is no such entry. */
  revisionOf(table: ControlTable, id: string): number {
    return this.#of(table).revisions.get(id) ?? 0
  }

  /** Takes an entry that verified. Returns why it counts for nothing, or undefined where it does. */
  take(
    table: ControlTable,
    { id, revision, value }: Pick<ControlStatement, 'id' | 'revision' | 'value'>,
    keyId: string,
  ): ControlFoldReason | undefined {
    return table === revocationsTable
      ? this.#revoke({ id, revision, value: value as RevocationEntry }, keyId)
      : this.#hold(table, { id, revision, value }, keyId)
  }

  /** In the order of the log: what a key revoked before it was revoked itself stays, or a thief could undo it by losing the key. */
  #revoke({ id, revision, value }: { id: string; revision: number; value: RevocationEntry }, keyId: string) {
    if (this.#revokedKeys.has(keyId)) return 'control-revoked-key'
    const { values, revisions } = this.#of(revocationsTable)
    const known = revisions.get(id) ?? 0
    if (known >= revision) return known === revision ? 'repeated' : 'older'
    const before = values.get(id) as RevocationEntry | undefined
    // An entry has no end: a later time is somebody's way to give it one (ATTACKS 133).
    if (before && value.from > before.from) return 'revocation-weakened'
    values.set(id, value)
    revisions.set(id, revision)
    if (value.kind === 'enforcer-key') this.#drop(value.subject)
    return undefined
  }

  #hold(name: ControlTable, { id, revision, value }: { id: string } & Held, keyId: string): ControlFoldReason | undefined {
    const table = this.#of(name)
    const ofId = table.held.get(id) ?? new Map<string, Held>()
    const known = table.revisions.get(id) ?? 0
    if ((ofId.get(keyId)?.revision ?? 0) < revision) {
      // Of two that are equally new the first read counts: the order of the Map is that of reading.
      ofId.delete(keyId)
      table.held.set(id, ofId.set(keyId, { revision, value }))
    }
    if (!this.#counts(name, value, keyId)) return 'control-revoked-key'
    if (known >= revision) return known === revision ? 'repeated' : 'older'
    table.values.set(id, value)
    table.revisions.set(id, revision)
    return undefined
  }

  /** A stop holds whoever gave it, until somebody who counts lifts it: a machine does not move because a key was lost. */
  #counts(table: ControlTable, value: unknown, keyId: string): boolean {
    return !this.#revokedKeys.has(keyId) || (table === 'control.stops' && (value as StopEntry).state === 'stopped')
  }

  /** From when on it is revoked does not matter here: who has the key writes any time. */
  #drop(keyId: string): void {
    this.#revokedKeys.add(keyId)
    for (const [name, { values, revisions, held }] of this.#tables) {
      for (const [id, ofId] of held) {
        if (!ofId.has(keyId)) continue
        let newest: Held | undefined
        for (const [signer, one] of ofId)
          if (this.#counts(name as ControlTable, one.value, signer) && one.revision > (newest?.revision ?? 0)) newest = one
        if (newest) {
          values.set(id, newest.value)
          revisions.set(id, newest.revision)
        } else {
          values.delete(id)
          revisions.delete(id)
        }
      }
    }
  }

  #of(table: ControlTable): Table {
    return this.#tables.get(table) as Table
  }
}
