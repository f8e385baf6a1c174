import type { Result } from '@interlock/contracts'
import { accepted } from '@interlock/contracts'
import { type AxisName, axisNames } from './axes.ts'
import type { AxisSetup, MachineSetup } from './machine-setup.ts'
import type { MotionRecord } from './motion.ts'
import { type Envelope, programEnvelope, type RunOptions } from './program-envelope.ts'
import type { ProgramReason } from './refusal.ts'

/** Points that are drawn, at most, in each of the two views: the picture is bounded whatever the program. */
const pointsMax = 4_000
const viewPx = 480
const marginPx = 40

type Point = { readonly x: number; readonly y: number; readonly isRapid: boolean; readonly isBegin: boolean }
type View = { readonly title: string; readonly axes: readonly [AxisName, AxisName] }
const views: readonly View[] = [
  { title: 'from above', axes: ['x', 'y'] },
  { title: 'from the front', axes: ['x', 'z'] },
]

/**
 * The path of a program as SVG, with the machine's limits and the envelope drawn in: for approvers and the trace. Bounded in size: long paths are drawn
 * with fewer points, the envelope is exact. All text in it is numbers and words of ours; nothing of the program is written.
 */
export function programPicture(
  program: Uint8Array,
  setup: MachineSetup,
  options: Omit<RunOptions, 'observe'> = {},
): Result<string, ProgramReason> {
  const paths = views.map(({ axes }) => new Path(axes))
  const ran = programEnvelope(program, setup, {
    ...options,
    observe: (motion) => {
      for (const path of paths) path.add(motion)
    },
  })
  if (!ran.ok) return ran
  const width = views.length * (viewPx + 2 * marginPx)
  const height = viewPx + 2 * marginPx
  const drawn = views.map((view, at) =>
    draw(view, (paths[at] as Path).points, setup.axes, ran.value.axes, at * (viewPx + 2 * marginPx)),
  )
  return accepted(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12"><rect width="${width}" height="${height}" fill="#fff"/>${drawn.join('')}</svg>\n`,
  )
}

/** The points of one view. When there are too many, every second is left out, and from then on every second is not taken. */
class Path {
  points: Point[] = []
  readonly #first: number
  readonly #second: number
  #stride = 1
  #seen = 0

  constructor([first, second]: View['axes']) {
    this.#first = axisNames.indexOf(first)
    this.#second = axisNames.indexOf(second)
  }

  add(motion: MotionRecord): void {
    const { from, to, arc, isRapid } = motion
    const pieces = arc ? Math.min(64, 4 + Math.ceil(Math.abs(arc.sweep) * 8)) : 1
    if (this.points.length === 0) this.#take(from, isRapid, true)
    for (let piece = 1; piece <= pieces; piece += 1) this.#take(arc ? along(motion, piece / pieces) : to, isRapid, false)
  }

  #take(place: Float64Array, isRapid: boolean, isBegin: boolean): void {
    const [x, y] = [place[this.#first] as number, place[this.#second] as number]
    if (Number.isNaN(x) || Number.isNaN(y)) return
    this.#seen += 1
    if (this.#seen % this.#stride !== 0) return
    this.points.push({ x, y, isRapid, isBegin })
    if (this.points.length < pointsMax) return
    this.points = this.points.filter((_point, at) => at % 2 === 0)
    this.#stride *= 2
  }
}

function along({ from, to, arc }: MotionRecord, share: number): Float64Array {
  const place = from.map((start, axis) => start + ((to[axis] as number) - start) * share)
  if (!arc) return place
  const [first, second] = arc.axes
  const [x, y] = [(from[first] as number) - arc.centre[0], (from[second] as number) - arc.centre[1]]
  const [cos, sin] = [Math.cos(arc.sweep * share), Math.sin(arc.sweep * share)]
  place[first] = arc.centre[0] + x * cos - y * sin
  place[second] = arc.centre[1] + x * sin + y * cos
  return place
}

function draw(
  { title, axes: [first, second] }: View,
  points: readonly Point[],
  limits: MachineSetup['axes'],
  envelope: Envelope['axes'],
  left: number,
): string {
  const box = { x: spanOf(limits[first], envelope[first]), y: spanOf(limits[second], envelope[second]) }
  const scale = viewPx / Math.max(box.x.max - box.x.min, box.y.max - box.y.min, 1e-3)
  const px = (value: number) => round(left + marginPx + (value - box.x.min) * scale)
  // Up is up: SVG counts downwards.
  const py = (value: number) => round(marginPx + viewPx - (value - box.y.min) * scale)
  const frame = (x: Span | undefined, y: Span | undefined, style: string) =>
    x && y
      ? `<rect x="${px(x.min)}" y="${py(y.max)}" width="${round((x.max - x.min) * scale)}" height="${round((y.max - y.min) * scale)}" fill="none" ${style}/>`
      : ''
  const label = (x: number, y: number, text: string) => `<text x="${round(x)}" y="${round(y)}">${text}</text>`
  const range = (axis: AxisName) =>
    `${axis.toUpperCase()} ${envelope[axis] ? `${envelope[axis].min} to ${envelope[axis].max}` : 'does not move'}`
  return [
    frame(limits[first], limits[second], 'stroke="#c00" stroke-width="1.5"'),
    frame(envelope[first] ?? zero, envelope[second] ?? zero, 'stroke="#888" stroke-dasharray="2 2"'),
    lines(points, px, py, true, 'stroke="#bbb" stroke-width="0.8" stroke-dasharray="4 3"'),
    lines(points, px, py, false, 'stroke="#06c" stroke-width="1"'),
    label(left + marginPx, marginPx - 22, `${title}: ${range(first)}, ${range(second)} mm`),
    label(left + marginPx, marginPx - 8, 'red: where the machine can go; grey: where the program goes; dashed: rapid moves'),
  ].join('')
}

type Span = { readonly min: number; readonly max: number }
const zero: Span = { min: 0, max: 0 }

function spanOf(limits: AxisSetup | undefined, envelope: Span | undefined): Span {
  const spans = [limits, envelope].filter((span): span is Span => span !== undefined)
  if (spans.length === 0) return zero
  return { min: Math.min(...spans.map(({ min }) => min)), max: Math.max(...spans.map(({ max }) => max)) }
}

/** One path element for all pieces of a kind. */
function lines(
  points: readonly Point[],
  px: (value: number) => number,
  py: (value: number) => number,
  isRapid: boolean,
  style: string,
): string {
  let path = ''
  let isDown = false
  for (const [at, point] of points.entries()) {
    if (point.isRapid !== isRapid || point.isBegin) {
      isDown = false
      continue
    }
    const before = points[at - 1]
    if (!isDown && before) path += `M${px(before.x)} ${py(before.y)}`
    path += `${isDown || before ? 'L' : 'M'}${px(point.x)} ${py(point.y)}`
    isDown = true
  }
  return path === '' ? '' : `<path d="${path}" fill="none" ${style}/>`
}

const round = (value: number) => Math.round(value * 10) / 10
