import type { TaskTokenClaims } from '@interlock/contracts'
import { consentId } from './job-terms.ts'

/** A token's name for replay and revocation: never its text, which can be written in several ways (ATTACKS 42). */
export const tokenName = ({ iss, jti }: Pick<TaskTokenClaims, 'iss' | 'jti'>): string => `${iss} ${jti}`

/** Ids in control.revocations of all by which a token ends. */
export function subjectsOfToken(claims: TaskTokenClaims): string[] {
  const { act, cnf, sub, job, consent } = claims
  return [
    `token:${tokenName(claims)}`,
    `agent:${act.sub}`,
    `certificate:${cnf['x5t#S256']}`,
    `human:${sub}`,
    `job:${job}`,
    ...(consent ? [`standing-grant:${consentId(consent)}`] : []),
  ]
}
