import { z } from 'zod'

const der = z.string().regex(/^[A-Za-z0-9_-]+$/).max(16_000)

/**
 * All that an offline verifier trusts, in one file: roots by trust domain, and the certificates of those who sign. It is an
 * argument everywhere, never ambient; whoever can write the file is trusted like the roots in it.
 */
export const trustBundleSchema = z.strictObject({
  format: z.literal('interlock-trust-bundle-v1'),
  trustDomain: z.string().min(1).max(255),
  /** Audience that proofs and task tokens must name. */
  audience: z.string().min(1).max(256),
  /** Root certificates, DER base64url, by trust domain. */
  roots: z.record(z.string(), z.array(der).min(1).max(8)),
  /** CRLs, DER base64url, newest per issuer. */
  crls: z.array(der).max(32),
  /** Leaf-first certificate chains (without root) of the enforcers, services and operators whose statements count. */
  signers: z.array(z.array(der).min(1).max(4)).min(1).max(64),
  /** Origin and RP ID that WebAuthn assertions must carry. */
  webauthn: z.strictObject({ rpId: z.string().max(255), origins: z.array(z.string().max(400)).min(1).max(8) }),
})
export type TrustBundle = z.infer<typeof trustBundleSchema>
