import { createHash, randomUUID, X509Certificate } from 'node:crypto'
import type { Command, DecisionStatement, Intent, TaskTokenClaims } from '@interlock/contracts'
import type { StageContext, StageInput } from '@interlock/enforcer'
import { buildIntent, createFixture, createTables, type Fixture, type FixtureTables } from '@interlock/sdk/fixture'
import { agentSpiffeId } from '@interlock/sdk/trust-domain'
import {
  digest,
  openTrustBundle,
  readJws,
  readTaskToken,
  type SigningKey,
  signJws,
  signTaskToken,
  type TrustAnchors,
  x5cOf,
} from '@interlock/trust'
import { issueIdentity } from '@interlock/trust/issue'
import { jwtVerify } from 'jose'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { decide } from './decide.ts'

const now = Date.UTC(2026, 10, 24, 12)
const orchestrator = agentSpiffeId('job-orchestrator', 'o1')
const operator = agentSpiffeId('laser-operator', 'z1')
const miller = agentSpiffeId('mill-operator', 'z1')

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
afterEach(() => vi.restoreAllMocks())

function claimsOf(token: string): TaskTokenClaims {
  const read = readTaskToken(token)
  if (!read.ok) throw new Error(read.reason)
  return read.value.claims
}

/** Through the whole decision, as the stage makes it. */
async function reasonOf(tokens: readonly string[], trust: TrustAnchors = fixture.trust.anchors): Promise<string | undefined> {
  const intent = await buildIntent(fixture)
  const { keyId } = fixture.key('agent-laser-operator-z1')
  const identity = {
    stage: 'identity-verify',
    verdict: 'ALLOW',
    obligations: { agent: operator, certificate: keyId },
    expiresAt: now + 900_000,
  }
  const input = {
    intent: { ...intent, tokens } as Intent,
    command: JSON.parse(intent.command.toString('utf8')) as Command,
    statements: [identity as unknown as DecisionStatement],
  } as unknown as StageInput
  const verdict = await decide(input, { now: now + 1000, tables, trust } as unknown as StageContext<null>)
  return verdict.verdict === 'ALLOW' ? 'ALLOW' : verdict.reasons[0]
}

const holder = () => fixture.key('agent-job-orchestrator-o1')
const typ = 'task+jwt'
/** The child with other claims, members that must not be there or are missing included, signed by who holds the parent. */
const child = (change: Record<string, unknown>, by: SigningKey = holder(), header: Record<string, unknown> = {}) =>
  signJws({ typ, x5c: x5cOf(by.chain), ...header }, { ...childClaims, jti: randomUUID(), ...change }, by)
const good = () => child({})
const grant = () => childClaims.authorization_details[0] as TaskTokenClaims['authorization_details'][number]
const granting = (change: Record<string, unknown>) => ({ authorization_details: [{ ...grant(), ...change }] })
const power = (change: Record<string, unknown>) =>
  granting({ limits: { ...grant().limits, power: { ...grant().limits.power, ...change } } })
const parentOf = (token: string) => digest(Buffer.from(token.slice(0, token.lastIndexOf('.'))))
const rootOf = (change: Partial<TaskTokenClaims>, by = fixture.key('service-token')) =>
  signTaskToken({ ...rootClaims, jti: randomUUID(), ...change }, { kid: by })

it('the child that each attack changes counts', async () => expect(await reasonOf([root, await good()])).toBe('ALLOW'))

describe('whose key', () => {
  it.each<[string, Record<string, unknown>]>([
    ['a key of the attacker’s', { jwk: { kty: 'EC' } }],
    ['the address of a key', { jku: 'https://attacker.example/keys' }],
    ['the address of a certificate', { x5u: 'https://attacker.example/certificate' }],
  ])('attack 41: %s in the header is refused, and nothing is fetched', async (_what, header) => {
    const fetched = vi.spyOn(globalThis, 'fetch')
    expect(await reasonOf([root, await child({}, holder(), header)])).toBe('jws-malformed')
    expect(fetched).not.toHaveBeenCalled()
  })

  it.each([
    '../../etc/passwd',
    "' OR 1=1 --",
    'file:///dev/null',
    'x'.repeat(65),
    '',
  ])('attack 41: the key id %j is nobody’s', async (kid) => {
    const signed = await signJws({ typ, kid }, { ...rootClaims, jti: randomUUID() }, fixture.key('service-token'))
    expect(await reasonOf([signed])).toMatch(/^(root-signer|token-header)$/)
  })

  it('attack 41: a chain of the attacker’s leads to no root of ours', async () => {
    const stranger = await createFixture(now)
    expect(await reasonOf([root, await child({}, stranger.key('agent-job-orchestrator-o1'))])).toBe('path-untrusted')
  })

  it('attack 128: a token of a key that was taken out counts no more, one of a key beside it does, and an unknown key is asked of nobody', async () => {
    const next = await issueIdentity(
      fixture.domain.issuer,
      { name: 'next', spiffeId: fixture.key('service-token').spiffeId },
      now,
    )
    const { bundle } = fixture.domain
    const text = next.chain.map((der) => der.toString('base64url'))
    const fetched = vi.spyOn(globalThis, 'fetch')
    expect(await reasonOf([root, await good()], openTrustBundle({ ...bundle, signers: [...bundle.signers, text] }))).toBe('ALLOW')
    const { keyId } = fixture.key('service-token')
    const without = bundle.signers.filter(
      ([leaf = '']) => createHash('sha256').update(Buffer.from(leaf, 'base64url')).digest('base64url') !== keyId,
    )
    expect(await reasonOf([root, await good()], openTrustBundle({ ...bundle, signers: [...without, text] }))).toBe('root-signer')
    expect(fetched).not.toHaveBeenCalled()
  })
})

