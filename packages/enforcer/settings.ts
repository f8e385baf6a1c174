import { z } from 'zod'

const schema = z.object({
  /** host:port of one or more brokers, comma separated. */
  INTERLOCK_KAFKA: z.string().regex(/^[^,\s]+:\d+(,[^,\s]+:\d+)*$/, 'host:port, several with commas'),
  INTERLOCK_REGISTRY: z.url(),
  INTERLOCK_TRUST_BUNDLE: z.string().min(1),
  /** PEM files. Services that sign nothing (outcomes, audit) have neither. */
  INTERLOCK_KEY: z.string().min(1).optional(),
  INTERLOCK_CERTIFICATE: z.string().min(1).optional(),
  /** Where health and metrics listen; 0.0.0.0 inside a container. */
  INTERLOCK_HTTP_HOST: z.string().min(1).default('127.0.0.1'),
  /** 0 takes any free port. */
  INTERLOCK_HTTP_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  INTERLOCK_CLICKHOUSE: z.url().optional(),
  /** Where large programs lie: file:///folder or the URL of a bucket, with a file of its credentials. */
  INTERLOCK_PROGRAMS: z.url().optional(),
  INTERLOCK_PROGRAMS_CREDENTIALS: z.string().min(1).optional(),
  INTERLOCK_LOG: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),
})

export type Settings = {
  readonly kafka: readonly string[]
  readonly registry: string
  readonly trustBundle: string
  readonly key: string | undefined
  readonly certificate: string | undefined
  readonly httpHost: string
  readonly httpPort: number
  readonly clickhouse: string | undefined
  readonly programs: { readonly url: string; readonly credentials: string | undefined } | undefined
  readonly log: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace'
}

export class SettingsError extends Error {
  readonly code = 'settings-invalid'
  readonly retriable = false
}

/** Reads the environment once. @throws SettingsError naming each variable that is missing or wrong. */
export function parseSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const read = schema.safeParse(environment)
  if (!read.success) {
    const faults = read.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`)
    throw new SettingsError(`The environment is not complete. Set these and start again:\n${faults.join('\n')}`)
  }
  const { data } = read
  return {
    kafka: data.INTERLOCK_KAFKA.split(','),
    registry: data.INTERLOCK_REGISTRY,
    trustBundle: data.INTERLOCK_TRUST_BUNDLE,
    key: data.INTERLOCK_KEY,
    certificate: data.INTERLOCK_CERTIFICATE,
    httpHost: data.INTERLOCK_HTTP_HOST,
    httpPort: data.INTERLOCK_HTTP_PORT,
    clickhouse: data.INTERLOCK_CLICKHOUSE,
    programs: data.INTERLOCK_PROGRAMS
      ? { url: data.INTERLOCK_PROGRAMS, credentials: data.INTERLOCK_PROGRAMS_CREDENTIALS }
      : undefined,
    log: data.INTERLOCK_LOG,
  }
}
