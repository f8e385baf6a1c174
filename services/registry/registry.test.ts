import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Evidence } from '@interlock/attestation'
import { type Enrolment, enrolAgent, enrolDevice, reappraiseDevice, renewAgent } from '@interlock/sdk'
import { createFixture, type Fixture } from '@interlock/sdk/fixture'
import { agentSpiffeId, definitionHash, deviceProfiles } from '@interlock/sdk/trust-domain'
import { pcrDigestOf, pcrExtend, pcrRead, type TpmTransport } from '@interlock/tpm'
import { startTestTpm, type TestTpm } from '@interlock/tpm/test-tpm'
import { type Admission, readAttestationResult, type SigningKey, validateSvid, verifySignature } from '@interlock/trust'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { admissionOf, reasonOf, startTestRegistry, type TestRegistry } from './test-registry.ts'

const laser = agentSpiffeId('laser-operator', 'z9')
const pcrs = [0, 4, 7]

let fixture: Fixture
let tpm: TestTpm
let other: TestTpm
let transport: TpmTransport
let reference: string
const certificates = (machine: TestTpm) =>
  ['issuercert.pem', 'swtpm-localca-rootca-cert.pem'].map((name) =>
    Buffer.from(new X509Certificate(readFileSync(join(machine.caDirectory, name))).raw),
  )

beforeAll(async () => {
  fixture = await createFixture(Date.now())
  tpm = await startTestTpm()
  other = await startTestTpm()
  transport = await tpm.open()
  for (const pcr of pcrs) await pcrExtend(transport, pcr, Buffer.alloc(32, pcr + 1))
  reference = pcrDigestOf(await pcrRead(transport, pcrs)).toString('base64url')
}, 60_000)
afterAll(async () => {
  await transport.close()
  await Promise.all([tpm.stop(), other.stop()])
})

let server: TestRegistry
beforeEach(async () => {
  server = await startTestRegistry(fixture, [certificates(tpm)[1] as Buffer])
})
afterEach(() => server.close())

const enrolment = (change: Partial<Enrolment> = {}): Enrolment => ({
  registry: server.url,
  transport,
  pcrs,
  intermediates: [certificates(tpm)[0] as Buffer],
  ...change,
})
const admission = (change: Partial<Admission> = {}, by?: SigningKey): Promise<string> =>
  admissionOf(fixture, { subject: laser, platform: { pcrs, pcrDigest: reference }, ...change }, by)
const deviceAdmission = () =>
  admission({
    subject: 'spiffe://lab.interlock.example/device/laser-1',
    device: {
      device: 'laser-1',
      spiffeId: 'spiffe://lab.interlock.example/device/laser-1',
      ...(deviceProfiles['laser-1'] as (typeof deviceProfiles)[string]),
      state: 'active',
      demandsAssurance: 'tpm',
      appraisalAgeMsMax: 60_000,
      attestationAgeMsMax: 60_000,
    },
  })
async function enrolled() {
  const agent = await enrolAgent(enrolment(), await admission())
  await agent.close()
  return agent.key
}
const measured = (value: number) => pcrExtend(transport, 7, Buffer.alloc(32, value))
const state = (id: string) => (server.agents.get(id) as { state?: string } | undefined)?.state

