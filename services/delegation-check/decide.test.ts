import { randomUUID } from 'node:crypto'
import type {
  AgentEntry,
  Command,
  DecisionStatement,
  Grant,
  Intent,
  RevocationEntry,
  TaskTokenClaims,
} from '@interlock/contracts'
import type { DelegationObligations, StageContext, StageInput } from '@interlock/enforcer'
import { buildConsent, buildIntent, createFixture, createTables, type Fixture, type FixtureTables } from '@interlock/sdk/fixture'
import { agentSpiffeId, definitionHash } from '@interlock/sdk/trust-domain'
import { canonicalBytes, digest, readTaskToken, type SigningKey, signTaskToken } from '@interlock/trust'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { decide } from './decide.ts'

const now = Date.UTC(2026, 10, 24, 12)
const orchestrator = agentSpiffeId('job-orchestrator', 'o1')
const operator = agentSpiffeId('laser-operator', 'z1')

let fixture: Fixture
let tables: FixtureTables
let root: string
let rootClaims: TaskTokenClaims
let childClaims: TaskTokenClaims

beforeAll(async () => {
  fixture = await createFixture(now)
  const [first = '', second = ''] = fixture.job.tokens['agent-laser-operator-z1'] ?? []
  root = first
  rootClaims = claimsOf(first)
  childClaims = claimsOf(second)
})
beforeEach(async () => {
  tables = await createTables(fixture, { attestationKey: 'AA', pcrs: [0], pcrDigest: digest(Buffer.alloc(0)) })
})

function claimsOf(token: string): TaskTokenClaims {
  const read = readTaskToken(token)
  if (!read.ok) throw new Error(read.reason)
  return read.value.claims
}

type Asked = {
  readonly tokens?: readonly string[]
  readonly command?: Partial<Command>
  readonly job?: string
  readonly at?: number
}

async function ask({ tokens, command = {}, job = 'job-1', at = now + 1000 }: Asked = {}) {
  const intent = await buildIntent(fixture)
  const { keyId } = fixture.key('agent-laser-operator-z1')
  const identity = {
    stage: 'identity-verify',
    verdict: 'ALLOW',
    obligations: { agent: operator, certificate: keyId },
    expiresAt: now + 900_000,
  }
  const input = {
    intent: { ...intent, jobId: job, tokens: tokens ?? intent.tokens } as Intent,
    command: { ...(JSON.parse(intent.command.toString('utf8')) as Command), ...command },
    statements: [identity as unknown as DecisionStatement],
  } as unknown as StageInput
  const context = { now: at, tables, trust: fixture.trust.anchors } as unknown as StageContext<null>
  return decide(input, context)
}

async function reasonOf(asked: Asked): Promise<string | undefined> {
  const verdict = await ask(asked)
  return verdict.verdict === 'ALLOW' ? 'ALLOW' : verdict.reasons[0]
}

/** The job's child token with something else in it, signed anew by who holds the parent. */
const child = (
  change: Partial<TaskTokenClaims>,
  by: SigningKey | { kid: SigningKey } = fixture.key('agent-job-orchestrator-o1'),
) => signTaskToken({ ...childClaims, jti: randomUUID(), ...change } as TaskTokenClaims, by)
const otherRoot = (change: Partial<TaskTokenClaims>, by: SigningKey = fixture.key('service-token')) =>
  signTaskToken({ ...rootClaims, jti: randomUUID(), ...change } as TaskTokenClaims, { kid: by })

const grant = () => childClaims.authorization_details[0] as TaskTokenClaims['authorization_details'][number]
const widened = (change: object) => ({ authorization_details: [{ ...grant(), ...change }] }) as Partial<TaskTokenClaims>
const revoke = (kind: RevocationEntry['kind'], subject: string, from = now) =>
  tables['control.revocations'].set(`${kind}:${subject}`, { kind, subject, from, reason: 'test' })
