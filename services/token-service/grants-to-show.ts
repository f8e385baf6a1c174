import type { Grant } from '@interlock/contracts'
import { summaryOfGrants } from '@interlock/trust'
import { OAuthError } from './oauth-error.ts'
import type { Parameters } from './parameters.ts'

/** Grants that a human can be shown, in few enough words. @throws OAuthError */
export function grantsToShow(parameters: Parameters): readonly Grant[] {
  const grants = parameters.grants()
  if (!grants) throw new OAuthError('invalid_authorization_details', 'none')
  // A standing grant's summary has a line of its own beside these.
  if (summaryOfGrants(grants).length > 3600) throw new OAuthError('invalid_authorization_details', 'more than a human can read')
  return grants
}
