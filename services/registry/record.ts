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
