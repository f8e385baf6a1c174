import { createHash, type KeyObject } from 'node:crypto'
import { type KnownPlatform, type KnownSoftware, signAttestationResult, thumbprint } from '@interlock/trust'
import type { Parts } from './parts.ts'

/** Writes down what was found and what is about to be issued; a promise that resolves means that it is kept. */
export async function record(
  known: KnownPlatform | KnownSoftware,
  chain: readonly Buffer[],
  { key, log }: Pick<Parts, 'key' | 'log'>,
): Promise<void> {
  const [leaf] = chain
  await log.appraised({
    subject: known.subject,
    status: known.kind === 'platform' ? 'affirming' : 'none',
    reason: '',
    certificate: leaf ? thumbprint(leaf) : '',
    result: await signAttestationResult(known, key),
    appraisedAt: known.appraisedAt,
  })
}

/** base64url SHA-256 of a certified key's SubjectPublicKeyInfo; empty where there is none. */
export const keyDigest = (key: KeyObject | undefined): string =>
  key
    ? createHash('sha256')
        .update(key.export({ type: 'spki', format: 'der' }))
        .digest('base64url')
    : ''
