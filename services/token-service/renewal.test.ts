import { TokenClient } from '@interlock/sdk'
import { describe, expect, it } from 'vitest'
import { child, claimsOf, key, now, orchestrator, pass, reasonOf, root, server, useTokenService, verified } from './test-world.ts'

useTokenService()

describe('renewal', () => {
  it('gives the same grant a fresh life, and no more than the human signed for', async () => {
    const first = await root({ lifetime: 5400 })
    pass(3_000_000)
    const again = claimsOf(await orchestrator.renew(first))
    expect(again.exp).toBeGreaterThan(claimsOf(first).exp)
    expect(again.authorization_details).toEqual(claimsOf(first).authorization_details)
    const until = now + 5_400_000
    pass(2_000_000)
    expect(await reasonOf(orchestrator.renew(first))).toBe('invalid_grant')
    expect(again.exp * 1000).toBeLessThanOrEqual(until + 1000)
  })

  it('of a child hangs on the same parent', async () => {
    const first = await root()
    const second = await child(first)
    const client = await TokenClient.open(server.issuer, key('agent-laser-operator-z1'))
    const again = await client.renew(second)
    expect(claimsOf(again).parent).toBe(claimsOf(second).parent)
    expect(verified([first, again]).ok).toBe(true)
  })
})