describe('an agent’s host enrols', () => {
  it('and gets a certificate of an hour for a key in its TPM, with what the tables say of it', async () => {
    const agent = await enrolAgent(enrolment(), await admission())
    const svid = validateSvid(agent.key.chain, fixture.trust.anchors, Date.now(), 30_000)
    expect(svid).toMatchObject({
      ok: true,
      value: { spiffeId: laser, definitionHash: definitionHash('laser-operator'), assurance: 'tpm' },
    })
    if (!svid.ok) throw new Error(svid.reason)
    expect(svid.value.notAfterMs - Date.now()).toBeLessThanOrEqual(3_600_000)
    const message = Buffer.from('signed in the TPM')
    expect(verifySignature(svid.value.publicKey, message, await agent.key.sign(message))).toBe(true)
    await agent.close()
    expect(server.agents.get(`instance:${laser}`)).toMatchObject({
      assurance: 'tpm',
      state: 'active',
      definition: 'laser-operator',
    })
  })

  it('which is recorded with a signed result, that says which TPM it was', async () => {
    const key = await enrolled()
    expect(server.appraisals).toMatchObject([{ subject: laser, status: 'affirming', certificate: key.keyId }])
    const result = readAttestationResult(server.appraisals[0]?.result ?? '', fixture.trust.anchors)
    expect(result).toMatchObject({ ok: true, value: { subject: laser, pcrDigest: reference, model: { model: 'swtpm' } } })
    const [header, payload] = server.appraisals[0]?.result.split('.') ?? []
    expect(
      readAttestationResult(`${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`, fixture.trust.anchors),
    ).toMatchObject({
      reason: 'result-signer',
    })
  })

  it('or not at all, where it cannot be recorded', async () => {
    server.isLogAway = true
    expect(await reasonOf(enrolled())).toBe('internal-error')
    expect(server.agents.has(`instance:${laser}`)).toBe(false)
  })

  it('attack 31: not with a TPM of another vendor', async () => {
    const foreign = await other.open()
    try {
      const asked = enrolAgent(
        enrolment({ transport: foreign, intermediates: [certificates(other)[0] as Buffer] }),
        await admission(),
      )
      expect(await reasonOf(asked)).toBe('endorsement-chain')
    } finally {
      await foreign.close()
    }
  })

  it('not with another TPM than the operator named', async () =>
    expect(
      await reasonOf(
        enrolAgent(enrolment(), await admission({ platform: { pcrs, pcrDigest: reference, endorsement: 'A'.repeat(43) } })),
      ),
    ).toBe('other-tpm'))

  it('not in another measured state than the operator admitted', async () => {
    expect(await reasonOf(enrolAgent(enrolment(), await admission({ platform: { pcrs, pcrDigest: 'A'.repeat(43) } })))).toBe(
      'pcr-digest',
    )
    expect(await reasonOf(enrolAgent(enrolment({ pcrs: [0] }), await admission()))).toBe('pcr-selection')
  })

  it.each<[string, string, () => Promise<string>]>([
    ['by nobody', 'admission-jws-malformed', async () => 'x'],
    ['by a service', 'admission-signer', () => admission({}, fixture.key('service-token'))],
    [
      'by an operator of another domain',
      'admission-signer',
      async () => admission({}, (await createFixture(Date.now())).key('operator-dev')),
    ],
    ['for another system', 'admission-audience', () => admission({ aud: 'other' })],
    ['that is over', 'admission-expired', () => admission({ iat: 1000, exp: 2000 })],
    ['that lasts a week', 'admission-validity-too-long', () => admission({ exp: Math.floor(Date.now() / 1000) + 604_800 })],
    [
      'of another trust domain',
      'admission-subject',
      () => admission({ subject: 'spiffe://other.example/agent/laser-operator/z1' }),
    ],
    ['as a service', 'admission-subject', () => admission({ subject: 'spiffe://lab.interlock.example/service/token' })],
    [
      'as a device without its entry',
      'admission-subject',
      () => admission({ subject: 'spiffe://lab.interlock.example/device/laser-1' }),
    ],
    [
      'for a definition that nobody registered',
      'definition-not-active',
      () => admission({ subject: agentSpiffeId('nobody', 'z1') }),
    ],
  ])('not admitted %s', async (_what, reason, make) => {
    expect(await reasonOf(enrolAgent(enrolment(), await make()))).toBe(reason)
    expect(server.appraisals).toEqual([])
  })

  it('attack 131: once for each admission, in turn or at once', async () => {
    const one = await admission()
    await (await enrolAgent(enrolment(), one)).close()
    expect(await reasonOf(enrolAgent(enrolment(), one))).toBe('admission-used')
    expect(server.appraisals).toHaveLength(1)
  })

  it('attack 131: once for each admission, of two machines at once', async () => {
    const both = await startTestRegistry(
      fixture,
      [tpm, other].map((machine) => certificates(machine)[1] as Buffer),
    )
    const foreign = await other.open()
    try {
      // A register that nobody extended is the same in both.
      const one = await admission({
        platform: { pcrs: [16], pcrDigest: pcrDigestOf(await pcrRead(transport, [16])).toString('base64url') },
      })
      const machines = [
        { transport, intermediates: [certificates(tpm)[0] as Buffer] },
        { transport: foreign, intermediates: [certificates(other)[0] as Buffer] },
      ]
      const asked = machines.map((machine) =>
        reasonOf(enrolAgent(enrolment({ ...machine, registry: both.url, pcrs: [16] }), one).then(({ close }) => close())),
      )
      const [done, ...others] = (await Promise.all(asked)).sort().toReversed()
      expect(done).toBe('done')
      // Whose question the other's took the place of, or who came when it was used up.
      expect(['admission-used', 'challenge-unknown']).toEqual(expect.arrayContaining(others))
      expect(both.appraisals).toHaveLength(1)
    } finally {
      await foreign.close()
      both.close()
    }
  })

  it('with one open question for each admission: one that is not used does not take all places', async () => {
    const { enrolments } = server.parts
    const begin = vi.spyOn(enrolments, 'begin')
    await enrolled()
    const [asked] = begin.mock.calls
    if (!asked) throw new Error('nobody asked')
    const [admitted, request, now] = asked
    const idOf = (jti: string) => {
      const begun = enrolments.begin({ ...admitted, jti }, request, now)
      return begun.ok ? begun.value.id : begun.reason
    }
    const [first, other, second] = [idOf('one'), idOf('other'), idOf('one')]
    const wrong = Buffer.alloc(32)
    const evidence = { quote: { attest: wrong, signature: wrong } } as unknown as Evidence
    const reasons = [first, other, second].map((id) => {
      const finished = enrolments.finish(id, wrong, evidence, now)
      return finished.ok ? 'done' : finished.reason
    })
    // What has no place any more is unknown; the others wait for the right secret.
    expect(reasons).toEqual(['challenge-unknown', 'challenge-wrong', 'challenge-wrong'])
  })

  it('attack 23: by an answer that is given once, in its time', async () => {
    const send = (path: string, body: object) =>
      fetch(`${server.url}${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      })
    const evidence = { quote: { attest: 'AA', signature: 'AA' } }
    const answer = await send('/enrolments/unknown', { secret: 'AA', evidence })
    expect([answer.status, await answer.json()]).toEqual([400, { error: 'challenge-unknown' }])
    const malformed = await send('/enrolments/unknown', { secret: 'AA' })
    expect(await malformed.json()).toEqual({ error: 'request-malformed' })
    const large = await send('/enrolments', { admission: 'x'.repeat(600_000) })
    expect(large.status).toBe(413)
  })
})

describe('a platform is appraised again', () => {
  it('and its agent gets the next certificate for the same key', async () => {
    const before = await enrolled()
    const agent = await renewAgent(enrolment(), laser)
    await agent.close()
    expect(agent.key.keyId).not.toBe(before.keyId)
    expect(
      new X509Certificate(agent.key.chain[0] as Buffer).publicKey.equals(
        new X509Certificate(before.chain[0] as Buffer).publicKey,
      ),
    ).toBe(true)
    expect(server.appraisals.map(({ status }) => status)).toEqual(['affirming', 'affirming'])
  })

  it('attack 32: a boot that is not as it was suspends it, until an operator admits it anew', async () => {
    await enrolled()
    await measured(9)
    expect(await reasonOf(renewAgent(enrolment(), laser))).toBe('pcr-digest')
    expect(state(`instance:${laser}`)).toBe('suspended')
    expect(server.appraisals.at(-1)).toMatchObject({ status: 'contraindicated', reason: 'pcr-digest', certificate: '' })
    expect(await reasonOf(renewAgent(enrolment(), laser))).toBe('not-active')
    reference = pcrDigestOf(await pcrRead(transport, pcrs)).toString('base64url')
    await enrolled()
    expect(state(`instance:${laser}`)).toBe('active')
  })

  it('appraised and not entered, it is as good as unknown: only an admission enters it', async () => {
    await enrolled()
    server.agents.delete(`instance:${laser}`)
    expect(await reasonOf(renewAgent(enrolment(), laser))).toBe('subject-unknown')
    await enrolled()
    expect(state(`instance:${laser}`)).toBe('active')
  })

  it('a stranger’s evidence is refused, and suspends nobody', async () => {
    await enrolled()
    const foreign = await other.open()
    try {
      expect(await reasonOf(renewAgent(enrolment({ transport: foreign }), laser))).toBe('signature-invalid')
    } finally {
      await foreign.close()
    }
    expect(state(`instance:${laser}`)).toBe('active')
    expect(await reasonOf(renewAgent(enrolment(), laser).then(({ close }) => close()))).toBe('done')
  })

  it('attack 34: counters that went back suspend it', async () => {
    await enrolled()
    const known = server.parts.platforms.get(laser)
    if (known?.kind !== 'platform') throw new Error('not enrolled')
    server.parts.platforms.set(laser, { ...known, counters: { ...known.counters, resetCount: known.counters.resetCount + 1 } })
    expect(await reasonOf(renewAgent(enrolment(), laser))).toBe('counter-rollback')
    expect(state(`instance:${laser}`)).toBe('suspended')
  })

  it('with another key than it was enrolled with, of the same TPM, gets no certificate', async () => {
    await enrolled()
    const known = server.parts.platforms.get(laser)
    if (known?.kind !== 'platform') throw new Error('not enrolled')
    server.parts.platforms.set(laser, { ...known, key: 'A'.repeat(43) })
    expect(await reasonOf(renewAgent(enrolment(), laser))).toBe('other-key')
  })

  it('whom nobody enrolled is not appraised', async () =>
    expect(await reasonOf(renewAgent(enrolment(), agentSpiffeId('laser-operator', 'z8')))).toBe('subject-unknown'))
})

describe('a device enrols', () => {
  it('and its entry has the key that its acks will be signed with', async () => {
    await enrolDevice(enrolment(), await deviceAdmission())
    const entry = server.devices.get('laser-1')
    expect(entry).toMatchObject({
      device: 'laser-1',
      state: 'active',
      attestation: { kind: 'tpm', pcrs, pcrDigest: reference, appraisalAgeMsMax: 60_000 },
    })
    expect(entry?.attestation.kind === 'tpm' && entry.attestation.attestationKey.length).toBeGreaterThan(100)
  })

  it('is appraised again, and suspended where its boot changed', async () => {
    await enrolDevice(enrolment(), await deviceAdmission())
    const id = 'spiffe://lab.interlock.example/device/laser-1'
    const before = server.devices.get('laser-1')?.attestation.appraisedAt ?? 0
    await new Promise((resolve) => setTimeout(resolve, 5))
    await reappraiseDevice(enrolment(), id)
    expect(server.devices.get('laser-1')?.attestation.appraisedAt).toBeGreaterThan(before)
    await measured(8)
    expect(await reasonOf(reappraiseDevice(enrolment(), id))).toBe('pcr-digest')
    expect(server.devices.get('laser-1')?.state).toBe('suspended')
    reference = pcrDigestOf(await pcrRead(transport, pcrs)).toString('base64url')
  })
})

it('the bundle is the trust domain’s roots as SPIFFE has it', async () => {
  const bundle = (await (await fetch(`${server.url}/bundle`)).json()) as { keys: { use: string; x5c: string[] }[] }
  expect(bundle.keys).toMatchObject([{ use: 'x509-svid', kty: 'EC', crv: 'P-256' }])
  expect(bundle.keys[0]?.x5c[0]).toBe(Buffer.from(fixture.domain.root.certificate.rawData).toString('base64'))
})
