import { createECDH, createHash, createPrivateKey, createPublicKey, type ECDH, hkdfSync, type KeyObject, sign } from 'node:crypto'
import type { DiceReference } from '@interlock/trust'
import { writeCbor } from '../cose/cbor.ts'
import { coseAlgorithmOf, rawPublicKey } from '../cose/cose-key.ts'
import { coseSign1 } from '../cose/cose-sign1.ts'
import { certificateContext, cwtLabel } from './cbor-certificate.ts'
import { diceId } from './dice-id.ts'
import { x509Of } from './test-x509.ts'
import { diceContext } from './verify-dice.ts'

/** What one layer of a device is. */
export type TestLayer = { readonly code: Buffer; readonly descriptor: Buffer; readonly authority: Buffer; readonly mode: number }

/** How a certificate is made wrong: claims of the CWT, or fields of the X.509 one, are replaced before it is signed. */
export type TestChange = {
  readonly claims?: (claims: Map<number, unknown>) => void
  readonly x509?: Parameters<typeof x509Of>[1]
  readonly signedBy?: KeyObject
}

export type TestDice = {
  readonly udsKey: KeyObject
  readonly leafKey: KeyObject
  readonly chain: Buffer[]
  readonly reference: DiceReference
}

export type TestDiceOptions = {
  readonly format?: 'cbor' | 'x509'
  readonly algorithm?: 'Ed25519' | 'ES256'
  readonly uds?: Buffer
  readonly layers?: readonly TestLayer[]
  /** By layer. */
  readonly changes?: Readonly<Record<number, TestChange>>
}

const asymmetricSalt = Buffer.from(
  '63b6a04d2c077fc10f639f21da793844356cc2b0b441b3a77124035c03f8e1be6035d31f282821a7450a02222ab1b3cff1679b05ab1ca5d1affb789ccd2b0b3b',
  'hex',
)
const kdf = (key: Buffer, salt: Buffer, info: string, length: number) => Buffer.from(hkdfSync('sha512', key, salt, info, length))
const sha512 = (...parts: Buffer[]) => createHash('sha512').update(Buffer.concat(parts)).digest()

export const testLayer = (name: string, change: Partial<TestLayer> = {}): TestLayer => ({
  code: sha512(Buffer.from(`code of ${name}`)),
  descriptor: Buffer.from(`configuration of ${name}`),
  authority: sha512(Buffer.from(`authority of ${name}`)),
  mode: 1,
  ...change,
})

/**
 * A device whose keys are derived from its secret as the Open DICE Profile says ("Computing CDI Values", "Asymmetric Key Pair Derivation"): other code,
 * configuration, authority or mode has other keys. P-256 keys are not derived by RFC 6979's generator but from the seed as it is.
 */
export function testDice({
  format = 'cbor',
  algorithm = 'Ed25519',
  uds = Buffer.alloc(32, 7),
  layers = [testLayer('boot loader'), testLayer('firmware')],
  changes = {},
}: TestDiceOptions = {}): TestDice {
  const udsKey = keyFrom(uds, algorithm)
  const chain: Buffer[] = []
  let [secret, issuerKey] = [uds, udsKey]
  for (const [at, layer] of layers.entries()) {
    const configuration = sha512(layer.descriptor)
    const inputs = sha512(layer.code, configuration, layer.authority, Buffer.of(layer.mode), Buffer.alloc(64))
    secret = kdf(secret, inputs, 'CDI_Attest', 32)
    const subjectKey = keyFrom(secret, algorithm)
    const signer = changes[at]?.signedBy ?? issuerKey
    const about = { issuerKey: createPublicKey(issuerKey), subjectKey: createPublicKey(subjectKey), layer, configuration }
    chain.push(format === 'cbor' ? cwtOf(about, signer, changes[at]) : x509Of(about, { signer, ...changes[at]?.x509 }))
    issuerKey = subjectKey
  }
  return { udsKey, leafKey: issuerKey, chain, reference: referenceOf(udsKey, layers) }
}

/** What the device answers to a challenge. */
export const answerTo = (challenge: Buffer, leafKey: KeyObject, context: string = diceContext.appraisal): Buffer =>
  coseSign1(leafKey, { context, payload: challenge, isDetached: true })

function referenceOf(udsKey: KeyObject, layers: readonly TestLayer[]): DiceReference {
  return {
    udsKey: createPublicKey(udsKey).export({ type: 'spki', format: 'der' }).toString('base64url'),
    layers: layers.map(({ code, descriptor, authority }) => ({
      code: code.toString('base64url'),
      configuration: sha512(descriptor).toString('base64url'),
      authority: authority.toString('base64url'),
    })),
  }
}

function keyFrom(secret: Buffer, algorithm: 'Ed25519' | 'ES256'): KeyObject {
  const seed = kdf(secret, asymmetricSalt, 'Key Pair', 32)
  if (algorithm === 'Ed25519') {
    const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
    return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  }
  const pair: ECDH = createECDH('prime256v1')
  pair.setPrivateKey(seed)
  const point = pair.getPublicKey()
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((bytes) => bytes.toString('base64url'))
  return createPrivateKey({ key: { kty: 'EC', crv: 'P-256', d: seed.toString('base64url'), x, y } as never, format: 'jwk' })
}

/** What a certificate is about. */
export type TestSubject = {
  readonly issuerKey: KeyObject
  readonly subjectKey: KeyObject
  readonly layer: TestLayer
  readonly configuration: Buffer
}

function cwtOf(
  { issuerKey, subjectKey, layer, configuration }: TestSubject,
  signer: KeyObject,
  change: TestChange | undefined,
): Buffer {
  const claims = new Map<number, unknown>([
    [cwtLabel.issuer, diceId(issuerKey)],
    [cwtLabel.subject, diceId(subjectKey)],
    [cwtLabel.codeHash, layer.code],
    [cwtLabel.configurationHash, configuration],
    [cwtLabel.configurationDescriptor, layer.descriptor],
    [cwtLabel.authorityHash, layer.authority],
    [cwtLabel.mode, Buffer.of(layer.mode)],
    [cwtLabel.subjectPublicKey, coseKeyOf(subjectKey)],
    [cwtLabel.keyUsage, Buffer.of(0x20)],
  ])
  change?.claims?.(claims)
  return coseSign1(signer, { context: certificateContext, payload: writeCbor(claims), isDetached: false })
}

export function coseKeyOf(key: KeyObject): Buffer {
  const raw = rawPublicKey(key)
  const isEd25519 = coseAlgorithmOf(key) === -8
  const head: [number, unknown][] = isEd25519
    ? [
        [1, 1],
        [3, -8],
        [4, [2]],
        [-1, 6],
        [-2, raw],
      ]
    : [
        [1, 2],
        [3, -7],
        [4, [2]],
        [-1, 1],
        [-2, raw.subarray(0, 32)],
        [-3, raw.subarray(32)],
      ]
  return writeCbor(new Map(head))
}

/** A signature as X.509 has it. */
export const derSignature = (key: KeyObject, bytes: Buffer): Buffer =>
  key.asymmetricKeyType === 'ed25519' ? sign(null, bytes, key) : sign('sha256', bytes, key)
