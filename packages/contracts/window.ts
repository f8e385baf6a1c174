import { z } from 'zod'

const dayMs = 86_400_000
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
const clock = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/)
const time = z.int().min(0).max(253_402_300_799_999)

/** A stretch of time: once, milliseconds since 1970, or on days of each week, hours and minutes in UTC. The end is not in it. */
export const windowSchema = z.union([
  z.strictObject({ from: time, until: time }).refine(({ from, until }) => from < until, 'ends before it begins'),
  z
    .strictObject({ days: z.array(z.enum(days)).min(1).max(7), from: clock, until: clock })
    .refine(({ from, until }) => from < until, 'ends before it begins: write what goes over midnight as two'),
])
export type Window = z.infer<typeof windowSchema>

type Span = { readonly from: number; readonly until: number }

/** The first moment from `from` on, before `until`, that lies in one of the windows; undefined where none does. */
export function firstWithin(windows: readonly Window[], { from, until }: Span): number | undefined {
  const begins = windows
    .flatMap((window) => spansOf(window, { from, until }))
    .filter((span) => span.until > from && span.from < until)
    .map((span) => Math.max(span.from, from))
  return begins.length > 0 ? Math.min(...begins) : undefined
}

/** The first moment from `from` on that lies in none of the windows; undefined where there is none for eight days after the last that stands still. */
export function firstOutside(windows: readonly Window[], from: number): number | undefined {
  let at = from
  for (let tries = 0; tries <= windows.length * 9; tries++) {
    const span = windows
      .flatMap((window) => spansOf(window, { from: at, until: at + 1 }))
      .find((one) => one.from <= at && at < one.until)
    if (!span) return at
    at = span.until
  }
  return undefined
}

/** Whether all of the inner lies in the outer, whenever it is asked. Said of one window in one window: two that meet do not make a third. */
export function isWindowWithin(inner: Window, outer: Window): boolean {
  if (!('days' in inner)) {
    const spans = spansOf(outer, inner)
    return spans.some(({ from, until }) => from <= inner.from && inner.until <= until)
  }
  if (!('days' in outer)) return false
  return inner.days.every((day) => outer.days.includes(day)) && outer.from <= inner.from && inner.until <= outer.until
}

/** The window's stretches that touch the span, and those of the days beside it. */
function spansOf(window: Window, span: Span): Span[] {
  if (!('days' in window)) return [window]
  const found: Span[] = []
  // A window of days is looked at for eight days on: after them it repeats.
  const last = Math.min(span.until, span.from + 8 * dayMs)
  for (let midnight = Math.floor(span.from / dayMs) * dayMs; midnight <= last; midnight += dayMs) {
    const day = days[new Date(midnight).getUTCDay()]
    if (day && window.days.includes(day)) found.push({ from: midnight + msOf(window.from), until: midnight + msOf(window.until) })
  }
  return found
}

const msOf = (text: string) => (Number(text.slice(0, 2)) * 60 + Number(text.slice(3))) * 60_000
