import type { ArgumentLimit, DeviceGrant, Grant, Range, StandingGrant, Window } from '@interlock/contracts'

/** Grants in plain words, a line each, for who signs them. Everything that a grant can say is in its line. */
export function summaryOfGrants(grants: readonly Grant[]): string {
  return grants.map(summaryOfGrant).join('\n')
}

/** A standing grant in plain words: a line for when and how often, then its grants. */
export function summaryOfStandingGrant(grant: Omit<StandingGrant, 'summary'>): string {
  const { jobPrefix, jobsMax, jobsPerDayMax, jobSecondsMax, from, until, grants } = grant
  const often = `at most ${jobsMax} jobs, ${jobsPerDayMax} in 24 hours, ${jobSecondsMax / 60} minutes each`
  const when = `from ${minuteOf(from)} until ${minuteOf(until)}`
  return [`without asking again, jobs called ${jobPrefix}: ${often}, ${when}`, summaryOfGrants(grants)].join('\n')
}

const minuteOf = (ms: number) => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`

function summaryOfGrant(grant: Grant): string {
  const [actions, locations] = [grant.actions, grant.locations].map((names) => names.map(shown).join(' or '))
  if (grant.type === 'interlock_tool') {
    const bounds = Object.entries(grant.limits).map(([name, limit]) => `${shown(name)} ${wordsOfArgument(limit)}`)
    return `call ${actions} of ${locations}: ${bounds.join(', ') || 'with any arguments'}; at most ${grant.maxCount} calls`
  }
  const bounds = Object.entries(grant.limits).map(([name, range]) => `${shown(name)} ${wordsOf(range, shown(range.unit))}`)
  const within = bounds.join(', ') || 'no limit but the machine’s own'
  return `${actions} on ${locations}: ${within}; ${wordsOfWhole(grant)}`
}

/** What all commands together may use, and when. */
function wordsOfWhole({ maxCount, budgets = {}, windows = [] }: DeviceGrant): string {
  const amounts = Object.entries(budgets).map(([name, { max, unit }]) => `${shown(max)} ${shown(unit)} of ${name}`)
  const together = [`at most ${maxCount} commands`, ...amounts].join(', ')
  return windows.length > 0 ? `${together}; only ${windows.map(wordsOfWindow).join(' or ')}` : together
}

function wordsOfWindow(window: Window): string {
  if ('days' in window) return `${window.days.join(', ')} ${window.from} to ${window.until} UTC`
  return `${new Date(window.from).toISOString()} to ${new Date(window.until).toISOString()}`
}

/** The names come from who asks: none may look like more than one name, or like the words around it. */
const shown = (name: string) => (/^[^\s"“”,;\p{C}]+$/u.test(name) ? name : quoted(name))

/** What cannot be seen (line ends, direction marks) is written out. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (mark) => `\\u{${(mark.codePointAt(0) ?? 0).toString(16)}}`)
}

function wordsOf({ min, max }: Pick<Range, 'min' | 'max'>, unit: string): string {
  if (min !== undefined && max !== undefined) return `${shown(min)} to ${shown(max)} ${unit}`
  if (max !== undefined) return `up to ${shown(max)} ${unit}`
  return min === undefined ? `in ${unit}, without limit` : `from ${shown(min)} ${unit}`
}

function wordsOfArgument(limit: ArgumentLimit): string {
  if ('values' in limit) {
    const values = limit.values.map((value) => (typeof value === 'string' ? quoted(value) : String(value)))
    return values.length === 1 ? `only ${values[0]}` : `one of ${values.join(', ')}`
  }
  const { min, max } = limit
  if (min === undefined && max === undefined) return 'any number'
  return wordsOf(limit, '').trim()
}
