import { unwatchFile, watchFile } from 'node:fs'
import { verifySignature } from '@interlock/trust'
import { certifiedKeyOf, type Issuer, loadIssuer } from '@interlock/trust/issue'
import type { Authorities } from './authorities.ts'
import { loadPkcs11Issuer } from './pkcs11-issuer.ts'
import type { IssuerSettings } from './settings.ts'

/** How often the files are looked at, milliseconds. */
const interval = 2_000

/** The authority, proven to sign by its certificate's key. @throws Error, SigningKeyError */
export async function openAuthority(settings: IssuerSettings): Promise<Issuer> {
  const { certificate } = settings
  const issuer = 'key' in settings ? loadIssuer(settings.key, certificate) : loadPkcs11Issuer(settings.pkcs11, certificate)
  // Else it would issue what nobody accepts. The certificate's own key, not the one that the private key makes.
  const bytes = Buffer.from('interlock: is this the key of the certificate?')
  const signed = await issuer.sign(bytes)
  if (!verifySignature(certifiedKeyOf(issuer), bytes, signed)) throw new Error(`the key is not that of ${certificate}`)
  return issuer
}

export type AuthorityEvents = {
  readonly rotated: (issuer: Issuer) => void
  /** What lies there cannot be used (yet): the authority before goes on. */
  readonly refused: (error: unknown) => void
}

/** Takes over a new authority when its files were replaced, without a restart. Returns what ends it. */
export function watchAuthority(settings: IssuerSettings, authorities: Authorities, events: AuthorityEvents): () => void {
  const files = [settings.certificate, ...('key' in settings ? [settings.key] : [])]
  const look = async () => {
    try {
      const next = await openAuthority(settings)
      if (authorities.rotate(next, Date.now())) events.rotated(next)
    } catch (error) {
      events.refused(error)
    }
  }
  for (const file of files) watchFile(file, { interval, persistent: false }, look)
  return () => {
    for (const file of files) unwatchFile(file, look)
  }
}
