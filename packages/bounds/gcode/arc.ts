export type Point = readonly [number, number]

/** An arc in its plane. Start and end may lie on circles that differ a little: it is then a spiral. */
export type Arc = {
  readonly start: Point
  readonly end: Point
  readonly centre: Point
  readonly isClockwise: boolean
  /** How many times it comes to its end; 1 where the program does not say. */
  readonly turns: number
  /** How much the circles of start and end may differ in radius at all, millimetres: GRBL and Marlin refuse at half a millimetre, and go on from where they are. */
  readonly differenceMax: number
}

export type ArcExtents = {
  readonly min: Point
  readonly max: Point
  /** Not less than the arc's length. */
  readonly length: number
  /** Radians, anticlockwise positive. */
  readonly sweep: number
  readonly reach: number
}

/** Turns that are smaller are a full circle to some controllers (GRBL's ARC_ANGULAR_TRAVEL_EPSILON is 5e-7): here to all. */
const sweepMin = 1e-6

/** Whether two radii are of one circle, or of a spiral that controllers take for one: within a thousandth (LinuxCNC, GRBL). Millimetres. */
const isOneCircle = (radius: number, other: number, differenceMax: number): boolean => {
  const difference = Math.abs(radius - other)
  return difference <= 0.005 || (difference <= differenceMax && difference <= 0.001 * Math.max(radius, other))
}

/** Least and greatest coordinates of an arc: its ends, and where it passes a quadrant's axis (the bulge). Undefined where it is no arc. */
export function arcExtents(
  { start, end, centre, isClockwise, turns, differenceMax }: Arc,
  slack: number,
): ArcExtents | undefined {
  const radius = distance(start, centre)
  const endRadius = distance(end, centre)
  if (radius < 1e-9 || !isOneCircle(radius, endRadius, differenceMax)) return undefined
  const from = angleOf(start, centre)
  const once = sweepOf(from, angleOf(end, centre), isClockwise)
  const reach = Math.max(radius, endRadius)
  const sweep = once + (turns - 1) * full
  // A quadrant that may be touched is touched.
  const near = 1e-9 + (2 * slack) / reach
  const passes = (quadrant: number) => {
    const angle = (quadrant * Math.PI) / 2
    const turned = isClockwise ? turnsFrom(angle, from) : turnsFrom(from, angle)
    return turned <= sweep + near || turned >= full - near
  }
  const [x, y] = centre
  return {
    min: [passes(2) ? x - reach : Math.min(start[0], end[0]), passes(3) ? y - reach : Math.min(start[1], end[1])],
    max: [passes(0) ? x + reach : Math.max(start[0], end[0]), passes(1) ? y + reach : Math.max(start[1], end[1])],
    length: sweep * reach + Math.abs(radius - endRadius),
    sweep: isClockwise ? -sweep : sweep,
    reach,
  }
}

/**
 * Centre of an arc given by its radius: the short way round for a positive one, the long way for a negative (RS274/NGC §3.5.3.1). `slack` is how far
 * the centre may be off by roundings of relative size `roundoff`: near a half circle a root makes much of little.
 */
export function centreOf(
  start: Point,
  end: Point,
  radius: number,
  isClockwise: boolean,
  roundoff: number,
): { centre: Point; slack: number } | undefined {
  const chord = distance(start, end)
  const half = chord / 2
  if (chord < 1e-9 || half > Math.abs(radius) + 0.005) return undefined
  const square = Math.max(0, radius * radius - half * half)
  const height = Math.sqrt(square)
  const isLeft = isClockwise === radius < 0
  const side = isLeft ? height : -height
  return {
    centre: [
      (start[0] + end[0]) / 2 - (side * (end[1] - start[1])) / chord,
      (start[1] + end[1]) / 2 + (side * (end[0] - start[0])) / chord,
    ],
    slack: Math.sqrt(square + 16 * roundoff * radius * radius) - height,
  }
}

const distance = ([ax, ay]: Point, [bx, by]: Point) => Math.hypot(ax - bx, ay - by)
const angleOf = ([x, y]: Point, [cx, cy]: Point) => Math.atan2(y - cy, x - cx)
const full = 2 * Math.PI

/** Anticlockwise turn from one angle to another, 0 to 2π. */
const turnsFrom = (from: number, to: number) => (((to - from) % full) + full) % full

/** Start and end in one place mean a full circle. */
function sweepOf(from: number, to: number, isClockwise: boolean): number {
  const sweep = isClockwise ? turnsFrom(to, from) : turnsFrom(from, to)
  return sweep < sweepMin ? full : sweep
}
