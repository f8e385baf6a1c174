import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { EnrolmentError } from '@interlock/sdk'
import type { SoftwarePasskey } from '@interlock/sdk/software-passkey'
import type { AgentHosts } from './agent-hosts.ts'
import type { Case } from './case.ts'
import type { World } from './world.ts'

/** Long enough for an entry of control.agents to be read by every stage. */
const tablesMs = 3000

/** An agent whose key lives in a TPM, as it should be, and after its host was started with something else. */
export function hardwareCases(hosts: AgentHosts): { readonly honest: Case<World>; readonly attack: Case<World> } {
  const job = `job-${randomUUID().slice(0, 8)}`
  let tokens: readonly string[] = []
  return {
    honest: {
      title: () =>
        'orchestrator and operator have their keys in TPMs: their hosts prove themselves to the registry, alice signs, it cuts at 60 W',
      kind: 'honest',
      expect: { outcome: 'completed', orders: 1 },
      async play(world) {
        await hosts.enrol()
        await wait(tablesMs)
        tokens = await hosts.tokensFor(world.passkeys.get('alice') as SoftwarePasskey, job)
        const intent = await world.laserCut({ job, tokens, key: hosts.operator.key })
        await world.submit(intent)
        return intent.intentId
      },
    },
    attack: {
      title: () =>
        'the same operator, after its host booted something else: its next quote shows it, and the registry suspends it',
      kind: 'attack',
      expect: { outcome: 'denied', orders: 0, refusal: { by: 'identity-verify', reason: 'revoked' } },
      async play(world) {
        await hosts.operator.bootSomethingElse()
        const refusal = await hosts.operator.renew().then(
          () => undefined,
          (error: unknown) => error,
        )
        if (!(refusal instanceof EnrolmentError))
          throw new Error('the registry certified a host that booted something else', { cause: refusal })
        await wait(tablesMs)
        const intent = await world.laserCut({ job, tokens, key: hosts.operator.key })
        await world.submit(intent)
        return intent.intentId
      },
    },
  }
}
