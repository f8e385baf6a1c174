import type { Codec, ControlTable } from '@interlock/contracts'
import { type TrustAnchors, verifyControlEntry } from '@interlock/trust'
import { securityEventOf } from './security-event.ts'
import { entryToken, type Signer } from './security-event-token.ts'
import type { Stream } from './stream.ts'

export type EntryParts = {
  readonly codec: Codec
  readonly anchors: TrustAnchors
  readonly signer: Signer
  /** The newest revision of an entry that is known here, 0 where none is. */
  readonly revisionOf: (table: ControlTable, id: string) => number
}

export type EntryRecord = { readonly topic: ControlTable; readonly offset: number; readonly value: Buffer | null }

/** One record of a control table, for one receiver: what verifies, is not replaced by a newer one, and says that somebody does not count is told. */
export async function takeEntry(stream: Stream, { topic, offset, value }: EntryRecord, parts: EntryParts): Promise<void> {
  const place = { topic, offset }
  if (stream.hasRead(place)) return
  const { codec, anchors, signer, revisionOf } = parts
  const entry = value ? codec.decode(topic, value, 'ControlEntry') : undefined
  const verified = entry?.ok ? verifyControlEntry(entry.value, topic, anchors) : undefined
  // An old entry written again, genuine signature and all, would tell of what is over.
  const isCurrent = verified?.ok && verified.value.revision >= revisionOf(topic, verified.value.id)
  if (!entry?.ok || !isCurrent) return stream.read(place)
  const isByOperator = anchors.signer(entry.value.keyId)?.role.kind === 'operator'
  const event = securityEventOf(verified.value, { issuer: signer.issuer, trustDomain: anchors.trustDomain, isByOperator })
  if (!event || !stream.receiver.events.includes(event.type)) return stream.read(place)
  stream.read(place, await entryToken(verified.value, event, stream.receiver, signer))
}