function edit(id: string, change: Record<string, unknown>): void {
  tables['control.agents'].set(id, { ...tables['control.agents'].get(id), ...change } as AgentEntry)
}

describe('delegation-check allows', () => {
  it('what the human’s chain of tokens covers, and signs it for the stages after it', async () => {
    expect(await ask()).toMatchObject({
      verdict: 'ALLOW',
      obligations: {
        human: 'alice',
        actors: [orchestrator, operator],
        grant: { limits: { power: { min: '1', max: '80', unit: 'W' } } },
        budgets: [
          { of: 'alice', maxCount: 10_000, limits: {} },
          { of: orchestrator, maxCount: 10_000, limits: {} },
          { of: operator, maxCount: 5000, limits: {} },
        ],
        since: now,
      },
    })
  })

  it('a narrower child, and passes its narrower limit on', async () => {
    const limits = { ...grant().limits, power: { min: '1', max: '40', unit: 'W' } }
    const verdict = await ask({ tokens: [root, await child(widened({ limits }))] })
    expect(verdict).toMatchObject({ verdict: 'ALLOW', obligations: { grant: { limits: { power: { max: '40' } } } } })
  })

  it('no longer than what it rests on', async () => {
    const short = { exp: Math.floor(now / 1000) + 60 }
    const verdict = await ask({ tokens: [root, await child(short)] })
    expect(verdict.verdict === 'ALLOW' && verdict.expiresAt).toBeLessThanOrEqual(now + 60_000 + 30_000)
  })
})

describe('the holders of a budget', () => {
  const holdersOf = async (tokens?: readonly string[]) => {
    const verdict = await ask(tokens ? { tokens } : {})
    return verdict.verdict === 'ALLOW' ? (verdict.obligations as DelegationObligations).budgets.map(({ holder }) => holder) : []
  }
  const renewed = async () => {
    const again = await otherRoot({ iat: rootClaims.iat + 1 })
    return [again, await child({ parent: digest(Buffer.from(again.slice(0, again.lastIndexOf('.')))), iat: childClaims.iat + 1 })]
  }

  it('are the same when tokens are renewed: a new token begins no new budget', async () => {
    const holders = await holdersOf()
    expect(holders).toHaveLength(3)
    expect(await holdersOf(await renewed())).toEqual(holders)
  })

  it('are others below where something else is granted, under the same human’s', async () => {
    const [consent, orchestrators, own] = await holdersOf()
    const narrower = [root, await child(widened({ maxCount: 7 }))]
    expect(await holdersOf(narrower)).toEqual([consent, orchestrators, expect.not.stringMatching(own as string)])
  })

  it('come with what they hold, down to the acting agent', async () => {
    const budgets = { energy: { max: '5', unit: 'kJ' } }
    const verdict = await ask({ tokens: [root, await child(widened({ budgets }))] })
    expect(verdict).toMatchObject({
      obligations: { budgets: [{ limits: {} }, { limits: {} }, { of: operator, limits: budgets }] },
    })
  })
})

