import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { enrolDevice } from '@interlock/sdk'
import { createFixture, type Fixture } from '@interlock/sdk/fixture'
import { deviceProfiles } from '@interlock/sdk/trust-domain'
import {
  type AttestationKey,
  createPrimary,
  flushContext,
  handle,
  nvRead,
  openAttestationKey,
  openSigningKey,
  p384Endorsement,
  pcrDigestOf,
  pcrExtend,
  pcrRead,
  type TpmTransport,
} from '@interlock/tpm'
import { startTestTpm, type TestTpm } from '@interlock/tpm/test-tpm'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { admissionOf, postTo, reasonOf, startTestRegistry, type TestRegistry } from './test-registry.ts'

const subject = 'spiffe://lab.interlock.example/device/laser-1'
const pcrs = [0, 4, 7]
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
type Attested = { attest: Uint8Array; signature: Uint8Array }
const quoteText = ({ attest, signature }: Attested) => ({ quote: { attest: textOf(attest), signature: textOf(signature) } })

let fixture: Fixture
let tpm: TestTpm
let transport: TpmTransport
let key: AttestationKey
let server: TestRegistry
const certificate = (name: string) => Buffer.from(new X509Certificate(readFileSync(join(tpm.caDirectory, name))).raw)

beforeAll(async () => {
  fixture = await createFixture(Date.now())
  tpm = await startTestTpm()
  transport = await tpm.open()
  for (const pcr of pcrs) await pcrExtend(transport, pcr, Buffer.alloc(32, pcr + 1))
})
afterAll(async () => {
  await transport.close()
  await tpm.stop()
})
beforeEach(async () => {
  server = await startTestRegistry(fixture, [certificate('swtpm-localca-rootca-cert.pem')])
  const intermediates = [certificate('issuercert.pem')]
  await enrolDevice({ registry: server.url, transport, pcrs, intermediates }, await admission())
  key = await openAttestationKey(transport)
})
afterEach(async () => {
  await key.close()
  server.close()
})

async function admission(): Promise<string> {
  const pcrDigest = pcrDigestOf(await pcrRead(transport, pcrs)).toString('base64url')
  return admissionOf(fixture, {
    subject,
    platform: { pcrs, pcrDigest },
    device: {
      ...{ device: 'laser-1', spiffeId: subject, state: 'active', demandsAssurance: 'tpm', appraisalAgeMsMax: 60_000 },
      ...(deviceProfiles['laser-1'] as (typeof deviceProfiles)[string]),
      attestationAgeMsMax: 60_000,
    },
  })
}
async function challenge(): Promise<{ id: string; nonce: Buffer }> {
  const { id = '', nonce = '' } = await postTo(server.url, '/challenges', { subject })
  return { id, nonce: Buffer.from(nonce, 'base64url') }
}
const answer = (id: string, attested: Attested) =>
  reasonOf(postTo(server.url, `/renewals/${id}`, { evidence: quoteText(attested) }))
const entry = () => server.devices.get('laser-1')
/** Nobody was put out of service by it, and nobody counts as appraised by it. */
async function changesNothing(attack: () => Promise<void>): Promise<void> {
  const [before, appraisals] = [entry(), server.appraisals.length]
  await attack()
  expect(entry()).toEqual(before)
  expect(server.appraisals).toHaveLength(appraisals)
}

describe('attack 23: a quote of before, with its true nonce', () => {
  it('is accepted once, and never again: not for its own nonce, not for another', async () => {
    const { id, nonce } = await challenge()
    const quote = await key.quote({ qualifyingData: nonce, pcrs })
    expect(await answer(id, quote)).toBe('done')
    await changesNothing(async () => {
      expect(await answer(id, quote)).toBe('challenge-unknown')
      expect(await answer((await challenge()).id, quote)).toBe('nonce-mismatch')
    })
  })

  it('is refused where it comes after its minute', async () => {
    const { id, nonce } = await challenge()
    const quote = await key.quote({ qualifyingData: nonce, pcrs })
    server.clockMs = 61_000
    await changesNothing(async () => expect(await answer(id, quote)).toBe('challenge-unknown'))
  })

  it('uses its nonce up, and a stranger’s answer does not', async () => {
    const { id, nonce } = await challenge()
    const quote = await key.quote({ qualifyingData: nonce, pcrs })
    expect(await answer(id, { ...quote, signature: Buffer.of(1) })).toBe('signature-malformed')
    expect((await Promise.all([answer(id, quote), answer(id, quote)])).toSorted()).toEqual(['challenge-unknown', 'done'])
  })

  it('suspends once, where it shows another boot', async () => {
    const { id, nonce } = await challenge()
    const before = entry()
    await pcrExtend(transport, 7, Buffer.alloc(32, 3))
    const quote = await key.quote({ qualifyingData: nonce, pcrs })
    expect(await answer(id, quote)).toBe('pcr-digest')
    // As an operator's new admission would have it, in the same minute.
    server.devices.set('laser-1', before as NonNullable<typeof before>)
    await changesNothing(async () => expect(await answer(id, quote)).toBe('challenge-unknown'))
  })
})

