import { createPublicKey, sign, X509Certificate } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import { AlgorithmIdentifier, Certificate as AsnCertificate, type TBSCertificate, Time } from '@peculiar/asn1-x509'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Certificate, readCertificate } from './certificate.ts'
import { type PathToValidate, validatePath } from './certificate-path.ts'
import {
  createIntermediate,
  createRoot,
  type Identity,
  issueRevocationList,
  type KeyedIssuer,
  keyedIssuer,
} from './issue/index.ts'
import { x509 } from './issue/x509.ts'
import { readRevocationList } from './revocation-list.ts'
import { pemCertificates, verifySignature } from './signing-key.ts'
import { certify, derOf, resigned } from './test-certificate.ts'
import { type TestDomain, testDomain } from './test-domain.ts'

const now = Date.UTC(2026, 10, 24, 12)
const { digitalSignature, keyCertSign, cRLSign } = x509.KeyUsageFlags
const uris = ['spiffe://lab.example/agent/a/b']

let domain: TestDomain
let identity: Identity
beforeAll(async () => {
  domain = await testDomain(['operator/dev'], now)
  identity = await domain.issue('agent/a/b')
})
afterEach(() => vi.restoreAllMocks())

const read = (der: Buffer): Certificate => {
  const result = readCertificate(der)
  if (!result.ok) throw new Error(result.reason)
  return result.value
}
const judge = (chain: readonly Buffer[], change: Partial<PathToValidate> = {}) => {
  const roots = [read(derOf(domain.root))]
  const result = validatePath({
    chain,
    roots,
    revocationLists: [],
    requireRevocationStatus: false,
    now,
    skewMs: 30_000,
    ...change,
  })
  return result.ok ? 'accepted' : result.reason
}
const leafBy = (by: KeyedIssuer, change = {}) => certify(by, { usages: digitalSignature, uris, ...change }, now)
const unknownCritical = new x509.Extension('1.3.6.1.4.1.58888.9.9', true, Buffer.from('0500', 'hex'))

describe('authorities', () => {
  it('attack 2: a leaf that signs another is no authority', async () => {
    const leaf = await leafBy(domain.issuer)
    expect(judge([derOf(await leafBy(leaf)), derOf(leaf), derOf(domain.issuer)])).toBe('issuer-not-ca')
  })

  it.each([
    ['without keyCertSign', digitalSignature | cRLSign, 'issuer-key-usage'],
    ['without any key usage', undefined, 'issuer-key-usage'],
  ])('attack 3: an intermediate %s signs nothing', async (_what, usages, reason) => {
    const intermediate = await certify(domain.root, { subject: 'CN=x', isCa: true, ...(usages !== undefined && { usages }) }, now)
    expect(judge([derOf(await leafBy(intermediate)), derOf(intermediate)])).toBe(reason)
  })

  it('attack 4: a sub-authority beyond the path length of the one above it signs nothing', async () => {
    const below = await certify(domain.issuer, { subject: 'CN=below', isCa: true, usages: keyCertSign }, now)
    expect(judge([derOf(await leafBy(below)), derOf(below), derOf(domain.issuer)])).toBe('path-length-exceeded')
  })

  it('attack 4: nor one that an SVID’s own key has made', async () => {
    const svid = await leafBy(domain.issuer)
    const below = await certify(svid, { subject: 'CN=below', isCa: true, pathLength: 0, usages: keyCertSign }, now)
    expect(judge([derOf(await leafBy(below)), derOf(below), derOf(svid), derOf(domain.issuer)])).toBe('issuer-not-ca')
  })

  it.each([
    ['cA', { isCa: true }],
    ['keyCertSign', { usages: digitalSignature | keyCertSign }],
    ['cRLSign', { usages: digitalSignature | cRLSign }],
  ])('attack 6: a leaf with %s is no SVID', async (_what, change) => {
    expect(judge([derOf(await leafBy(domain.issuer, change)), derOf(domain.issuer)])).toBe('leaf-is-ca')
  })

  it('attack 14: an unknown critical extension refuses a leaf and an intermediate', async () => {
    expect(judge([derOf(await leafBy(domain.issuer, { more: [unknownCritical] })), derOf(domain.issuer)])).toBe(
      'certificate-extension',
    )
    const strange = await certify(domain.root, { subject: 'CN=x', isCa: true, usages: keyCertSign, more: [unknownCritical] }, now)
    expect(judge([derOf(await leafBy(strange)), derOf(strange)])).toBe('certificate-extension')
  })
})

