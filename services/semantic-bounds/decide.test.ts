import { createHash } from 'node:crypto'
import type { BoundsPolicy, Decision, DecisionStatement, DeviceEntry, Intent } from '@interlock/contracts'
import type { DelegationObligations, StageContext, StageInput } from '@interlock/enforcer'
import { BoundsPolicies, type PolicyDecision, policyName } from '@interlock/policy'
import { deviceEntry } from '@interlock/sdk/trust-domain'
import { canonicalBytes, digest } from '@interlock/trust'
import { describe, expect, it } from 'vitest'
import { readPolicyBundle } from '../../ops/policies/bundle.ts'
import { decide } from './decide.ts'
import { horizonMs } from './job-memory.ts'
import { BoundsMemory } from './memory.ts'
import { semanticBounds } from './stage.ts'

const now = Date.UTC(2026, 10, 24, 12)
const { revision, wasm, data } = readPolicyBundle()
const module = { wasm: wasm.toString('base64url'), wasmSha256: digest(wasm) }
const policy: BoundsPolicy = { kind: 'bounds', revision, sequence: 7, ...module, data }
const policies = new BoundsPolicies()
const tpm = { attestationKey: 'AA', pcrs: [0], pcrDigest: digest(Buffer.alloc(0)) }
const laserGrant = { power: { min: '1', max: '80', unit: 'W' }, speed: { min: '1', max: '300', unit: 'mm/s' } }
const millGrant = { spindle: { min: '0', max: '18000', unit: '/min' }, feed: { min: '1', max: '3000', unit: 'mm/min' } }
const cut = { power: { value: '60', unit: 'W' }, speed: { value: '20', unit: 'mm/s' } }
const milling = { spindle: { value: '12000', unit: '/min' }, feed: { value: '1500', unit: 'mm/min' } }
const goodProgram = 'G21 G90 G94 G17\nG0 X0 Y0 Z5\nM3 S12000\nG1 X60 F1500\nM5\nM2'

type Asked = {
  readonly device?: string
  readonly capability?: string
  readonly parameters?: Record<string, unknown>
  readonly program?: string
  readonly mediaType?: string
  readonly limits?: DelegationObligations['grant']['limits']
  readonly policy?: unknown
  readonly memory?: BoundsMemory
  readonly windows?: NonNullable<DelegationObligations['grant']['windows']>
  /** What is different of the device. */
  readonly profile?: Partial<DeviceEntry>
  readonly statements?: readonly DecisionStatement[]
  /** What a policy answers that nobody would write. */
  readonly answer?: PolicyDecision
}

const statementsOf = (
  limits: DelegationObligations['grant']['limits'],
  windows?: DelegationObligations['grant']['windows'],
): DecisionStatement[] => {
  const common = { verdict: 'ALLOW', reasons: [], policy: '', decidedAt: now, expiresAt: now + 60_000 }
  const identity = { agent: 'spiffe://lab.interlock.example/agent/laser-operator/z1', definition: 'laser-operator' }
  const budgets = [{ holder: 'h', of: 'alice', maxCount: 10, limits: {} }]
  const delegation = {
    human: 'alice',
    actors: [],
    tokens: [],
    grant: { limits, ...(windows && { windows }) },
    budgets,
    since: now,
  }
  return [
    { ...common, stage: 'identity-verify', obligations: identity },
    { ...common, stage: 'delegation-check', obligations: delegation },
  ] as unknown as DecisionStatement[]
}

function ask(asked: Asked) {
  const { device = 'laser-1', capability = 'laser.cut', parameters = cut, program, mediaType = 'text/x-gcode' } = asked
  const bytes = program === undefined ? null : Buffer.from(program)
  const reference = bytes && { mediaType, sha256: createHash('sha256').update(bytes).digest('base64url'), bytes: bytes.length }
  const command = { device, capability, parameters, ...(reference && { program: reference }) }
  const input = {
    intent: { jobId: 'job-1', device, capability, program: bytes } as Intent,
    command,
    statements: asked.statements ?? statementsOf(asked.limits ?? (device === 'mill-1' ? millGrant : laserGrant), asked.windows),
  } as unknown as StageInput
  const context = {
    now,
    memory: asked.memory ?? new BoundsMemory(),
    tables: {
      'control.devices': new Map(
        ['laser-1', 'mill-1'].map((name) => [name, { ...deviceEntry(name, tpm, now), ...asked.profile }]),
      ),
      'control.policies': new Map(asked.policy === null ? [] : [['bounds', asked.policy ?? policy]]),
    },
  } as unknown as StageContext<BoundsMemory>
  const { answer } = asked
  const asking = answer ? ({ ask: () => ({ ok: true, value: answer }) } as unknown as BoundsPolicies) : policies
  return decide(input, context, asking)
}

