import { type AgentEntry, type Decision, type DeviceEntry, partitionOf, type StageName } from '@interlock/contracts'
import { outHalf } from '@interlock/device-dispatch/out-half'
import { enforce, type Processor } from '@interlock/enforcer'
import { TestPartition } from '@interlock/enforcer/test-partition'
import { stage as identityVerify } from '@interlock/identity-verify/stage'
import {
  buildIntent,
  buildOrder,
  createFixture,
  createTables,
  decisionOf,
  type Fixture,
  type FixtureTables,
} from '@interlock/sdk/fixture'
import { agentSpiffeId } from '@interlock/sdk/trust-domain'
import { digest, VerifiedRoots } from '@interlock/trust'
import { beforeEach, describe, expect, it } from 'vitest'

const now = Date.UTC(2026, 10, 24, 12)
const home = partitionOf('job-1', 6)
const operator = `instance:${agentSpiffeId('laser-operator', 'z1')}`
const appraisalAgeMsMax = 20_000

let fixture: Fixture
let tables: FixtureTables
beforeEach(async () => {
  fixture = await createFixture(now)
  tables = await createTables(fixture, { attestationKey: 'AA', pcrs: [0], pcrDigest: digest(Buffer.alloc(0)) })
  change({ appraisalAgeMsMax, attestation: { ...laser().attestation, appraisalAgeMsMax } })
})
const laser = () => tables['control.devices'].get('laser-1') as DeviceEntry
const change = (to: Partial<DeviceEntry>) => tables['control.devices'].set('laser-1', { ...laser(), ...to })

function start<Memory>(stage: StageName, of: (parts: ReturnType<typeof partsOf>) => Processor<Memory>): TestPartition<Memory> {
  return new TestPartition(of(partsOf(stage)), { codec: fixture.codec, tables, partition: home, now })
}
const partsOf = (stage: StageName) => ({
  codec: fixture.codec,
  trust: fixture.trust.anchors,
  roots: new VerifiedRoots(),
  key: fixture.key(stage),
  alarm: (error: unknown) => {
    throw error
  },
})
const verdictIn = (record: unknown) => [(record as Decision).verdict, ...(record as Decision).reasons].join(' ')

/** The registry is away: no entry comes any more, and time passes. The processes run on. */
describe('attack 132: the registry cannot be reached', () => {
  it('identity-verify serves from its table until an appraisal is too old, then refuses, and goes on when the registry is back', async () => {
    const stage = start('identity-verify', (parts) => enforce(identityVerify, parts))
    const ask = async (at: number) => {
      stage.now = at
      const [write] = await stage.meet('intents', 'job-1', await buildIntent(fixture))
      return verdictIn(write?.record)
    }
    expect(await ask(now + 1000)).toBe('ALLOW')
    expect(await ask(now + appraisalAgeMsMax)).toBe('ALLOW')
    expect(await ask(now + appraisalAgeMsMax + 1)).toBe('DENY appraisal-too-old')
    const entry = tables['control.agents'].get(operator) as AgentEntry
    tables['control.agents'].set(operator, { ...entry, appraisedAt: now + appraisalAgeMsMax } as AgentEntry)
    expect(await ask(now + appraisalAgeMsMax + 2)).toBe('ALLOW')
  })

  it('device-dispatch likewise, of the machine', async () => {
    const stage = start('device-dispatch', outHalf)
    let serial = 0
    const ask = async (at: number) => {
      stage.now = at
      const order = await buildOrder(fixture, {
        editStatement: (statement) => ({ ...statement, eventId: statement.eventId.replace(':0:7', `:${home}:${serial}`) }),
      })
      serial += 1
      const [write] = await stage.meet('decisions.approval-router', 'job-1', decisionOf(fixture, order, 'approval-router'))
      return verdictIn(write?.record)
    }
    expect(await ask(now + appraisalAgeMsMax)).toBe('ALLOW')
    expect(await ask(now + appraisalAgeMsMax + 1)).toBe('DENY device-appraisal-too-old')
    change({ attestation: { ...laser().attestation, appraisedAt: now + appraisalAgeMsMax } })
    expect(await ask(now + appraisalAgeMsMax + 2)).toBe('ALLOW')
  })
})
