import { createClient } from '@clickhouse/client'
import { type BoundsPolicy, type Codec, controlTables } from '@interlock/contracts'
import { type TrustAnchors, verifyControlEntry } from '@interlock/trust'
import type { Connection } from '../stack/connect.ts'
import { readAll } from '../stack/follow.ts'
import type { StackFile } from '../stack/stack-file.ts'

export type KnownPolicy = {
  readonly policy: BoundsPolicy
  readonly updatedAt: number
  /** SPIFFE ID of the operator who signed it. */
  readonly signer: string
}

/** Every bounds policy that lies in control.policies, oldest first; the last one is in force. What does not verify counts for nothing. */
export async function publishedPolicies({ kafka, codec }: Connection, anchors: TrustAnchors): Promise<KnownPolicy[]> {
  const found: KnownPolicy[] = []
  await readAll(kafka, ['control.policies'], ({ value }) => found.push(...verified(value, codec, anchors)))
  return inOrder(found)
}

/** Every bounds policy that audit has kept, oldest first: the topic forgets what was replaced. @throws Error where ClickHouse does not answer */
export async function auditedPolicies(stack: StackFile, codec: Codec, anchors: TrustAnchors): Promise<KnownPolicy[]> {
  const clickhouse = createClient({ ...stack.clickhouse })
  try {
    const query = `SELECT base64Encode(raw) AS raw FROM control_entries WHERE topic = 'control.policies' AND id = 'bounds' LIMIT 1000`
    const rows = await (await clickhouse.query({ query, format: 'JSONEachRow' })).json<{ raw: string }>()
    return inOrder(rows.flatMap(({ raw }) => verified(Buffer.from(raw, 'base64'), codec, anchors)))
  } finally {
    await clickhouse.close()
  }
}

function verified(bytes: Buffer, codec: Codec, anchors: TrustAnchors): KnownPolicy[] {
  const decoded = codec.decode('control.policies', bytes, 'ControlEntry')
  if (!decoded.ok || decoded.value.id !== 'bounds') return []
  const entry = verifyControlEntry(decoded.value, 'control.policies', anchors)
  const policy = entry.ok ? controlTables['control.policies'].safeParse(entry.value.value) : undefined
  if (!entry.ok || !policy?.success || policy.data.kind !== 'bounds') return []
  const signer = anchors.signer(decoded.value.keyId)?.spiffeId ?? ''
  return [{ policy: policy.data, updatedAt: entry.value.updatedAt, signer }]
}

/** Each once: a second copy of an entry is the same entry. */
function inOrder(found: readonly KnownPolicy[]): KnownPolicy[] {
  const bySequence = new Map(found.map((one) => [one.policy.sequence, one]))
  return [...bySequence.values()].toSorted((one, other) => one.policy.sequence - other.policy.sequence)
}
