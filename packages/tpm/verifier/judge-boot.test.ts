import { describe, expect, it } from 'vitest'
import { replayEventLog } from './event-log.ts'
import { type BootPolicy, judgeBoot, pcrsOfPolicy } from './judge-boot.ts'
import {
  authority,
  digestText,
  extended,
  globalVariable,
  goodBoot,
  kernel,
  logOf,
  optionRom,
  type Sample,
  separator,
  sha256,
} from './test-event-log.ts'

const pcrs = [0, 2, 4, 7]
const policy: BootPolicy = {
  secureBoot: true,
  authorities: [digestText(authority)],
  drivers: [],
  images: [digestText(kernel)],
}

function judged(events: readonly Sample[], by: BootPolicy = policy): string {
  const quoted = new Map(pcrs.map((pcr) => [pcr, extended(Buffer.alloc(32), ...events.filter((event) => event.pcr === pcr))]))
  const replayed = replayEventLog(logOf(events), quoted)
  if (!replayed.ok) return replayed.reason
  const verdict = judgeBoot(replayed.value, by)
  return verdict.ok ? 'ok' : verdict.reason
}
const without = (gone: Sample) => goodBoot.filter((event) => event !== gone)
const instead = (name: number, other: Sample) => goodBoot.map((event, at) => (at === name ? other : event))
const secureBootAt = 1

describe('a boot is judged by what was measured', () => {
  it('and passes where all of it is allowed', () => expect(judged(goodBoot)).toBe('ok'))

  it('whatever its unjudged PCRs hold: a firmware update changes PCR 0', () => {
    const update = { pcr: 0, type: 8, data: Buffer.from('firmware 2.0') }
    expect(judged(instead(0, update))).toBe('ok')
  })

  it.each<[string, readonly Sample[], string]>([
    ['secure boot off', instead(secureBootAt, globalVariable('SecureBoot', 0)), 'boot-secure-boot'],
    ['secure boot not said', goodBoot.filter((_, at) => at !== secureBootAt), 'boot-secure-boot'],
    ['secure boot said only later', [globalVariable('AuditMode', 1), ...goodBoot], 'boot-secure-boot'],
    [
      'secure boot off, and measured on by whoever came after',
      [globalVariable('SecureBoot', 0), ...goodBoot],
      'boot-secure-boot',
    ],
    [
      'secure boot in the description alone',
      instead(secureBootAt, { ...globalVariable('SecureBoot', 1), digest: sha256(Buffer.of(0)) }),
      'boot-secure-boot',
    ],
    [
      'an image that another authority signed',
      [...goodBoot, { ...authority, data: Buffer.from('db: a stranger’s') }],
      'boot-authority',
    ],
    ['an option ROM', [...goodBoot, optionRom], 'boot-driver'],
    ['an option ROM before the separator', [optionRom, ...goodBoot], 'boot-driver'],
    ['another kernel', [...goodBoot, { ...kernel, digest: sha256(Buffer.from('another kernel')) }], 'boot-image'],
    ['no separator in a PCR that is judged', without(goodBoot[3] as Sample), 'boot-separator'],
    ['a separator that says that the firmware failed', instead(3, separator(2, 1)), 'boot-separator'],
    ['no events at all', [], 'boot-separator'],
  ])('attack 28: with %s it does not pass', (_, events, reason) => expect(judged(events)).toBe(reason))

  it.each([
    0x3, 0x4, 0x5, 0x8000_0007,
  ])('attack 28: an option ROM that calls itself an event of type %i is one all the same', (type) => {
    const relabelled = judged([...goodBoot, { ...optionRom, type }])
    // EV_NO_ACTION extends nothing: the log does not replay without it.
    expect(relabelled).toBe(type === 3 ? 'event-log-mismatch' : 'boot-driver')
  })

  it.each<[keyof BootPolicy, readonly Sample[]]>([
    ['secureBoot', instead(secureBootAt, globalVariable('SecureBoot', 0))],
    ['authorities', [...goodBoot, { ...authority, data: Buffer.from('db: a stranger’s') }]],
    ['drivers', [...goodBoot, optionRom]],
    ['images', [...goodBoot, { ...kernel, digest: sha256(Buffer.from('another kernel')) }]],
  ])('and only by the rules that there are: without %s', (rule, events) => {
    const { [rule]: _, ...others } = policy
    expect(judged(events, others)).toBe('ok')
  })

  it('by PCRs that must be quoted', () => {
    expect(pcrsOfPolicy(policy).toSorted()).toEqual([2, 4, 7])
    expect(pcrsOfPolicy({ drivers: [] })).toEqual([2])
  })
})
