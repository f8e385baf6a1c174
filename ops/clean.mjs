/** `npm run clean`: removes all that this clone's stacks and tests keep (.interlock). Downloads in the user's cache stay. */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isHeld, readHolder } from './setup/lock-holder.mjs'

const state = process.argv[2] ?? fileURLToPath(new URL('../.interlock', import.meta.url))

function locksIn(directory) {
  const files = existsSync(directory) ? readdirSync(directory, { recursive: true }) : []
  return files.filter((name) => name.endsWith('stack.lock')).map((name) => join(directory, name))
}

const holders = locksIn(state)
  .map(readHolder)
  .filter((holder) => holder && isHeld(holder))
if (holders.length > 0) {
  console.error(
    `interlock: a stack is running: process ${holders.map(({ pid }) => pid).join(', ')}. Stop it first (Ctrl-C there), then clean.`,
  )
  process.exitCode = 1
} else if (existsSync(state)) {
  rmSync(state, { recursive: true, force: true })
  console.log(`interlock: removed ${state}`)
} else {
  console.log('interlock: nothing to remove')
}
