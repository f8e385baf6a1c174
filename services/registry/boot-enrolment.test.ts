import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Enrolment, enrolAgent, enrolDevice, reappraiseDevice, renewAgent } from '@interlock/sdk'
import { createFixture, type Fixture } from '@interlock/sdk/fixture'
import { agentSpiffeId, deviceProfiles } from '@interlock/sdk/trust-domain'
import { openAttestationKey, pcrExtend, type TpmTransport } from '@interlock/tpm'
import {
  authority,
  digestText,
  globalVariable,
  goodBoot,
  kernel,
  logOf,
  measuredPcrs,
  optionRom,
  type Sample,
  sha256,
} from '@interlock/tpm/test-event-log'
import { startTestTpm, type TestTpm } from '@interlock/tpm/test-tpm'
import { type Admission, readAttestationResult } from '@interlock/trust'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { admissionOf, postTo, reasonOf, startTestRegistry, type TestRegistry } from './test-registry.ts'

const pcrs = [0, 2, 4, 7]
const subject = 'spiffe://lab.interlock.example/device/laser-1'
const boot = { secureBoot: true as const, authorities: [digestText(authority)], drivers: [], images: [digestText(kernel)] }
const operator = agentSpiffeId('laser-operator', 'z9')

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')

let fixture: Fixture
let tpm: TestTpm
let transport: TpmTransport
let server: TestRegistry
let booted: Sample[]
beforeAll(async () => {
  fixture = await createFixture(Date.now())
})
// Each test boots its own machine: PCRs go back by nothing else.
beforeEach(async () => {
  tpm = await startTestTpm()
  transport = await tpm.open()
  const roots = [certificate('swtpm-localca-rootca-cert.pem')]
  server = await startTestRegistry(fixture, roots)
  booted = []
})
afterEach(async () => {
  server.close()
  await transport.close()
  await tpm.stop()
})
const certificate = (name: string) => Buffer.from(new X509Certificate(readFileSync(join(tpm.caDirectory, name))).raw)

/** What firmware does: measures into the TPM and writes down what. */
async function measure(events: readonly Sample[]): Promise<void> {
  for (const event of events) {
    const { pcr, data, digest = sha256(data) } = event
    await pcrExtend(transport, pcr, digest)
    booted.push(event)
  }
}
const enrolment = (change: Partial<Enrolment> = {}): Enrolment => ({
  registry: server.url,
  ...{ transport, pcrs },
  intermediates: [certificate('issuercert.pem')],
  eventLog: () => logOf(booted),
  ...change,
})
const deviceAdmission = (change: Partial<Admission> = {}) =>
  admissionOf(fixture, {
    subject,
    platform: { pcrs, boot },
    device: {
      ...{ device: 'laser-1', spiffeId: subject, state: 'active', demandsAssurance: 'tpm', appraisalAgeMsMax: 60_000 },
      ...(deviceProfiles['laser-1'] as (typeof deviceProfiles)[string]),
      attestationAgeMsMax: 60_000,
    },
    ...change,
  })
const enrol = async (change: Partial<Enrolment> = {}) => enrolDevice(enrolment(change), await deviceAdmission())
const renew = (change: Partial<Enrolment> = {}) => reappraiseDevice(enrolment(change), subject)
const state = () => server.devices.get('laser-1')?.state
const pcrDigest = () => {
  const entry = server.devices.get('laser-1')?.attestation
  return entry?.kind === 'tpm' ? entry.pcrDigest : undefined
}

