import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testDice } from '@interlock/attestation/test-dice'
import { afterAll, expect, test } from 'vitest'
import { readDiceIdentity } from './enrol-dice.ts'

const home = mkdtempSync(join(tmpdir(), 'interlock-dice-'))
afterAll(() => rmSync(home, { recursive: true }))

const dice = testDice()
const good = {
  chain: dice.chain.map((bytes) => bytes.toString('base64url')),
  leafKey: dice.leafKey.export({ type: 'pkcs8', format: 'pem' }),
}
function file(value: unknown, mode = 0o600): string {
  const path = join(home, 'dice.json')
  writeFileSync(path, JSON.stringify(value))
  chmodSync(path, mode)
  return path
}

test('what a DICE handed over is read from a file', () => {
  const identity = readDiceIdentity(file(good))
  expect(identity.chain).toEqual(dice.chain)
  expect(identity.leafKey.equals(dice.leafKey)).toBe(true)
})

test('attack 156: not from a file that others may read', () => {
  expect(() => readDiceIdentity(file(good, 0o644))).toThrow('may be read by others')
})

test.each([
  ['nothing in it', {}],
  ['no certificates', { ...good, chain: [] }],
  ['a key that is none', { ...good, leafKey: 'secret' }],
  ['more than it needs', { ...good, admission: 'x' }],
])('not from one with %s, and the error does not show the key', (_, value) => {
  expect(() => readDiceIdentity(file(value))).toThrow(/is not what a DICE hands over \(\w+\)$/)
})
