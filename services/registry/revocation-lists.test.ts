import { createFixture } from '@interlock/sdk/fixture'
import { agentSpiffeId, definitionHash } from '@interlock/sdk/trust-domain'
import { expect, it } from 'vitest'
import { authorityId } from './authorities.ts'
import { RevocationLists } from './revocation-lists.ts'
import { startTestRegistry } from './test-registry.ts'

it('a list reads the tables once, however many certificates there are', async () => {
  const server = await startTestRegistry(await createFixture(Date.now()), [])
  const { parts } = server
  for (let at = 1; at <= 5; at++) {
    const certificate = {
      ...{ subject: agentSpiffeId('laser-operator', `x${at}`), thumbprint: `t${at}`, serial: `0${at}` },
      ...{ definitionHash: definitionHash('laser-operator'), authority: authorityId(parts.authorities.current) },
      notAfterMs: Date.now() + 3_600_000,
    }
    parts.issued.add(certificate, Date.now())
  }
  const read = { agents: 0, revocations: 0 }
  const counted = {
    ...parts,
    agents: () => {
      read.agents += 1
      return parts.agents()
    },
    revocations: () => {
      read.revocations += 1
      return parts.revocations()
    },
  }
  await new RevocationLists().of(undefined, counted)
  expect(read).toEqual({ agents: 1, revocations: 1 })
  server.close()
})