describe('delegation-check refuses a child token', () => {
  it.each([
    [
      'attack 43: with a higher limit',
      'wider-limit',
      () => widened({ limits: { ...grant().limits, power: { min: '1', max: '81', unit: 'W' } } }),
    ],
    ['attack 43: with another capability', 'wider-action', () => widened({ actions: [...grant().actions, 'laser.melt'] })],
    ['attack 43: with another device', 'wider-device', () => widened({ locations: ['laser-1', 'mill-1'] })],
    ['attack 43: with a wildcard', 'wider-device', () => widened({ locations: ['*'] })],
    ['attack 43: with a higher count', 'wider-count', () => widened({ maxCount: 10_001 })],
    [
      'attack 44: without a limit that its parent has',
      'limit-absent',
      () => widened({ limits: { speed: grant().limits.speed } }),
    ],
    [
      'attack 44: without one end of it',
      'limit-absent',
      () => widened({ limits: { ...grant().limits, power: { min: '1', unit: 'W' } } }),
    ],
    [
      'attack 43: with the limit in another unit',
      'unit-changed',
      () => widened({ limits: { ...grant().limits, power: { min: '1', max: '80', unit: 'mW' } } }),
    ],
    ['that outlives its parent', 'outlives-parent', () => ({ exp: rootClaims.exp + 1 })],
    ['for another human', 'other-subject', () => ({ sub: 'mallory' })],
    ['for another job', 'other-job', () => ({ job: 'job-2' })],
    ['attack 46: that hides who delegated', 'actor-nesting', () => ({ act: { sub: operator } })],
    [
      'attack 47: that names another as the one before',
      'actor-nesting',
      () => ({ act: { sub: operator, act: { sub: agentSpiffeId('mill-operator', 'z1') } } }),
    ],
    ['attack 48: of another parent', 'wrong-parent', () => ({ parent: digest(Buffer.from('another')) })],
    ['attack 52: for another audience', 'token-audience', () => ({ aud: 'enforcer.evil' })],
    ['attack 53: by another issuer', 'token-issuer', () => ({ iss: `${orchestrator}/` })],
    [
      'attacks 38 and 51: bound to another certificate',
      'token-bound-to-another',
      () => ({ cnf: { 'x5t#S256': digest(Buffer.from('another')) } }),
    ],
    ['not yet valid', 'token-not-yet-valid', () => ({ iat: Math.floor(now / 1000) + 600, exp: rootClaims.exp })],
    ['that ends before it begins', 'token-expired', () => ({ exp: childClaims.iat })],
  ] as const)('%s', async (_name, reason, change) => {
    expect(await reasonOf({ tokens: [root, await child(change() as Partial<TaskTokenClaims>)] })).toBe(reason)
  })

  it('attack 46: to an actor whom its parent may not delegate to', async () => {
    const narrow = await otherRoot({ may_act: { sub: [agentSpiffeId('mill-operator', 'z1')] } })
    const parent = digest(Buffer.from(narrow.split('.').slice(0, 2).join('.')))
    expect(await reasonOf({ tokens: [narrow, await child({ parent })] })).toBe('may-not-delegate')
  })

  it('attack 49: of a parent that lets nobody delegate', async () => {
    const { may_act: _, ...claims } = rootClaims
    const closed = await signTaskToken({ ...claims, jti: randomUUID() }, { kid: fixture.key('service-token') })
    const parent = digest(Buffer.from(closed.split('.').slice(0, 2).join('.')))
    expect(await reasonOf({ tokens: [closed, await child({ parent })] })).toBe('may-not-delegate')
  })

  it('signed by another agent than holds the parent', async () =>
    expect(await reasonOf({ tokens: [root, await child({}, fixture.key('agent-mill-operator-z1'))] })).toBe(
      'token-bound-to-another',
    ))
  it('attack 41: with a key of the attacker’s in its header', async () => {
    const stranger = await createFixture(now)
    expect(await reasonOf({ tokens: [root, await child({}, stranger.key('agent-job-orchestrator-o1'))] })).toMatch(/^path-/)
  })
  it('with another signature', async () => {
    const token = await child({})
    const [header, payload] = token.split('.')
    const other = (await child({})).split('.')[2]
    expect(await reasonOf({ tokens: [root, `${header}.${payload}.${other}`] })).toBe('token-signature')
  })
  it('attack 42: in another spelling', async () =>
    expect(await reasonOf({ tokens: [root, `${await child({})}=`] })).not.toBe('ALLOW'))
  it('attack 59: in five parts, as a JWE has', async () =>
    expect(await reasonOf({ tokens: [root, 'a.b.c.d.e'] })).not.toBe('ALLOW'))
  it('attack 54: with a member twice', async () => {
    const payload = Buffer.from(JSON.stringify(childClaims).replace('{', '{"job":"job-1",')).toString('base64url')
    const [header = '', , signature = ''] = (await child({})).split('.')
    expect(await reasonOf({ tokens: [root, `${header}.${payload}.${signature}`] })).not.toBe('ALLOW')
  })
})

