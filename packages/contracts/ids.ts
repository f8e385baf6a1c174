/** Branded identifiers: a string of one kind cannot be passed where another is meant. They are minted where bytes are parsed. */
declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** UUID of an intent, lower case; the `jti` of its proof. */
export type IntentId = Branded<'IntentId'>
/** What a human authorised; the correlation id everywhere. */
export type JobId = Branded<'JobId'>
/** Id of a device in control.devices; the last segment of its SPIFFE ID. */
export type DeviceId = Branded<'DeviceId'>
/** `<stage>:<topic>:<partition>:<offset>` of the input that a record answers. */
export type EventId = Branded<'EventId'>
/** base64url SHA-256, 43 characters. */
export type Digest = Branded<'Digest'>
/** base64url SHA-256 of an intent's `command` bytes, 43 characters. */
export type CommandDigest = Digest & { readonly commandDigest: true }
/** A SPIFFE ID that `parseSpiffeId` (packages/trust) accepted. */
export type SpiffeId = Branded<'SpiffeId'>

/** The five enforcers in the order in which an intent meets them. */
export const stageNames = [
  'identity-verify',
  'delegation-check',
  'semantic-bounds',
  'approval-router',
  'device-dispatch',
] as const
export type StageName = (typeof stageNames)[number]

export type EventPosition = { readonly topic: string; readonly partition: number; readonly offset: number }

/** The event id of what `consumer` answers to the record at `position`. */
export function eventId(consumer: string, position: EventPosition): EventId {
  return `${consumer}:${position.topic}:${position.partition}:${position.offset}` as EventId
}

/** The parts of an event id, or undefined where the text is none. */
export function parseEventId(text: string): (EventPosition & { consumer: string }) | undefined {
  const match = /^([a-z0-9-]{1,64}):([A-Za-z0-9._-]{1,249}):(\d{1,9}):(\d{1,15})$/.exec(text)
  if (!match) return undefined
  const [, consumer, topic, partition, offset] = match as unknown as [string, string, string, string, string]
  return { consumer, topic, partition: Number(partition), offset: Number(offset) }
}

/** What became of an intent. */
export type OutcomeStatus = 'completed' | 'failed' | 'refused' | 'denied' | 'expired' | 'timed-out' | 'cancelled'
/** What device-dispatch found of an ack, or of none. */
export type ReceiptResult = 'verified' | 'rejected' | 'timed-out'
