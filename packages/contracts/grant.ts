import { z } from 'zod'
import { grantsSchema } from './authorization-details.ts'

const spiffeId = z.string().max(2048)
const time = z.int().min(0).max(253_402_300_799_999)

/** What a human reads and signs to start a job. The digest of its canonical JSON is the WebAuthn challenge. */
export const grantRequestSchema = z.strictObject({
  /** An assertion over an approval's request must not pass for one over this. */
  kind: z.literal('grant'),
  human: z.string().min(1).max(256),
  job: z.string().min(1).max(128),
  /** SPIFFE ID of the agent that gets the root token. */
  orchestrator: spiffeId,
  audience: z.string().max(256),
  grants: grantsSchema,
  /** SPIFFE IDs to whom the orchestrator may delegate on; the root token may name fewer. */
  mayDelegateTo: z.array(spiffeId).max(16),
  /** The grants in plain words, as they were shown. */
  summary: z.string().max(4000),
  /** No token of the job is valid outside of these, milliseconds since 1970. */
  from: time,
  until: time,
  /** base64url, 32 random bytes. */
  nonce: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
})

const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/)

/** A human's assertion over a grant request or a standing grant, as it travels in the root token. Bytes are base64url. */
export const consentSchema = z.strictObject({
  /** Canonical JSON of what was signed. */
  request: base64url.max(32_768),
  credentialId: base64url.max(1400),
  authenticatorData: base64url.max(5500),
  clientDataJson: base64url.max(11_000),
  signature: base64url.max(1400),
})

const thumbprint = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

type Actor = { sub: string; act?: Actor | undefined }
/** RFC 8693 §4.1: the outermost `act` is who acts now, inner ones are history and grant nothing. */
export const actorSchema: z.ZodType<Actor> = z.lazy(() =>
  z.strictObject({ sub: z.string().max(2048), act: actorSchema.optional() }),
)

/** Claims of a task token (JWT, `typ: task+jwt`). */
export const taskTokenClaimsSchema = z.strictObject({
  /** Who signed it: the token service for a root, the parent's actor for a child made offline. */
  iss: z.string().max(2048),
  /** The human for whom it is done; the same in the whole chain. */
  sub: z.string().min(1).max(256),
  aud: z.string().max(256),
  iat: z.int(),
  nbf: z.int().optional(),
  exp: z.int(),
  jti: z.string().min(16).max(64),
  job: z.string().min(1).max(128),
  act: actorSchema,
  cnf: z.strictObject({
    /** RFC 8705: SHA-256 of the DER certificate of the actor. */
    'x5t#S256': thumbprint,
    /** RFC 9449: RFC 7638 thumbprint of that certificate's key, where it was asked for with DPoP. Never in place of the certificate. */
    jkt: thumbprint.optional(),
  }),
  authorization_details: grantsSchema,
  /** base64url SHA-256 of the parent token's signing input (header.payload); absent in a root only. */
  parent: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/)
    .optional(),
  /** In a root only: without the human's own signature the token service could invent what a human wants. */
  consent: consentSchema.optional(),
  /** SPIFFE IDs to whom the actor may delegate on; absent means nobody. */
  may_act: z.strictObject({ sub: z.array(z.string().max(2048)).min(1).max(16) }).optional(),
})

export type TaskTokenClaims = z.infer<typeof taskTokenClaimsSchema>
export type GrantRequest = z.infer<typeof grantRequestSchema>
export type Consent = z.infer<typeof consentSchema>
