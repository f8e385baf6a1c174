import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isAlive, startOf } from '../setup/lock-holder.mjs'
import { lock, StackRunningError } from './lock.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'interlock-lock-'))
  path = join(directory, 'stack.lock')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const gone = spawnSync('true').pid
const holder = (pid: number, start: string, keeper = gone, keeperStart = '1') =>
  JSON.stringify({ pid, start, keeper, keeperStart })

describe('the lock of a directory', () => {
  it('is refused while its holder lives, and the refusal names the process', async () => {
    const unlock = await lock(path)
    await expect(lock(path)).rejects.toThrow(StackRunningError)
    await expect(lock(path)).rejects.toThrow(`process ${process.pid}`)
    unlock()
    expect(existsSync(path)).toBe(false)
    ;(await lock(path))()
  })

  it('goes to one of many that start at once', async () => {
    writeFileSync(path, holder(gone, '1'))
    const attempts = await Promise.allSettled(Array.from({ length: 8 }, () => lock(path)))
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it.each([
    ['of a process that has ended', holder(gone, '1')],
    ['of another process that had the same id', holder(process.pid, 'earlier')],
    ['that is no lock', 'torn'],
  ])('is taken over: one %s', async (_, text) => {
    writeFileSync(path, text)
    const unlock = await lock(path)
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid })
    unlock()
    expect(readdirSync(directory)).toEqual([])
  })

  it('of a dead holder is taken over only when its children are gone too', async () => {
    const keeper = spawn('sleep', ['1'])
    await once(keeper, 'spawn')
    const pid = keeper.pid as number
    writeFileSync(path, holder(gone, '1', pid, startOf(pid)))
    const unlock = await lock(path)
    expect(keeper.exitCode).toBe(0)
    unlock()
  })
})

it('knows a process by its start, for ids are used again', () => {
  expect(isAlive(process.pid, startOf(process.pid))).toBe(true)
  expect(isAlive(process.pid, 'another')).toBe(false)
  expect(isAlive(gone, '1')).toBe(false)
})
