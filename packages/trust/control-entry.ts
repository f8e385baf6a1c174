import {
  accepted,
  type ControlEntry,
  type ControlStatement,
  type ControlTable,
  controlStatementSchema,
  controlTables,
  type Result,
  type RevocationEntry,
  refused,
} from '@interlock/contracts'
import { canonicalBytes, parseCanonical } from './canonical.ts'
import { type SigningKey, verifySignature } from './signing-key.ts'
import type { Role } from './spiffe-id.ts'
import type { TrustAnchors } from './trust-anchors.ts'

export type ControlEntryReason =
  | 'control-malformed'
  | 'control-mismatch'
  | 'control-unknown-key'
  | 'control-wrong-role'
  | 'control-bad-signature'

const context = Buffer.from('interlock-control-v1\0', 'latin1')

/** What the services revoke of their own accord. All else, and above all the key of anybody who signs, is an operator's to revoke. */
const servicesRevoke: Readonly<Record<string, readonly RevocationEntry['kind'][]>> = {
  registry: ['certificate'],
  token: ['token', 'job', 'standing-grant'],
}

const registrys: ReadonlySet<ControlTable> = new Set(['control.agents', 'control.devices', 'control.federation'])

/** Who may write which table. */
function mayWrite(table: ControlTable, role: Role): boolean {
  if (registrys.has(table)) return role.kind === 'service' && role.service === 'registry'
  if (table === 'control.revocations') return role.kind === 'service' || role.kind === 'operator'
  return role.kind === 'operator'
}

function mayRevoke({ kind }: RevocationEntry, role: Role): boolean {
  return role.kind !== 'service' || (servicesRevoke[role.service] ?? []).includes(kind)
}

/** Signs one entry of a control table. */
export async function signControlEntry(statement: ControlStatement, key: SigningKey): Promise<ControlEntry> {
  const bytes = canonicalBytes(statement)
  const signature = await key.sign(Buffer.concat([context, bytes]))
  return { id: statement.id, revision: statement.revision, statement: bytes, keyId: key.keyId, signature }
}

/** An entry whose signer may write its table, with its value parsed by the table's schema. */
export function verifyControlEntry(
  entry: ControlEntry,
  table: ControlTable,
  anchors: TrustAnchors,
): Result<ControlStatement, ControlEntryReason> {
  const parsed = parseCanonical(entry.statement, { bytesMax: 2_000_000, depthMax: 32 })
  if (!parsed.ok) return refused('control-malformed', { cause: parsed.reason })
  const statement = controlStatementSchema.safeParse(parsed.value)
  if (!statement.success) return refused('control-malformed', { at: statement.error.issues[0]?.path.join('.') ?? '' })
  const { data } = statement
  if (data.table !== table || data.id !== entry.id || data.revision !== entry.revision)
    return refused('control-mismatch', { table, id: entry.id })
  const signer = anchors.signer(entry.keyId)
  if (!signer) return refused('control-unknown-key', { id: entry.id })
  if (!mayWrite(table, signer.role)) return refused('control-wrong-role', { id: entry.id, spiffeId: signer.spiffeId })
  if (!verifySignature(signer.publicKey, Buffer.concat([context, entry.statement]), entry.signature))
    return refused('control-bad-signature', { id: entry.id })
  const value = controlTables[table].safeParse(data.value)
  if (!value.success) return refused('control-malformed', { id: entry.id, at: value.error.issues[0]?.path.join('.') ?? '' })
  if (table === 'control.revocations') {
    const revocation = value.data as RevocationEntry
    if (!mayRevoke(revocation, signer.role)) return refused('control-wrong-role', { id: entry.id, spiffeId: signer.spiffeId })
    // Readers ask by the id: what it names is what may be revoked.
    if (entry.id !== `${revocation.kind}:${revocation.subject}`) return refused('control-mismatch', { table, id: entry.id })
  }
  // Decisions name a policy by its sequence; an old one under a new entry, or the other way round, would not be in one order (ATTACKS 78).
  if ('sequence' in value.data && value.data.sequence !== data.revision)
    return refused('control-mismatch', { id: entry.id, sequence: value.data.sequence })
  return accepted({ ...data, value: value.data })
}
