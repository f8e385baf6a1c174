import { randomUUID } from 'node:crypto'
import type { SoftwarePasskey } from '@interlock/sdk/software-passkey'
import { operatorGrants } from '@interlock/sdk/trust-domain'
import type { Case } from './case.ts'
import type { World } from './world.ts'

const waitMs = 30_000

/** One cut could use 4.5 kJ (60 W for as long as an order may last), and uses 1.2: what is left does not hold a second one. */
export const budgetRunsOut: Case<World> = {
  title: () => 'a budget that runs out: alice granted 5 kJ, one cut used 1.2 of them, and the next could use 4.5',
  kind: 'attack',
  expect: { outcome: 'denied', orders: 0, refusal: { by: 'semantic-bounds', reason: 'budget-exhausted' } },
  async play(world) {
    const job = `job-${randomUUID().slice(0, 8)}`
    const grants = operatorGrants('laser-1').map((grant) => ({ ...grant, budgets: { energy: { max: '5', unit: 'kJ' } } }))
    const tokens = await world.tokensFor(world.passkeys.get('alice') as SoftwarePasskey, job, grants)
    const first = await world.laserCut({ job, tokens })
    await world.submit(first)
    const steps = await world.watch.until(first.intentId, (seen) => seen.some(({ kind }) => kind === 'outcome'), waitMs)
    if (!steps.some((step) => step.kind === 'outcome' && step.record.status === 'completed'))
      throw new Error('the first cut was within the budget and was not carried out')
    const second = await world.laserCut({ job, tokens })
    await world.submit(second)
    return second.intentId
  },
}
