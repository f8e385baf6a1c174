import { type CertificateRecord, type Known, readCertificate, signAttestationResult, thumbprint } from '@interlock/trust'
import type { Parts } from './parts.ts'

/** Writes down what was found and what is about to be issued; a promise that resolves means that it is kept. */
export async function record(
  known: Known,
  chain: readonly Buffer[],
  { key, log, issued }: Pick<Parts, 'key' | 'log' | 'issued'>,
): Promise<void> {
  const { subject, appraisedAt } = known
  const certificate = recordOf(chain)
  await log.appraised({
    subject,
    status: known.kind === 'software' ? 'none' : 'affirming',
    reason: '',
    certificate: certificate?.thumbprint ?? '',
    result: await signAttestationResult({ ...known, ...(certificate && { certificate }) }, key),
    appraisedAt,
  })
  if (certificate) issued.add({ ...certificate, subject }, appraisedAt)
}

function recordOf([leaf, authority]: readonly Buffer[]): CertificateRecord | undefined {
  const read = leaf && readCertificate(leaf)
  if (!leaf || !authority || !read?.ok) return undefined
  const { serial, notAfterMs, definitionHash = '' } = read.value
  return { thumbprint: thumbprint(leaf), authority: thumbprint(authority), serial, notAfterMs, definitionHash }
}
