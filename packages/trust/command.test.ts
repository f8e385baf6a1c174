import { createHash } from 'node:crypto'
import type { Intent } from '@interlock/contracts'
import { describe, expect, it } from 'vitest'
import { canonicalBytes } from './canonical.ts'
import { readCommand } from './command.ts'
import { digest } from './digest.ts'

const program = Buffer.from('G0 X1\n')
const sha256 = createHash('sha256').update(program).digest('base64url')
const command = { device: 'mill-1', capability: 'mill.run-program', parameters: {} }
const withProgram = { ...command, program: { mediaType: 'text/x-gcode', sha256, bytes: program.length } }
const intent = (bytes: Buffer, inline: Buffer | null = null): Intent =>
  ({ device: 'mill-1', capability: 'mill.run-program', command: bytes, program: inline }) as unknown as Intent
const reasonOf = (given: Intent) => {
  const read = readCommand(given)
  return read.ok ? 'read' : read.reason
}

describe('a command', () => {
  it('is read from its bytes, with their digest', () => {
    const bytes = canonicalBytes(withProgram)
    expect(readCommand(intent(bytes, program))).toEqual({
      ok: true,
      value: { command: withProgram, commandDigest: digest(bytes) },
    })
  })

  it.each([
    ['white space', Buffer.from(JSON.stringify(command, null, 1))],
    ['a member twice', Buffer.from('{"capability":"mill.run-program","device":"mill-1","device":"mill-2","parameters":{}}')],
    ['its members in another order', Buffer.from(JSON.stringify(command))],
    ['no JSON', Buffer.from('G0 X1')],
    ['more bytes than a command needs', Buffer.alloc(65_537, 0x20)],
    ['parameters too deep', canonicalBytes({ ...command, parameters: { a: [[[[[[[[1]]]]]]]] } })],
  ])('is refused with %s', (_what, bytes) => {
    expect(reasonOf(intent(bytes))).toBe('command-not-canonical')
  })

  it('is refused with members that nobody knows', () => {
    expect(reasonOf(intent(canonicalBytes({ ...command, force: true })))).toBe('command-malformed')
  })

  it('is refused where the record’s columns name another device or capability', () => {
    for (const change of [{ device: 'mill-2' }, { capability: 'mill.home' }])
      expect(reasonOf({ ...intent(canonicalBytes(command)), ...change } as Intent)).toBe('command-mismatch')
  })

  it('may name a program that lies elsewhere', () => {
    expect(readCommand(intent(canonicalBytes(withProgram)))).toMatchObject({ ok: true, value: { command: withProgram } })
  })

  it('is refused with another program than it names, of another length, or with one it does not name', () => {
    expect(reasonOf(intent(canonicalBytes(withProgram), Buffer.from('G0 X2\n')))).toBe('program-mismatch')
    const longer = { ...withProgram, program: { ...withProgram.program, bytes: 7 } }
    expect(reasonOf(intent(canonicalBytes(longer), program))).toBe('program-mismatch')
    expect(reasonOf(intent(canonicalBytes(command), program))).toBe('program-mismatch')
  })
})
