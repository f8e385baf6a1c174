import type { Tables } from '@interlock/enforcer'

/** Whether a human may answer now: known, active, an approver, not revoked. */
export function mayApprove(tables: Pick<Tables, 'control.agents' | 'control.revocations'>, sub: string, now: number): boolean {
  const human = tables['control.agents'].get(`human:${sub}`)
  if (human?.kind !== 'human' || human.state !== 'active' || !human.roles.includes('approver')) return false
  return (tables['control.revocations'].get(`human:${sub}`)?.from ?? Number.POSITIVE_INFINITY) > now
}
