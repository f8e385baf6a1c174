import { readFileSync } from 'node:fs'
import { SettingsError } from '@interlock/enforcer'
import { assertPrivate, digest } from '@interlock/trust'
import { z } from 'zod'

const schema = z.object({
  /** Where it is asked; another host than this machine's own wants a certificate. */
  INTERLOCK_AUTHZEN_HOST: z.string().min(1).default('127.0.0.1'),
  /** 0 takes any free port. */
  INTERLOCK_AUTHZEN_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  /** File with the bearer token of who may ask, at least 32 characters; readable by its owner alone. */
  INTERLOCK_AUTHZEN_TOKEN_FILE: z.string().min(1),
  /** PEM files; without them it speaks HTTP. */
  INTERLOCK_AUTHZEN_CERTIFICATE: z.string().min(1).optional(),
  INTERLOCK_AUTHZEN_KEY: z.string().min(1).optional(),
  /** Origin for its metadata, where a proxy stands before it. */
  INTERLOCK_AUTHZEN_URL: z.url().optional(),
})

export type AuthzenSettings = {
  readonly host: string
  readonly port: number
  readonly tokenFile: string
  readonly tls: { readonly certificate: string; readonly key: string } | undefined
  readonly url: string | undefined
}

const loopback = ['127.0.0.1', '::1', 'localhost']

/** What only the decision point has. @throws SettingsError naming each variable that is missing or wrong */
export function parseAuthzenSettings(environment: Readonly<Record<string, string | undefined>>): AuthzenSettings {
  const read = schema.safeParse(environment)
  if (!read.success) throw new SettingsError(`The environment is not complete:\n${z.prettifyError(read.error)}`)
  const { data } = read
  const { INTERLOCK_AUTHZEN_HOST: host, INTERLOCK_AUTHZEN_CERTIFICATE: certificate, INTERLOCK_AUTHZEN_KEY: key } = data
  if ((certificate === undefined) !== (key === undefined))
    throw new SettingsError('INTERLOCK_AUTHZEN_CERTIFICATE and INTERLOCK_AUTHZEN_KEY belong together: set both.')
  const tls = certificate !== undefined && key !== undefined ? { certificate, key } : undefined
  // The bearer token would go over the wire for anybody to read (AuthZEN §11).
  if (!tls && !loopback.includes(host))
    throw new SettingsError(
      `INTERLOCK_AUTHZEN_HOST ${host} is not this machine alone: set INTERLOCK_AUTHZEN_CERTIFICATE and INTERLOCK_AUTHZEN_KEY.`,
    )
  const { INTERLOCK_AUTHZEN_PORT: port, INTERLOCK_AUTHZEN_TOKEN_FILE: tokenFile, INTERLOCK_AUTHZEN_URL: url } = data
  return { host, port, tokenFile, tls, url: url?.replace(/\/+$/, '') }
}

/** @throws SettingsError where the token is short, SigningKeyError where others may read it */
export function readTokenDigest(file: string): string {
  assertPrivate(file)
  const token = readFileSync(file, 'utf8').trim()
  if (token.length < 32)
    throw new SettingsError(`${file}: a token of fewer than 32 characters can be guessed. Make one: openssl rand -base64 32`)
  return digest(Buffer.from(token))
}
