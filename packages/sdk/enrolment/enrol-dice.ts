import { createPrivateKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { coseSign1, diceContext } from '@interlock/attestation'
import { assertPrivate } from '@interlock/trust'
import { z } from 'zod'
import { bytesOf, EnrolmentError, post, textOf } from './registry-client.ts'

/** What a device's DICE hands to the software that it started. */
export type DiceIdentity = {
  /** CDI certificates, X.509 DER or CBOR, that of the first layer first. */
  readonly chain: readonly Buffer[]
  /** Private key of the last layer, Ed25519 or P-256. */
  readonly leafKey: KeyObject
}

const fileSchema = z.strictObject({
  chain: z
    .array(z.string().regex(/^[A-Za-z0-9_-]+$/))
    .min(1)
    .max(8),
  /** PKCS#8, PEM. */
  leafKey: z.string(),
})

/** What a DICE handed over, kept in a file: JSON with `chain` (base64url) and `leafKey` (PEM). @throws EnrolmentError `dice-malformed`, SigningKeyError where others may read it */
export function readDiceIdentity(path: string): DiceIdentity {
  assertPrivate(path)
  try {
    const { chain, leafKey } = fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
    return { chain: chain.map(bytesOf), leafKey: createPrivateKey(leafKey) }
  } catch (error) {
    throw new EnrolmentError(
      'dice-malformed',
      `${path} is not what a DICE hands over (${error instanceof Error ? error.name : 'unreadable'})`,
    )
  }
}

/** Enrols a device by its DICE: its acks will count by the last layer's key. `admission` is the operator's. @throws EnrolmentError */
export async function enrolDiceDevice(registry: string, identity: DiceIdentity, admission: string): Promise<void> {
  const { id, nonce } = await post(registry, '/dice/enrolments', { admission })
  await post(registry, `/dice/enrolments/${id}`, { admission, evidence: evidenceOf(identity, bytesOf(nonce)) })
}

/** A fresh appraisal of an enrolled device. @throws EnrolmentError */
export async function reappraiseDiceDevice(registry: string, identity: DiceIdentity, subject: string): Promise<void> {
  const { id, nonce } = await post(registry, '/challenges', { subject })
  await post(registry, `/renewals/${id}`, { evidence: evidenceOf(identity, bytesOf(nonce)) })
}

function evidenceOf({ chain, leafKey }: DiceIdentity, nonce: Buffer) {
  const answer = coseSign1(leafKey, { context: diceContext.appraisal, payload: nonce, isDetached: true })
  return { kind: 'dice', chain: chain.map(textOf), answer: textOf(answer) }
}