describe('a machine that is judged by what it measured', () => {
  it('enrols, and its acks must quote what it was when it did', async () => {
    await measure(goodBoot)
    await enrol()
    expect(state()).toBe('active')
    const result = readAttestationResult(server.appraisals[0]?.result ?? '', fixture.trust.anchors)
    expect(result).toMatchObject({ ok: true, value: { boot, pcrDigest: pcrDigest() } })
  })

  it('stays enrolled over an update that no rule is about, and its acks quote the new state', async () => {
    await measure(goodBoot)
    await enrol()
    const before = pcrDigest()
    await measure([{ pcr: 0, type: 8, data: Buffer.from('firmware 2.0') }])
    await renew()
    expect(state()).toBe('active')
    expect(pcrDigest()).not.toBe(before)
  })

  it('enrols as an agent’s host as well, and renews', async () => {
    await measure(goodBoot)
    const agent = await enrolAgent(enrolment(), await admissionOf(fixture, { subject: operator, platform: { pcrs, boot } }))
    await agent.close()
    const renewed = await renewAgent(enrolment(), operator)
    await renewed.close()
    expect(server.agents.get(`instance:${operator}`)).toMatchObject({ state: 'active', assurance: 'tpm' })
  })

  it.each<[string, readonly Sample[], string]>([
    ['secure boot off', goodBoot.map((event, at) => (at === 1 ? globalVariable('SecureBoot', 0) : event)), 'boot-secure-boot'],
    ['an option ROM', [...goodBoot, optionRom], 'boot-driver'],
    ['another authority', [...goodBoot, { ...authority, data: Buffer.from('db: a stranger’s') }], 'boot-authority'],
    ['another kernel', [...goodBoot, { ...kernel, digest: sha256(Buffer.from('another')) }], 'boot-image'],
  ])('attack 28: does not enrol with %s, and is suspended where it comes with it later', async (_, events, reason) => {
    await measure(goodBoot)
    await enrol()
    await measure(events.filter((event) => !goodBoot.includes(event)))
    const later = reason === 'boot-secure-boot' ? 'boot-authority' : reason
    expect(await reasonOf(renew())).toBe(later)
    expect(state()).toBe('suspended')
    expect(server.appraisals.at(-1)).toMatchObject({ status: 'contraindicated', reason: later })

    await transport.close()
    await tpm.restart({ orderly: true })
    transport = await tpm.open()
    booted = []
    await measure(events)
    expect(await reasonOf(enrol())).toBe(reason)
  })

  const edited = (log: readonly Sample[]): Partial<Enrolment> => ({ eventLog: () => logOf(log) })
  it('attack 27: a log that was edited, or lost events, is refused and suspends nobody, for nobody signed it', async () => {
    await measure([...goodBoot, optionRom])
    const admitted = async (change: Partial<Enrolment>) => reasonOf(enrol(change))
    expect(await admitted(edited(goodBoot))).toBe('event-log-mismatch')
    expect(await admitted(edited(booted.toReversed()))).toBe('event-log-mismatch')
    expect(await admitted(edited(booted.map((event) => (event === kernel ? { ...kernel, pcr: 7 } : event))))).toBe(
      'event-log-mismatch',
    )
    expect(await admitted({ eventLog: () => logOf(booted).subarray(0, -1) })).toBe('event-log-malformed')
    expect(await admitted({ eventLog: () => Buffer.alloc(262_145) })).toBe('request-malformed')

    await transport.close()
    await tpm.restart({ orderly: true })
    transport = await tpm.open()
    booted = []
    await measure(goodBoot)
    await enrol()
    await measure([optionRom])
    expect(await reasonOf(renew(edited(goodBoot)))).toBe('event-log-mismatch')
    expect(state()).toBe('active')
  })

  it('attack 27: without a log it is refused', async () => {
    await measure(goodBoot)
    const { eventLog: _, ...silent } = enrolment()
    expect(await reasonOf(enrolDevice(silent, await deviceAdmission()))).toBe('event-log-missing')
  })

  it('attack 26: values that are not the quoted ones are refused, with whatever log, and suspend nobody', async () => {
    await measure(goodBoot)
    await enrol()
    await measure([optionRom])
    const key = await openAttestationKey(transport)
    const renewed = async (values: ReadonlyMap<number, Buffer>) => {
      const { id, nonce } = await postTo(server.url, '/challenges', { subject })
      const quote = await key.quote({ qualifyingData: Buffer.from(nonce ?? '', 'base64url'), pcrs })
      const pcrValues = pcrs.map((pcr) => textOf(values.get(pcr) as Buffer))
      const boot = { eventLog: textOf(logOf(goodBoot)), pcrValues }
      const evidence = { quote: { attest: textOf(quote.attest), signature: textOf(quote.signature) }, boot }
      return reasonOf(postTo(server.url, `/renewals/${id}`, { evidence }))
    }
    expect(await renewed(measuredPcrs(logOf(goodBoot)))).toBe('pcr-values')
    await key.close()
    expect(state()).toBe('active')
  })

  it.each([
    ['no rule', { boot: {} }],
    ['a rule whose PCR is not quoted', { pcrs: [0, 4, 7], boot }],
    ['a digest as well', { boot, pcrDigest: 'A'.repeat(43) }],
  ])('an admission with %s is none', async (_, change) => {
    const platform = { pcrs, ...change } as Admission['platform']
    expect(await reasonOf(enrolDevice(enrolment(), await deviceAdmission({ platform })))).toBe('admission-claims')
  })
})
