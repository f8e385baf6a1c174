import type { Parts } from './parts.ts'

/**
 * Ends an agent's certificates, and with them every token that is bound to one (RFC 8705), at each stage and on each device, wherever in a
 * chain it stands. For good: who is found well again is certified anew, and asks for new tokens. @throws RegistryError
 */
export async function withdrawCertificates(
  subject: string,
  reason: string,
  { issued, revocations, log, now }: Pick<Parts, 'issued' | 'revocations' | 'log' | 'now'>,
): Promise<void> {
  const revoked = revocations()
  for (const { thumbprint } of issued.of(subject, now()))
    if (!revoked.has(`certificate:${thumbprint}`))
      await log.revoked({ kind: 'certificate', subject: thumbprint, from: now(), reason })
}
