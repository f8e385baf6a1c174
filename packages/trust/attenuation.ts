import { accepted, compareDecimals, type DeviceGrant, parseDecimal, type Range, type Result, refused } from '@interlock/contracts'

export type AttenuationReason =
  | 'wider-device'
  | 'wider-action'
  | 'wider-limit'
  | 'limit-absent'
  | 'unit-changed'
  | 'limit-malformed'
  | 'wider-count'

/**
 * Every grant of the child lies within one grant of the parent, in each dimension; what the parent limits the child must limit too:
 * absence never widens (ATTACKS 43, 44).
 */
export function isNarrower(child: readonly DeviceGrant[], parent: readonly DeviceGrant[]): Result<true, AttenuationReason> {
  for (const grant of child) {
    const tried = parent.map((candidate) => isWithin(grant, candidate))
    if (!tried.some(({ ok }) => ok)) return closest(tried)
  }
  return accepted(true)
}

const order: readonly AttenuationReason[] = [
  'wider-count',
  'wider-limit',
  'limit-absent',
  'unit-changed',
  'limit-malformed',
  'wider-action',
  'wider-device',
]

/** The refusal of the grant that came nearest is the one that helps its reader. */
function closest(tried: readonly Result<true, AttenuationReason>[]): Result<true, AttenuationReason> {
  const refusals = tried.flatMap((result) => (result.ok ? [] : [result]))
  return refusals.sort((a, b) => order.indexOf(a.reason) - order.indexOf(b.reason))[0] ?? refused('wider-device')
}

function isWithin(child: DeviceGrant, parent: DeviceGrant): Result<true, AttenuationReason> {
  const device = child.locations.find((location) => !parent.locations.includes(location))
  if (device !== undefined) return refused('wider-device', { device })
  const action = child.actions.find((name) => !parent.actions.includes(name))
  if (action !== undefined) return refused('wider-action', { action })
  for (const [parameter, limit] of Object.entries(parent.limits)) {
    const own = Object.hasOwn(child.limits, parameter) ? child.limits[parameter] : undefined
    if (!own) return refused('limit-absent', { parameter })
    const wrong = rangeWithin(own, limit)
    if (wrong) return refused(wrong, { parameter, asked: own, granted: limit })
  }
  if (child.maxCount > parent.maxCount) return refused('wider-count', { asked: child.maxCount, granted: parent.maxCount })
  return accepted(true)
}

function rangeWithin(child: Range, parent: Range): AttenuationReason | undefined {
  // Units are not converted here: a child says its limits in its parent's words.
  if (child.unit !== parent.unit) return 'unit-changed'
  for (const end of ['min', 'max'] as const) {
    if (parent[end] === undefined) continue
    if (child[end] === undefined) return 'limit-absent'
    const [own, limit] = [parseDecimal(child[end]), parseDecimal(parent[end])]
    if (!own || !limit) return 'limit-malformed'
    const difference = compareDecimals(own, limit)
    if (end === 'min' ? difference < 0 : difference > 0) return 'wider-limit'
  }
  return undefined
}