describe('time', () => {
  const [leaf, authority] = [() => identity.chain[0] as Buffer, () => identity.chain[1] as Buffer]
  const timed = (edit: (tbs: TBSCertificate) => void) => judge([resigned(leaf(), domain.issuer.privateKey, edit), authority()])
  const at = (ms: number) => new Time(new Date(ms))

  it('attack 11: expired by a second more than the skew, or valid in a second more', () => {
    const { notBeforeMs, notAfterMs } = read(leaf())
    expect(judge(identity.chain, { now: notAfterMs + 31_000 })).toBe('certificate-expired')
    expect(judge(identity.chain, { now: notBeforeMs - 31_000 })).toBe('certificate-not-yet-valid')
    expect(judge(identity.chain, { now: notAfterMs + 1000, skewMs: 0 })).toBe('certificate-expired')
    expect(judge(identity.chain, { now: notBeforeMs - 1000, skewMs: 0 })).toBe('certificate-not-yet-valid')
  })

  it('attack 11: that ends before it begins', () => {
    expect(
      timed((tbs) => {
        tbs.validity.notBefore = at(now + 1000)
        tbs.validity.notAfter = at(now)
      }),
    ).toBe('certificate-malformed')
  })

  it('attack 11: the year 9999 is far away, on both sides', () => {
    const far = Date.UTC(9999, 11, 31, 23, 59, 59)
    expect(
      timed((tbs) => {
        tbs.validity.notBefore = at(far)
        tbs.validity.notAfter = at(far)
      }),
    ).toBe('certificate-not-yet-valid')
    expect(
      timed((tbs) => {
        tbs.validity.notAfter = at(far)
      }),
    ).toBe('accepted')
  })

  it('attack 11: a time with a fraction of a second is malformed (RFC 5280 §4.1.2.5.2)', () => {
    const generalized = (text: string) => Buffer.concat([Buffer.of(0x18, text.length), Buffer.from(text)])
    const plain = resigned(leaf(), domain.issuer.privateKey, (tbs) => {
      tbs.validity.notAfter = at(Date.UTC(2099, 0, 1))
    })
    const found = plain.indexOf(generalized('20990101000000Z'))
    expect(found).toBeGreaterThan(0)
    // Its signature fails as well, which is not what is asked here.
    const grown = withTime(plain, generalized('20990101000000.5Z'), generalized('20990101000000Z'))
    expect(readCertificate(grown)).toMatchObject({ ok: false, reason: 'certificate-malformed' })
    const zero = withTime(plain, generalized('20990101000000.0Z'), generalized('20990101000000Z'))
    expect(readCertificate(zero)).toMatchObject({ ok: false, detail: { cause: expect.stringContaining('RFC 5280 §4.1.2.5') } })
  })
})

/** The certificate with other bytes in the place of some, and the lengths around them corrected. */
function withTime(der: Buffer, put: Buffer, instead: Buffer): Buffer {
  const rebuild = (bytes: Buffer): Buffer => {
    if (bytes.equals(instead)) return put
    const header = bytes[1] as number
    const headerBytes = header < 0x80 ? 2 : 2 + (header & 0x7f)
    if (((bytes[0] as number) & 0x20) === 0 || !bytes.includes(instead)) return bytes
    const parts: Buffer[] = []
    for (let at = headerBytes; at < bytes.length; ) {
      const length = bytes[at + 1] as number
      const size = length < 0x80 ? 2 + length : 2 + (length & 0x7f) + bytes.readUIntBE(at + 2, length & 0x7f)
      parts.push(rebuild(bytes.subarray(at, at + size)))
      at += size
    }
    const content = Buffer.concat(parts)
    const long = content.length < 0x80 ? Buffer.of(content.length) : Buffer.of(0x82, content.length >> 8, content.length & 0xff)
    return Buffer.concat([Buffer.of(bytes[0] as number), long, content])
  }
  return rebuild(der)
}

