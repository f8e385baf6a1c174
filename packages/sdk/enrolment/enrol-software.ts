import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { digest, type SigningKey, signingKey } from '@interlock/trust'
import { createCertificateRequest } from '@interlock/trust/certificate-request'
import { signAgentAssertion } from '../orchestrator/agent-assertion.ts'
import { chainOf, post, textOf } from './registry-client.ts'

/** A key with the certificates that the registry gave it, leaf first. */
export type CertifiedKey = { readonly privateKey: KeyObject; readonly chain: readonly Buffer[] }

export const newAgentKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

/** An agent without a TPM: devices that demand one will refuse it. `admission` is the operator's. @throws EnrolmentError */
export async function enrolSoftwareAgent(registry: string, admission: string, privateKey = newAgentKey()): Promise<CertifiedKey> {
  const csr = textOf(await createCertificateRequest(privateKey))
  return { privateKey, chain: chainOf(await post(registry, '/agents', { admission, csr })) }
}

/** The next certificate, by the key of the one that counts now, for a fresh key. @throws EnrolmentError */
export async function renewSoftwareAgent(registry: string, key: SigningKey, privateKey = newAgentKey()): Promise<CertifiedKey> {
  const csr = await createCertificateRequest(privateKey)
  const assertion = await assertionAbout({ purpose: 'renewal', csr: digest(csr) }, key)
  return { privateKey, chain: chainOf(await post(registry, '/agents/renewals', { assertion, csr: textOf(csr) })) }
}

/**
 * Brings up a sub-agent: an agent of its own, with a certificate that ends with its parent's at the latest, and that counts as long as the parent does. To renew
 * it, do it again. `subject` is its SPIFFE ID; the parent's definition must name its definition (`subAgents`). @throws EnrolmentError
 */
export async function enrolSubAgent(
  registry: string,
  parent: SigningKey,
  subject: string,
  privateKey = newAgentKey(),
): Promise<SigningKey> {
  const csr = await createCertificateRequest(privateKey)
  const assertion = await assertionAbout({ purpose: 'sub-agent', csr: digest(csr), subject }, parent)
  return signingKey(privateKey, chainOf(await post(registry, '/agents/sub-agents', { assertion, subject, csr: textOf(csr) })))
}

/** What the registry, which is of the agent's own trust domain, is asked for: the assertion is for this request and no other (ATTACKS 36). */
function assertionAbout(request: Readonly<Record<string, string>>, key: SigningKey): Promise<string> {
  return signAgentAssertion(key, `spiffe://${key.spiffeId.split('/')[2]}/service/registry`, 'client', Date.now(), request)
}
