import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Holder, isAlive, isHeld, readHolder, startOf } from '../setup/lock-holder.mjs'
import { keeperPid } from './keeper.ts'

export class StackRunningError extends Error {
  readonly code = 'stack-running'
  readonly retriable = true
}

/** How long the keeper of a start that died may take to end its children. */
const takeOverMs = 20_000

/**
 * One stack to a directory. What a dead process left is taken over, when its children are gone too.
 * @throws StackRunningError naming the process that has it
 */
export async function lock(path: string): Promise<() => void> {
  mkdirSync(dirname(path), { recursive: true })
  const mine: Holder = { pid: process.pid, start: startOf(process.pid), keeper: keeperPid(), keeperStart: startOf(keeperPid()) }
  const text = `${JSON.stringify(mine)}\n`
  const draft = `${path}.${process.pid}`
  const end = Date.now() + takeOverMs
  writeFileSync(draft, text)
  try {
    while (!tryLink(draft, path)) {
      const holder = readHolder(path)
      if (holder && isAlive(holder.pid, holder.start)) {
        const advice = `Stop it (Ctrl-C there, or kill ${holder.pid}), or use another directory.`
        throw new StackRunningError(`The stack of ${dirname(path)} is running already: process ${holder.pid}. ${advice}`)
      }
      // Its children still write to the data that we are about to open.
      if (holder && isHeld(holder) && Date.now() < end) await wait(100)
      else remove(path, holder)
    }
  } finally {
    rmSync(draft, { force: true })
  }
  return () => {
    if (read(path) === text) rmSync(path, { force: true })
  }
}

function tryLink(draft: string, path: string): boolean {
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Two that find the same stale lock: the second must not remove the first one's new one. */
function remove(path: string, stale: Holder | undefined): void {
  const aside = `${path}.${process.pid}.stale`
  try {
    renameSync(path, aside)
  } catch {
    return
  }
  const moved = readHolder(aside)
  if (moved && moved.pid !== stale?.pid) tryLink(aside, path)
  rmSync(aside, { force: true })
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
