import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { writeCbor } from '../cose/cbor.ts'
import { cwtLabel } from './cbor-certificate.ts'
import { diceId } from './dice-id.ts'
import { answerTo, coseKeyOf, type TestChange, type TestDice, type TestDiceOptions, testDice, testLayer } from './test-dice.ts'
import { der, extension, inputField, type X509Change } from './test-x509.ts'
import { diceContext, verifyDice } from './verify-dice.ts'

const challenge = Buffer.alloc(32, 3)

function reasonOf({ chain, leafKey, reference }: TestDice, answer = answerTo(challenge, leafKey)): string {
  const appraised = verifyDice({ kind: 'dice', chain, answer }, { challenge, reference })
  return appraised.ok ? 'ok' : appraised.reason
}
const made = (options: TestDiceOptions) => reasonOf(testDice(options))
const stranger = generateKeyPairSync('ed25519').privateKey
const publicKeyOf = (key: KeyObject) => createPublicKey(key)

describe('a device with a DICE', () => {
  it.each([
    ['CBOR, Ed25519', { format: 'cbor', algorithm: 'Ed25519' }],
    ['CBOR, P-256', { format: 'cbor', algorithm: 'ES256' }],
    ['X.509, Ed25519', { format: 'x509', algorithm: 'Ed25519' }],
    ['X.509, P-256', { format: 'x509', algorithm: 'ES256' }],
  ] as const)('is appraised by its chain: %s', (_, options) => {
    const device = testDice(options)
    const appraised = verifyDice(
      { kind: 'dice', chain: device.chain, answer: answerTo(challenge, device.leafKey) },
      { challenge, reference: device.reference },
    )
    const leafKey = publicKeyOf(device.leafKey).export({ type: 'spki', format: 'der' })
    expect(appraised).toMatchObject({ ok: true, value: { leafKey } })
  })

  it('may have certificates of both kinds in one chain', () => {
    const [cbor, x509] = [testDice({ format: 'cbor' }), testDice({ format: 'x509' })]
    expect(reasonOf({ ...cbor, chain: [cbor.chain[0] as Buffer, x509.chain[1] as Buffer] })).toBe('ok')
  })

  it('may have a configuration of 64 bytes that is no hash', () => {
    const descriptor = Buffer.alloc(64, 9)
    const layers = [testLayer('firmware', { descriptor })]
    const device = testDice({ layers, changes: { 0: { claims: (claims) => claims.delete(cwtLabel.configurationHash) } } })
    const reference = {
      ...device.reference,
      layers: [{ ...device.reference.layers[0], configuration: descriptor.toString('base64url') }],
    }
    expect(reasonOf({ ...device, reference: reference as TestDice['reference'] })).toBe('ok')
    expect(reasonOf(device)).toBe('configuration')
  })

  it('has, by the profile’s derivations from a secret of zeros, the name that all such devices have', () => {
    const { udsKey } = testDice({ uds: Buffer.alloc(32) })
    expect(diceId(publicKeyOf(udsKey))).toBe('7a06eee41b789f4863d86b8778b1a201a6fedd56')
  })

  it('has a name that is derived from its key and begins with a zero bit', () => {
    for (let at = 0; at < 16; at++) {
      const id = diceId(publicKeyOf(generateKeyPairSync('ed25519').privateKey))
      expect(id).toMatch(/^[0-7][0-9a-f]{39}$/)
    }
  })
})

