import type { DeviceGrant, Range } from '@interlock/contracts'

/** Grants in plain words, a line each, for who signs them. Everything that a grant can say is in its line. */
export function summaryOfGrants(grants: readonly DeviceGrant[]): string {
  return grants.map(summaryOfGrant).join('\n')
}

function summaryOfGrant({ actions, locations, limits, maxCount }: DeviceGrant): string {
  const bounds = Object.entries(limits).map(([name, range]) => `${name} ${wordsOf(range)}`)
  const within = bounds.length > 0 ? bounds.join(', ') : 'no limit but the machine’s own'
  return `${actions.join(' or ')} on ${locations.join(' or ')}: ${within}; at most ${maxCount} commands`
}

function wordsOf({ min, max, unit }: Range): string {
  if (min !== undefined && max !== undefined) return `${min} to ${max} ${unit}`
  if (max !== undefined) return `up to ${max} ${unit}`
  return min === undefined ? `in ${unit}, without limit` : `from ${min} ${unit}`
}
