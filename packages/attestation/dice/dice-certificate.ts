import type { KeyObject } from 'node:crypto'

/** What a layer was measured to be (Open DICE Profile, "Input Values"). */
export type DiceInputs = {
  /** Exactly as they entered the derivation. */
  readonly code: Buffer
  readonly configuration: Buffer
  readonly authority: Buffer
  readonly mode: number
}

/** A CDI certificate, X.509 or CBOR, as it says of itself: nothing here is verified but its form. */
export type DiceCertificate = {
  readonly format: 'x509' | 'cbor'
  /** Lower-case hex of 20 bytes. */
  readonly issuer: string
  readonly subject: string
  readonly subjectKey: KeyObject
  readonly inputs: DiceInputs
  /** No certificate may follow it. */
  readonly isLast: boolean
  readonly isSignedBy: (issuer: KeyObject) => boolean
}

export const diceModeNormal = 1
