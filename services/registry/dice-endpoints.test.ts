import { answerTo, type TestDice, type TestDiceOptions, testDice, testLayer } from '@interlock/attestation/test-dice'
import type { DeviceEntry } from '@interlock/contracts'
import { enrolDiceDevice, reappraiseDiceDevice } from '@interlock/sdk'
import { createFixture, type Fixture } from '@interlock/sdk/fixture'
import { deviceProfiles } from '@interlock/sdk/trust-domain'
import { type Admission, readAttestationResult } from '@interlock/trust'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { admissionOf, postTo, reasonOf, startTestRegistry, type TestRegistry } from './test-registry.ts'

const subject = 'spiffe://lab.interlock.example/device/laser-1'
const device: NonNullable<Admission['device']> = {
  device: 'laser-1',
  spiffeId: subject,
  ...(deviceProfiles['laser-1'] as (typeof deviceProfiles)[string]),
  state: 'active',
  demandsAssurance: 'software',
  appraisalAgeMsMax: 60_000,
  attestationAgeMsMax: 60_000,
}
const good = testDice()
const updated = (options: TestDiceOptions = {}) =>
  testDice({ ...options, layers: [testLayer('boot loader'), testLayer('another firmware')] })

let fixture: Fixture
let server: TestRegistry
beforeAll(async () => {
  fixture = await createFixture(Date.now())
})
beforeEach(async () => {
  server = await startTestRegistry(fixture, [])
})
afterEach(() => server.close())

const admission = (change: Partial<Admission> = {}) => admissionOf(fixture, { subject, device, dice: good.reference, ...change })
const enrol = async (dice: TestDice, change: Partial<Admission> = {}) =>
  enrolDiceDevice(server.url, dice, await admission(change))
const renew = (dice: TestDice) => reappraiseDiceDevice(server.url, dice, subject)
const leafKeyOf = () => {
  const entry = server.devices.get('laser-1')?.attestation
  return entry?.kind === 'dice' ? entry.leafKey : undefined
}

const post = (path: string, body: object) => postTo(server.url, path, body)
const evidenceFor = (nonce: string, dice = good) => ({
  kind: 'dice',
  chain: dice.chain.map((bytes) => bytes.toString('base64url')),
  answer: answerTo(Buffer.from(nonce, 'base64url'), dice.leafKey).toString('base64url'),
})

describe('a device without a TPM enrols', () => {
  it('by its DICE, and its entry has the key that its acks will be signed with', async () => {
    await enrol(good)
    expect(server.devices.get('laser-1')).toMatchObject({
      device: 'laser-1',
      state: 'active',
      attestation: { kind: 'dice', appraisalAgeMsMax: 60_000 },
    })
    expect(leafKeyOf()?.length).toBeGreaterThan(50)
  })

  it('with certificates of X.509 and a P-256 key as well', async () => {
    const dice = testDice({ format: 'x509', algorithm: 'ES256' })
    await enrol(dice, { dice: dice.reference })
    expect(leafKeyOf()?.length).toBeGreaterThan(100)
  })

  it('which is recorded with a signed result, that a restarted registry starts from', async () => {
    await enrol(good)
    expect(server.appraisals).toMatchObject([{ subject, status: 'affirming', certificate: '' }])
    const result = readAttestationResult(server.appraisals[0]?.result ?? '', fixture.trust.anchors)
    expect(result).toMatchObject({ ok: true, value: { kind: 'dice', subject, reference: good.reference } })
    const known = server.parts.platforms.get(subject)
    expect(result.ok && result.value).toMatchObject({ leafKey: known?.kind === 'dice' && known.leafKey })
  })

  it('or not at all, where it cannot be recorded', async () => {
    server.isLogAway = true
    expect(await reasonOf(enrol(good))).toBe('internal-error')
    expect(server.devices.has('laser-1')).toBe(false)
  })

  it.each<[string, () => Promise<unknown>, string]>([
    ['other firmware', () => enrol(updated()), 'dice-code'],
    [
      'debug mode',
      () => enrol(testDice({ layers: [testLayer('boot loader'), testLayer('firmware', { mode: 2 })] })),
      'dice-mode',
    ],
    ['the secret of another device', () => enrol(testDice({ uds: Buffer.alloc(32, 1) })), 'dice-certificate-issuer'],
    [
      'an admission of a TPM',
      () => enrol(good, { dice: undefined, platform: { pcrs: [0], pcrDigest: 'A'.repeat(43) } }),
      'admission-no-reference',
    ],
    ['an admission of both', () => enrol(good, { platform: { pcrs: [0], pcrDigest: 'A'.repeat(43) } }), 'admission-no-reference'],
    ['an admission of neither', () => enrol(good, { dice: undefined }), 'admission-no-reference'],
  ])('not with %s', async (_, enrolment, reason) => {
    expect(await reasonOf(enrolment())).toBe(reason)
    expect(server.devices.has('laser-1')).toBe(false)
  })

  it('attack 23: by an answer that is given once, in its time', async () => {
    const text = await admission()
    const { id, nonce = '' } = await post('/dice/enrolments', { admission: text })
    const body = { admission: text, evidence: evidenceFor(nonce) }
    server.clockMs = 61_000
    expect(await reasonOf(post(`/dice/enrolments/${id}`, body))).toBe('challenge-unknown')
    server.clockMs = 0
    const second = await post('/dice/enrolments', { admission: text })
    expect(await reasonOf(post(`/dice/enrolments/${second.id}`, body))).toBe('dice-answer-signature')
    expect(await reasonOf(post(`/dice/enrolments/${id}`, body))).toBe('done')
    expect(await reasonOf(post(`/dice/enrolments/${id}`, body))).toBe('admission-used')
  })

  it('attack 131: by an admission that is used once, of two at once too', async () => {
    const text = await admission()
    const both = await Promise.all([
      reasonOf(enrolDiceDevice(server.url, good, text)),
      reasonOf(enrolDiceDevice(server.url, good, text)),
    ])
    expect(both.toSorted()).toEqual(['admission-used', 'done'])
  })

  it('not by a nonce for another admission', async () => {
    const { id, nonce = '' } = await post('/dice/enrolments', { admission: await admission() })
    const other = { admission: await admission(), evidence: evidenceFor(nonce) }
    expect(await reasonOf(post(`/dice/enrolments/${id}`, other))).toBe('challenge-unknown')
  })

  it.each([
    'sev',
    'sev-es',
    'tdx',
    'sgx',
    'nitro',
    'cca',
    'trustzone',
  ])('and evidence of %s is refused by its name', async (kind) => {
    const text = await admission()
    const { id } = await post('/dice/enrolments', { admission: text })
    const asked = post(`/dice/enrolments/${id}`, { admission: text, evidence: { kind, quote: 'AAAA' } })
    expect(await reasonOf(asked)).toBe(`evidence-${kind}-unsupported`)
  })
})

