import type { AgentEntry, Grant } from '@interlock/contracts'
import { signAgentAssertion, TokenClient } from '@interlock/sdk'
import { definitionHash } from '@interlock/sdk/trust-domain'
import { signTaskToken } from '@interlock/trust'
import { describe, expect, it } from 'vitest'
import {
  actorToken,
  answerTo,
  assertionType,
  child,
  claimsOf,
  exchangeOf,
  exchangeType,
  fixture,
  forSubAgent,
  jwtType,
  key,
  laserGrants,
  mill,
  now,
  pass,
  post,
  refused,
  root,
  server,
  stranger,
  useTokenService,
  withPower,
} from './test-world.ts'

useTokenService()

const orchestratorName = 'agent-job-orchestrator-o1'

describe('attack 121: a subject token that does not count is one kind of wrong to who asks, and named in the log', () => {
  it.each<[string, () => Promise<string>, string]>([
    ['of another issuer', async () => stranger.job.tokens[orchestratorName]?.[0] ?? '', 'signer-unknown'],
    [
      'that the agent signed itself',
      async () => signTaskToken(claimsOf(await root()), key(orchestratorName)),
      'signed-by-an-agent',
    ],
    ['signed by us and never recorded', async () => fixture.job.tokens[orchestratorName]?.[0] ?? '', 'not-recorded'],
    [
      'by another service of ours',
      async () => {
        const claims = { ...claimsOf(await root()), iss: key('service-registry').spiffeId }
        return signTaskToken(claims, { kid: key('service-registry') })
      },
      'signer-unknown',
    ],
    [
      'with another’s signature',
      async () => {
        const [first, second] = [await root(), await root()]
        return `${first.slice(0, first.lastIndexOf('.'))}${second.slice(second.lastIndexOf('.'))}`
      },
      'token-signature',
    ],
    ['written in another way (attack 42)', async () => `${await root()}=`, 'jws-malformed'],
    ['that is no JWS (attack 59)', async () => 'a.b.c.d.e', 'jws-malformed'],
    ['without end', async () => 'a'.repeat(40_000), 'jws-too-large'],
    ['that is an assertion', async () => actorToken(), 'token-header'],
  ])('%s', async (_what, make, cause) => {
    expect(await answerTo(exchangeOf(await make()))).toEqual(refused('invalid_grant', cause))
  })

  it('expired', async () => {
    const first = await root()
    pass(3_600_000)
    expect(await answerTo(exchangeOf(first))).toEqual(refused('invalid_grant', 'token-expired'))
  })

  it.each([
    ...(['token', 'job', 'human', 'agent', 'certificate', 'definition'] as const).map((kind) => [kind, 'revoked'] as const),
    ['enforcer-key', 'signer-revoked'] as const,
  ])('whose %s is revoked', async (kind, cause) => {
    const first = await root({ job: 'job-r' })
    const second = await child(first)
    const { iss, jti } = claimsOf(first)
    const { spiffeId, keyId } = key(orchestratorName)
    const subject = {
      token: `${iss} ${jti}`,
      job: 'job-r',
      human: 'alice',
      agent: spiffeId,
      certificate: keyId,
      definition: definitionHash('job-orchestrator'),
      'enforcer-key': key('service-token').keyId,
    }[kind]
    server.revocations.set(`${kind}:${subject}`, { kind, subject, from: now, reason: 'test' })
    expect(await lost(second)).toEqual(refused('invalid_grant', cause))
  })

  it.each<[string, (agent: string) => void, string]>([
    ['lapsed', (agent) => edit(`instance:${agent}`, { state: 'lapsed' }), 'instance-not-active'],
    ['is suspended', (agent) => edit(`instance:${agent}`, { state: 'suspended' }), 'instance-not-active'],
    ['is gone', (agent) => server.agents.delete(`instance:${agent}`), 'instance-unknown'],
    ['has a suspended definition', () => edit('definition:job-orchestrator', { state: 'suspended' }), 'definition-not-active'],
  ])('attack 57: that came over an agent that %s', async (_what, fall, cause) => {
    const second = await child(await root())
    fall(key(orchestratorName).spiffeId)
    expect(await lost(second)).toEqual(refused('invalid_grant', cause))
  })

  const edit = (id: string, change: object) => server.agents.set(id, { ...server.agents.get(id), ...change } as AgentEntry)
  /** What its holder is told, who could use it until now. */
  async function lost(token: string) {
    const client = await TokenClient.open(server.issuer, key('agent-laser-operator-z1'))
    expect((await client.introspect(token)).active).toBe(false)
    const renewal = { grant_type: exchangeType, subject_token: token, subject_token_type: jwtType }
    return answerTo(post('/token', renewal, 'agent-laser-operator-z1'))
  }

  it('of another holder', async () => {
    const fields = { grant_type: exchangeType, subject_token: await root(), subject_token_type: jwtType }
    expect(await answerTo(post('/token', fields, 'agent-mill-operator-z1'))).toEqual(refused('invalid_grant', 'held by another'))
  })

  it.each(['subject_token_type', 'requested_token_type'])('of a %s that nobody registered is no request at all', async (name) => {
    for (const type of ['urn:x', 'urn:ietf:params:oauth:token-type:refresh_token', 'urn:ietf:params:oauth:token-type:saml2'])
      expect(await answerTo(exchangeOf(await root(), { [name]: type }))).toEqual(refused('invalid_request', name))
  })
})

