import {
  type DecisionStatement,
  type DeviceId,
  type Intent,
  type IntentId,
  type JobId,
  type SignedStatement,
  type StageName,
  stageNames,
} from '@interlock/contracts'
import { beforeAll, describe, expect, test } from 'vitest'
import { canonicalBytes } from './canonical.ts'
import { verifyDecisionChain } from './decision-chain.ts'
import { digest } from './digest.ts'
import { signStatements, VerifiedRoots } from './statement-batch.ts'
import { type TestDomain, testDomain } from './test-domain.ts'

const now = 1_790_000_000_000
const command = canonicalBytes({ capability: 'laser.cut', device: 'laser-1', parameters: { power: { unit: 'W', value: '60' } } })
const intent: Intent = {
  intentId: '0193-a' as IntentId,
  jobId: 'job-1' as JobId,
  device: 'laser-1' as DeviceId,
  capability: 'laser.cut',
  command,
  program: null,
  tokens: [],
  proof: '',
}
const intentBytes = Buffer.from('the bytes as submitted')

let domain: TestDomain
let stranger: TestDomain
let good: SignedStatement[]

type Edit = (statement: DecisionStatement) => void

/** Five linked ALLOWs; `edits` change a stage's statement before it is signed, `signers` who signs it. */
async function chainOf(
  edits: Partial<Record<StageName, Edit>> = {},
  signers: Partial<Record<StageName, string>> = {},
): Promise<SignedStatement[]> {
  const chain: SignedStatement[] = []
  let previous = digest(intentBytes)
  for (const [at, stage] of stageNames.entries()) {
    const statement: DecisionStatement = {
      stage,
      eventId: `${stage}:intents:0:${at}`,
      intentId: intent.intentId,
      commandDigest: digest(command),
      previous,
      verdict: 'ALLOW',
      reasons: [],
      obligations: {},
      policy: '',
      decidedAt: now - 1000 + at,
      expiresAt: now + 60_000,
    }
    edits[stage]?.(statement)
    const bytes = canonicalBytes(statement)
    const others = [Buffer.from('{"other":1}'), Buffer.from('{"other":2}')]
    const [, signed] = await signStatements(
      [others[0] as Buffer, bytes, others[1] as Buffer],
      domain.signer(signers[stage] ?? `enforcer/${stage}`),
    )
    chain.push(signed as SignedStatement)
    previous = digest(bytes)
  }
  return chain
}

const verify = (statements: readonly SignedStatement[], change: Partial<Parameters<typeof verifyDecisionChain>[0]> = {}) =>
  verifyDecisionChain({
    intent,
    intentBytes,
    statements,
    upTo: 'device-dispatch',
    anchors: domain.anchors,
    now,
    isRevokedKey: () => false,
    cache: new VerifiedRoots(),
    ...change,
  })
const reasonOf = (...args: Parameters<typeof verify>) => {
  const result = verify(...args)
  return result.ok ? 'accepted' : result.reason
}

beforeAll(async () => {
  const paths = [...stageNames.map((stage) => `enforcer/${stage}`), 'operator/dev', 'service/registry']
  domain = await testDomain(paths, now - 60_000)
  stranger = await testDomain(paths, now - 60_000)
  good = await chainOf()
})

