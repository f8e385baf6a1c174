import type { Result } from '@interlock/contracts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tpmVector } from '../test-vectors.ts'
import { replayEventLog } from './event-log.ts'
import { extended, le16, le32, logOf, logWith, type Sample, sha256, specIdOf } from './test-event-log.ts'

const reasonOf = (result: Result<unknown, string>): string => (result.ok ? 'ok' : result.reason)
const specId = specIdOf([[0x0b, 32]])
const header = logWith(specId)
const separator = { pcr: 7, type: 4, data: Buffer.alloc(4) }
const action = { pcr: 7, type: 5, data: Buffer.from('Exit Boot Services Invocation') }
const image = {
  pcr: 4,
  type: 0x8000_0003,
  data: Buffer.from('a path the sender tells'),
  digest: sha256(Buffer.from('the image itself')),
}
const locality = (value: number): Sample => ({
  pcr: 0,
  type: 3,
  data: Buffer.concat([Buffer.from('StartupLocality\0'), Buffer.from([value])]),
  digest: Buffer.alloc(32),
})

const zeros = Buffer.alloc(32)
const quoted = new Map([
  [4, extended(zeros, image)],
  [7, extended(zeros, separator, action)],
])

describe('an event log (check 12)', () => {
  it('that replays to the quoted PCRs gives its events, and says whose data were measured', () => {
    const replay = replayEventLog(logOf([separator, image, action]), quoted)
    expect(replay.ok && replay.value.map(({ pcr, isDataMeasured }) => [pcr, isDataMeasured])).toEqual([
      [7, true],
      [4, false],
      [7, true],
    ])
  })

  it.each([
    ['an event edited', [separator, image, { ...action, data: Buffer.from('Exit Boot Services Invocatiom') }]],
    ['an event stripped', [separator, image]],
    ['an event added', [separator, image, action, action]],
    ['events swapped', [action, image, separator]],
    ['an event moved to another PCR', [separator, image, { ...action, pcr: 4 }]],
  ])('with %s is refused (attack 27)', (_, events) => {
    expect(reasonOf(replayEventLog(logOf(events), quoted))).toBe('event-log-mismatch')
  })

  it('gives no event of a PCR that was not quoted, and none that was not measured', () => {
    const claim = { pcr: 7, type: 3, data: Buffer.from('secure boot is on'), digest: zeros }
    const other = { pcr: 8, type: 0xd, data: Buffer.from('kernel') }
    const replay = replayEventLog(logOf([separator, claim, other, image, action]), quoted)
    expect(replay.ok && replay.value).toHaveLength(3)
  })

  it('explains PCR 0 by the locality of the start-up', () => {
    const version = { pcr: 0, type: 8, data: Buffer.from('1.0') }
    const start = Buffer.alloc(32)
    start.writeUInt8(3, 31)
    const pcr0 = new Map([[0, extended(start, version)]])
    expect(reasonOf(replayEventLog(logOf([locality(3), version]), pcr0))).toBe('ok')
    expect(reasonOf(replayEventLog(logOf([locality(4), version]), pcr0))).toBe('event-log-mismatch')
    expect(reasonOf(replayEventLog(logOf([version]), pcr0))).toBe('event-log-mismatch')
  })

  it('begins dynamic PCRs with ones', () => {
    expect(reasonOf(replayEventLog(logOf([]), new Map([[17, Buffer.alloc(32, 0xff)]])))).toBe('ok')
  })

  it.each([
    ['empty', Buffer.alloc(0)],
    ['in the SHA-1 format', Buffer.concat([le32(0), le32(8), Buffer.alloc(20), le32(4), Buffer.alloc(4)])],
    ['that ends inside an event', logOf([separator]).subarray(0, -1)],
    ['with an event of 4 GB', Buffer.concat([header, le32(7), le32(4), le32(0), le32(0xffff_ffff)])],
    ['with a billion digests', Buffer.concat([header, le32(7), le32(4), le32(1_000_000_000)])],
    ['with a digest of an unknown bank', Buffer.concat([header, le32(7), le32(4), le32(1), le16(0x99), zeros, le32(0)])],
    ['with PCR 24', logOf([{ ...separator, pcr: 24 }])],
    ['without a SHA-256 digest', Buffer.concat([header, le32(7), le32(4), le32(0), le32(0)])],
    ['of 5 MB', Buffer.alloc(5 * 1024 * 1024)],
    ['whose header is of PCR 1', Buffer.concat([le32(1), logOf([separator, image, action]).subarray(4)])],
    ['whose header has bytes left over', logWith(Buffer.concat([specId, Buffer.from([0])]))],
    ['whose header names no SHA-256 bank', logWith(specIdOf([[0x0c, 48]]))],
    ['whose header says SHA-256 digests of 20 bytes', logWith(specIdOf([[0x0b, 20]]))],
    [
      'whose header names 17 banks',
      logWith(specIdOf(Array.from({ length: 17 }, (_, index): [number, number] => [0x0b + index, 32]))),
    ],
    ['of 20,001 events', logOf(Array.from({ length: 20_001 }, () => ({ ...separator, pcr: 9 })))],
    ['with a good event of 5 MB', logOf([{ pcr: 9, type: 1, data: Buffer.alloc(5 * 1024 * 1024) }])],
    ['of a real machine, cut short', tpmVector('go-attestation', 'short_no_action_eventlog') ?? Buffer.alloc(49)],
  ])('%s is refused', (_, log) => {
    expect(reasonOf(replayEventLog(log, new Map([[7, zeros]])))).toBe('event-log-malformed')
  })

  it('never throws, whatever it is', () => {
    const real = logOf([separator, image, action])
    fc.assert(
      fc.property(fc.nat(real.length - 1), fc.integer({ min: 1, max: 255 }), (at, byte) => {
        const log = Buffer.from(real)
        log.writeUInt8(log.readUInt8(at) ^ byte, at)
        expect(['ok', 'event-log-malformed', 'event-log-mismatch']).toContain(reasonOf(replayEventLog(log, quoted)))
      }),
      { numRuns: 500 },
    )
  })
})

const realLog = tpmVector('eventlogs', 'arch-linux-workstation.bin')
describe.skipIf(!realLog)('the event log of a real machine', () => {
  const log = realLog as Buffer
  const expected = [
    '758b773d94feabf52ef5a4c00a7ad2c80d8d6e6d9d58756150be9bc973da9087',
    'bfda688a5d320123fddb3fc70b746bc17647e2e7f2f96e130d429542bf4622d5',
    '65dee4a48cde677aa89fa83c5c35e883fda658f743853e3ebad504ca6702f7c5',
    '3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969',
    '925d453d3dfef4ac0c72c957402163d45fa95d05e6d53f047263a3a60b598325',
    '202522f005ef625588bb7c9e21335ba96a63c5086306138885b3bb2c381730ca',
    '3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969',
    '3b4a4db44b7a872524055364e62e897ae678e0d47ab0809f65c3a4ed77f66ab9',
    '47591b43af431963eaeb5238a5c42eda1eb0014c27f7de7ae483066a2d2a2e61',
  ]
  const pcrs = new Map(expected.map((hex, pcr) => [pcr, Buffer.from(hex, 'hex')]))

  it('replays to the PCRs that its TPM had', () => {
    const replay = replayEventLog(log, pcrs)
    expect(replay.ok && replay.value.length).toBeGreaterThan(20)
  })

  it('does not replay to others', () => {
    const other = new Map([...pcrs, [7, Buffer.alloc(32)]])
    expect(replayEventLog(log, other)).toMatchObject({
      reason: 'event-log-mismatch',
      detail: { pcrs: [7] },
    })
  })
})
