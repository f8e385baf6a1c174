import type { BoundsPolicy } from '@interlock/contracts'
import { openTrustBundle } from '@interlock/trust'
import { CliError } from '../cli-error.ts'
import { connect } from '../stack/connect.ts'
import { writeAsOperator } from '../stack/control-writer.ts'
import { readStackFile } from '../stack/stack-file.ts'
import type { Layout } from '../trust-domain/layout.ts'
import { readTrustBundle } from '../trust-domain/trust-bundle-file.ts'
import { publishedPolicies } from './policy-history.ts'
import { tryPolicy } from './try-policy.ts'

export type Pushed = { readonly policy: BoundsPolicy; readonly replaced: BoundsPolicy | undefined }

type Made = { readonly replaced: BoundsPolicy | undefined; readonly sequence: number }

/** What is next in force: an external decision point is required from when an operator names it until one retires it, whatever policies come between. Pure. */
export function nextPolicy(made: BoundsPolicy, { replaced, sequence }: Made): BoundsPolicy {
  const { decisionPoint: _, ...policy } = made
  return { ...policy, sequence, ...(replaced?.decisionPoint && { decisionPoint: replaced.decisionPoint }) }
}

/** Puts a policy into force: tried, signed as the operator under the next sequence, published. @throws CliError */
export async function pushPolicy(layout: Layout, make: (sequence: number) => BoundsPolicy, now: number): Promise<Pushed> {
  const replaced = await policyInForce(layout)
  // The time, as for every entry; but never one that is not newer, whatever this machine's clock says.
  const sequence = Math.max(now, (replaced?.sequence ?? 0) + 1)
  const policy = nextPolicy(make(sequence), { replaced, sequence })
  tryPolicy(policy)
  await writeAsOperator(layout, 'control.policies', 'bounds', policy, sequence)
  return { policy, replaced }
}

/** Has the policy in force say whether a decision point is required. @throws CliError where there is no policy to say it */
export async function requireDecisionPoint(layout: Layout, isRequired: boolean, now: number): Promise<void> {
  const inForce = await policyInForce(layout)
  if (!inForce) throw new CliError('no', 'there is no policy that could say it: every command is refused', 'Push one first.')
  const sequence = Math.max(now, inForce.sequence + 1)
  const { decisionPoint: _, ...policy } = inForce
  const said = { ...policy, sequence, ...(isRequired && { decisionPoint: 'required' as const }) }
  await writeAsOperator(layout, 'control.policies', 'bounds', said, sequence)
}

async function policyInForce(layout: Layout): Promise<BoundsPolicy | undefined> {
  const published = await publishedPolicies(await connect(readStackFile(layout)), openTrustBundle(readTrustBundle(layout)))
  return published.at(-1)?.policy
}