const mill = (asked: Asked = {}) =>
  ask({ device: 'mill-1', capability: 'mill.run-program', parameters: milling, program: goodProgram, ...asked })

describe('semantic-bounds allows', () => {
  it('60 W where the job grants 80 and the machine could do 120, and signs what it read', async () => {
    expect(await ask({})).toEqual({
      verdict: 'ALLOW',
      obligations: {
        risk: 'low',
        quantities: cut,
        about: { job: 'job-1', device: 'laser-1', capability: 'laser.cut' },
        uses: {
          energy: { value: '4500', unit: 'J', reported: { member: 'energyJoules', unit: 'J' } },
          time: { value: '75', unit: 's' },
        },
        spent: { h: { count: { value: '1', unit: '1' } } },
        pacedMs: 0,
      },
      expiresAt: now + 60_000,
      risk: 'low',
      policy: `${revision}@7`,
    })
  })

  it('another unit of the same power, converted exactly', async () => {
    const verdict = await ask({ parameters: { ...cut, power: { value: '0.06', unit: 'kW' } } })
    expect(verdict).toMatchObject({ verdict: 'ALLOW', obligations: { quantities: { power: { value: '60', unit: 'W' } } } })
  })

  it('a program that stays inside machine and command', async () => expect(await mill()).toMatchObject({ verdict: 'ALLOW' }))

  it('a fast spindle at a higher risk, which the policy may raise and never lowers', async () => {
    const verdict = await mill({ parameters: { ...milling, spindle: { value: '17000', unit: '/min' } } })
    expect(verdict).toMatchObject({ verdict: 'ALLOW', risk: 'medium' })
    const engraving = { power: { value: '20', unit: 'W' }, speed: { value: '50', unit: 'mm/s' } }
    const asked = { capability: 'laser.engrave-serial', parameters: engraving }
    expect(await ask(asked)).toMatchObject({ risk: 'high' })
    const lowered = await ask({ ...asked, answer: { refusals: [], risk: 'low' } })
    expect(lowered).toMatchObject({ risk: 'high', obligations: { risk: 'high' } })
  })
})

