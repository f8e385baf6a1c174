import { X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SettingsError } from '@interlock/enforcer'
import { z } from 'zod'
import type { Pkcs11Settings } from './pkcs11-issuer.ts'

const port = z.coerce.number().int().min(0).max(65_535)
const schema = z.object({
  /** PEM file of the authority that signs agents' certificates. */
  INTERLOCK_ISSUER_CERTIFICATE: z.string().min(1),
  /** Its key: a PEM file, or a token of a PKCS#11 module, where the key has the CKA_ID that the certificate names. */
  INTERLOCK_ISSUER_KEY: z.string().min(1).optional(),
  INTERLOCK_ISSUER_PKCS11_MODULE: z.string().min(1).optional(),
  INTERLOCK_ISSUER_PKCS11_TOKEN: z.string().min(1).optional(),
  INTERLOCK_ISSUER_PKCS11_PIN_FILE: z.string().min(1).optional(),
  /** Folder of PEM files: the TPM vendors' certificates that are trusted to vouch for endorsement keys. */
  INTERLOCK_TPM_ROOTS: z.string().min(1),
  INTERLOCK_REGISTRY_HOST: z.string().min(1).default('127.0.0.1'),
  /** 0 takes any free port. */
  INTERLOCK_REGISTRY_PORT: port.default(0),
  /** Serves the bundle, and nothing else, over TLS by the registry's own SVID: a bundle endpoint of the profile https_spiffe. Left out, there is none. */
  INTERLOCK_BUNDLE_HOST: z.string().min(1).default('127.0.0.1'),
  INTERLOCK_BUNDLE_PORT: port.optional(),
  /** JSON file of the trust domains that are federated with ours. Left out, there are none. */
  INTERLOCK_FEDERATION: z.string().min(1).optional(),
})

/** Where the authority is: its certificate's file, and the file or the module that has its key. */
export type IssuerSettings = { readonly certificate: string } & ({ readonly key: string } | { readonly pkcs11: Pkcs11Settings })

export type RegistrySettings = {
  readonly issuer: IssuerSettings
  readonly tpmRoots: string
  readonly host: string
  readonly port: number
  readonly bundle: { readonly host: string; readonly port: number } | undefined
  readonly federation: string | undefined
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
    issuer: issuerOf(data),
    tpmRoots: data.INTERLOCK_TPM_ROOTS,
    host: data.INTERLOCK_REGISTRY_HOST,
    port: data.INTERLOCK_REGISTRY_PORT,
    bundle:
      data.INTERLOCK_BUNDLE_PORT === undefined
        ? undefined
        : { host: data.INTERLOCK_BUNDLE_HOST, port: data.INTERLOCK_BUNDLE_PORT },
    federation: data.INTERLOCK_FEDERATION,
  }
}

function issuerOf(data: z.infer<typeof schema>): IssuerSettings {
  const certificate = data.INTERLOCK_ISSUER_CERTIFICATE
  const [key, module, token] = [
    data.INTERLOCK_ISSUER_KEY,
    data.INTERLOCK_ISSUER_PKCS11_MODULE,
    data.INTERLOCK_ISSUER_PKCS11_TOKEN,
  ]
  const pinFile = data.INTERLOCK_ISSUER_PKCS11_PIN_FILE
  if (key !== undefined && module === undefined) return { certificate, key }
  if (key === undefined && module !== undefined && token !== undefined && pinFile !== undefined)
    return { certificate, pkcs11: { module, token, pinFile } }
  throw new SettingsError(
    'Set either INTERLOCK_ISSUER_KEY or all of INTERLOCK_ISSUER_PKCS11_MODULE, INTERLOCK_ISSUER_PKCS11_TOKEN, INTERLOCK_ISSUER_PKCS11_PIN_FILE.',
  )
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
