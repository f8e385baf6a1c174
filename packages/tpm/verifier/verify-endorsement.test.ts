import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Result } from '@interlock/contracts'
import { beforeAll, describe, expect, it } from 'vitest'
import { createPrimary } from '../commands/create-primary.ts'
import { handle } from '../commands/execute.ts'
import { nvRead } from '../commands/nv-read.ts'
import { p384Endorsement, rsaEndorsement } from '../templates.ts'
import { startTestTpm } from '../test-tpm.ts'
import { certificateAtStart } from './endorsement-certificate.ts'
import {
  anyKey,
  authorityExtensions,
  BasicConstraintsExtension,
  day,
  ExtendedKeyUsageExtension,
  type Extension,
  endorsementUsage,
  type IssueOptions,
  issue,
  KeyUsageFlags,
  KeyUsagesExtension,
  leafExtensions,
  modelName,
  newPair,
  revocationList,
  sampleNow,
  unknownExtension,
} from './test-certificates.ts'
import { endorsementArea } from './test-endorsement-key.ts'
import { type EndorsementEvidence, verifyEndorsement } from './verify-endorsement.ts'

const reasonOf = (result: Result<unknown, string>): string => (result.ok ? 'ok' : result.reason)

type Authorities = {
  root: Awaited<ReturnType<typeof newPair>>
  sub: Awaited<ReturnType<typeof newPair>>
  rootBytes: Buffer
  subBytes: Buffer
}
let vendor: Authorities
const endorsementKey = anyKey()

beforeAll(async () => {
  const [root, sub] = [await newPair(), await newPair()]
  const rootBytes = await issue({
    subject: 'CN=root',
    issuer: 'CN=root',
    key: root.publicKey,
    by: root,
    extensions: authorityExtensions(1),
  })
  const subBytes = await issue({
    subject: 'CN=sub',
    issuer: 'CN=root',
    key: sub.publicKey,
    by: root,
    extensions: authorityExtensions(0),
    serial: '02',
  })
  vendor = { root, sub, rootBytes, subBytes }
})

const leafBytes = (changes: Partial<IssueOptions> = {}): Promise<Buffer> =>
  issue({
    subject: '',
    issuer: 'CN=sub',
    key: endorsementKey,
    by: vendor.sub,
    extensions: leafExtensions(),
    serial: '03',
    ...changes,
  })

async function evidenceWith(
  changes: Partial<EndorsementEvidence> = {},
  leaf: Partial<IssueOptions> = {},
): Promise<EndorsementEvidence> {
  const chain = [await leafBytes(leaf), vendor.subBytes]
  const rest = {
    endorsementKey: endorsementArea(endorsementKey),
    roots: [vendor.rootBytes],
    crls: [],
    requireRevocationStatus: false,
    now: sampleNow,
  }
  return { chain, ...rest, ...changes }
}

const verdict = async (changes: Partial<EndorsementEvidence> = {}, leaf: Partial<IssueOptions> = {}): Promise<string> =>
  reasonOf(verifyEndorsement(await evidenceWith(changes, leaf)))

