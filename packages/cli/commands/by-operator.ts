import type { ByOperator } from '@interlock/sdk'
import { signingKeyOf } from '../trust-domain/jobs.ts'
import { readTrustBundle } from '../trust-domain/trust-bundle-file.ts'
import { openLayout } from './directory.ts'

/** The operator of the trust domain in a directory. @throws CliError */
export function byOperator(directory: string): ByOperator {
  const layout = openLayout(directory)
  return { operator: signingKeyOf(layout, 'operator-dev'), audience: readTrustBundle(layout).audience }
}
