import type { Appraisal, DeviceEntry } from '@interlock/contracts'
import { createFixture, type Fixture } from '@interlock/sdk/fixture'
import { agentSpiffeId, deviceEntry } from '@interlock/sdk/trust-domain'
import { type KnownPlatform, keyDigest, type SigningKey, type Svid, signAttestationResult, validateSvid } from '@interlock/trust'
import { beforeAll, describe, expect, it } from 'vitest'
import { agentEnrolmentNode, deviceEnrolmentNode } from './enrolment-nodes.ts'
import type { Kept, TraceNode } from './evidence.ts'

const now = Date.UTC(2026, 10, 24, 12)
const agent = agentSpiffeId('laser-operator', 'z1')
const failuresOf = ({ checks }: TraceNode) =>
  checks.flatMap(({ what, result }) => (result === 'holds' ? [] : [`${result}: ${what}`]))

describe('how somebody was enrolled, in a trace', () => {
  let fixture: Fixture
  let leaf: Svid
  let known: KnownPlatform
  beforeAll(async () => {
    fixture = await createFixture(now)
    const svid = validateSvid(fixture.key('agent-laser-operator-z1').chain, fixture.trust.anchors, now, 30_000)
    if (!svid.ok) throw new Error(svid.reason)
    leaf = svid.value
    known = {
      kind: 'platform',
      subject: agent,
      admission: 'admission-000001',
      key: keyDigest(leaf.publicKey),
      attestationKey: Buffer.from('an attestation key'),
      endorsement: 'A'.repeat(43),
      model: { manufacturer: 'id:00001014', model: 'swtpm', version: 'id:20191023' },
      pcrs: [0, 4, 7],
      pcrDigest: 'B'.repeat(43),
      firmware: '0'.repeat(16),
      counters: { clock: 1, resetCount: 1, restartCount: 0 },
      appraisedAt: now - 60_000,
    }
  })

  async function kept(
    change: Partial<KnownPlatform> = {},
    by?: SigningKey,
    certificate = leaf.thumbprint,
  ): Promise<Kept<Appraisal>> {
    const found = { ...known, ...change }
    const result = await signAttestationResult(found, by ?? fixture.key('service-registry'))
    const { appraisedAt } = found
    // What the columns say is the writer's word: the subject asked for, whatever is signed.
    const subject = certificate === '' ? found.subject : agent
    const record = { subject, status: 'affirming', reason: '', certificate, result, appraisedAt }
    return { record, bytes: Buffer.alloc(0), at: 'appraisals:0:0' }
  }
  const reference = () => ({ anchors: fixture.trust.anchors, codec: fixture.codec })
  const ofAgent = (appraisals: readonly Kept<Appraisal>[]) =>
    agentEnrolmentNode({ agent, certificate: leaf.thumbprint }, appraisals, { decidedAt: now, leaf }, reference())

  it('says in which TPM an agent’s key is, and finds nothing wrong with what is genuine', async () => {
    const node = ofAgent([await kept()])
    expect(node.title).toContain('swtpm, PCRs 0, 4, 7 as an operator admitted them')
    expect(node.checks).toHaveLength(4)
    expect(failuresOf(node)).toEqual([])
  })

  it('says that nothing is kept of a certificate of `dev init`', async () => {
    expect(failuresOf(ofAgent([await kept({}, undefined, 'another certificate')]))).toEqual(['unchecked: how it was enrolled'])
  })

  it('finds a result that is another’s, is later, is for another key, or is not the registry’s', async () => {
    expect(failuresOf(ofAgent([await kept({ subject: `${agent}x` })]))).toEqual(['fails: is about this agent'])
    expect(failuresOf(ofAgent([await kept({ appraisedAt: now + 1000 })]))).toEqual(['fails: was found before it acted'])
    expect(failuresOf(ofAgent([await kept({ key: 'C'.repeat(43) })]))).toEqual(['fails: is for the key that signed'])
    const forged = await kept({}, fixture.key('service-token'))
    expect(failuresOf(ofAgent([forged]))).toEqual(['fails: how it was enrolled'])
  })

  describe('of a device', () => {
    const device = (): DeviceEntry =>
      deviceEntry(
        'laser-1',
        { attestationKey: known.attestationKey.toString('base64url'), pcrs: [0, 4, 7], pcrDigest: 'B'.repeat(43) },
        now,
      )
    const appraisal = (change: Partial<KnownPlatform> = {}) =>
      kept({ subject: device().spiffeId, key: '', ...change }, undefined, '')
    const ofDevice = (appraisals: readonly Kept<Appraisal>[]) => deviceEnrolmentNode(device(), appraisals, now, reference())

    it('finds nothing wrong with what is genuine', async () => {
      const node = ofDevice([await appraisal()])
      expect(node.checks).toHaveLength(3)
      expect(failuresOf(node)).toEqual([])
    })

    it('finds acks by another TPM key than the one that was appraised', async () => {
      const node = ofDevice([await appraisal({ attestationKey: Buffer.from('another') })])
      expect(failuresOf(node)).toEqual(['fails: is for the key that its acks are signed by'])
    })

    it('takes what stood when the order was given', async () => {
      const later = await appraisal({ appraisedAt: now + 1000, attestationKey: Buffer.from('the next one') })
      expect(failuresOf(ofDevice([await appraisal(), later]))).toEqual([])
      expect(failuresOf(ofDevice([later]))).toEqual(['unchecked: how it was enrolled'])
    })
  })
})
