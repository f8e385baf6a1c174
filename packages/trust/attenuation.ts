import {
  accepted,
  type BudgetLimits,
  type DeviceGrant,
  type Grant,
  isWindowWithin,
  type Range,
  type Refused,
  type Result,
  refused,
  type ToolGrant,
} from '@interlock/contracts'
import { argumentWithin, endsWithin, type LimitReason } from './limit-within.ts'

export type AttenuationReason =
  | LimitReason
  | 'wider-type'
  | 'wider-device'
  | 'wider-action'
  | 'wider-server'
  | 'wider-tool'
  | 'unit-changed'
  | 'wider-count'
  | 'wider-budget'
  | 'budget-absent'
  | 'wider-window'
  | 'window-absent'

/**
 * Every grant of the child lies within one grant of the parent, in each dimension; what the parent limits the child must limit too:
 * absence never widens (ATTACKS 43, 44).
 */
export function isNarrower(child: readonly Grant[], parent: readonly Grant[]): Result<true, AttenuationReason> {
  for (const grant of child) {
    const tried = parent.map((candidate) => isWithin(grant, candidate))
    if (!tried.some(({ ok }) => ok)) return closest(tried)
  }
  return accepted(true)
}

/**
 * The grant of each token that a command under `leaf` is charged to, root first: above each the one that it lies within, the first where it lies within
 * several. `levels` are the tokens' grants,
 * the leaf's not among them. Undefined where a level has none: then the tokens make no chain.
 */
export function lineOfGrants(levels: readonly (readonly Grant[])[], leaf: DeviceGrant): readonly DeviceGrant[] | undefined {
  let below = leaf
  const line = [leaf]
  for (const grants of levels.toReversed()) {
    const above = grants.filter(isOfDevices).find((grant) => isWithin(below, grant).ok)
    if (!above) return undefined
    line.unshift(above)
    below = above
  }
  return line
}

/** A tool's grant says nothing of a device, whatever names are in it. */
export const isOfDevices = (grant: Grant): grant is DeviceGrant => grant.type === 'interlock_device'

const order: readonly AttenuationReason[] = [
  'wider-window',
  'window-absent',
  'wider-budget',
  'budget-absent',
  'wider-count',
  'wider-limit',
  'limit-absent',
  'unit-changed',
  'limit-changed',
  'limit-malformed',
  'wider-action',
  'wider-tool',
  'wider-device',
  'wider-server',
  'wider-type',
]

/** The refusal of the grant that came nearest is the one that helps its reader. */
function closest(tried: readonly Result<true, AttenuationReason>[]): Result<true, AttenuationReason> {
  const refusals = tried.flatMap((result) => (result.ok ? [] : [result]))
  return refusals.sort((a, b) => order.indexOf(a.reason) - order.indexOf(b.reason))[0] ?? refused('wider-type')
}

/** A device may have the name of a tool server: what is granted of one type says nothing of another. */
function isWithin(child: Grant, parent: Grant): Result<true, AttenuationReason> {
  if (child.type === 'interlock_device' && parent.type === 'interlock_device') return isDeviceWithin(child, parent)
  if (child.type === 'interlock_tool' && parent.type === 'interlock_tool') return isToolWithin(child, parent)
  return refused('wider-type', { type: child.type })
}

function isDeviceWithin(child: DeviceGrant, parent: DeviceGrant): Result<true, AttenuationReason> {
  const device = firstBeyond(child.locations, parent.locations)
  if (device !== undefined) return refused('wider-device', { device })
  const action = firstBeyond(child.actions, parent.actions)
  if (action !== undefined) return refused('wider-action', { action })
  return (
    limitsWithin(child.limits, parent.limits, rangeWithin) ??
    countBeyond(child, parent) ??
    budgetsWithin(child.budgets ?? {}, parent.budgets ?? {}) ??
    windowsWithin(child, parent) ??
    accepted(true)
  )
}

function isToolWithin(child: ToolGrant, parent: ToolGrant): Result<true, AttenuationReason> {
  const server = firstBeyond(child.locations, parent.locations)
  if (server !== undefined) return refused('wider-server', { server })
  const tool = firstBeyond(child.actions, parent.actions)
  if (tool !== undefined) return refused('wider-tool', { tool })
  return limitsWithin(child.limits, parent.limits, argumentWithin) ?? countBeyond(child, parent) ?? accepted(true)
}

const firstBeyond = (child: readonly string[], parent: readonly string[]) => child.find((name) => !parent.includes(name))

type Limits<Limit> = Readonly<Record<string, Limit>>

function limitsWithin<Limit>(
  child: Limits<Limit>,
  parent: Limits<Limit>,
  within: (own: Limit, granted: Limit) => AttenuationReason | undefined,
): Refused<AttenuationReason> | undefined {
  for (const [parameter, limit] of Object.entries(parent)) {
    const own = Object.hasOwn(child, parameter) ? child[parameter] : undefined
    if (!own) return refused('limit-absent', { parameter })
    const wrong = within(own, limit)
    if (wrong) return refused(wrong, { parameter, asked: own, granted: limit })
  }
  return undefined
}

function countBeyond(child: Grant, parent: Grant): Refused<AttenuationReason> | undefined {
  return child.maxCount > parent.maxCount
    ? refused('wider-count', { asked: child.maxCount, granted: parent.maxCount })
    : undefined
}

/** No child has more than its parent. That all of them together have not is checked where it is used, at each that they have in common. */
function budgetsWithin(child: BudgetLimits, parent: BudgetLimits): Refused<AttenuationReason> | undefined {
  for (const [budget, granted] of Object.entries(parent)) {
    const own = Object.hasOwn(child, budget) ? child[budget as keyof BudgetLimits] : undefined
    if (!own) return refused('budget-absent', { budget, granted })
    const wrong = rangeWithin(own, granted)
    if (wrong) return refused(wrong === 'wider-limit' ? 'wider-budget' : wrong, { budget, asked: own, granted })
  }
  return undefined
}

function windowsWithin(child: DeviceGrant, parent: DeviceGrant): Refused<AttenuationReason> | undefined {
  const { windows: granted } = parent
  if (!granted) return undefined
  if (!child.windows) return refused('window-absent', { granted })
  const asked = child.windows.find((window) => !granted.some((outer) => isWindowWithin(window, outer)))
  return asked && refused('wider-window', { asked, granted })
}

/** Units are not converted here: a child says its limits in its parent's words. */
const rangeWithin = (child: Range, parent: Range): AttenuationReason | undefined =>
  child.unit === parent.unit ? endsWithin(child, parent) : 'unit-changed'