describe('delegation-check refuses a chain', () => {
  it('without a token', async () => expect(await reasonOf({ tokens: [] })).toBe('no-token'))
  it('attack 46: of too many', async () =>
    expect(await reasonOf({ tokens: Array.from({ length: 1000 }, () => root) })).toBe('chain-too-long'))
  it('whose root the token service did not sign', async () => {
    const forged = await otherRoot({ iss: fixture.key('service-registry').spiffeId }, fixture.key('service-registry'))
    expect(await reasonOf({ tokens: [forged] })).toBe('root-signer')
  })
  it('attack 53: whose root says another issuer', async () =>
    expect(await reasonOf({ tokens: [await otherRoot({ iss: `${rootClaims.iss}/` })] })).toBe('token-issuer'))
  it('attack 48: whose first token is a child', async () =>
    expect(await reasonOf({ tokens: [await child({})] })).toBe('root-signer'))
  it('whose last token is another agent’s', async () => expect(await reasonOf({ tokens: [root] })).toBe('token-bound-to-another'))
  it('when its time is over', async () => expect(await reasonOf({ at: now + 3_700_000 })).toBe('token-expired'))
  it('of another job than the intent’s', async () => expect(await reasonOf({ job: 'job-2' })).toBe('job-differs'))
  it('that does not cover the device', async () => expect(await reasonOf({ command: { device: 'mill-1' } })).toBe('not-granted'))
  it('that does not cover the capability', async () =>
    expect(await reasonOf({ command: { capability: 'laser.melt' } })).toBe('not-granted'))
})

describe('grants of tools beside those of devices', () => {
  const tool = (change: object = {}) => ({
    type: 'interlock_tool' as const,
    locations: ['laser-1'],
    actions: ['laser.cut'],
    limits: {},
    maxCount: 10,
    ...change,
  })
  async function chainOf(ofRoot: readonly Grant[], ofChild: readonly Grant[]): Promise<string[]> {
    const consent = buildConsent(fixture, { grants: [...ofRoot] })
    const first = await otherRoot({ authorization_details: [...ofRoot], consent })
    const parent = digest(Buffer.from(first.split('.').slice(0, 2).join('.')))
    return [first, await child({ parent, authorization_details: [...ofChild] })]
  }

  it('are no grants of a device that has their names', async () =>
    expect(await reasonOf({ tokens: await chainOf([tool()], [tool()]) })).toBe('not-granted'))
  it('do not become any, and no more tools than the parent has', async () => {
    const asDevice = { ...tool(), type: 'interlock_device' as const }
    expect(await reasonOf({ tokens: await chainOf([tool()], [asDevice]) })).toBe('wider-type')
    expect(await reasonOf({ tokens: await chainOf([tool()], [tool({ actions: ['laser.melt'] })]) })).toBe('wider-tool')
  })
  it('do not stand in the way of those of a device', async () =>
    expect(await reasonOf({ tokens: await chainOf([tool(), grant()], [tool(), grant()]) })).toBe('ALLOW'))
})

describe('delegation-check refuses, by what is known of people and tokens', () => {
  it('a human whom nobody knows', async () => {
    tables['control.agents'].delete('human:alice')
    expect(await reasonOf({})).toBe('human-unknown')
  })
  it('a human who is suspended', async () => {
    edit('human:alice', { state: 'suspended' })
    expect(await reasonOf({})).toBe('human-not-active')
  })
  it('a human who may not request', async () => {
    edit('human:alice', { roles: ['approver'] })
    expect(await reasonOf({})).toBe('human-not-a-requester')
  })
  it.each([
    ['attack 56: the parent token', 'token', (): string => `${rootClaims.iss} ${rootClaims.jti}`],
    ['the own token', 'token', (): string => `${childClaims.iss} ${childClaims.jti}`],
    ['attack 57: the delegator', 'agent', (): string => orchestrator],
    ['attack 57: the delegator’s certificate', 'certificate', (): string => rootClaims.cnf['x5t#S256']],
    ['the human', 'human', (): string => 'alice'],
    ['the job', 'job', (): string => 'job-1'],
    ['attack 128: the token service’s key', 'enforcer-key', (): string => fixture.key('service-token').keyId],
  ] as const)('what was revoked: %s', async (_name, kind, subject) => {
    revoke(kind, subject())
    expect(await reasonOf({})).toBe('revoked')
  })
})

