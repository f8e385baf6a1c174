import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { SettingsError } from '@interlock/enforcer'
import { parseSpiffeId, readSpiffeBundle, type SpiffeBundle } from '@interlock/trust'
import { z } from 'zod'

const trustDomain = z.string().regex(/^[a-z0-9._-]{1,255}$/)
const bundleEndpoint = z.url({ protocol: /^https$/ }).max(2048)
const file = z.string().min(1)
const schema = z.strictObject({
  partners: z
    .array(
      z.discriminatedUnion('profile', [
        // SPIFFE Federation §5.2.1: the endpoint is a web server like any other; PEM file where its authority is an organisation's own.
        z.strictObject({ profile: z.literal('https_web'), trustDomain, bundleEndpoint, certificateAuthorities: file.optional() }),
        // §5.2.2: the endpoint proves itself by an SVID of the trust domain whose bundle it serves; the first bundle comes by another way.
        z.strictObject({
          profile: z.literal('https_spiffe'),
          trustDomain,
          bundleEndpoint,
          endpointSpiffeId: z.string(),
          bundle: file,
        }),
      ]),
    )
    .min(1)
    .max(32),
})

type Asked = { readonly trustDomain: string; readonly bundleEndpoint: string }
/** A trust domain that is federated with ours, and how its bundle endpoint is known for its own. */
export type ConfiguredPartner = Asked &
  (
    | { readonly profile: 'https_web'; readonly certificateAuthorities: string | undefined }
    | { readonly profile: 'https_spiffe'; readonly endpointSpiffeId: string; readonly pinned: SpiffeBundle }
  )

/** Reads the file of INTERLOCK_FEDERATION; other files lie beside it. @throws SettingsError saying what is wrong in it */
export function readFederation(path: string, ownDomain: string): ConfiguredPartner[] {
  const parsed = schema.safeParse(JSON.parse(readFileSync(path, 'utf8')))
  if (!parsed.success) throw new SettingsError(`INTERLOCK_FEDERATION, ${path}:\n${z.prettifyError(parsed.error)}`)
  const { partners } = parsed.data
  const names = partners.map((partner) => partner.trustDomain)
  if (names.includes(ownDomain)) throw new SettingsError(`${path}: ${ownDomain} is our own trust domain`)
  if (new Set(names).size !== names.length) throw new SettingsError(`${path}: a trust domain stands twice`)
  const beside = (name: string) => readFileSync(resolve(dirname(path), name))
  return partners.map((partner): ConfiguredPartner => {
    if (partner.profile === 'https_web') {
      const { certificateAuthorities: own } = partner
      return { ...partner, certificateAuthorities: own === undefined ? undefined : beside(own).toString('utf8') }
    }
    const { bundle, ...rest } = partner
    const id = parseSpiffeId(partner.endpointSpiffeId)
    if (!id.ok || id.value.trustDomain !== partner.trustDomain)
      throw new SettingsError(`${path}: endpointSpiffeId of ${partner.trustDomain} must be a SPIFFE ID in it`)
    const pinned = readSpiffeBundle(beside(bundle), partner.trustDomain)
    if (!pinned.ok || pinned.value.roots.length === 0)
      throw new SettingsError(
        `${path}: ${bundle} is no bundle of ${partner.trustDomain}: ${pinned.ok ? 'it has no root' : pinned.reason}`,
      )
    return { ...rest, pinned: pinned.value }
  })
}
