import type { MotionRecord } from '@interlock/bounds'

const samples = 48
const rotary = new Set([3, 4, 5])

/** Where a motion goes, densely and by itself: a point of each axis for each share of the way. Arrays hold x y z a b c u v w e. */
export function* pointsOf({ from, to, arc }: MotionRecord): Generator<number[]> {
  for (let step = 0; step <= samples; step += 1) {
    const share = step / samples
    const point = Array.from(to, (end, axis) => {
      const start = from[axis] as number
      return Number.isNaN(start) ? end : start + (end - start) * share
    })
    if (arc) {
      const [first, second] = arc.axes
      const [x, y] = [(from[first] as number) - arc.centre[0], (from[second] as number) - arc.centre[1]]
      const end = Math.hypot((to[first] as number) - arc.centre[0], (to[second] as number) - arc.centre[1])
      const reach = Math.hypot(x, y) + (end - Math.hypot(x, y)) * share
      const angle = Math.atan2(y, x) + arc.sweep * share
      point[first] = arc.centre[0] + reach * Math.cos(angle)
      point[second] = arc.centre[1] + reach * Math.sin(angle)
    }
    yield point
  }
}

/** Length along the linear axes, by adding up small pieces. */
export function lengthOf(motion: MotionRecord): number {
  let length = 0
  let before: number[] | undefined
  for (const point of pointsOf(motion)) {
    const last = before
    if (last)
      length += Math.hypot(
        ...point.flatMap((value, axis) => (rotary.has(axis) || axis === 9 ? [] : [value - (last[axis] as number)])),
      )
    before = point
  }
  return length
}