describe('semantic-bounds refuses', () => {
  it('120 W, and says what would have been allowed and whose limit it is', async () => {
    expect(await ask({ parameters: { ...cut, power: { value: '120', unit: 'W' } } })).toMatchObject({
      verdict: 'DENY',
      reasons: ['outside-grant'],
      detail: { parameter: 'power', asked: { value: '120', unit: 'W' }, nearest: { value: '80', unit: 'W' }, limitOf: 'grant' },
    })
  })

  const cases: [string, string, Asked | (() => ReturnType<typeof ask>)][] = [
    ['more than the machine can do', 'outside-machine', { parameters: { ...cut, power: { value: '121', unit: 'W' } } }],
    ['a device that nobody enrolled', 'device-unknown', { device: 'laser-9', limits: {} }],
    ['a capability that the device lacks', 'capability-unknown', { capability: 'laser.melt' }],
    ['a capability by a name that every object has', 'capability-unknown', { capability: 'constructor' }],
    ['a command without the statements before', 'statements-missing', { statements: [] }],
    ['attack 61: null', 'parameter-malformed', { parameters: { ...cut, power: null } }],
    ['attack 61: true', 'parameter-malformed', { parameters: { ...cut, power: true } }],
    ['attack 62: a text', 'parameter-malformed', { parameters: { ...cut, power: '99999' } }],
    ['attack 62: an array', 'parameter-malformed', { parameters: { ...cut, power: [9e9] } }],
    ['attack 63: NaN', 'value-malformed', { parameters: { ...cut, power: { value: 'NaN', unit: 'W' } } }],
    ['attack 64: 1e400', 'value-malformed', { parameters: { ...cut, power: { value: '1e400', unit: 'W' } } }],
    [
      'attack 66: the right number in the wrong unit',
      'unit-mismatch',
      { parameters: { ...cut, power: { value: '60', unit: 'J' } } },
    ],
    ['attack 74: a member that nobody knows', 'parameter-unknown', { parameters: { ...cut, override: true } }],
    ['a missing parameter', 'parameter-missing', { parameters: { power: cut.power } }],
    [
      'more digits than the machine can set',
      'value-too-precise',
      { parameters: { ...cut, power: { value: '60.25', unit: 'W' } } },
    ],
    ['a value that its unit cannot write', 'value-not-exact', { parameters: { ...cut, speed: { value: '1', unit: 'mm/min' } } }],
    ['a choice that is none', 'parameter-not-a-choice', { parameters: { ...cut, assistGas: 'oxygen' } }],
    [
      'a grant that limits what the device does not know',
      'grant-parameter-unknown',
      { limits: { ...laserGrant, Power: laserGrant.power } },
    ],
    ['a grant whose limit cannot be read', 'unit-mismatch', { limits: { ...laserGrant, power: { max: '80', unit: 'J' } } }],
    ['a program where none belongs', 'program-unexpected', { program: goodProgram }],
    ['no policy', 'policy-missing', { policy: null }],
    ['an entry of another kind in the policy’s place', 'policy-missing', { policy: { kind: 'approval' } }],
    [
      'attack 76: a module that is not the one signed for',
      'policy-digest',
      { policy: { ...policy, wasmSha256: digest(Buffer.from('other')) } },
    ],
    [
      'attack 76: a module that is none',
      'policy-unusable',
      { policy: { ...policy, wasm: Buffer.from('no wasm').toString('base64url'), wasmSha256: digest(Buffer.from('no wasm')) } },
    ],
    [
      'attack 76: a decision without its data',
      'policy-refuses-no-decision',
      () => mill({ policy: { ...policy, data: {} }, parameters: { ...milling, spindle: { value: '17000', unit: '/min' } } }),
    ],
    [
      'what the policy refuses',
      'policy-refuses-energy-per-length',
      { parameters: { power: cut.power, speed: { value: '1', unit: 'mm/s' } } },
    ],
    [
      'a capability without its program',
      'program-missing',
      () => ask({ device: 'mill-1', capability: 'mill.run-program', parameters: milling }),
    ],
    ['a program of another media type', 'program-media-type', () => mill({ mediaType: 'text/x-python' })],
    ['a program that is too large', 'program-too-large', () => mill({ program: ' \n'.repeat(5_500_000) })],
    [
      'attack 66: a program that leaves the machine after a switch to inches',
      'program-outside-machine',
      () => mill({ program: goodProgram.replace('X60', 'G20 X60') }),
    ],
    [
      'attack 67: relative moves that add up beyond the machine',
      'program-outside-machine',
      () => mill({ program: goodProgram.replace('G1 X60', `G91\n${'G1 X60 F1500\n'.repeat(3)}G1 X1`) }),
    ],
    ['attack 68: an O-word', 'gcode-subprogram-unknown', () => mill({ program: `o100 call\n${goodProgram}` })],
    [
      'attack 69: a feed beyond the command’s',
      'program-outside-command',
      () => mill({ program: goodProgram.replace('F1500', 'F1501') }),
    ],
    [
      'a spindle beyond the command’s',
      'program-outside-command',
      () => mill({ program: goodProgram.replace('S12000', 'S12001') }),
    ],
  ]
  it.each(cases)('%s', async (_name, reason, asked) => {
    const verdict = await (typeof asked === 'function' ? asked() : ask(asked))
    expect(verdict).toMatchObject({ verdict: 'DENY', reasons: [reason] })
  })

  it('a policy entry whose digest changes is loaded anew, and the good one still works after a bad one', async () => {
    expect(
      await ask({ policy: { ...policy, wasm: Buffer.from('x').toString('base64url'), wasmSha256: digest(Buffer.from('x')) } }),
    ).toMatchObject({ verdict: 'DENY' })
    expect(await ask({})).toMatchObject({ verdict: 'ALLOW' })
  })
})