describe('an endorsement certificate (check 3)', () => {
  it('of a pinned vendor says which TPM it is', async () => {
    const model = { manufacturer: 'id:49465800', model: 'SLB 9670', version: 'id:0755' }
    expect(verifyEndorsement(await evidenceWith())).toEqual({ ok: true, value: model })
  })

  it('of a root that is not pinned is refused, also when it bears the pinned one’s name (attack 31)', async () => {
    const forger = await newPair()
    const root = { subject: 'CN=root', issuer: 'CN=root', key: forger.publicKey, by: forger, extensions: authorityExtensions() }
    const sub = await issue({
      subject: 'CN=sub',
      issuer: 'CN=root',
      key: vendor.sub.publicKey,
      by: forger,
      extensions: authorityExtensions(),
    })
    expect(await verdict({ chain: [await leafBytes(), sub] })).toBe('endorsement-chain')
    expect(await verdict({ chain: [await leafBytes(), sub, await issue(root)] })).toBe('endorsement-chain')
    expect(await verdict({ roots: [] })).toBe('endorsement-chain')
  })

  it('whose signature is another CA’s is refused', async () => {
    expect(await verdict({}, { by: await newPair() })).toBe('endorsement-chain')
  })

  it('with a chain cut, emptied or too long is refused', async () => {
    const leaf = await leafBytes()
    expect(await verdict({ chain: [leaf] })).toBe('endorsement-chain')
    expect(await verdict({ chain: [] })).toBe('endorsement-chain')
    expect(await verdict({ chain: Array.from({ length: 200 }, () => leaf) })).toBe('endorsement-chain')
  })

  it.each([
    ['the leaf', { notAfter: sampleNow - 1000 }, 'endorsement-expired'],
    ['the leaf (not yet)', { notBefore: sampleNow + 1000 }, 'endorsement-expired'],
  ])('is refused when %s is out of date', async (_, leaf, reason) => {
    expect(await verdict({}, leaf)).toBe(reason)
  })

  it('is refused when a CA above is out of date', async () => {
    const long = { notBefore: sampleNow - 10 * day, notAfter: sampleNow + 10 * day }
    expect(await verdict({ now: sampleNow + 2 * day }, long)).toBe('endorsement-expired')
    expect(await verdict({ now: sampleNow - 2 * day }, long)).toBe('endorsement-expired')
  })

  it('is refused when its issuer is no authority, or may not sign certificates', async () => {
    const issuers: Extension[][] = [
      [new BasicConstraintsExtension(false, undefined, true), new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true)],
      [new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true)],
      authorityExtensions(undefined, KeyUsageFlags.cRLSign),
      [new BasicConstraintsExtension(true, undefined, true)],
      [...authorityExtensions(), unknownExtension(true)],
    ]
    for (const extensions of issuers) {
      const sub = await issue({ subject: 'CN=sub', issuer: 'CN=root', key: vendor.sub.publicKey, by: vendor.root, extensions })
      expect(await verdict({ chain: [await leafBytes(), sub] })).toBe('endorsement-chain')
    }
  })

  it('is refused beyond the path length that a CA allows', async () => {
    const third = await newPair()
    const sub = await issue({
      subject: 'CN=third',
      issuer: 'CN=sub',
      key: third.publicKey,
      by: vendor.sub,
      extensions: authorityExtensions(),
    })
    const leaf = await leafBytes({ issuer: 'CN=third', by: third })
    expect(await verdict({ chain: [leaf, sub, vendor.subBytes] })).toBe('endorsement-chain')
  })

  const noUsage = leafExtensions().filter((extension) => !(extension instanceof ExtendedKeyUsageExtension))
  it.each([
    ['an unknown critical extension', [...leafExtensions(), unknownExtension(true)]],
    ['another extended key usage', leafExtensions(['1.3.6.1.5.5.7.3.1'])],
    ['no extended key usage', noUsage],
    ['no model', leafExtensions().slice(0, 3)],
    [
      'a model without a version',
      [
        ...leafExtensions().slice(0, 3),
        modelName([
          [1, 'id:1'],
          [2, 'x'],
        ]),
      ],
    ],
    ['no key usage', leafExtensions().filter((extension) => !(extension instanceof KeyUsagesExtension))],
    [
      'the key usage of a signing key',
      [new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true), ...leafExtensions().slice(2)],
    ],
    ['the rights of a CA', [...authorityExtensions(undefined, KeyUsageFlags.keyAgreement), ...leafExtensions().slice(2)]],
  ])('with %s is refused', async (_, extensions) => {
    expect(await verdict({}, { extensions })).toBe('endorsement-certificate')
  })

  it('may have an unknown extension that is not critical', async () => {
    expect(await verdict({}, { extensions: [...leafExtensions([endorsementUsage, '1.2.3']), unknownExtension(false)] })).toBe(
      'ok',
    )
  })

  it('of another key than the TPM’s, or of one that is no endorsement key, is refused', async () => {
    expect(await verdict({ endorsementKey: endorsementArea(endorsementKey, { attributes: 0x0002_00b2 }) })).toBe(
      'endorsement-key',
    )
    expect(await verdict({ endorsementKey: endorsementArea(anyKey()) })).toBe('endorsement-key')
  })

  it('signed with SHA-1 is refused', async () => {
    expect(await verdict({}, { hash: 'SHA-1' })).toBe('endorsement-chain')
  })

  it.each([
    ['trailing bytes', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from([0])])],
    ['bytes cut off', (bytes: Buffer) => bytes.subarray(0, -1)],
    ['an indefinite length', (bytes: Buffer) => Buffer.concat([Buffer.from([0x30, 0x80]), bytes.subarray(4)])],
    ['a length of 2^31', () => Buffer.from([0x30, 0x84, 0x80, 0, 0, 0])],
    ['10 MB', () => Buffer.alloc(10_000_000, 0x30)],
    ['nothing', () => Buffer.alloc(0)],
  ])('with %s is refused', async (_, change) => {
    expect(await verdict({ chain: [change(await leafBytes()), vendor.subBytes] })).toBe('endorsement-chain')
  })
})

