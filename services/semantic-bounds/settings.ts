import { SettingsError } from '@interlock/enforcer'
import { z } from 'zod'
import type { DecisionPointCredentials } from './authzen/decision-point.ts'

const schema = z.object({
  /** File with the bearer token for the external decision point; PEM files for mutual TLS with it, and of the authorities that vouch for it. */
  INTERLOCK_DECISION_POINT_TOKEN_FILE: z.string().min(1).optional(),
  INTERLOCK_DECISION_POINT_CERTIFICATE: z.string().min(1).optional(),
  INTERLOCK_DECISION_POINT_KEY: z.string().min(1).optional(),
  INTERLOCK_DECISION_POINT_ROOTS: z.string().min(1).optional(),
})

/** What only this service has, beside the runner's settings. @throws SettingsError */
export function parseBoundsSettings(environment: Readonly<Record<string, string | undefined>>): DecisionPointCredentials {
  const read = schema.safeParse(environment)
  if (!read.success) throw new SettingsError(`The environment is not complete:\n${z.prettifyError(read.error)}`)
  const { data } = read
  const { INTERLOCK_DECISION_POINT_CERTIFICATE: certificate, INTERLOCK_DECISION_POINT_KEY: key } = data
  if ((certificate === undefined) !== (key === undefined))
    throw new SettingsError('INTERLOCK_DECISION_POINT_CERTIFICATE and INTERLOCK_DECISION_POINT_KEY belong together: set both.')
  return {
    ...{ certificate, key },
    tokenFile: data.INTERLOCK_DECISION_POINT_TOKEN_FILE,
    roots: data.INTERLOCK_DECISION_POINT_ROOTS,
  }
}
