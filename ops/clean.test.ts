import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { lock } from './local/lock.ts'

let state: string
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'interlock-clean-'))
  mkdirSync(join(state, 'dev', 'kafka'), { recursive: true })
  writeFileSync(join(state, 'dev', 'trust-bundle.json'), '{}')
})
afterEach(() => rmSync(state, { recursive: true, force: true }))

const clean = () =>
  spawnSync(process.execPath, [fileURLToPath(new URL('clean.mjs', import.meta.url)), state], { encoding: 'utf8' })

it('removes everything, and has nothing to do the second time', () => {
  expect(clean()).toMatchObject({ status: 0 })
  expect(existsSync(state)).toBe(false)
  expect(clean()).toMatchObject({ status: 0 })
})

it('removes nothing while a stack runs, and names its process', async () => {
  const unlock = await lock(join(state, 'dev', 'stack.lock'))
  const refused = clean()
  expect(refused).toMatchObject({ status: 1 })
  expect(refused.stderr).toContain(`process ${process.pid}`)
  expect(existsSync(join(state, 'dev', 'trust-bundle.json'))).toBe(true)
  unlock()
  expect(clean()).toMatchObject({ status: 0 })
})
