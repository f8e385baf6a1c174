import { type ArgumentLimit, compareDecimals, parseDecimal } from '@interlock/contracts'

export type LimitReason = 'wider-limit' | 'limit-absent' | 'limit-changed' | 'limit-malformed'

type Ends = { readonly min?: string | undefined; readonly max?: string | undefined }

/** Why a range is not within another; undefined where it is. An end that the parent has the child must have too. */
export function endsWithin(child: Ends, parent: Ends): LimitReason | undefined {
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

/** Why a limit on a tool's argument is not within another. A list of values and a range are never compared: "5" is not 5. */
export function argumentWithin(child: ArgumentLimit, parent: ArgumentLimit): LimitReason | undefined {
  if ('values' in child && 'values' in parent)
    return child.values.every((value) => parent.values.includes(value)) ? undefined : 'wider-limit'
  if ('values' in child || 'values' in parent) return 'limit-changed'
  return endsWithin(child, parent)
}
