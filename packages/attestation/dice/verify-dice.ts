import { createPublicKey, type KeyObject } from 'node:crypto'
import { accepted, type Result, refused } from '@interlock/contracts'
import type { DiceReference } from '@interlock/trust'
import { coseAlgorithmOf } from '../cose/cose-key.ts'
import { isCoseSignedBy, readCoseSign1 } from '../cose/cose-sign1.ts'
import { readCborDiceCertificate } from './cbor-certificate.ts'
import { type DiceCertificate, type DiceInputs, diceModeNormal } from './dice-certificate.ts'
import { diceId } from './dice-id.ts'
import type { DiceReason } from './dice-reason.ts'
import { readX509DiceCertificate } from './x509-certificate.ts'

/** What a device sends of itself. The sender's word, all of it. */
export type DiceEvidence = {
  readonly kind: 'dice'
  /** CDI certificates, X.509 DER or CBOR, that of the first layer first. The UDS's own is not among them: its key is pinned. */
  readonly chain: readonly Buffer[]
  /** COSE_Sign1 by the last layer's key over the challenge, which is detached. */
  readonly answer: Buffer
}

export type AppraisedDice = {
  readonly kind: 'dice'
  /** SubjectPublicKeyInfo of the last layer's key. */
  readonly leafKey: Buffer
}

/** For what the last layer's key signs (RFC 9052 external_aad): a signature for one is none for another, nor a certificate's. */
export const diceContext = { appraisal: 'interlock/dice/appraisal/v1', ack: 'interlock/dice/ack/v1' } as const

const layersMax = 8
const certificateBytesMax = 8192
const answerBytesMax = 1024
const challengeBytesMin = 16

/**
 * Whether the device with the pinned UDS key runs exactly what the reference values say, now: `challenge` is ours, fresh, and counts
 * once. That it does is the caller's to keep. Pure.
 */
export function verifyDice(
  { chain, answer }: DiceEvidence,
  { challenge, reference }: { readonly challenge: Uint8Array; readonly reference: DiceReference },
): Result<AppraisedDice, DiceReason> {
  if (challenge.length < challengeBytesMin) return refused('challenge-too-short', { bytesMin: challengeBytesMin })
  const udsKey = pinnedKey(reference.udsKey)
  if (!udsKey) return refused('uds-key')
  if (chain.length === 0 || chain.length > layersMax) return refused('chain-length', { max: layersMax })

  const links = verifyLinks(chain, udsKey)
  if (!links.ok) return links
  const { leafKey, layers } = links.value
  const unproved = unanswered(leafKey, answer, challenge)
  if (unproved) return refused(unproved)
  // From here on it is the device that speaks; what remains is whether it is as it shall be.
  if (layers.length !== reference.layers.length) return refused('layers', { layers: layers.length })
  for (const [layer, inputs] of layers.entries()) {
    const wrong = wrongInput(inputs, reference.layers[layer])
    if (wrong) return refused(wrong, { layer })
  }
  return accepted({ kind: 'dice', leafKey: leafKey.export({ type: 'spki', format: 'der' }) })
}

type Links = { readonly leafKey: KeyObject; readonly layers: readonly DiceInputs[] }

function verifyLinks(chain: readonly Buffer[], udsKey: KeyObject): Result<Links, DiceReason> {
  const layers: DiceInputs[] = []
  let leafKey = udsKey
  let isOver = false
  for (const [layer, bytes] of chain.entries()) {
    const certificate = readDiceCertificate(bytes)
    if (!certificate) return refused('certificate-malformed', { layer })
    const wrong = isOver ? 'certificate-after-last' : wrongLink(certificate, leafKey)
    if (wrong) return refused(wrong, { layer })
    leafKey = certificate.subjectKey
    isOver = certificate.isLast
    layers.push(certificate.inputs)
  }
  return accepted({ leafKey, layers })
}

/** By its first byte: a SEQUENCE of DER, or a CBOR array of four. */
function readDiceCertificate(bytes: Buffer): DiceCertificate | undefined {
  if (bytes.length > certificateBytesMax) return undefined
  return bytes[0] === 0x30 ? readX509DiceCertificate(bytes) : readCborDiceCertificate(bytes)
}

/** A name is derived from a key, so that a chain of names is one of keys; the signature makes it a chain at all. */
function wrongLink({ issuer, subject, subjectKey, isSignedBy }: DiceCertificate, issuerKey: KeyObject): DiceReason | undefined {
  if (coseAlgorithmOf(subjectKey) === undefined) return 'leaf-key'
  if (issuer !== diceId(issuerKey)) return 'certificate-issuer'
  if (!isSignedBy(issuerKey)) return 'certificate-signature'
  return subject === diceId(subjectKey) ? undefined : 'certificate-subject'
}

function wrongInput(inputs: DiceInputs, layer: DiceReference['layers'][number] | undefined): DiceReason | undefined {
  if (!layer) return 'layers'
  // Whatever is not normal is not secure: an undefined mode counts as not configured ("Mode Value Details").
  if (inputs.mode !== diceModeNormal) return 'mode'
  return (['code', 'configuration', 'authority'] as const).find((name) => inputs[name].toString('base64url') !== layer[name])
}

function unanswered(key: KeyObject, answer: Buffer, challenge: Uint8Array): DiceReason | undefined {
  const message = answer.length <= answerBytesMax ? readCoseSign1(answer) : undefined
  if (!message || message.payload) return 'answer-malformed'
  return isCoseSignedBy(key, message, { context: diceContext.appraisal, payload: challenge }) ? undefined : 'answer-signature'
}

/** A SubjectPublicKeyInfo of Ed25519 or P-256, base64url. */
export function pinnedKey(text: string): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(text, 'base64url'), type: 'spki', format: 'der' })
    return coseAlgorithmOf(key) === undefined ? undefined : key
  } catch {
    return undefined
  }
}
