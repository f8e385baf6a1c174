import { z } from 'zod'
import { humanSchema } from './control.ts'

const der = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/)
  .max(16_000)

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
  /**
   * Humans whose grants and approvals count for a verifier that reads no control.agents, such as a device: it can then check each
   * assertion itself, so that a compromised token service or approval-router cannot invent what a human wants. Without it a
   * device refuses every order.
   */
  humans: z.array(humanSchema).max(256).optional(),
})
export type TrustBundle = z.infer<typeof trustBundleSchema>
