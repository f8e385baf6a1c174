import { X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SettingsError } from '@interlock/enforcer'
import { z } from 'zod'

const schema = z.object({
  /** PEM files of the authority that signs agents' certificates. */
  INTERLOCK_ISSUER_KEY: z.string().min(1),
  INTERLOCK_ISSUER_CERTIFICATE: z.string().min(1),
  /** Folder of PEM files: the TPM vendors' certificates that are trusted to vouch for endorsement keys. */
  INTERLOCK_TPM_ROOTS: z.string().min(1),
  INTERLOCK_REGISTRY_HOST: z.string().min(1).default('127.0.0.1'),
  /** 0 takes any free port. */
  INTERLOCK_REGISTRY_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
})

export type RegistrySettings = {
  readonly issuerKey: string
  readonly issuerCertificate: string
  readonly tpmRoots: string
  readonly host: string
  readonly port: number
}

/** What only this service has, beside the runner's settings. @throws SettingsError naming each variable that is missing or wrong */
export function parseRegistrySettings(environment: Readonly<Record<string, string | undefined>>): RegistrySettings {
  const read = schema.safeParse(environment)
  if (!read.success) {
    const faults = read.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`)
    throw new SettingsError(`The environment is not complete. Set these and start again:\n${faults.join('\n')}`)
  }
  const { data } = read
  return {
    issuerKey: data.INTERLOCK_ISSUER_KEY,
    issuerCertificate: data.INTERLOCK_ISSUER_CERTIFICATE,
    tpmRoots: data.INTERLOCK_TPM_ROOTS,
    host: data.INTERLOCK_REGISTRY_HOST,
    port: data.INTERLOCK_REGISTRY_PORT,
  }
}

/** The vendors' certificates, DER. @throws SettingsError where there are none: a registry that trusts no vendor could enrol nobody (ATTACKS 156) */
export function readTpmRoots(folder: string): Buffer[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.pem'))
  const roots = files.flatMap((name) => certificatesIn(readFileSync(join(folder, name), 'utf8')))
  if (roots.length === 0)
    throw new SettingsError(`INTERLOCK_TPM_ROOTS: there is no certificate in ${folder}/*.pem. Put the vendors' there.`)
  return roots
}

const certificatesIn = (pem: string) =>
  (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map((text) =>
    Buffer.from(new X509Certificate(text).raw),
  )