describe('it is refused', () => {
  const device = testDice()
  const layers = [testLayer('boot loader'), testLayer('firmware')]
  const other = (change: Parameters<typeof testLayer>[1]) => {
    const changed = testDice({ layers: [testLayer('boot loader'), testLayer('firmware', change)] })
    return reasonOf({ ...changed, reference: device.reference })
  }

  it.each([
    ['other code', () => other({ code: Buffer.alloc(64, 1) }), 'code'],
    ['another configuration', () => other({ descriptor: Buffer.from('debug = on') }), 'configuration'],
    ['another authority', () => other({ authority: Buffer.alloc(64, 1) }), 'authority'],
    ['mode 0, not configured', () => other({ mode: 0 }), 'mode'],
    ['mode 2, debug', () => other({ mode: 2 }), 'mode'],
    ['mode 3, recovery', () => other({ mode: 3 }), 'mode'],
    ['an undefined mode', () => other({ mode: 7 }), 'mode'],
    [
      'a layer more',
      () => reasonOf({ ...testDice({ layers: [...layers, testLayer('more')] }), reference: device.reference }),
      'layers',
    ],
    ['a layer less', () => reasonOf({ ...testDice({ layers: layers.slice(0, 1) }), reference: device.reference }), 'layers'],
    [
      'the secret of another device',
      () => reasonOf({ ...testDice({ uds: Buffer.alloc(32, 8) }), reference: device.reference }),
      'certificate-issuer',
    ],
    ['no certificates', () => reasonOf({ ...device, chain: [] }), 'chain-length'],
    ['nine certificates', () => reasonOf({ ...device, chain: Array(9).fill(device.chain[0]) }), 'chain-length'],
    ['certificates swapped', () => reasonOf({ ...device, chain: device.chain.toReversed() }), 'certificate-issuer'],
    ['a certificate of 8 kB and more', () => reasonOf({ ...device, chain: [Buffer.alloc(8193, 0x30)] }), 'certificate-malformed'],
    [
      'a reference that pins no key',
      () => reasonOf({ ...device, reference: { ...device.reference, udsKey: 'AAAA' } }),
      'uds-key',
    ],
  ])('for %s', (_, reason, expected) => expect(reason()).toBe(expected))

  it.each([
    ['another challenge', () => answerTo(Buffer.alloc(32, 4), device.leafKey), 'answer-signature'],
    ['another key', () => answerTo(challenge, stranger), 'answer-signature'],
    [
      'the key of the layer before',
      () => answerTo(challenge, testDice({ layers: layers.slice(0, 1) }).leafKey),
      'answer-signature',
    ],
    ['the same signed as an ack', () => answerTo(challenge, device.leafKey, diceContext.ack), 'answer-signature'],
    ['the same signed as a certificate', () => answerTo(challenge, device.leafKey, ''), 'answer-signature'],
    [
      'the algorithm of another key',
      () => writeCbor([writeCbor(new Map([[1, -7]])), new Map(), null, Buffer.alloc(64)]),
      'answer-signature',
    ],
    [
      'a header beside the algorithm',
      () =>
        writeCbor([
          writeCbor(
            new Map<number, unknown>([
              [1, -8],
              [2, [99]],
            ]),
          ),
          new Map(),
          null,
          Buffer.alloc(64),
        ]),
      'answer-malformed',
    ],
    [
      'an unprotected header',
      () => writeCbor([writeCbor(new Map([[1, -8]])), new Map([[4, Buffer.of(1)]]), null, Buffer.alloc(64)]),
      'answer-malformed',
    ],
    [
      'a payload of its own',
      () => writeCbor([writeCbor(new Map([[1, -8]])), new Map(), challenge, Buffer.alloc(64)]),
      'answer-malformed',
    ],
    [
      'a kilobyte and more',
      () => writeCbor([writeCbor(new Map([[1, -8]])), new Map(), null, Buffer.alloc(1025)]),
      'answer-malformed',
    ],
    ['bytes after the message', () => Buffer.concat([answerTo(challenge, device.leafKey), Buffer.of(0)]), 'answer-malformed'],
  ])('for an answer by %s', (_, answer, expected) => expect(reasonOf(device, answer())).toBe(expected))

  it('for a challenge of less than 16 bytes', () => {
    const short = Buffer.alloc(15)
    const evidence = { kind: 'dice', chain: device.chain, answer: answerTo(short, device.leafKey) } as const
    expect(verifyDice(evidence, { challenge: short, reference: device.reference })).toMatchObject({
      reason: 'challenge-too-short',
    })
  })
})

