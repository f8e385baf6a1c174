import { setTimeout as wait } from 'node:timers/promises'
import { readPolicyBundle } from '../policies/bundle.ts'
import type { Case } from './case.ts'
import { tablesMs } from './leaver.ts'
import type { World } from './world.ts'

const bundle = readPolicyBundle()
/** 60 W at 20 mm/s are 3 J in each millimetre. */
const strict = { ...bundle, revision: 'bounds-strict', data: { ...bundle.data, joulesPerMillimetreMax: 2 } }

/** A policy is replaced while everything runs; what is asked is the same each time. */
export const policyPush: readonly Case<World>[] = [
  {
    title: () => 'the operator pushes a stricter policy: the cut of before puts 3 J into each millimetre, and 2 are allowed now',
    kind: 'policy',
    expect: { outcome: 'denied', orders: 0, refusal: { by: 'semantic-bounds', reason: 'policy-refuses-energy-per-length' } },
    play: (world) => cutUnder(world, strict),
  },
  {
    title: () => 'and pushes the policy of before again: the laser cuts, and no service was restarted',
    kind: 'policy',
    expect: { outcome: 'completed', orders: 1 },
    play: (world) => cutUnder(world, bundle),
  },
]

async function cutUnder(world: World, policy: typeof bundle) {
  await world.pushPolicy(policy)
  await wait(tablesMs)
  const intent = await world.laserCut()
  await world.submit(intent)
  return intent.intentId
}
