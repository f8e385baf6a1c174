import type { Human } from '@interlock/contracts'
import { replacePrivateFile } from '@interlock/sdk/private-file'
import type { TableEntry } from '@interlock/sdk/trust-domain'
import { openTrustBundle, type PasskeyRegistration, signControlEntry, verifyPasskeyRegistration } from '@interlock/trust'
import { CliError } from '../cli-error.ts'
import { signingKeyOf } from './jobs.ts'
import type { Layout } from './layout.ts'
import { readTrustBundle } from './trust-bundle-file.ts'

/** As control.agents and the trust bundle can hold (humanSchema). */
const credentialsMax = 16

export type AddedPasskey = { readonly human: Human; readonly entry: TableEntry }

/**
 * Makes a passkey one of its human's: in the trust bundle's file, for devices, and as a signed entry of control.agents, which is for the caller to publish.
 * The registry's key signs it, which the local trust domain has. @throws CliError where the registration does not count
 */
export async function addPasskey(
  layout: Layout,
  registration: PasskeyRegistration,
  now: number,
  isRevokedKey: (keyId: string) => boolean,
): Promise<AddedPasskey> {
  const bundle = readTrustBundle(layout)
  const context = { anchors: openTrustBundle(bundle), now, skewMs: 30_000, isRevokedKey }
  const verified = await verifyPasskeyRegistration(registration, context)
  if (!verified.ok)
    throw new CliError(
      'usage',
      `the registration does not count: ${verified.reason}`,
      'Invite the human again, and let the page make a new one.',
    )
  const { human: sub, credential } = verified.value
  const known = bundle.humans?.find((one) => one.sub === sub)
  if (!known) throw new CliError('usage', `nobody is called ${sub} here`, 'The trust bundle has the humans.')
  // An id that another human has, too, would make two people one.
  if (bundle.humans?.some(({ credentials }) => credentials.some(({ id }) => id === credential.id)))
    throw new CliError('usage', 'this passkey is somebody’s already', 'Nothing was changed.')
  if (known.credentials.length >= credentialsMax)
    throw new CliError('usage', `${sub} has ${credentialsMax} passkeys`, 'Nothing was changed.')
  const human = { ...known, credentials: [...known.credentials, credential] }
  const humans = bundle.humans?.map((one) => (one.sub === sub ? human : one))
  replacePrivateFile(layout.trustBundle, `${JSON.stringify({ ...bundle, humans }, null, 2)}\n`)
  const statement = { table: 'control.agents' as const, id: `human:${sub}`, revision: now, updatedAt: now, value: human }
  const entry = await signControlEntry(statement, signingKeyOf(layout, 'service-registry'))
  return { human, entry: { table: 'control.agents', entry } }
}
