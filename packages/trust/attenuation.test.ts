import { type ArgumentLimit, type DeviceGrant, type Grant, type Result, refused, type ToolGrant } from '@interlock/contracts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AttenuationReason, isNarrower, lineOfGrants } from './attenuation.ts'

const energy = { max: '5000', unit: 'J' }
const travel = { max: '10', unit: 'm' }
const shift = { days: ['mon' as const, 'tue' as const], from: '08:00', until: '17:00' }
const parent: DeviceGrant = {
  type: 'interlock_device',
  locations: ['laser-1', 'laser-2'],
  actions: ['laser.cut', 'laser.engrave'],
  limits: { power: { min: '1', max: '80', unit: 'W' }, speed: { max: '300', unit: 'mm/s' } },
  maxCount: 100,
  budgets: { energy, travel },
  windows: [shift],
}
const withLimits = (limits: DeviceGrant['limits']): DeviceGrant => ({ ...parent, limits: { ...parent.limits, ...limits } })
const reasonOf = (result: Result<true, AttenuationReason>) => (result.ok ? 'narrower' : result.reason)

/** A grant that lies within the parent: some of its names, ranges inside its ranges, further limits of its own. */
const within = (grant: DeviceGrant): fc.Arbitrary<DeviceGrant> =>
  fc
    .record({
      locations: fc.subarray([...grant.locations], { minLength: 1 }),
      actions: fc.subarray([...grant.actions], { minLength: 1 }),
      ends: fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 })),
      maxCount: fc.integer({ min: 1, max: grant.maxCount }),
    })
    .map(({ locations, actions, ends, maxCount }) => ({
      ...grant,
      locations,
      actions,
      maxCount,
      limits: Object.fromEntries(
        Object.entries(grant.limits).map(([name, { min = '0', max = '0', unit }]) => {
          const [from, to] = [Number(min), Number(max)]
          const [low = 0, high = 0] = ends
            .map((end) => Math.floor((from + ((to - from) * end) / 100) * 1000))
            .sort((a, b) => a - b)
          const text = (thousandths: number) => (Math.min(Math.max(thousandths, from * 1000), to * 1000) / 1000).toString()
          return [name, { min: text(low), max: text(high), unit }]
        }),
      ),
    }))

describe('a grant made for a sub-agent', () => {
  it('may be any that lies within one grant of the parent, and then within what the parent lies in', () => {
    fc.assert(
      fc.property(
        within(parent).chain((child) => within(child).map((grandchild) => [child, grandchild] as const)),
        ([child, grandchild]) => {
          expect(reasonOf(isNarrower([child], [parent]))).toBe('narrower')
          expect(reasonOf(isNarrower([grandchild], [child]))).toBe('narrower')
          expect(reasonOf(isNarrower([grandchild], [parent]))).toBe('narrower')
        },
      ),
    )
  })

  it.each([
    ['attack 43: another device', { ...parent, locations: ['laser-1', 'mill-1'] }, 'wider-device'],
    ['another action', { ...parent, actions: ['laser.cut', 'laser.align'] }, 'wider-action'],
    ['a higher maximum', withLimits({ power: { min: '1', max: '80.000000000000000001', unit: 'W' } }), 'wider-limit'],
    ['a lower minimum', withLimits({ power: { min: '0.999', max: '80', unit: 'W' } }), 'wider-limit'],
    ['no maximum where the parent has one', withLimits({ power: { min: '1', unit: 'W' } }), 'limit-absent'],
    ['attack 44: no limit where the parent has one', { ...parent, limits: { power: parent.limits.power } }, 'limit-absent'],
    ['another unit', withLimits({ power: { min: '1', max: '80', unit: 'kW' } }), 'unit-changed'],
    ['a number that is none', withLimits({ power: { min: '1', max: '8e1W', unit: 'W' } }), 'limit-malformed'],
    ['more intents', { ...parent, maxCount: 101 }, 'wider-count'],
    ['attack 44: no budget where the parent has one', { ...parent, budgets: { travel } }, 'budget-absent'],
    ['attack 44: none of them', { ...parent, budgets: undefined }, 'budget-absent'],
    ['a larger budget', { ...parent, budgets: { travel, energy: { max: '5000.1', unit: 'J' } } }, 'wider-budget'],
    ['a budget in another unit', { ...parent, budgets: { travel, energy: { max: '4', unit: 'kJ' } } }, 'unit-changed'],
    ['a budget that is no number', { ...parent, budgets: { travel, energy: { max: 'all', unit: 'J' } } }, 'limit-malformed'],
    ['attack 44: no window where the parent has one', { ...parent, windows: undefined }, 'window-absent'],
    ['a longer window', { ...parent, windows: [{ ...shift, until: '17:01' }] }, 'wider-window'],
    ['a further window', { ...parent, windows: [shift, { ...shift, days: ['sat'] }] }, 'wider-window'],
  ] as const)('is refused with %s', (_what, child, reason) => {
    expect(reasonOf(isNarrower([child as DeviceGrant], [parent]))).toBe(reason)
  })

  it('takes each grant from one grant of the parent: two narrow ones do not add up to a wide one', () => {
    const grants = [
      { ...parent, locations: ['laser-1'], actions: ['laser.cut'] },
      { ...parent, locations: ['laser-2'], actions: ['laser.engrave'] },
    ]
    expect(isNarrower([parent], grants).ok).toBe(false)
    expect(isNarrower([{ ...parent, locations: ['laser-1'], actions: ['laser.engrave'] }], grants).ok).toBe(false)
    expect(isNarrower(grants, [parent]).ok).toBe(true)
  })

  it('is refused by the name of an inherited property too: limits are own members', () => {
    const odd = { ...parent, limits: { toString: { max: '1', unit: 'W' } } }
    expect(isNarrower([{ ...parent, limits: {} }], [odd])).toEqual(refused('limit-absent', { parameter: 'toString' }))
  })

  it('without any grant of the parent is refused', () => {
    expect(reasonOf(isNarrower([parent], []))).toBe('wider-type')
  })
})

