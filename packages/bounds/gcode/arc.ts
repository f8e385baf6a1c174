export type Point = readonly [number, number]

/** Start and end may lie on circles that differ by this much, millimetres: what rounding to three decimals makes of one circle. */
const radiusToleranceMm = 0.01

export type Arc = {
  readonly start: Point
  readonly end: Point
  readonly centre: Point
  readonly isClockwise: boolean
}

/** Least and greatest coordinates of an arc: its ends, and where it passes a quadrant's axis (the bulge). Undefined where it is no arc. */
export function arcExtents({
  start,
  end,
  centre,
  isClockwise,
}: Arc): { readonly min: Point; readonly max: Point; readonly length: number } | undefined {
  const radius = distance(start, centre)
  const endRadius = distance(end, centre)
  if (radius < 1e-9 || Math.abs(radius - endRadius) > radiusToleranceMm) return undefined
  const from = angleOf(start, centre)
  const sweep = sweepOf(from, angleOf(end, centre), isClockwise)
  const reach = Math.max(radius, endRadius)
  const points: Point[] = [start, end]
  for (let quadrant = 0; quadrant < 4; quadrant += 1) {
    const angle = (quadrant * Math.PI) / 2
    const turned = isClockwise ? turnsFrom(angle, from) : turnsFrom(from, angle)
    if (turned <= sweep + 1e-9) points.push([centre[0] + reach * Math.cos(angle), centre[1] + reach * Math.sin(angle)])
  }
  return {
    min: [Math.min(...points.map(([x]) => x)), Math.min(...points.map(([, y]) => y))],
    max: [Math.max(...points.map(([x]) => x)), Math.max(...points.map(([, y]) => y))],
    length: sweep * reach,
  }
}

/** Centre of an arc given by its radius: the short way round for a positive one, the long way for a negative (RS274/NGC §3.5.3.1). */
export function centreOf(start: Point, end: Point, radius: number, isClockwise: boolean): Point | undefined {
  const chord = distance(start, end)
  const half = chord / 2
  if (chord < 1e-9 || half > Math.abs(radius) + radiusToleranceMm) return undefined
  const height = Math.sqrt(Math.max(0, radius * radius - half * half))
  const isLeft = isClockwise === radius < 0
  const side = isLeft ? height : -height
  return [
    (start[0] + end[0]) / 2 - (side * (end[1] - start[1])) / chord,
    (start[1] + end[1]) / 2 + (side * (end[0] - start[0])) / chord,
  ]
}

const distance = ([ax, ay]: Point, [bx, by]: Point) => Math.hypot(ax - bx, ay - by)
const angleOf = ([x, y]: Point, [cx, cy]: Point) => Math.atan2(y - cy, x - cx)
const full = 2 * Math.PI

/** Anticlockwise turn from one angle to another, 0 to 2π. */
const turnsFrom = (from: number, to: number) => (((to - from) % full) + full) % full

/** Start and end in one place mean a full circle. */
function sweepOf(from: number, to: number, isClockwise: boolean): number {
  const sweep = isClockwise ? turnsFrom(to, from) : turnsFrom(from, to)
  return sweep < 1e-9 ? full : sweep
}
