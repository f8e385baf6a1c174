import type { BoundsPolicy } from '@interlock/contracts'
import { openTrustBundle } from '@interlock/trust'
import { connect } from '../stack/connect.ts'
import { writeAsOperator } from '../stack/control-writer.ts'
import { readStackFile } from '../stack/stack-file.ts'
import type { Layout } from '../trust-domain/layout.ts'
import { readTrustBundle } from '../trust-domain/trust-bundle-file.ts'
import { publishedPolicies } from './policy-history.ts'
import { tryPolicy } from './try-policy.ts'

export type Pushed = { readonly policy: BoundsPolicy; readonly replaced: BoundsPolicy | undefined }

/** Puts a policy into force: tried, signed as the operator under the next sequence, published. @throws CliError */
export async function pushPolicy(layout: Layout, make: (sequence: number) => BoundsPolicy, now: number): Promise<Pushed> {
  const published = await publishedPolicies(await connect(readStackFile(layout)), openTrustBundle(readTrustBundle(layout)))
  const replaced = published.at(-1)?.policy
  // The time, as for every entry; but never one that is not newer, whatever this machine's clock says.
  const sequence = Math.max(now, (replaced?.sequence ?? 0) + 1)
  const policy = make(sequence)
  tryPolicy(policy)
  await writeAsOperator(layout, 'control.policies', 'bounds', policy, sequence)
  return { policy, replaced }
}
