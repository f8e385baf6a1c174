import { describe, expect, it } from 'vitest'
import { firstOutside, firstWithin, isWindowWithin, type Window, windowSchema } from './window.ts'

const wednesday = Date.UTC(2026, 10, 25)
const hour = 3_600_000
const shift: Window = { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', until: '17:30' }
const once: Window = { from: wednesday + 10 * hour, until: wednesday + 12 * hour }

describe('windows of time', () => {
  it.each([
    ['within a shift', [shift], wednesday + 9 * hour, wednesday + 9 * hour],
    ['before it, on the same day', [shift], wednesday + hour, wednesday + 8 * hour],
    ['after it, on the next day', [shift], wednesday + 17.5 * hour, wednesday + 32 * hour],
    ['over the weekend', [shift], wednesday + 3 * 24 * hour, wednesday + (5 * 24 + 8) * hour],
    ['before one that comes once', [once], wednesday, wednesday + 10 * hour],
    ['after it', [once], wednesday + 12 * hour, undefined],
    ['of several the first', [once, shift], wednesday, wednesday + 8 * hour],
  ])('begin, asked %s', (_when, windows, from, expected) => {
    expect(firstWithin(windows, { from, until: Number.MAX_SAFE_INTEGER })).toBe(expected)
  })

  it('are met by a stretch that only touches them, and not by one that ends where they begin', () => {
    expect(firstWithin([once], { from: wednesday, until: wednesday + 10 * hour })).toBeUndefined()
    expect(firstWithin([once], { from: wednesday, until: wednesday + 10 * hour + 1 })).toBe(wednesday + 10 * hour)
  })

  it('end, also where one follows on another', () => {
    const night: Window = { days: ['wed'], from: '17:30', until: '24:00' }
    expect(firstOutside([shift, night], wednesday + 9 * hour)).toBe(wednesday + 24 * hour)
    expect(firstOutside([once], wednesday)).toBe(wednesday)
    const always: Window = { days: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'], from: '00:00', until: '24:00' }
    expect(firstOutside([always], wednesday)).toBeUndefined()
  })

  it.each([
    ['fewer days and hours', { days: ['mon'], from: '09:00', until: '17:00' }, shift, true],
    ['another day', { days: ['sat'], from: '09:00', until: '17:00' }, shift, false],
    ['a minute longer', { days: ['mon'], from: '08:00', until: '17:31' }, shift, false],
    ['once, within a shift', once, shift, true],
    ['once, over a night', { from: once.from, until: once.until + 24 * hour }, shift, false],
    ['each week, within what is once', shift, once, false],
    ['once, within what is once', once, { from: wednesday, until: wednesday + 24 * hour }, true],
    ['once, and longer', { from: wednesday, until: wednesday + 24 * hour }, once, false],
  ] as [string, Window, Window, boolean][])('lie in each other: %s', (_what, inner, outer, expected) => {
    expect(isWindowWithin(inner, outer)).toBe(expected)
  })

  it.each([
    { from: 5, until: 5 },
    { days: ['mon'], from: '17:00', until: '08:00' },
    { days: ['mon'], from: '8:00', until: '17:00' },
    { days: [], from: '08:00', until: '17:00' },
    { days: ['monday'], from: '08:00', until: '17:00' },
    { days: ['mon'], from: '08:00', until: '25:00' },
  ])('are refused as %j', (window) => expect(windowSchema.safeParse(window).success).toBe(false))
})