describe('revocation lists', () => {
  const serialOf = () => read(identity.chain[0] as Buffer).serial
  const listBy = async (
    by: KeyedIssuer,
    revoked: string[] = [],
    times = { thisUpdateMs: now - 1000, nextUpdateMs: now + 300_000 },
  ) => {
    const list = await issueRevocationList(by, {
      number: 1,
      ...times,
      revoked: revoked.map((serial) => ({ serial, from: now - 1000 })),
    })
    const opened = readRevocationList(list)
    if (!opened) throw new Error('the list cannot be read')
    return opened
  }
  const rootsList = () => listBy(domain.root)
  const judged = async (...lists: Awaited<ReturnType<typeof listBy>>[]) =>
    judge(identity.chain, { revocationLists: [await rootsList(), ...lists], requireRevocationStatus: true })

  it('attack 12: a revoked leaf is refused while its list is fresh, stale and absent', async () => {
    expect(await judged(await listBy(domain.issuer))).toBe('accepted')
    expect(await judged(await listBy(domain.issuer, [serialOf()]))).toBe('certificate-revoked')
    const stale = { thisUpdateMs: now - 600_000, nextUpdateMs: now - 1000 }
    expect(await judged(await listBy(domain.issuer, [serialOf()], stale))).toBe('revocation-unknown')
    expect(await judged(await listBy(domain.issuer, [], stale))).toBe('revocation-unknown')
    expect(await judged()).toBe('revocation-unknown')
  })

  it('attack 12: a list of tomorrow says nothing today', async () => {
    expect(await judged(await listBy(domain.issuer, [], { thisUpdateMs: now + 1000, nextUpdateMs: now + 300_000 }))).toBe(
      'revocation-unknown',
    )
  })

  it('attack 13: a list by another authority of the same name is passed over', async () => {
    const twin = await createIntermediate(await createRoot('lab.example', now), 'lab.example', now)
    expect(twin.certificate.subject).toBe(domain.issuer.certificate.subject)
    expect(await judged(await listBy(twin))).toBe('revocation-unknown')
    expect(await judged(await listBy(domain.issuer), await listBy(twin, [serialOf()]))).toBe('accepted')
  })

  it('attack 13: a list by an authority without cRLSign is passed over', async () => {
    const silent = await certify(domain.root, { subject: 'CN=silent', isCa: true, pathLength: 0, usages: keyCertSign }, now)
    const chain = [derOf(await leafBy(silent)), derOf(silent)]
    const revocationLists = [await rootsList(), await listBy(silent)]
    expect(judge(chain, { revocationLists, requireRevocationStatus: true })).toBe('revocation-unknown')
    expect(judge(chain, { revocationLists: [], requireRevocationStatus: false })).toBe('accepted')
  })

  it('attack 14: a list with a critical extension is passed over', async () => {
    const list = await x509.X509CrlGenerator.create({
      issuer: domain.issuer.certificate.subject,
      thisUpdate: new Date(now - 1000),
      nextUpdate: new Date(now + 300_000),
      signingKey: (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])).privateKey,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [new x509.Extension('2.5.29.20', false, Buffer.from('020101', 'hex')), unknownCritical],
    })
    expect(readRevocationList(Buffer.from(list.rawData))).toBeUndefined()
  })
})

describe('signatures', () => {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const bytes32 = (value: bigint) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex')
  const message = Buffer.from('a message')
  const parts = () => {
    const made = sign('sha256', message, { key: identity.privateKey, dsaEncoding: 'ieee-p1363' })
    return [made.subarray(0, 32), made.subarray(32)].map((part) => BigInt(`0x${part.toString('hex')}`)) as [bigint, bigint]
  }
  const key = () => createPublicKey(identity.privateKey)
  const verifies = (r: bigint, s: bigint) => verifySignature(key(), message, Buffer.concat([bytes32(r), bytes32(s)]))

  it('attack 16: r or s of zero, or as large as the order and more, is no signature', () => {
    const [r, s] = parts()
    expect(verifies(r, s)).toBe(true)
    for (const [one, other] of [
      [0n, s],
      [r, 0n],
      [0n, 0n],
      [order, s],
      [r, order],
      [r + order < 2n ** 256n ? r + order : order + 1n, s],
    ] as [bigint, bigint][])
      expect(verifies(one, other)).toBe(false)
  })

  it('attack 16: (r, n−s) holds as well, which is why nothing is ever named by its signature', () => {
    const [r, s] = parts()
    expect(verifies(r, order - s)).toBe(true)
  })

  it('attack 16: a DER signature, or one of another length, is none where r ‖ s is meant', () => {
    const der = sign('sha256', message, identity.privateKey)
    for (const wrong of [der, der.subarray(0, 64), Buffer.alloc(0), Buffer.alloc(63, 1), Buffer.alloc(65, 1)])
      expect(verifySignature(key(), message, wrong)).toBe(false)
  })

  it('attack 16: a certificate’s signature written in a longer way is refused, and never taken for another certificate', () => {
    const certificate = AsnConvert.parse(identity.chain[0] as Buffer, AsnCertificate)
    const good = Buffer.from(certificate.signatureValue)
    // A length in two bytes where one does, and a zero before r: both are BER, not DER.
    const long = Buffer.concat([Buffer.of(0x30, 0x81), good.subarray(1)])
    const padded = Buffer.concat([Buffer.of(0x30, (good[1] as number) + 1, 0x02, (good[3] as number) + 1, 0), good.subarray(4)])
    for (const signature of [long, padded]) {
      certificate.signatureValue = new Uint8Array(signature).buffer
      const der = Buffer.from(AsnConvert.serialize(certificate))
      expect(judge([der, identity.chain[1] as Buffer])).toBe('path-bad-signature')
    }
  })

  it('attack 16: a key that is no point of its curve is malformed', () => {
    const der = resigned(identity.chain[0] as Buffer, domain.issuer.privateKey, (tbs) => {
      const point = Buffer.from(tbs.subjectPublicKeyInfo.subjectPublicKey)
      point.fill(1, 33)
      tbs.subjectPublicKeyInfo.subjectPublicKey = new Uint8Array(point).buffer
    })
    expect(judge([der, identity.chain[1] as Buffer])).toBe('certificate-malformed')
  })

  it('attack 19: the algorithm inside differs from the one outside', () => {
    const der = resigned(identity.chain[0] as Buffer, domain.issuer.privateKey, (tbs) => {
      tbs.signature = new AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.3' })
    })
    expect(judge([der, identity.chain[1] as Buffer])).toBe('certificate-malformed')
  })
})