describe('a chain of decisions', () => {
  test('of five linked ALLOWs, each by its stage, is accepted', () => {
    expect(verify(good)).toMatchObject({ ok: true, value: { statements: stageNames.map((stage) => ({ stage })) } })
  })

  test.each(stageNames)('ATTACKS 92: is refused without the statement of %s', (stage) => {
    const without = good.filter((_, at) => at !== stageNames.indexOf(stage))
    expect(reasonOf(without)).toBe('missing-statement')
    const twice = good.map((signed, at) => (at === stageNames.indexOf(stage) ? (good[(at + 1) % 5] as SignedStatement) : signed))
    expect(reasonOf(twice)).toBe('wrong-stage')
  })

  test('is refused with a statement too many', () => {
    expect(reasonOf([...good, good[4] as SignedStatement])).toBe('surplus-statement')
  })

  test.each(stageNames)('ATTACKS 93: is refused where the key of another stage signed for %s', async (stage) => {
    const other = stageNames[(stageNames.indexOf(stage) + 1) % 5] as StageName
    expect(reasonOf(await chainOf({}, { [stage]: `enforcer/${other}` }))).toBe('wrong-key-role')
    expect(reasonOf(await chainOf({}, { [stage]: 'operator/dev' }))).toBe('wrong-key-role')
  })

  const edits: [string, Edit, string][] = [
    [
      'a DENY among them (ATTACKS 92)',
      (s) => {
        s.verdict = 'DENY'
      },
      'not-allowed',
    ],
    [
      'an ESCALATE among them',
      (s) => {
        s.verdict = 'ESCALATE'
      },
      'not-allowed',
    ],
    [
      'a decision on another intent (ATTACKS 92)',
      (s) => {
        s.intentId = 'other'
      },
      'other-intent',
    ],
    [
      'a decision on another command (ATTACKS 73)',
      (s) => {
        s.commandDigest = digest(Buffer.from('other'))
      },
      'other-command',
    ],
    [
      'an expired decision (ATTACKS 92)',
      (s) => {
        s.expiresAt = now
      },
      'expired',
    ],
    [
      'a decision that follows another',
      (s) => {
        s.previous = digest(Buffer.from('other'))
      },
      'bad-link',
    ],
    [
      'a decision from the future',
      (s) => {
        s.decidedAt = now + 60_000
      },
      'key-not-valid',
    ],
    [
      'a decision from before its key',
      (s) => {
        s.decidedAt = now - 86_400_000
      },
      'key-not-valid',
    ],
    [
      'a member nobody knows',
      (s) => {
        Object.assign(s, { override: true })
      },
      'malformed-statement',
    ],
  ]
  test.each(edits)('is refused with %s', async (_, edit, reason) => {
    for (const stage of stageNames) expect(reasonOf(await chainOf({ [stage]: edit }))).toBe(reason)
  })

  test('ATTACKS 104: is refused where a signature, a path or a byte of a statement is changed', () => {
    const change = (edit: (signed: SignedStatement) => SignedStatement) =>
      good.map((signed, at) => (at === 2 ? edit(signed) : signed))
    const flip = (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.of((bytes.at(-1) as number) ^ 1)])
    expect(reasonOf(change((s) => ({ ...s, signature: flip(s.signature) })))).toBe('bad-signature')
    expect(reasonOf(change((s) => ({ ...s, path: s.path.map(flip) })))).toBe('bad-signature')
    expect(reasonOf(change((s) => ({ ...s, path: s.path.slice(1) })))).toBe('bad-path')
    expect(reasonOf(change((s) => ({ ...s, leafIndex: 0 })))).toBe('bad-signature')
    expect(reasonOf(change((s) => ({ ...s, treeSize: 4 })))).toMatch(/bad-(signature|path)/)
    expect(reasonOf(change((s) => ({ ...s, keyId: 'A'.repeat(43) })))).toBe('unknown-key')
    const edited = Buffer.from(
      (good[2] as SignedStatement).statement.toString().replace('"obligations":{}', '"obligations":{"a":1}'),
    )
    expect(reasonOf(change((s) => ({ ...s, statement: edited })))).toBe('bad-signature')
  })

  test('ATTACKS 104: is refused where another domain of the same names signed it', () => {
    expect(reasonOf(good, { anchors: stranger.anchors })).toBe('unknown-key')
  })

  test('is refused once a key’s certificate has ended, though its decisions claim the time before', async () => {
    const long = (statement: DecisionStatement) => {
      statement.expiresAt = now + 10 * 365 * 86_400_000
    }
    const chain = await chainOf(Object.fromEntries(stageNames.map((stage) => [stage, long])))
    expect(reasonOf(chain)).toBe('accepted')
    expect(reasonOf(chain, { now: now + 9 * 365 * 86_400_000 })).toBe('key-not-valid')
  })

  test('ATTACKS 158: is refused where the key of any stage is revoked', () => {
    for (const { keyId } of good) expect(reasonOf(good, { isRevokedKey: (id) => id === keyId })).toBe('revoked-key')
  })

  test('is refused for other intent bytes, and for a flat field that says otherwise than the command', () => {
    expect(reasonOf(good, { intentBytes: Buffer.from('others') })).toBe('bad-link')
    expect(reasonOf(good, { intent: { ...intent, device: 'laser-2' as DeviceId } })).toBe('command-mismatch')
    expect(reasonOf(good, { intent: { ...intent, command: Buffer.from(`${command} `) } })).toBe('command-not-canonical')
    expect(reasonOf(good, { intent: { ...intent, program: Buffer.from('G0') } })).toBe('program-mismatch')
  })

  test('says the same from the cache of verified roots as without it', () => {
    const cache = new VerifiedRoots()
    expect(reasonOf(good, { cache })).toBe('accepted')
    expect(reasonOf(good, { cache })).toBe('accepted')
    const forged = good.map((signed, at) => (at === 4 ? { ...signed, signature: Buffer.alloc(64, 1) } : signed))
    expect(reasonOf(forged, { cache })).toBe('bad-signature')
  })
})
