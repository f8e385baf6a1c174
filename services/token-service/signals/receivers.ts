import { readFileSync } from 'node:fs'
import { SettingsError } from '@interlock/enforcer'
import { assertPrivate } from '@interlock/trust'
import { z } from 'zod'
import { eventTypes } from './event-types.ts'

/** Receivers are operators' systems, not the world: each costs a reader and a queue. */
const receiversMax = 16

const deliverySchema = z.discriminatedUnion('method', [
  z.strictObject({ method: z.literal('poll') }),
  z.strictObject({
    method: z.literal('push'),
    /** Only from here is an address ever asked for (ATTACKS 127). */
    url: z.url().refine(isPushUrl, 'must be https, or http to this machine, without a user'),
    /** File, readable by its owner alone, with the value of the Authorization header that the receiver expects. */
    authorizationFile: z.string().min(1).optional(),
  }),
])

const receiverSchema = z.strictObject({
  /** The stream's id. */
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  /** `aud` of its SETs. */
  audience: z.string().min(1).max(512),
  /** base64url SHA-256 of the bearer secret by which the receiver asks. */
  secretSha256: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  delivery: deliverySchema,
  /** Left out: all. */
  events: z.array(z.enum(eventTypes)).min(1).optional(),
  description: z.string().max(400).optional(),
})
const fileSchema = z.strictObject({ receivers: z.array(receiverSchema).max(receiversMax) })

export type Receiver = Omit<z.infer<typeof receiverSchema>, 'delivery' | 'events'> & {
  readonly events: readonly (typeof eventTypes)[number][]
  readonly delivery:
    | { readonly method: 'poll' }
    | { readonly method: 'push'; readonly url: string; readonly authorization: string | undefined }
}

/** https anywhere, http to this machine alone. */
export function isPushUrl(text: string): boolean {
  const url = URL.parse(text)
  if (url?.username !== '' || url.password !== '' || url.hash !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname))
}

/** Who is told of what is revoked. @throws SettingsError naming what is wrong, SigningKeyError where a secret may be read by others */
export function readReceivers(file: string): Receiver[] {
  return parseReceivers(readFileSync(file, 'utf8'), (secret) => {
    assertPrivate(secret)
    return readFileSync(secret, 'utf8').trim()
  })
}

/** @throws SettingsError */
export function parseReceivers(text: string, readSecret: (file: string) => string): Receiver[] {
  const read = fileSchema.safeParse(json(text))
  if (!read.success) throw new SettingsError(`INTERLOCK_SIGNAL_RECEIVERS:\n${z.prettifyError(read.error)}`)
  const { receivers } = read.data
  if (new Set(receivers.map(({ id }) => id)).size !== receivers.length)
    throw new SettingsError('INTERLOCK_SIGNAL_RECEIVERS: two receivers have the same id')
  return receivers.map(({ delivery, events = eventTypes, ...receiver }) => ({
    ...receiver,
    events,
    delivery:
      delivery.method === 'poll'
        ? delivery
        : {
            method: 'push',
            url: delivery.url,
            authorization: delivery.authorizationFile && readSecret(delivery.authorizationFile),
          },
  }))
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
