import { SettingsError } from '@interlock/enforcer'
import { z } from 'zod'
import type { ServerCertificate } from './mutual-tls.ts'

const port = z.coerce.number().int().min(0).max(65_535)
/** RFC 8414 §2: no query, no fragment. */
const address = z.url().refine((text) => !/[?#]/.test(text), 'must have no query and no fragment')

const schema = z
  .object({
    /** The URL by which clients know this server; the address it listens on where it is left out. */
    INTERLOCK_ISSUER: address.optional(),
    INTERLOCK_OAUTH_HOST: z.string().min(1).default('127.0.0.1'),
    /** 0 takes any free port. */
    INTERLOCK_OAUTH_PORT: port.default(0),
    /** Where clients come by mutual TLS; nowhere where it is left out. */
    INTERLOCK_MTLS_PORT: port.optional(),
    /** The URL by which they know it. */
    INTERLOCK_MTLS_URL: address.startsWith('https://').optional(),
    /** PEM files of the server's certificate for it. */
    INTERLOCK_TLS_KEY: z.string().min(1).optional(),
    INTERLOCK_TLS_CERTIFICATE: z.string().min(1).optional(),
    /** File that says who is told of what is revoked (Shared Signals); nobody where it is left out. */
    INTERLOCK_SIGNAL_RECEIVERS: z.string().min(1).optional(),
  })
  .refine(
    (given) =>
      given.INTERLOCK_MTLS_PORT === undefined ||
      (given.INTERLOCK_TLS_KEY !== undefined && given.INTERLOCK_TLS_CERTIFICATE !== undefined),
    { path: ['INTERLOCK_MTLS_PORT'], message: 'needs INTERLOCK_TLS_KEY and INTERLOCK_TLS_CERTIFICATE' },
  )

export type TokenSettings = {
  readonly issuer: string | undefined
  readonly host: string
  readonly port: number
  readonly mtls: ({ readonly port: number; readonly url: string | undefined } & ServerCertificate) | undefined
  readonly signalReceivers: string | undefined
}

/** What only this service has, beside the runner's settings. @throws SettingsError naming each variable that is wrong */
export function parseTokenSettings(environment: Readonly<Record<string, string | undefined>>): TokenSettings {
  const read = schema.safeParse(environment)
  if (!read.success) {
    const faults = read.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`)
    throw new SettingsError(`The environment is not complete. Set these and start again:\n${faults.join('\n')}`)
  }
  const given = read.data
  return {
    issuer: given.INTERLOCK_ISSUER?.replace(/\/$/, ''),
    host: given.INTERLOCK_OAUTH_HOST,
    port: given.INTERLOCK_OAUTH_PORT,
    signalReceivers: given.INTERLOCK_SIGNAL_RECEIVERS,
    mtls:
      given.INTERLOCK_MTLS_PORT === undefined
        ? undefined
        : {
            port: given.INTERLOCK_MTLS_PORT,
            url: given.INTERLOCK_MTLS_URL?.replace(/\/$/, ''),
            key: given.INTERLOCK_TLS_KEY as string,
            certificate: given.INTERLOCK_TLS_CERTIFICATE as string,
          },
  }
}