describe('revocation', () => {
  const list = (changes: Partial<Parameters<typeof revocationList>[0]> = {}): Promise<Buffer> =>
    revocationList({ issuer: 'CN=sub', by: vendor.sub, serials: ['07'], ...changes })
  const rootList = (serials: string[]): Promise<Buffer> => revocationList({ issuer: 'CN=root', by: vendor.root, serials })

  it('refuses a revoked leaf and a revoked CA', async () => {
    expect(await verdict({ crls: [await list({ serials: ['07', '03'] })] })).toBe('endorsement-revoked')
    expect(await verdict({ crls: [await rootList(['02'])] })).toBe('endorsement-revoked')
  })

  it('accepts what fresh lists do not name', async () => {
    expect(await verdict({ crls: [await list(), await rootList([])], requireRevocationStatus: true })).toBe('ok')
  })

  it('refuses where a list is missing and status is required', async () => {
    expect(await verdict({ crls: [await list()], requireRevocationStatus: true })).toBe('endorsement-revoked')
  })

  it('refuses where the list is stale or not yet valid', async () => {
    expect(await verdict({ crls: [await list({ nextUpdate: sampleNow - 1000 })] })).toBe('endorsement-revoked')
    expect(await verdict({ crls: [await list({ thisUpdate: sampleNow + 1000 })] })).toBe('endorsement-revoked')
  })

  it('ignores a list of another CA of the same name, and of a CA that may not sign lists', async () => {
    const foreign = await list({ by: await newPair(), serials: [] })
    expect(await verdict({ crls: [foreign, await rootList([])], requireRevocationStatus: true })).toBe('endorsement-revoked')
    const mute = authorityExtensions(0, KeyUsageFlags.keyCertSign)
    const sub = await issue({
      subject: 'CN=sub',
      issuer: 'CN=root',
      key: vendor.sub.publicKey,
      by: vendor.root,
      extensions: mute,
      serial: '02',
    })
    const crls = [await list(), await rootList([])]
    expect(await verdict({ chain: [await leafBytes(), sub], crls, requireRevocationStatus: true })).toBe('endorsement-revoked')
  })

  it('refuses a list with an unknown critical extension', async () => {
    expect(await verdict({ crls: [await list({ extensions: [unknownExtension(true)] })] })).toBe('endorsement-chain')
  })
})

describe('the certificates that a TPM carries', () => {
  it('verify up to the pinned root of its manufacturer', async () => {
    const tpm = await startTestTpm()
    try {
      const transport = await tpm.open()
      const der = async (name: string): Promise<Buffer> => {
        const pem = await readFile(join(tpm.caDirectory, name), 'utf8')
        return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64')
      }
      for (const template of [rsaEndorsement, p384Endorsement]) {
        const endorsement = await createPrimary(transport, handle.endorsement, template.publicArea)
        const leaf = certificateAtStart(await nvRead(transport, template.certificateIndex))
        const chain = [leaf, await der('issuercert.pem')]
        const roots = [await der('swtpm-localca-rootca-cert.pem')]
        const evidence = {
          chain,
          roots,
          endorsementKey: endorsement.publicArea,
          crls: [],
          requireRevocationStatus: false,
          now: Date.now(),
        }
        expect(verifyEndorsement(evidence)).toMatchObject({ ok: true, value: { model: 'swtpm' } })
        expect(reasonOf(verifyEndorsement({ ...evidence, roots: [vendor.rootBytes] }))).toBe('endorsement-chain')
      }
      await transport.close()
    } finally {
      await tpm.stop()
    }
  })
})