describe('how it is written', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const forms: [string, (head: string, signature: string) => string][] = [
    ['padding', (head, signature) => `${head}.${signature}==`],
    ['a blank at its end', (head, signature) => `${head}.${signature} `],
    ['a line end', (head, signature) => `${head}.${signature}\n`],
    ['a blank inside', (head, signature) => `${head}.${signature.slice(0, 4)} ${signature.slice(4)}`],
    [
      'other unused bits',
      (head, signature) => `${head}.${signature.slice(0, -1)}${alphabet[alphabet.indexOf(signature.at(-1) ?? '') ^ 1]}`,
    ],
  ]

  // jose 6.2.18 lets each of the five through, as the same token: ours is the check that does not.
  it.each(forms)('attack 42: with %s jose takes the token, and we do not', async (_what, spell) => {
    const token = await good()
    const at = token.lastIndexOf('.')
    const other = spell(token.slice(0, at), token.slice(at + 1))
    const key = new X509Certificate(holder().chain[0] as Buffer).publicKey
    const currentDate = new Date(now)
    expect((await jwtVerify(other, key, { currentDate })).payload.jti).toBe(claimsOf(token).jti)
    expect(readJws(other)).toMatchObject({ ok: false, reason: 'jws-malformed' })
    expect(await reasonOf([root, other])).toBe('jws-malformed')
  })

  it('attack 42: revocation and count go by issuer and jti, so a second signature makes no second token', async () => {
    const [one, other] = [await good(), await good()].map(claimsOf)
    const again = await signJws({ typ, x5c: x5cOf(holder().chain) }, one, holder())
    tables['control.revocations'].set(`token:${one?.iss} ${one?.jti}`, {
      kind: 'token',
      subject: `${one?.iss} ${one?.jti}`,
      from: now,
      reason: 'test',
    })
    expect(await reasonOf([root, again])).toBe('revoked')
    expect(other?.jti).not.toBe(one?.jti)
  })

  it.each([
    ['at the top', '"job":"job-1"'],
    ['that narrows and then widens', '"sub":"alice"'],
    ['spelt with an escape', '"jo\\u0062":"job-1"'],
  ])('attack 54: a member twice, %s', async (_what, member) => {
    const [header = '', payload = ''] = (await good()).split('.')
    const text = Buffer.from(payload, 'base64url').toString('utf8').replace('{', `{${member},`)
    const input = `${header}.${Buffer.from(text).toString('base64url')}`
    const signature = await holder().sign(Buffer.from(input))
    expect(await reasonOf([root, `${input}.${signature.toString('base64url')}`])).toBe('jws-malformed')
  })

  it.each<[string, string, () => string | Promise<string>]>([
    ['a JWE in five parts', 'jws-malformed', () => 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAA.AAAA.AAAA'],
    [
      'a JWE’s header',
      'jws-malformed',
      () => child({}, holder(), { alg: 'PBES2-HS512+A256KW', enc: 'A256GCM', p2c: 1e9, p2s: 'AAAA' }),
    ],
    ['a password’s count without an encryption', 'token-header', () => child({}, holder(), { p2c: 1e9 })],
    ['compression', 'jws-malformed', () => child({}, holder(), { zip: 'DEF' })],
    ['a JWT in a JWT', 'token-header', () => child({}, holder(), { cty: 'JWT' })],
    ['another type', 'token-header', () => child({}, holder(), { typ: 'JWT' })],
    ['no algorithm', 'token-signature', () => child({}, holder(), { alg: 'none' })],
    ['a secret’s algorithm', 'token-signature', () => child({}, holder(), { alg: 'HS256' })],
    ['more than its limit', 'jws-too-large', () => 'A'.repeat(10 * 1024 * 1024)],
  ])('attack 59: %s', async (_what, reason, make) => expect(await reasonOf([root, await make()])).toBe(reason))
})

