import type { BoundsPolicy, ControlStatement, Decision, DeviceGrant } from '@interlock/contracts'
import { enforce, type Incoming, sealDecisions } from '@interlock/enforcer'
import {
  buildIntent,
  buildOrder,
  createFixture,
  createTables,
  decisionOf,
  type Fixture,
  type FixtureTables,
} from '@interlock/sdk/fixture'
import { digest, openTrustBundle, signControlEntry, VerifiedRoots } from '@interlock/trust'
import { beforeAll, describe, expect, it } from 'vitest'
import { readPolicyBundle } from '../../../ops/policies/bundle.ts'
import { semanticBounds } from '../stage.ts'
import { devicesOf, grantChange } from './changes.ts'
import type { Recorded } from './recorded.ts'
import { Redecider } from './redecide.ts'
import { changeReplay, verifyReplay } from './replay.ts'
import { type EntryRow, TablesHistory } from './tables-history.ts'

const now = 1_790_000_000_000
const { revision, wasm, data } = readPolicyBundle()
const tpm = { attestationKey: 'AA', pcrs: [0], pcrDigest: digest(Buffer.alloc(0)) }
const policyAt = (sequence: number, change = {}): BoundsPolicy => ({
  ...{ kind: 'bounds', revision, sequence, wasm: wasm.toString('base64url'), wasmSha256: digest(wasm) },
  data: { ...data, ...change },
})
const strict = { joulesPerMillimetreMax: 2 }

let fixture: Fixture
let tables: FixtureTables
let entries: EntryRow[]
let recorded: Recorded[]

beforeAll(async () => {
  fixture = await createFixture(now)
  tables = await createTables(fixture, tpm)
  entries = await Promise.all([
    entryRow('control.devices', 'laser-1', now - 1000, now - 1000, tables['control.devices'].get('laser-1')),
    entryRow('control.policies', 'bounds', 10, now - 1000, policyAt(10)),
    entryRow('control.policies', 'bounds', 20, now + 5, policyAt(20, strict)),
  ])
  // Three under the first policy, one under the next.
  recorded = await record([policyAt(10), policyAt(10), policyAt(10), policyAt(20, strict)])
})

async function entryRow(
  table: EntryRow['topic'],
  id: string,
  revision: number,
  appendedAt: number,
  value: unknown,
): Promise<EntryRow> {
  const statement = { table, id, revision, updatedAt: appendedAt, value } as ControlStatement
  const entry = await signControlEntry(statement, fixture.key(table === 'control.policies' ? 'operator-dev' : 'service-registry'))
  return { topic: table, appendedAt, raw: fixture.codec.encode(table, entry) }
}

/** What the stage itself writes, one decision under each policy, a millisecond apart. */
async function record(policies: readonly BoundsPolicy[]): Promise<Recorded[]> {
  const stage = semanticBounds({ ask: () => Promise.reject(new Error('nobody else is asked')) })
  const key = fixture.key('semantic-bounds')
  const parts = {
    codec: fixture.codec,
    trust: openTrustBundle(fixture.domain.bundle),
    roots: new VerifiedRoots(),
    key,
    alarm: () => {},
  }
  const processor = enforce(stage, parts)
  const memory = processor.remember()
  const found: Recorded[] = []
  for (const [offset, policy] of policies.entries()) {
    tables['control.policies'].set('bounds', policy)
    const order = await buildOrder(fixture, { intent: await buildIntent(fixture) })
    const before = decisionOf(fixture, order, 'delegation-check')
    const input: Incoming<'Decision'> = {
      position: { topic: stage.input, partition: 0, offset },
      key: before.jobId,
      record: before,
      bytes: fixture.codec.encode(stage.input, before),
    }
    const context = { now: now + 100 + offset, tables, random: () => Buffer.alloc(32), partitions: 6 }
    const [write] = await sealDecisions(await processor.react(memory, input, context), key)
    const decision = write?.record as Decision
    stage.fold(memory, decision)
    found.push({ at: `decisions.semantic-bounds:0:${offset}`, partition: 0, decision, input, outcome: 'completed' })
  }
  return found
}

