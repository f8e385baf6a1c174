import type { KeyObject } from 'node:crypto'
import { coseSign1, diceContext } from '@interlock/attestation'
import { bytesOf, post, textOf } from './registry-client.ts'

/** What a device's DICE hands to the software that it started. */
export type DiceIdentity = {
  /** CDI certificates, X.509 DER or CBOR, that of the first layer first. */
  readonly chain: readonly Buffer[]
  /** Private key of the last layer, Ed25519 or P-256. */
  readonly leafKey: KeyObject
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