describe('what it grants', () => {
  it.each<[string, string, () => Record<string, unknown>]>([
    ['an action more', 'wider-action', () => granting({ actions: [...grant().actions, 'laser.melt'] })],
    ['a device more', 'wider-device', () => granting({ locations: [...grant().locations, 'mill-1'] })],
    ['every device', 'wider-device', () => granting({ locations: ['*'] })],
    ['no device named', 'token-claims', () => granting({ locations: undefined })],
    ['an empty list of devices', 'token-claims', () => granting({ locations: [] })],
    ['another type', 'token-claims', () => granting({ type: 'interlock_tool' })],
    ['a higher maximum', 'wider-limit', () => power({ max: '80.0001' })],
    ['a lower minimum', 'wider-limit', () => power({ min: '0.9999' })],
    ['another unit', 'unit-changed', () => power({ unit: 'kW' })],
    ['a higher count', 'wider-count', () => granting({ maxCount: 10_001 })],
    ['a member that nobody knows', 'token-claims', () => granting({ override: true })],
    ['a longer life', 'outlives-parent', () => ({ exp: rootClaims.exp + 1 })],
    ['an earlier begin', 'outlives-parent', () => ({ iat: rootClaims.iat - 1 })],
    ['somebody more to delegate to', 'may-not-delegate', () => ({ may_act: { sub: [`${operator}x`] } })],
  ])('attack 43: %s than its parent', async (_what, reason, change) =>
    expect(await reasonOf([root, await child(change())])).toBe(reason))

  it.each<[string, string, () => Record<string, unknown>]>([
    ['a limit', 'limit-absent', () => granting({ limits: {} })],
    ['a maximum', 'limit-absent', () => power({ max: undefined })],
    ['a minimum', 'limit-absent', () => power({ min: undefined })],
    ['all limits', 'token-claims', () => granting({ limits: undefined })],
    ['the count', 'token-claims', () => granting({ maxCount: undefined })],
    ['the actions', 'token-claims', () => granting({ actions: undefined })],
    ['the grants', 'token-claims', () => ({ authorization_details: undefined })],
    ['no grant left', 'token-claims', () => ({ authorization_details: [] })],
    ['exp', 'token-claims', () => ({ exp: undefined })],
    ['iat', 'token-claims', () => ({ iat: undefined })],
    ['cnf', 'token-claims', () => ({ cnf: undefined })],
    ['its thumbprint', 'token-claims', () => ({ cnf: {} })],
    ['aud', 'token-claims', () => ({ aud: undefined })],
    ['act', 'token-claims', () => ({ act: undefined })],
    ['sub', 'token-claims', () => ({ sub: undefined })],
    ['job', 'token-claims', () => ({ job: undefined })],
    ['jti', 'token-claims', () => ({ jti: undefined })],
    ['parent', 'wrong-parent', () => ({ parent: undefined })],
  ])('attack 44: without %s', async (_what, reason, change) => expect(await reasonOf([root, await child(change())])).toBe(reason))
})

describe('over whom it came', () => {
  const deep = (levels: number): TaskTokenClaims['act'] => {
    let act: TaskTokenClaims['act'] = { sub: orchestrator }
    for (let at = 0; at < levels; at++) act = { sub: operator, act }
    return act
  }
  it.each<[string, string, () => unknown]>([
    ['in another order', 'actor-nesting', () => ({ sub: orchestrator, act: { sub: operator } })],
    ['with one left out', 'actor-nesting', () => ({ sub: operator })],
    ['with one twice', 'actor-nesting', () => ({ sub: operator, act: { sub: orchestrator, act: { sub: orchestrator } } })],
    ['with the delegator as its own sub-agent', 'may-not-delegate', () => ({ sub: orchestrator, act: { sub: orchestrator } })],
    ['nine deep', 'token-too-deep', () => deep(9)],
    ['a thousand deep', 'jws-(too-large|malformed)', () => deep(1000)],
  ])('attack 46: %s', async (_what, reason, act) =>
    expect(await reasonOf([root, await child({ act: act() })])).toMatch(new RegExp(`^${reason}$`)))

  it.each([
    agentSpiffeId('job-orchestrator', 'boss'),
    'spiffe://lab.interlock.example/service/token',
    'alice',
  ])('attack 47: that %s acted before has no effect: only the outermost actor and the token’s own claims count', async (sub) =>
    expect(await reasonOf([root, await child({ act: { sub: operator, act: { sub } } })])).toBe('actor-nesting'))

  it('attack 48: the parent of one chain with the child of another', async () => {
    const other = await rootOf({})
    const ofOther = await child({ parent: parentOf(other) })
    expect(await reasonOf([other, ofOther])).toBe('ALLOW')
    expect(await reasonOf([root, ofOther])).toBe('wrong-parent')
    expect(await reasonOf([other, await good()])).toBe('wrong-parent')
  })

  it.each<[string, TaskTokenClaims['may_act']]>([
    ['missing', undefined],
    ['naming another', { sub: [miller] }],
    ['naming somebody like it', { sub: [`${operator}/`, operator.toUpperCase(), operator.slice(0, -1)] }],
  ])('attack 49: may_act is %s', async (_what, may) => {
    const { may_act: _, ...rest } = rootClaims
    const parent = await signTaskToken(
      { ...rest, jti: randomUUID(), ...(may && { may_act: may }) },
      { kid: fixture.key('service-token') },
    )
    expect(await reasonOf([parent, await child({ parent: parentOf(parent) })])).toBe('may-not-delegate')
  })
})