describe('attack 122: an exchange that asks for more than the subject token has is refused or cut to it, never widened', () => {
  const asText = (grants: readonly unknown[]) => ({ authorization_details: JSON.stringify(grants) })
  const mail: Grant = { type: 'interlock_tool', locations: ['laser-1'], actions: ['laser.cut'], limits: {}, maxCount: 1 }
  const details = 'invalid_authorization_details'

  it.each<[string, () => Record<string, string>, string, string]>([
    ['details: a higher limit', () => asText(withPower('81')), details, 'wider-limit'],
    ['details: another device', () => asText([{ ...laserGrants[0], locations: ['robot-1'] }]), details, 'wider-device'],
    ['details: another action', () => asText([{ ...laserGrants[0], actions: ['laser.melt'] }]), details, 'wider-action'],
    ['details: a limit less', () => asText([{ ...laserGrants[0], limits: {} }]), details, 'limit-absent'],
    ['details: more commands', () => asText([{ ...laserGrants[0], maxCount: 1_000_000 }]), details, 'wider-count'],
    ['details: another type', () => asText([mail]), details, 'wider-type'],
    ['details: of no type that there is', () => asText([{ type: 'all' }]), details, 'not as the schema has it'],
    ['details: none', () => asText([]), details, 'not as the schema has it'],
    ['actors', () => ({ may_act: JSON.stringify([`${mill}x`]) }), 'invalid_target', 'the parent does not name the actor'],
    ['audience', () => ({ audience: 'interlock:other.example' }), 'invalid_target', 'audience'],
    ['resource', () => ({ resource: 'https://other.example/' }), 'invalid_target', 'resource'],
    ['scope', () => ({ scope: 'everything' }), 'invalid_scope', 'there are none: authorization_details say it'],
    [
      'lifetime: a second more than a token may have',
      () => ({ lifetime: '3601' }),
      'invalid_request',
      'lifetime must be 300 to 3600',
    ],
    ['lifetime: without end', () => ({ lifetime: '1e9' }), 'invalid_request', 'lifetime must be 300 to 3600'],
  ])('%s', async (_what, make, error, cause) => {
    const first = await root()
    const before = server.recorded.length
    expect(await answerTo(forSubAgent(first, make()))).toEqual(refused(error, cause))
    expect(server.recorded).toHaveLength(before)
  })

  it('two audiences', async () => {
    const body = new URLSearchParams({
      client_assertion_type: assertionType,
      client_assertion: await signAgentAssertion(key(orchestratorName), server.issuer, 'client'),
      grant_type: exchangeType,
      subject_token: await root(),
      subject_token_type: jwtType,
    })
    body.append('audience', fixture.trust.anchors.audience)
    body.append('audience', 'interlock:other.example')
    const response = await fetch(`${server.issuer}/token`, { method: 'POST', body })
    expect([response.status, await response.json()]).toEqual([400, { error: 'invalid_request' }])
  })

  it('lifetime: what is left of the subject token is all that there is to have', async () => {
    const first = await root()
    pass(3_500_000)
    const second = claimsOf(await child(first))
    expect(second.exp).toBe(claimsOf(first).exp)
    expect(second.aud).toBe(claimsOf(first).aud)
  })

  it('details: more than any verifier could read is not issued', async () => {
    const first = await root()
    const limits = Object.fromEntries(
      Array.from({ length: 400 }, (_, at) => [`parameter-${at}-${'x'.repeat(40)}`, { max: '1', unit: 'W' }]),
    )
    const grants = laserGrants.map((grant) => ({ ...grant, limits: { ...grant.limits, ...limits } }))
    const before = server.recorded.length
    expect(await answerTo(forSubAgent(first, asText(grants)))).toEqual(refused(details, 'jws-too-large'))
    expect(server.recorded).toHaveLength(before)
  })
})
