import { createHash } from 'node:crypto'
import type { Result } from '@interlock/contracts'
import { describe, expect, it } from 'vitest'
import { replayMeasurementList } from './measurement-list.ts'

const reasonOf = (result: Result<unknown, string>): string => (result.ok ? 'ok' : result.reason)

function field(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(bytes.length)
  return Buffer.concat([length, bytes])
}

type Sample = { path: string; content: string; isViolation?: boolean; pcr?: number; template?: string; algorithm?: string }

const dataOf = ({ path, content, algorithm = 'sha256' }: Sample): Buffer =>
  Buffer.concat([
    field(Buffer.concat([Buffer.from(`${algorithm}:\0`), createHash('sha256').update(content).digest()])),
    field(Buffer.from(`${path}\0`)),
  ])

function entry(sample: Sample): Buffer {
  const { pcr = 10, template = 'ima-ng', isViolation = false } = sample
  const templateHash = Buffer.alloc(20, isViolation ? 0 : 0xab)
  return Buffer.concat([
    field(Buffer.alloc(pcr)).subarray(0, 4),
    templateHash,
    field(Buffer.from(template)),
    field(dataOf(sample)),
  ])
}

function pcrAfter(samples: Sample[]): { pcr: number; value: Buffer } {
  const value = samples.reduce((before, sample) => {
    const digest = sample.isViolation ? Buffer.alloc(32, 0xff) : createHash('sha256').update(dataOf(sample)).digest()
    return createHash('sha256').update(before).update(digest).digest()
  }, Buffer.alloc(32) as Buffer)
  return { pcr: 10, value }
}

const listOf = (samples: Sample[]): Buffer => Buffer.concat(samples.map(entry))
const shell = { path: '/bin/sh', content: 'shell' }
const agent = { path: '/opt/agent', content: 'agent' }

describe('an IMA list (check 13)', () => {
  it('that replays to the quoted PCR gives its files', () => {
    const replay = replayMeasurementList(listOf([shell, agent]), pcrAfter([shell, agent]))
    expect(replay.ok && replay.value.map(({ path }) => path)).toEqual(['/bin/sh', '/opt/agent'])
    const digest = createHash('sha256').update('agent').digest('hex')
    expect(replay.ok && replay.value[1]?.fileDigest).toBe(`sha256:${digest}`)
  })

  it('gives nothing of what was added after the quote', () => {
    const replay = replayMeasurementList(listOf([shell, agent]), pcrAfter([shell]))
    expect(replay.ok && replay.value).toHaveLength(1)
  })

  it('says where a file changed while it was measured', () => {
    const moving = { ...agent, isViolation: true }
    const replay = replayMeasurementList(listOf([shell, moving]), pcrAfter([shell, moving]))
    expect(replay.ok && replay.value[1]?.isViolation).toBe(true)
  })

  it.each([
    ['a file replaced', [shell, { ...agent, content: 'another agent' }]],
    ['a path replaced', [shell, { ...agent, path: '/opt/agenT' }]],
    ['a file left out', [agent]],
    ['files swapped', [agent, shell]],
    ['a file called a violation', [shell, { ...agent, isViolation: true }]],
    ['nothing', []],
  ])('with %s is refused: the hash in the list is not believed', (_, samples) => {
    expect(reasonOf(replayMeasurementList(listOf(samples), pcrAfter([shell, agent])))).toBe('measurement-list-mismatch')
  })

  it.each([
    ['of another PCR', listOf([{ ...shell, pcr: 11 }])],
    ['of an unknown template', listOf([{ ...shell, template: 'ima' }])],
    ['with a file digest of an unknown algorithm', listOf([{ ...shell, algorithm: 'md5' }])],
    ['of 65 MB', Buffer.concat([listOf([shell, agent]), Buffer.alloc(65 * 1024 * 1024)])],
    ['cut short', listOf([shell]).subarray(0, -1)],
    ['with a template name of 4 GB', Buffer.concat([entry(shell).subarray(0, 24), Buffer.alloc(4, 0xff)])],
    ['with a path that ends early', listOf([{ ...shell, path: '/bin/sh\0/etc' }])],
  ])('%s is refused', (_, list) => {
    expect(reasonOf(replayMeasurementList(list, pcrAfter([shell, agent])))).toBe('measurement-list-malformed')
  })
})