describe('it is appraised again', () => {
  beforeEach(() => enrol(good))

  it('and its entry says when', async () => {
    const before = server.devices.get('laser-1')?.attestation.appraisedAt ?? 0
    await new Promise((resolve) => setTimeout(resolve, 5))
    await renew(good)
    expect(server.devices.get('laser-1')?.attestation.appraisedAt).toBeGreaterThan(before)
  })

  it('attack 32: and suspended where it runs something else, until an operator admits it anew', async () => {
    expect(await reasonOf(renew(updated()))).toBe('dice-code')
    expect(server.devices.get('laser-1')?.state).toBe('suspended')
    expect(server.appraisals.at(-1)).toMatchObject({ subject, status: 'contraindicated', reason: 'dice-code' })
    expect(await reasonOf(renew(good))).toBe('not-active')
    await enrol(updated(), { dice: updated().reference })
    expect(server.devices.get('laser-1')?.state).toBe('active')
  })

  it('attack 23: by an answer that is given once, of two at once too', async () => {
    const { id, nonce = '' } = await post('/challenges', { subject })
    const body = { evidence: evidenceFor(nonce) }
    const both = [post(`/renewals/${id}`, body), post(`/renewals/${id}`, body)].map(reasonOf)
    expect((await Promise.all(both)).toSorted()).toEqual(['challenge-unknown', 'done'])
    expect(await reasonOf(post(`/renewals/${id}`, body))).toBe('challenge-unknown')
  })

  it('by its own nonce, however many a stranger asks for and however wrongly they answer', async () => {
    const { id, nonce = '' } = await post('/challenges', { subject })
    for (let asked = 0; asked < 20; asked++) await post('/challenges', { subject })
    const foreign = evidenceFor(Buffer.alloc(32).toString('base64url'))
    expect(await reasonOf(post(`/renewals/${id}`, { evidence: foreign }))).toBe('dice-answer-signature')
    expect(await reasonOf(post(`/renewals/${id}`, { evidence: evidenceFor(nonce) }))).toBe('done')
  })

  it('attack 32: and a stranger’s evidence suspends nobody', async () => {
    expect(await reasonOf(renew(testDice({ uds: Buffer.alloc(32, 1) })))).toBe('dice-certificate-issuer')
    expect(await reasonOf(renew({ ...good, leafKey: updated().leafKey }))).toBe('dice-answer-signature')
    expect(server.devices.get('laser-1')?.state).toBe('active')
  })

  it('and stays suspended where it was meanwhile', async () => {
    const { log } = server.parts
    const { appraised } = log
    log.appraised = async (appraisal) => {
      await appraised(appraisal)
      server.devices.set('laser-1', { ...(server.devices.get('laser-1') as DeviceEntry), state: 'suspended' })
    }
    expect(await reasonOf(renew(good))).toBe('not-active')
    expect(server.devices.get('laser-1')?.state).toBe('suspended')
  })

  it('attack 33: and comes back by a good appraisal, where it had only stayed away', async () => {
    const entry = server.devices.get('laser-1') as DeviceEntry
    server.devices.set('laser-1', { ...entry, state: 'lapsed' })
    await renew(good)
    expect(server.devices.get('laser-1')?.state).toBe('active')
  })

  it('not where it was revoked, and is not admitted anew', async () => {
    server.revocations.set('device:laser-1', { kind: 'device', subject: 'laser-1', from: Date.now() - 1, reason: 'test' })
    expect(await reasonOf(renew(good))).toBe('revoked')
    expect(await reasonOf(enrol(good))).toBe('revoked')
  })

  it('not by a TPM, which nobody admitted', async () => {
    const { id } = await post('/challenges', { subject })
    const quote = { attest: 'AAAA', signature: 'AAAA' }
    expect(await reasonOf(post(`/renewals/${id}`, { evidence: { quote } }))).toBe('evidence-kind')
  })
})
