import { SettingsError } from '@interlock/enforcer'
import { z } from 'zod'

const schema = z.object({
  /** The URL by which clients know this server; the address it listens on where it is left out. */
  INTERLOCK_ISSUER: z.url().optional(),
  INTERLOCK_OAUTH_HOST: z.string().min(1).default('127.0.0.1'),
  /** 0 takes any free port. */
  INTERLOCK_OAUTH_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  /** File that says who is told of what is revoked (Shared Signals); nobody where it is left out. */
  INTERLOCK_SIGNAL_RECEIVERS: z.string().min(1).optional(),
})

export type TokenSettings = {
  readonly issuer: string | undefined
  readonly host: string
  readonly port: number
  readonly signalReceivers: string | undefined
}

/** What only this service has, beside the runner's settings. @throws SettingsError naming each variable that is wrong */
export function parseTokenSettings(environment: Readonly<Record<string, string | undefined>>): TokenSettings {
  const read = schema.safeParse(environment)
  if (!read.success) {
    const faults = read.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`)
    throw new SettingsError(`The environment is not complete. Set these and start again:\n${faults.join('\n')}`)
  }
  const { INTERLOCK_ISSUER: issuer, INTERLOCK_OAUTH_HOST: host, INTERLOCK_OAUTH_PORT: port } = read.data
  return { issuer: issuer?.replace(/\/$/, ''), host, port, signalReceivers: read.data.INTERLOCK_SIGNAL_RECEIVERS }
}
