import { TokenClient } from '@interlock/sdk'
import { describe, expect, it } from 'vitest'
import { child, key, laser, orchestrator, post, refusal, root, server, useTokenService, verified } from './test-world.ts'

useTokenService()

describe('what is known of a token', () => {
  it('attack 129: is told to its holder and to those above, and to nobody else', async () => {
    const first = await root()
    const second = await child(first)
    const client = (name: string) => TokenClient.open(server.issuer, key(name))
    expect(await orchestrator.introspect(second)).toMatchObject({ active: true, sub: 'alice', client_id: laser })
    expect(await (await client('agent-laser-operator-z1')).introspect(second)).toMatchObject({ active: true })
    expect(await (await client('agent-mill-operator-z1')).introspect(second)).toEqual({ active: false })
    expect(await (await client('agent-laser-operator-z1')).introspect(first)).toEqual({ active: false })
  })

  it('does not contain the human’s signature', async () =>
    expect(await orchestrator.introspect(await root())).not.toHaveProperty('consent'))

  it('attack 124: is that no bearer can use it', async () => {
    const first = await root()
    expect(verified([first])).toMatchObject({ ok: false, reason: 'token-bound-to-another' })
    expect(await post('/introspect', { token: first })).toEqual(refusal('invalid_client', 401))
  })
})

describe('an end', () => {
  it('of a token is the end of all that hang on it', async () => {
    const first = await root()
    const second = await child(first)
    await orchestrator.revoke(first)
    expect(verified([first, second])).toMatchObject({ ok: false, reason: 'revoked' })
    expect((await orchestrator.introspect(second)).active).toBe(false)
  })

  it('attack 129: of somebody else’s token is refused; of what nobody knows it is already there', async () => {
    const first = await root()
    expect(await post('/revoke', { token: first }, 'agent-mill-operator-z1')).toEqual(refusal('invalid_grant'))
    expect((await post('/revoke', { token: 'unknown' }, 'agent-mill-operator-z1')).status).toBe(200)
    expect(server.revocations.size).toBe(0)
  })

  it('of a job ends every token of it, renewed ones too, by its orchestrator alone', async () => {
    const first = await root({ job: 'job-e' })
    const again = await orchestrator.renew(first)
    expect(await post('/jobs/end', { job: 'job-e' }, 'agent-laser-operator-z1')).toEqual(refusal('invalid_grant'))
    expect((await post('/jobs/end', { job: 'job-e' }, 'agent-job-orchestrator-o1')).status).toBe(200)
    expect(verified([again], 'agent-job-orchestrator-o1')).toMatchObject({ ok: false, reason: 'revoked' })
  })
})
