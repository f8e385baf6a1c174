import type { SpiffeId } from '@interlock/contracts'
import {
  type AttestationKey,
  activateCredential,
  createPrimary,
  flushContext,
  handle,
  identified,
  nvRead,
  openAttestationKey,
  openSigningKey,
  p384Endorsement,
  pcrRead,
  type TpmEs256Key,
  type TpmTransport,
} from '@interlock/tpm'
import type { SigningKey } from '@interlock/trust'
import { bytesOf, chainOf, post, textOf } from './registry-client.ts'

export type Enrolment = {
  /** Origin of the registry. */
  readonly registry: string
  readonly transport: TpmTransport
  /** PCRs that the registry wants quoted. */
  readonly pcrs: readonly number[]
  /** Certificates between the endorsement certificate and its vendor's root, DER; the TPM holds the leaf alone. */
  readonly intermediates?: readonly Buffer[]
  /** Reads what the firmware measured, where the admission judges a boot by its events: it grows until the kernel runs. */
  readonly eventLog?: () => Buffer
}

/** An agent's key in the TPM with the certificate that the registry gave it. */
export type EnrolledAgent = { readonly key: SigningKey; readonly close: () => Promise<void> }

/** Enrols an agent's host: proves the TPM, what was booted, and a key in it; the certificate is for that key. `admission` is the operator's. @throws EnrolmentError, TpmError */
export function enrolAgent(enrolment: Enrolment, admission: string): Promise<EnrolledAgent> {
  return withKeys(enrolment, async (attestationKey, key) => {
    const { id, nonce, secret } = await activate(enrolment, attestationKey, admission)
    const body = { secret: textOf(secret), evidence: await evidenceOf(enrolment, { attestationKey, key, nonce }) }
    return agentOf(key, await post(enrolment.registry, `/enrolments/${id}`, body))
  })
}

/** A fresh certificate for the same agent: at half of the life of the one it has. @throws EnrolmentError, TpmError */
export function renewAgent(enrolment: Enrolment, subject: string): Promise<EnrolledAgent> {
  return withKeys(enrolment, async (attestationKey, key) => {
    const { id, nonce } = await challengeOf(enrolment, subject)
    const body = { evidence: await evidenceOf(enrolment, { attestationKey, key, nonce }) }
    return agentOf(key, await post(enrolment.registry, `/renewals/${id}`, body))
  })
}

/** Enrols a device: its acks will count by the attestation key. @throws EnrolmentError, TpmError */
export async function enrolDevice(enrolment: Enrolment, admission: string): Promise<void> {
  const attestationKey = await openAttestationKey(enrolment.transport)
  try {
    const { id, nonce, secret } = await activate(enrolment, attestationKey, admission)
    const evidence = await evidenceOf(enrolment, { attestationKey, nonce })
    await post(enrolment.registry, `/enrolments/${id}`, { secret: textOf(secret), evidence })
  } finally {
    await attestationKey.close()
  }
}

/** A fresh appraisal of a device. @throws EnrolmentError, TpmError */
export async function reappraiseDevice(enrolment: Enrolment, subject: string): Promise<void> {
  const attestationKey = await openAttestationKey(enrolment.transport)
  try {
    const { id, nonce } = await challengeOf(enrolment, subject)
    await post(enrolment.registry, `/renewals/${id}`, { evidence: await evidenceOf(enrolment, { attestationKey, nonce }) })
  } finally {
    await attestationKey.close()
  }
}

/** The label that the agent's key is derived by: the same key at each start. */
export const keyLabel = 'interlock agent'

async function withKeys<Value>(
  { transport }: Enrolment,
  work: (attestationKey: AttestationKey, key: TpmEs256Key) => Promise<Value>,
): Promise<Value> {
  const attestationKey = await openAttestationKey(transport)
  try {
    const key = await openSigningKey(transport, keyLabel)
    try {
      return await work(attestationKey, key)
    } catch (error) {
      await key.close()
      throw error
    }
  } finally {
    await attestationKey.close()
  }
}

async function activate(
  { registry, transport, intermediates = [] }: Enrolment,
  attestationKey: AttestationKey,
  admission: string,
) {
  const endorsement = await createPrimary(transport, handle.endorsement, p384Endorsement.publicArea)
  try {
    const leaf = await nvRead(transport, p384Endorsement.certificateIndex)
    const begun = await post(registry, '/enrolments', {
      admission,
      endorsementChain: [leaf, ...intermediates].map(textOf),
      endorsementKey: textOf(endorsement.publicArea),
      attestationKey: textOf(attestationKey.publicArea),
    })
    const credential = { credentialBlob: bytesOf(begun.credentialBlob), encryptedSecret: bytesOf(begun.encryptedSecret) }
    const secret = await activateCredential(transport, {
      attestationKey: attestationKey.handle,
      endorsementKey: endorsement.handle,
      policy: p384Endorsement.policy,
      credential,
    })
    return { id: String(begun.id), nonce: bytesOf(begun.nonce), secret }
  } finally {
    await flushContext(transport, endorsement.handle)
  }
}

async function challengeOf({ registry }: Enrolment, subject: string) {
  const { id, nonce } = await post(registry, '/challenges', { subject })
  return { id: String(id), nonce: bytesOf(nonce) }
}

async function evidenceOf(
  { pcrs, transport, eventLog }: Enrolment,
  { attestationKey, key, nonce }: { attestationKey: AttestationKey; key?: TpmEs256Key; nonce: Buffer },
) {
  const quote = await attestationKey.quote({ qualifyingData: nonce, pcrs })
  const evidence = { quote: attestedText(quote), ...(eventLog && { boot: await bootOf({ transport, pcrs, eventLog }) }) }
  if (!key) return evidence
  const certified = await attestationKey.certify({ object: key, qualifyingData: nonce })
  return { ...evidence, key: { ...attestedText(certified), publicArea: textOf(key.publicArea) } }
}

async function bootOf({ transport, pcrs, eventLog }: Required<Pick<Enrolment, 'transport' | 'pcrs' | 'eventLog'>>) {
  const values = await pcrRead(transport, pcrs)
  return { eventLog: textOf(eventLog()), pcrValues: pcrs.map((pcr) => textOf(values.get(pcr) as Buffer)) }
}

function agentOf(key: TpmEs256Key, admitted: Record<string, unknown>): EnrolledAgent {
  return { key: identified(key, admitted.subject as SpiffeId, chainOf(admitted)), close: () => key.close() }
}

const attestedText = ({ attest, signature }: { attest: Uint8Array; signature: Uint8Array }) => ({
  attest: textOf(attest),
  signature: textOf(signature),
})
