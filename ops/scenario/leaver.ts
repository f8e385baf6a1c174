import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { createPasskey } from '@interlock/sdk/software-passkey'
import { humanEntry, laboratory } from '@interlock/sdk/trust-domain'
import type { Case } from './case.ts'
import type { World } from './world.ts'

/** Long enough for an entry of a control table to be read by every stage. */
export const tablesMs = 3000

/** Somebody who may start jobs, until she may not: what she signed before ends with her. */
export const leaver: Case<World> = {
  title: () => 'dana signed a job and left the firm: she is revoked, and so is what she allowed',
  kind: 'attack',
  expect: { outcome: 'denied', orders: 0, refusal: { by: 'delegation-check', reason: 'revoked' } },
  async play(world) {
    // Another dana at each run: a revocation is for good.
    const sub = `dana-${randomUUID().slice(0, 8)}`
    const passkey = createPasskey(sub, laboratory.webauthn, randomBytes(32))
    await world.enact('control.agents', `human:${sub}`, humanEntry(sub, ['requester'], passkey), 'service-registry')
    await wait(tablesMs)
    const job = `job-${randomUUID().slice(0, 8)}`
    const tokens = await world.tokensFor(passkey, job)
    const revocation = { kind: 'human', subject: sub, from: Date.now(), reason: 'left the firm' } as const
    await world.enact('control.revocations', `human:${sub}`, revocation, 'operator-dev')
    await wait(tablesMs)
    const intent = await world.laserCut({ job, tokens })
    await world.submit(intent)
    return intent.intentId
  },
}
