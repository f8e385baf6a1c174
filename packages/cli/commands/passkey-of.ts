import type { SoftwarePasskey } from '@interlock/sdk/software-passkey'
import { CliError } from '../cli-error.ts'
import { readPasskeys } from '../trust-domain/init-trust-domain.ts'
import type { Layout } from '../trust-domain/layout.ts'

/** @throws CliError where this human has no passkey here */
export function passkeyOf(layout: Layout, human: string): SoftwarePasskey {
  const passkeys = readPasskeys(layout)
  const passkey = passkeys.get(human)
  if (passkey) return passkey
  throw new CliError('usage', `${human} has no passkey in ${layout.humans}`, `There are ${[...passkeys.keys()].join(', ')}.`)
}