describe('attack 78: an older policy, validly signed', () => {
  const decided = (sequence: number) => {
    const statement = {
      ...statementsOf(laserGrant)[0],
      stage: 'semantic-bounds',
      ...{ eventId: 'semantic-bounds:decisions.delegation-check:0:1', intentId: 'i', commandDigest: digest(Buffer.alloc(0)) },
      ...{ previous: digest(Buffer.alloc(0)), policy: policyName({ revision, sequence }) },
    }
    return { verdict: 'DENY', decidedAt: now, statements: [{ statement: canonicalBytes(statement) }] } as unknown as Decision
  }

  it('is refused where a newer one was decided under, though the table knows no other', async () => {
    const memory = new BoundsMemory()
    memory.add(decided(8))
    memory.forget(now + 100 * horizonMs)
    expect(await ask({ memory })).toMatchObject({
      verdict: 'DENY',
      reasons: ['policy-older'],
      detail: { sequence: 7, newest: 8 },
      policy: `${revision}@7`,
    })
    expect(await ask({ memory, policy: { ...policy, sequence: 9 } })).toMatchObject({ verdict: 'ALLOW', policy: `${revision}@9` })
  })

  it('is refused in every partition of a process where one of them knows better', () => {
    const stage = semanticBounds({ ask: () => Promise.reject(new Error('nobody else is asked')) })
    const [one, other] = [stage.remember(), stage.remember()]
    stage.fold(one, decided(8))
    expect(other.newestPolicy.sequence).toBe(8)
    expect(other.jobs).not.toBe(one.jobs)
  })

  it('is the same policy where it is the same sequence', async () => {
    const memory = new BoundsMemory()
    memory.add(decided(7))
    expect(await ask({ memory })).toMatchObject({ verdict: 'ALLOW' })
  })
})

describe('the state of the machine, and the time', () => {
  const hour = 3_600_000
  const detailOf = async (asked: Asked) => {
    const verdict = await ask(asked)
    return verdict.verdict === 'DENY' ? { reason: verdict.reasons[0], ...verdict.detail } : verdict
  }

  it('refuses a capability outside of its modes, and says which they are', async () => {
    const { capabilities } = deviceEntry('laser-1', tpm, now)
    const moded = { ...capabilities, 'laser.cut': { ...capabilities['laser.cut'], modes: ['production', 'trial'] } }
    const profile = { capabilities: moded as DeviceEntry['capabilities'] }
    const refused = { reason: 'mode-not-allowed', parameter: 'mode', nearest: 'production or trial', limitOf: 'machine' }
    expect(await detailOf({ profile })).toMatchObject({ ...refused, asked: '' })
    expect(await detailOf({ profile: { ...profile, mode: 'setup' } })).toMatchObject({ ...refused, asked: 'setup' })
    expect(await ask({ profile: { ...profile, mode: 'trial' } })).toMatchObject({ verdict: 'ALLOW' })
  })

  it.each([
    ['now', { from: now - hour, until: now + hour }, '2026-11-24T13:00:00.000Z'],
    ['before the order would be over', { from: now + 70_000, until: now + hour }, '2026-11-24T13:00:00.000Z'],
    ['each week', { days: ['tue'], from: '11:30', until: '14:00' }, '2026-11-24T14:00:00.000Z'],
  ] as const)('refuses what falls in maintenance: %s', async (_when, window, nearest) => {
    const profile = { maintenance: [{ ...window } as never] }
    expect(await detailOf({ profile })).toMatchObject({ reason: 'device-in-maintenance', nearest, limitOf: 'machine' })
  })

  it('allows what is over before maintenance begins', async () => {
    const maintenance = [{ from: now + 75_000, until: now + hour }]
    expect(await ask({ profile: { maintenance } })).toMatchObject({ verdict: 'ALLOW' })
  })

  it('refuses outside of the grant’s windows, says when they open, and lets nothing outlast them', async () => {
    const closed = { windows: [{ days: ['wed' as const], from: '08:00', until: '09:00' }] }
    expect(await detailOf(closed)).toMatchObject({
      reason: 'outside-window',
      asked: '2026-11-24T12:00:00.000Z',
      nearest: '2026-11-25T08:00:00.000Z',
      limitOf: 'grant',
    })
    expect(await ask({ windows: [{ from: now, until: now + 20_000 }] })).toMatchObject({ expiresAt: now + 20_000 })
    expect(await detailOf({ windows: [{ from: now - 20_000, until: now }] })).not.toHaveProperty('nearest')
  })
})