describe('attack 57: delegation-check refuses what came over an agent that does not count now', () => {
  it.each<[string, () => void]>([
    ['whose platform lapsed', () => edit(`instance:${orchestrator}`, { state: 'lapsed' })],
    ['that is suspended', () => edit(`instance:${orchestrator}`, { state: 'suspended' })],
    ['that nobody knows', () => tables['control.agents'].delete(`instance:${orchestrator}`)],
    ['of a suspended definition', () => edit('definition:job-orchestrator', { state: 'suspended' })],
    ['of a revoked definition', () => revoke('definition', definitionHash('job-orchestrator'))],
    [
      'whose parent is suspended',
      () => {
        edit(`instance:${orchestrator}`, { parent: agentSpiffeId('mill-operator', 'z1') })
        edit(`instance:${agentSpiffeId('mill-operator', 'z1')}`, { state: 'suspended' })
      },
    ],
  ])('%s', async (_which, fall) => {
    expect(await reasonOf({})).toBe('ALLOW')
    fall()
    expect(await reasonOf({})).toBe('actor-not-active')
  })
})

describe('a root token counts only with the human’s own signature for it: the token service alone invents nothing', () => {
  /** A root that the token service's key signed, and a good child under it. */
  async function chainOf(change: Partial<TaskTokenClaims>, omit: readonly string[] = []): Promise<string[]> {
    const claims = { ...rootClaims, jti: randomUUID(), ...change }
    const kept = Object.fromEntries(Object.entries(claims).filter(([name]) => !omit.includes(name))) as TaskTokenClaims
    const first = await signTaskToken(kept, { kid: fixture.key('service-token') })
    const parent = digest(Buffer.from(first.split('.').slice(0, 2).join('.')))
    return [
      first,
      await child({ parent, sub: kept.sub, job: kept.job, ...(change.exp !== undefined && { exp: childClaims.exp }) }),
    ]
  }
  const laserGrant = () => rootClaims.authorization_details[0] as TaskTokenClaims['authorization_details'][number]
  const withPower = (max: string) => [
    { ...laserGrant(), limits: { ...laserGrant().limits, power: { min: '1', max, unit: 'W' } } },
    ...rootClaims.authorization_details.slice(1),
  ]
  const consented = () => rootClaims.consent as NonNullable<TaskTokenClaims['consent']>
  const edited = (change: object) => {
    const request = JSON.parse(Buffer.from(consented().request, 'base64url').toString('utf8')) as object
    return { ...consented(), request: canonicalBytes({ ...request, ...change }).toString('base64url') }
  }

  it('no consent at all', async () => expect(await reasonOf({ tokens: await chainOf({}, ['consent']) })).toBe('consent-missing'))

  it.each([
    ['a higher limit', 'consent-wider', () => ({ authorization_details: withPower('120') })],
    [
      'a device more',
      'consent-wider',
      () => ({ authorization_details: [{ ...laserGrant(), locations: ['laser-1', 'robot-1'] }] }),
    ],
    ['an agent more to delegate to', 'consent-wider', () => ({ may_act: { sub: [operator, `${operator}x`] } })],
    ['a longer life', 'consent-outlived', () => ({ exp: rootClaims.exp + 1 })],
    ['an earlier begin', 'consent-outlived', () => ({ iat: rootClaims.iat - 31 })],
    ['alice’s consent to another job', 'consent-differs', () => ({ consent: buildConsent(fixture, { job: 'job-2' }) })],
    ['her consent for another agent', 'consent-differs', () => ({ consent: buildConsent(fixture, { orchestrator: operator }) })],
    ['her consent for another system', 'consent-differs', () => ({ consent: buildConsent(fixture, { audience: 'other' }) })],
    ['bob’s consent', 'consent-differs', () => ({ consent: buildConsent(fixture, { human: 'bob' }, 'bob') })],
    ['her words, signed by bob', 'consent-unknown-credential', () => ({ consent: buildConsent(fixture, {}, 'bob') })],
    [
      'bob’s signature under the name of her passkey',
      'consent-assertion',
      () => ({ consent: { ...buildConsent(fixture, {}, 'bob'), credentialId: consented().credentialId } }),
    ],
    ['other words than she signed', 'consent-assertion', () => ({ consent: edited({ grants: withPower('120') }) })],
    ['what is no grant request', 'consent-malformed', () => ({ consent: edited({ kind: 'approval' }) })],
    [
      'words that can be read in two ways',
      'consent-malformed',
      () => ({ consent: { ...consented(), request: Buffer.from('{"kind":"grant","kind":"grant"}').toString('base64url') } }),
    ],
    [
      'authenticator data beyond all measure',
      'consent-malformed',
      () => ({ consent: { ...consented(), authenticatorData: Buffer.alloc(4097).toString('base64url') } }),
    ],
  ] as const)('%s: %s', async (_what, reason, change) => {
    expect(await reasonOf({ tokens: await chainOf(change() as Partial<TaskTokenClaims>) })).toBe(reason)
  })

  it('less than the human signed for may be granted', async () => {
    const verdict = await ask({ tokens: await chainOf({ consent: buildConsent(fixture, { grants: withPower('100') }) }) })
    expect(verdict.verdict).toBe('ALLOW')
  })

  it('a passkey that is taken from its human takes what it signed with it', async () => {
    expect(await reasonOf({})).toBe('ALLOW')
    const human = tables['control.agents'].get('human:alice') as Extract<AgentEntry, { kind: 'human' }>
    edit('human:alice', { credentials: [] })
    expect(await reasonOf({})).toBe('consent-unknown-credential')
    const bobs = tables['control.agents'].get('human:bob') as typeof human
    edit('human:alice', { credentials: [{ ...bobs.credentials[0], id: human.credentials[0]?.id }] })
    expect(await reasonOf({})).toBe('consent-assertion')
  })

  it('a child cannot bring its own', async () =>
    expect(await reasonOf({ tokens: [root, await child({ consent: consented() })] })).toBe('consent-misplaced'))
})

describe('a token whose signature was already found good', () => {
  const tampered = (token: string) => {
    const [header = '', payload = '', signature = ''] = token.split('.')
    const bytes = Buffer.from(signature, 'base64url')
    bytes[0] = (bytes[0] as number) ^ 1
    return `${header}.${payload}.${bytes.toString('base64url')}`
  }

  it('is refused as soon as it is revoked or over', async () => {
    expect(await reasonOf({})).toBe('ALLOW')
    expect(await reasonOf({ at: now + 2 * 3_600_000 })).toBe('token-expired')
    revoke('token', `${rootClaims.iss} ${rootClaims.jti}`)
    expect(await reasonOf({})).toBe('revoked')
  })

  it('lends its signature to no other text', async () => {
    expect(await reasonOf({})).toBe('ALLOW')
    const [first = '', second = ''] = fixture.job.tokens['agent-laser-operator-z1'] ?? []
    expect(await reasonOf({ tokens: [tampered(first), second] })).toBe('token-signature')
    expect(await reasonOf({ tokens: [first, tampered(second)] })).toBe('token-signature')
  })
})