const mail: ToolGrant = {
  type: 'interlock_tool',
  locations: ['mail', 'calendar'],
  actions: ['send', 'draft'],
  limits: { to: { values: ['alice@lab.example', 'bob@lab.example'] }, urgent: { values: [false] }, copies: { max: '3' } },
  maxCount: 5,
}
const mailWith = (limits: ToolGrant['limits']): ToolGrant => ({ ...mail, limits: { ...mail.limits, ...limits } })

/** A grant of tools that lies within another: fewer names and values, smaller ranges, further limits of its own. */
const toolWithin = (grant: ToolGrant): fc.Arbitrary<ToolGrant> => {
  const limitWithin = (limit: ArgumentLimit): fc.Arbitrary<ArgumentLimit> =>
    'values' in limit
      ? fc.subarray([...limit.values], { minLength: 1 }).map((values) => ({ values }))
      : fc.nat({ max: Number(limit.max) }).map((max) => ({ min: '0', max: String(max) }))
  return fc.record({
    type: fc.constant('interlock_tool' as const),
    locations: fc.subarray([...grant.locations], { minLength: 1 }),
    actions: fc.subarray([...grant.actions], { minLength: 1 }),
    limits: fc.record({
      ...Object.fromEntries(Object.entries(grant.limits).map(([name, limit]) => [name, limitWithin(limit)])),
      subject: fc.constant({ values: ['report'] }),
    }),
    maxCount: fc.integer({ min: 1, max: grant.maxCount }),
  })
}

describe('a grant of tools made for a sub-agent', () => {
  it('may be any that lies within one grant of the parent, and then within what the parent lies in', () => {
    fc.assert(
      fc.property(
        toolWithin(mail).chain((child) => toolWithin(child).map((grandchild) => [child, grandchild] as const)),
        ([child, grandchild]) => {
          expect(reasonOf(isNarrower([child], [parent, mail]))).toBe('narrower')
          expect(reasonOf(isNarrower([grandchild], [child]))).toBe('narrower')
          expect(reasonOf(isNarrower([grandchild], [mail, parent]))).toBe('narrower')
        },
      ),
    )
  })

  it.each<[string, Grant, string]>([
    ['attack 43: another server', { ...mail, locations: ['mail', 'bank'] }, 'wider-server'],
    ['attack 43: another tool', { ...mail, actions: ['send', 'delete'] }, 'wider-tool'],
    ['a recipient more', mailWith({ to: { values: ['alice@lab.example', 'mallory@evil.example'] } }), 'wider-limit'],
    ['another answer to yes or no', mailWith({ urgent: { values: [false, true] } }), 'wider-limit'],
    ['the word for no in place of no', mailWith({ urgent: { values: ['false'] } }), 'wider-limit'],
    ['a higher number', mailWith({ copies: { max: '3.5' } }), 'wider-limit'],
    ['any number', mailWith({ copies: {} }), 'limit-absent'],
    ['values where there was a range', mailWith({ copies: { values: ['2'] } }), 'limit-changed'],
    ['a range where there were values', mailWith({ to: { max: '1' } }), 'limit-changed'],
    ['a number that is none', mailWith({ copies: { max: '0x2' } }), 'limit-malformed'],
    [
      'attack 44: no limit where the parent has one',
      { ...mail, limits: { to: mail.limits.to as ArgumentLimit } },
      'limit-absent',
    ],
    ['more calls', { ...mail, maxCount: 6 }, 'wider-count'],
    ['a device’s grant of the same names', { ...parent, locations: ['mail'], actions: ['send'], limits: {} }, 'wider-type'],
  ])('is refused with %s', (_what, child, reason) => {
    expect(reasonOf(isNarrower([child], [mail]))).toBe(reason)
  })

  it('is refused by a device’s grant of the same names', () => {
    const tool: ToolGrant = { ...mail, locations: ['laser-1'], actions: ['laser.cut'], limits: {}, maxCount: 1 }
    expect(reasonOf(isNarrower([tool], [{ ...parent, limits: {} }]))).toBe('wider-type')
  })
})

describe('the line of grants that a command is charged to', () => {
  const wide = { ...parent, budgets: { energy, travel } }
  const tight = { ...parent, limits: { ...parent.limits, power: { min: '1', max: '10', unit: 'W' } }, maxCount: 5 }

  it('leads from each grant to the one that it lies within, not to another for the same device', () => {
    const leaf = { ...wide, maxCount: 50 }
    expect(
      lineOfGrants(
        [
          [tight, wide],
          [tight, wide],
        ],
        leaf,
      ),
    ).toEqual([wide, wide, leaf])
    expect(lineOfGrants([[tight, wide]], { ...tight, maxCount: 1 })).toEqual([tight, { ...tight, maxCount: 1 }])
    expect(lineOfGrants([], leaf)).toEqual([leaf])
  })

  it('is none where a level has no grant that holds it', () => expect(lineOfGrants([[tight]], wide)).toBeUndefined())
})