const listed = async function* (all: readonly Recorded[]) {
  yield* all
}
const replayOf = (changes = {}, all = recorded) => {
  const trust = openTrustBundle(fixture.domain.bundle)
  const redecider = new Redecider(
    { codec: fixture.codec, trust, partitions: 6 },
    new TablesHistory(entries, fixture.codec, trust, changes),
  )
  return { recorded: listed(all), redecider, since: now, progress: () => {} }
}
const unchanged = <Of>(_command: unknown, grant: Of) => grant

describe('recorded decisions', () => {
  it('come out the same, byte for byte, each under the policy that it names', async () => {
    expect(recorded.map(({ decision }) => decision.verdict)).toEqual(['ALLOW', 'ALLOW', 'ALLOW', 'DENY'])
    expect(await verifyReplay(replayOf())).toEqual({ decisions: 4, reproduced: 4, inputsMissing: 0, diverged: [] })
  })

  it('do not where one was changed since, and the difference is named', async () => {
    const [first] = recorded as [Recorded]
    const statement = JSON.parse(first.decision.statements.at(-1)?.statement.toString() ?? '')
    const forged = Buffer.from(JSON.stringify({ ...statement, verdict: 'DENY', reasons: ['policy-missing'] }))
    const statements = [...first.decision.statements.slice(0, -1), { ...first.decision.statements.at(-1), statement: forged }]
    const changed = { ...first, decision: { ...first.decision, statements: statements as Decision['statements'] } }
    const found = await verifyReplay(replayOf({}, [changed, ...recorded.slice(1)]))
    expect(found).toMatchObject({ reproduced: 3, diverged: [{ at: first.at, members: ['reasons', 'verdict'] }] })
  })

  it('are not judged where audit lacks what they were decided on', async () => {
    const [first, ...others] = recorded as [Recorded]
    expect(await verifyReplay(replayOf({}, [{ ...first, input: undefined }, ...others]))).toMatchObject({
      reproduced: 3,
      inputsMissing: 1,
    })
  })

  it('are remembered and not judged where they lie before the time that is asked for', async () => {
    const asked = { ...replayOf(), since: now + 102 }
    expect(await verifyReplay(asked)).toMatchObject({ decisions: 2, reproduced: 2 })
  })
})

describe('what would change', () => {
  const differences = async (changes: object, change: Parameters<typeof changeReplay>[1] = unchanged) =>
    (await changeReplay(replayOf(changes), change)).differences

  it('is nothing where nothing is changed', async () => {
    expect(await differences({})).toEqual([])
  })

  it('under another policy, with what became of those', async () => {
    expect(await differences({ policy: policyAt(now + 1000, strict) })).toMatchObject([
      {
        from: 'ALLOW low',
        to: 'DENY policy-refuses-energy-per-length',
        count: 3,
        outcomes: { completed: 3 },
        capability: 'laser.cut',
      },
    ])
    expect(await differences({ policy: policyAt(now + 1000) })).toMatchObject([
      { from: 'DENY policy-refuses-energy-per-length', to: 'ALLOW low', count: 1 },
    ])
  })

  it('on another machine', async () => {
    const laser = tables['control.devices'].get('laser-1')
    const capabilities = JSON.parse(JSON.stringify(laser?.capabilities).replace('"max":"120"', '"max":"50"'))
    const found = await differences({ devices: devicesOf({ device: 'laser-1', capabilities }) })
    expect(found).toMatchObject([
      { from: 'ALLOW low', to: 'DENY outside-machine', count: 3 },
      { from: 'DENY policy-refuses-energy-per-length', to: 'DENY outside-machine', count: 1 },
    ])
  })

  it('under another grant, for the commands that it names', async () => {
    const [limits] = recorded.map(
      ({ decision }) => JSON.parse(decision.statements[1]?.statement.toString() ?? '').obligations.grant.limits,
    )
    const grant = {
      type: 'interlock_device',
      locations: ['laser-1'],
      actions: ['laser.cut'],
      maxCount: 10,
      limits: {},
    } satisfies DeviceGrant
    const narrower = grantChange([{ ...grant, limits: { ...limits, power: { min: '1', max: '10', unit: 'W' } } }])
    expect(await differences({}, narrower)).toMatchObject([
      { to: 'DENY outside-grant', count: 3 },
      { to: 'DENY outside-grant', count: 1 },
    ])
    const elsewhere = grantChange([{ ...grant, locations: ['mill-1'] }])
    expect(await differences({}, elsewhere)).toEqual([])
  })
})
