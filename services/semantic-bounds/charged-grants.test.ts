import { randomUUID } from 'node:crypto'
import {
  type Command,
  type Decision,
  type DecisionStatement,
  type DeviceGrant,
  type Intent,
  partitionOf,
  type TaskTokenClaims,
} from '@interlock/contracts'
import { decide as checkDelegation } from '@interlock/delegation-check/decide'
import type { StageContext, StageInput } from '@interlock/enforcer'
import type { TestPartition } from '@interlock/enforcer/test-partition'
import {
  buildConsent,
  buildIntent,
  buildOrder,
  createFixture,
  decisionOf,
  type Fixture,
  type FixtureTables,
} from '@interlock/sdk/fixture'
import { agentSpiffeId } from '@interlock/sdk/trust-domain'
import { digest, readTaskToken, signTaskToken } from '@interlock/trust'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { BoundsMemory } from './memory.ts'
import { startTestStage } from './test-stage.ts'

const now = Date.UTC(2026, 10, 24, 12)
const partition = partitionOf('job-1', 6)
const orchestrator = agentSpiffeId('job-orchestrator', 'o1')
const operator = agentSpiffeId('laser-operator', 'z1')

let fixture: Fixture
let rootClaims: TaskTokenClaims
let childClaims: TaskTokenClaims
let tables: FixtureTables
let here: TestPartition<BoundsMemory>
let serial = 0

beforeAll(async () => {
  fixture = await createFixture(now)
  const [root = '', child = ''] = fixture.job.tokens['agent-laser-operator-z1'] ?? []
  rootClaims = claimsOf(root)
  childClaims = claimsOf(child)
})
beforeEach(async () => {
  ;({ tables, here } = await startTestStage(fixture, { partition, now: now + 10 }))
})

function claimsOf(token: string): TaskTokenClaims {
  const read = readTaskToken(token)
  if (!read.ok) throw new Error(read.reason)
  return read.value.claims
}

/** What both stages say of a cut, one after the other: delegation-check's obligations are what semantic-bounds decides on. */
async function cut(tokens: readonly string[], agent: string, watts = 20): Promise<string> {
  const certificate = claimsOf(tokens.at(-1) as string).cnf['x5t#S256']
  const intent = await buildIntent(fixture, { power: { value: String(watts), unit: 'W' } })
  const identity = { stage: 'identity-verify', obligations: { agent, certificate }, expiresAt: now + 60_000 }
  const input = {
    intent: { ...intent, tokens } as Intent,
    command: JSON.parse(intent.command.toString('utf8')) as Command,
    statements: [{ ...identity, verdict: 'ALLOW' } as unknown as DecisionStatement],
  } as unknown as StageInput
  const context = { now: now + 10, tables, trust: fixture.trust.anchors } as unknown as StageContext<null>
  const delegation = await checkDelegation(input, context)
  if (delegation.verdict !== 'ALLOW') return delegation.reasons.join()
  const order = await buildOrder(fixture, {
    intent,
    editStatement: (statement) => {
      const placed = { ...statement, eventId: statement.eventId.replace(':0:7', `:${partition}:${serial++}`) }
      return placed.stage === 'delegation-check' ? { ...placed, obligations: { ...delegation.obligations } } : placed
    },
  })
  const [write] = await here.meet('decisions.delegation-check', 'job-1', decisionOf(fixture, order, 'delegation-check'))
  const { verdict, reasons } = write?.record as Decision
  return verdict === 'ALLOW' ? verdict : reasons.join()
}

const grantOf = (change: Partial<DeviceGrant>): DeviceGrant => ({
  ...(childClaims.authorization_details[0] as DeviceGrant),
  ...change,
})
const upTo = (max: string, maxCount: number) =>
  grantOf({ limits: { ...grantOf({}).limits, power: { min: '1', max, unit: 'W' } } as DeviceGrant['limits'], maxCount })
const idOf = (token: string) => digest(Buffer.from(token.slice(0, token.lastIndexOf('.'))))
/** A certificate that only its digest is known of: the token service binds a renewed token to the one that asks. */
const freshCertificate = () => ({ 'x5t#S256': digest(Buffer.from(randomUUID())) })

/** Who signs for several grants at once signs once: tokens of one consent. */
function consentTo(grants: readonly DeviceGrant[]) {
  const consent = buildConsent(fixture, { grants: [...grants] })
  const sign = (claims: TaskTokenClaims) => signTaskToken(claims, { kid: fixture.key('service-token') })
  const fresh = (second = 0) => ({ jti: randomUUID(), iat: rootClaims.iat + second + (serial++ % 5), cnf: freshCertificate() })
  return {
    root: () => sign({ ...rootClaims, ...fresh(), authorization_details: [...grants], consent }),
    child: (parent: string, own = grants) =>
      sign({ ...childClaims, ...fresh(5), iss: rootClaims.iss, parent: idOf(parent), authorization_details: [...own] }),
  }
}

describe('one consent to one command', () => {
  const one = () => [upTo('40', 1)]

  it('lets one through, however often the root token is renewed', async () => {
    const { root } = consentTo(one())
    const said = [await cut([await root()], orchestrator), await cut([await root()], orchestrator)]
    expect([...said, await cut([await root()], orchestrator)]).toEqual(['ALLOW', 'budget-exhausted', 'budget-exhausted'])
  })

  it('lets one through, however often a sub-agent’s token is renewed', async () => {
    const { root, child } = consentTo(one())
    const parent = await root()
    const said = [await cut([parent, await child(parent)], operator), await cut([parent, await child(parent)], operator)]
    expect(said).toEqual(['ALLOW', 'budget-exhausted'])
  })

  it('lets one through, however often the tokens above are renewed, and whoever of them acts', async () => {
    const { root, child } = consentTo(one())
    const [first, second] = [await root(), await root()]
    expect(await cut([first, await child(first)], operator)).toBe('ALLOW')
    expect(await cut([second, await child(second)], operator)).toBe('budget-exhausted')
    expect(await cut([second], orchestrator)).toBe('budget-exhausted')
  })

  it('is another than the next consent to the same', async () => {
    expect(await cut([await consentTo(one()).root()], orchestrator)).toBe('ALLOW')
    expect(await cut([await consentTo([upTo('40', 1), upTo('39', 1)]).root()], orchestrator)).toBe('ALLOW')
  })
})

describe('a human who signs “10 W a hundred times, 40 W once”', () => {
  const both = () => [upTo('10', 100), upTo('40', 1)]

  it.each([
    ['in this order', both],
    ['in the other', () => both().toReversed()],
  ])('has signed for one cut with 40 W: %s', async (_order, grants) => {
    const { root, child } = consentTo(grants())
    const parent = await root()
    const cuts = [await cut([parent], orchestrator, 40), await cut([parent, await child(parent)], operator, 40)]
    cuts.push(await cut([parent, await child(parent, [upTo('40', 1)])], operator, 40))
    expect(cuts).toEqual(['ALLOW', 'budget-exhausted', 'budget-exhausted'])
  })

  it('and for more with 10 W, which cost nothing of it', async () => {
    const { root } = consentTo(both())
    const token = await root()
    expect([await cut([token], orchestrator, 10), await cut([token], orchestrator, 10)]).toEqual(['ALLOW', 'ALLOW'])
    expect(await cut([token], orchestrator, 40)).toBe('ALLOW')
  })

  it('is told what lies outside where no grant holds it', async () => {
    expect(await cut([await consentTo(both()).root()], orchestrator, 41)).toBe('outside-grant')
  })
})