describe('whom it is bound to', () => {
  const leaf = () => fixture.key('agent-laser-operator-z1').chain[0] as Buffer
  const sha256 = (text: string | Buffer) => createHash('sha256').update(text)
  it.each<[string, string, () => string]>([
    [
      'the digest of the PEM text',
      'token-bound-to-another',
      () => sha256(new X509Certificate(leaf()).toString()).digest('base64url'),
    ],
    ['a SHA-1 thumbprint', 'token-claims', () => createHash('sha1').update(leaf()).digest('base64url')],
    [
      'a SHA-1 thumbprint with zeros after it',
      'token-bound-to-another',
      () => Buffer.concat([createHash('sha1').update(leaf()).digest(), Buffer.alloc(12)]).toString('base64url'),
    ],
    ['upper-case hex', 'token-claims', () => sha256(leaf()).digest('hex').toUpperCase()],
    ['hex cut to its length', 'token-bound-to-another', () => sha256(leaf()).digest('hex').slice(0, 43)],
    ['one character less', 'token-claims', () => sha256(leaf()).digest('base64url').slice(0, 42)],
    ['standard base64', 'token-claims', () => sha256(leaf()).digest('base64')],
    [
      'the issuer’s certificate',
      'token-bound-to-another',
      () => sha256(fixture.key('agent-laser-operator-z1').chain[1] as Buffer).digest('base64url'),
    ],
    ['nothing', 'token-claims', () => ''],
  ])('attack 51: by %s', async (_what, reason, thumbprint) =>
    expect(await reasonOf([root, await child({ cnf: { 'x5t#S256': thumbprint() } })])).toBe(reason))
})

describe('for whom and by whom', () => {
  it.each<[string, string, () => unknown]>([
    ['another audience', 'token-audience', () => 'enforcer.evil'],
    ['ours with more after it', 'token-audience', () => `${fixture.domain.bundle.audience}.evil`],
    ['a part of ours', 'token-audience', () => fixture.domain.bundle.audience.slice(0, -1)],
    ['ours in another case', 'token-audience', () => fixture.domain.bundle.audience.toUpperCase()],
    ['a list with ours second', 'token-claims', () => ['other', fixture.domain.bundle.audience]],
    ['a list with ours alone', 'token-claims', () => [fixture.domain.bundle.audience]],
  ])('attack 52: %s', async (_what, reason, aud) => expect(await reasonOf([root, await child({ aud: aud() })])).toBe(reason))

  it.each<[string, (iss: string) => string]>([
    ['with a slash after it', (iss) => `${iss}/`],
    ['in another case', (iss) => iss.toUpperCase()],
    ['with a port', (iss) => iss.replace('.example/', '.example:443/')],
    ['of another service whose key is in the bundle', () => fixture.key('service-registry').spiffeId],
  ])('attack 53: the issuer %s', async (_what, write) => {
    expect(await reasonOf([await rootOf({ iss: write(rootClaims.iss) })])).toBe('token-issuer')
    expect(await reasonOf([root, await child({ iss: write(orchestrator) })])).toBe('token-issuer')
  })

  it('attack 53: a key of the bundle that is not the token service’s signs no token, whatever it calls itself', async () => {
    expect(await reasonOf([await rootOf({}, fixture.key('service-registry'))])).toBe('root-signer')
    expect(await reasonOf([await rootOf({}, fixture.key('identity-verify'))])).toBe('root-signer')
  })

  it('attack 58: more tokens than are remembered make nothing forgotten: what is revoked stays so, and what fell out is checked anew', async () => {
    const token = await good()
    const { iss, jti } = claimsOf(token)
    expect(await reasonOf([root, token])).toBe('ALLOW')
    tables['control.revocations'].set(`token:${iss} ${jti}`, {
      kind: 'token',
      subject: `${iss} ${jti}`,
      from: now,
      reason: 'test',
    })
    // More than the cache of verified tokens holds.
    for (let at = 0; at < 1100; at++) await reasonOf([await rootOf({}), token])
    expect(await reasonOf([root, token])).toBe('revoked')
  }, 60_000)
})