describe('a CBOR certificate', () => {
  const set = (label: number, value: unknown): TestChange => ({ claims: (claims) => claims.set(label, value) })
  const malformed = 'certificate-malformed'
  it.each<[string, TestChange, string]>([
    ['signed by a stranger', { signedBy: stranger }, 'certificate-signature'],
    ['of another issuer', set(cwtLabel.issuer, diceId(publicKeyOf(stranger))), 'certificate-issuer'],
    ['with a name that is not its key’s', set(cwtLabel.subject, diceId(publicKeyOf(stranger))), 'certificate-subject'],
    ['with a name in upper case', set(cwtLabel.subject, 'A'.repeat(40)), malformed],
    ['for another key than its name’s', set(cwtLabel.subjectPublicKey, coseKeyOf(publicKeyOf(stranger))), 'certificate-subject'],
    [
      'with a key whose algorithm is another’s',
      set(
        cwtLabel.subjectPublicKey,
        writeCbor(
          new Map<number, unknown>([
            [1, 1],
            [3, -7],
            [-1, 6],
            [-2, Buffer.alloc(32)],
          ]),
        ),
      ),
      malformed,
    ],
    [
      'with a key that may not verify',
      set(
        cwtLabel.subjectPublicKey,
        writeCbor(
          new Map<number, unknown>([
            [1, 1],
            [4, [1]],
            [-1, 6],
            [-2, Buffer.alloc(32)],
          ]),
        ),
      ),
      malformed,
    ],
    [
      'with a private key in it',
      set(
        cwtLabel.subjectPublicKey,
        writeCbor(
          new Map<number, unknown>([
            [1, 1],
            [-1, 6],
            [-2, Buffer.alloc(32)],
            [-4, Buffer.alloc(32)],
          ]),
        ),
      ),
      malformed,
    ],
    ['without code', { claims: (claims) => claims.delete(cwtLabel.codeHash) }, malformed],
    ['without an authority', { claims: (claims) => claims.delete(cwtLabel.authorityHash) }, malformed],
    ['without a configuration', { claims: (claims) => claims.delete(cwtLabel.configurationDescriptor) }, malformed],
    ['without a mode', { claims: (claims) => claims.delete(cwtLabel.mode) }, malformed],
    ['whose configuration has another hash', set(cwtLabel.configurationHash, Buffer.alloc(64, 1)), malformed],
    ['whose configuration’s hash is text', set(cwtLabel.configurationHash, 'hash'), malformed],
    ['whose code is text', set(cwtLabel.codeHash, 'code'), malformed],
    ['whose mode is a number', set(cwtLabel.mode, 1), malformed],
    ['whose mode has two bytes', set(cwtLabel.mode, Buffer.of(1, 1)), malformed],
    ['that may sign more than certificates', set(cwtLabel.keyUsage, Buffer.of(0x21)), malformed],
    ['with an expiry, which no device can tell', set(4, 1_900_000_000), malformed],
    ['with a claim that nobody knows', set(-4_670_560, Buffer.of(1)), malformed],
  ])('%s is refused', (_, change, reason) => {
    expect(made({ changes: { 1: change } })).toBe(reason)
    expect(made({ changes: { 0: change } })).toBe(reason)
  })

  it('is refused for any bit that is another, and never crashes', () => {
    const device = testDice()
    const [first, second] = device.chain as [Buffer, Buffer]
    fc.assert(
      fc.property(fc.nat(second.length * 8 - 1), (bit) => {
        const changed = Buffer.from(second)
        changed.writeUInt8((changed[bit >> 3] as number) ^ (1 << (bit & 7)), bit >> 3)
        return reasonOf({ ...device, chain: [first, changed] }) !== 'ok'
      }),
      { numRuns: 300 },
    )
  })

  it('of anything else is refused, and never crashes', () => {
    const device = testDice()
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        (bytes) => reasonOf({ ...device, chain: [Buffer.from(bytes)] }) === 'certificate-malformed',
      ),
      { numRuns: 300 },
    )
    expect(reasonOf({ ...device, chain: [Buffer.alloc(8192, 0x81)] })).toBe('certificate-malformed')
  })
})