it('attack 24: a quote without a nonce is refused', () =>
  changesNothing(async () => {
    const { id } = await challenge()
    expect(await answer(id, await key.quote({ qualifyingData: Buffer.alloc(0), pcrs }))).toBe('nonce-mismatch')
  }))

it('attack 26: a quote whose PCRs, digest or nonce were altered is refused', () =>
  changesNothing(async () => {
    for (const at of [-1, -33, 40]) {
      const { id, nonce } = await challenge()
      const quote = await key.quote({ qualifyingData: nonce, pcrs })
      const attest = Buffer.from(quote.attest)
      const byte = at < 0 ? attest.length + at : at
      attest.writeUInt8((attest[byte] as number) ^ 1, byte)
      expect(await answer(id, { ...quote, attest })).toBe('signature-invalid')
    }
  }))

describe('attack 29: what is no quote', () => {
  it('a certification over the nonce is refused', () =>
    changesNothing(async () => {
      const { id, nonce } = await challenge()
      const object = await openSigningKey(transport, 'interlock agent')
      try {
        expect(await answer(id, await key.certify({ object, qualifyingData: nonce }))).toBe('attest-type')
      } finally {
        await object.close()
      }
    }))

  it('bytes that begin with the TPM’s magic, signed by an unrestricted key of the same TPM, are refused', () =>
    changesNothing(async () => {
      const { id, nonce } = await challenge()
      const genuine = await key.quote({ qualifyingData: nonce, pcrs })
      const other = await openSigningKey(transport, 'another key')
      try {
        const p1363 = await other.sign(Buffer.from(genuine.attest))
        const [r, s] = [p1363.subarray(0, 32), p1363.subarray(32)]
        const sized = (bytes: Buffer) => Buffer.concat([Buffer.of(0, bytes.length), bytes])
        const signature = Buffer.concat([Buffer.from('0018000b', 'hex'), sized(r), sized(s)])
        expect(await answer(id, { attest: genuine.attest, signature })).toBe('signature-invalid')
      } finally {
        await other.close()
      }
    }))

  it('an unrestricted key cannot be enrolled as an attestation key', async () => {
    const unrestricted = await openSigningKey(transport, 'another key')
    const endorsement = await createPrimary(transport, handle.endorsement, p384Endorsement.publicArea)
    try {
      const leaf = await nvRead(transport, p384Endorsement.certificateIndex)
      const begun = postTo(server.url, '/enrolments', {
        admission: await admission(),
        endorsementChain: [leaf, certificate('issuercert.pem')].map(textOf),
        endorsementKey: textOf(endorsement.publicArea),
        attestationKey: textOf(unrestricted.publicArea),
      })
      expect(await reasonOf(begun)).toBe('attestation-key-attributes')
    } finally {
      await flushContext(transport, endorsement.handle)
      await unrestricted.close()
    }
  })
})

it('attack 32: a quote whose signature fails brings neither a certificate nor freshness, so the device goes out of date', async () => {
  await changesNothing(async () => {
    for (let times = 0; times < 3; times++) {
      const { id, nonce } = await challenge()
      const quote = await key.quote({ qualifyingData: nonce, pcrs })
      const signature = Buffer.from(quote.signature)
      signature.writeUInt8((signature.at(-1) as number) ^ 1, signature.length - 1)
      expect(await answer(id, { ...quote, signature })).toBe('signature-invalid')
    }
  })
})

it('attack 34: a quote that is older than the last one accepted is refused, and suspends: a clock does not go back', async () => {
  const first = await challenge()
  const old = await key.quote({ qualifyingData: first.nonce, pcrs })
  const second = await challenge()
  expect(await answer(second.id, await key.quote({ qualifyingData: second.nonce, pcrs }))).toBe('done')
  expect(await answer(first.id, old)).toBe('counter-rollback')
  expect(entry()?.state).toBe('suspended')
})

it('attack 36: a quote that was made for an ack is no answer to the registry', () =>
  changesNothing(async () => {
    const { id } = await challenge()
    const statement = Buffer.alloc(32, 9)
    expect(await answer(id, await key.quote({ qualifyingData: statement, pcrs }))).toBe('nonce-mismatch')
  }))
