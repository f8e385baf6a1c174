/** Who holds a stack's lock. Plain JavaScript: `npm run clean` asks too, perhaps without any package installed. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

export function readHolder(path) {
  try {
    const holder = JSON.parse(readFileSync(path, 'utf8'))
    return Number.isSafeInteger(holder.pid) && Number.isSafeInteger(holder.keeper) ? holder : undefined
  } catch {
    return undefined
  }
}

/** While its keeper lives, a dead holder's children may live too. */
export const isHeld = (holder) => isAlive(holder.pid, holder.start) || isAlive(holder.keeper, holder.keeperStart)

/** Process ids are used again: the same process has the same start too. */
export function isAlive(pid, start) {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error.code !== 'EPERM') return false
  }
  return start === '' || startOf(pid) === start
}

/** When a process started, as the system words it; empty where it does not say. */
export function startOf(pid) {
  try {
    // Field 22, counted after the command, which may hold spaces and brackets.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ')
    return fields[0] === 'Z' ? 'ended' : fields[19]
  } catch {
    return (spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? '').trim()
  }
}