describe('an X.509 certificate', () => {
  const malformed = 'certificate-malformed'
  const change = (x509: Partial<X509Change>): TestChange => ({ x509: x509 as X509Change })
  const strangerId = diceId(publicKeyOf(stranger))
  const layer = testLayer('firmware')
  const input = (...fields: Buffer[]) => change({ input: der(0x30, ...fields) })
  const [code, descriptor, authority] = [
    inputField(0, layer.code),
    inputField(3, Buffer.alloc(64)),
    inputField(4, layer.authority),
  ]
  const mode = inputField(6, Buffer.of(1), 0x02)
  it.each<[string, TestChange, string]>([
    ['signed by a stranger', change({ signer: stranger }), 'certificate-signature'],
    ['of another issuer', change({ issuer: strangerId, authorityKeyId: strangerId }), 'certificate-issuer'],
    ['that names another issuing key', change({ authorityKeyId: strangerId }), malformed],
    [
      'with a name that is not its key’s',
      change({ subject: strangerId, serial: strangerId, subjectKeyId: strangerId }),
      'certificate-subject',
    ],
    ['whose serial number is not its name', change({ serial: strangerId }), malformed],
    ['whose key identifier is not its name', change({ subjectKeyId: strangerId }), malformed],
    ['that may sign more than certificates', change({ keyUsage: '03020284' }), malformed],
    ['of no authority', change({ basicConstraints: '3000' }), malformed],
    ['with a path length that the profile has not', change({ basicConstraints: '30060101ff020101' }), malformed],
    ['whose measurements are not critical', change({ isInputCritical: false }), malformed],
    ['with an extension that nobody knows', change({ extra: extension('06032a0304', true, Buffer.of(5, 0)) }), malformed],
    ['without code', input(descriptor, authority, mode), malformed],
    ['without an authority', input(code, descriptor, mode), malformed],
    ['without a configuration', input(code, authority, mode), malformed],
    ['without a mode', input(code, descriptor, authority), malformed],
    ['with code twice', input(code, code, descriptor, authority, mode), malformed],
    ['whose mode is an octet string', input(code, descriptor, authority, inputField(6, Buffer.of(1))), malformed],
    [
      'whose configuration has another hash',
      input(code, inputField(2, Buffer.alloc(64)), descriptor, authority, mode),
      malformed,
    ],
    ['with a field that nobody knows', input(code, descriptor, authority, mode, inputField(8, Buffer.of(1))), malformed],
  ])('%s is refused', (_, x509, reason) => {
    expect(made({ format: 'x509', changes: { 1: x509 } })).toBe(reason)
    expect(made({ format: 'x509', changes: { 0: x509 } })).toBe(reason)
  })

  it('may have its mode as an ENUMERATED', () => {
    const descriptor = Buffer.alloc(64, 9)
    const device = testDice({
      format: 'x509',
      layers: [testLayer('firmware')],
      changes: {
        0: change({
          input: der(
            0x30,
            inputField(0, layer.code),
            inputField(3, descriptor),
            inputField(4, layer.authority),
            inputField(6, Buffer.of(1), 0x0a),
          ),
        }),
      },
    })
    const layers = [{ ...device.reference.layers[0], configuration: descriptor.toString('base64url') }]
    expect(reasonOf({ ...device, reference: { ...device.reference, layers } as TestDice['reference'] })).toBe('ok')
  })

  it('after which there may be none ends the chain', () => {
    expect(made({ format: 'x509', changes: { 1: change({ basicConstraints: '30060101ff020100' }) } })).toBe('ok')
    expect(made({ format: 'x509', changes: { 0: change({ basicConstraints: '30060101ff020100' }) } })).toBe(
      'certificate-after-last',
    )
  })

  it('is refused for any bit that is another, and never crashes', () => {
    const device = testDice({ format: 'x509' })
    const [first, second] = device.chain as [Buffer, Buffer]
    fc.assert(
      fc.property(fc.nat(second.length * 8 - 1), (bit) => {
        const changed = Buffer.from(second)
        changed.writeUInt8((changed[bit >> 3] as number) ^ (1 << (bit & 7)), bit >> 3)
        return reasonOf({ ...device, chain: [first, changed] }) !== 'ok'
      }),
      { numRuns: 300 },
    )
  })
})