describe('work', () => {
  const verifications = () => vi.spyOn(X509Certificate.prototype, 'verify')

  it('attack 17: a chain of two hundred is refused before any of it is read', () => {
    const count = verifications()
    const chain = Array.from({ length: 200 }, () => Buffer.from('unread'))
    expect(judge(chain)).toBe('path-too-long')
    expect(count).not.toHaveBeenCalled()
  })

  it('attack 17: authorities that certify each other in a circle: the chain is taken as given, never built, at most two checks a certificate', async () => {
    const ring: KeyedIssuer[] = []
    const [one, other] = [await createRoot('a', now), await createRoot('b', now)]
    for (const [by, of] of [
      [one, other],
      [other, one],
    ] as const) {
      const { certificate } = await certify(by, { subject: of.certificate.subject, isCa: true, usages: keyCertSign }, now)
      ring.push(keyedIssuer(certificate, of.privateKey))
    }
    const circle = Array.from({ length: 4 }, (_, at) => derOf(ring[at % 2] as KeyedIssuer))
    const chain = [derOf(await leafBy(one)), ...circle]
    const roots = Array.from({ length: 8 }, () => read(derOf(domain.root)))
    const count = verifications()
    expect(judge(chain, { roots })).toBe('path-untrusted')
    expect(count.mock.calls.length).toBeLessThanOrEqual(chain.length + roots.length)
  })

  it('attack 17: ten thousand names are more bytes than a certificate may have', async () => {
    const names = Array.from({ length: 10_000 }, (_, at) => `spiffe://lab.example/a/${at}`)
    const der = derOf(await leafBy(domain.issuer, { uris: names }))
    expect(judge([der, derOf(domain.issuer)])).toBe('certificate-too-large')
  })

  it('attack 17: name constraints are not computed: whoever has them is refused', async () => {
    const constraints = new x509.Extension('2.5.29.30', true, Buffer.from('3000', 'hex'))
    const constrained = await certify(domain.root, { subject: 'CN=x', isCa: true, usages: keyCertSign, more: [constraints] }, now)
    expect(judge([derOf(await leafBy(constrained)), derOf(constrained)])).toBe('certificate-extension')
  })

  it('attack 18: ten mebibytes are refused by their length alone', () => {
    const parse = vi.spyOn(AsnConvert, 'parse')
    expect(readCertificate(Buffer.alloc(10 * 1024 * 1024, 0x30))).toMatchObject({ ok: false, reason: 'certificate-too-large' })
    expect(parse).not.toHaveBeenCalled()
  })

  it.each([
    ['a length of 2^31', Buffer.from('308480000000', 'hex')],
    ['a length of 2^63', Buffer.from('30887fffffffffffffff', 'hex')],
    ['an indefinite length', Buffer.from('3080020101000000', 'hex')],
    ['no content', Buffer.from('3000', 'hex')],
    ['nothing', Buffer.alloc(0)],
  ])('attack 18: %s is malformed', (_what, der) => {
    expect(readCertificate(der)).toMatchObject({ ok: false, reason: 'certificate-malformed' })
  })

  it('attack 18: bytes after the certificate, or NUL in its PEM, are not passed over', () => {
    const [leaf] = identity.chain as [Buffer]
    expect(readCertificate(Buffer.concat([leaf, Buffer.of(0)]))).toMatchObject({ ok: false, reason: 'certificate-malformed' })
    const pem = new X509Certificate(leaf).toString()
    expect(pemCertificates(pem)).toHaveLength(1)
    const broken = `${pem.slice(0, 100)}\0${pem.slice(100)}`
    expect(() => pemCertificates(broken)).toThrow()
  })
})
