import type { KeyObject } from 'node:crypto'
import { diceId } from './dice-id.ts'
import { derSignature, type TestSubject } from './test-dice.ts'

export type X509Change = {
  readonly signer: KeyObject
  readonly issuer?: string
  readonly subject?: string
  readonly serial?: string
  readonly subjectKeyId?: string
  readonly authorityKeyId?: string
  /** DER of KeyUsage. */
  readonly keyUsage?: string
  /** DER of BasicConstraints. */
  readonly basicConstraints?: string
  /** DER of OpenDiceInput. */
  readonly input?: Buffer
  readonly isInputCritical?: boolean
  readonly extra?: Buffer
  readonly algorithm?: Buffer
}

export function der(tag: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...size), content])
}
const hex = (text: string) => Buffer.from(text, 'hex')
const sequence = (...contents: Uint8Array[]) => der(0x30, ...contents)
const name = (id: string) => sequence(der(0x31, sequence(hex('0603550405'), der(0x13, Buffer.from(id)))))
export const extension = (oid: string, isCritical: boolean, value: Uint8Array) =>
  sequence(hex(oid), ...(isCritical ? [hex('0101ff')] : []), der(0x04, value))

export const inputField = (number: number, value: Buffer, tag = 0x04) => der(0xa0 + number, der(tag, value))

export function openDiceInput({ layer, configuration }: TestSubject): Buffer {
  return sequence(
    inputField(0, layer.code),
    inputField(2, configuration),
    inputField(3, layer.descriptor),
    inputField(4, layer.authority),
    inputField(6, Buffer.of(layer.mode), 0x02),
  )
}

const diceInputOid = '060a2b06010401d67902 0118'.replace(' ', '')

/** A CDI certificate of the Open DICE Profile, "X.509 CDI Certificates", in which each field can be another. */
export function x509Of(about: TestSubject, change: Partial<X509Change> & { signer: KeyObject }): Buffer {
  const [issuer, subject] = [diceId(about.issuerKey), diceId(about.subjectKey)]
  const isEd25519 = change.signer.asymmetricKeyType === 'ed25519'
  const algorithm = change.algorithm ?? sequence(hex(isEd25519 ? '06032b6570' : '06082a8648ce3d040302'))
  const extensions = [
    extension('0603551d23', false, sequence(der(0x80, hex(change.authorityKeyId ?? issuer)))),
    extension('0603551d0e', false, der(0x04, hex(change.subjectKeyId ?? subject))),
    extension('0603551d0f', true, hex(change.keyUsage ?? '03020204')),
    extension('0603551d13', true, hex(change.basicConstraints ?? '30030101ff')),
    extension(diceInputOid, change.isInputCritical ?? true, change.input ?? openDiceInput(about)),
    ...(change.extra ? [change.extra] : []),
  ]
  const tbs = sequence(
    hex('a003020102'),
    der(0x02, minimal(hex(change.serial ?? subject))),
    algorithm,
    name(change.issuer ?? issuer),
    sequence(der(0x17, Buffer.from('180322235959Z')), der(0x18, Buffer.from('99991231235959Z'))),
    name(change.subject ?? subject),
    about.subjectKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  )
  return sequence(tbs, algorithm, der(0x03, Buffer.of(0), derSignature(change.signer, tbs)))
}

/** An INTEGER has no leading zeros that it does not need. */
function minimal(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0)
  const rest = bytes.subarray(first)
  return (rest[0] as number) & 0x80 ? Buffer.concat([Buffer.of(0), rest]) : rest
}
